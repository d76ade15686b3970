// SPDX-License-Identifier: GPL-2.0
/*
 * References that LUO takes on the module of a file's handler. They are judged
 * by LUO's own try_module_get() and module_put(), call by call: other users
 * come and go at any time. Samples of the count itself prove only that there
 * are fewer references than LUO's.
 */
#include <errno.h>
#include <stdlib.h>

#include "model/build.h"

struct handler {
	const char *compatible;
	int64_t pinned;			/* files for which LUO is known to hold the handler's module */
};

struct module_part {
	struct vt_map handlers;		/* compatible, interned -> handler */
};

static struct handler *handler_of(struct vt_build *b, const char *compatible)
{
	struct vt_map *handlers = &part_own(b, module)->handlers;
	struct handler *h;

	if (!compatible)
		return NULL;
	compatible = intern_event(b, compatible);
	h = vt_map__get(handlers, (uintptr_t)compatible);
	if (h)
		return h;
	h = calloc(1, sizeof(*h));
	if (!h || vt_map__put(handlers, (uintptr_t)compatible, h)) {
		free(h);
		b->err = -ENOMEM;
		return NULL;
	}
	h->compatible = compatible;
	return h;
}

static void learn(struct vt_build *b, const struct vt_event *e)
{
	b->side->saw_module |= vt_ev_has(e, VT_F_MOD_REF);
}

static void pinned(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *f = frame_luo(t);

	if (!f)
		return;
	f->module.pins += e->type == VT_EV_MODULE_GET ? 1 : -1;
	f->module.name = intern_event(b, vt_ev_str(e, VT_F_NAME));
	at_set(b, &f->module.at, e);
	/* The last that LUO asks of a file's handler is the callback that ends the file's life. */
	if ((f->type == VT_EV_LUO_FINISH || f->type == VT_EV_LUO_UNPRESERVE) && f->enter.type && -f->module.pins > f->module.owned && !f->module.early.type)
		f->module.early = f->module.at;
}

/* Its own finding only if each file's callback did run. */
static void put_early(struct vt_build *b, const struct frame *f)
{
	struct vt_fact *x;

	if (!f->module.early.type || f->module.owned < -f->module.pins)
		return;
	x = fact(b, VT_FACT_MODULE_EARLY, who_session(b, f->session), &f->module.early);
	x->str[0] = f->module.name;
}

static void pins_off(struct vt_build *b, const struct frame *f, const struct vt_event *e, int32_t want)
{
	struct vt_fact *x;
	struct vt_at at;

	if (f->module.pins == want || !f->enter.type)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_MODULE_REF, who_frame(b, f), &at);
	x->at[1] = f->module.at;
	x->num[0] = want;
	x->num[1] = f->module.pins;
	x->num[2] = is_err(e);
	x->str[0] = f->module.name;
}

/* Fewer references than files for which LUO holds one: that cannot be others' doing. */
static void sampled(struct vt_build *b, const struct frame *f, const struct vt_event *e)
{
	struct handler *h = handler_of(b, vt_ev_str(e, VT_F_COMPATIBLE));
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
	struct handler *h = vt_ev_has(e, VT_F_MOD_REF) ? handler_of(b, vt_ev_str(e, VT_F_COMPATIBLE)) : NULL;

	if (h && h->pinned + n >= 0)
		h->pinned += n;
}

static void module_begun(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	if (kind_is_op(e->type))
		learn(b, e);
}

static void op_returned(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct frame *up = frame_luo(t);

	sampled(b, f, e);
	if (e->type != VT_EV_OP_UNPRESERVE && e->type != VT_EV_OP_FINISH)
		return;
	pin(b, e, -1);
	if (up)
		up->module.owned += vt_ev_has(e, VT_F_MOD_REF);
}

/* What the files ask for that the callbacks told of, or that the session had, see session_unsettled(). */
static int32_t given_back(const struct frame *f)
{
	int32_t files, owned;

	if (session_unsettled(f->session, f->have_count, f->count, &files, &owned) && -f->module.pins != f->module.owned)
		return -owned;
	return -f->module.owned;
}

static void module_returned(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	switch (e->type) {
	case VT_EV_LUO_PRESERVE:
		pins_off(b, f, e, !is_err(e) && vt_ev_has(e, VT_F_MOD_REF));
		if (!is_err(e))
			pin(b, e, 1);
		break;
	case VT_EV_LUO_UNPRESERVE:
	case VT_EV_LUO_FINISH:
		/* One that fails has not begun. */
		pins_off(b, f, e, is_err(e) ? 0 : given_back(f));
		put_early(b, f);
		break;
	case VT_EV_LUO_DESERIALIZE:
		/* After a failure all is left until reboot, or all is given back: both are right. */
		if (!is_err(e))
			pins_off(b, f, e, f->module.owned);
		break;
	default:
		if (kind_is_op(e->type))
			op_returned(b, t, f, e);
		break;
	}
}

static void listed(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *f = frame_of(t, VT_EV_LUO_DESERIALIZE);

	learn(b, e);
	pin(b, e, 1);
	if (f)
		f->module.owned += vt_ev_has(e, VT_F_MOD_REF);
}

static const struct heard module_points[] = {
	{ VT_EV_MODULE_GET, pinned }, { VT_EV_MODULE_PUT, pinned }, { VT_EV_LUO_FILE, listed }, { 0 },
};

static void module_free(struct vt_build *b)
{
	vt_map__free_all(&part_own(b, module)->handlers);
}

const struct part part_module = {
	.size = sizeof(struct module_part),
	.points = module_points,
	.call_begun = module_begun, .call_returned = module_returned, .returned_areas = AREA(LUO) | AREA(OP), .free = module_free,
};
