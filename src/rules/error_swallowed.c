// SPDX-License-Identifier: GPL-2.0
/* A callback says that all went well, and something that it needed did not. */
#include "rules/facts.h"
#include "rules/finding.h"

static void tell_swallowed(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	const char *func = vt_at_func(&x->at[0]), *inner = vt_at_func(&x->at[1]);
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "%s|%s|%s", func, vt_event_name(x->at[1].type), vt_fact_handler(x));
	char err[32];

	if (!f)
		return;
	f->func = func;
	vt_text(c, &f->title, "%s returns 0 although %s failed inside of it", func, inner);
	vt_text(c, &f->expected, "a callback that cannot do its work returns an error, and undoes what it did");
	vt_text(c, &f->seen[i], "%s returns %s, is not repeated, and the callback returns 0", inner, vt_errno_str(x->at[1].ret, err, sizeof(err)));
	vt_proof(c, f, i, &x->at[1], "fails with %s", err);
	vt_proof(c, f, i, &x->at[0], "says that all went well");
	vt_text(c, &f->meaning, "The file counts as handed over, and its memory is not: what arrives is not what was there.");
}

/* Another try that worked makes good for it: it would have to be seen. */
static const struct vt_telling error_swallowed[] = {
	{ .kind = VT_FACT_SWALLOWED, .absence = true, .tell = tell_swallowed },
};

const struct vt_rule vt_rule_error_swallowed = {
	.id = "error-swallowed", .name = "a callback swallows an error", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.judges = { "callback", "callbacks", .type = { VT_EV_OP_PRESERVE, VT_EV_OP_FREEZE, VT_EV_OP_RETRIEVE } },
	.needs = { { VT_EV_OP_PRESERVE, VT_OUT }, { VT_EV_OP_FREEZE, VT_OUT }, { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_KHO_ALLOC_PRESERVE, VT_OUT },
		   { VT_EV_KHO_PRESERVE_FOLIO, VT_OUT }, { VT_EV_KHO_PRESERVE_PAGES, VT_OUT }, { VT_EV_KHO_PRESERVE_VMALLOC, VT_OUT },
		   { VT_EV_KHO_RESTORE_VMALLOC, VT_IN } },
	VT_TELLS(error_swallowed),
};
