// SPDX-License-Identifier: GPL-2.0
/* What comes out of the jump is what went into it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rules/crossing.h"
#include "rules/facts.h"
#include "rules/finding.h"
#include "rules/reach.h"

static void changed(struct vt_ctx *c, const struct vt_life *out, const struct vt_life *in, const char *what, const char *was, const char *is,
		    const struct vt_at *seen, const char *meaning)
{
	struct vt_who who = vt_who_of(out);
	struct vt_finding *f = vt_find(c, VT_ERROR, 1, &who, "%s|%s", what, out->compatible ? out->compatible : "");

	if (!f)
		return;
	f->func = vt_at_func(seen);
	vt_text(c, &f->title, "the %s of a preserved file is another one after the update", what);
	vt_text(c, &f->expected, "%s, as in the old kernel", was);
	vt_text(c, &f->seen[0], "%s", was);
	vt_text(c, &f->seen[1], "%s", is);
	vt_proof(c, f, 0, &out->at[VT_STEP_PRESERVE], "preserves %s", was);
	vt_proof(c, f, 1, seen, "has %s", is);
	vt_text(c, &f->meaning, "%s", meaning);
}

static void same_identity(struct vt_ctx *c, const struct vt_life *out, const struct vt_life *in)
{
	const struct vt_at *arrived = in->at[VT_STEP_DESERIALIZE].type ? &in->at[VT_STEP_DESERIALIZE] : &in->at[VT_STEP_RETRIEVE];
	char was[32], is[32];

	if (out->compatible && in->compatible && strcmp(out->compatible, in->compatible))
		changed(c, out, in, "compatible string", out->compatible, in->compatible, arrived,
			"Another handler reads the state than wrote it.");
	if (out->bdf && in->bdf && strcmp(out->bdf, in->bdf))
		changed(c, out, in, "PCI address", out->bdf, in->bdf, &in->at[VT_STEP_RETRIEVE],
			"The guest gets somebody else's device.");
	/* Freeze may change it, and a recording that ends before the jump need not have seen that. */
	if (!out->has_data || !in->has_data || out->data == in->data || (!c->j->side[0]->jumped && !out->at[VT_STEP_FREEZE].type))
		return;
	snprintf(was, sizeof(was), "serialized_data 0x%" PRIx64, out->data);
	snprintf(is, sizeof(is), "serialized_data 0x%" PRIx64, in->data);
	changed(c, out, in, "serialized_data", was, is, arrived, "The handler follows a handle that nobody gave it.");
}

static void tell_data(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "within|");

	if (!f)
		return;
	vt_text(c, &f->title, "serialized_data changes within one kernel");
	vt_text(c, &f->expected, "0x%" PRIx64 ": only freeze may change it", (uint64_t)x->num[0]);
	vt_text(c, &f->seen[i], "0x%" PRIx64, (uint64_t)x->num[1]);
	vt_proof(c, f, i, &x->at[0], "is given another handle");
	vt_text(c, &f->meaning, "The handler follows a handle that it did not give.");
}

static const struct vt_telling data_changed[] = {
	{ .kind = VT_FACT_DATA_CHANGED, .tell = tell_data },
};

/* What the model tells of one kernel: a handle that changes between two callbacks of a file. */
static void within_one(struct vt_ctx *c)
{
	VT_EACH_SIDE(c, i)
		vt_judged(c, vt_side__seen(c->j->side[i], VT_EV_OP_PRESERVE) + vt_side__seen(c->j->side[i], VT_EV_OP_RETRIEVE));
}

static void identity(struct vt_ctx *c)
{
	if (!vt_pair_fits(c)) {
		within_one(c);
		return;
	}
	for (const struct vt_session *v = c->j->side[0]->sessions; v; v = v->next) {
		for (const struct vt_life *l = v->lives; l; l = l->next) {
			const struct vt_life *in = vt_crossed(c->j, l) ? vt_side__life(c->j->side[1], VT_INCOMING, v->name, l->token) : NULL;

			if (!in || vt_life_torn(c, 0, l) || vt_life_torn(c, 1, in))
				continue;
			vt_judged(c, 1);
			same_identity(c, l, in);
		}
	}
}

const struct vt_rule vt_rule_identity = {
	.id = "identity", .name = "another file than was preserved", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.judges = { "file", "files" },
	.needs = { { VT_EV_OP_PRESERVE, VT_OUT }, { VT_EV_OP_FREEZE, VT_OUT }, { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_FILE_SNAP, VT_ANY } },
	.also = { VT_EV_VFIO_FIND, VT_EV_VFIO_LU_OPEN, VT_EV_VFIO_OPEN_COMMON },
	VT_TELLS(data_changed),
	.run = identity,
};
