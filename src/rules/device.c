// SPDX-License-Identifier: GPL-2.0
/* vfio devices: their counts, and who may open them when (drivers/vfio). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rules/facts.h"

static void tell_count(struct vt_ctx *c, size_t i, const struct vt_fact *x, bool reg)
{
	const struct vt_at *call = &x->at[2];
	bool over = x->num[1] > x->num[0];
	struct vt_finding *f;
	char err[32] = "";

	f = vt_find(c, reg ? VT_ERROR : VT_WARNING, i, &x->who, "%s|%s|%s", over ? "more" : "less",
		    call->type ? vt_event_name(call->type) : vt_event_name(x->at[0].type), call->has_ret && call->ret < 0 ? "failing" : "");
	if (!f)
		return;
	f->func = call->type ? vt_at_func(call) : vt_at_func(&x->at[0]);
	if (call->has_ret && call->ret < 0)
		vt_errno_str(call->ret, err, sizeof(err));
	vt_text(c, &f->title, "%s %s %s %s too %s", f->func,
		*err ? "fails and leaves" : "leaves", reg ? "the device's registration count" : "the reference count of the vfio struct device",
		x->num[1] - x->num[0] == 1 || x->num[0] - x->num[1] == 1 ? "one" : "several", over ? "high" : "low");
	if (reg)
		vt_text(c, &f->expected, "%" PRId64 ": one while registered and one per open device file; a call that fails changes nothing", x->num[0]);
	else
		vt_text(c, &f->expected, "%" PRId64 ": a lookup gives back the reference it takes", x->num[0]);
	vt_text(c, &f->seen[i], "%" PRId64, x->num[1]);
	if (reg)
		vt_proof(c, f, i, &x->at[1], "the count is as it should be");
	else
		vt_proof(c, f, i, &x->at[1], "the kref is %" PRId64 " here", x->num[0]);
	if (call->index != x->at[0].index)
		vt_proof(c, f, i, call, "happens in between%s%s", *err ? ", with " : "", err);
	vt_proof(c, f, i, &x->at[0], "it is %" PRId64 " where %" PRId64 " is due", x->num[1], x->num[0]);
	if (over)
		vt_text(c, &f->meaning, reg ? "vfio_unregister_group_dev() waits for this count: the driver can never be unbound, and the machine hangs at shutdown." :
			"The struct device is never freed, even after its driver is gone.");
	else
		vt_text(c, &f->meaning, reg ? "The device can be unregistered while a file of it is open: use after free." :
			"The struct device is freed while it is in use.");
}

static void tell_registration(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	tell_count(c, i, x, true);
}

static void tell_kref(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	tell_count(c, i, x, false);
}

/* An unseen open or release would look like a wrong count. */
static const struct vt_telling counts_of_registration[] = {
	{ .kind = VT_FACT_REG_IMBALANCE, .absence = true, .tell = tell_registration },
};
static const struct vt_telling counts_of_kref[] = {
	{ .kind = VT_FACT_KREF_IMBALANCE, .absence = true, .to_end = true, .tell = tell_kref },
};

static void unverified(struct vt_ctx *c)
{
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		if (s->unverified_releases)
			vt_doubt(c, "%s: nothing shows whether vfio_device_fops_release() put the registration, %" PRIu64 " time%s", s->label,
				 s->unverified_releases, s->unverified_releases == 1 ? "" : "s");
	}
}

const struct vt_rule vt_rule_vfio_registration = {
	.id = "vfio-registration", .name = "vfio registration count off", .severity = VT_ERROR, .subject = VT_ABOUT_VFIO,
	.by_call = VT_ALL_CALLS, .lasts = true, .sums = true,
	.needs = { { VT_EV_VFIO_CDEV_OPEN, VT_ANY }, { VT_EV_VFIO_RELEASE, VT_ANY }, { VT_EV_VFIO_LU_OPEN, VT_IN }, { VT_EV_VFIO_UNREGISTER, VT_ANY } },
	VT_TELLS(counts_of_registration),
	.run = unverified,
};

const struct vt_rule vt_rule_device_kref = {
	.id = "device-kref", .name = "struct device reference off", .severity = VT_WARNING, .subject = VT_ABOUT_VFIO,
	.by_call = VT_ALL_CALLS, .lasts = true, .sums = true,
	.needs = { { VT_EV_VFIO_CDEV_OPEN, VT_ANY }, { VT_EV_VFIO_RELEASE, VT_ANY } },
	VT_TELLS(counts_of_kref),
};

static const struct vt_telling under[] = {
	{ .kind = VT_FACT_UNREGISTER_UNDER, .key = "unregistered-under", .func = "vfio_find_device",
	  .title = "the device is unregistered between its lookup and its open",
	  .expected = "the lookup pins the registration until the open has its own",
	  .seen = "the driver let go of the device while retrieve was about to open it",
	  .meaning = "retrieve works on a device whose driver is gone. An unbind at the right moment is enough.",
	  .ev = { "goes on with the device", "looks the device up", "the device is unregistered" } },
};

const struct vt_rule vt_rule_lookup_unpinned = {
	.id = "lookup-unpinned", .name = "device gone under the retrieve", .severity = VT_ERROR, .subject = VT_ABOUT_VFIO,
	.by_call = VT_ALL_CALLS,
	.needs = { { VT_EV_VFIO_FIND, VT_IN }, { VT_EV_VFIO_LU_OPEN, VT_IN }, { VT_EV_VFIO_UNREGISTER, VT_IN } },
	VT_TELLS(under),
};

static const struct vt_telling release_null[] = {
	{ .kind = VT_FACT_RELEASE_NULL, .key = "release-null", .func = "vfio_device_fops_release",
	  .title = "vfio_device_fops_release() is called on a file without a df",
	  .expected = "a file with vfio's operations has a df in private_data before anybody can put it",
	  .seen = "private_data is NULL",
	  .meaning = "Release follows the NULL pointer: an oops in whatever task closes the file.",
	  .ev = { "release of a file whose private_data is NULL", "the file is made", "the call that made it fails" } },
};

const struct vt_rule vt_rule_release_null = {
	.id = "release-null", .name = "release without a df", .severity = VT_ERROR, .subject = VT_ABOUT_VFIO,
	.needs = { { VT_EV_VFIO_RELEASE, VT_ANY } },
	VT_TELLS(release_null),
};

/* ---- the cdev of a preserved device ---- */

/* When OPEN happened, was the device that came as IN still LUO's, for sure? */
static bool still_held(const struct vt_ctx *c, size_t i, const struct vt_life *in, const struct vt_at *open)
{
	const struct vt_at *end = in ? &in->at[VT_STEP_FINISH] : NULL;
	uint64_t since = in ? in->since_ns : 0;

	if (vt_torn(c, i, since, open->ts_ns) || vt_side__dark(c->j->side[i], VT_EV_OP_FINISH, since, open->ts_ns))
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

static void early_of(struct vt_ctx *c, size_t i, const struct vt_life *out, const struct vt_life *in)
{
	const struct vt_side *s = c->j->side[i];
	const char *bdf = out && out->bdf ? out->bdf : in ? in->bdf : NULL;
	struct vt_who who = vt_who_of(out ? out : in);

	who.bdf = bdf;
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
	.needs = { { VT_EV_VFIO_CDEV_OPEN, VT_IN }, { VT_EV_VFIO_DF_OPEN, VT_IN }, { VT_EV_OP_FINISH, VT_IN }, { VT_EV_LUO_PRESERVE, VT_OUT } },
	.also = { VT_EV_VFIO_DF_ALLOC, VT_EV_VFIO_GROUP_OPEN, VT_EV_VFIO_OPEN_COMMON, VT_EV_VFIO_LU_OPEN, VT_EV_VFIO_FIND,
		  VT_EV_FILE_SNAP },
	.run = too_early,
};

static const struct vt_telling still_busy[] = {
	{ .kind = VT_FACT_BUSY_AFTER_FINISH, .key = "busy-after-finish", .func = "vfio_device_fops_cdev_open",
	  .title = "the cdev of a finished device still refuses to open",
	  .expected = "after FINISH the device can be opened as any other",
	  .seen = "open fails with -EBUSY after the session was finished",
	  .meaning = "The device cannot be given to anybody again without a reboot.",
	  .ev = { "open fails with -EBUSY", "the session is finished" } },
};

const struct vt_rule vt_rule_busy_after_finish = {
	.id = "busy-after-finish", .name = "device busy after finish", .severity = VT_WARNING, .subject = VT_ABOUT_VFIO, .by_call = VT_LUO_CALLS,
	.needs = { { VT_EV_VFIO_CDEV_OPEN, VT_IN }, { VT_EV_LUO_FINISH, VT_IN } },
	.also = { VT_EV_VFIO_LU_OPEN, VT_EV_VFIO_OPEN_COMMON },
	VT_TELLS(still_busy),
};
