// SPDX-License-Identifier: GPL-2.0
/*
 * The order of things in LUO: kernel/liveupdate/luo_file.c.
 *
 * Old kernel: preserve (freeze (unfreeze)?)* unpreserve?. New kernel: retrieve
 * at most once, can_finish as often as asked, finish once.
 */
#include <inttypes.h>

#include "rules/facts.h"

/* unfreeze is optional: of a handler without one nothing is to be seen, nor of one whose hook came too late. */
static bool never_thaws(const struct vt_side *s, const struct vt_fact *x)
{
	return !vt_side__thaws(s, x->who.compatible) && !vt_side__op_hooked(s, VT_EV_OP_UNFREEZE, x->who.compatible, x->at[0].ts_ns);
}

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
	{ .kind = VT_FACT_UNPRESERVE_FROZEN, .key = "unpreserve-frozen", .func = "luo_file_unpreserve_files", .moot = never_thaws,
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

static const struct vt_telling rollback[] = {
	{ .kind = VT_FACT_NOT_UNFROZEN, .key = "not-unfrozen", .func = "luo_file_freeze", .absence = true, .moot = never_thaws,
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

static const struct vt_telling retrieve_twice[] = {
	{ .kind = VT_FACT_RETRIEVE_TWICE, .key = "retrieve-twice", .func = "luo_retrieve_file",
	  .title = "the handler's retrieve runs twice for one token",
	  .expected = "retrieve runs once: luo_retrieve_file() remembers success and failure alike in retrieve_status",
	  .seen = "a second run of the callback",
	  .meaning = "retrieve consumes the preserved state: the second run reads memory that was given back, and makes a second owner of the device.",
	  .ev = { "second run", "first run" } },
};

const struct vt_rule vt_rule_retrieve_twice = {
	.id = "retrieve-twice", .name = "retrieve ran twice", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.needs = { { VT_EV_OP_RETRIEVE, VT_IN } },
	VT_TELLS(retrieve_twice),
};

static void tell_preserve_twice(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "%s", vt_fact_handler(x));

	if (!f)
		return;
	f->func = "luo_preserve_file";
	vt_text(c, &f->title, "one file is preserved twice");
	vt_text(c, &f->expected, "the second PRESERVE_FD of a preserved file fails with -EBUSY");
	vt_text(c, &f->seen[i], "it succeeded; the file was preserved already as session %s token 0x%" PRIx64,
		x->str[0] ? x->str[0] : "?", (uint64_t)x->num[0]);
	vt_proof(c, f, i, &x->at[1], "first preserve of the file");
	vt_proof(c, f, i, &x->at[0], "second preserve of the same file");
	vt_text(c, &f->meaning, "Both lives end with the handler taking down the same state: freed twice in this kernel, or restored twice in the next.");
}

static const struct vt_telling preserve_twice[] = {
	{ .kind = VT_FACT_PRESERVE_TWICE, .tell = tell_preserve_twice },
};

const struct vt_rule vt_rule_preserve_twice = {
	.id = "preserve-twice", .name = "file preserved twice", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.needs = { { VT_EV_LUO_PRESERVE, VT_OUT }, { VT_EV_OP_UNPRESERVE, VT_OUT } },
	VT_TELLS(preserve_twice),
};

static void tell_flb(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "count|");

	if (!f)
		return;
	vt_text(c, &f->title, "the count of shared data (FLB) does not follow the files");
	vt_text(c, &f->expected, "net change of the FLB count within the call: %+" PRId64, x->num[0]);
	vt_text(c, &f->seen[i], "net change: %+" PRId64, x->num[1]);
	vt_proof(c, f, i, &x->at[0], "the call returns");
	vt_text(c, &f->meaning, "Shared data is freed while files still use it, or kept for ever.");
}

static const char *direction(const struct vt_fact *x)
{
	return x->num[2] == VT_INCOMING ? "incoming" : "outgoing";
}

static void tell_flb_sample(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	bool more = x->num[1] > x->num[0];
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "sample|%s|%s|%s|%s", x->str[0], direction(x), more ? "more" : "less",
				       vt_event_name(x->at[1].type));

	if (!f)
		return;
	f->func = vt_at_func(&x->at[1]);
	vt_text(c, &f->title, "shared data (FLB) %s has an %s count %s than there are files and holders", x->str[0], direction(x), more ? "higher" : "lower");
	vt_text(c, &f->expected, "%" PRId64 ": what the calls seen so far make of it; a call that fails changes nothing", x->num[0]);
	vt_text(c, &f->seen[i], "%" PRId64, x->num[1]);
	vt_proof(c, f, i, &x->at[1], "the call begins");
	vt_proof(c, f, i, &x->at[0], "the count is %" PRId64 " where %" PRId64 " is due", x->num[1], x->num[0]);
	vt_text(c, &f->meaning, more ? "The shared data outlives the last file: it is never taken down, and the next kernel waits for a file that never comes." :
		"The shared data is taken down while files still use it.");
}

static void tell_flb_held(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	bool fails = x->num[1];
	struct vt_finding *f = vt_find_fact(c, i, x, fails ? "held-failing|" : "held|");

	if (!f)
		return;
	vt_text(c, &f->title, "%s %s shared data (FLB) that it %s", f->func, fails ? "fails and keeps hold of" : "ends a file's life and leaves",
		fails ? "had looked at" : "still holds");
	vt_text(c, &f->expected, "as many liveupdate_flb_put_*() as get");
	vt_text(c, &f->seen[i], "%+" PRId64, x->num[0]);
	vt_proof(c, f, i, &x->at[1], "last get or put by the handler");
	vt_proof(c, f, i, &x->at[0], "returns");
	vt_text(c, &f->meaning, x->num[0] > 0 ? "The shared data is never taken down, and its module never let go." : "The shared data is taken down while others use it.");
}

static const char *flb_ender(const struct vt_fact *x)
{
	return x->num[2] == VT_INCOMING ? "luo_flb_file_finish" : "luo_flb_file_unpreserve";
}

static void tell_flb_early(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "early|%s|%s|%s", x->str[0], direction(x), vt_fact_handler(x));

	if (!f)
		return;
	f->func = flb_ender(x);
	vt_text(c, &f->title, "shared data (FLB) %s is taken down while a file depends on it", x->str[0]);
	vt_text(c, &f->expected, "the %s count comes to 0 with the last file that depends on it", direction(x));
	vt_text(c, &f->seen[i], "the count is 0 and this file's life goes on");
	vt_proof(c, f, i, &x->at[1], "the file's life begins");
	vt_proof(c, f, i, &x->at[0], "the count is 0");
	vt_text(c, &f->meaning, "The file's own end works on shared data that is gone.");
}

static void tell_flb_broken(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "broken|%s", x->str[0]);

	if (!f)
		return;
	f->func = vt_at_func(&x->at[0]);
	vt_text(c, &f->title, "the count of shared data (FLB) %s went below zero", x->str[0]);
	vt_text(c, &f->expected, "one put per file and per get");
	vt_text(c, &f->seen[i], "%" PRId64 ": saturated, it never changes again", x->num[0]);
	vt_proof(c, f, i, &x->at[0], "leaves it like this");
	vt_text(c, &f->meaning, "The shared data is never taken down, and the kernel has warned of a reference count underflow.");
}

static const struct vt_telling flb[] = {
	{ .kind = VT_FACT_FLB_COUNT, .absence = true, .to_end = true, .tell = tell_flb_sample },
	{ .kind = VT_FACT_FLB_HELD, .absence = true, .tell = tell_flb_held },
	{ .kind = VT_FACT_FLB_EARLY, .absence = true, .tell = tell_flb_early },
	{ .kind = VT_FACT_FLB_BROKEN, .tell = tell_flb_broken },
	{ .kind = VT_FACT_FLB_ORDER, .key = "flb-finish-early", .func = "luo_flb_file_finish", .absence = true,
	  .title = "shared data (FLB) is finished before the file that uses it",
	  .expected = "ops->finish first, then luo_flb_file_finish() for the same file",
	  .seen = "more FLB finishes than files finished so far",
	  .meaning = "The last file's finish works on shared data that is gone.",
	  .ev = { "FLB finish" } },
	{ .kind = VT_FACT_FLB, .absence = true, .tell = tell_flb },
};

const struct vt_rule vt_rule_flb_count = {
	.id = "flb-count", .name = "FLB count off", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS, .lasts = true, .sums = true,
	.needs = { { VT_EV_FLB_PRESERVE, VT_OUT }, { VT_EV_FLB_UNPRESERVE, VT_OUT }, { VT_EV_FLB_FINISH, VT_IN },
		   { VT_EV_OP_UNPRESERVE, VT_OUT }, { VT_EV_OP_FINISH, VT_IN }, { VT_EV_FLB_GET, VT_ANY }, { VT_EV_FLB_PUT, VT_ANY },
		   { VT_EV_FLB_STATE, VT_ANY } },
	VT_TELLS(flb),
};

/* ---- struct file ---- */

static void tell_ref(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "%s|%s|%s", x->str[0], x->num[1] > x->num[0] ? "more" : "less",
				       vt_fact_handler(x));

	if (!f)
		return;
	f->func = vt_at_func(&x->at[0]);
	if (x->num[1] > x->num[0]) {
		vt_text(c, &f->title, "%s leaves %" PRId64 " reference%s too many on the file", x->str[0], x->num[1] - x->num[0],
			x->num[1] - x->num[0] == 1 ? "" : "s");
		vt_text(c, &f->meaning, "The file is never released: its device stays open and cannot be unbound or given to anybody else.");
	} else {
		vt_text(c, &f->title, "the file has %" PRId64 " reference%s at %s, fewer than its holders", x->num[1], x->num[1] == 1 ? "" : "s", x->str[0]);
		vt_text(c, &f->meaning, "The file is freed while somebody still uses it.");
	}
	vt_text(c, &f->expected, "%s%" PRId64 " reference%s at %s (%s)", x->num[2] ? "exactly " : "at least ", x->num[0], x->num[0] == 1 ? "" : "s", x->str[0],
		x->num[0] == 2 ? "LUO and the new fd" : x->num[2] ? "the caller of the callback" : "LUO");
	vt_text(c, &f->seen[i], "%" PRId64 " reference%s", x->num[1], x->num[1] == 1 ? "" : "s");
	vt_proof(c, f, i, &x->at[0], "struct file has %" PRId64 " reference%s", x->num[1], x->num[1] == 1 ? "" : "s");
}

static void tell_kept(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	bool fails = x->at[0].type == VT_EV_LUO_PRESERVE;
	const char *func = fails ? "luo_preserve_file" : x->num[2] ? "luo_file_finish" : "luo_file_unpreserve_files";
	struct vt_finding *f = c->cut[i] ? NULL : vt_find(c, VT_ERROR, i, &x->who, "kept|%s|%s", func, vt_fact_handler(x));

	if (!f)
		return;
	f->func = func;
	vt_text(c, &f->title, fails ? "a preserve that fails keeps a reference of the file" : "LUO is done with a file and keeps a reference of it");
	vt_text(c, &f->expected, "%" PRId64 " reference%s: those of others", x->num[0], x->num[0] == 1 ? "" : "s");
	vt_text(c, &f->seen[i], "%" PRId64 ", and the file is not released until the trace ends", x->num[1]);
	vt_proof(c, f, i, &x->at[1], "the file has LUO's reference");
	vt_proof(c, f, i, &x->at[0], "%" PRId64 " reference%s %s left", x->num[1], x->num[1] == 1 ? "" : "s", x->num[1] == 1 ? "is" : "are");
	vt_text(c, &f->meaning, "The file is never released: its device stays open and cannot be unbound or given to anybody else.");
}

static void tell_taken(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "taken|");

	if (!f)
		return;
	vt_text(c, &f->title, "%s puts a reference of the file that is not the handler's", f->func);
	vt_text(c, &f->expected, "%" PRId64 " reference%s on return: LUO puts its own afterwards", x->num[0], x->num[0] == 1 ? "" : "s");
	vt_text(c, &f->seen[i], "%" PRId64, x->num[1]);
	vt_proof(c, f, i, &x->at[1], "begins");
	vt_proof(c, f, i, &x->at[0], "returns with %" PRId64 " reference%s on the file", x->num[1], x->num[1] == 1 ? "" : "s");
	vt_text(c, &f->meaning, "With LUO's own put there is one too many: the file is freed while somebody still uses it.");
}

static const struct vt_telling file_ref[] = {
	{ .kind = VT_FACT_FILE_RELEASED, .key = "released-early", .func = "__fput",
	  .title = "a file is released while LUO holds it",
	  .expected = "LUO's reference keeps the file from preserve to unpreserve or the jump, and from retrieve to finish",
	  .seen = "the last reference went while the file was in LUO's hands",
	  .meaning = "LUO and the handler go on with a freed struct file.",
	  .ev = { "the file is released", "LUO takes hold of it" } },
	{ .kind = VT_FACT_FILE_REF, .tell = tell_ref },
	{ .kind = VT_FACT_FILE_KEPT, .absence = true, .to_end = true, .tell = tell_kept },
	{ .kind = VT_FACT_FILE_TAKEN, .absence = true, .to_end = true, .tell = tell_taken },
};

const struct vt_rule vt_rule_file_ref = {
	.id = "file-ref", .name = "file references off", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS, .lasts = true,
	.needs = { { VT_EV_LUO_PRESERVE, VT_OUT }, { VT_EV_LUO_RETRIEVE, VT_IN }, { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_OP_FINISH, VT_IN },
		   { VT_EV_OP_PRESERVE, VT_OUT }, { VT_EV_OP_UNPRESERVE, VT_OUT },
		   { VT_EV_FILE_FPUT, VT_ANY }, { VT_EV_FILE_SNAP, VT_ANY } },
	.also = { VT_EV_FILE_LET_GO, VT_EV_OP_CAN_PRESERVE },
	VT_TELLS(file_ref),
};

static void file_leak(struct vt_ctx *c)
{
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		for (size_t k = 0; k < s->nr_orphans && !c->cut[i]; k++) {
			const struct vt_file *o = s->orphans[k];
			struct vt_who who = o->who;
			struct vt_finding *f;

			if (!vt_clear(c, i, o->made.ts_ns, UINT64_MAX))
				continue;
			if (!who.bdf)
				who.bdf = o->bdf;
			f = vt_find(c, VT_ERROR, i, &who, "%s|%s", o->name ? o->name : "", vt_event_name(o->failed.type));
			if (!f)
				continue;
			f->func = vt_at_func(&o->failed);
			vt_text(c, &f->title, "a file made by a failing %s is never released", vt_at_func(&o->failed));
			vt_text(c, &f->expected, "the error path puts the file it made");
			vt_text(c, &f->seen[i], "\"%s\" was made, the call failed, and no __fput() of it follows", o->name ? o->name : "?");
			vt_proof(c, f, i, &o->made, "makes the file \"%s\"", o->name ? o->name : "?");
			vt_proof(c, f, i, &o->failed, "fails; nobody has the file");
			vt_text(c, &f->meaning, "A struct file, and what it holds, is lost each time; a vfio file keeps its device open.");
		}
	}
}

const struct vt_rule vt_rule_file_leak = {
	.id = "file-leak", .name = "file of a failed call never released", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.by_call = VT_ALL_CALLS, .lasts = true,
	.needs = { { VT_EV_FILE_ANON, VT_IN }, { VT_EV_FILE_FPUT, VT_IN } },
	.run = file_leak,
};
