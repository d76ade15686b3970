// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of LUO (struct luo_file, struct luo_session) and of handlers'
 * callbacks: allocated and freed at call sites in their own text.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "model/pool.h"

#define OPENING 64		/* bits of a word: objects allocated by calls that have not returned */
#define DEAD_MEMS 256
#define MEM_PATHS 512

/* A luo_file, a session, or something that a callback allocated. */
struct mem {
	uint64_t obj;
	const char *family, *callee, *site, *free_site;
	struct vt_at alloc, freed;
	struct vt_who who;
	uint32_t nr_freed;
	uint8_t opening;	/* 1 + its place there, 0 = none */
};

struct memory_part {
	struct vt_map mems;		/* object -> mem, alive or just freed */
	struct mem *opening[OPENING], *dead[DEAD_MEMS];
	uint64_t taken;			/* places of OPENING */
	uint32_t opening_at, dead_at;
	size_t cap_paths;
	struct vt_pool spare;		/* of mems */
};

static void opening_over(struct memory_part *own, size_t i)
{
	own->opening[i]->opening = 0;
	own->opening[i] = NULL;
	own->taken &= ~(1ull << i);
}

static void forget(struct vt_build *b, struct mem *m)
{
	struct memory_part *own = part_own(b, memory);

	if (m->opening)
		opening_over(own, m->opening - 1u);
	vt_map__del(&own->mems, m->obj);
	vt_pool__put(&own->spare, m);
}

static void allocated(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct memory_part *own = part_own(b, memory);
	uint64_t obj = vt_ev_obj(e, VT_F_OBJ);
	struct mem *m;
	uint32_t place;

	if (!obj || vt_map__get(&own->mems, obj))
		return;
	m = vt_pool__get(&own->spare, sizeof(*m));
	if (!m || vt_map__put(&own->mems, obj, m)) {
		vt_pool__put(&own->spare, m);
		b->err = -ENOMEM;
		return;
	}
	m->obj = obj;
	m->family = intern_event(b, vt_ev_str(e, VT_F_FAMILY));
	m->callee = intern_event(b, vt_ev_str(e, VT_F_CALLEE));
	m->site = intern_event(b, vt_ev_str(e, VT_F_SITE));
	m->free_site = NULL;
	m->freed.type = 0;	/* the rest is set where it is freed */
	m->who = who_task(b, t, e);
	m->nr_freed = 0;
	m->opening = 0;
	at_set(b, &m->alloc, e);
	b->side->mem_allocated++;
	if (vt_obj_class(obj) == VT_C_OTHER)
		return;
	place = own->opening_at++ % OPENING;
	if (own->opening[place])
		opening_over(own, place);
	own->opening[place] = m;
	own->taken |= 1ull << place;
	m->opening = (uint8_t)(place + 1);
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
	if (s->nr_mem_paths >= MEM_PATHS || !grow(b, &s->mem_paths, &part_own(b, memory)->cap_paths, s->nr_mem_paths, sizeof(*p)))
		return;
	s->mem_paths[s->nr_mem_paths++] = (struct vt_mem_path){
		.cls = cls, .family = m->family, .callee = m->callee, .site = m->site, .free_callee = callee, .free_site = site,
		.count = 1, .alloc = m->alloc, .freed = m->freed, .who = m->who,
	};
}

/* Freed ones are remembered for a while: a second free must find the first. */
static void bury(struct vt_build *b, struct mem *m)
{
	struct memory_part *own = part_own(b, memory);
	struct mem **place = &own->dead[own->dead_at++ % DEAD_MEMS];

	if (*place)
		forget(b, *place);
	*place = m;
}

static void freed(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	uint64_t obj = vt_ev_obj(e, VT_F_OBJ);
	struct mem *m = vt_map__get(&part_own(b, memory)->mems, obj);
	const char *site = intern_event(b, vt_ev_str(e, VT_F_SITE));
	struct vt_fact *x;
	struct vt_at at;

	if (!m) {
		b->side->mem_unborn += obj && vt_obj_class(obj) != VT_C_OTHER;
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
	struct mem *m = obj ? vt_map__get(&part_own(b, memory)->mems, obj) : NULL;

	return m && !m->nr_freed ? m : NULL;
}

/* OBJ, which WHO is about, has to be free by now, which is the exit E. */
static void due(struct vt_build *b, uint64_t obj, struct vt_who who, const struct vt_event *e)
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

/* A call that may allocate such objects returns: what a failing one made has to be free. */
static void returned(struct vt_build *b, const struct vt_event *e)
{
	struct memory_part *own = part_own(b, memory);
	bool files = e->type == VT_EV_LUO_PRESERVE || e->type == VT_EV_LUO_DESERIALIZE;
	enum vt_class cls = files ? VT_C_LUO_FILE : VT_C_SESSION;

	for (uint64_t taken = own->taken; taken; taken &= taken - 1) {
		size_t i = (size_t)__builtin_ctzll(taken);
		struct mem *m = own->opening[i];

		if (m->alloc.tid != e->tid || vt_obj_class(m->obj) != cls)
			continue;
		opening_over(own, i);
		if (must_undo(e->type) && is_err(e) && !m->nr_freed)
			left(b, m, m->who, e);
	}
}

/* The luo_file of a file that LUO is done with. */
static void luo_files_due(struct vt_build *b, const struct vt_session *s, const struct vt_event *e)
{
	for (struct vt_life *l = s->lives; l; l = l->next) {
		struct mem *m = e->type == VT_EV_LUO_FINISH || l->state == VT_LIFE_UNPRESERVED ? alive(b, l->luo_file) : NULL;

		if (m)
			left(b, m, who_life(b, l), e);
	}
}

static void memory_returned(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	const struct vt_session *s = f->session;
	bool err = is_err(e);

	switch (e->type) {
	case VT_EV_LUO_PRESERVE:
		returned(b, e);
		break;
	case VT_EV_LUO_DESERIALIZE:
		if (s)
			returned(b, e);
		break;
	case VT_EV_LUO_UNPRESERVE:
		if (s)
			luo_files_due(b, s, e);
		break;
	case VT_EV_LUO_FINISH:
		if (s && !err)
			luo_files_due(b, s, e);
		break;
	case VT_EV_SESSION_RELEASE:
		if (s && !err)
			due(b, f->session_obj, (struct vt_who){ .session = intern(b, s->name) }, e);
		break;
	default:
		break;
	}
}

static void session_returned(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	if (e->phase != VT_ENTER)
		returned(b, e);
}

static const struct heard memory_points[] = {
	{ VT_EV_OBJ_ALLOC, allocated }, { VT_EV_OBJ_FREE, freed },
	{ VT_EV_SESSION_CREATE, session_returned }, { VT_EV_SESSION_DESERIALIZE, session_returned }, { 0 },
};

static void memory_free(struct vt_build *b)
{
	vt_map__free_all(&part_own(b, memory)->mems);
	vt_pool__free(&part_own(b, memory)->spare);
	free(b->side->mem_paths);
}

const struct part part_memory = {
	.size = sizeof(struct memory_part),
	.points = memory_points, .call_returned = memory_returned, .returned_areas = AREA(LUO) | AREA(SESSION), .free = memory_free,
};
