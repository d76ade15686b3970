// SPDX-License-Identifier: GPL-2.0
/* References of struct file: LUO's own, and what callbacks leave or take. */
#include <inttypes.h>

#include "rules/facts.h"
#include "rules/finding.h"

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

static void tell_held(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	const char *func = vt_at_func(&x->at[0]);
	int64_t n = x->num[1] - x->num[0];
	struct vt_finding *f = c->cut[i] ? NULL : vt_find(c, VT_ERROR, i, &x->who, "held|%s|%s", vt_event_name(x->at[0].type), vt_fact_handler(x));

	if (!f)
		return;
	f->func = func;
	if (x->num[2])
		vt_text(c, &f->title, "%s fails and keeps %s of its file", func, n == 1 ? "a reference" : "references");
	else
		vt_text(c, &f->title, "%s ends the file's life with LUO, and %s that the callbacks took %s kept", func,
			n == 1 ? "a reference" : "references", n == 1 ? "is" : "are");
	vt_text(c, &f->expected, x->num[2] ? "%" PRId64 " reference%s, as before: a callback that fails changes nothing" :
		"%" PRId64 " reference%s: what the callbacks of a file's life take, they give back", x->num[0], x->num[0] == 1 ? "" : "s");
	vt_text(c, &f->seen[i], "%" PRId64 " reference%s, and no __fput() of the file later", x->num[1], x->num[1] == 1 ? "" : "s");
	vt_proof(c, f, i, &x->at[1], "begins%s", x->num[2] ? "" : ", the last callback of the file");
	vt_proof(c, f, i, &x->at[0], "returns with %" PRId64 " reference%s where %" PRId64 " %s due", x->num[1], x->num[1] == 1 ? "" : "s",
		 x->num[0], x->num[0] == 1 ? "is" : "are");
	vt_text(c, &f->meaning, "The file is never released: its device stays open and cannot be unbound or given to anybody else.");
}

static void tell_session(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "session|");

	if (!f)
		return;
	vt_text(c, &f->title, "the file of a session has a reference too many before anybody has it");
	vt_text(c, &f->expected, "1 reference: the file was made for this ioctl, whose file descriptor gets it");
	vt_text(c, &f->seen[i], "%" PRId64 " references", x->num[0]);
	vt_proof(c, f, i, &x->at[1], "makes the file");
	vt_proof(c, f, i, &x->at[0], "gives it to user space with %" PRId64 " references", x->num[0]);
	vt_text(c, &f->meaning, "Closing the session never releases it: its files stay in LUO's hands, and the session can be retrieved by nobody else.");
}

static const struct vt_telling file_ref[] = {
	{ .kind = VT_FACT_FILE_RELEASED, .absence = true, .key = "released-early", .func = "__fput",
	  .title = "a file is released while LUO holds it",
	  .expected = "LUO's reference keeps the file from preserve to unpreserve or the jump, and from retrieve to finish",
	  .seen = "the last reference went while the file was in LUO's hands",
	  .meaning = "LUO and the handler go on with a freed struct file.",
	  .ev = { "the file is released", "LUO takes hold of it" } },
	{ .kind = VT_FACT_FILE_REF, .tell = tell_ref },
	{ .kind = VT_FACT_SESSION_FILE, .tell = tell_session },
	{ .kind = VT_FACT_FILE_KEPT, .absence = true, .to_end = true, .tell = tell_kept },
	{ .kind = VT_FACT_FILE_HELD, .absence = true, .to_end = true, .tell = tell_held },
	{ .kind = VT_FACT_FILE_TAKEN, .absence = true, .to_end = true, .tell = tell_taken },
};

const struct vt_rule vt_rule_file_ref = {
	.id = "file-ref", .name = "file references off", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS, .lasts = true,
	.judges = { "sample of a file", "samples of files", .type = { VT_EV_FILE_SNAP, VT_EV_FILE_LET_GO } },
	.needs = { { VT_EV_LUO_PRESERVE, VT_OUT }, { VT_EV_LUO_RETRIEVE, VT_IN }, { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_OP_FINISH, VT_IN }, { VT_EV_LUO_FINISH, VT_IN },
		   { VT_EV_OP_PRESERVE, VT_OUT }, { VT_EV_OP_UNPRESERVE, VT_OUT }, { VT_EV_OP_FREEZE, VT_OUT },
		   { VT_EV_FILE_FPUT, VT_ANY }, { VT_EV_FILE_SNAP, VT_ANY }, { VT_EV_SESSION_RELEASE, VT_ANY } },
	.also = { VT_EV_FILE_LET_GO, VT_EV_OP_CAN_PRESERVE, VT_EV_FD_INSTALL, VT_EV_FILE_ANON },
	VT_TELLS(file_ref),
};
