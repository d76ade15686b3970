// SPDX-License-Identifier: GPL-2.0
/*
 * Whether two traces can be of one live update. What arrives with the data that
 * it was given settles it; else the clocks must fit as well, and where neither
 * does, no rule may judge: a wrong file name would be an alarm.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rules/crossing.h"
#include "rules/update.h"

/* Seconds from the end of the old kernel's recording to the start of the new kernel: a jump, and clocks read from an RTC. */
#define EARLIEST_S	(-30)
#define LATEST_S	120

struct common {
	uint64_t out, in;	/* files with a handle: that PRE holds at its end, that arrived in POST */
	uint64_t named, same;	/* in both by session and token; and with the same handle */
	const struct vt_life *strange;	/* arrives, and PRE never held it */
};

/* The session was seen from its beginning: one that was not may have been there before the recording. */
static bool seen_made(const struct vt_side *pre, const char *name)
{
	for (const struct vt_session *v = pre->sessions; v; v = v->next) {
		if (v->dir == VT_OUTGOING && !v->early && !strcmp(v->name, name))
			return true;
	}
	return false;
}

static struct common compare(const struct vt_side *pre, const struct vt_side *post)
{
	struct common n = { 0 };

	for (const struct vt_session *v = post->sessions; v; v = v->next) {
		for (const struct vt_life *l = v->lives; l && v->dir == VT_INCOMING; l = l->next) {
			n.in += l->has_data && l->data;
			if (!n.strange && seen_made(pre, v->name) && !vt_side__life(pre, VT_OUTGOING, v->name, l->token))
				n.strange = l;
		}
	}
	for (const struct vt_session *v = pre->sessions; v; v = v->next) {
		for (const struct vt_life *l = v->lives; l; l = l->next) {
			const struct vt_life *in = l->held_at_end ? vt_side__life(post, VT_INCOMING, v->name, l->token) : NULL;

			n.out += l->held_at_end && l->has_data && l->data;
			n.named += in != NULL;
			n.same += in && l->has_data && in->has_data && l->data && l->data == in->data;
		}
	}
	return n;
}

/* When the recording of S began, by the wall clock; false where it does not say. */
static bool began(const struct vt_side *s, int64_t *seconds)
{
	const char *text = vt_trace__meta(s->trace, "started");
	struct tm tm = { 0 };

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return false;
	*seconds = timegm(&tm);
	return true;
}

/* Seconds from PRE's last event to the start of POST's kernel, whose clock counts from there. */
static bool between(const struct vt_side *pre, const struct vt_side *post, int64_t *seconds)
{
	int64_t a, b;

	if (!began(pre, &a) || !began(post, &b) || !pre->start_ns || !post->start_ns)
		return false;
	*seconds = b - (int64_t)(post->start_ns / 1000000000) - a - (int64_t)((pre->last_ns - pre->start_ns) / 1000000000);
	return true;
}

/* All that was preserved until the jump is there. */
static bool whole(const struct vt_side *pre)
{
	char ignored[400];

	return pre->jumped && !pre->early && !pre->unseen[VT_OUTGOING].files &&
	       !vt_side__gap(pre, VT_EV_LUO_PRESERVE, ignored, sizeof(ignored)) &&
	       !vt_side__gap(pre, VT_EV_SESSION_CREATE, ignored, sizeof(ignored)) &&
	       !vt_side__gap(pre, VT_EV_SESSION_RELEASE, ignored, sizeof(ignored)) && !vt_side__cut(pre, ignored, sizeof(ignored));
}

/* All that arrived is there. */
static bool listed(const struct vt_side *post)
{
	char ignored[400];

	return !post->early && !post->unseen[VT_INCOMING].files && !vt_side__gap(post, VT_EV_LUO_FILE, ignored, sizeof(ignored)) &&
	       !vt_side__gap(post, VT_EV_LUO_DESERIALIZE, ignored, sizeof(ignored)) && !vt_side__cut(post, ignored, sizeof(ignored));
}

bool vt_two_updates(const struct vt_side *pre, const struct vt_side *post, char *why, size_t size)
{
	const char *a = vt_trace__meta(pre->trace, "machine"), *b = vt_trace__meta(post->trace, "machine");
	struct common n = compare(pre, post);
	int64_t s;

	if (a && b && *a && *b && strcmp(a, b)) {
		snprintf(why, size, "one is of a %s machine, the other of %s", a, b);
		return true;
	}
	/* No kernel makes files up: where all of PRE was seen, what it never preserved came from elsewhere. */
	if (n.strange && whole(pre)) {
		snprintf(why, size, "session %s token 0x%" PRIx64 " arrives in the second, and the first never preserved it",
			 n.strange->session->name, n.strange->token);
		return true;
	}
	if (n.same || !n.out)
		return false;
	/* Where records of either were lost, those that fit may be among them. */
	if (n.in && !n.named && whole(pre) && listed(post) && !vt_side__lost(pre, VT_EV_LUO_PRESERVE) && !vt_side__lost(post, VT_EV_LUO_FILE) &&
	    !vt_side__lost(post, VT_EV_LUO_RETRIEVE)) {
		snprintf(why, size, "none of the %" PRIu64 " file%s that the first holds at its end is among the %" PRIu64 " that arrive in the second",
			 n.out, n.out == 1 ? "" : "s", n.in);
		return true;
	}
	if (!between(pre, post, &s) || (s >= EARLIEST_S && (s <= LATEST_S || !pre->jumped)))
		return false;
	snprintf(why, size, "no file arrives with the handle that it was given, and the second kernel started %" PRId64 " s %s the first recording ended",
		 s < 0 ? -s : s, s < 0 ? "before" : "after");
	return true;
}
