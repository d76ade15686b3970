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
	if (k->life && k->in_op)
		k->life->kho_live--;
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
	if (k->life && k->in_op)
		k->life->kho_live++;
}

/* K's life or session is about to be forgotten; with FACT, what its callbacks left is a fact. */
void kho_disown_life(struct vt_build *b, struct vt_life *l, enum vt_fact_kind kind, const struct vt_at *at, bool op_only)
{
	struct vt_kho *k = l->kho, *next;
	struct vt_fact *x = NULL;

	for (; k; k = next) {
		next = k->next;
		if (op_only && !k->in_op)
			continue;
		if (kind != VT_FACT_MAX && !x) {
			x = fact(b, kind, who_life(b, l), at);
			x->at[1] = k->at;
			x->num[0] = (int64_t)k->phys;
			x->num[2] = k->kind;
			l->odd = true;
		}
		if (x)
			x->num[1]++;
		unlink_kho(k);
	}
}

void kho_disown_session(struct vt_session *s)
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

void kho_call_returned(struct vt_build *b, const struct vt_event *e)
{
	struct vt_fact *x = NULL;
	struct vt_kho *k;
	struct vt_at at;
	size_t i = 0;

	while (b->kho_pending && (k = vt_map__next(&b->kho, &i))) {
		if (!k->pending || k->at.tid != e->tid)
			continue;
		k->pending = false;
		b->kho_pending--;
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

static void preserved(struct vt_build *b, struct task *t, const struct vt_event *e, uint64_t phys, enum vt_kho_kind kind)
{
	struct frame *op = frame_op(t), *top = frame_top(t);
	struct vt_kho *k = vt_map__get(&b->kho, phys);
	struct vt_restored *r;

	if (k) {
		/* Its end was not seen; the address is in use again. */
		b->kho_pending -= k->pending;
		unlink_kho(k);
	} else {
		k = malloc(sizeof(*k));
	}
	if (!k || vt_map__put(&b->kho, phys, k)) {
		free(k);
		b->err = -ENOMEM;
		return;
	}
	*k = (struct vt_kho){ .phys = phys, .kind = kind, .in_op = op != NULL, .pending = !op && by_luo(e) };
	b->kho_pending += k->pending;
	if (op)
		k->life = op->life;
	else if (top)
		k->session = top->session;
	at_set(b, &k->at, e);
	link_kho(k);
	b->side->kho_preserved++;
	/* Memory of this kernel again: what was restored here before has been freed. */
	r = vt_map__get(&b->restored, phys);
	if (r)
		r->reused = true;
}

static void unpreserved(struct vt_build *b, struct task *t, const struct vt_event *e, uint64_t phys)
{
	struct vt_kho *k = vt_map__del(&b->kho, phys);
	struct frame *f = frame_of(t, VT_EV_OP_PRESERVE);
	struct vt_fact *x;
	struct vt_at at;

	b->side->kho_unpreserved++;
	if (k) {
		b->kho_pending -= k->pending;
		unlink_kho(k);
		free(k);
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

static void restored(struct vt_build *b, struct task *t, const struct vt_event *e, uint64_t phys)
{
	struct vt_restored *r = vt_map__get(&b->restored, phys);
	struct frame *op = frame_of(t, VT_EV_OP_RETRIEVE);
	bool ok = !is_err(e);
	struct vt_fact *x;
	struct vt_at at;

	b->side->kho_restored++;
	if (op && ok && e->type == VT_EV_KHO_RESTORE_FOLIO && !op->folios++) {
		at_set(b, &op->folio_at, e);
		op->folio_phys = phys;
	}
	if (r && r->ok && !r->reused) {
		at_set(b, &at, e);
		x = fact(b, VT_FACT_KHO_TWICE, who_task(b, t, e), &at);
		x->at[1] = r->at;
		x->from_ns = r->at.ts_ns;
		x->num[0] = (int64_t)phys;
		return;
	}
	if (!r) {
		r = calloc(1, sizeof(*r));
		if (!r || vt_map__put(&b->restored, phys, r)) {
			free(r);
			b->err = -ENOMEM;
			return;
		}
	}
	r->phys = phys;
	op = frame_op(t);
	r->has_token = op && op->life;
	r->token = r->has_token ? op->life->token : 0;
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
	const struct vt_restored *r = vt_map__get(&b->restored, phys);
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
	if (s->nr_folios >= VT_FOLIOS_KEPT || !grow(b, &s->folios, &b->cap_folios, s->nr_folios, sizeof(*f)))
		return;
	f = &s->folios[s->nr_folios++];
	*f = (struct vt_folio){ .phys = phys, .who = folio_owner(b, t, e, phys), .then = folio_state(e),
				.in_retrieve = frame_of(t, VT_EV_LUO_RETRIEVE) != NULL };
	at_set(b, &f->left, e);
	r = vt_map__get(&b->restored, phys);
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
		f->folios_told = true;
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

void kho_event(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	uint64_t phys, depth = 0;

	if (e->type == VT_EV_KHO_FOLIO)
		return folio(b, t, e);
	if (e->type == VT_EV_KHO_FOLIOS)
		return folios_sum(b, t, e);
	vt_ev_u64(e, VT_F_DEPTH, &depth);
	if (depth || !vt_ev_u64(e, VT_F_PHYS, &phys))
		return;
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

const struct vt_restored *vt_side__restored(const struct vt_side *s, uint64_t phys)
{
	return vt_map__get(&s->build->restored, phys);
}

static int by_phys(const void *a, const void *b)
{
	const struct vt_kho *x = *(struct vt_kho *const *)a, *y = *(struct vt_kho *const *)b;

	return x->phys < y->phys ? -1 : x->phys > y->phys;
}

void kho_finalize(struct vt_build *b)
{
	struct vt_side *s = b->side;
	struct vt_kho *k;
	size_t i = 0;

	s->kho = calloc(b->kho.live + 1, sizeof(*s->kho));
	if (!s->kho) {
		b->err = -ENOMEM;
		return;
	}
	while ((k = vt_map__next(&b->kho, &i)))
		s->kho[s->nr_kho++] = k;
	qsort(s->kho, s->nr_kho, sizeof(*s->kho), by_phys);
}

void kho_free_all(struct vt_build *b)
{
	struct vt_restored *r;
	struct vt_kho *k;
	size_t i = 0;

	while ((k = vt_map__next(&b->kho, &i)))
		free(k);
	for (i = 0; (r = vt_map__next(&b->restored, &i));)
		free(r);
	vt_map__free(&b->kho);
	vt_map__free(&b->restored);
	free(b->side->kho);
	free(b->side->folios);
}
