// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions that had arrived before the recording began, and that nobody had
 * retrieved (luo_session_global.incoming). How they arrived and what is in them
 * is not known, so they are none of the sessions of luo.c; what is known is that
 * the next live update drops those that are still there.
 */
#include <errno.h>
#include <stdlib.h>

#include "model/build.h"

struct waiting {
	struct waiting *next;
	const char *session;	/* interned: equal is identical */
	uint64_t files;
	bool over;		/* somebody has it, or it was told */
	struct vt_at at;
};

struct waiting_part {
	struct waiting *first, **end;
	struct vt_map by_name;
};

static uint64_t key_of(const char *interned)
{
	return (uintptr_t)interned;
}

static void there(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct waiting_part *p = part_own(b, waiting);
	const char *name = intern_event(b, vt_ev_str(e, VT_F_SESSION));
	uint64_t retrieved, files;
	struct waiting *w;

	if (!name || !vt_ev_u64(e, VT_F_RETRIEVED, &retrieved) || retrieved || !vt_ev_u64(e, VT_F_COUNT, &files) || !files ||
	    vt_map__get(&p->by_name, key_of(name)))
		return;
	w = calloc(1, sizeof(*w));
	if (!w || vt_map__put(&p->by_name, key_of(name), w)) {
		free(w);
		b->err = -ENOMEM;
		return;
	}
	w->session = name;
	w->files = files;
	at_set(b, &w->at, e);
	if (!p->first)
		p->end = &p->first;
	*p->end = w;
	p->end = &w->next;
	b->side->nr_waiting++;
}

static void retrieved(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct waiting_part *p = part_own(b, waiting);
	struct waiting *w;

	if (!p->first || e->phase == VT_ENTER || is_err(e))
		return;
	w = vt_map__get(&p->by_name, key_of(intern_event(b, vt_ev_str(e, VT_F_SESSION))));
	if (w)
		w->over = true;
}

/* The next kernel gets outgoing sessions only. */
static void jumps(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	if (e->type != VT_EV_REBOOT || is_err(e))
		return;
	for (struct waiting *w = part_own(b, waiting)->first; w; w = w->next) {
		struct vt_fact *x;
		struct vt_at at;

		if (w->over)
			continue;
		w->over = true;
		at_set(b, &at, e);
		x = fact(b, VT_FACT_SESSION_DROPPED, (struct vt_who){ .session = w->session }, &at);
		x->at[1] = w->at;
		x->num[0] = (int64_t)w->files;
	}
}

static void waiting_free(struct vt_build *b)
{
	vt_map__free_all(&part_own(b, waiting)->by_name);
}

static const struct heard waiting_points[] = { { VT_EV_SESSION_THERE, there }, { VT_EV_SESSION_RETRIEVE, retrieved }, { 0 } };

const struct part part_waiting = {
	.size = sizeof(struct waiting_part),
	.points = waiting_points, .call_returned = jumps, .returned_areas = AREA(REBOOT), .free = waiting_free,
};
