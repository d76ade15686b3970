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
#include "model/pool.h"
#include "model/ranges.h"

/* Blocks as the builder sees them. */
struct block {
	struct vt_range r;	/* first: the tree's */
	struct vt_kho pub;	/* the public face */
	uint16_t pending;	/* by LUO itself, in a call of this type that has not returned yet; 0: none */
	const char *site;	/* of whoever gave it outside of LUO */
};

struct restored {
	struct vt_range r;
	struct vt_restored pub;
};

struct kho_part {
	struct vt_ranges blocks;	/* still preserved */
	size_t pending;			/* of them */
	struct vt_ranges restored;
	struct vt_pool spare;		/* of blocks */
	struct vt_pool spare_sums;
	size_t cap_folios;
};

#define ALL 0, UINT64_MAX

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

static struct vt_sum *sum_find(const struct vt_life *l, enum vt_way way, uint8_t order)
{
	for (struct vt_sum *s = l->sums; s; s = s->next)
		if (s->way == way && s->order == order)
			return s;
	return NULL;
}

uint64_t vt_life__untold(const struct vt_life *l)
{
	uint64_t n = 0;

	for (const struct vt_sum *s = l->sums; s; s = s->next)
		n += s->untold;
	return n;
}

/* Blocks that L gave and did not take back, where not each has a record of its own. */
static void left_by_sum(struct vt_build *b, struct vt_life *l, const struct vt_event *e)
{
	for (const struct vt_sum *s = l->sums; s; s = s->next) {
		const struct vt_sum *back = s->way == VT_GIVEN ? sum_find(l, VT_TAKEN_BACK, s->order) : NULL;
		uint64_t n = back ? back->count : 0;
		struct vt_fact *x;
		struct vt_at at;

		if (s->way != VT_GIVEN || s->count <= n)
			continue;
		at_set(b, &at, e);
		x = fact(b, VT_FACT_KHO_LEFT, who_life(b, l), &at);
		x->at[1] = s->at;
		x->num[1] = (int64_t)(s->count - n);
		x->num[2] = s->order == VT_NO_FOLIO ? VT_KHO_PAGES : VT_KHO_FOLIO;
		x->num[3] = 1;
		l->odd = true;
	}
}

/* What L's callbacks left preserved, since the event of index SINCE, is a fact. */
static void left_preserved(struct vt_build *b, struct vt_life *l, const struct vt_event *e, uint64_t since)
{
	bool some = vt_life__untold(l) > 0;
	struct vt_kho *k = l->kho, *next;
	struct vt_fact *x = NULL;
	struct vt_at at;

	if (some && !since)
		left_by_sum(b, l, e);
	for (; k; k = next) {
		next = k->next;
		if (!k->in_op || k->at.index < since || (some && (k->kind == VT_KHO_FOLIO || k->kind == VT_KHO_PAGES)))
			continue;
		if (!x) {
			at_set(b, &at, e);
			x = fact(b, VT_FACT_KHO_LEFT, who_life(b, l), &at);
			x->at[1] = k->at;
			x->num[0] = (int64_t)k->phys;
			x->num[2] = k->kind;
			l->odd = true;
		}
		x->num[1] += (int64_t)k->count;
		unlink_kho(k);
	}
}

static void kho_life_ended(struct vt_build *b, struct vt_life *l, const struct vt_event *e)
{
	left_preserved(b, l, e, 0);
}

static void kho_life_gone(struct vt_build *b, struct vt_life *l)
{
	struct vt_sum *s;

	while (l->kho)
		unlink_kho(l->kho);
	while ((s = l->sums)) {
		l->sums = s->next;
		vt_pool__put(&part_own(b, kho)->spare_sums, s);
	}
}

static void kho_session_gone(struct vt_build *b, struct vt_session *s)
{
	while (s->kho)
		unlink_kho(s->kho);
}

/* By LUO's own code, in one of the calls that make room for an entry and may fail (kho_block_set_grow()): which, or 0. */
static uint16_t by_luo(const struct vt_event *e)
{
	const char *within = vt_ev_str(e, VT_F_WITHIN);

	if (within && !strcmp(within, vt_event_name(VT_EV_SESSION_CREATE)))
		return VT_EV_SESSION_CREATE;
	return within && !strcmp(within, vt_event_name(VT_EV_LUO_PRESERVE)) ? VT_EV_LUO_PRESERVE : 0;
}

struct returned {
	struct vt_build *b;
	const struct vt_event *e;
	struct vt_fact *x;
};

static void pending_over(void *arg, struct vt_range *r)
{
	struct block *block = (struct block *)r;
	const struct vt_kho *k = &block->pub;
	struct returned *d = arg;
	struct vt_fact *x = d->x;
	uint16_t call = block->pending;
	struct vt_at at;

	if (!call || k->at.tid != d->e->tid)
		return;
	block->pending = 0;
	part_own(d->b, kho)->pending--;
	/* How a call of the other type has ended, nobody saw. */
	if (!is_err(d->e) || call != d->e->type)
		return;
	if (!x) {
		at_set(d->b, &at, d->e);
		x = fact(d->b, VT_FACT_KHO_LEFT, (struct vt_who){ .session = intern_event(d->b, vt_ev_str(d->e, VT_F_SESSION)) }, &at);
		x->who.has_token = vt_ev_u64(d->e, VT_F_TOKEN, &x->who.token);
		x->at[1] = k->at;
		x->from_ns = k->at.ts_ns;
		x->num[0] = (int64_t)k->phys;
		x->num[2] = k->kind;
		d->x = x;
	}
	if (k->at.ts_ns < x->from_ns)
		x->from_ns = k->at.ts_ns;
	x->num[1] += (int64_t)k->count;
}

/* luo_session_create() or luo_preserve_file() returned: one that failed has nothing preserved of its own. */
static void call_returned(struct vt_build *b, const struct vt_event *e)
{
	struct returned d = { .b = b, .e = e };

	if (part_own(b, kho)->pending)
		vt_ranges__each(&part_own(b, kho)->blocks, ALL, pending_over, &d);
}

/* How many pages E is about, or 0. */
static uint64_t pages_of(const struct vt_build *b, const struct vt_event *e)
{
	uint64_t n = 0, size;

	if (vt_ev_u64(e, VT_F_PAGES, &n))
		return n;
	if (vt_ev_u64(e, VT_F_ORDER, &n))
		return n < 64 ? 1ull << n : 0;
	/* kho_alloc_preserve() rounds up to a power of two. */
	if (!vt_ev_u64(e, VT_F_SIZE, &size) || !size || size > UINT64_MAX / 4)
		return 0;
	for (n = 1; n * b->side->page < size;)
		n *= 2;
	return n;
}

/* The memory that an event is about, in blocks of one size. */
struct area {
	struct vt_range r;	/* a page when the event does not tell how much it is */
	uint64_t pages, count;	/* pages 0: not told */
};

static bool area_of(const struct vt_build *b, const struct vt_event *e, struct area *a)
{
	uint64_t pages = pages_of(b, e), page = b->side->page;

	if (!vt_ev_u64(e, VT_F_PHYS, &a->r.start))
		return false;
	if (pages > (UINT64_MAX - a->r.start) / page)
		pages = 0;
	if (!vt_ev_u64(e, VT_F_COUNT, &a->count) || !a->count || !pages || pages % a->count)
		a->count = 1;
	a->pages = pages;
	a->r.end = a->r.start > UINT64_MAX - page ? UINT64_MAX : a->r.start + (pages ? pages : 1) * page;
	return a->r.start < a->r.end;
}

/* Of PAGES in COUNT blocks from START on, what is left of them from FROM to TO: whole blocks keep their size. */
static void blocks_within(const struct vt_build *b, uint64_t *pages, uint64_t *count, const struct vt_range *r)
{
	uint64_t size = *pages ? *pages / *count : 1, n = (r->end - r->start) / b->side->page;

	if (*pages)
		*pages = n;
	*count = n >= size ? n / size : 1;
}

static void drop_block(struct vt_build *b, struct block *block)
{
	struct kho_part *own = part_own(b, kho);

	own->pending -= block->pending != 0;
	unlink_kho(&block->pub);
	vt_ranges__del(&own->blocks, &block->r);
	vt_pool__put(&own->spare, block);
}

/* BLOCK, from the pool, from now on stands for R, or for what of it lies there. */
static void keep_block(struct vt_build *b, struct block *block, const struct vt_range *r)
{
	struct kho_part *own = part_own(b, kho);

	block->r.start = r->start;
	block->r.end = r->end;
	block->pub.phys = r->start;
	block->pub.prev = block->pub.next = NULL;
	blocks_within(b, &block->pub.pages, &block->pub.count, r);
	vt_ranges__add(&own->blocks, &block->r);
	own->pending += block->pending != 0;
	link_kho(&block->pub);
}

static void add_block(struct vt_build *b, const struct block *from, const struct vt_range *r)
{
	struct block *block = vt_pool__get(&part_own(b, kho)->spare, sizeof(*block));

	if (!block) {
		b->err = -ENOMEM;
		return;
	}
	*block = *from;
	keep_block(b, block, r);
}

/* Takes OUT out of BLOCK; what lies before and behind stays preserved. */
static void cut_block(struct vt_build *b, struct block *block, const struct vt_range *out)
{
	struct vt_range before = { .start = block->r.start, .end = out->start }, behind = { .start = out->end, .end = block->r.end };
	struct block was;

	if (before.start >= before.end && behind.start >= behind.end) {
		drop_block(b, block);
		return;
	}
	was = *block;
	drop_block(b, block);
	if (before.start < before.end)
		add_block(b, &was, &before);
	if (behind.start < behind.end)
		add_block(b, &was, &behind);
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

struct giving {
	struct vt_build *b;
	struct task *t;
	const struct vt_event *e;
	struct vt_range r;
};

/* Or its end was not seen, and the address is in use again: the rule asks. */
static void given_again(void *arg, struct vt_range *r)
{
	struct giving *g = arg;

	shared(g->b, g->t, g->e, (struct block *)r);
	cut_block(g->b, (struct block *)r, &g->r);
}

/* Memory of this kernel again: what was restored here before has been freed. */
static void used_again(void *arg, struct vt_range *r)
{
	(void)arg;
	((struct restored *)r)->pub.reused = true;
}

static void preserved(struct vt_build *b, struct task *t, const struct vt_event *e, const struct area *a, enum vt_kho_kind kind)
{
	struct frame *op = frame_op(t), *top = frame_top(t);
	struct giving g = { .b = b, .t = t, .e = e, .r = a->r };
	struct kho_part *own = part_own(b, kho);
	struct block *block;

	if (own->blocks.root)
		vt_ranges__each(&own->blocks, a->r.start, a->r.end, given_again, &g);
	block = vt_pool__get(&own->spare, sizeof(*block));
	if (!block) {
		b->err = -ENOMEM;
		return;
	}
	block->pub = (struct vt_kho){
		.kind = kind, .pages = a->pages, .count = a->count, .in_op = op != NULL, .frozen = op && op->type == VT_EV_OP_FREEZE,
		.life = op ? op->life : NULL, .session = !op && top ? top->session : NULL,
	};
	block->pending = op ? 0 : by_luo(e);
	block->site = intern_event(b, vt_ev_str(e, VT_F_SITE));
	at_set(b, &block->pub.at, e);
	keep_block(b, block, &a->r);
	b->side->kho_preserved += a->count;
	if (own->restored.root)
		vt_ranges__each(&own->restored, a->r.start, a->r.end, used_again, NULL);
}

/* Does a block of what is kept begin at PHYS? */
static bool begins_at(const struct vt_build *b, const struct vt_range *r, uint64_t pages, uint64_t count, uint64_t phys)
{
	return r && (phys - r->start) % ((pages ? pages / count : 1) * b->side->page) == 0;
}

struct taking {
	struct vt_build *b;
	struct vt_range r;
	uint64_t until;		/* all was preserved from the start of R up to here */
};

static void taken_back(void *arg, struct vt_range *r)
{
	struct taking *t = arg;

	if (r->start <= t->until && r->end > t->until)
		t->until = r->end;
	cut_block(t->b, (struct block *)r, &t->r);
}

/* Where nothing says how much it is, a block that begins there is taken back whole. */
static bool whole_block(struct vt_build *b, const struct area *a, struct vt_range *r)
{
	struct block *block = (struct block *)vt_ranges__find(&part_own(b, kho)->blocks, a->r.start, a->r.start + 1);
	uint64_t size;

	if (!block || !begins_at(b, &block->r, block->pub.pages, block->pub.count, a->r.start))
		return false;
	size = block->pub.pages ? block->pub.pages / block->pub.count * b->side->page : block->r.end - block->r.start;
	*r = (struct vt_range){ .start = a->r.start, .end = a->r.start + size };
	return true;
}

/* The callback that answers for what is taken back: all that its file gave was seen, from its first callback on. */
static struct frame *taker(struct task *t)
{
	struct frame *f = frame_op(t);

	if (!f || f->type == VT_EV_OP_PRESERVE)
		return f;
	return f->life && f->life->dir == VT_OUTGOING && f->life->enter[VT_STEP_PRESERVE].type && !f->life->session->early ? f : NULL;
}

static void unpreserved(struct vt_build *b, struct task *t, const struct vt_event *e, const struct area *a)
{
	struct taking k = { .b = b, .r = a->r, .until = a->r.start };
	struct frame *f = taker(t);
	struct vt_fact *x;
	struct vt_at at;

	b->side->kho_unpreserved += a->count;
	if (a->pages || whole_block(b, a, &k.r))
		vt_ranges__each(&part_own(b, kho)->blocks, k.r.start, k.r.end, taken_back, &k);
	/* A handler can only take back what its callbacks have given. Of a single block its beginning says it. */
	if (!f || k.until >= k.r.end || (a->count == 1 && k.until > k.r.start))
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_KHO_UNPRESERVE_UNKNOWN, who_task(b, t, e), &at);
	x->at[1] = f->type == VT_EV_OP_PRESERVE ? f->enter : f->life->enter[VT_STEP_PRESERVE];
	x->num[1] = f->type;
	x->num[0] = (int64_t)k.until;
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
	x->num[1] = (int64_t)pages_of(b, e);
	x->num[2] = how_restored(e->type);
	x->from_ns = 0;		/* what took it out before would be another bug */
}

struct taking_out {
	struct vt_build *b;
	const struct restored *first;	/* that has an owner already */
};

static void has_owner(void *arg, struct vt_range *r)
{
	const struct restored *o = (struct restored *)r;
	struct taking_out *t = arg;

	if (!t->first && o->pub.ok && !o->pub.reused)
		t->first = o;
}

static void add_restored(struct vt_build *b, const struct vt_restored *pub, const struct vt_range *r)
{
	struct restored *o = malloc(sizeof(*o));

	if (!o) {
		b->err = -ENOMEM;
		return;
	}
	o->r = *r;
	o->pub = *pub;
	o->pub.phys = r->start;
	if (!pub->count)
		o->pub.count = 1;
	vt_ranges__add(&part_own(b, kho)->restored, &o->r);
}

struct replacing {
	struct vt_build *b;
	struct vt_range r;
};

/* A restore that failed, or of memory that is long used for something else. */
static void replaced(void *arg, struct vt_range *r)
{
	struct restored *o = (struct restored *)r, was = *o;
	struct replacing *p = arg;
	struct vt_range before = { .start = was.r.start, .end = p->r.start }, behind = { .start = p->r.end, .end = was.r.end };

	vt_ranges__del(&part_own(p->b, kho)->restored, &o->r);
	free(o);
	if (before.start < before.end) {
		struct vt_restored pub = was.pub;

		blocks_within(p->b, &pub.pages, &pub.count, &before);
		add_restored(p->b, &pub, &before);
	}
	if (behind.start < behind.end) {
		struct vt_restored pub = was.pub;

		blocks_within(p->b, &pub.pages, &pub.count, &behind);
		add_restored(p->b, &pub, &behind);
	}
}

/* Without CONFIG_XARRAY_MULTI. A folio that fills a slot of the tree (XA_CHUNK_SHIFT) needs no further ones. */
static void large_restored(struct vt_build *b, struct frame *op, const struct vt_event *e, uint64_t phys)
{
	uint64_t order;

	if (!b->side->single_pages || op->kho.order || !vt_ev_u64(e, VT_F_ORDER, &order) || !(order % 6))
		return;
	at_set(b, &op->kho.large_at, e);
	op->kho.large = phys;
	op->kho.order = order;
}

static void restored(struct vt_build *b, struct task *t, const struct vt_event *e, const struct area *a)
{
	struct vt_ranges *all = &part_own(b, kho)->restored;
	struct frame *op = frame_of(t, VT_EV_OP_RETRIEVE);
	struct replacing p = { .b = b, .r = a->r };
	struct vt_restored r = { .pages = a->pages, .count = a->count, .how = how_restored(e->type), .ok = !is_err(e) };
	struct taking_out out = { .b = b };
	struct vt_fact *x;

	at_set(b, &r.at, e);
	b->side->kho_restored += a->count;
	if (op && r.ok && e->type == VT_EV_KHO_RESTORE_FOLIO) {
		if (!op->kho.folios) {
			op->kho.at = r.at;
			op->kho.phys = a->r.start;
		}
		op->kho.folios += a->count;
		large_restored(b, op, e, a->r.start);
	}
	vt_ranges__each(all, a->r.start, a->r.end, has_owner, &out);
	if (out.first) {
		x = fact(b, VT_FACT_KHO_TWICE, who_task(b, t, e), &r.at);
		x->at[1] = out.first->pub.at;
		x->from_ns = out.first->pub.at.ts_ns;
		x->num[0] = (int64_t)(a->r.start > out.first->r.start ? a->r.start : out.first->r.start);
		return;
	}
	refused(b, t, e, a->r.start);
	vt_ranges__each(all, a->r.start, a->r.end, replaced, &p);
	op = frame_op(t);
	r.has_token = op && op->life;
	r.token = r.has_token ? op->life->token : 0;
	r.session = r.has_token ? intern(b, op->life->session->name) : NULL;
	add_restored(b, &r, &a->r);
}

/* ---- what a call did to memory, as it was over ---- */

static enum vt_way way_named(const char *name)
{
	return !name ? VT_WAYS : !strcmp(name, "preserved") ? VT_GIVEN : !strcmp(name, "unpreserved") ? VT_TAKEN_BACK :
	       !strcmp(name, "restored") ? VT_RESTORED : VT_WAYS;
}

static struct vt_sum *sum_of(struct vt_build *b, struct vt_life *l, enum vt_way way, uint8_t order)
{
	struct vt_sum *s = sum_find(l, way, order);

	if (s)
		return s;
	s = vt_pool__get(&part_own(b, kho)->spare_sums, sizeof(*s));
	if (!s) {
		b->err = -ENOMEM;
		return NULL;
	}
	*s = (struct vt_sum){ .way = way, .order = order, .next = l->sums };
	return l->sums = s;
}

static void summed_up(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	enum vt_way way = way_named(vt_ev_str(e, VT_F_NAME));
	uint64_t order = VT_NO_FOLIO, n = 0;
	struct frame *op = frame_op(t);
	struct vt_sum *s;

	if (way == VT_WAYS || !op || !op->life || (vt_ev_u64(e, VT_F_ORDER, &order) && order >= VT_NO_FOLIO))
		return;
	s = sum_of(b, op->life, way, (uint8_t)order);
	if (!s)
		return;
	at_set(b, &s->at, e);
	s->count += vt_ev_u64(e, VT_F_COUNT, &n) ? n : 0;
	s->pages += vt_ev_u64(e, VT_F_PAGES, &n) ? n : 0;
	s->digest += vt_ev_u64(e, VT_F_DIGEST, &n) ? n : 0;
	s->untold += vt_ev_u64(e, VT_F_UNTOLD, &n) ? n : 0;
}

/* ---- folios that a call left behind ---- */

static enum vt_folio_state folio_state(const struct vt_event *e)
{
	static const char *const names[] = { [VT_FOLIO_HELD] = "held", [VT_FOLIO_CACHED] = "cached", [VT_FOLIO_REUSED] = "reused" };
	const char *name = vt_ev_str(e, VT_F_NAME);

	for (size_t i = 0; name && i < sizeof(names) / sizeof(*names); i++) {
		if (names[i] && !strcmp(name, names[i]))
			return i;
	}
	return VT_FOLIO_FREE;
}

static const struct vt_restored *restored_at(struct vt_build *b, uint64_t phys)
{
	struct restored *o = (struct restored *)vt_ranges__find(&part_own(b, kho)->restored, phys, phys + (phys < UINT64_MAX));

	return o && begins_at(b, &o->r, o->pub.pages, o->pub.count, phys) ? &o->pub : NULL;
}

/* A finish goes through all files of a session: whose the folio was, its restore tells. */
static struct vt_who folio_owner(struct vt_build *b, struct task *t, const struct vt_event *e, uint64_t phys)
{
	const struct vt_restored *r = restored_at(b, phys);
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

/* The kernel is about to jump, and memory that others than LUO gave to KHO is nobody's, or not theirs, any more. */
static void freed_outside(struct vt_build *b, const struct vt_event *e, uint64_t phys)
{
	struct block *block = (struct block *)vt_ranges__find(&part_own(b, kho)->blocks, phys, phys + (phys < UINT64_MAX));
	enum vt_folio_state now = folio_state(e);
	struct vt_fact *x;
	struct vt_at at;
	int64_t refs;

	if (!block || block->pub.life || block->pub.session || block->r.start != phys || !vt_ev_s64(e, VT_F_FOLIO_REF, &refs) ||
	    !(now == VT_FOLIO_REUSED || (now == VT_FOLIO_FREE && !refs)))
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_KHO_FREED, (struct vt_who){ 0 }, &at);
	x->at[1] = block->pub.at;
	x->from_ns = block->pub.at.ts_ns;
	x->num[0] = (int64_t)phys;
	x->num[1] = refs;
	x->str[0] = block->site;
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
		freed_outside(b, e, phys);
		return;
	}
	if (s->nr_folios >= VT_FOLIOS_KEPT || !grow(b, &s->folios, &part_own(b, kho)->cap_folios, s->nr_folios, sizeof(*f)))
		return;
	f = &s->folios[s->nr_folios++];
	*f = (struct vt_folio){ .phys = phys, .who = folio_owner(b, t, e, phys), .then = folio_state(e),
				.in_retrieve = frame_of(t, VT_EV_LUO_RETRIEVE) != NULL };
	at_set(b, &f->left, e);
	r = restored_at(b, phys);
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

/* The file is there, and with it the folio in its page cache. */
static void large_kept(struct vt_build *b, const struct frame *f, const struct vt_event *e)
{
	struct vt_fact *x = fact(b, VT_FACT_KHO_LARGE, who_life(b, f->life), &f->kho.large_at);

	at_set(b, &x->at[1], e);
	x->num[0] = (int64_t)f->kho.large;
	x->num[1] = (int64_t)f->kho.order;
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
	else if (e->type == VT_EV_OP_RETRIEVE && f->life && f->kho.order)
		large_kept(b, f, e);
	else if (e->type == VT_EV_LUO_RETRIEVE && f->life && is_err(e))
		folios_unseen(b, f, who_life(b, f->life), e);
}

/* Within another traced KHO call, which tells of it. */
static bool part_of_another(const struct vt_event *e)
{
	uint64_t depth = 0;

	return vt_ev_u64(e, VT_F_DEPTH, &depth) && depth;
}

static enum vt_kho_kind how_given(uint16_t type)
{
	return type == VT_EV_KHO_ALLOC_PRESERVE ? VT_KHO_ALLOC : type == VT_EV_KHO_PRESERVE_FOLIO ? VT_KHO_FOLIO :
	       type == VT_EV_KHO_PRESERVE_PAGES ? VT_KHO_PAGES : VT_KHO_VMALLOC;
}

static void gives(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct area a;

	if (e->phase != VT_ENTER && !is_err(e) && !part_of_another(e) && area_of(b, e, &a))
		preserved(b, t, e, &a, how_given(e->type));
}

/* Of the calls without a result one event counts: the descriptor of a vmalloc area is readable on entry only. */
static void takes_back(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct area a;

	if (e->phase != (e->type == VT_EV_KHO_UNPRESERVE_VMALLOC ? VT_EXIT : VT_ENTER) && !part_of_another(e) && area_of(b, e, &a))
		unpreserved(b, t, e, &a);
}

static void restores(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct area a;

	if (!area_of(b, e, &a))
		return;
	if (part_of_another(e))
		refused(b, t, e, a.r.start);
	else if (e->phase != (e->type == VT_EV_KHO_RESTORE_VMALLOC ? VT_EXIT : VT_ENTER))
		restored(b, t, e, &a);
}

static void session_created(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	if (e->phase != VT_ENTER)
		call_returned(b, e);
}

static const struct heard kho_points[] = {
	{ VT_EV_KHO_ALLOC_PRESERVE, gives }, { VT_EV_KHO_PRESERVE_FOLIO, gives },
	{ VT_EV_KHO_PRESERVE_PAGES, gives }, { VT_EV_KHO_PRESERVE_VMALLOC, gives },
	{ VT_EV_KHO_UNPRESERVE_FREE, takes_back }, { VT_EV_KHO_UNPRESERVE_FOLIO, takes_back },
	{ VT_EV_KHO_UNPRESERVE_PAGES, takes_back }, { VT_EV_KHO_UNPRESERVE_VMALLOC, takes_back },
	{ VT_EV_KHO_RESTORE_FREE, restores }, { VT_EV_KHO_RESTORE_FOLIO, restores },
	{ VT_EV_KHO_RESTORE_PAGES, restores }, { VT_EV_KHO_RESTORE_VMALLOC, restores },
	{ VT_EV_KHO_FOLIO, folio }, { VT_EV_KHO_FOLIOS, folios_sum }, { VT_EV_KHO_MEMORY, summed_up },
	{ VT_EV_SESSION_CREATE, session_created }, { 0 },
};

const struct vt_restored *vt_side__restored(const struct vt_side *s, uint64_t phys)
{
	return restored_at(build_of(s), phys);
}

static void list_block(void *arg, struct vt_range *r)
{
	struct vt_side *s = arg;

	s->kho[s->nr_kho++] = &((struct block *)r)->pub;
}

static void list_restored(void *arg, struct vt_range *r)
{
	struct vt_side *s = arg;

	s->restored[s->nr_restored++] = &((struct restored *)r)->pub;
}

static void kho_finalize(struct vt_build *b)
{
	struct kho_part *own = part_own(b, kho);
	struct vt_side *s = b->side;

	s->kho = calloc(own->blocks.nr + 1, sizeof(*s->kho));
	s->restored = calloc(own->restored.nr + 1, sizeof(*s->restored));
	if (!s->kho || !s->restored) {
		b->err = -ENOMEM;
		return;
	}
	vt_ranges__each(&own->blocks, ALL, list_block, s);
	vt_ranges__each(&own->restored, ALL, list_restored, s);
}

static void kho_free(struct vt_build *b)
{
	struct kho_part *own = part_own(b, kho);
	vt_ranges__free(&own->blocks, free);
	vt_ranges__free(&own->restored, free);
	vt_pool__free(&own->spare);
	vt_pool__free(&own->spare_sums);
	free(b->side->kho);
	free(b->side->restored);
	free(b->side->folios);
}

const struct part part_kho = {
	.size = sizeof(struct kho_part),
	.points = kho_points, .call_returned = kho_returned, .returned_areas = AREA(LUO) | AREA(OP), .life_ended = kho_life_ended,
	.life_gone = kho_life_gone, .session_gone = kho_session_gone, .finalize = kho_finalize, .free = kho_free,
};
