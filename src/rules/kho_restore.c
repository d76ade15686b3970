// SPDX-License-Identifier: GPL-2.0
/* What a file takes out of KHO is what was given for it, as what it was given. */
#include <inttypes.h>
#include <string.h>

#include "rules/cover.h"
#include "rules/crossing.h"
#include "rules/facts.h"
#include "rules/finding.h"
#include "rules/reach.h"

static void tell_refused(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "refused|");

	if (!f)
		return;
	vt_text(c, &f->title, "%s() finds nothing preserved where it is told to", vt_kho_restorer(x->num[2]));
	vt_text(c, &f->expected, "every restore asks for a block that the old kernel preserved, by its first page, once");
	if (x->num[1] > 1)
		vt_text(c, &f->seen[i], "%" PRId64 " pages at physical 0x%" PRIx64 ": NULL", x->num[1], (uint64_t)x->num[0]);
	else
		vt_text(c, &f->seen[i], "physical 0x%" PRIx64 ": NULL", (uint64_t)x->num[0]);
	vt_proof(c, f, i, &x->at[0], "asks for 0x%" PRIx64 " and gets NULL", (uint64_t)x->num[0]);
	vt_text(c, &f->meaning, "Memory that the handler counts on is not there: what it held, such as a guest's memory, is lost.");
}

static void tell_large(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "large|");

	if (!f)
		return;
	f->func = vt_at_func(&x->at[1]);
	vt_text(c, &f->title, "a folio of %" PRIu64 " pages goes into the page cache of a kernel that holds single pages only", (uint64_t)1 << x->num[1]);
	vt_text(c, &f->expected, "retrieve splits it or fails: this kernel was built without CONFIG_XARRAY_MULTI");
	vt_text(c, &f->seen[i], "physical 0x%" PRIx64 " of order %" PRId64 " is restored, and the retrieve succeeds", (uint64_t)x->num[0], x->num[1]);
	vt_proof(c, f, i, &x->at[0], "restores 0x%" PRIx64, (uint64_t)x->num[0]);
	vt_proof(c, f, i, &x->at[1], "has put it into the file");
	vt_text(c, &f->meaning, "Where the folio's further pages are looked up the kernel finds what it takes for a pointer: an access to them, or at the latest "
		"the last close of the file, is an oops.");
}

/* Who else restores folios need not put them into a page cache. */
static bool not_cached(const struct vt_side *s, const struct vt_fact *x)
{
	(void)s;
	return strncmp(vt_fact_handler(x), "memfd", 5);
}

static const struct vt_telling told[] = {
	{ .kind = VT_FACT_KHO_REFUSED, .absence = true, .tell = tell_refused },
	{ .kind = VT_FACT_KHO_LARGE, .moot = not_cached, .tell = tell_large },
};

/* The block of PRE that begins at PHYS. */
static const struct vt_kho *given(const struct vt_side *pre, uint64_t phys)
{
	size_t low = 0, high = pre->nr_kho;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (pre->kho[mid]->phys < phys)
			low = mid + 1;
		else
			high = mid;
	}
	return low < pre->nr_kho && pre->kho[low]->phys == phys ? pre->kho[low] : NULL;
}

/* A handle is one file's own. Other memory of one handler its files may hand down to each other. */
static void another_s(struct vt_ctx *c, const struct vt_restored *r, const struct vt_kho *k)
{
	const struct vt_life *out = k->life, *in = r->has_token ? vt_side__life(c->j->side[1], VT_INCOMING, vt_name(r->session, ""), r->token) : NULL;
	struct vt_who who = vt_who_of(out);
	struct vt_finding *f;

	/* One that was given the other's handle does what it is told: the rule identity tells. */
	if (!in || (in->has_data && in->data == k->phys) || !vt_crossed(c->j, out) || (out->token == r->token && vt_same_name(out->session->name, r->session)) ||
	    !out->has_data || out->data != k->phys || vt_life_torn(c, 0, out) || !vt_clear(c, 0, k->at.ts_ns, UINT64_MAX))
		return;
	f = vt_find(c, VT_ERROR, 1, &who, "another|%s|%s", vt_at_func(&r->at), out->compatible ? out->compatible : "");
	if (!f)
		return;
	f->func = vt_at_func(&r->at);
	vt_text(c, &f->title, "a file takes memory out of KHO that was preserved for another one");
	vt_text(c, &f->expected, "physical 0x%" PRIx64 " is the handle of session %s token 0x%" PRIx64 ": its own callbacks restore it", k->phys,
		out->session->name, out->token);
	vt_text(c, &f->seen[0], "preserved for session %s token 0x%" PRIx64, out->session->name, out->token);
	vt_text(c, &f->seen[1], "restored for session %s token 0x%" PRIx64, vt_name(r->session, "?"), r->token);
	vt_proof(c, f, 0, &k->at, "gives 0x%" PRIx64 " to KHO", k->phys);
	vt_proof(c, f, 1, &r->at, "restores it for the other file");
	vt_text(c, &f->meaning, "The other file finds its state gone, or works on memory that this one frees.");
}

/* All of it came back, and as something else. What is missing besides, the rule kho-leak tells. */
static void another_kind(struct vt_ctx *c, const struct vt_kho *k)
{
	struct vt_cover v = vt_cover(c->j->side[1], k);
	struct vt_who who = k->life ? vt_who_of(k->life) : (struct vt_who){ .session = k->session ? k->session->name : NULL };
	struct vt_finding *f;

	if (!v.other_kind || !v.all || !vt_clear(c, 0, k->at.ts_ns, UINT64_MAX))
		return;
	f = vt_find(c, VT_ERROR, 1, &who, "kind|%s|%s", vt_at_func(&k->at), vt_at_func(&v.first->at));
	if (!f)
		return;
	f->func = vt_at_func(&v.first->at);
	vt_text(c, &f->title, "memory that was preserved as %s is restored as %s", k->kind == VT_KHO_PAGES ? "single pages" : vt_kho_kind_name(k->kind),
		vt_kho_kind_name(v.first->how));
	vt_text(c, &f->expected, "restored by %s()", vt_kho_restorer(k->kind));
	vt_text(c, &f->seen[0], "physical 0x%" PRIx64 ", %" PRIu64 " pages, as %s", k->phys, k->pages, vt_kho_kind_name(k->kind));
	vt_text(c, &f->seen[1], "restored by %s()", vt_kho_restorer(v.first->how));
	vt_proof(c, f, 0, &k->at, "gives 0x%" PRIx64 " to KHO", k->phys);
	vt_proof(c, f, 1, &v.first->at, "restores it as %s", vt_kho_kind_name(v.first->how));
	vt_text(c, &f->meaning, "The pages have the wrong reference counts and are compound where they must not be, or the other way round: freeing them corrupts the page allocator.");
}

static void kho_restore(struct vt_ctx *c)
{
	const struct vt_side *pre = c->j->side[0], *post = c->j->side[1];

	if (c->j->nr_sides < 2 || !vt_pair_fits(c) || !vt_clear(c, 1, 0, UINT64_MAX))
		return;
	for (size_t n = 0; n < post->nr_restored; n++) {
		const struct vt_restored *r = post->restored[n];
		const struct vt_kho *k = r->ok ? given(pre, r->phys) : NULL;

		if (k && k->life)
			another_s(c, r, k);
	}
	for (size_t n = 0; n < pre->nr_kho; n++)
		another_kind(c, pre->kho[n]);
}

const struct vt_rule vt_rule_kho_restore = {
	.id = "kho-restore", .name = "restored what was not given", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS, .lasts = true,
	.judges = { "restored block", "restored blocks", VT_COUNTED(kho_restored) },
	.needs = { { VT_EV_KHO_RESTORE_FOLIO, VT_IN }, { VT_EV_KHO_RESTORE_PAGES, VT_IN }, { VT_EV_KHO_RESTORE_FREE, VT_IN }, { VT_EV_KHO_RESTORE_VMALLOC, VT_IN },
		   { VT_EV_KHO_ALLOC_PRESERVE, VT_OUT }, { VT_EV_KHO_PRESERVE_FOLIO, VT_OUT }, { VT_EV_KHO_PRESERVE_PAGES, VT_OUT },
		   { VT_EV_KHO_PRESERVE_VMALLOC, VT_OUT }, { VT_EV_KHO_UNPRESERVE_FREE, VT_OUT }, { VT_EV_KHO_UNPRESERVE_FOLIO, VT_OUT },
		   { VT_EV_KHO_UNPRESERVE_PAGES, VT_OUT }, { VT_EV_KHO_UNPRESERVE_VMALLOC, VT_OUT } },
	VT_TELLS(told),
	.run = kho_restore,
};
