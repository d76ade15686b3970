// SPDX-License-Identifier: GPL-2.0
/* A vfio device that is unregistered while retrieve is about to open it. */
#include "rules/facts.h"
#include "rules/finding.h"

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
