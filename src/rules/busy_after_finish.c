// SPDX-License-Identifier: GPL-2.0
/* The cdev of a preserved device: it can be opened again after FINISH. */
#include "rules/facts.h"
#include "rules/finding.h"

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
	.judges = { "open", "opens", .type = { VT_EV_VFIO_CDEV_OPEN } },
	.needs = { { VT_EV_VFIO_CDEV_OPEN, VT_IN }, { VT_EV_LUO_FINISH, VT_IN } },
	.also = { VT_EV_VFIO_LU_OPEN, VT_EV_VFIO_OPEN_COMMON },
	VT_TELLS(still_busy),
};
