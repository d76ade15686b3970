// SPDX-License-Identifier: GPL-2.0
/* One pass over a trace: calls in flight per task, and who handles what. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

#define NAME2(id, name) name,
static const char *const step_names[] = { VT_STEPS(NAME2) };
static const char *const pt_names[] = { VT_PTS(NAME2) };

const char *vt_step_name(enum vt_step s)
{
	return s < VT_STEP_MAX ? step_names[s] : "?";
}

const char *vt_pt_name(enum vt_pt p)
{
	return p < VT_PT_MAX ? pt_names[p] : "?";
}

const char *vt_life_state_name(enum vt_life_state s)
{
	static const char *const names[] = {
		[VT_LIFE_TRYING] = "being preserved", [VT_LIFE_PRESERVED] = "preserved", [VT_LIFE_FROZEN] = "frozen",
		[VT_LIFE_UNPRESERVED] = "unpreserved", [VT_LIFE_INCOMING] = "not retrieved",
		[VT_LIFE_FAILED] = "retrieve failed", [VT_LIFE_RETRIEVED] = "retrieved", [VT_LIFE_FINISHED] = "finished",
	};

	return s <= VT_LIFE_FINISHED ? names[s] : "?";
}

const char *vt_phase_name(enum vt_phase_kind p)
{
	static const char *const names[] = { "preserve", "freeze", "serialize", "reboot", "deserialize", "retrieve", "finish" };

	return p < VT_PH_MAX ? names[p] : "?";
}

/* ---- helpers ---- */

const char *intern(struct vt_build *b, const char *s)
{
	return s ? vt_strings__get(&b->strings, s) : NULL;
}

const char *intern_event(struct vt_build *b, const char *s)
{
	return s ? vt_strings__get_of(&b->strings, s) : NULL;
}

void at_set(struct vt_build *b, struct vt_at *at, const struct vt_event *e)
{
	const char *func = vt_ev_str(e, VT_F_FUNC);

	*at = (struct vt_at){
		.ts_ns = e->ts_ns, .index = e->index, .tgid = e->tgid, .tid = e->tid, .type = e->type, .phase = e->phase,
		.comm = intern_event(b, e->comm), .func = func ? intern_event(b, func) : "",
	};
	/* Where a free is, no function is entered: the call instruction says where. */
	if (e->type == VT_EV_MEM_FREE && vt_ev_str(e, VT_F_SITE))
		at->func = intern_event(b, vt_ev_str(e, VT_F_SITE));
	if (*at->func)
		b->func[e->type] = at->func;
	at->has_ret = vt_ev_s64(e, VT_F_RET, &at->ret);
}

bool grow(struct vt_build *b, void *array, size_t *cap, size_t nr, size_t size)
{
	void **p = array, *n;
	size_t want;

	if (nr < *cap)
		return true;
	want = *cap ? *cap * 2 : 16;
	n = realloc(*p, want * size);
	if (!n) {
		b->err = -ENOMEM;
		return false;
	}
	*p = n;
	*cap = want;
	return true;
}

bool is_err(const struct vt_event *e)
{
	int64_t ret;

	return vt_ev_s64(e, VT_F_RET, &ret) && ret < 0;
}

/* Events of one task come in a row, mostly. */
static struct task *task_find(struct vt_build *b, uint32_t tid)
{
	struct task *t = b->last_task && b->last_task->tid == tid ? b->last_task : vt_map__get(&b->tasks, tid);

	if (t)
		b->last_task = t;
	return t;
}

struct task *task_of(struct vt_build *b, const struct vt_event *e)
{
	return task_find(b, e->tid);
}

struct frame *frame_top(struct task *t)
{
	return t && t->depth ? &t->f[t->depth - 1] : NULL;
}

struct frame *frame_of(struct task *t, uint16_t type)
{
	for (uint32_t i = t ? t->depth : 0; i > 0; i--) {
		if (t->f[i - 1].type == type)
			return &t->f[i - 1];
	}
	return NULL;
}

struct frame *frame_op(struct task *t)
{
	for (uint32_t i = t ? t->depth : 0; i > 0; i--) {
		if (kind_is_op(t->f[i - 1].type))
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

struct vt_who who_life(struct vt_build *b, const struct vt_life *l)
{
	struct vt_who w = {};

	if (!l)
		return w;
	w.session = intern(b, l->session->name);
	w.token = l->token;
	w.has_token = true;
	w.compatible = l->compatible;
	w.bdf = l->bdf;
	w.since_ns = l->since_ns;
	return w;
}

struct vt_who who_session(struct vt_build *b, const struct vt_session *s)
{
	return (struct vt_who){ .session = s ? intern(b, s->name) : NULL, .since_ns = s ? s->since_ns : 0 };
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

struct vt_fact *fact(struct vt_build *b, enum vt_fact_kind k, struct vt_who who, const struct vt_at *at)
{
	struct vt_side *s = b->side;
	struct vt_fact *f;

	memset(&b->sink, 0, sizeof(b->sink));
	if (s->fact_count[k]++ >= VT_FACTS_KEPT || !grow(b, &s->facts, &b->cap_facts, s->nr_facts, sizeof(*s->facts)))
		return &b->sink;
	f = &s->facts[s->nr_facts++];
	memset(f, 0, sizeof(*f));
	f->kind = k;
	f->who = who;
	f->from_ns = who.since_ns;
	if (at)
		f->at[0] = *at;
	return f;
}

struct handler_info *handler_of(struct vt_build *b, const char *compatible)
{
	struct handler_info *h;

	if (!compatible)
		return NULL;
	compatible = intern_event(b, compatible);
	h = vt_map__get(&b->handlers, (uintptr_t)compatible);
	if (h)
		return h;
	h = calloc(1, sizeof(*h));
	if (!h || vt_map__put(&b->handlers, (uintptr_t)compatible, h)) {
		free(h);
		b->err = -ENOMEM;
		return NULL;
	}
	h->compatible = compatible;
	return h;
}

struct vt_flb_row *flb_row(struct vt_build *b, const char *compatible)
{
	struct vt_side *s = b->side;

	if (!compatible)
		return NULL;
	for (size_t i = 0; i < s->nr_flb; i++) {
		if (!strcmp(s->flb[i].compatible, compatible))
			return &s->flb[i];
	}
	if (s->nr_flb >= 256 || !grow(b, &s->flb, &b->cap_flb, s->nr_flb, sizeof(*s->flb)))
		return NULL;
	memset(&s->flb[s->nr_flb], 0, sizeof(*s->flb));
	s->flb[s->nr_flb].compatible = intern(b, compatible);
	return &s->flb[s->nr_flb++];
}

/* ---- calls in flight ---- */

static struct task *task_make(struct vt_build *b, uint32_t tid)
{
	struct task *t = task_find(b, tid);

	if (t)
		return t;
	t = b->spare ? b->spare : malloc(sizeof(*t));
	b->spare = NULL;
	if (!t || vt_map__put(&b->tasks, tid, t)) {
		free(t);
		b->err = -ENOMEM;
		return NULL;
	}
	t->tid = tid;
	t->depth = t->nr_touched = 0;
	t->prev = NULL;
	t->next = b->busy;
	if (t->next)
		t->next->prev = t;
	b->busy = t;
	return t;
}

static void task_done(struct vt_build *b, struct task *t)
{
	vt_map__del(&b->tasks, t->tid);
	*(t->prev ? &t->prev->next : &b->busy) = t->next;
	if (t->next)
		t->next->prev = t->prev;
	b->last_task = NULL;
	if (b->spare)
		free(t);
	else
		b->spare = t;
}

/* What a call made it answers for: on failure all of it has to go, on success the caller inherits it. */
static void settle_made(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct frame *up = t->depth >= 2 ? &t->f[t->depth - 2] : NULL;
	struct vt_at at = {};
	bool failed = e && is_err(e);

	if (!f->nr_made)
		return;
	if (failed)
		at_set(b, &at, e);
	for (uint32_t i = 0; i < f->nr_made; i++) {
		if (failed && vt_obj_class(f->made[i]) == VT_C_FILE)
			file_failed(b, f->made[i], &at);
		else if (failed)
			vfio_failed(b, f->made[i], &at);
		else if (up && up->nr_made < MADE_MAX)
			up->made[up->nr_made++] = f->made[i];
	}
}

/* E is the exit event, or NULL when it never came. */
static void frame_leave(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *f = frame_top(t);

	if (e && kind_is_vfio(f->type))
		vfio_exit(b, t, f, e);
	else
		life_exit(b, t, f, e);
	settle_made(b, t, f, e);
	if (t->depth == 1) {
		struct vt_at at = {};

		if (e && t->nr_touched)
			at_set(b, &at, e);
		vfio_idle(b, t, f, e ? &at : NULL);
	}
	if (!--t->depth)
		task_done(b, t);
}

/* An open call that E cannot happen inside of, which says that its exit was lost. */
static bool stale(struct task *t, const struct vt_event *e)
{
	uint64_t token;

	if (frame_of(t, e->type))
		return true;
	for (uint32_t i = t->depth; i-- > 0;) {
		struct frame *f = &t->f[i];

		if (kind_is(e->type, VT_K_ANEW) && (kind_is_op(f->type) || kind_is_luo_call(f->type)))
			return true;
		if (!kind_is_op(e->type) || !kind_is_luo_call(f->type))
			continue;
		return !kind_may_make(f->type, e->type) || (f->has_token && vt_ev_u64(e, VT_F_TOKEN, &token) && token != f->token);
	}
	return false;
}

static void call_enter(struct vt_build *b, const struct vt_event *e)
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
	if (t->depth == FRAMES_MAX)
		return;
	f = &t->f[t->depth++];
	memset(f, 0, sizeof(*f));
	f->type = e->type;
	at_set(b, &f->enter, e);
	f->has_token = vt_ev_u64(e, VT_F_TOKEN, &f->token);
	f->subject = vt_ev_obj(e, VT_F_FILE);
	if (t->depth >= 2) {
		f->session = t->f[t->depth - 2].session;
		f->life = t->f[t->depth - 2].life;
	}
	if (kind_is_vfio(e->type))
		vfio_enter(b, t, f, e);
	else
		life_enter(b, t, f, e);
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

static void call_exit(struct vt_build *b, const struct vt_event *e)
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

		if (kind_is_vfio(e->type))
			vfio_exit(b, t, &f, e);
		else
			life_exit(b, t, &f, e);
		return;
	}
	while (frame_top(t)->type != e->type)
		frame_leave(b, t, NULL);
	frame_leave(b, t, e);
}

/* ---- one event ---- */

static void note_time(struct vt_side *s, const struct vt_event *e)
{
	if (!s->events++)
		s->start_ns = e->ts_ns;
	if (!s->seen_type[e->type]++)
		s->first_type_ns[e->type] = e->ts_ns;
	if (kind_area(e->type) == VT_AREA_REC || e->type == VT_EV_UNKNOWN)
		return;
	if (!s->first_ns || e->ts_ns < s->first_ns)
		s->first_ns = e->ts_ns;
	if (e->ts_ns > s->last_ns)
		s->last_ns = e->ts_ns;
	if (kind_is_vfio(e->type)) {
		s->saw_vfio = true;
		if (!s->first_vfio_ns)
			s->first_vfio_ns = e->ts_ns;
	}
}

/* The tool preserves a file of its own when it carries a trace over. It does not judge that. */
static bool is_own(struct vt_build *b, const struct vt_event *e)
{
	const char *session = vt_ev_str(e, VT_F_SESSION);

	if (!session || session == b->other_session)
		return false;
	if (!strcmp(session, VT_OWN_SESSION))
		return true;
	b->other_session = session;
	return false;
}

/*
 * Until UNTIL_NS records were lost: of a call that was entered before then
 * nobody knows whether it has returned since. What comes now is not laid at
 * its door. Where only calls into vfio were lost, those of LUO around them stand.
 */
static void frames_torn(struct vt_build *b, uint64_t until_ns, bool vfio_only)
{
	struct task *t;
	size_t i = 0;

	while ((t = vt_map__next(&b->tasks, &i))) {
		for (uint32_t depth = t->depth; depth && t->f[vfio_only ? depth - 1 : 0].enter.ts_ns <= until_ns; depth--) {
			if (vfio_only && !kind_is_vfio(t->f[depth - 1].type))
				break;
			frame_leave(b, t, NULL);
		}
	}
}

static void feed(struct vt_build *b, const struct vt_event *e)
{
	b->now_ns = e->ts_ns;
	while (b->tear_at < b->nr_tears && e->ts_ns > b->tears[b->tear_at].to_ns) {
		frames_torn(b, b->tears[b->tear_at].to_ns, b->tears[b->tear_at].vfio_only);
		b->tear_at++;
	}
	if (is_own(b, e)) {
		b->side->events++;
		if (!b->side->own_events++)
			at_set(b, &b->side->own_at, e);
		return;
	}
	note_time(b->side, e);
	if (e->phase != VT_POINT && kind_is_call(e->type)) {
		if (e->phase == VT_ENTER)
			call_enter(b, e);
		else
			call_exit(b, e);
		return;
	}
	switch (kind_area(e->type)) {
	case VT_AREA_OBJ:
		mem_event(b, task_of(b, e), e);
		break;
	case VT_AREA_VFIO: case VT_AREA_DF:
		vfio_point(b, task_of(b, e), e);
		break;
	case VT_AREA_FILE:
		file_event(b, task_of(b, e), e);
		break;
	case VT_AREA_KHO:
		kho_event(b, task_of(b, e), e);
		break;
	default:
		life_point(b, task_of(b, e), e);
	}
}

/* ---- a side ---- */

static void judge_frame(struct vt_side *s)
{
	bool ended = vt_trace__ended(s->trace) != NULL;

	for (size_t i = 0; i < vt_trace__damage_nr(s->trace); i++) {
		if (vt_trace__damage(s->trace, i)->kind == VT_D_TRUNCATED)
			s->truncated = true;
		else
			s->damaged = true;
	}
	s->ending = ended ? VT_END_STOPPED : s->jumped ? VT_END_JUMP : VT_END_CUT;
}

static int read_events(struct vt_build *b, struct vt_event *e)
{
	struct vt_side *s = b->side;
	struct vt_block_at block = { 0 };
	int ret;

	while ((ret = vt_trace__next(s->trace, e)) > 0) {
		if (vt_trace__block(s->trace) != block.offset) {
			if (cover_damage(b, &block, vt_trace__block(s->trace), e->ts_ns))
				frames_torn(b, e->ts_ns, false);
			block = (struct vt_block_at){ .offset = vt_trace__block(s->trace), .first_ns = e->ts_ns };
			vt_strings__next_text(&b->strings);
			b->other_session = NULL;
		}
		feed(b, e);
		if (b->err)
			return b->err;
	}
	cover_damage(b, &block, UINT64_MAX, UINT64_MAX);
	return ret;
}

static void finalize(struct vt_build *b)
{
	struct vt_side *s = b->side;
	size_t i = 0;
	struct task *t;

	judge_frame(s);
	/* Calls that never came back: of the jump, or of the moment the recorder stopped. */
	b->last_task = NULL;
	while ((t = vt_map__next(&b->tasks, &i)))
		free(t);
	vt_map__free(&b->tasks);
	b->busy = NULL;
	life_finalize(b);
	refs_finalize(b);
	vfio_finalize(b);
	file_finalize(b);
	kho_finalize(b);
	cover_finalize(b);
}

int vt_side__load(const char *path, const char *label, struct vt_side **out, char **why)
{
	struct vt_side *s = calloc(1, sizeof(*s));
	struct vt_build *b = calloc(1, sizeof(*b));
	struct vt_event *e = malloc(sizeof(*e));
	int ret = -ENOMEM;

	*out = NULL;
	if (why)
		*why = NULL;
	if (!s || !b || !e)
		goto fail;
	s->build = b;
	b->side = s;
	b->tail = &s->sessions;
	s->label = label;
	s->path = strdup(path);
	if (!s->path)
		goto fail;
	ret = vt_trace__open(path, &s->trace, why);
	if (ret)
		goto fail;
	vt_strings__next_text(&b->strings);
	ret = cover_begin(b);
	if (ret)
		goto fail;
	ret = read_events(b, e);
	if (ret < 0)
		goto fail;
	finalize(b);
	ret = b->err;
	if (ret)
		goto fail;
	free(e);
	*out = s;
	return 0;
fail:
	free(e);
	if (s && !s->build)
		free(b);
	vt_side__free(s);
	return ret;
}

void vt_side__free(struct vt_side *s)
{
	struct vt_build *b;
	void *v;
	size_t i = 0;

	if (!s)
		return;
	b = s->build;
	if (b) {
		life_free_all(b);	/* first: lives let go of what the others own */
		refs_free_all(b);
		vfio_free_all(b);
		file_free_all(b);
		kho_free_all(b);
		cover_free(b);
		mem_free_all(b);
		while ((v = vt_map__next(&b->tasks, &i)))
			free(v);
		vt_map__free(&b->tasks);
		free(b->spare);
		for (i = 0; (v = vt_map__next(&b->handlers, &i));)
			free(v);
		vt_map__free(&b->handlers);
		vt_map__free(&b->index);
		vt_strings__free(&b->strings);
		free(b);
	}
	free(s->facts);
	free(s->flb);
	vt_trace__free(s->trace);
	free(s->path);
	free(s);
}

bool vt_side__has_lives(const struct vt_side *s)
{
	if (s->folded_lives)
		return true;
	for (const struct vt_session *v = s->sessions; v; v = v->next) {
		if (v->lives)
			return true;
	}
	return false;
}

uint64_t life_key(enum vt_dir dir, const char *session, uint64_t token)
{
	return vt_hash_mix(vt_hash_str(session) + dir, token);
}

struct vt_life *vt_side__life(const struct vt_side *s, enum vt_dir dir, const char *session, uint64_t token)
{
	struct vt_life *hit = vt_map__get(&s->build->index, life_key(dir, session, token));

	if (!hit || (hit->dir == dir && hit->token == token && !strcmp(hit->session->name, session)))
		return hit;
	/* Two names of one hash. */
	hit = NULL;
	for (struct vt_session *v = s->sessions; v; v = v->next) {
		if (v->dir != dir || strcmp(v->name, session))
			continue;
		for (struct vt_life *l = v->lives; l; l = l->next) {
			if (l->token == token)
				hit = l;	/* the newest of that name */
		}
	}
	return hit;
}
