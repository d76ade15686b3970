// SPDX-License-Identifier: GPL-2.0
/* A file has one life with LUO at a time. */
#include <inttypes.h>

#include "rules/facts.h"
#include "rules/finding.h"

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
	.judges = { "preserve", "preserves", .type = { VT_EV_LUO_PRESERVE } },
	.needs = { { VT_EV_LUO_PRESERVE, VT_OUT }, { VT_EV_OP_UNPRESERVE, VT_OUT } },
	VT_TELLS(preserve_twice),
};
