// SPDX-License-Identifier: GPL-2.0
/*
 * Memory handed over by KHO, by physical address (kernel/liveupdate/
 * kexec_handover.c). Calls that another traced KHO call makes (depth > 0) are
 * part of that call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

/* A block as the builder sees it. */
struct block {
	struct vt_kho pub;	/* first: the public face */
	bool pending;		/* by LUO itself, in a call that has not returned yet */
};

struct kho_part {
	struct vt_map blocks;	/* phys -> block, still preserved */
	size_t pending;		/* of them */
	struct vt_map restored;	/* phys -> vt_restored */
	size_t cap_folios;
};

static struct vt_kho **head_of(struct vt_kho *k)
{
	return k->life ? &k->life->kho : k->session ? &k->session->kho : NULL;
}

static void unlink_kho(struct vt_kho *k)
{
	struct vt_kho **head = head_of(k);

	if (!head)
		return;
	if (k->prev)
		k->prev->next = k->next;
	else
		*head = k->next;
	if (k->next)
		k->next->prev = k->prev;
	k->prev = k->next = NULL;
	k->life = NULL;
	k->session = NULL;
}

static void link_kho(struct vt_kho *k)
{
	struct vt_kho **head = head_of(k);

	if (!head)
		return;
	k->next = *head;
	if (k->next)
		k->next->prev = k;
	*head = k;
}

/* What L's callbacks left preserved, since the event of index SINCE, is a fact. */
static void left_preserved(struct vt_build *b, struct vt_life *l, const struct vt_event *e, uint64_t since)
{
	struct vt_kho *k = l->kho, *next;
	struct vt_fact *x = NULL;
	struct vt_at at;

	for (; k; k = next) {
		next = k->next;
		if (!k->in_op || k->at.index < since)
			continue;
		if (!x) {
			at_set(b, &at, e);
			x = fact(b, VT_FACT_KHO_LEFT, who_life(b, l), &at);
			x->at[1] = k->at;
			x->num[0] = (int64_t)k->phys;
			x->num[2] = k->kind;
			l->odd = true;
		}
		x->num[1]++;
		unlink_kho(k);
	}
}

static void kho_life_ended(struct vt_build *b, struct vt_life *l, const struct vt_event *e)
{
	left_preserved(b, l, e, 0);
}

static void kho_life_gone(struct vt_build *b, struct vt_life *l)
{
	while (l->kho)
		unlink_kho(l->kho);
}

static void kho_session_gone(struct vt_build *b, struct vt_session *s)
{
	while (s->kho)
		unlink_kho(s->kho);
}

/* By LUO's own code, in one of the calls that make room for an entry and may fail (kho_block_set_grow()). */
static bool by_luo(const struct vt_event *e)
{
	const char *within = vt_ev_str(e, VT_F_WITHIN);

	return within && (!strcmp(within, vt_event_name(VT_EV_SESSION_CREATE)) || !strcmp(within, vt_event_name(VT_EV_LUO_PRESERVE)));
}

/* luo_session_create() or luo_preserve_file() returned: one that failed has nothing preserved of its own. */
static void call_returned(struct vt_build *b, const struct vt_event *e)
{
	struct vt_fact *x = NULL;
	struct kho_part *own = part_own(b, kho);
	struct block *block;
	struct vt_at at;
	size_t i = 0;

	while (own->pending && (block = vt_map__next(&own->blocks, &i))) {
		const struct vt_kho *k = &block->pub;

		if (!block->pending || k->at.tid != e->tid)
			continue;
		block->pending = false;
		own->pending--;
		if (!is_err(e))
			continue;
		if (!x) {
			at_set(b, &at, e);
			x = fact(b, VT_FACT_KHO_LEFT, (struct vt_who){ .session = intern_event(b, vt_ev_str(e, VT_F_SESSION)) }, &at);
			x->who.has_token = vt_ev_u64(e, VT_F_TOKEN, &x->who.token);
			x->at[1] = k->at;
			x->from_ns = k->at.ts_ns;
			x->num[0] = (int64_t)k->phys;
			x->num[2] = k->kind;
		}
		if (k->at.ts_ns < x->from_ns)
			x->from_ns = k->at.ts_ns;
		x->num[1]++;
	}
}

/* How many pages E is about, or 0. */
static uint64_t pages_of(const struct vt_event *e)
{
	uint64_t n = 0, size;

	if (vt_ev_u64(e, VT_F_PAGES, &n))
		return n;
	if (vt_ev_u64(e, VT_F_ORDER, &n))
		return n < 64 ? 1ull << n : 0;
	/* kho_alloc_preserve() rounds up to a power of two. */
	if (!vt_ev_u64(e, VT_F_SIZE, &size) || !size || size > UINT64_MAX / 4)
		return 0;
	for (n = 1; n * VT_PAGE < size;)
		n *= 2;
	return n;
}

/*
 * KHO keeps one bit per block: what is given twice is taken back by the first
 * who does so, and restored by the first who asks. One and the same file may
 * give it again.
 */
static void shared(struct vt_build *b, struct task *t, const struct vt_event *e, const struct block *old)
{
	const struct vt_kho *k = &old->pub;
	struct frame *op = frame_op(t);
	struct vt_fact *x;
	struct vt_at at;

	if (op && op->life && k->life == op->life)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_KHO_SHARED, who_task(b, t, e), &at);
	x->at[1] = k->at;
	x->num[0] = (int64_t)k->phys;
	x->num[1] = k->kind;
	x->num[2] = k->life != NULL;
	if (k->life) {
		x->str[0] = intern(b, k->life->session->name);
		x->num[3] = (int64_t)k->life->token;
	}
	if (k->at.ts_ns < x->from_ns)
		x->from_ns = k->at.ts_ns;
}

static void preserved(struct vt_build *b, struct task *t, const struct vt_event *e, uint64_t phys, enum vt_kho_kind kind)
{
	struct frame *op = frame_op(t), *top = frame_top(t);
	struct kho_part *own = part_own(b, kho);
	struct block *block = vt_map__get(&own->blocks, phys);
	struct vt_restored *r;
	struct vt_kho *k;

	if (block) {
		/* Or its end was not seen, and the address is in use again: the rule asks. */
		shared(b, t, e, block);
		own->pending -= block->pending;
		unlink_kho(&block->pub);
	} else {
		block = malloc(sizeof(*block));
	}
	if (!block || vt_map__put(&own->blocks, phys, block)) {
		free(block);
		b->err = -ENOMEM;
		return;
	}
	*block = (struct block){ .pub = { .phys = phys, .kind = kind, .pages = pages_of(e), .in_op = op != NULL,
					  .frozen = op && op->type == VT_EV_OP_FREEZE }, .pending = !op && by_luo(e) };
	own->pending += block->pending;
	k = &block->pub;
	if (op)
		k->life = op->life;
	else if (top)
		k->session = top->session;
	at_set(b, &k->at, e);
	link_kho(k);
	b->side->kho_preserved++;
	/* Memory of this kernel again: what was restored here before has been freed. */
	r = vt_map__get(&own->restored, phys);
	if (r)
		r->reused = true;
}

static void unpreserved(struct vt_build *b, struct task *t, const struct vt_event *e, uint64_t phys)
{
	struct block *block = vt_map__del(&part_own(b, kho)->blocks, phys);
	struct frame *f = frame_of(t, VT_EV_OP_PRESERVE);
	struct vt_fact *x;
	struct vt_at at;

	b->side->kho_unpreserved++;
	if (block) {
		part_own(b, kho)->pending -= block->pending;
		unlink_kho(&block->pub);
		free(block);
		return;
	}
	/* Inside its own preserve a handler can only take back what it has just given. */
	if (!f)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_KHO_UNPRESERVE_UNKNOWN, who_task(b, t, e), &at);
	x->at[1] = f->enter;
	x->num[0] = (int64_t)phys;
}

static enum vt_kho_kind how_restored(uint16_t type)
{
	return type == VT_EV_KHO_RESTORE_FREE ? VT_KHO_ALLOC : type == VT_EV_KHO_RESTORE_FOLIO ? VT_KHO_FOLIO :
	       type == VT_EV_KHO_RESTORE_PAGES ? VT_KHO_PAGES : VT_KHO_VMALLOC;
}

/* KHO has nothing at that address, or does not give it out. Memory that a vmalloc area needs besides may be short: that says nothing. */
static void refused(struct vt_build *b, struct task *t, const struct vt_event *e, uint64_t phys)
{
	struct vt_fact *x;
	struct vt_at at;

	if (!is_err(e) || (e->type != VT_EV_KHO_RESTORE_FOLIO && e->type != VT_EV_KHO_RESTORE_PAGES))
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_KHO_REFUSED, who_task(b, t, e), &at);
	x->num[0] = (int64_t)phys;
	x->num[1] = (int64_t)pages_of(e);
	x->num[2] = how_restored(e->type);
	x->from_ns = at.ts_ns;
}

static void restored(struct vt_build *b, struct task *t, const struct vt_event *e, uint64_t phys)
{
	struct vt_restored *r = vt_map__get(&part_own(b, kho)->restored, phys);
	struct frame *op = frame_of(t, VT_EV_OP_RETRIEVE);
	bool ok = !is_err(e);
	struct vt_fact *x;
	struct vt_at at;

	b->side->kho_restored++;
	if (op && ok && e->type == VT_EV_KHO_RESTORE_FOLIO && !op->kho.folios++) {
		at_set(b, &op->kho.at, e);
		op->kho.phys = phys;
	}
	if (r && r->ok && !r->reused) {
		at_set(b, &at, e);
		x = fact(b, VT_FACT_KHO_TWICE, who_task(b, t, e), &at);
		x->at[1] = r->at;
		x->from_ns = r->at.ts_ns;
		x->num[0] = (int64_t)phys;
		return;
	}
	refused(b, t, e, phys);
	if (!r) {
		r = calloc(1, sizeof(*r));
		if (!r || vt_map__put(&part_own(b, kho)->restored, phys, r)) {
			free(r);
			b->err = -ENOMEM;
			return;
		}
	}
	r->phys = phys;
	op = frame_op(t);
	r->has_token = op && op->life;
	r->token = r->has_token ? op->life->token : 0;
	r->session = r->has_token ? intern(b, op->life->session->name) : NULL;
	r->pages = pages_of(e);
	r->how = how_restored(e->type);
	r->ok = ok;
	r->reused = false;
	at_set(b, &r->at, e);
}

/* ---- folios that a call left behind ---- */

static enum vt_folio_state folio_state(const struct vt_event *e)
{
	const char *name = vt_ev_str(e, VT_F_NAME);

	return name && !strcmp(name, "held") ? VT_FOLIO_HELD : name && !strcmp(name, "cached") ? VT_FOLIO_CACHED : VT_FOLIO_FREE;
}

/* A finish goes through all files of a session: whose the folio was, its restore tells. */
static struct vt_who folio_owner(struct vt_build *b, struct task *t, const struct vt_event *e, uint64_t phys)
{
	const struct vt_restored *r = vt_map__get(&part_own(b, kho)->restored, phys);
	struct vt_who who = who_task(b, t, e);
	const struct vt_life *l;

	if (who.has_token || !who.session || !r || !r->has_token)
		return who;
	l = life_named(b, VT_INCOMING, who.session, r->token);
	if (l)
		return who_life(b, l);
	who.token = r->token;
	who.has_token = true;
	return who;
}

static void folio_again(struct vt_build *b, const struct vt_event *e, uint64_t phys)
{
	for (size_t i = b->side->nr_folios; i-- > 0;) {
		struct vt_folio *f = &b->side->folios[i];

		if (f->phys != phys || f->last.type)
			continue;
		at_set(b, &f->last, e);
		f->now = folio_state(e);
		vt_ev_s64(e, VT_F_FOLIO_REF, &f->refs_now);
		return;
	}
}

static void folio(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	const struct vt_restored *r;
	struct vt_side *s = b->side;
	struct vt_folio *f;
	uint64_t phys;

	if (!vt_ev_u64(e, VT_F_PHYS, &phys))
		return;
	if (!frame_of(t, VT_EV_LUO_RETRIEVE) && !frame_of(t, VT_EV_LUO_FINISH)) {
		folio_again(b, e, phys);
		return;
	}
	if (s->nr_folios >= VT_FOLIOS_KEPT || !grow(b, &s->folios, &part_own(b, kho)->cap_folios, s->nr_folios, sizeof(*f)))
		return;
	f = &s->folios[s->nr_folios++];
	*f = (struct vt_folio){ .phys = phys, .who = folio_owner(b, t, e, phys), .then = folio_state(e),
				.in_retrieve = frame_of(t, VT_EV_LUO_RETRIEVE) != NULL };
	at_set(b, &f->left, e);
	r = vt_map__get(&part_own(b, kho)->restored, phys);
	if (r)
		f->restored = r->at;
	vt_ev_s64(e, VT_F_FOLIO_REF, &f->refs);
	f->has_accounted = vt_ev_u64(e, VT_F_CACHED, &f->cached) && vt_ev_u64(e, VT_F_ACCOUNTED, &f->accounted);
}

/* The sum of a call: comes after its folios. Calls of other tasks may lie in between. */
static void folios_sum(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *f = frame_of(t, VT_EV_LUO_RETRIEVE);
	uint64_t of = 0, held = 0, untold = 0;
	struct vt_side *s = b->side;
	struct vt_fact *x;
	struct vt_at at;

	vt_ev_u64(e, VT_F_COUNT, &of);
	vt_ev_u64(e, VT_F_HELD, &held);
	vt_ev_u64(e, VT_F_UNTOLD, &untold);
	if (f)
		f->kho.told = true;
	for (size_t i = s->nr_folios; i-- > 0 && !s->folios[i].of;) {
		struct vt_folio *o = &s->folios[i];

		if (o->left.tid != e->tid)
			continue;
		o->of = of;
		o->held = held;
		o->untold = untold;
	}
	if (!untold)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_FOLIO_UNTOLD, who_task(b, t, e), &at);
	x->num[0] = (int64_t)untold;
	x->num[1] = (int64_t)of;
}

/* Nothing tells what became of the folios that a failing retrieve restored. */
static void folios_unseen(struct vt_build *b, const struct frame *f, struct vt_who who, const struct vt_event *e)
{
	struct vt_fact *x;

	if (!f->kho.folios || f->kho.told)
		return;
	x = fact(b, VT_FACT_FOLIO_NOT_PUT, who, &f->kho.at);
	at_set(b, &x->at[1], e);
	x->num[0] = (int64_t)f->kho.phys;
	x->num[1] = f->kho.folios;
}

/* They are looked at when luo_retrieve_file() returns. */
static void retrieve_failed(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct frame *up = frame_around(t);

	if (!up || up->type != VT_EV_LUO_RETRIEVE) {
		folios_unseen(b, f, who_life(b, f->life), e);
		return;
	}
	up->kho.folios = f->kho.folios;
	up->kho.at = f->kho.at;
	up->kho.phys = f->kho.phys;
}

/* ---- events ---- */

static void kho_returned(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	if (e->type == VT_EV_LUO_PRESERVE)
		call_returned(b, e);
	else if (e->type == VT_EV_OP_FREEZE && f->life && f->enter.type && is_err(e))
		left_preserved(b, f->life, e, f->enter.index);
	else if (e->type == VT_EV_OP_RETRIEVE && f->life && is_err(e))
		retrieve_failed(b, t, f, e);
	else if (e->type == VT_EV_LUO_RETRIEVE && f->life && is_err(e))
		folios_unseen(b, f, who_life(b, f->life), e);
}

static void memory_event(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	uint64_t phys, depth = 0;

	vt_ev_u64(e, VT_F_DEPTH, &depth);
	if (!vt_ev_u64(e, VT_F_PHYS, &phys))
		return;
	if (depth) {
		refused(b, t, e, phys);
		return;
	}
	switch (e->type) {
	case VT_EV_KHO_ALLOC_PRESERVE:
	case VT_EV_KHO_PRESERVE_FOLIO:
	case VT_EV_KHO_PRESERVE_PAGES:
	case VT_EV_KHO_PRESERVE_VMALLOC:
		if (e->phase == VT_ENTER || is_err(e))
			return;
		preserved(b, t, e, phys, e->type == VT_EV_KHO_ALLOC_PRESERVE ? VT_KHO_ALLOC :
			  e->type == VT_EV_KHO_PRESERVE_FOLIO ? VT_KHO_FOLIO :
			  e->type == VT_EV_KHO_PRESERVE_PAGES ? VT_KHO_PAGES : VT_KHO_VMALLOC);
		break;
	/* Of the calls without a result one event counts: the descriptor of a vmalloc area is readable on entry only. */
	case VT_EV_KHO_UNPRESERVE_FREE:
	case VT_EV_KHO_UNPRESERVE_FOLIO:
	case VT_EV_KHO_UNPRESERVE_PAGES:
	case VT_EV_KHO_UNPRESERVE_VMALLOC:
		if (e->phase != (e->type == VT_EV_KHO_UNPRESERVE_VMALLOC ? VT_EXIT : VT_ENTER))
			unpreserved(b, t, e, phys);
		break;
	default:
		if (e->phase != (e->type == VT_EV_KHO_RESTORE_VMALLOC ? VT_EXIT : VT_ENTER))
			restored(b, t, e, phys);
		break;
	}
}

static void kho_point(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	if (e->type == VT_EV_KHO_FOLIO)
		folio(b, t, e);
	else if (e->type == VT_EV_KHO_FOLIOS)
		folios_sum(b, t, e);
	else if (e->type == VT_EV_SESSION_CREATE && e->phase != VT_ENTER)
		call_returned(b, e);
	else if (kind_area(e->type) == VT_AREA_KHO)
		memory_event(b, t, e);
}

const struct vt_restored *vt_side__restored(const struct vt_side *s, uint64_t phys)
{
	return vt_map__get(&part_own(build_of(s), kho)->restored, phys);
}

uint64_t vt_side__page(const struct vt_side *s)
{
	const char *machine = vt_trace__meta(s->trace, "machine");

	return !machine || !*machine || !strcmp(machine, "x86_64") ? VT_PAGE : 16 * VT_PAGE;
}

static int by_restored(const void *a, const void *b)
{
	const struct vt_restored *x = *(struct vt_restored *const *)a, *y = *(struct vt_restored *const *)b;

	return x->phys < y->phys ? -1 : x->phys > y->phys;
}

static void sort_restored(struct vt_build *b)
{
	struct vt_map *restored = &part_own(b, kho)->restored;
	struct vt_side *s = b->side;
	struct vt_restored *r;
	size_t i = 0;

	s->restored = calloc(restored->live + 1, sizeof(*s->restored));
	if (!s->restored) {
		b->err = -ENOMEM;
		return;
	}
	while ((r = vt_map__next(restored, &i)))
		s->restored[s->nr_restored++] = r;
	qsort(s->restored, s->nr_restored, sizeof(*s->restored), by_restored);
}

static int by_phys(const void *a, const void *b)
{
	const struct vt_kho *x = *(struct vt_kho *const *)a, *y = *(struct vt_kho *const *)b;

	return x->phys < y->phys ? -1 : x->phys > y->phys;
}

static void kho_finalize(struct vt_build *b)
{
	struct vt_map *blocks = &part_own(b, kho)->blocks;
	struct vt_side *s = b->side;
	struct block *k;
	size_t i = 0;

	s->kho = calloc(blocks->live + 1, sizeof(*s->kho));
	if (!s->kho) {
		b->err = -ENOMEM;
		return;
	}
	while ((k = vt_map__next(blocks, &i)))
		s->kho[s->nr_kho++] = &k->pub;
	qsort(s->kho, s->nr_kho, sizeof(*s->kho), by_phys);
	sort_restored(b);
}

static void kho_free(struct vt_build *b)
{
	struct kho_part *own = part_own(b, kho);
	struct vt_restored *r;
	struct block *k;
	size_t i = 0;

	while ((k = vt_map__next(&own->blocks, &i)))
		free(k);
	for (i = 0; (r = vt_map__next(&own->restored, &i));)
		free(r);
	vt_map__free(&own->blocks);
	vt_map__free(&own->restored);
	free(b->side->kho);
	free(b->side->restored);
	free(b->side->folios);
}

const struct part part_kho = {
	.size = sizeof(struct kho_part),
	.areas = AREA(SESSION) | AREA(KHO),
	.point = kho_point, .call_returned = kho_returned, .life_ended = kho_life_ended,
	.life_gone = kho_life_gone, .session_gone = kho_session_gone, .finalize = kho_finalize, .free = kho_free,
};
