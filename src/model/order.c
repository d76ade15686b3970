// SPDX-License-Identifier: GPL-2.0
/*
 * Callbacks out of their order, and calls that should not work: what
 * kernel/liveupdate/luo_file.c promises to handlers.
 */
#include <errno.h>
#include <string.h>

#include "model/build.h"

struct order_part {
	struct vt_map thawing;	/* compatible strings, interned, of handlers that were seen thawing */
};

static void odd(struct vt_build *b, struct vt_life *l, enum vt_fact_kind k, const struct vt_event *e, const struct vt_at *before)
{
	struct vt_at at = {};
	struct vt_fact *f;

	if (e)
		at_set(b, &at, e);
	f = fact(b, k, who_life(b, l), e ? &at : before);
	if (e && before)
		f->at[1] = *before;
	f->str[0] = vt_life_state_name(l->state);
	l->odd = true;
}

static void op_order(struct vt_build *b, struct vt_life *l, const struct vt_event *e)
{
	bool over = l->state == VT_LIFE_UNPRESERVED || l->state == VT_LIFE_FINISHED;

	switch (e->type) {
	case VT_EV_OP_FREEZE:
		if (over)
			odd(b, l, VT_FACT_OP_AFTER_END, e, &l->at[VT_STEP_UNPRESERVE]);
		else if (l->state == VT_LIFE_FROZEN)
			odd(b, l, VT_FACT_FREEZE_TWICE, e, &l->at[VT_STEP_FREEZE]);
		break;
	case VT_EV_OP_UNFREEZE:
		if (l->state != VT_LIFE_FROZEN)
			odd(b, l, VT_FACT_UNFREEZE_UNFROZEN, e, &l->at[VT_STEP_FREEZE]);
		break;
	case VT_EV_OP_UNPRESERVE:
		if (l->dir == VT_INCOMING)
			odd(b, l, VT_FACT_UNPRESERVE_INCOMING, e, NULL);
		else if (over)
			odd(b, l, VT_FACT_OP_AFTER_END, e, &l->at[VT_STEP_UNPRESERVE]);
		else if (l->state == VT_LIFE_FROZEN)
			odd(b, l, VT_FACT_UNPRESERVE_FROZEN, e, &l->at[VT_STEP_FREEZE]);
		break;
	case VT_EV_OP_RETRIEVE:
		if (l->n[VT_STEP_RETRIEVE])
			odd(b, l, VT_FACT_RETRIEVE_TWICE, e,
			    l->at[VT_STEP_RETRIEVE].type ? &l->at[VT_STEP_RETRIEVE] : &l->enter[VT_STEP_RETRIEVE]);
		break;
	case VT_EV_OP_FINISH:
		if (l->n[VT_STEP_FINISH])
			odd(b, l, VT_FACT_FINISH_TWICE, e, &l->at[VT_STEP_FINISH]);
		else if (l->finish_ok == 0)
			odd(b, l, VT_FACT_FINISH_REFUSED, e, &l->at[VT_STEP_CAN_FINISH]);
		break;
	default:
		break;
	}
}

/* A file that this very kernel preserved. */
static void retrieve_outgoing(struct vt_build *b, const struct frame *f, const struct vt_event *e)
{
	struct vt_life *l;
	struct vt_fact *x;
	struct vt_at at;
	uint64_t token;

	if (!vt_ev_str(e, VT_F_SESSION) || !vt_ev_u64(e, VT_F_TOKEN, &token) || !f->session || f->session->dir != VT_OUTGOING)
		return;
	l = life_find(b, f->session, token);
	if (!l)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_RETRIEVE_OUTGOING, who_life(b, l), &at);
	x->at[1] = l->at[VT_STEP_PRESERVE];
}

static void thaws(struct vt_build *b, const struct vt_event *e)
{
	const char *compatible = intern_event(b, vt_ev_str(e, VT_F_COMPATIBLE));

	if (compatible && vt_map__put(&part_own(b, order)->thawing, (uintptr_t)compatible, (void *)compatible))
		b->err = -ENOMEM;
}

bool vt_side__thaws(const struct vt_side *s, const char *compatible)
{
	const struct vt_map *thawing = &part_own(build_of(s), order)->thawing;
	const char *other;
	size_t i = 0;

	while (compatible && (other = vt_map__next(thawing, &i))) {
		if (!strcmp(other, compatible))
			return true;
	}
	return false;
}

static void order_begun(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	if (e->type == VT_EV_LUO_RETRIEVE)
		retrieve_outgoing(b, f, e);
	if (e->type == VT_EV_OP_UNFREEZE)
		thaws(b, e);
	if (e->type == VT_EV_OP_UNFREEZE && f->life)
		life_of(f->life)->zapped.type = 0;
	if (f->life)
		op_order(b, f->life, e);
}

/* luo_preserve_file() refuses a file that is preserved already (luo_preserved_files, -EBUSY). */
static void preserve_twice(struct vt_build *b, const struct frame *f, const struct vt_event *e)
{
	uint64_t file = vt_ev_obj(e, VT_F_FILE);
	struct vt_life *l = f->life, *other = file_holder(b, file ? file : f->file);
	struct vt_fact *x;
	struct vt_at at;

	if (!other || other == l || other->dir != VT_OUTGOING ||
	    (other->state != VT_LIFE_PRESERVED && other->state != VT_LIFE_FROZEN))
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_PRESERVE_TWICE, who_life(b, l), &at);
	x->at[1] = other->at[VT_STEP_PRESERVE];
	x->num[0] = (int64_t)other->token;
	x->str[0] = intern(b, other->session->name);
	l->odd = other->odd = true;
}

/* A freeze that failed: what had been frozen before it must be thawed. Whether the handler can, the rule asks. */
static void unfrozen(struct vt_build *b, const struct vt_session *s, const struct vt_event *e)
{
	for (struct vt_life *l = s->lives; l; l = l->next) {
		if (l->dir == VT_OUTGOING && l->state == VT_LIFE_FROZEN)
			odd(b, l, VT_FACT_NOT_UNFROZEN, e, &l->at[VT_STEP_FREEZE]);
	}
}

static void unfrozen_all(struct vt_build *b, const struct vt_event *e)
{
	size_t i = 0;
	struct vt_session *s;

	while ((s = session_next(b, VT_OUTGOING, &i)))
		unfrozen(b, s, e);
}

/*
 * What a freeze did to the device stays, where its handler cannot undo it: LUO
 * calls unfreeze for files whose freeze worked, if there is one.
 */
static void kept_frozen(struct vt_build *b, struct vt_life *l, const struct vt_event *e)
{
	struct life *own = life_of(l);
	struct vt_fact *x;
	struct vt_at at;

	if (!own->zapped.type)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_FREEZE_KEPT, who_life(b, l), &at);
	x->at[1] = own->zapped;
	x->at[2] = l->enter[VT_STEP_FREEZE];
	x->num[0] = own->zapped_vmas;
	x->num[1] = l->n[VT_STEP_FREEZE];
	own->zapped.type = 0;
	l->odd = true;
}

static void all_kept_frozen(struct vt_build *b, const struct vt_event *e)
{
	struct vt_session *s;
	size_t i = 0;

	while ((s = session_next(b, VT_OUTGOING, &i))) {
		for (struct vt_life *l = s->lives; l; l = l->next)
			kept_frozen(b, l, e);
	}
}

static void zapped(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *op = frame_op(t);
	uint64_t vmas = 1;

	/* Where nothing was mapped, nothing is gone. */
	if (!op || op->type != VT_EV_OP_FREEZE || !op->life)
		return;
	if (vt_ev_u64(e, VT_F_VMAS, &vmas) && !vmas)
		return;
	at_set(b, &life_of(op->life)->zapped, e);
	life_of(op->life)->zapped_vmas = vt_ev_has(e, VT_F_VMAS) ? (int64_t)vmas : -1;
}

static void not_unpreserved(struct vt_build *b, const struct vt_session *s, const struct vt_event *e)
{
	for (struct vt_life *l = s->lives; l; l = l->next) {
		if (l->state == VT_LIFE_PRESERVED || l->state == VT_LIFE_FROZEN)
			odd(b, l, VT_FACT_NOT_UNPRESERVED, e, &l->at[VT_STEP_PRESERVE]);
	}
}

static void not_finished(struct vt_build *b, const struct vt_session *s, const struct vt_event *e)
{
	for (struct vt_life *l = s->lives; l; l = l->next) {
		if (l->state != VT_LIFE_FINISHED)
			odd(b, l, VT_FACT_NOT_FINISHED, e, l->at[VT_STEP_RETRIEVE].type ? &l->at[VT_STEP_RETRIEVE] : NULL);
	}
}

static void order_returned(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	const struct vt_session *s = f->session;
	bool err = is_err(e);

	switch (e->type) {
	case VT_EV_LUO_PRESERVE:
		if (f->life && !err)
			preserve_twice(b, f, e);
		break;
	case VT_EV_OP_FREEZE:
		if (f->life && err)
			kept_frozen(b, f->life, e);
		break;
	case VT_EV_LUO_FREEZE:
		if (s && err)
			unfrozen(b, s, e);
		break;
	case VT_EV_LUO_UNFREEZE:
		if (s)
			unfrozen(b, s, e);
		break;
	case VT_EV_LUO_UNPRESERVE:
		if (s)
			not_unpreserved(b, s, e);
		break;
	case VT_EV_LUO_FINISH:
		if (s && !err)
			not_finished(b, s, e);
		break;
	case VT_EV_REBOOT: case VT_EV_SERIALIZE:
		if (err)
			unfrozen_all(b, e);
		if (err && e->type == VT_EV_REBOOT)
			all_kept_frozen(b, e);
		break;
	default:
		break;
	}
}

static void order_free(struct vt_build *b)
{
	vt_map__free(&part_own(b, order)->thawing);
}

static const struct heard order_points[] = { { VT_EV_VFIO_ZAP, zapped }, { 0 } };

const struct part part_order = {
	.size = sizeof(struct order_part),
	.points = order_points,
	.call_begun = order_begun, .call_returned = order_returned, .returned_areas = AREA(LUO) | AREA(OP) | AREA(REBOOT), .free = order_free,
};
