// SPDX-License-Identifier: GPL-2.0
/* The counts of data that several files share (FLB: kernel/liveupdate/luo_flb.c). */
#include <inttypes.h>

#include "rules/facts.h"
#include "rules/finding.h"

static void tell_flb(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "count|");
	bool more = x->num[1] > x->num[0];

	if (!f)
		return;
	vt_text(c, &f->title, "%s leaves the count of shared data (FLB) %s than its files make it", f->func, more ? "higher" : "lower");
	vt_text(c, &f->expected, "net change of the FLB count within the call: %+" PRId64, x->num[0]);
	vt_text(c, &f->seen[i], "net change: %+" PRId64, x->num[1]);
	vt_proof(c, f, i, &x->at[0], "the call returns");
	vt_text(c, &f->meaning, more ? "The shared data is kept for ever." : "The shared data is freed while files still use it.");
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
	/* Off before the call had changed anything: an earlier one did it. */
	if (!x->num[3])
		f->func = vt_at_func(&x->at[1]);
	vt_text(c, &f->title, "shared data (FLB) %s has an %s count %s than there are files and holders", x->str[0], direction(x), more ? "higher" : "lower");
	vt_text(c, &f->expected, "%" PRId64 ": what the calls seen so far make of it; a call that fails changes nothing", x->num[0]);
	vt_text(c, &f->seen[i], "%" PRId64, x->num[1]);
	vt_proof(c, f, i, &x->at[2], "the count is as it should be");
	vt_proof(c, f, i, &x->at[1], x->num[3] ? "begins, and the count is off already: a call before it did that" : "the call begins");
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
	.judges = { "call", "calls", .type = { VT_EV_FLB_PRESERVE, VT_EV_FLB_UNPRESERVE, VT_EV_FLB_FINISH, VT_EV_FLB_GET, VT_EV_FLB_PUT } },
	.needs = { { VT_EV_FLB_PRESERVE, VT_OUT }, { VT_EV_FLB_UNPRESERVE, VT_OUT }, { VT_EV_FLB_FINISH, VT_IN },
		   { VT_EV_OP_UNPRESERVE, VT_OUT }, { VT_EV_OP_FINISH, VT_IN }, { VT_EV_LUO_FINISH, VT_IN }, { VT_EV_FLB_GET, VT_ANY }, { VT_EV_FLB_PUT, VT_ANY },
		   { VT_EV_FLB_STATE, VT_ANY }, { VT_EV_SESSION_RELEASE, VT_ANY } },
	VT_TELLS(flb),
};
