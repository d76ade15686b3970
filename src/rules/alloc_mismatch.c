// SPDX-License-Identifier: GPL-2.0
/*
 * struct vfio_device_file: who allocated it with what, who freed it with what.
 * Zero-allocated by vfio_allocate_device_file(), freed once, by kfree(), in
 * vfio_device_fops_release() or in the error path of the open.
 */
#include <inttypes.h>

#include "rules/families.h"
#include "rules/finding.h"
#include "rules/reach.h"

/* How release frees what was allocated this way, on either side. */
static const struct vt_free_path *normal_path(const struct vt_ctx *c, const struct vt_free_path *of)
{
	const struct vt_free_path *best = NULL;

	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		for (size_t k = 0; k < s->nr_free_paths; k++) {
			const struct vt_free_path *p = &s->free_paths[k];

			if (p->in_release && vt_same_name(p->family, of->family) && (!best || p->count > best->count))
				best = p;
		}
	}
	return best;
}

static size_t side_of_path(const struct vt_ctx *c, const struct vt_free_path *p)
{
	VT_EACH_SIDE(c, i)
		for (size_t k = 0; k < c->j->side[i]->nr_free_paths; k++)
			if (&c->j->side[i]->free_paths[k] == p)
				return i;
	return 0;
}

static void tell_mismatch(struct vt_ctx *c, struct vt_finding *f, size_t side, const struct vt_free_path *p,
			  const struct vt_free_path *n, enum vt_family_verdict v)
{
	const struct vt_df *df = p->example;
	const char *alloc = vt_name(df->callee, vt_name(df->family, "an unknown allocator"));
	char in[256];

	f->func = p->free_func;
	f->count = p->count;
	if (v == VT_FAMILY_ILLEGAL)
		vt_text(c, &f->title, "struct vfio_device_file from %s (%s) is freed with %s(), which may not free it",
			alloc, vt_name(df->family, "?"), vt_name(p->free_callee, "?"));
	else if (n)
		vt_text(c, &f->title, "struct vfio_device_file from %s is freed with %s() in %s, but with %s() in the normal release",
			alloc, vt_name(p->free_callee, "?"), vt_name(p->free_func, "?"), vt_name(n->free_callee, "?"));
	else
		vt_text(c, &f->title, "struct vfio_device_file from %s is freed with %s() in %s, although no part of it can come from vmalloc",
			alloc, vt_name(p->free_callee, "?"), vt_name(p->free_func, "?"));
	if (n)
		vt_text(c, &f->expected, "freed with %s(), as by %s in the normal release (seen %" PRIu64 " time%s)", vt_name(n->free_callee, "?"),
			vt_name(n->example->free_site[0], "vfio_device_fops_release"), n->count, n->count == 1 ? "" : "s");
	else
		vt_text(c, &f->expected, "freed with kfree(); no normal release was seen in the traces to compare with");
	vt_text(c, &f->seen[side], "allocated by %s at %s, freed by %s() at %s%s", alloc, vt_name(df->site, "an unknown place"),
		vt_name(p->free_callee, "?"), vt_name(df->free_site[0], "an unknown place"),
		df->failed.type ? ", on the error path of a failing open" : "");
	vt_proof(c, f, side, &df->alloc, "allocates the df with %s at %s, for %s", alloc, vt_name(df->site, "?"),
		 vt_who_str(&df->who, in, sizeof(in)));
	vt_proof(c, f, side, &df->freed[0], "frees it with %s at %s, within %s", vt_name(p->free_callee, "?"), vt_name(df->free_site[0], "?"),
		 vt_name(df->free_in[0], "no traced call"));
	vt_proof(c, f, side, &df->failed, "the call that was to hand it out fails");
	if (n)
		vt_proof(c, f, side_of_path(c, n), &n->example->freed[0], "the normal path: %s at %s", vt_name(n->free_callee, "?"), vt_name(n->example->free_site[0], "?"));
	vt_text(c, &f->meaning, v == VT_FAMILY_ILLEGAL ?
		"The allocator gets memory that is not its own: corruption or a crash, whenever this path runs." :
		"No memory is corrupted today: the pair is legal. It tells readers that the object may come from vmalloc, and breaks the rule that an object has one way to be freed.");
}

static bool any_alive(const struct vt_side *s)
{
	for (size_t i = 0; i < s->nr_dfs; i++) {
		if (!s->dfs[i]->nr_freed)
			return true;
	}
	return false;
}

static void mismatch(struct vt_ctx *c)
{
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		for (size_t k = 0; k < s->nr_free_paths; k++) {
			const struct vt_free_path *p = &s->free_paths[k], *n = normal_path(c, p);
			enum vt_family_verdict v = vt_pair_verdict(p->family, p->free_callee);
			struct vt_finding *f;
			bool odd = v == VT_FAMILY_ILLEGAL;

			if (v == VT_FAMILY_LEGAL && n)
				odd = !vt_same_name(n->free_callee, p->free_callee);
			else if (v == VT_FAMILY_LEGAL)
				odd = vt_same_name(p->family, "kmalloc") && vt_is_kvfree(p->free_callee);
			/* A normal release that nobody saw, or that is still to come, may use the very same function. */
			if (!odd || (v == VT_FAMILY_LEGAL && !n && !vt_clear(c, i, 0, UINT64_MAX)))
				continue;
			if (v == VT_FAMILY_LEGAL && !n && (any_alive(s) || c->cut[i])) {
				vt_doubt(c, "%s: the recording ends before a df is released, so how the normal release frees one is not known", s->label);
				continue;
			}
			f = vt_find(c, v == VT_FAMILY_ILLEGAL ? VT_ERROR : VT_WARNING, i, &p->example->who, "%s|%s|%s", vt_name(p->family, "?"),
				    vt_name(p->free_callee, "?"), vt_name(p->free_func, "?"));
			if (!f)
				continue;
			tell_mismatch(c, f, i, p, n, v);
			for (size_t w = 1; w < p->nr_who; w++)
				vt_also(f, &p->who[w]);
			f->count = p->count;
		}
	}
}

const struct vt_rule vt_rule_alloc_mismatch = {
	.id = "alloc-mismatch", .name = "freed with another family's function", .severity = VT_ERROR,
	.subject = VT_ABOUT_VFIO,
	.by_call = VT_VFIO_CALLS,
	.judges = { "freed df", "freed dfs", VT_COUNTED(dfs_freed) },
	.needs = { { VT_EV_VFIO_DF_ALLOC, VT_ANY }, { VT_EV_MEM_FREE, VT_ANY }, { VT_EV_VFIO_RELEASE, VT_ANY } },
	.run = mismatch,
};
