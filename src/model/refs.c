// SPDX-License-Identifier: GPL-2.0
/*
 * References that LUO takes for each file: on the module of its handler, and on
 * the shared data (FLB) that the handler depends on.
 *
 * Modules are judged by LUO's own try_module_get() and module_put(), call by
 * call: other users come and go at any time. Samples of the count itself prove
 * only that there are fewer references than LUO's.
 *
 * FLB counts are added up from all that changes them and compared with samples
 * taken while no other task is inside LUO. A sample between somebody's change
 * and the record of it would be off, so a difference is believed when it is
 * still there in a later call, or when the trace ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

#define FLB_HANDLERS 8

struct count {
	bool have, broken;
	bool live;		/* has been above 0 */
	int64_t due;		/* what everything seen makes of it */
	/* a sample that differs, not believed yet */
	int64_t off;		/* 0 = none */
	struct vt_at at, call;
	struct vt_who who;
};

struct flb {
	uint64_t obj;
	const char *name;
	uint64_t handler[FLB_HANDLERS];
	uint32_t nr_handlers;
	struct count count[2];	/* by direction */
};

/* ---- shared ---- */

/* The call of LUO that answers for what happens inside. */
static struct frame *luo_call(struct task *t)
{
	for (uint32_t i = t ? t->depth : 0; i > 0; i--) {
		uint16_t type = t->f[i - 1].type;

		if (type == VT_EV_LUO_PRESERVE || type == VT_EV_LUO_UNPRESERVE || type == VT_EV_LUO_FINISH || type == VT_EV_LUO_DESERIALIZE)
			return &t->f[i - 1];
	}
	return NULL;
}

static struct vt_who who_frame(struct vt_build *b, const struct frame *f)
{
	if (f->life)
		return who_life(b, f->life);
	return who_session(b, f->session);
}

void refs_learn(struct vt_build *b, const struct vt_event *e)
{
	uint64_t handler = vt_ev_obj(e, VT_F_HANDLER);
	const char *name = vt_ev_str(e, VT_F_COMPATIBLE);

	if (vt_ev_has(e, VT_F_MOD_REF))
		b->side->saw_module = true;
	if (!handler || !name || vt_map__get(&b->handler_names, handler))
		return;
	if (vt_map__put(&b->handler_names, handler, (void *)intern(b, name)))
		b->err = -ENOMEM;
}

/* ---- modules ---- */

static void pinned(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *f = luo_call(t);

	if (!f)
		return;
	f->pins += e->type == VT_EV_MODULE_GET ? 1 : -1;
	f->module = intern_event(b, vt_ev_str(e, VT_F_NAME));
	at_set(b, &f->pin_at, e);
}

static void pins_off(struct vt_build *b, const struct frame *f, const struct vt_event *e, int32_t want)
{
	struct vt_fact *x;
	struct vt_at at;

	if (f->pins == want || !f->enter.type)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_MODULE_REF, who_frame(b, f), &at);
	x->at[1] = f->pin_at;
	x->num[0] = want;
	x->num[1] = f->pins;
	x->num[2] = is_err(e);
	x->str[0] = f->module;
}

/* Fewer references than files for which LUO holds one: that cannot be others' doing. */
static void sampled(struct vt_build *b, const struct frame *f, const struct vt_event *e)
{
	struct handler_info *h = handler_of(b, vt_ev_str(e, VT_F_COMPATIBLE));
	struct vt_fact *x;
	struct vt_at at;
	int64_t ref;

	if (!h || !vt_ev_s64(e, VT_F_MOD_REF, &ref) || ref >= 1 + h->pinned)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_MODULE_LOW, who_frame(b, f), &at);
	if (!x->who.compatible)
		x->who.compatible = h->compatible;
	x->from_ns = 0;		/* files of all the handler's sessions are in it */
	x->num[0] = 1 + h->pinned;
	x->num[1] = ref;
}

static void pin(struct vt_build *b, const struct vt_event *e, int64_t n)
{
	struct handler_info *h = vt_ev_has(e, VT_F_MOD_REF) ? handler_of(b, vt_ev_str(e, VT_F_COMPATIBLE)) : NULL;

	if (h && h->pinned + n >= 0)
		h->pinned += n;
}

/* ---- FLBs ---- */

static struct flb *flb_get(struct vt_build *b, const struct vt_event *e)
{
	uint64_t obj = vt_ev_obj(e, VT_F_FLB);
	struct flb *l = obj ? vt_map__get(&b->flbs, obj) : NULL;

	if (l || !obj)
		return l;
	l = calloc(1, sizeof(*l));
	if (!l || vt_map__put(&b->flbs, obj, l)) {
		free(l);
		b->err = -ENOMEM;
		return NULL;
	}
	l->obj = obj;
	l->name = intern_event(b, vt_ev_str(e, VT_F_NAME));
	return l;
}

static bool depends(const struct flb *l, uint64_t handler)
{
	for (uint32_t i = 0; i < l->nr_handlers; i++) {
		if (l->handler[i] == handler)
			return true;
	}
	return false;
}

/* What is due was not added up while the two were not known to belong together. */
static void link(struct flb *l, uint64_t handler)
{
	if (!handler || depends(l, handler) || l->nr_handlers == FLB_HANDLERS)
		return;
	l->handler[l->nr_handlers++] = handler;
	l->count[VT_OUTGOING].have = l->count[VT_INCOMING].have = false;
}

void refs_flb_file(struct vt_build *b, const struct vt_event *e, int64_t n)
{
	enum vt_dir dir = e->type == VT_EV_FLB_FINISH ? VT_INCOMING : VT_OUTGOING;
	uint64_t handler = vt_ev_obj(e, VT_F_HANDLER);
	struct flb *l;
	size_t i = 0;

	while (handler && (l = vt_map__next(&b->flbs, &i))) {
		if (depends(l, handler))
			l->count[dir].due += n;
	}
}

static struct vt_fact *flb_fact(struct vt_build *b, enum vt_fact_kind k, const struct flb *l, struct vt_who who, const struct vt_at *at)
{
	struct vt_fact *x = fact(b, k, who, at);

	x->str[0] = l->name ? l->name : "?";
	return x;
}

static void count_off(struct vt_build *b, const struct flb *l, struct count *c, enum vt_dir dir)
{
	struct vt_fact *x = flb_fact(b, VT_FACT_FLB_COUNT, l, c->who, &c->at);

	x->at[1] = c->call;
	x->from_ns = 0;		/* added up from the beginning */
	x->num[0] = c->due;
	x->num[1] = c->due + c->off;
	x->num[2] = dir;
	c->due += c->off;
	c->off = 0;
}

static bool in_luo(struct task *t)
{
	return luo_call(t) || frame_op(t);
}

/* Nobody else may just be changing the count. */
static bool alone(struct vt_build *b, const struct task *me)
{
	for (struct task *t = b->busy; t; t = t->next) {
		if (t != me && in_luo(t))
			return false;
	}
	return true;
}

/* refcount_t of an FLB that was put below zero is saturated (lib/refcount.c): negative for ever. */
static void broken(struct vt_build *b, const struct flb *l, struct task *t, const struct vt_event *e, int64_t seen)
{
	struct frame *f = frame_top(t);
	struct vt_fact *x;
	struct vt_at at;

	at_set(b, &at, e);
	x = flb_fact(b, VT_FACT_FLB_BROKEN, l, f ? who_frame(b, f) : (struct vt_who){}, &at);
	x->num[0] = seen;
}

static bool holds_file(const struct vt_life *l)
{
	return l->state == VT_LIFE_PRESERVED || l->state == VT_LIFE_FROZEN || l->state == VT_LIFE_INCOMING ||
	       l->state == VT_LIFE_RETRIEVED || l->state == VT_LIFE_FAILED;
}

/* The count has come to 0: no file may be left that depends on it. */
static void check_early(struct vt_build *b, const struct flb *l, enum vt_dir dir, const struct vt_event *e)
{
	for (struct vt_session *s = b->side->sessions; s; s = s->next) {
		for (struct vt_life *v = s->lives; v && s->dir == dir && !s->ended; v = v->next) {
			struct vt_fact *x;
			struct vt_at at;
			bool mine = false;

			for (uint32_t i = 0; i < l->nr_handlers; i++)
				mine |= v->compatible && vt_map__get(&b->handler_names, l->handler[i]) == v->compatible;
			if (!mine || !holds_file(v))
				continue;
			at_set(b, &at, e);
			x = flb_fact(b, VT_FACT_FLB_EARLY, l, who_life(b, v), &at);
			x->at[1] = v->at[dir == VT_OUTGOING ? VT_STEP_PRESERVE : VT_STEP_DESERIALIZE];
			x->num[2] = dir;
			v->odd = true;
			return;
		}
	}
}

static void flb_sample(struct vt_build *b, struct task *t, struct flb *l, enum vt_dir dir, const struct vt_event *e)
{
	struct count *c = &l->count[dir];
	struct frame *root = t && t->depth ? &t->f[0] : NULL, *f = luo_call(t);
	int64_t seen;

	if (!vt_ev_s64(e, dir == VT_OUTGOING ? VT_F_FLB_COUNT : VT_F_FLB_COUNT_IN, &seen))
		return;
	if (seen < 0) {
		if (!c->broken)
			broken(b, l, t, e, seen);
		*c = (struct count){ .broken = true };
		return;
	}
	if (!alone(b, t))
		return;
	/* Where files arrived, the count is there from the first look at it on (luo_flb_retrieve_one()). */
	if (!c->have || (dir == VT_INCOMING && !c->live)) {
		*c = (struct count){ .have = true, .live = seen > 0, .due = seen };
		return;
	}
	c->live |= seen > 0;
	if (seen == c->due) {
		c->off = 0;
		return;
	}
	if (!root) {
		/* Not by a call of LUO: what the sample before did not see yet, it saw already. */
		if (!c->off)
			c->due = seen;
		return;
	}
	if (c->off == seen - c->due && c->call.index != root->enter.index) {
		count_off(b, l, c, dir);
		return;
	}
	if (c->off == seen - c->due)
		return;
	c->off = seen - c->due;
	at_set(b, &c->at, e);
	c->call = root->enter;
	c->who = who_frame(b, f ? f : root);
}

static void flb_state(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct flb *l = flb_get(b, e);
	struct frame *f = luo_call(t);
	int64_t n;

	if (!l)
		return;
	link(l, vt_ev_obj(e, VT_F_HANDLER));
	flb_sample(b, t, l, VT_OUTGOING, e);
	flb_sample(b, t, l, VT_INCOMING, e);
	if (f && f->type != VT_EV_LUO_FINISH && vt_ev_s64(e, VT_F_FLB_COUNT, &n) && !n)
		check_early(b, l, VT_OUTGOING, e);
	if (f && f->type == VT_EV_LUO_FINISH && vt_ev_s64(e, VT_F_FLB_COUNT_IN, &n) && !n)
		check_early(b, l, VT_INCOMING, e);
}

/*
 * What LUO itself puts belongs to luo_flb_file_*(), which is counted as a
 * whole. Handlers, and drivers outside of every call, hold for themselves.
 */
static void flb_hold(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	enum vt_dir dir = vt_ev_has(e, VT_F_FLB_COUNT_IN) ? VT_INCOMING : VT_OUTGOING;
	struct frame *op = frame_op(t);
	struct flb *l = flb_get(b, e);
	int32_t n = e->type == VT_EV_FLB_GET ? 1 : -1;
	struct count *c;
	int64_t seen;

	if (!l || is_err(e))
		return;
	c = &l->count[dir];
	if (vt_ev_s64(e, dir == VT_OUTGOING ? VT_F_FLB_COUNT : VT_F_FLB_COUNT_IN, &seen) && seen < 0) {
		flb_sample(b, t, l, dir, e);
		return;
	}
	if (!op && luo_call(t))
		return;
	if (op) {
		op->holds += n;
		at_set(b, &op->hold_at, e);
	}
	c->due += n;
	if (!op || !c->live)
		flb_sample(b, t, l, dir, e);
}

/* ---- calls ---- */

static void held(struct vt_build *b, const struct frame *f, const struct vt_event *e, int64_t n)
{
	struct vt_fact *x;
	struct vt_at at;

	at_set(b, &at, e);
	x = fact(b, VT_FACT_FLB_HELD, who_frame(b, f), &at);
	x->at[1] = f->hold_at;
	x->num[0] = n;
	x->num[1] = is_err(e);
	if (f->life)
		f->life->odd = true;
}

/* A callback returns, F is its frame. */
void refs_op(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct frame *up = luo_call(t);
	struct vt_life *l = f->life;
	bool ends = e->type == VT_EV_OP_UNPRESERVE || e->type == VT_EV_OP_FINISH;

	sampled(b, f, e);
	if (ends) {
		pin(b, e, -1);
		if (up)
			up->owned += vt_ev_has(e, VT_F_MOD_REF);
	}
	if (is_err(e)) {
		if (f->holds)
			held(b, f, e, f->holds);
		return;
	}
	if (!l)
		return;
	l->flb_holds += f->holds;
	if (ends && l->flb_holds)
		held(b, f, e, l->flb_holds);
}

bool settled_files(const struct frame *f, int32_t *files, int32_t *owned)
{
	*files = *owned = 0;
	for (const struct vt_life *l = f->session ? f->session->lives : NULL; l; l = l->next) {
		*files += !l->settled;
		*owned += !l->settled && l->owned;
	}
	return f->session && f->have_count && (uint64_t)*files == f->count;
}

void refs_call_exit(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	int32_t files, owned;

	switch (e->type) {
	case VT_EV_LUO_PRESERVE:
		pins_off(b, f, e, !is_err(e) && vt_ev_has(e, VT_F_MOD_REF));
		if (!is_err(e))
			pin(b, e, 1);
		break;
	case VT_EV_LUO_UNPRESERVE:
	case VT_EV_LUO_FINISH:
		/* One that fails has not begun. */
		if (is_err(e))
			pins_off(b, f, e, 0);
		else
			pins_off(b, f, e, settled_files(f, &files, &owned) && -f->pins != f->owned ? -owned : -f->owned);
		break;
	case VT_EV_LUO_DESERIALIZE:
		/* After a failure all is left until reboot, or all is given back: both are right. */
		if (!is_err(e))
			pins_off(b, f, e, f->owned);
		break;
	default:
		break;
	}
}

/* ---- file descriptors ---- */

static void installed(struct vt_build *b, const struct vt_event *e)
{
	struct vt_file *f = file_get(b, vt_ev_obj(e, VT_F_FILE), true);

	if (f)
		at_set(b, &f->installed, e);
}

/* RETRIEVE_SESSION marked the session retrieved and then failed: nobody has it, and nobody else can get it. */
static void session_lost(struct vt_build *b, const struct vt_event *e)
{
	const char *name = intern_event(b, vt_ev_str(e, VT_F_SESSION));
	struct vt_fact *x;
	struct vt_at at;

	if (!name)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_SESSION_LOST, (struct vt_who){ .session = name }, &at);
	for (const struct vt_session *s = b->side->sessions; s; s = s->next) {
		if (s->dir == VT_INCOMING && !strcmp(s->name, name))
			x->at[1] = s->retrieve;
	}
}

static void ioctl_failed(struct vt_build *b, const struct vt_event *e)
{
	struct vt_file *f = file_get(b, vt_ev_obj(e, VT_F_FILE), false);
	struct vt_fact *x;
	struct vt_who who;
	struct vt_at at;

	if (!is_err(e))
		return;
	if (!vt_ev_has(e, VT_F_FD)) {
		session_lost(b, e);
		return;
	}
	who = f && f->life ? who_life(b, f->life) : (struct vt_who){ .session = intern_event(b, vt_ev_str(e, VT_F_SESSION)) };
	at_set(b, &at, e);
	x = fact(b, VT_FACT_FD_ON_ERROR, who, &at);
	if (f)
		x->at[1] = f->installed;
	vt_ev_s64(e, VT_F_FD, &x->num[0]);
	x->num[1] = at.ret;
}

/* ---- the rest ---- */

void refs_point(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *f;

	switch (e->type) {
	case VT_EV_MODULE_GET: case VT_EV_MODULE_PUT:
		pinned(b, t, e);
		break;
	case VT_EV_LUO_FILE:
		refs_learn(b, e);
		pin(b, e, 1);
		f = frame_of(t, VT_EV_LUO_DESERIALIZE);
		if (f)
			f->owned += vt_ev_has(e, VT_F_MOD_REF);
		break;
	case VT_EV_FLB_STATE:
		flb_state(b, t, e);
		break;
	case VT_EV_FLB_GET: case VT_EV_FLB_PUT:
		if (e->phase != VT_ENTER)
			flb_hold(b, t, e);
		break;
	case VT_EV_FD_INSTALL:
		installed(b, e);
		break;
	case VT_EV_LUO_IOCTL:
		ioctl_failed(b, e);
		break;
	default:
		break;
	}
}

/* Nothing came after it to prove it wrong. */
void refs_finalize(struct vt_build *b)
{
	struct flb *l;
	size_t i = 0;

	while ((l = vt_map__next(&b->flbs, &i))) {
		for (int d = VT_OUTGOING; d <= VT_INCOMING; d++) {
			if (l->count[d].off)
				count_off(b, l, &l->count[d], d);
		}
	}
}

void refs_free_all(struct vt_build *b)
{
	struct flb *l;
	size_t i = 0;

	while ((l = vt_map__next(&b->flbs, &i)))
		free(l);
	vt_map__free(&b->flbs);
	vt_map__free(&b->handler_names);
}
