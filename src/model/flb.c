// SPDX-License-Identifier: GPL-2.0
/*
 * References on the shared data (FLB) that handlers depend on.
 *
 * The counts are added up from all that changes them and compared with samples
 * taken while no other task is inside LUO. A sample between somebody's change
 * and the record of it would be off, so a difference is believed when it is
 * still there in a later call, or when the trace ends.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

#define FLB_HANDLERS 8
#define FLB_ROWS 256

struct count {
	bool have, broken;
	bool live;		/* has been above 0 */
	int64_t due;		/* what everything seen makes of it */
	/* a sample that differs, not believed yet */
	int64_t off;		/* 0 = none */
	struct vt_at at, call;
	struct vt_who who;
	bool before;		/* it was off before CALL changed anything */
	struct vt_at right;	/* the last sample that was not off */
	uint64_t looked;	/* index of the outermost call, or change, of the last sample */
};

/* Where LUO was seen to pin the module that owns it, as it does while there are data. */
struct owner {
	struct vt_at pin;
	const char *module;
};

struct flb {
	uint64_t obj;
	const char *name;
	uint64_t handler[FLB_HANDLERS];
	uint32_t nr_handlers;
	struct count count[2];	/* by direction */
	struct owner owner[2];
};

struct flb_part {
	struct vt_map flbs;		/* FLB object -> flb */
	struct vt_map handler_names;	/* handler object -> its compatible string */
	size_t cap_rows;
};

static struct vt_map *flbs(struct vt_build *b)
{
	return &part_own(b, flb)->flbs;
}

/* A handler and its name stand in E. */
static void learn(struct vt_build *b, const struct vt_event *e)
{
	struct vt_map *names = &part_own(b, flb)->handler_names;
	uint64_t handler = vt_ev_obj(e, VT_F_HANDLER);
	const char *name = vt_ev_str(e, VT_F_COMPATIBLE);

	if (!handler || !name || vt_map__get(names, handler))
		return;
	if (vt_map__put(names, handler, (void *)intern(b, name)))
		b->err = -ENOMEM;
}

/* ---- calls of luo_flb_file_*(), by handler ---- */

/* COMPATIBLE is interned: equal is identical. */
static struct vt_flb_row *row_of(struct vt_build *b, const char *compatible)
{
	struct vt_side *s = b->side;

	if (!compatible)
		return NULL;
	for (size_t i = 0; i < s->nr_flb; i++) {
		if (s->flb[i].compatible == compatible)
			return &s->flb[i];
	}
	if (s->nr_flb >= FLB_ROWS || !grow(b, &s->flb, &part_own(b, flb)->cap_rows, s->nr_flb, sizeof(*s->flb)))
		return NULL;
	memset(&s->flb[s->nr_flb], 0, sizeof(*s->flb));
	s->flb[s->nr_flb].compatible = compatible;
	return &s->flb[s->nr_flb++];
}

static void check_net(struct vt_build *b, struct frame *f, const struct vt_event *e, int32_t expect)
{
	struct vt_fact *x;
	struct vt_at at;

	if (f->flb.net == expect || !f->enter.type)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_FLB, f->life ? who_life(b, f->life) : who_session(b, f->session), &at);
	x->num[0] = expect;
	x->num[1] = f->flb.net;
	x->str[0] = f->life ? f->life->compatible : NULL;
	if (f->life)
		f->life->odd = true;
}

/*
 * A callback that never ran, or ran twice, is told as such: what goes with the
 * files may go with the callbacks or with the files that the session had.
 */
static int32_t files_ended(const struct frame *f, int32_t net)
{
	int32_t files, owned;

	return session_unsettled(f->session, f->have_count, f->count, &files, &owned) && net != f->flb.ops ? files : f->flb.ops;
}

/* Its own finding only if each file's callback did run. */
static void early_finish(struct vt_build *b, struct frame *f)
{
	struct vt_fact *x;

	if (!f->flb.early.type || f->flb.ops < -f->flb.net)
		return;
	x = fact(b, VT_FACT_FLB_ORDER, who_session(b, f->session), &f->flb.early);
	x->who.compatible = f->flb.early_handler;
	x->num[0] = f->flb.early_ops;
	x->num[1] = f->flb.early_nr;
}

/* ---- the counts ---- */

static struct flb *flb_get(struct vt_build *b, const struct vt_event *e)
{
	uint64_t obj = vt_ev_obj(e, VT_F_FLB);
	struct flb *l = obj ? vt_map__get(flbs(b), obj) : NULL;

	if (l || !obj)
		return l;
	l = calloc(1, sizeof(*l));
	if (!l || vt_map__put(flbs(b), obj, l)) {
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

/* What luo_flb_file_*() does for a file of the handler that E names changes the counts of its FLBs by N. */
static void flb_file(struct vt_build *b, const struct vt_event *e, int64_t n)
{
	enum vt_dir dir = e->type == VT_EV_FLB_FINISH ? VT_INCOMING : VT_OUTGOING;
	uint64_t handler = vt_ev_obj(e, VT_F_HANDLER);
	struct flb *l;
	size_t i = 0;

	while (handler && (l = vt_map__next(flbs(b), &i))) {
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
	x->at[2] = c->right;
	x->from_ns = 0;		/* added up from the beginning */
	x->num[3] = c->before;
	x->num[0] = c->due;
	x->num[1] = c->due + c->off;
	x->num[2] = dir;
	c->due += c->off;
	c->off = 0;
}

static bool in_luo(struct task *t)
{
	return frame_luo(t) || frame_op(t);
}

/* Nobody else may just be changing the count. */
static bool alone(struct vt_build *b, const struct task *me)
{
	for (struct task *t = b->calls.busy; t; t = t->next) {
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
		if (s->ended || s->dir != dir)
			continue;
		for (struct vt_life *v = s->lives; v; v = v->next) {
			struct vt_fact *x;
			struct vt_at at;
			bool mine = false;

			if (!holds_file(v))
				continue;
			for (uint32_t i = 0; i < l->nr_handlers; i++)
				mine |= v->compatible && vt_map__get(&part_own(b, flb)->handler_names, l->handler[i]) == v->compatible;
			if (!mine)
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

/* ---- the owner's module ---- */

/* What the thread's call pins and puts lies before the record of the function that does it. */
static void owner_pinned(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *f = frame_top(t);

	if (!f)
		return;
	b->side->saw_module = true;
	if (e->type == VT_EV_FLB_PIN)
		f->flb.owner_pins++;
	else
		f->flb.owner_puts++;
	at_set(b, &f->flb.owner_at, e);
	f->flb.owner = intern_event(b, vt_ev_str(e, VT_F_NAME));
}

/* What the innermost call has seen of owners' modules since the last record that takes it. */
struct owner_calls {
	uint16_t type;			/* of the call, 0 = none */
	uint32_t pins, puts;
	struct vt_at at;
	const char *module;
	const struct vt_session *session;
};

static struct owner_calls owner_calls(struct task *t)
{
	struct frame *f = frame_top(t);
	struct owner_calls seen;

	if (!f)
		return (struct owner_calls){ 0 };
	seen = (struct owner_calls){ .type = f->type, .pins = f->flb.owner_pins, .puts = f->flb.owner_puts, .at = f->flb.owner_at,
				     .module = f->flb.owner, .session = f->session };
	f->flb.owner_pins = f->flb.owner_puts = 0;
	return seen;
}

static void owner_held(struct owner *o, const struct owner_calls *f)
{
	*o = (struct owner){ .pin = f->at, .module = f->module };
}

/* liveupdate_flb_put_*(): the module goes with the last count, once, and with no other. */
static void owner_put(struct vt_build *b, struct task *t, const struct flb *l, const struct owner_calls *f, enum vt_dir dir,
		      const struct vt_event *e, int64_t left)
{
	const struct owner *o = &l->owner[dir];
	struct vt_fact *x;
	struct vt_at at;

	if ((uint32_t)!left == f->puts || !frame_top(t)->enter.type || !alone(b, t))
		return;
	at_set(b, &at, e);
	x = flb_fact(b, VT_FACT_FLB_OWNER, l, who_session(b, f->session), &at);
	x->at[1] = o->pin;
	x->num[0] = !left;
	x->num[1] = f->puts;
	x->num[2] = dir;
	x->str[1] = f->puts ? f->module : o->module;
}

/* An owner that is built in has no module, and its records have no count of it. */
static void owner_judged(struct vt_build *b, struct task *t, struct flb *l, enum vt_dir dir, const struct vt_event *e)
{
	struct owner_calls f = owner_calls(t);
	int64_t left;

	if (is_err(e) || !f.type || !vt_ev_has(e, VT_F_MOD_REF) || !vt_ev_s64(e, dir == VT_OUTGOING ? VT_F_FLB_COUNT : VT_F_FLB_COUNT_IN, &left) || left < 0)
		return;
	if (f.pins)
		owner_held(&l->owner[dir], &f);
	if (e->type != VT_EV_FLB_PUT)
		return;
	b->side->saw_module = true;
	owner_put(b, t, l, &f, dir, e, left);
	if (!left)
		l->owner[dir] = (struct owner){ 0 };
}

static void flb_sample(struct vt_build *b, struct task *t, struct flb *l, enum vt_dir dir, const struct vt_event *e)
{
	struct count *c = &l->count[dir];
	struct frame *root = t && t->depth ? &t->f[0] : NULL, *f = frame_luo(t);
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
		c->looked = root ? root->enter.index : 0;
		at_set(b, &c->right, e);
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
	c->before = root->enter.index != c->looked && !(f && f->flb.net) && !(f && f->flb.looked);
	c->call = root->enter;
	c->who = who_frame(b, f ? f : root);
}

static void flb_state(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct flb *l = flb_get(b, e);
	struct frame *f = frame_luo(t);
	int64_t n;

	if (!l)
		return;
	link(l, vt_ev_obj(e, VT_F_HANDLER));
	flb_sample(b, t, l, VT_OUTGOING, e);
	flb_sample(b, t, l, VT_INCOMING, e);
	if (f)
		f->flb.looked = true;
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
	struct flb *l = e->phase == VT_ENTER ? NULL : flb_get(b, e);
	int32_t n = e->type == VT_EV_FLB_GET ? 1 : -1;
	struct count *c;
	int64_t seen;

	if (l)
		owner_judged(b, t, l, dir, e);
	if (!l || is_err(e))
		return;
	c = &l->count[dir];
	if (vt_ev_s64(e, dir == VT_OUTGOING ? VT_F_FLB_COUNT : VT_F_FLB_COUNT_IN, &seen) && seen < 0) {
		flb_sample(b, t, l, dir, e);
		return;
	}
	if (!op && frame_luo(t))
		return;
	if (op) {
		op->flb.holds += n;
		at_set(b, &op->flb.hold_at, e);
	}
	c->due += n;
	if (!op || !c->live)
		flb_sample(b, t, l, dir, e);
}

/* Of a handler with several FLBs nothing tells whose owner was pinned. */
static void first_file(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	uint64_t handler = vt_ev_obj(e, VT_F_HANDLER);
	struct owner_calls f = owner_calls(t);
	struct flb *l, *its = NULL;
	size_t i = 0;

	while (f.pins == 1 && (l = vt_map__next(flbs(b), &i))) {
		if (!depends(l, handler))
			continue;
		if (its)
			return;
		its = l;
	}
	if (!its)
		return;
	owner_held(&its->owner[VT_OUTGOING], &f);
}

static void file_event(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *f = frame_top(t);
	struct vt_flb_row *r = e->phase == VT_ENTER ? NULL : row_of(b, intern_event(b, vt_ev_str(e, VT_F_COMPATIBLE)));
	int32_t n = e->type == VT_EV_FLB_PRESERVE ? 1 : -1;

	if (e->phase == VT_ENTER || is_err(e))
		return;
	learn(b, e);
	if (e->type == VT_EV_FLB_PRESERVE)
		first_file(b, t, e);
	flb_file(b, e, n);
	if (f)
		f->flb.net += n;
	if (r) {
		r->preserved += e->type == VT_EV_FLB_PRESERVE;
		r->unpreserved += e->type == VT_EV_FLB_UNPRESERVE;
		r->finished += e->type == VT_EV_FLB_FINISH;
	}
	if (e->type != VT_EV_FLB_FINISH || !f || f->type != VT_EV_LUO_FINISH || -f->flb.net <= f->flb.ops || f->flb.early.type)
		return;
	at_set(b, &f->flb.early, e);
	f->flb.early_ops = f->flb.ops;
	f->flb.early_nr = -f->flb.net;
	f->flb.early_handler = r ? r->compatible : NULL;
}

static void listed(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	learn(b, e);
}

static const struct heard flb_points[] = {
	{ VT_EV_LUO_FILE, listed }, { VT_EV_FLB_STATE, flb_state },
	{ VT_EV_FLB_PIN, owner_pinned }, { VT_EV_FLB_UNPIN, owner_pinned }, { VT_EV_FLB_GET, flb_hold }, { VT_EV_FLB_PUT, flb_hold },
	{ VT_EV_FLB_PRESERVE, file_event }, { VT_EV_FLB_UNPRESERVE, file_event }, { VT_EV_FLB_FINISH, file_event }, { 0 },
};

/* ---- calls ---- */

static void held(struct vt_build *b, const struct frame *f, const struct vt_event *e, int64_t n)
{
	struct vt_fact *x;
	struct vt_at at;

	at_set(b, &at, e);
	x = fact(b, VT_FACT_FLB_HELD, who_frame(b, f), &at);
	x->at[1] = f->flb.hold_at;
	x->num[0] = n;
	x->num[1] = is_err(e);
	if (f->life)
		f->life->odd = true;
}

static void op_returned(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	bool ends = e->type == VT_EV_OP_UNPRESERVE || e->type == VT_EV_OP_FINISH;
	struct frame *up = frame_around(t);

	if (ends && f->life && up)
		up->flb.ops++;
	if (is_err(e)) {
		if (f->flb.holds)
			held(b, f, e, f->flb.holds);
		return;
	}
	if (!f->life)
		return;
	life_of(f->life)->flb_holds += f->flb.holds;
	if (ends && life_of(f->life)->flb_holds)
		held(b, f, e, life_of(f->life)->flb_holds);
}

static void preserve_returned(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	struct vt_flb_row *r;

	if (is_err(e)) {
		check_net(b, f, e, 0);
		return;
	}
	if (!f->life)
		return;
	check_net(b, f, e, b->side->seen_type[VT_EV_FLB_PRESERVE] ? 1 : f->flb.net);
	r = row_of(b, f->life->compatible);
	if (r)
		r->lives_preserved++;
}

static void unpreserve_returned(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	for (struct vt_life *l = f->session->lives; l; l = l->next) {
		struct vt_flb_row *r = row_of(b, l->compatible);

		if (l->state == VT_LIFE_UNPRESERVED && r)
			r->lives_unpreserved++;
	}
	if (b->side->seen_type[VT_EV_FLB_UNPRESERVE] && !f->session->unseen)
		check_net(b, f, e, -files_ended(f, -f->flb.net));
}

static void finish_returned(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	if (b->side->seen_type[VT_EV_FLB_FINISH] && !f->session->unseen)
		check_net(b, f, e, -files_ended(f, -f->flb.net));
	early_finish(b, f);
}

static void flb_begun(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	if (kind_is_op(e->type))
		learn(b, e);
}

static void flb_returned(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	if (kind_is_op(e->type))
		op_returned(b, t, f, e);
	else if (e->type == VT_EV_LUO_PRESERVE)
		preserve_returned(b, f, e);
	else if (e->type == VT_EV_LUO_UNPRESERVE && f->session)
		unpreserve_returned(b, f, e);
	else if (e->type == VT_EV_LUO_FINISH && f->session && !is_err(e))
		finish_returned(b, f, e);
}

/* ---- the end ---- */

/* Nothing came after it to prove it wrong. */
static void flb_finalize(struct vt_build *b)
{
	struct flb *l;
	size_t i = 0;

	while ((l = vt_map__next(flbs(b), &i))) {
		for (int d = VT_OUTGOING; d <= VT_INCOMING; d++) {
			if (l->count[d].off)
				count_off(b, l, &l->count[d], d);
		}
	}
}

static void flb_free(struct vt_build *b)
{
	vt_map__free_all(flbs(b));
	vt_map__free(&part_own(b, flb)->handler_names);
	free(b->side->flb);
}

const struct part part_flb = {
	.size = sizeof(struct flb_part),
	.points = flb_points,
	.call_begun = flb_begun, .call_returned = flb_returned, .returned_areas = AREA(LUO) | AREA(OP),
	.finalize = flb_finalize, .free = flb_free,
};
