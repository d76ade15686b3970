// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of LUO and of handlers' callbacks: families, leaks and double frees
 * of struct luo_file and struct luo_session, families of all the rest.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rules/facts.h"

/* What a family may be freed with (mm/slab_common.c, mm/vmalloc.c, mm/util.c: kvfree()). */
static const struct {
	const char *family, *frees;
} legal[] = {
	{ "kmalloc", " kfree kfree_sensitive kvfree kvfree_sensitive kvfree_call_rcu kfree_call_rcu " },
	{ "kmem_cache", " kmem_cache_free kfree kvfree kvfree_call_rcu kfree_call_rcu " },
	{ "vmalloc", " vfree vfree_atomic kvfree kvfree_call_rcu kfree_call_rcu " },
	{ "kvmalloc", " kvfree kvfree_sensitive kvfree_call_rcu kfree_call_rcu " },
	{ "kho", " kho_unpreserve_free kho_restore_free " },
};

enum vt_pair vt_pair_verdict(const char *family, const char *callee)
{
	char word[64];

	if (!family || !callee)
		return VT_PAIR_UNKNOWN;
	snprintf(word, sizeof(word), " %s ", callee);
	for (size_t i = 0; i < sizeof(legal) / sizeof(legal[0]); i++) {
		if (!strcmp(legal[i].family, family))
			return strstr(legal[i].frees, word) ? VT_PAIR_LEGAL : VT_PAIR_ILLEGAL;
	}
	return VT_PAIR_UNKNOWN;
}

bool vt_is_kvfree(const char *callee)
{
	return callee && !strncmp(callee, "kvfree", 6) && strcmp(callee, "kvfree_call_rcu");
}

static const char *kind(uint64_t cls)
{
	return cls == VT_C_LUO_FILE ? "struct luo_file" : cls == VT_C_SESSION ? "struct luo_session" : "memory of a handler's callback";
}

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
	struct vt_finding *f = vt_find(c, other ? VT_WARNING : VT_ERROR, i, &p->who, "%s|%s|%s|%s", kind(p->cls), str(p->family), str(p->free_callee),
				       func_of(p->free_site, where, sizeof(where)));

	if (!f)
		return;
	f->count = p->count;
	if (other)
		vt_text(c, &f->title, "%s from %s is freed with %s() in %s, but with kfree() in %s", kind(p->cls), str(p->callee), str(p->free_callee), where,
			func_of(other->free_site, from, sizeof(from)));
	else
		vt_text(c, &f->title, "%s from %s (%s) is freed with %s() in %s, which may not free it", kind(p->cls), str(p->callee), str(p->family),
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
			vt_doubt(c, "%s: %" PRIu64 " struct%s of LUO freed, where nothing shows with what %s allocated", s->label, s->mem_unborn,
				 s->mem_unborn == 1 ? " was" : "s were", s->mem_unborn == 1 ? "it was" : "they were");
		for (size_t k = 0; k < s->nr_mem_paths; k++) {
			const struct vt_mem_path *p = &s->mem_paths[k], *other;
			enum vt_pair v = vt_pair_verdict(p->family, p->free_callee);

			/* Between the two another allocation may have got the address. */
			if (!vt_clear(c, i, p->alloc.ts_ns, p->freed.ts_ns))
				continue;
			if (v == VT_PAIR_ILLEGAL) {
				tell_mismatch(c, i, p, NULL);
				continue;
			}
			other = v == VT_PAIR_LEGAL && p->cls != VT_C_OTHER && vt_is_kvfree(p->free_callee) ? kfree_elsewhere(c, p) : NULL;
			if (other)
				tell_mismatch(c, i, p, other);
		}
	}
}

const struct vt_rule vt_rule_object_mismatch = {
	.id = "object-mismatch", .name = "LUO's or a handler's memory freed by another family", .severity = VT_ERROR, .subject = VT_ABOUT_MEMORY,
	.needs = { { VT_EV_OBJ_ALLOC, VT_ANY }, { VT_EV_OBJ_FREE, VT_ANY } },
	.run = mismatch,
};

/*
 * Whether a free that FUNC makes would have been seen: a call of a free
 * function was found in its text, or in that of LUO's own helper.
 */
static bool frees_are_seen(const struct vt_side *s, const char *func)
{
	size_t len = strlen(func);

	for (size_t i = 0; i < vt_trace__probe_nr(s->trace); i++) {
		const struct vt_probe *p = vt_trace__probe(s->trace, i);
		bool inside = p->func && !strncmp(p->func, func, len) && (p->func[len] == '+' || p->func[len] == '.');
		bool helper = p->func && !strncmp(func, "luo_session_", 12) && !strncmp(p->func, "luo_session_free+", 17);

		if (p->attached && p->event && !strcmp(p->event, vt_event_name(VT_EV_OBJ_FREE)) && (inside || helper))
			return true;
	}
	return false;
}

static void tell_left(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f;

	if (c->cut[i] && !x->at[0].has_ret)
		return;
	if (!frees_are_seen(c->j->side[i], vt_at_func(&x->at[0]))) {
		vt_doubt(c, "%s: no call of a free function was found in %s: where %s is freed is not known", c->j->side[i]->label,
			 vt_at_func(&x->at[0]), kind(x->num[0]));
		return;
	}
	f = vt_find_fact(c, i, x, kind(x->num[0]));
	if (!f)
		return;
	vt_text(c, &f->title, "%s is not freed when %s returns", kind(x->num[0]), vt_at_func(&x->at[0]));
	vt_text(c, &f->expected, "a failing call frees what it allocated; unpreserve, finish and the release of a session free what they end");
	vt_text(c, &f->seen[i], "allocated by %s at %s, no free by then", str(x->str[1]), str(x->str[0]));
	vt_proof(c, f, i, &x->at[1], "allocates it at %s", str(x->str[0]));
	vt_proof(c, f, i, &x->at[0], "returns; from here on nobody knows it");
	vt_text(c, &f->meaning, "Kernel memory is lost each time this happens; whoever can make the call fail can repeat it.");
}

/* A free that was not seen would look like one that was not made. */
static const struct vt_telling left[] = {
	{ .kind = VT_FACT_MEM_LEFT, .absence = true, .tell = tell_left },
};

const struct vt_rule vt_rule_object_leak = {
	.id = "object-leak", .name = "LUO's own object never freed", .severity = VT_ERROR, .subject = VT_ABOUT_MEMORY,
	.by_call = VT_LUO_CALLS,
	.needs = { { VT_EV_OBJ_ALLOC, VT_ANY }, { VT_EV_OBJ_FREE, VT_ANY }, { VT_EV_LUO_PRESERVE, VT_OUT },
		   { VT_EV_LUO_UNPRESERVE, VT_OUT }, { VT_EV_LUO_FINISH, VT_IN }, { VT_EV_SESSION_RELEASE, VT_ANY } },
	.also = { VT_EV_LUO_FILE, VT_EV_SESSION_CREATE },
	VT_TELLS(left),
};

static void tell_twice(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, kind(x->num[0]));

	if (!f)
		return;
	vt_text(c, &f->title, "%s is freed twice", kind(x->num[0]));
	vt_text(c, &f->expected, "one free");
	vt_text(c, &f->seen[i], "freed at %s and again at %s", str(x->str[1]), str(x->str[0]));
	vt_proof(c, f, i, &x->at[2], "allocates it");
	vt_proof(c, f, i, &x->at[1], "first free, at %s", str(x->str[1]));
	vt_proof(c, f, i, &x->at[0], "second free, at %s", str(x->str[0]));
	vt_text(c, &f->meaning, "The allocator's lists are corrupted: a crash, or memory that two owners write to.");
}

/* An allocation that was not seen in between would make two lives look like one. */
static const struct vt_telling twice[] = {
	{ .kind = VT_FACT_MEM_TWICE, .absence = true, .tell = tell_twice },
};

const struct vt_rule vt_rule_object_double_free = {
	.id = "object-double-free", .name = "LUO's own object freed twice", .severity = VT_ERROR, .subject = VT_ABOUT_MEMORY,
	.needs = { { VT_EV_OBJ_ALLOC, VT_ANY }, { VT_EV_OBJ_FREE, VT_ANY } },
	VT_TELLS(twice),
};
