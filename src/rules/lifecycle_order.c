// SPDX-License-Identifier: GPL-2.0
/*
 * The order of callbacks in LUO: kernel/liveupdate/luo_file.c.
 *
 * Old kernel: preserve (freeze (unfreeze)?)* unpreserve?. New kernel: retrieve
 * at most once, can_finish as often as asked, finish once.
 */
#include "rules/facts.h"
#include "rules/finding.h"

static const struct vt_telling order[] = {
	{ .kind = VT_FACT_FREEZE_TWICE, .key = "freeze-twice", .func = "luo_file_freeze",
	  .title = "a frozen file is frozen again",
	  .expected = "freeze, then unfreeze before the next freeze",
	  .seen = "freeze ran again on a file that was frozen",
	  .meaning = "The handler's callback runs on state it does not expect; what it saves may be wrong.",
	  .ev = { "second freeze", "first freeze" } },
	{ .kind = VT_FACT_UNFREEZE_UNFROZEN, .key = "unfreeze-unfrozen", .func = "luo_file_unfreeze",
	  .title = "a file is unfrozen that was not frozen",
	  .expected = "unfreeze only after a freeze that worked",
	  .seen = "unfreeze ran on a file that was not frozen",
	  .meaning = "The handler undoes what it never did: a running device may be reconfigured.",
	  .ev = { "unfreeze", "last freeze" } },
	{ .kind = VT_FACT_UNPRESERVE_FROZEN, .key = "unpreserve-frozen", .func = "luo_file_unpreserve_files", .moot = vt_never_thaws,
	  .title = "a file is unpreserved while it is frozen",
	  .expected = "unfreeze before unpreserve",
	  .seen = "unpreserve ran on a frozen file",
	  .meaning = "What freeze stopped is never started again.",
	  .ev = { "unpreserve", "freeze" } },
	{ .kind = VT_FACT_UNPRESERVE_INCOMING, .key = "unpreserve-incoming", .func = "luo_file_unpreserve_files",
	  .title = "unpreserve runs on a file that came from the old kernel",
	  .expected = "incoming files are finished, never unpreserved",
	  .seen = "unpreserve ran on an incoming file",
	  .meaning = "The handler frees memory as its own that KHO still holds.",
	  .ev = { "unpreserve" } },
	{ .kind = VT_FACT_FINISH_TWICE, .key = "finish-twice", .func = "luo_file_finish",
	  .title = "finish runs twice for one file",
	  .expected = "finish runs once per file",
	  .seen = "finish ran a second time",
	  .meaning = "Preserved memory is restored and freed twice: corruption.",
	  .ev = { "second finish", "first finish" } },
	{ .kind = VT_FACT_FINISH_REFUSED, .key = "finish-refused", .func = "luo_file_finish",
	  .title = "finish runs although the handler's can_finish said no",
	  .expected = "no finish before every can_finish agreed",
	  .seen = "finish ran after can_finish returned 0",
	  .meaning = "State that the handler still needs is given up.",
	  .ev = { "finish", "can_finish says no" } },
	{ .kind = VT_FACT_OP_AFTER_END, .key = "callback-after-end",
	  .title = "a callback runs on a file whose life with LUO is over",
	  .expected = "nothing after unpreserve or finish",
	  .seen = "a callback ran after the end",
	  .meaning = "The handler works on freed state.",
	  .ev = { "late callback", "the end" } },
	{ .kind = VT_FACT_RETRIEVE_OUTGOING, .key = "retrieve-outgoing", .func = "luo_retrieve_file",
	  .title = "a file of an outgoing session is retrieved",
	  .expected = "RETRIEVE_FD is refused on an outgoing session",
	  .seen = "luo_retrieve_file() was entered for a file that this very kernel preserved",
	  .meaning = "retrieve consumes state that is to go to the next kernel.",
	  .ev = { "retrieve", "preserved by this kernel" } },
	{ .kind = VT_FACT_NOT_UNPRESERVED, .key = "not-unpreserved", .func = "luo_file_unpreserve_files", .absence = true,
	  .title = "a session is taken back and one of its files is not",
	  .expected = "every file of the session gets its unpreserve",
	  .seen = "luo_file_unpreserve_files() returned, unpreserve never ran",
	  .meaning = "The file, its module and its memory stay pinned for ever.",
	  .ev = { "the session is done with", "preserved" } },
	{ .kind = VT_FACT_NOT_FINISHED, .key = "not-finished", .func = "luo_file_finish", .absence = true,
	  .title = "a session is finished and one of its files is not",
	  .expected = "every file of the session gets its finish",
	  .seen = "luo_file_finish() returned 0, finish never ran",
	  .meaning = "What the old kernel preserved for the file is never freed.",
	  .ev = { "the session is done with", "retrieved" } },
};

const struct vt_rule vt_rule_lifecycle_order = {
	.id = "lifecycle-order", .name = "callbacks out of order", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.needs = { { VT_EV_OP_PRESERVE, VT_OUT }, { VT_EV_OP_UNPRESERVE, VT_OUT }, { VT_EV_OP_FREEZE, VT_OUT },
		   { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_OP_CAN_FINISH, VT_IN }, { VT_EV_OP_FINISH, VT_IN } },
	VT_TELLS(order),
};
