// SPDX-License-Identifier: GPL-2.0
/* An update that is aborted unfreezes what it froze. */
#include "rules/facts.h"
#include "rules/finding.h"

static const struct vt_telling rollback[] = {
	{ .kind = VT_FACT_NOT_UNFROZEN, .key = "not-unfrozen", .func = "luo_file_freeze", .absence = true, .moot = vt_never_thaws,
	  .title = "an aborted live update leaves a file frozen",
	  .expected = "every file that was frozen before the failure gets its unfreeze",
	  .seen = "the freeze was aborted, unfreeze never ran for this file",
	  .meaning = "The old kernel lives on with a device that was stopped for the jump.",
	  .ev = { "the update is aborted", "frozen" } },
};

const struct vt_rule vt_rule_freeze_rollback = {
	.id = "freeze-rollback", .name = "left frozen by an aborted update", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.needs = { { VT_EV_OP_FREEZE, VT_OUT }, { VT_EV_OP_UNFREEZE, VT_OUT }, { VT_EV_LUO_FREEZE, VT_OUT } },
	VT_TELLS(rollback),
};
