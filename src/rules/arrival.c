// SPDX-License-Identifier: GPL-2.0
/* What went into the jump comes out of it. */
#include "rules/crossing.h"
#include "rules/finding.h"
#include "rules/reach.h"

/* Whether the new kernel's trace can say anything about what arrived. */
static bool looked_at(struct vt_ctx *c)
{
	const struct vt_side *pre = c->j->side[0], *post = c->j->side[1];

	if (c->j->strangers)
		return false;
	if (!pre->jumped) {
		if (vt_side_incoming(post) || pre->holds)
			vt_doubt(c, "%s: it does not reach the jump, so what went into it is not known", pre->label);
		return false;
	}
	if (post->deserialized || vt_side_incoming(post))
		return true;
	if (vt_side_outgoing(pre))
		vt_doubt(c, VT_NOTHING_REBUILT, post->label);
	return false;
}

static void lost_file(struct vt_ctx *c, const struct vt_life *l)
{
	struct vt_who who = vt_who_of(l);
	struct vt_finding *f = vt_find(c, VT_ERROR, 1, &who, "%s", l->compatible ? l->compatible : "");

	if (!f)
		return;
	f->func = "luo_file_deserialize";
	vt_text(c, &f->title, "a preserved file does not arrive in the new kernel");
	vt_text(c, &f->expected, "every file that was frozen is on its session's list after deserialize");
	vt_text(c, &f->seen[0], "preserved%s", l->at[VT_STEP_FREEZE].type ? " and frozen" : "");
	vt_text(c, &f->seen[1], "its session is %s, without this token", vt_incoming_session(c->j->side[1], l->session->name) ? "there" : "missing");
	vt_proof(c, f, 0, &l->at[VT_STEP_PRESERVE], "preserves the file");
	vt_proof(c, f, 0, &l->at[VT_STEP_FREEZE], "freezes it");
	vt_proof(c, f, 0, &c->j->side[0]->reboot, "the old kernel is about to jump");
	vt_proof(c, f, 1, &c->j->side[1]->deserialize_at, "the new kernel has read what arrived");
	vt_text(c, &f->meaning, "What the file stood for is lost: the guest's device or memory does not survive the update.");
}

/* How the session came to the new kernel was not seen: of its files only those are known that were asked for. */
static void not_listed(struct vt_ctx *c, const struct vt_session *v, const struct vt_session *in)
{
	const struct vt_side *post = c->j->side[1];

	for (const struct vt_life *l = in ? v->lives : NULL; l; l = l->next) {
		if (!vt_crossed(c->j, l) || vt_side__life(post, VT_INCOMING, v->name, l->token))
			continue;
		vt_doubt(c, "%s: the recording began after session %s had been rebuilt, so what else arrived in it is not known", post->label, v->name);
		return;
	}
}

/* One session that cannot be read ends the reading of all, unless the answer is another. */
static bool reading_failed(const struct vt_side *post)
{
	bool failed = false;

	for (const struct vt_session *v = post->sessions; v; v = v->next)
		failed |= v->dir == VT_INCOMING && v->deserialize_ret < 0;
	return post->deserialized ? post->deserialize_ret < 0 : failed;
}

static void arrival(struct vt_ctx *c)
{
	const struct vt_side *pre = c->j->side[0], *post = c->j->side[1];

	/* After a failed deserialize all is held until reboot: the rule leftover says so. Of an image that nothing reaches session-lost does. */
	if (pre->alone || !looked_at(c) || reading_failed(post) || c->cut[1])
		return;
	for (const struct vt_session *v = pre->sessions; v; v = v->next) {
		const struct vt_session *in = vt_incoming_session(post, v->name);
		uint64_t listed = in && in->deserialize.type && in->deserialize_ret >= 0 ? in->deserialize.ts_ns : post->deserialize_at.ts_ns;

		/* Only a list that was seen can lack something. */
		if (in ? !in->deserialized : !post->deserialized) {
			not_listed(c, v, in);
			continue;
		}
		for (const struct vt_life *l = v->lives; l && vt_clear(c, 1, 0, listed); l = l->next) {
			if (!vt_crossed(c->j, l) || vt_life_torn(c, 0, l))
				continue;
			vt_judged(c, 1);
			if (!vt_side__life(post, VT_INCOMING, v->name, l->token))
				lost_file(c, l);
		}
	}
}

const struct vt_rule vt_rule_arrival = {
	.id = "arrival", .name = "preserved file lost", .severity = VT_ERROR, .subject = VT_ABOUT_PAIR, .by_call = VT_LUO_CALLS,
	.judges = { "file", "files" },
	.needs = { { VT_EV_LUO_PRESERVE, VT_OUT }, { VT_EV_SESSION_DESERIALIZE, VT_IN }, { VT_EV_LUO_DESERIALIZE, VT_IN }, { VT_EV_LUO_FILE, VT_IN } },
	.run = arrival,
};
