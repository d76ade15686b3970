// SPDX-License-Identifier: GPL-2.0
/* Memory of LUO and of handlers' callbacks: the family it came from, and the function that frees it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rules/families.h"
#include "rules/finding.h"
#include "rules/reach.h"

static const char *str(const char *s)
{
	return vt_name(s, "?");
}

/* The function that a call site is in, without the offset. */
static const char *func_of(const char *site, char *buf, size_t size)
{
	snprintf(buf, size, "%.*s", (int)strcspn(str(site), "+"), str(site));
	return buf;
}

/* The same struct is freed by kfree() elsewhere in LUO, on either side. */
static const struct vt_mem_path *kfree_elsewhere(const struct vt_ctx *c, const struct vt_mem_path *of)
{
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		for (size_t k = 0; k < s->nr_mem_paths; k++) {
			const struct vt_mem_path *p = &s->mem_paths[k];

			if (p->cls == of->cls && vt_same_name(p->family, of->family) && vt_same_name(p->free_callee, "kfree"))
				return p;
		}
	}
	return NULL;
}

static void tell_mismatch(struct vt_ctx *c, size_t i, const struct vt_mem_path *p, const struct vt_mem_path *other)
{
	char where[96], from[96];
	struct vt_finding *f = vt_find(c, other ? VT_WARNING : VT_ERROR, i, &p->who, "%s|%s|%s|%s", vt_memory_of(p->cls), str(p->family), str(p->free_callee),
				       func_of(p->free_site, where, sizeof(where)));

	if (!f)
		return;
	f->count = p->count;
	if (other)
		vt_text(c, &f->title, "%s from %s is freed with %s() in %s, but with kfree() in %s", vt_memory_of(p->cls), str(p->callee), str(p->free_callee), where,
			func_of(other->free_site, from, sizeof(from)));
	else
		vt_text(c, &f->title, "%s from %s (%s) is freed with %s() in %s, which may not free it", vt_memory_of(p->cls), str(p->callee), str(p->family),
			str(p->free_callee), where);
	vt_text(c, &f->expected, other ? "one way to free one kind of object" : "memory goes back to the family that it came from");
	vt_text(c, &f->seen[i], "allocated by %s at %s, freed by %s() at %s", str(p->callee), str(p->site), str(p->free_callee), str(p->free_site));
	vt_proof(c, f, i, &p->alloc, "allocates it with %s at %s", str(p->callee), str(p->site));
	vt_proof(c, f, i, &p->freed, "frees it with %s at %s", str(p->free_callee), str(p->free_site));
	vt_text(c, &f->meaning, other ? "No memory is corrupted today: the pair is legal, and inconsistent with the rest of the code." :
		"The allocator gets memory that is not its own: corruption or a crash, whenever this path runs.");
}

static void mismatch(struct vt_ctx *c)
{
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		if (s->mem_unborn)
			vt_doubt(c, "%s: %" PRIu64 " struct%s of LUO %s freed, where nothing shows with what %s allocated", s->label, s->mem_unborn,
				 s->mem_unborn == 1 ? "" : "s", s->mem_unborn == 1 ? "was" : "were", s->mem_unborn == 1 ? "it was" : "they were");
		for (size_t k = 0; k < s->nr_mem_paths; k++) {
			const struct vt_mem_path *p = &s->mem_paths[k], *other;
			enum vt_family_verdict v = vt_pair_verdict(p->family, p->free_callee);

			/* Between the two another allocation may have got the address. */
			if (!vt_clear(c, i, p->alloc.ts_ns, p->freed.ts_ns))
				continue;
			if (v == VT_FAMILY_ILLEGAL) {
				tell_mismatch(c, i, p, NULL);
				continue;
			}
			other = v == VT_FAMILY_LEGAL && p->cls != VT_C_OTHER && vt_is_kvfree(p->free_callee) ? kfree_elsewhere(c, p) : NULL;
			if (other)
				tell_mismatch(c, i, p, other);
		}
	}
}

static uint64_t freed(const struct vt_side *s)
{
	uint64_t n = 0;

	for (size_t k = 0; k < s->nr_mem_paths; k++)
		n += s->mem_paths[k].count;
	return n;
}

const struct vt_rule vt_rule_object_mismatch = {
	.id = "object-mismatch", .name = "LUO's or a handler's memory freed by another family", .severity = VT_ERROR, .subject = VT_ABOUT_MEMORY,
	.judges = { "freed object", "freed objects", .of = freed },
	.needs = { { VT_EV_OBJ_ALLOC, VT_ANY }, { VT_EV_OBJ_FREE, VT_ANY } },
	.run = mismatch,
};
