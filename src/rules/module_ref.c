// SPDX-License-Identifier: GPL-2.0
/* What LUO holds for each file besides the file: its handler's module. */
#include <inttypes.h>

#include "rules/facts.h"
#include "rules/finding.h"

static void tell_module(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	bool more = x->num[1] > x->num[0];
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "call|%s|%s|%s", more ? "more" : "less", vt_at_func(&x->at[0]),
				       x->num[2] ? "failing" : "");

	if (!f)
		return;
	f->func = vt_at_func(&x->at[0]);
	vt_text(c, &f->title, "%s %s %s on the handler's module%s%s", f->func, x->num[2] ? "fails and" : "returns and",
		more ? "leaves a reference too many" : "has put a reference too many", x->str[0] ? " " : "", x->str[0] ? x->str[0] : "");
	vt_text(c, &f->expected, "net %+" PRId64 ": one reference per preserved or arrived file, none for a call that fails", x->num[0]);
	vt_text(c, &f->seen[i], "net %+" PRId64 " by LUO's own try_module_get() and module_put() within the call", x->num[1]);
	vt_proof(c, f, i, &x->at[1], "the last of them");
	vt_proof(c, f, i, &x->at[0], "returns");
	vt_text(c, &f->meaning, more ? "The module can never be unloaded again." : "The module can be unloaded while LUO still calls into it.");
}

static void tell_module_low(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "low|%s", vt_fact_handler(x));

	if (!f)
		return;
	f->func = vt_at_func(&x->at[0]);
	vt_text(c, &f->title, "the handler's module has fewer references than LUO has files of it");
	vt_text(c, &f->expected, "at least %" PRId64 " (struct module.refcnt: 1 while loaded, and 1 per file)", x->num[0]);
	vt_text(c, &f->seen[i], "%" PRId64, x->num[1]);
	vt_proof(c, f, i, &x->at[0], "the count is %" PRId64, x->num[1]);
	vt_text(c, &f->meaning, "The module can be unloaded while LUO still calls into it.");
}

static void tell_owner(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	bool less = x->num[1] < x->num[0];
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "owner|%s|%s", less ? "kept" : "put", x->str[0]);

	if (!f)
		return;
	f->func = vt_at_func(&x->at[0]);
	vt_text(c, &f->title, "%s %s the module%s%s that owns the shared data (FLB) %s", f->func,
		less ? "ends the last use of, and keeps," : x->num[0] ? "puts more than once" : "puts too early", x->str[1] ? " " : "",
		x->str[1] ? x->str[1] : "", x->str[0]);
	vt_text(c, &f->expected, "one try_module_get() when the data come to be, one module_put() when the last file that needs them is done");
	vt_text(c, &f->seen[i], "the count of the data is %s, and module_put() is called %" PRId64 " time%s", x->num[0] ? "0" : "not 0", x->num[1],
		x->num[1] == 1 ? "" : "s");
	if (x->at[1].type)
		vt_proof(c, f, i, &x->at[1], "pins the module");
	vt_proof(c, f, i, &x->at[0], "returns");
	vt_text(c, &f->meaning, less ? "The module can never be unloaded again." : "The module can be unloaded while the data are in use.");
}

static const struct vt_telling module_ref[] = {
	{ .kind = VT_FACT_MODULE_EARLY, .key = "early", .absence = true,
	  .title = "a handler's module is put before the last callback of its file",
	  .expected = "unpreserve or finish, then module_put() for the same file",
	  .seen = "more puts than files that are done with so far, and a callback follows",
	  .meaning = "The module can be unloaded between the two: LUO calls into memory that is gone.",
	  .ev = { "puts the module" } },
	{ .kind = VT_FACT_MODULE_REF, .absence = true, .tell = tell_module },
	{ .kind = VT_FACT_MODULE_LOW, .absence = true, .tell = tell_module_low },
	{ .kind = VT_FACT_FLB_OWNER, .absence = true, .tell = tell_owner },
};

const struct vt_rule vt_rule_module_ref = {
	.id = "module-ref", .name = "handler's module references off", .severity = VT_ERROR, .subject = VT_ABOUT_MODULE,
	.by_call = VT_LUO_CALLS, .sums = true,
	.judges = { "reference taken or put", "references taken or put", .type = { VT_EV_MODULE_GET, VT_EV_MODULE_PUT, VT_EV_FLB_PIN, VT_EV_FLB_UNPIN } },
	.needs = { { VT_EV_MODULE_PUT, VT_ANY }, { VT_EV_MODULE_GET, VT_ANY }, { VT_EV_LUO_PRESERVE, VT_OUT }, { VT_EV_LUO_UNPRESERVE, VT_OUT },
		   { VT_EV_OP_UNPRESERVE, VT_OUT }, { VT_EV_LUO_DESERIALIZE, VT_IN }, { VT_EV_LUO_FILE, VT_IN }, { VT_EV_LUO_FINISH, VT_IN },
		   { VT_EV_OP_FINISH, VT_IN }, { VT_EV_FLB_PIN, VT_ANY }, { VT_EV_FLB_UNPIN, VT_ANY },
		   { VT_EV_FLB_PUT, VT_ANY } },
	VT_TELLS(module_ref),
};
