// SPDX-License-Identifier: GPL-2.0
/* The cdev of a preserved device: who may open it before FINISH. */
#include <string.h>

#include "rules/crossing.h"
#include "rules/finding.h"
#include "rules/reach.h"

/* When OPEN happened, was the device that came as IN still LUO's, for sure? */
static bool still_held(const struct vt_ctx *c, size_t i, const struct vt_life *in, const struct vt_at *open)
{
	const struct vt_at *end = in ? &in->at[VT_STEP_FINISH] : NULL;
	uint64_t since = in ? in->since_ns : 0;

	/* Whether it arrived, and was finished, before the recording began? */
	if (!in && !c->j->side[i]->deserialized)
		return false;
	if (vt_torn(c, i, since, open->ts_ns) || vt_side__dark(c->j->side[i], VT_EV_OP_FINISH, since, open->ts_ns))
		return false;
	/* Of which session a callback is, the call around it tells. */
	if (vt_side__dark(c->j->side[i], VT_EV_LUO_FINISH, since, open->ts_ns))
		return false;
	return !end || !end->type || end->index > open->index;
}

static void tell_early(struct vt_ctx *c, size_t i, struct vt_who who, const struct vt_life *out, const struct vt_life *in, const struct vt_at *open)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &who, "%s|%s", vt_event_name(open->type), who.compatible ? who.compatible : "");

	if (!f)
		return;
	f->func = vt_at_func(open);
	vt_text(c, &f->title, "a preserved device is opened before its live update is finished");
	vt_text(c, &f->expected, "%s fails with -EBUSY from boot until FINISH", open->type == VT_EV_VFIO_DF_OPEN ?
		"VFIO_GROUP_GET_DEVICE_FD (vfio_device_open_file())" : vt_at_func(open));
	vt_text(c, &f->seen[i], "it succeeds%s", in && in->at[VT_STEP_RETRIEVE].type && in->at[VT_STEP_RETRIEVE].index < open->index ?
		" while the retrieved file is in use" : " before the device was retrieved");
	if (out && i > 0)
		vt_proof(c, f, 0, &out->at[VT_STEP_PRESERVE], "preserves the device %s", out->bdf);
	vt_proof(c, f, i, open, "opens it");
	if (in)
		vt_proof(c, f, i, &in->at[VT_STEP_FINISH], "finishes it, later");
	vt_text(c, &f->meaning, "Two owners share one device: the new one resets or reprograms it under the guest that was to survive.");
}

/* Which device IN is, its retrieve tells, by what it looks for. */
static void doubt_device(struct vt_ctx *c, size_t i, const struct vt_life *in, const char *bdf)
{
	const struct vt_side *s = c->j->side[i];
	char why[400];

	if (!in || bdf || !vt_concerns(c->rule, in))
		return;
	if (vt_side__gap(s, VT_EV_OP_RETRIEVE, why, sizeof(why)) || vt_side__gap(s, VT_EV_VFIO_FIND, why, sizeof(why)))
		vt_doubt(c, "%s", why);
}

static void early_of(struct vt_ctx *c, size_t i, const struct vt_life *out, const struct vt_life *in)
{
	const struct vt_side *s = c->j->side[i];
	const char *bdf = out && out->bdf ? out->bdf : in ? in->bdf : NULL;
	struct vt_who who = vt_who_of(out ? out : in);

	who.bdf = bdf;
	vt_judged(c, bdf != NULL);
	doubt_device(c, i, in, bdf);
	for (size_t k = 0; bdf && k < s->nr_devices; k++) {
		const struct vt_device *d = s->devices[k];

		if (!d->bdf || strcmp(d->bdf, bdf))
			continue;
		for (uint32_t o = 0; o < d->nr_opens; o++) {
			/* Without the old kernel's word it is known to be preserved from its retrieve on. */
			if (!out && (!in->at[VT_STEP_RETRIEVE].type || in->at[VT_STEP_RETRIEVE].index > d->opens[o].index))
				continue;
			if (still_held(c, i, in, &d->opens[o]))
				tell_early(c, i, who, out, in, &d->opens[o]);
		}
	}
}

static void too_early(struct vt_ctx *c)
{
	size_t last = c->j->nr_sides - 1;
	const struct vt_side *pre = c->j->side[0], *post = c->j->side[last];

	if (vt_pair_fits(c)) {
		for (const struct vt_session *v = pre->sessions; v; v = v->next) {
			for (const struct vt_life *l = v->lives; l; l = l->next) {
				if (vt_crossed(c->j, l) && l->bdf && !vt_life_torn(c, 0, l))
					early_of(c, last, l, vt_side__life(post, VT_INCOMING, v->name, l->token));
			}
		}
		return;
	}
	for (const struct vt_session *v = post->sessions; v; v = v->next) {
		for (const struct vt_life *l = v->lives; l && v->dir == VT_INCOMING; l = l->next)
			early_of(c, last, NULL, l);
	}
}

const struct vt_rule vt_rule_open_too_early = {
	.id = "open-too-early", .name = "preserved device opened before finish", .severity = VT_ERROR, .subject = VT_ABOUT_VFIO, .by_call = VT_LUO_CALLS,
	.judges = { "preserved device", "preserved devices" },
	.needs = { { VT_EV_VFIO_CDEV_OPEN, VT_IN }, { VT_EV_VFIO_DF_OPEN, VT_IN }, { VT_EV_OP_FINISH, VT_IN }, { VT_EV_LUO_FINISH, VT_IN },
		   { VT_EV_LUO_RETRIEVE, VT_IN }, { VT_EV_LUO_PRESERVE, VT_OUT } },
	.also = { VT_EV_VFIO_DF_ALLOC, VT_EV_VFIO_GROUP_OPEN, VT_EV_VFIO_OPEN_COMMON, VT_EV_VFIO_LU_OPEN, VT_EV_VFIO_FIND,
		  VT_EV_FILE_SNAP },
	.run = too_early,
};
