// SPDX-License-Identifier: GPL-2.0
/* Preserved memory has one new owner. */
#include <inttypes.h>

#include "rules/facts.h"
#include "rules/finding.h"

static void tell_restore_twice(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "");

	if (!f)
		return;
	vt_text(c, &f->title, "preserved memory is restored twice");
	vt_text(c, &f->expected, "one restore per physical address");
	vt_text(c, &f->seen[i], "physical 0x%" PRIx64, (uint64_t)x->num[0]);
	vt_proof(c, f, i, &x->at[1], "first restore");
	vt_proof(c, f, i, &x->at[0], "second restore of the same address");
	vt_text(c, &f->meaning, "The first owner may have freed the page: the second one takes memory that belongs to somebody else.");
}

static const struct vt_telling restore_twice[] = {
	/* Between the two this kernel may have freed it, and given it to KHO again. */
	{ .kind = VT_FACT_KHO_TWICE, .absence = true, .tell = tell_restore_twice },
};

const struct vt_rule vt_rule_kho_restore_twice = {
	.id = "kho-restore-twice", .name = "memory restored twice", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.judges = { "restored block", "restored blocks", VT_COUNTED(kho_restored) },
	.needs = { { VT_EV_KHO_RESTORE_FREE, VT_IN }, { VT_EV_KHO_RESTORE_FOLIO, VT_IN }, { VT_EV_KHO_RESTORE_PAGES, VT_IN },
		   { VT_EV_KHO_RESTORE_VMALLOC, VT_IN }, { VT_EV_KHO_ALLOC_PRESERVE, VT_OUT }, { VT_EV_KHO_PRESERVE_FOLIO, VT_OUT },
		   { VT_EV_KHO_PRESERVE_PAGES, VT_OUT }, { VT_EV_KHO_PRESERVE_VMALLOC, VT_OUT } },
	VT_TELLS(restore_twice),
};
