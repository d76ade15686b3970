// SPDX-License-Identifier: GPL-2.0
/* A vfio device that is unregistered while retrieve is about to open it. */
#include "rules/facts.h"
#include "rules/finding.h"

/* What any run shows. That a driver did go, in the moment between, is the error below. */
static void tell_unpinned(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_WARNING, i, &x->who, "unpinned|%s", x->who.compatible ? x->who.compatible : "");

	if (!f)
		return;
	f->func = "vfio_find_device";
	vt_text(c, &f->title, "nothing keeps the driver of the device that a retrieve has looked up and is about to open");
	vt_text(c, &f->expected, "2 or more: the lookup pins the registration until the open has its own");
	vt_text(c, &f->seen[i], "the registration count is 1, that of the registration itself");
	vt_proof(c, f, i, &x->at[1], "looks the device up");
	vt_proof(c, f, i, &x->at[0], "goes on with it, and the count is 1");
	vt_text(c, &f->meaning, "A reference on the struct device does not stop vfio_unregister_group_dev(): an unbind at the right moment takes the driver "
		"away under the retrieve.");
}

static const struct vt_telling under[] = {
	{ .kind = VT_FACT_LOOKUP_UNPINNED, .tell = tell_unpinned },
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
	.judges = { "lookup", "lookups", .type = { VT_EV_VFIO_FIND } },
	.needs = { { VT_EV_VFIO_FIND, VT_IN }, { VT_EV_VFIO_LU_OPEN, VT_IN }, { VT_EV_VFIO_UNREGISTER, VT_IN }, { VT_EV_OP_RETRIEVE, VT_IN } },
	VT_TELLS(under),
};
