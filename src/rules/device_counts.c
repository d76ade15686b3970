// SPDX-License-Identifier: GPL-2.0
/* The two counts of a vfio device: its registration, and the kref of its struct device (drivers/vfio). */
#include <inttypes.h>

#include "rules/facts.h"
#include "rules/finding.h"

static const char *amount(int64_t want, int64_t seen)
{
	return seen - want == 1 || want - seen == 1 ? "one" : "several";
}

/* The calls between the last count that was right and the first that is not: one of them did it, or the callback that has just returned. */
static void tell_calls(struct vt_ctx *c, struct vt_finding *f, size_t i, const struct vt_fact *x)
{
	char err[32];

	for (int k = 2; k < VT_FACT_ATS; k++) {
		const struct vt_at *call = &x->at[k];

		if (!call->type || call->index == x->at[0].index)
			continue;
		if (call->type == VT_EV_VFIO_FIND)
			vt_proof(c, f, i, call, "looks the device up, and returns with it one higher");
		else if (call->has_ret && call->ret < 0)
			vt_proof(c, f, i, call, "happens in between, with %s", vt_errno_str(call->ret, err, sizeof(err)));
		else
			vt_proof(c, f, i, call, "happens in between");
	}
}

static void tell_count(struct vt_ctx *c, size_t i, const struct vt_fact *x, bool reg)
{
	const struct vt_at *lookup = &x->at[3], *call = x->num[2] == 1 ? &x->at[2] : &x->at[0];
	bool over = x->num[1] > x->num[0], several = x->num[2] > 1, fails = x->num[2] == 1 && call->has_ret && call->ret < 0;
	const char *count = reg ? "the device's registration count" : "the reference count of the vfio struct device";
	struct vt_finding *f;

	f = vt_find(c, reg ? VT_ERROR : VT_WARNING, i, &x->who, "%s|%s|%s", over ? "more" : "less",
		    several ? "several" : vt_event_name(call->type), fails ? "failing" : "");
	if (!f)
		return;
	f->func = several || !*call->func ? NULL : call->func;
	if (!several && !f->func)
		vt_text(c, &f->title, "%s is %s too %s, and no call is known since it was right", count, amount(x->num[0], x->num[1]), over ? "high" : "low");
	else if (!reg && over && !several && lookup->type == VT_EV_VFIO_FIND)
		vt_text(c, &f->title, "the reference of the vfio struct device that %s takes within %s is not given back", lookup->func, f->func);
	else if (several)
		vt_text(c, &f->title, "one of %" PRId64 " calls leaves %s %s too %s; the trace does not tell which", x->num[2], count,
			amount(x->num[0], x->num[1]), over ? "high" : "low");
	else
		vt_text(c, &f->title, "%s %s %s %s too %s", f->func, fails ? "fails and leaves" : "leaves", count, amount(x->num[0], x->num[1]), over ? "high" : "low");
	if (reg)
		vt_text(c, &f->expected, "%" PRId64 ": one while registered and one per open device file; a call that fails changes nothing", x->num[0]);
	else
		vt_text(c, &f->expected, "%" PRId64 ": a lookup gives back the reference it takes", x->num[0]);
	vt_text(c, &f->seen[i], "%" PRId64, x->num[1]);
	if (reg)
		vt_proof(c, f, i, &x->at[1], x->at[1].type == VT_EV_VFIO_FIND ? "looks the device up" : "the count is as it should be");
	else
		vt_proof(c, f, i, &x->at[1], "the kref is %" PRId64 " here", x->num[0]);
	tell_calls(c, f, i, x);
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
	.judges = { "call", "calls", .type = { VT_EV_VFIO_CDEV_OPEN, VT_EV_VFIO_LU_OPEN, VT_EV_VFIO_GROUP_OPEN, VT_EV_VFIO_FIND, VT_EV_VFIO_RELEASE, VT_EV_VFIO_UNREGISTER } },
	.needs = { { VT_EV_VFIO_CDEV_OPEN, VT_ANY }, { VT_EV_VFIO_RELEASE, VT_ANY }, { VT_EV_VFIO_LU_OPEN, VT_IN }, { VT_EV_VFIO_UNREGISTER, VT_ANY },
		   { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_VFIO_FIND, VT_IN } },
	.also = { VT_EV_FILE_SNAP },
	VT_TELLS(counts_of_registration),
	.run = unverified,
};

const struct vt_rule vt_rule_device_kref = {
	.id = "device-kref", .name = "struct device reference off", .severity = VT_WARNING, .subject = VT_ABOUT_VFIO,
	.by_call = VT_ALL_CALLS, .lasts = true, .sums = true,
	.judges = { "call", "calls", .type = { VT_EV_VFIO_CDEV_OPEN, VT_EV_VFIO_FIND, VT_EV_VFIO_RELEASE } },
	.needs = { { VT_EV_VFIO_CDEV_OPEN, VT_ANY }, { VT_EV_VFIO_RELEASE, VT_ANY }, { VT_EV_VFIO_FIND, VT_IN } },
	.also = { VT_EV_VFIO_DEVICE },
	VT_TELLS(counts_of_kref),
};
