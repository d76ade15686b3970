// SPDX-License-Identifier: GPL-2.0
/*
 * Whether two traces are of one live update: a wrong file name must not be an
 * alarm. What both sides know, in this order: the boot that a carried trace
 * arrived in; machine, and what KHO says of the kernel before; what arrives, by
 * handle and by address; the clocks. What speaks against it settles it, and
 * where nothing speaks for it, no rule may judge what crossed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/cover.h"
#include "rules/crossing.h"
#include "rules/update.h"

/* Seconds from the end of the old kernel's recording to the start of the new kernel: a jump, and clocks read from an RTC. */
#define EARLIEST_S	(-30)
#define LATEST_S	120
#define SAME_START_S	5

struct common {
	uint64_t out, in;	/* files with a handle: that PRE holds at its end, that arrived in POST */
	uint64_t named, same;	/* in both by session and token; and with the same handle */
	uint64_t held;		/* that PRE holds at its end, with a handle or without */
	const struct vt_life *strange;	/* arrives, and PRE never held it */
	/* Memory: what PRE gave to KHO, what POST took out in LUO's calls, and what of the first was among it. */
	uint64_t given, taken, back;
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

static void compare_memory(const struct vt_side *pre, const struct vt_side *post, struct common *n)
{
	n->given = pre->nr_kho;
	for (size_t i = 0; i < post->nr_restored; i++)
		n->taken += post->restored[i]->ok && post->restored[i]->session;
	for (size_t i = 0; i < pre->nr_kho; i++)
		n->back += vt_cover(post, pre->kho[i]).any;
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

			n.held += l->held_at_end;
			n.out += l->held_at_end && l->has_data && l->data;
			n.named += in != NULL;
			n.same += in && l->has_data && in->has_data && l->data && l->data == in->data;
		}
	}
	compare_memory(pre, post, &n);
	return n;
}

/*
 * 2025: no kernel had LUO before. A machine whose clock nobody has set, as arm64's in an initramfs, counts from 1970 in
 * each kernel.
 */
#define CLOCK_WAS_SET 1735689600

/* When the recording of S began, by the wall clock; false where it does not say. */
static bool began(const struct vt_side *s, int64_t *seconds)
{
	const char *text = vt_trace__meta(s->trace, "started");
	struct tm tm = { 0 };

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return false;
	*seconds = timegm(&tm);
	return *seconds >= CLOCK_WAS_SET;
}

/* Seconds of the wall clock at which the kernel of S was booted. */
static bool booted(const struct vt_side *s, int64_t *seconds)
{
	if (!began(s, seconds) || !s->start_ns)
		return false;
	*seconds -= (int64_t)(s->start_ns / 1000000000);
	return true;
}

/*
 * Seconds from PRE's last event to the start of POST's kernel. A machine without
 * a clock of its own begins at the same moment with each boot, which says nothing.
 */
static bool between(const struct vt_side *pre, const struct vt_side *post, int64_t *seconds)
{
	int64_t a, b;

	if (!booted(pre, &a) || !booted(post, &b) || llabs(b - a) <= SAME_START_S)
		return false;
	*seconds = b - a - (int64_t)(pre->last_ns / 1000000000);
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

static bool all_seen(const struct vt_side *s, const uint16_t *types)
{
	char ignored[400];

	for (; *types; types++) {
		if (vt_side__gap(s, *types, ignored, sizeof(ignored)) || vt_side__lost(s, *types))
			return false;
	}
	return true;
}

/* ... and all memory that was given to KHO, and taken out of it in the second. */
static bool whole_memory(const struct vt_side *pre, const struct vt_side *post)
{
	static const uint16_t gives[] = { VT_EV_KHO_ALLOC_PRESERVE, VT_EV_KHO_PRESERVE_FOLIO, VT_EV_KHO_PRESERVE_PAGES, VT_EV_KHO_PRESERVE_VMALLOC, 0 };
	static const uint16_t takes[] = { VT_EV_KHO_RESTORE_FREE, VT_EV_KHO_RESTORE_FOLIO, VT_EV_KHO_RESTORE_PAGES, VT_EV_KHO_RESTORE_VMALLOC, 0 };

	return whole(pre) && all_seen(pre, gives) && listed(post) && all_seen(post, takes);
}

/* ---- what speaks against it ---- */

/* Both say something of KEY, and not the same. */
static bool differ(const struct vt_side *pre, const struct vt_side *post, const char *key, const char **a, const char **b)
{
	*a = vt_trace__told(pre->trace, key);
	*b = vt_trace__told(post->trace, key);
	return *a && *b && strcmp(*a, *b);
}

static bool another_machine(const struct vt_side *pre, const struct vt_side *post, char *why, size_t size)
{
	const char *a, *b;

	if (differ(pre, post, "machine", &a, &b))
		snprintf(why, size, "one is of a %s machine, the other of %s", a, b);
	else if (differ(pre, post, "page_size", &a, &b))
		snprintf(why, size, "one is of a kernel with pages of %s bytes, the other of %s", a, b);
	else if (differ(pre, post, "machine.id", &a, &b))
		snprintf(why, size, "they are of two machines");
	else
		return false;
	return true;
}

/* Kexecs before that kernel; -1: not known. */
static long kexecs(const struct vt_side *s)
{
	const char *text = vt_trace__told(s->trace, "kho.count");
	char *end;
	long n = text ? strtol(text, &end, 10) : -1;

	return text && !*end && n >= 0 ? n : -1;
}

/* 0 in POST says little: so it is after a cold boot, after KHO failed, and after a kernel that passes no metadata on. */
static bool another_kexec(const struct vt_side *pre, const struct vt_side *post, char *why, size_t size)
{
	const char *release = vt_trace__told(pre->trace, "kernel.release"), *previous = vt_trace__told(post->trace, "kho.previous");
	long a = kexecs(pre), b = kexecs(post);

	if (release && previous && strcmp(release, previous))
		snprintf(why, size, "the second kernel was started by %s, and the first is %s", previous, release);
	else if (a >= 0 && b > 0 && b != a + 1)
		snprintf(why, size, "kexec %ld brought the second kernel, and the first one's next was kexec %ld", b, a + 1);
	else
		return false;
	return true;
}

/* No kernel makes up what arrives: where all of PRE was seen, what it never gave came from elsewhere. */
static bool others_files(const struct vt_side *pre, const struct vt_side *post, const struct common *n, bool near, char *why, size_t size)
{
	if (n->strange && whole(pre)) {
		snprintf(why, size, "session %s token 0x%" PRIx64 " arrives in the second, and the first never preserved it",
			 n->strange->session->name, n->strange->token);
		return true;
	}
	if (n->same || n->back)
		return false;
	/* Where records of either were lost, those that fit may be among them. */
	if (n->out && n->in && !n->named && whole(pre) && listed(post) && !vt_side__lost(pre, VT_EV_LUO_PRESERVE) && !vt_side__lost(post, VT_EV_LUO_FILE) &&
	    !vt_side__lost(post, VT_EV_LUO_RETRIEVE)) {
		snprintf(why, size, "none of the %" PRIu64 " file%s that the first holds at its end is among the %" PRIu64 " that arrive in the second",
			 n->out, n->out == 1 ? "" : "s", n->in);
		return true;
	}
	/* What was given before the recording began may be what is taken: it does not count against one machine and one time. */
	if (!near && n->given && n->taken && whole_memory(pre, post)) {
		snprintf(why, size, "the second takes memory out of KHO, and none of the %" PRIu64 " block%s that the first gave to it",
			 n->given, n->given == 1 ? "" : "s");
		return true;
	}
	return false;
}

/* ---- what speaks for it ---- */

/* By address. Two machines that boot alike may have blocks in common: it counts only where the clocks do not speak against it. */
static bool memory_fits(const struct common *n)
{
	uint64_t fewer = n->given < n->taken ? n->given : n->taken;

	return n->back > 1 && 2 * n->back > fewer;
}

/*
 * Nothing arrived that could be another's: then the first's files are lost, unless the second kernel was booted cold. What
 * the first said of KHO may stand where its file is damaged. Into an image without a handover nothing goes: that is no other update.
 */
static bool nothing_to_compare(const struct vt_side *pre, const struct vt_side *post, const struct common *n)
{
	return !n->in && !n->taken && (pre->alone || !((kexecs(pre) >= 0 || pre->damaged) && !kexecs(post)));
}

enum vt_kin vt_kin(const struct vt_side *pre, const struct vt_side *post, char *why, size_t size)
{
	const char *into = vt_trace__told(pre->trace, "carried.into"), *boot = vt_trace__told(post->trace, "boot_id"), *a, *b;
	struct common n = compare(pre, post);
	bool timed, in_time, near;
	int64_t s = 0;

	*why = 0;
	if (into && boot && strcmp(into, boot)) {
		snprintf(why, size, "the first was carried into boot %s, and the second is of boot %s", into, boot);
		return VT_KIN_TWO;
	}
	if (into && boot)
		return VT_KIN_ONE;
	timed = between(pre, post, &s);
	in_time = timed && s >= EARLIEST_S && (s <= LATEST_S || !pre->jumped);
	near = in_time && vt_trace__told(pre->trace, "machine.id") && vt_trace__told(post->trace, "machine.id") && !differ(pre, post, "machine.id", &a, &b);
	if (another_machine(pre, post, why, size) || another_kexec(pre, post, why, size) || others_files(pre, post, &n, near, why, size))
		return VT_KIN_TWO;
	if (n.same)
		return VT_KIN_ONE;
	if (timed && !in_time && n.out) {
		snprintf(why, size, "no file arrives with the handle that it was given, and the second kernel started %" PRId64 " s %s the first recording ended",
			 s < 0 ? -s : s, s < 0 ? "before" : "after");
		return VT_KIN_TWO;
	}
	if (memory_fits(&n) || near)
		return VT_KIN_ONE;
	return n.held && !nothing_to_compare(pre, post, &n) ? VT_KIN_OPEN : VT_KIN_ONE;
}
