// SPDX-License-Identifier: GPL-2.0
/* An update that is aborted unfreezes what it froze. */
#include <inttypes.h>

#include "rules/facts.h"
#include "rules/finding.h"

static void tell_kept(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	bool fails = x->at[0].type == VT_EV_OP_FREEZE;
	struct vt_finding *f = vt_find(c, VT_WARNING, i, &x->who, "zapped|%s|%s", fails ? "failing" : "aborted", vt_fact_handler(x));

	if (!f)
		return;
	f->func = vt_at_func(&x->at[2]);
	vt_text(c, &f->title, fails ? "a freeze fails and leaves the BAR mappings of its device zapped" :
		"an aborted live update leaves the BAR mappings of a device zapped, and no unfreeze has run");
	vt_text(c, &f->expected, "what a freeze did is undone when the update is aborted: the file is as it was");
	if (x->num[0] >= 0)
		vt_text(c, &f->seen[i], "%" PRId64 " VMA%s zapped by the freeze, the %" PRId64 ". of this file; nothing undid it", x->num[0], x->num[0] == 1 ? "" : "s", x->num[1]);
	else
		vt_text(c, &f->seen[i], "mappings zapped by the freeze, the %" PRId64 ". of this file; nothing undid it", x->num[1]);
	vt_text(c, &f->meaning, "The old kernel lives on, and its guest with a device that was stopped for the jump: what the freeze disabled stays disabled.");
	vt_proof(c, f, i, &x->at[2], "freezes the file");
	vt_proof(c, f, i, &x->at[1], "zaps the BAR mappings");
	vt_proof(c, f, i, &x->at[0], fails ? "fails" : "the update is aborted");
}

static const struct vt_telling rollback[] = {
	{ .kind = VT_FACT_FREEZE_KEPT, .absence = true, .tell = tell_kept },
	{ .kind = VT_FACT_NOT_UNFROZEN, .key = "not-unfrozen", .func = "luo_file_freeze", .absence = true, .moot = vt_never_thaws,
	  .title = "an aborted live update leaves a file frozen",
	  .expected = "every file that was frozen before the failure gets its unfreeze",
	  .seen = "the freeze was aborted, unfreeze never ran for this file",
	  .meaning = "The old kernel lives on with a device that was stopped for the jump.",
	  .ev = { "the update is aborted", "frozen" } },
};

/* An update fails with a freeze, or later: then there is something to undo. */
static uint64_t failed(const struct vt_side *s)
{
	uint64_t freezes = s->failed_type[VT_EV_LUO_FREEZE];

	return freezes > s->nr_aborts ? freezes : s->nr_aborts;
}

const struct vt_rule vt_rule_freeze_rollback = {
	.id = "freeze-rollback", .name = "left frozen by an aborted update", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.judges = { "freeze or update that failed", "freezes and updates that failed", .of = failed },
	.needs = { { VT_EV_OP_FREEZE, VT_OUT }, { VT_EV_OP_UNFREEZE, VT_OUT }, { VT_EV_LUO_FREEZE, VT_OUT } },
	VT_TELLS(rollback),
};
