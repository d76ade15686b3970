// SPDX-License-Identifier: GPL-2.0
/* A block of memory that was given to KHO has one owner until it is taken back. */
#include <inttypes.h>

#include "rules/cover.h"
#include "rules/facts.h"
#include "rules/finding.h"

static void tell_shared(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, x->num[2] ? "files|" : "nobody|");
	const char *kind = vt_kho_kind_name(x->num[1]);

	if (!f)
		return;
	if (x->num[2])
		vt_text(c, &f->title, "two files preserve the same memory");
	else
		vt_text(c, &f->title, "memory is preserved that was preserved before and never taken back");
	vt_text(c, &f->expected, "a block has one owner, who takes it back, or whose file restores it");
	if (x->num[2])
		vt_text(c, &f->seen[i], "physical 0x%" PRIx64 " (%s) is still preserved for session %s token 0x%" PRIx64, (uint64_t)x->num[0], kind,
			vt_name(x->str[0], "?"), (uint64_t)x->num[3]);
	else
		vt_text(c, &f->seen[i], "physical 0x%" PRIx64 " (%s) is still preserved by another call", (uint64_t)x->num[0], kind);
	vt_proof(c, f, i, &x->at[1], "gives 0x%" PRIx64 " to KHO", (uint64_t)x->num[0]);
	vt_proof(c, f, i, &x->at[0], "gives it again");
	vt_text(c, &f->meaning, x->num[2] ?
		"KHO keeps one bit for the block: the first of them that is unpreserved takes it out for both, and in the next kernel the second restore fails." :
		"Whoever gave it first has freed it without a word to KHO: the next kernel would have kept it reserved for nobody.");
}

/* An unpreserve that was not seen would look like one that was not made. */
static const struct vt_telling shared[] = {
	{ .kind = VT_FACT_KHO_SHARED, .absence = true, .tell = tell_shared },
};

const struct vt_rule vt_rule_kho_shared = {
	.id = "kho-shared", .name = "memory preserved for two", .severity = VT_ERROR, .subject = VT_ABOUT_KHO, .by_call = VT_LUO_CALLS,
	.judges = { "block", "blocks", VT_COUNTED(kho_preserved) },
	.needs = { { VT_EV_KHO_PRESERVE_FOLIO, VT_OUT }, { VT_EV_OP_PRESERVE, VT_OUT }, { VT_EV_OP_FREEZE, VT_OUT }, { VT_EV_KHO_ALLOC_PRESERVE, VT_OUT }, { VT_EV_KHO_PRESERVE_PAGES, VT_OUT },
		   { VT_EV_KHO_PRESERVE_VMALLOC, VT_OUT }, { VT_EV_KHO_UNPRESERVE_FOLIO, VT_OUT }, { VT_EV_KHO_UNPRESERVE_FREE, VT_OUT },
		   { VT_EV_KHO_UNPRESERVE_PAGES, VT_OUT }, { VT_EV_KHO_UNPRESERVE_VMALLOC, VT_OUT } },
	VT_TELLS(shared),
};
