// SPDX-License-Identifier: GPL-2.0
/* Leftovers that are accepted: notes, no findings. */
#include <inttypes.h>
#include <stdio.h>

#include "rules/cover.h"
#include "rules/crossing.h"
#include "rules/finding.h"
#include "rules/reach.h"

static void note(struct vt_ctx *c, size_t i, const struct vt_who *who, const struct vt_at *at, const char *key, const char *title, const char *meaning)
{
	struct vt_finding *f = vt_find(c, VT_NOTE, i, who, "%s", key);

	if (!f)
		return;
	vt_text(c, &f->title, "%s", title);
	vt_text(c, &f->expected, "allowed");
	vt_text(c, &f->meaning, "%s", meaning);
	vt_proof(c, f, i, at, "here");
}

/* Blocks that the old kernel preserved for this file and that nobody has restored. */
static uint64_t blocks_held(const struct vt_ctx *c, const struct vt_life *in)
{
	const struct vt_life *out = vt_pair_fits(c) ? vt_side__life(c->j->side[0], VT_OUTGOING, in->session->name, in->token) : NULL;
	uint64_t n = 0;

	for (const struct vt_kho *k = out ? out->kho : NULL; k; k = k->next)
		n += k->count > 1 ? (k->pages - vt_cover(c->j->side[1], k).pages) / (k->pages / k->count) :
		     !vt_side__restored(c->j->side[1], k->phys);
	return n;
}

static void notes_of_life(struct vt_ctx *c, size_t i, const struct vt_session *v, const struct vt_life *l)
{
	struct vt_who who = vt_who_of(l);
	char title[240], err[32];
	uint64_t held;
	int used;

	if (l->state == VT_LIFE_FAILED || (l->state == VT_LIFE_FINISHED && l->at[VT_STEP_RETRIEVE].has_ret && l->at[VT_STEP_RETRIEVE].ret < 0)) {
		held = blocks_held(c, l);
		used = snprintf(title, sizeof(title), "retrieve failed with %s: it is not tried again, a second RETRIEVE_FD gets the same error",
				vt_errno_str(l->at[VT_STEP_RETRIEVE].ret, err, sizeof(err)));
		if (held)
			snprintf(title + used, sizeof(title) - used, "; %" PRIu64 " block%s of its memory %s held until %sreboot", held,
				 held == 1 ? "" : "s", held == 1 ? "is" : "are", l->state == VT_LIFE_FINISHED ? "" : "finish or ");
		note(c, i, &who, &l->at[VT_STEP_RETRIEVE], "retrieve-failed", title, "Accepted: luo_retrieve_file() never retries on state that is half consumed.");
		return;
	}
	/* What follows says that something did not happen: only where nothing that happened can have been missed. */
	if (!vt_clear(c, i, l->since_ns, UINT64_MAX))
		return;
	/* Of a session that the next update drops the rule session-lost tells. */
	if (l->state == VT_LIFE_INCOMING && !v->retrieved && c->j->side[i]->jumped)
		return;
	if (l->state == VT_LIFE_INCOMING && !v->finished) {
		note(c, i, &who, &l->at[VT_STEP_DESERIALIZE], v->retrieved ? "not-retrieved" : "session-not-retrieved",
		     v->retrieved ? "a file was not retrieved: held until its session is finished" :
		     "a session was not retrieved: held until the next live update, which drops it",
		     "Accepted: nobody asked for it.");
	} else if (l->state == VT_LIFE_INCOMING || (l->state == VT_LIFE_FINISHED && !l->at[VT_STEP_RETRIEVE].type && !l->early)) {
		note(c, i, &who, &l->at[VT_STEP_FINISH], "finished-unretrieved", "a file was finished without having been retrieved: its state is dropped", "Accepted: the agent did not ask for it.");
	} else if (l->state == VT_LIFE_RETRIEVED) {
		note(c, i, &who, &l->at[VT_STEP_RETRIEVE], "not-finished", v->finish.type && v->finish_ret < 0 ?
		     "FINISH was refused: LUO keeps the file" : c->j->side[i]->jumped ? "retrieved, and not finished when the next update begins: it is not handed on" :
		     "retrieved, and not finished when the trace ends", "Accepted: LUO holds the file until FINISH.");
	}
}

static void notes_of_agent(struct vt_ctx *c, size_t i, const struct vt_session *v)
{
	struct vt_who who = { .session = v->name };
	const struct vt_life *l = v->lives;
	char title[200];

	if (strcmp(v->name, VT_SYSTEMD_SESSION))
		return;
	if (l)
		note(c, i, &who, &l->at[v->dir == VT_OUTGOING ? VT_STEP_PRESERVE : VT_STEP_RETRIEVE], "systemd",
		     "systemd's own session: what services put into their fd stores; token 0x0 is the list of whose they are",
		     "PID 1 preserves it as the last before the jump, and finishes it before any service starts.");
	if (!v->busy_preserves)
		return;
	/* Other agents can do something about it. systemd-shutdown goes on, and nobody else is left. */
	snprintf(title, sizeof(title), "PRESERVE was refused with -EBUSY, %" PRIu64 " time%s: systemd goes on without these files", v->busy_preserves,
		 v->busy_preserves == 1 ? "" : "s");
	note(c, i, &who, &v->busy_at, "preserve-busy", title,
	     "LUO has the file or its device already. After an update whose session could not be finished it keeps them until the next reboot, "
	     "and the services whose files these are start from nothing.");
}

static void leftover(struct vt_ctx *c)
{
	char title[200], err[32];

	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		if (s->own_events)
			note(c, i, NULL, &s->own_at, "own-trace", "session " VT_OWN_SESSION " carries a trace through the live update and is not judged",
			     "The tool's own file, preserved by record --carry and taken out by fetch. The name is reserved for it.");
		if (s->deserialized && s->deserialize_ret < 0) {
			snprintf(title, sizeof(title), "deserialize failed with %s: everything that arrived is held until reboot",
				 vt_errno_str(s->deserialize_ret, err, sizeof(err)));
			note(c, i, NULL, &s->deserialize_at, "deserialize-failed", title,
			     "Accepted: luo_session_deserialize() does not undo what is half built. The usual cause is a handler that is not loaded yet.");
			continue;
		}
		for (const struct vt_session *v = s->sessions; v; v = v->next) {
			notes_of_agent(c, i, v);
			for (const struct vt_life *l = v->lives; l && v->dir == VT_INCOMING && !c->cut[i]; l = l->next)
				notes_of_life(c, i, v, l);
		}
		if (s->nr_aborts) {
			snprintf(title, sizeof(title), "%" PRIu64 " live update%s aborted before the jump", s->nr_aborts, s->nr_aborts == 1 ? " was" : "s were");
			note(c, i, NULL, &s->reboot, "aborted", title, "Accepted: reboot(2) returned an error and this kernel went on.");
		}
	}
}

const struct vt_rule vt_rule_leftover = {
	.id = "leftover", .name = "accepted leftover", .severity = VT_NOTE, .subject = VT_ABOUT_LUO,
	.judges = { "file that arrived", "files that arrived", .type = { VT_EV_LUO_FILE } },
	.needs = { { VT_EV_LUO_RETRIEVE, VT_IN }, { VT_EV_LUO_DESERIALIZE, VT_IN }, { VT_EV_LUO_FILE, VT_IN } },
	.run = leftover,
};
