// SPDX-License-Identifier: GPL-2.0
/*
 * Calls are told apart by task. An exit whose entry was lost, or an entry whose
 * exit was, must not make one call of two.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

/* Events of one task come in a row, mostly. */
static struct task *task_find(struct vt_build *b, uint32_t tid)
{
	struct task *t = b->calls.last;

	if (t && t->tid == tid)
		return t;
	t = vt_map__get(&b->calls.tasks, tid);
	if (t)
		b->calls.last = t;
	return t;
}

struct task *task_of(struct vt_build *b, const struct vt_event *e)
{
	return task_find(b, e->tid);
}

struct frame *frame_luo(struct task *t)
{
	for (uint32_t i = t ? t->depth : 0; i > 0; i--) {
		uint16_t type = t->f[i - 1].type;

		if (type == VT_EV_LUO_PRESERVE || type == VT_EV_LUO_UNPRESERVE || type == VT_EV_LUO_FINISH || type == VT_EV_LUO_DESERIALIZE)
			return &t->f[i - 1];
	}
	return NULL;
}

void frame_made(struct task *t, uint64_t obj)
{
	struct frame *f = frame_top(t);

	if (f && obj && f->nr_made < MADE_MAX)
		f->made[f->nr_made++] = obj;
}

struct vt_who who_frame(struct vt_build *b, const struct frame *f)
{
	if (f->life)
		return who_life(b, f->life);
	return who_session(b, f->session);
}

struct vt_who who_task(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct vt_who w = {};

	for (uint32_t i = t ? t->depth : 0; i > 0; i--) {
		if (t->f[i - 1].life)
			return who_life(b, t->f[i - 1].life);
	}
	if (e) {
		w.session = intern_event(b, vt_ev_str(e, VT_F_SESSION));
		w.has_token = vt_ev_u64(e, VT_F_TOKEN, &w.token);
	}
	return w;
}

void frame_session(struct frame *f, struct vt_session *s)
{
	if (f->session)
		f->session->inside--;
	if (s)
		s->inside++;
	f->session = s;
}

void frame_life(struct frame *f, struct vt_life *l)
{
	if (f->life)
		life_of(f->life)->inside--;
	if (l)
		life_of(l)->inside++;
	f->life = l;
}

void frame_done(struct frame *f, struct vt_life *l)
{
	if (f->done)
		life_of(f->done)->done_in--;
	if (l)
		life_of(l)->done_in++;
	f->done = l;
}

static void frame_empty(struct frame *f)
{
	frame_session(f, NULL);
	frame_life(f, NULL);
	frame_done(f, NULL);
}

void calls_forget(struct vt_build *b, const struct vt_session *s, const struct vt_life *l)
{
	if (!(s && s->inside) && !(l && (life_of(l)->inside || life_of(l)->done_in)))
		return;
	for (struct task *t = b->calls.busy; t; t = t->next) {
		for (uint32_t k = 0; k < t->depth; k++) {
			if (s && t->f[k].session == s)
				frame_session(&t->f[k], NULL);
			if (l && t->f[k].life == l)
				frame_life(&t->f[k], NULL);
			if (l && t->f[k].done == l)
				frame_done(&t->f[k], NULL);
		}
	}
}

/* ---- in and out ---- */

static void frame_leave(struct vt_build *b, struct task *t, const struct vt_event *e);

/* No kernel has so many threads inside of LUO and vfio at a time: those are calls whose end was not seen. */
static void give_up_oldest(struct vt_build *b)
{
	struct task *t = b->calls.oldest;

	if (!b->calls.crowded)
		b->calls.crowded_ns = t->f[0].enter.ts_ns;
	b->calls.crowded = true;
	for (uint32_t depth = t->depth; depth; depth--)
		frame_leave(b, t, NULL);
}

static void task_free(struct task *t)
{
	if (t)
		free(t->f);
	free(t);
}

static struct task *task_new(void)
{
	struct task *t = malloc(sizeof(*t));

	if (!t)
		return NULL;
	t->cap = 2;
	t->f = malloc(t->cap * sizeof(*t->f));
	if (!t->f) {
		free(t);
		return NULL;
	}
	return t;
}

/* Room for one more call inside of the others. */
static bool task_deepen(struct vt_build *b, struct task *t)
{
	struct frame *f;

	if (t->depth < t->cap)
		return true;
	f = t->depth < FRAMES_MAX ? realloc(t->f, 2 * t->cap * sizeof(*f)) : NULL;
	if (!f) {
		if (t->depth < FRAMES_MAX)
			b->err = -ENOMEM;
		return false;
	}
	t->f = f;
	t->cap *= 2;
	return true;
}

static struct task *task_make(struct vt_build *b, uint32_t tid)
{
	struct task *t = task_find(b, tid);

	if (t)
		return t;
	if (b->calls.nr_busy >= BUSY_MAX)
		give_up_oldest(b);
	t = b->calls.spare ? b->calls.spare : task_new();
	b->calls.spare = NULL;
	if (!t || vt_map__put(&b->calls.tasks, tid, t)) {
		task_free(t);
		b->err = -ENOMEM;
		return NULL;
	}
	t->tid = tid;
	t->depth = t->nr_touched = 0;
	t->prev = NULL;
	t->next = b->calls.busy;
	if (t->next)
		t->next->prev = t;
	else
		b->calls.oldest = t;
	b->calls.busy = t;
	b->calls.nr_busy++;
	return t;
}

static void task_done(struct vt_build *b, struct task *t)
{
	vt_map__del(&b->calls.tasks, t->tid);
	*(t->prev ? &t->prev->next : &b->calls.busy) = t->next;
	if (t->next)
		t->next->prev = t->prev;
	else
		b->calls.oldest = t->prev;
	b->calls.nr_busy--;
	b->calls.last = NULL;
	if (b->calls.spare)
		task_free(t);
	else
		b->calls.spare = t;
}

/* What a call made it answers for: on failure all of it has to go, on success the caller inherits it. */
static void settle_made(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct frame *up = frame_around(t);
	struct vt_at at = {};
	bool failed = e && is_err(e);

	if (!f->nr_made)
		return;
	if (failed)
		at_set(b, &at, e);
	for (uint32_t i = 0; i < f->nr_made; i++) {
		if (failed)
			tell_parts(b, made_failed, f->made[i], &at);
		else if (up && up->nr_made < MADE_MAX)
			up->made[up->nr_made++] = f->made[i];
	}
}

/* E is the exit event, or NULL when it never came. */
static void frame_leave(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *f = frame_top(t);

	if (e)
		tell_area(b, f->type, exit, t, f, e);
	settle_made(b, t, f, e);
	if (t->depth == 1)
		tell_parts(b, idle, t, f, e);
	frame_empty(f);
	if (!--t->depth)
		task_done(b, t);
}

/* A callback of one file may ask LUO for another: what KVM's and guest_memfd's handlers do. */
static bool asks_for_another(struct task *t, const struct vt_event *e)
{
	uint64_t token;

	if ((e->type != VT_EV_LUO_RETRIEVE && e->type != VT_EV_LUO_PRESERVE) || !kind_is_op(frame_top(t)->type) || !vt_ev_u64(e, VT_F_TOKEN, &token))
		return false;
	for (uint32_t i = 0; i < t->depth; i++) {
		if (t->f[i].type == e->type && (!t->f[i].has_token || t->f[i].token == token))
			return false;
	}
	return frame_top(t)->type == kind_callback(e->type);
}

/* A callback of the other one: the call around it is itself within a callback. */
static bool of_another(struct task *t, const struct vt_event *e)
{
	struct frame *top = frame_top(t), *up = frame_around(t);
	uint64_t token;

	return kind_is_op(e->type) && up && kind_is_op(up->type) && kind_may_make(top->type, e->type) &&
	       !(top->has_token && vt_ev_u64(e, VT_F_TOKEN, &token) && token != top->token);
}

/* An open call that E cannot happen inside of, which says that its exit was lost. */
static bool stale(struct task *t, const struct vt_event *e)
{
	uint64_t token;

	if (!t->depth || asks_for_another(t, e) || of_another(t, e))
		return false;
	if (frame_of(t, e->type))
		return true;
	for (uint32_t i = t->depth; i-- > 0;) {
		struct frame *f = &t->f[i];

		if (kind_is(e->type, VT_K_ANEW) && (kind_is_op(f->type) || kind_is_luo_call(f->type)))
			return true;
		/* No callback makes another one, but through a call of LUO. */
		if (kind_is_op(e->type) && kind_is_op(f->type))
			return true;
		if (!kind_is_op(e->type) || !kind_is_luo_call(f->type))
			continue;
		return !kind_may_make(f->type, e->type) || (f->has_token && vt_ev_u64(e, VT_F_TOKEN, &token) && token != f->token);
	}
	return false;
}

void call_enter(struct vt_build *b, const struct vt_event *e)
{
	struct task *t = task_make(b, e->tid);
	struct frame *f;

	if (!t)
		return;
	while (stale(t, e)) {
		frame_leave(b, t, NULL);
		t = task_make(b, e->tid);
		if (!t)
			return;
	}
	if (!task_deepen(b, t))
		return;
	f = &t->f[t->depth++];
	memset(f, 0, offsetof(struct frame, made));
	f->type = e->type;
	at_set(b, &f->enter, e);
	f->has_token = vt_ev_u64(e, VT_F_TOKEN, &f->token);
	f->subject = vt_ev_obj(e, VT_F_FILE);
	if (t->depth >= 2) {
		frame_session(f, t->f[t->depth - 2].session);
		frame_life(f, t->f[t->depth - 2].life);
	}
	tell_area(b, e->type, enter, t, f, e);
}

/*
 * Where records were lost, the exit of one call may follow the entry of an
 * earlier one of the same kind: token and file tell them apart. A retrieve
 * and an open get their file in between.
 */
static bool same_call(const struct frame *f, const struct vt_event *e)
{
	uint64_t token, file = vt_ev_obj(e, VT_F_FILE);

	if (f->has_token && vt_ev_u64(e, VT_F_TOKEN, &token) && token != f->token)
		return false;
	return !f->subject || !file || file == f->subject;
}

void call_exit(struct vt_build *b, const struct vt_event *e)
{
	struct task *t = task_of(b, e);
	struct frame *mine = frame_of(t, e->type);

	while (mine && !same_call(mine, e)) {
		bool last = t->depth == 1;

		frame_leave(b, t, NULL);
		if (last) {
			t = NULL;
			break;
		}
		mine = frame_of(t, e->type);
	}

	if (!frame_of(t, e->type)) {
		/* Entered before the recorder was armed, or the entry is not hooked: the result still counts. */
		struct frame f = { .type = e->type };

		tell_area(b, e->type, exit, t, &f, e);
		frame_empty(&f);
		return;
	}
	while (frame_top(t)->type != e->type)
		frame_leave(b, t, NULL);
	frame_leave(b, t, e);
}

void calls_torn(struct vt_build *b, uint64_t until_ns, bool vfio_only)
{
	struct task *t;
	size_t i = 0;

	while ((t = vt_map__next(&b->calls.tasks, &i))) {
		for (uint32_t depth = t->depth; depth && t->f[vfio_only ? depth - 1 : 0].enter.ts_ns <= until_ns; depth--) {
			if (vfio_only && !kind_is_vfio(t->f[depth - 1].type))
				break;
			frame_leave(b, t, NULL);
		}
	}
}

void calls_free(struct vt_build *b)
{
	struct task *t;
	size_t i = 0;

	b->calls.last = b->calls.busy = b->calls.oldest = NULL;
	b->calls.nr_busy = 0;
	while ((t = vt_map__next(&b->calls.tasks, &i)))
		task_free(t);
	vt_map__free(&b->calls.tasks);
	task_free(b->calls.spare);
	b->calls.spare = NULL;
}
