// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of LUO (struct luo_file, struct luo_session) and of handlers'
 * callbacks: allocated and freed at call sites in their own text.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

static void opening_over(struct vt_build *b, size_t i)
{
	b->opening[i]->opening = false;
	b->opening[i] = NULL;
	b->nr_opening--;
}

static void forget(struct vt_build *b, struct mem *m)
{
	for (size_t i = 0; m->opening && i < OPENING; i++) {
		if (b->opening[i] == m)
			opening_over(b, i);
	}
	vt_map__del(&b->mems, m->obj);
	free(m);
}

static void allocated(struct vt_build *b, struct task *t, const struct vt_event *e, uint64_t obj)
{
	struct mem *m = vt_map__get(&b->mems, obj);

	if (m)
		return;
	m = malloc(sizeof(*m));
	if (!m || vt_map__put(&b->mems, obj, m)) {
		free(m);
		b->err = -ENOMEM;
		return;
	}
	*m = (struct mem){ .obj = obj, .who = who_task(b, t, e), .family = intern_event(b, vt_ev_str(e, VT_F_FAMILY)),
			   .callee = intern_event(b, vt_ev_str(e, VT_F_CALLEE)), .site = intern_event(b, vt_ev_str(e, VT_F_SITE)) };
	at_set(b, &m->alloc, e);
	b->side->mem_allocated++;
	if (vt_obj_class(obj) == VT_C_OTHER)
		return;
	if (b->opening[b->opening_at % OPENING])
		opening_over(b, b->opening_at % OPENING);
	b->opening[b->opening_at++ % OPENING] = m;
	b->nr_opening++;
	m->opening = true;
}

/* All these names are interned: equal is identical. */
static void count_path(struct vt_build *b, const struct mem *m, const char *callee, const char *site)
{
	struct vt_side *s = b->side;
	struct vt_mem_path *p;
	uint8_t cls = vt_obj_class(m->obj);

	for (size_t i = 0; i < s->nr_mem_paths; i++) {
		p = &s->mem_paths[i];
		if (p->cls == cls && p->site == m->site && p->callee == m->callee && p->free_callee == callee && p->free_site == site) {
			p->count++;
			return;
		}
	}
	if (s->nr_mem_paths >= 512 || !grow(b, &s->mem_paths, &b->cap_mem_paths, s->nr_mem_paths, sizeof(*p)))
		return;
	s->mem_paths[s->nr_mem_paths++] = (struct vt_mem_path){
		.cls = cls, .family = m->family, .callee = m->callee, .site = m->site, .free_callee = callee, .free_site = site,
		.count = 1, .alloc = m->alloc, .freed = m->freed, .who = m->who,
	};
}

/* Freed ones are remembered for a while: a second free must find the first. */
static void bury(struct vt_build *b, struct mem *m)
{
	struct mem **place = &b->dead_mem[b->dead_mem_at++ % DEAD_MEMS];

	if (*place)
		forget(b, *place);
	*place = m;
}

static void freed(struct vt_build *b, const struct vt_event *e, uint64_t obj)
{
	struct mem *m = vt_map__get(&b->mems, obj);
	const char *site = intern_event(b, vt_ev_str(e, VT_F_SITE));
	struct vt_fact *x;
	struct vt_at at;

	if (!m) {
		b->side->mem_unborn += vt_obj_class(obj) != VT_C_OTHER;
		return;
	}
	at_set(b, &at, e);
	if (m->nr_freed++) {
		x = fact(b, VT_FACT_MEM_TWICE, m->who, &at);
		x->at[1] = m->freed;
		x->at[2] = m->alloc;
		x->str[0] = site;
		x->str[1] = m->free_site;
		x->num[0] = vt_obj_class(obj);
		return;
	}
	m->freed = at;
	m->free_site = site;
	count_path(b, m, intern_event(b, vt_ev_str(e, VT_F_CALLEE)), site);
	bury(b, m);
}

void mem_event(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	uint64_t obj = vt_ev_obj(e, VT_F_OBJ);

	if (!obj)
		return;
	if (e->type == VT_EV_OBJ_ALLOC)
		allocated(b, t, e, obj);
	else
		freed(b, e, obj);
}

static void left(struct vt_build *b, struct mem *m, struct vt_who who, const struct vt_event *e)
{
	struct vt_fact *x;
	struct vt_at at;

	at_set(b, &at, e);
	x = fact(b, VT_FACT_MEM_LEFT, who, &at);
	x->at[1] = m->alloc;
	x->num[0] = vt_obj_class(m->obj);
	x->str[0] = m->site;
	x->str[1] = m->callee;
	forget(b, m);
}

static struct mem *alive(const struct vt_build *b, uint64_t obj)
{
	struct mem *m = obj ? vt_map__get(&b->mems, obj) : NULL;

	return m && !m->nr_freed ? m : NULL;
}

bool mem_alive(const struct vt_build *b, uint64_t obj)
{
	return alive(b, obj);
}

void mem_due(struct vt_build *b, uint64_t obj, struct vt_who who, const struct vt_event *e)
{
	struct mem *m = alive(b, obj);

	if (m)
		left(b, m, who, e);
}

/* What a failing deserialize leaves is accepted: held until reboot. */
static bool must_undo(uint16_t type)
{
	return type == VT_EV_LUO_PRESERVE || type == VT_EV_SESSION_CREATE;
}

void mem_returned(struct vt_build *b, const struct vt_event *e)
{
	bool files = e->type == VT_EV_LUO_PRESERVE || e->type == VT_EV_LUO_DESERIALIZE;
	enum vt_class cls = files ? VT_C_LUO_FILE : VT_C_SESSION;

	for (size_t i = 0; b->nr_opening && i < OPENING; i++) {
		struct mem *m = b->opening[i];

		if (!m || m->alloc.tid != e->tid || vt_obj_class(m->obj) != cls)
			continue;
		opening_over(b, i);
		if (must_undo(e->type) && is_err(e) && !m->nr_freed)
			left(b, m, m->who, e);
	}
}

void mem_free_all(struct vt_build *b)
{
	struct mem *m;
	size_t i = 0;

	while ((m = vt_map__next(&b->mems, &i)))
		free(m);
	vt_map__free(&b->mems);
	free(b->side->mem_paths);
}
