// SPDX-License-Identifier: GPL-2.0
/* The unwind of a failing preserve takes back what it gave, and no more. */
#include <inttypes.h>

#include "rules/facts.h"
#include "rules/finding.h"

static void tell_unbalanced(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "");

	if (!f)
		return;
	vt_text(c, &f->title, "%s takes memory back from KHO that %s", vt_event_name(x->num[1]) + strlen("op."),
		x->num[1] == VT_EV_OP_PRESERVE ? "it did not give" : "no callback of its file has given");
	vt_text(c, &f->expected, x->num[1] == VT_EV_OP_PRESERVE ? "the unwind of a failing preserve undoes what it did, once" :
		"what is taken back is what was given, once");
	vt_text(c, &f->seen[i], "physical 0x%" PRIx64, (uint64_t)x->num[0]);
	vt_proof(c, f, i, &x->at[1], "preserve begins");
	vt_proof(c, f, i, &x->at[0], "unpreserves memory that is not preserved");
	vt_text(c, &f->meaning, "Somebody else's memory is taken out of the handover, or the loop runs off its table.");
}

/* A preserve that was not seen would look like one that was not made. */
static const struct vt_telling unbalanced[] = {
	{ .kind = VT_FACT_KHO_UNPRESERVE_UNKNOWN, .absence = true, .tell = tell_unbalanced },
};

const struct vt_rule vt_rule_kho_unbalanced = {
	.id = "kho-unbalanced", .name = "more unpreserved than preserved", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.by_call = VT_LUO_CALLS,
	.judges = { "block taken back", "blocks taken back", VT_COUNTED(kho_unpreserved) },
	.needs = { { VT_EV_KHO_ALLOC_PRESERVE, VT_OUT }, { VT_EV_KHO_PRESERVE_FOLIO, VT_OUT }, { VT_EV_KHO_PRESERVE_PAGES, VT_OUT }, { VT_EV_KHO_PRESERVE_VMALLOC, VT_OUT },
		   { VT_EV_KHO_UNPRESERVE_FREE, VT_OUT }, { VT_EV_KHO_UNPRESERVE_FOLIO, VT_OUT }, { VT_EV_KHO_UNPRESERVE_PAGES, VT_OUT },
		   { VT_EV_KHO_UNPRESERVE_VMALLOC, VT_OUT } },
	VT_TELLS(unbalanced),
};
