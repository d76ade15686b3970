// SPDX-License-Identifier: GPL-2.0
/*
 * The order of things in LUO: kernel/liveupdate/luo_file.c.
 *
 * Old kernel: preserve (freeze (unfreeze)?)* unpreserve?. New kernel: retrieve
 * at most once, can_finish as often as asked, finish once.
 */
#include <inttypes.h>

#include "rules/facts.h"

#define NR(t) (sizeof(t) / sizeof((t)[0]))

static void order(struct vt_ctx *c)
{
	static const struct vt_telling t[] = {
		{ VT_FACT_FREEZE_TWICE, "freeze-twice", VT_ERROR, false, "luo_file_freeze",
		  "a frozen file is frozen again", "freeze, then unfreeze before the next freeze", "freeze ran again on a file that was frozen",
		  "The handler's callback runs on state it does not expect; what it saves may be wrong.",
		  { "second freeze", "first freeze", NULL } },
		{ VT_FACT_UNFREEZE_UNFROZEN, "unfreeze-unfrozen", VT_ERROR, false, "luo_file_unfreeze",
		  "a file is unfrozen that was not frozen", "unfreeze only after a freeze that worked", "unfreeze ran on a file that was not frozen",
		  "The handler undoes what it never did: a running device may be reconfigured.",
		  { "unfreeze", "last freeze", NULL } },
		{ VT_FACT_UNPRESERVE_FROZEN, "unpreserve-frozen", VT_ERROR, false, "luo_file_unpreserve_files",
		  "a file is unpreserved while it is frozen", "unfreeze before unpreserve", "unpreserve ran on a frozen file",
		  "What freeze stopped is never started again.",
		  { "unpreserve", "freeze", NULL } },
		{ VT_FACT_UNPRESERVE_INCOMING, "unpreserve-incoming", VT_ERROR, false, "luo_file_unpreserve_files",
		  "unpreserve runs on a file that came from the old kernel", "incoming files are finished, never unpreserved", "unpreserve ran on an incoming file",
		  "The handler frees memory as its own that KHO still holds.",
		  { "unpreserve", NULL, NULL } },
		{ VT_FACT_FINISH_TWICE, "finish-twice", VT_ERROR, false, "luo_file_finish",
		  "finish runs twice for one file", "finish runs once per file", "finish ran a second time",
		  "Preserved memory is restored and freed twice: corruption.",
		  { "second finish", "first finish", NULL } },
		{ VT_FACT_FINISH_REFUSED, "finish-refused", VT_ERROR, false, "luo_file_finish",
		  "finish runs although the handler's can_finish said no", "no finish before every can_finish agreed", "finish ran after can_finish returned 0",
		  "State that the handler still needs is given up.",
		  { "finish", "can_finish says no", NULL } },
		{ VT_FACT_OP_AFTER_END, "callback-after-end", VT_ERROR, false, NULL,
		  "a callback runs on a file whose life with LUO is over", "nothing after unpreserve or finish", "a callback ran after the end",
		  "The handler works on freed state.",
		  { "late callback", "the end", NULL } },
		{ VT_FACT_RETRIEVE_OUTGOING, "retrieve-outgoing", VT_ERROR, false, "luo_retrieve_file",
		  "a file of an outgoing session is retrieved", "RETRIEVE_FD is refused on an outgoing session", "luo_retrieve_file() was entered for a file that this very kernel preserved",
		  "retrieve consumes state that is to go to the next kernel.",
		  { "retrieve", "preserved by this kernel", NULL } },
		{ VT_FACT_NOT_UNPRESERVED, "not-unpreserved", VT_ERROR, true, "luo_file_unpreserve_files",
		  "a session is taken back and one of its files is not", "every file of the session gets its unpreserve", "luo_file_unpreserve_files() returned, unpreserve never ran",
		  "The file, its module and its memory stay pinned for ever.",
		  { "the session is done with", "preserved", NULL } },
		{ VT_FACT_NOT_FINISHED, "not-finished", VT_ERROR, true, "luo_file_finish",
		  "a session is finished and one of its files is not", "every file of the session gets its finish", "luo_file_finish() returned 0, finish never ran",
		  "What the old kernel preserved for the file is never freed.",
		  { "the session is done with", "retrieved", NULL } },
	};

	vt_tell_facts(c, t, NR(t));
}

const struct vt_rule vt_rule_lifecycle_order = {
	.id = "lifecycle-order", .name = "callbacks out of order", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.needs = { { VT_EV_OP_PRESERVE, VT_OUT }, { VT_EV_OP_UNPRESERVE, VT_OUT }, { VT_EV_OP_FREEZE, VT_OUT },
		   { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_OP_CAN_FINISH, VT_IN }, { VT_EV_OP_FINISH, VT_IN } },
	.run = order,
};

static void rollback(struct vt_ctx *c)
{
	static const struct vt_telling t[] = {
		{ VT_FACT_NOT_UNFROZEN, "not-unfrozen", VT_ERROR, true, "luo_file_freeze",
		  "an aborted live update leaves a file frozen", "every file that was frozen before the failure gets its unfreeze",
		  "the freeze was aborted, unfreeze never ran for this file",
		  "The old kernel lives on with a device that was stopped for the jump.",
		  { "the update is aborted", "frozen", NULL } },
	};

	vt_tell_facts(c, t, NR(t));
}

const struct vt_rule vt_rule_freeze_rollback = {
	.id = "freeze-rollback", .name = "left frozen by an aborted update", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.needs = { { VT_EV_OP_FREEZE, VT_OUT }, { VT_EV_OP_UNFREEZE, VT_OUT }, { VT_EV_LUO_FREEZE, VT_OUT } },
	.run = rollback,
};

static void retrieve_twice(struct vt_ctx *c)
{
	static const struct vt_telling t[] = {
		{ VT_FACT_RETRIEVE_TWICE, "retrieve-twice", VT_ERROR, false, "luo_retrieve_file",
		  "the handler's retrieve runs twice for one token",
		  "retrieve runs once: luo_retrieve_file() remembers success and failure alike in retrieve_status",
		  "a second run of the callback",
		  "retrieve consumes the preserved state: the second run reads memory that was given back, and makes a second owner of the device.",
		  { "second run", "first run", NULL } },
	};

	vt_tell_facts(c, t, NR(t));
}

const struct vt_rule vt_rule_retrieve_twice = {
	.id = "retrieve-twice", .name = "retrieve ran twice", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.needs = { { VT_EV_OP_RETRIEVE, VT_IN } },
	.run = retrieve_twice,
};

static void preserve_twice(struct vt_ctx *c)
{
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		for (size_t k = 0; k < s->nr_facts; k++) {
			const struct vt_fact *x = &s->facts[k];
			struct vt_finding *f;

			if (x->kind != VT_FACT_PRESERVE_TWICE)
				continue;
			f = vt_find(c, VT_ERROR, i, &x->who, "%s", x->who.compatible ? x->who.compatible : "");
			if (!f)
				continue;
			f->func = "luo_preserve_file";
			vt_text(c, &f->title, "one file is preserved twice");
			vt_text(c, &f->expected, "the second PRESERVE_FD of a preserved file fails with -EBUSY");
			vt_text(c, &f->seen[i], "it succeeded; the file was preserved already as session %s token 0x%" PRIx64,
				x->str[0] ? x->str[0] : "?", (uint64_t)x->num[0]);
			vt_proof(c, f, i, &x->at[1], "first preserve of the file");
			vt_proof(c, f, i, &x->at[0], "second preserve of the same file");
			vt_text(c, &f->meaning, "Both lives end with the handler taking down the same state: freed twice in this kernel, or restored twice in the next.");
		}
	}
}

const struct vt_rule vt_rule_preserve_twice = {
	.id = "preserve-twice", .name = "file preserved twice", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.needs = { { VT_EV_LUO_PRESERVE, VT_OUT }, { VT_EV_OP_UNPRESERVE, VT_OUT } },
	.run = preserve_twice,
};

static void flb(struct vt_ctx *c)
{
	static const struct vt_telling t[] = {
		{ VT_FACT_FLB_ORDER, "flb-finish-early", VT_ERROR, true, "luo_flb_file_finish",
		  "shared data (FLB) is finished before the file that uses it", "ops->finish first, then luo_flb_file_finish() for the same file",
		  "more FLB finishes than files finished so far",
		  "The last file's finish works on shared data that is gone.", { "FLB finish", NULL, NULL } },
	};

	vt_tell_facts(c, t, NR(t));
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		for (size_t k = 0; k < s->nr_facts && !c->blind[i]; k++) {
			const struct vt_fact *x = &s->facts[k];
			struct vt_finding *f;

			if (x->kind != VT_FACT_FLB)
				continue;
			f = vt_find(c, VT_ERROR, i, &x->who, "count|%s|%s", vt_at_func(&x->at[0]), x->who.compatible ? x->who.compatible : "");
			if (!f)
				continue;
			f->func = vt_at_func(&x->at[0]);
			vt_text(c, &f->title, "the count of shared data (FLB) does not follow the files");
			vt_text(c, &f->expected, "net change of the FLB count within the call: %+" PRId64, x->num[0]);
			vt_text(c, &f->seen[i], "net change: %+" PRId64, x->num[1]);
			vt_proof(c, f, i, &x->at[0], "the call returns");
			vt_text(c, &f->meaning, "Shared data is freed while files still use it, or kept for ever.");
		}
	}
}

const struct vt_rule vt_rule_flb_count = {
	.id = "flb-count", .name = "FLB count off", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.needs = { { VT_EV_FLB_PRESERVE, VT_OUT }, { VT_EV_FLB_UNPRESERVE, VT_OUT }, { VT_EV_FLB_FINISH, VT_IN },
		   { VT_EV_OP_UNPRESERVE, VT_OUT }, { VT_EV_OP_FINISH, VT_IN } },
	.run = flb,
};

/* ---- struct file ---- */

static void tell_ref(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "%s|%s|%s", x->str[0], x->num[1] > x->num[0] ? "more" : "less",
				       x->who.compatible ? x->who.compatible : "");

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

static void file_ref(struct vt_ctx *c)
{
	static const struct vt_telling t[] = {
		{ VT_FACT_FILE_RELEASED, "released-early", VT_ERROR, false, "__fput",
		  "a file is released while LUO holds it", "LUO's reference keeps the file from preserve to unpreserve or the jump, and from retrieve to finish",
		  "the last reference went while the file was in LUO's hands",
		  "LUO and the handler go on with a freed struct file.",
		  { "the file is released", "LUO takes hold of it", NULL } },
	};

	vt_tell_facts(c, t, NR(t));
	VT_EACH_SIDE(c, i) {
		for (size_t k = 0; k < c->j->side[i]->nr_facts; k++) {
			if (c->j->side[i]->facts[k].kind == VT_FACT_FILE_REF)
				tell_ref(c, i, &c->j->side[i]->facts[k]);
		}
	}
}

const struct vt_rule vt_rule_file_ref = {
	.id = "file-ref", .name = "file references off", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.needs = { { VT_EV_LUO_PRESERVE, VT_OUT }, { VT_EV_LUO_RETRIEVE, VT_IN }, { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_OP_FINISH, VT_IN },
		   { VT_EV_FILE_FPUT, VT_ANY }, { VT_EV_FILE_SNAP, VT_ANY } },
	.run = file_ref,
};

static void file_leak(struct vt_ctx *c)
{
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		for (size_t k = 0; k < s->nr_orphans && !c->blind[i] && !c->cut[i]; k++) {
			const struct vt_file *o = s->orphans[k];
			struct vt_who who = o->who;
			struct vt_finding *f;

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
	.needs = { { VT_EV_FILE_ANON, VT_IN }, { VT_EV_FILE_FPUT, VT_IN } },
	.run = file_leak,
};
