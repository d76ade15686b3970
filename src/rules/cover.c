// SPDX-License-Identifier: GPL-2.0
/*
 * KHO gives memory back block by block: a folio as a folio, pages as pages, a
 * vmalloc area by its first descriptor. kho_restore_page() knows a block by its
 * first page only, and takes the size from what was preserved there.
 */
#include "rules/cover.h"

const char *vt_kho_kind_name(int64_t kind)
{
	return kind == VT_KHO_ALLOC ? "memory from kho_alloc_preserve()" : kind == VT_KHO_FOLIO ? "a folio" : kind == VT_KHO_PAGES ? "pages" : "a vmalloc area";
}

const char *vt_kho_restorer(int64_t kind)
{
	return kind == VT_KHO_ALLOC ? "kho_restore_free" : kind == VT_KHO_FOLIO ? "kho_restore_folio" : kind == VT_KHO_PAGES ? "kho_restore_pages" : "kho_restore_vmalloc";
}

/* Memory from kho_alloc_preserve() is a folio. */
static bool folio_like(uint8_t kind)
{
	return kind == VT_KHO_ALLOC || kind == VT_KHO_FOLIO;
}

static uint64_t end_of(const struct vt_side *post, uint64_t phys, uint64_t pages)
{
	return phys + (pages ? pages : 1) * post->page;
}

/* The first that ends behind PHYS. */
static size_t first_over(const struct vt_side *post, uint64_t phys)
{
	size_t low = 0, high = post->nr_restored;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (end_of(post, post->restored[mid]->phys, post->restored[mid]->pages) <= phys)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Of the pages of K, those that R took out. */
static uint64_t common(const struct vt_side *post, const struct vt_kho *k, const struct vt_restored *r)
{
	uint64_t from = r->phys > k->phys ? r->phys : k->phys;
	uint64_t k_end = end_of(post, k->phys, k->pages), r_end = end_of(post, r->phys, r->pages), to = r_end < k_end ? r_end : k_end;

	return from < to ? (to - from) / post->page : 0;
}

/* The pages of the block of K that begins at its page AT, as kho_preserve_pages() cuts it. */
static uint64_t block_at(const struct vt_side *post, const struct vt_kho *k, uint64_t at)
{
	uint64_t pfn = k->phys / post->page + at, n = 1;

	while (n * 2 <= k->pages - at && !(pfn & (n * 2 - 1)))
		n *= 2;
	return n;
}

static void cover_pages(const struct vt_side *post, const struct vt_kho *k, struct vt_cover *c)
{
	uint64_t end = k->phys + k->pages * post->page;

	for (size_t i = first_over(post, k->phys); i < post->nr_restored && post->restored[i]->phys < end; i++) {
		const struct vt_restored *r = post->restored[i];

		if (!r->ok) {
			c->first = c->first ? c->first : r;
			continue;
		}
		if (!c->any || (!c->other_kind && r->how != VT_KHO_PAGES))
			c->first = r;
		c->any = true;
		if (r->how == VT_KHO_PAGES) {
			c->pages += !r->pages ? k->pages : r->phys < k->phys || r->phys >= end_of(post, k->phys, k->pages) ? common(post, k, r) : r->pages;
			continue;
		}
		/* One page is the same either way. */
		c->other_kind |= k->pages > 1;
		c->pages += r->count > 1 || r->phys < k->phys ? common(post, k, r) : block_at(post, k, (r->phys - k->phys) / post->page);
	}
	c->all = c->pages >= k->pages;
}

/* Folios of one order side by side: KHO's records of them are cut where its callers paused, in each kernel elsewhere. */
static void cover_run(const struct vt_side *post, const struct vt_kho *k, struct vt_cover *c)
{
	uint64_t size = k->pages / k->count;

	for (size_t i = first_over(post, k->phys); i < post->nr_restored && post->restored[i]->phys < end_of(post, k->phys, k->pages); i++) {
		const struct vt_restored *r = post->restored[i];
		bool other = !folio_like(r->how) || (r->pages && r->pages / r->count != size);

		if (!r->ok) {
			c->first = c->first ? c->first : r;
			continue;
		}
		if (!c->any || (!c->other_kind && other))
			c->first = r;
		c->any = true;
		c->other_kind |= other;
		c->pages += r->pages ? common(post, k, r) : size;
	}
	c->all = c->pages >= k->pages;
}

struct vt_cover vt_cover(const struct vt_side *post, const struct vt_kho *k)
{
	const struct vt_restored *r = vt_side__restored(post, k->phys);
	struct vt_cover c = { .first = r };

	if (k->kind == VT_KHO_PAGES && k->pages && k->pages < UINT64_MAX / (64 * post->page)) {
		c.first = NULL;
		cover_pages(post, k, &c);
		return c;
	}
	if (k->count > 1) {
		c.first = NULL;
		cover_run(post, k, &c);
		return c;
	}
	if (!r || !r->ok)
		return c;
	c.any = c.all = true;
	c.pages = k->pages;
	if (k->kind == VT_KHO_VMALLOC || r->how == VT_KHO_VMALLOC) {
		c.other_kind = r->how != k->kind;
		c.all = !c.other_kind;
		c.pages = 0;	/* its descriptor at the most */
	} else if (folio_like(k->kind) && r->how == VT_KHO_PAGES && k->pages && r->pages) {
		c.other_kind = k->pages > 1;
		c.all = r->pages >= k->pages;
		c.pages = r->pages;
	}
	return c;
}
