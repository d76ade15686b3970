// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions and preserved files: kernel/liveupdate/luo_session.c, luo_file.c.
 *
 * A life is one (session, token) within one kernel. Callbacks carry no token:
 * they are resolved by the call they run in (luo_preserve_file(),
 * luo_retrieve_file()) or by the file, or by serialized_data.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

/* ---- sessions ---- */

static struct vt_session *session_find(struct vt_build *b, enum vt_dir dir, const char *name)
{
	struct vt_session *s = vt_map__get(&b->sessions[dir], vt_hash_str(name));

	return s && !strcmp(s->name, name) ? s : NULL;
}

static struct vt_session *session_get(struct vt_build *b, enum vt_dir dir, const char *name)
{
	struct vt_session *s;

	if (!name)
		return NULL;
	s = session_find(b, dir, name);
	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		goto nomem;
	s->name = strdup(name);
	if (!s->name || vt_map__put(&b->sessions[dir], vt_hash_str(name), s))
		goto nomem;
	s->dir = dir;
	s->early = true;
	s->since_ns = 0;
	*b->tail = s;
	b->tail = &s->next;
	return s;
nomem:
	if (s)
		free(s->name);
	free(s);
	b->err = -ENOMEM;
	return NULL;
}

static struct vt_life *life_find(struct vt_build *b, const struct vt_session *s, uint64_t token)
{
	struct vt_life *l = s ? vt_map__get(&b->lives[s->dir], vt_hash_mix((uintptr_t)s, token)) : NULL;

	return l && l->session == s && l->token == token ? l : NULL;
}

struct vt_life *life_named(struct vt_build *b, enum vt_dir dir, const char *session, uint64_t token)
{
	return life_find(b, session_find(b, dir, session), token);
}

static struct vt_life *life_new(struct vt_build *b, struct vt_session *s, uint64_t token, enum vt_life_state state)
{
	struct vt_life *l = b->spare_life ? memset(b->spare_life, 0, sizeof(*l)) : calloc(1, sizeof(*l));

	b->spare_life = NULL;
	if (!l || vt_map__put(&b->lives[s->dir], vt_hash_mix((uintptr_t)s, token), l)) {
		free(l);
		b->err = -ENOMEM;
		return NULL;
	}
	l->session = s;
	l->token = token;
	l->dir = s->dir;
	l->state = state;
	l->finish_ok = -1;
	/* Callbacks name the file, and a session may have it twice: what was lost of the session before counts, too. */
	l->since_ns = s->since_ns;
	l->until_ns = UINT64_MAX;
	if (s->last)
		s->last->next = l;
	else
		s->lives = l;
	s->last = l;
	s->nr_lives++;
	return l;
}

void life_unhold(struct vt_build *b, struct vt_life *l)
{
	struct vt_file *f;

	if (l->file && vt_map__get(&b->by_file, l->file) == l) {
		vt_map__del(&b->by_file, l->file);
		f = file_get(b, l->file, false);
		if (f)
			f->life = NULL;
	}
}

static void life_drop_data(struct vt_build *b, struct vt_life *l)
{
	uint64_t key = vt_hash_mix((uintptr_t)l->session, l->data);

	if (l->has_data && vt_map__get(&b->by_data[l->dir], key) == l)
		vt_map__del(&b->by_data[l->dir], key);
}

/* A file that lies may end a session while another task is inside of it. */
static void forget_in_frames(struct vt_build *b, const struct vt_session *s, const struct vt_life *l)
{
	for (struct task *t = b->busy; t; t = t->next) {
		for (uint32_t k = 0; k < t->depth; k++) {
			if (s && t->f[k].session == s)
				t->f[k].session = NULL;
			if (l && t->f[k].life == l)
				t->f[k].life = NULL;
			if (l && t->f[k].done == l)
				t->f[k].done = NULL;
		}
	}
}

static void life_free(struct vt_build *b, struct vt_life *l)
{
	struct device *d;
	size_t i = 0;

	forget_in_frames(b, NULL, l);
	life_unhold(b, l);
	life_drop_data(b, l);
	vt_map__del(&b->lives[l->dir], vt_hash_mix((uintptr_t)l->session, l->token));
	kho_disown_life(b, l, VT_FACT_MAX, NULL, false);
	while (l->devices && (d = vt_map__next(&b->devices, &i))) {
		if (d->pub.life == l) {
			d->pub.life = NULL;
			l->devices--;
		}
	}
	snap_free(l->snap);
	snap_free(l->open_snap);
	free(b->spare_life);
	b->spare_life = l;
}

/* Takes the newest life of its session out again: its preserve failed. */
static void life_forget(struct vt_build *b, struct vt_life *l)
{
	struct vt_life **p = &l->session->lives, *prev = NULL;

	while (*p && *p != l) {
		prev = *p;
		p = &(*p)->next;
	}
	if (*p)
		*p = l->next;
	if (l->session->last == l)
		l->session->last = prev;
	l->session->nr_lives--;
	life_free(b, l);
}

static void life_set_data(struct vt_build *b, struct vt_life *l, uint64_t data)
{
	life_drop_data(b, l);
	l->data = data;
	l->has_data = true;
	if (data && vt_map__put(&b->by_data[l->dir], vt_hash_mix((uintptr_t)l->session, data), l))
		b->err = -ENOMEM;
}

/* serialized_data is LUO's to keep: only preserve and freeze may change it. */
static void life_check_data(struct vt_build *b, struct vt_life *l, const struct vt_event *e)
{
	struct vt_fact *f;
	struct vt_at at;
	uint64_t data;

	if (!vt_ev_u64(e, VT_F_DATA, &data))
		return;
	if (l->has_data && l->data != data) {
		at_set(b, &at, e);
		f = fact(b, VT_FACT_DATA_CHANGED, who_life(b, l), &at);
		f->num[0] = (int64_t)l->data;
		f->num[1] = (int64_t)data;
		l->odd = true;
	}
	if (!l->has_data || l->data != data)
		life_set_data(b, l, data);
}

static void life_set_file(struct vt_build *b, struct vt_life *l, uint64_t obj)
{
	struct vt_file *f;

	if (!obj || l->file == obj)
		return;
	life_unhold(b, l);
	l->file = obj;
	f = file_get(b, obj, true);
	if (!f)
		return;
	if (vt_map__put(&b->by_file, obj, l))
		b->err = -ENOMEM;
	f->life = l;
	f->failed.type = 0;
	if (f->is_vfio)
		l->is_vfio = true;
	if (f->bdf)
		l->bdf = f->bdf;
	if (f->df)
		l->df = f->df;
	if (f->device)
		l->device = f->device;
}

static void life_learn(struct vt_build *b, struct vt_life *l, const struct vt_event *e)
{
	const char *c = vt_ev_str(e, VT_F_COMPATIBLE);

	if (c && !l->compatible)
		l->compatible = intern(b, c);
	l->owned |= vt_ev_has(e, VT_F_MOD_REF);
	if (vt_ev_obj(e, VT_F_LUO_FILE))
		l->luo_file = vt_ev_obj(e, VT_F_LUO_FILE);
}

/* The life of F's session whose handle stands in E. */
static struct vt_life *life_by_data(struct vt_build *b, const struct frame *f, const struct vt_event *e)
{
	struct vt_life *l;
	uint64_t data;

	if (!f->session || !vt_ev_u64(e, VT_F_DATA, &data) || !data)
		return NULL;
	l = vt_map__get(&b->by_data[f->session->dir], vt_hash_mix((uintptr_t)f->session, data));
	return l && l->session == f->session && l->has_data && l->data == data ? l : NULL;
}

/* Which life a callback is about. */
static struct vt_life *op_life(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	uint64_t token, file = vt_ev_obj(e, VT_F_FILE);
	struct vt_life *l, *other;

	bool told = vt_ev_u64(e, VT_F_TOKEN, &token);

	/* The enclosing call may be an earlier one, if the end of that and the begin of this were lost. */
	if (f->life && (!told || f->life->token == token))
		return f->life;
	if (f->session && told) {
		l = life_find(b, f->session, token);
		if (l)
			return l;
	}
	other = life_by_data(b, f, e);
	l = file ? vt_map__get(&b->by_file, file) : NULL;
	if (!l || (f->session && l->session != f->session))
		return other;
	/* A file that was preserved twice has two lives. */
	return other && other->file == file ? other : l;
}

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

/* ---- callbacks ---- */

static int step_of(uint16_t type)
{
	switch (type) {
	case VT_EV_OP_PRESERVE: return VT_STEP_PRESERVE;
	case VT_EV_OP_UNPRESERVE: return VT_STEP_UNPRESERVE;
	case VT_EV_OP_FREEZE: return VT_STEP_FREEZE;
	case VT_EV_OP_UNFREEZE: return VT_STEP_UNFREEZE;
	case VT_EV_OP_RETRIEVE: return VT_STEP_RETRIEVE;
	case VT_EV_OP_CAN_FINISH: return VT_STEP_CAN_FINISH;
	case VT_EV_OP_FINISH: return VT_STEP_FINISH;
	default: return -1;
	}
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

static void op_enter(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct frame *up = t->depth >= 2 ? &t->f[t->depth - 2] : NULL;
	int step = step_of(e->type);
	struct handler_info *h;
	struct vt_life *l;

	refs_learn(b, e);
	if (e->type == VT_EV_OP_CAN_PRESERVE)
		return;
	f->have_file_ref = vt_ev_s64(e, VT_F_FILE_REF, &f->file_ref);
	if (e->type == VT_EV_OP_UNFREEZE) {
		h = handler_of(b, vt_ev_str(e, VT_F_COMPATIBLE));
		if (h)
			h->has_unfreeze = true;
	}
	f->life = l = op_life(b, f, e);
	if (!l || step < 0)
		return;
	life_learn(b, l, e);
	if (e->type != VT_EV_OP_PRESERVE)
		life_check_data(b, l, e);
	op_order(b, l, e);
	/* Before luo_preserve_file() returns it is not sure that this life gets the file. */
	if (e->type == VT_EV_OP_PRESERVE && up)
		up->file = vt_ev_obj(e, VT_F_FILE);
	else if (l->dir == VT_OUTGOING)
		life_set_file(b, l, vt_ev_obj(e, VT_F_FILE));
	l->n[step]++;
	l->enter[step] = f->enter;
	l->at[step].type = 0;
}

static void op_freeze_done(struct vt_build *b, struct vt_life *l, const struct vt_event *e)
{
	uint64_t data;

	l->state = VT_LIFE_FROZEN;
	if (vt_ev_u64(e, VT_F_DATA, &data) && (!l->has_data || data != l->data)) {
		l->freeze_changed = l->has_data;
		life_set_data(b, l, data);
	}
}

/* Nothing tells what became of the folios that a failing retrieve restored. */
static void folios_unseen(struct vt_build *b, const struct frame *f, struct vt_who who, const struct vt_event *e)
{
	struct vt_fact *x;

	if (!f->folios || f->folios_told)
		return;
	x = fact(b, VT_FACT_FOLIO_NOT_PUT, who, &f->folio_at);
	at_set(b, &x->at[1], e);
	x->num[0] = (int64_t)f->folio_phys;
	x->num[1] = f->folios;
}

static void op_retrieve_done(struct vt_build *b, struct frame *up, struct frame *f, struct vt_life *l, const struct vt_event *e)
{
	if (!is_err(e)) {
		l->state = VT_LIFE_RETRIEVED;
		life_set_file(b, l, vt_ev_obj(e, VT_F_FILE));
		return;
	}
	l->state = VT_LIFE_FAILED;
	/* They are looked at when luo_retrieve_file() returns. */
	if (!up || up->type != VT_EV_LUO_RETRIEVE) {
		folios_unseen(b, f, who_life(b, l), e);
		return;
	}
	up->folios = f->folios;
	up->folio_at = f->folio_at;
	up->folio_phys = f->folio_phys;
}

/* LUO has taken its reference by now. */
static void can_preserve(struct vt_build *b, struct frame *call, const struct vt_event *e, int64_t ref)
{
	file_others(b, e, call != NULL);
	if (!call)
		return;
	call->file = vt_ev_obj(e, VT_F_FILE);
	call->have_file_ref = true;
	call->file_ref = ref;
	at_set(b, &call->file_ref_at, e);
}

/*
 * A callback works with LUO's reference. It may take one of its own and give
 * that back in a later one, but over the file's life it leaves no fewer.
 */
static void op_file(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	bool ends = e->type == VT_EV_OP_UNPRESERVE || e->type == VT_EV_OP_FINISH;
	struct vt_file *file;
	uint64_t threads;
	int64_t ref;

	if (!vt_ev_s64(e, VT_F_FILE_REF, &ref))
		return;
	if (e->type == VT_EV_OP_CAN_PRESERVE) {
		can_preserve(b, frame_of(t, VT_EV_LUO_PRESERVE), e, ref);
		return;
	}
	if (!f->life || !f->have_file_ref || f->subject != vt_ev_obj(e, VT_F_FILE))
		return;
	f->life->file_net += ref - f->file_ref;
	/* With more threads one of them may just have closed it. */
	if (!ends || f->life->file_net >= 0 || !vt_ev_u64(e, VT_F_THREADS, &threads) || threads != 1)
		return;
	/* Or left a system call on it, in another process. LUO's own put will tell: see let_go(). */
	file = file_get(b, f->subject, false);
	if (!file)
		return;
	at_set(b, &file->taken, e);
	file->taken_before = f->enter;
	file->taken_want = ref - f->life->file_net;
	file->taken_seen = ref;
}

static void op_exit(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	int step = step_of(e->type);
	struct frame *up = t && t->depth >= 2 ? &t->f[t->depth - 2] : NULL;
	struct vt_life *l = f->life;
	int64_t ret;

	op_file(b, t, f, e);
	refs_op(b, t, f, e);
	if (step < 0 || !l)
		return;
	life_learn(b, l, e);
	at_set(b, &l->at[step], e);
	if (f->enter.type)
		l->ns[step] += e->ts_ns - f->enter.ts_ns;
	switch (e->type) {
	case VT_EV_OP_FREEZE:
		if (!is_err(e))
			op_freeze_done(b, l, e);
		break;
	case VT_EV_OP_UNFREEZE:
		if (l->state == VT_LIFE_FROZEN)
			l->state = VT_LIFE_PRESERVED;
		break;
	case VT_EV_OP_UNPRESERVE:
		l->state = VT_LIFE_UNPRESERVED;
		life_unhold(b, l);
		kho_disown_life(b, l, VT_FACT_KHO_LEFT, &l->at[step], true);
		if (up) {
			up->ops++;
			up->done = l;
		}
		break;
	case VT_EV_OP_RETRIEVE:
		op_retrieve_done(b, up, f, l, e);
		break;
	case VT_EV_OP_CAN_FINISH:
		if (vt_ev_s64(e, VT_F_RET, &ret))
			l->finish_ok = ret > 0;
		break;
	case VT_EV_OP_FINISH:
		l->state = VT_LIFE_FINISHED;
		life_unhold(b, l);
		if (up) {
			up->ops++;
			up->done = l;
		}
		break;
	default:
		break;
	}
}

/* ---- LUO's own calls ---- */

static void phase_add(struct vt_build *b, enum vt_phase_kind p, const struct frame *f, const struct vt_event *e)
{
	struct vt_phase_time *t = &b->side->phase[p];
	uint64_t ns;

	if (!f->enter.type || e->ts_ns < f->enter.ts_ns)
		return;
	ns = e->ts_ns - f->enter.ts_ns;
	t->count++;
	t->total_ns += ns;
	if (ns > t->max_ns)
		t->max_ns = ns;
}

static void preserve_enter(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	uint64_t token;

	f->session = session_get(b, VT_OUTGOING, vt_ev_str(e, VT_F_SESSION));
	if (!f->session || !vt_ev_u64(e, VT_F_TOKEN, &token) || life_find(b, f->session, token))
		return;		/* a token in use is refused: -EEXIST */
	f->life = life_new(b, f->session, token, VT_LIFE_TRYING);
	f->own_life = f->life != NULL;
}

static void flb_check(struct vt_build *b, struct frame *f, const struct vt_event *e, int32_t expect)
{
	struct vt_fact *x;
	struct vt_at at;

	if (f->flb == expect || !f->enter.type)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_FLB, f->life ? who_life(b, f->life) : who_session(b, f->session), &at);
	x->num[0] = expect;
	x->num[1] = f->flb;
	x->str[0] = f->life ? f->life->compatible : NULL;
	if (f->life)
		f->life->odd = true;
}

/* luo_preserve_file() refuses a file that is preserved already (luo_preserved_files, -EBUSY). */
static void preserve_twice(struct vt_build *b, struct vt_life *l, uint64_t file, const struct vt_event *e)
{
	struct vt_life *other = file ? vt_map__get(&b->by_file, file) : NULL;
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

static void preserve_exit(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	struct vt_life *l = f->life;
	struct vt_flb_row *r;
	uint64_t data, file;

	phase_add(b, VT_PH_PRESERVE, f, e);
	kho_call_returned(b, e);
	mem_returned(b, e);
	if (is_err(e)) {
		b->side->failed_preserves++;
		flb_check(b, f, e, 0);
		if (f->have_file_ref && f->file == vt_ev_obj(e, VT_F_FILE))
			file_let_go(b, e, l ? who_life(b, l) : who_session(b, f->session), &f->file_ref_at, f->file_ref - 1);
		if (l && f->own_life) {
			struct vt_at at;

			at_set(b, &at, e);
			kho_disown_life(b, l, VT_FACT_KHO_LEFT, &at, true);
			life_forget(b, l);
			f->life = NULL;
		}
		return;
	}
	if (!l)
		return;
	life_learn(b, l, e);
	flb_check(b, f, e, b->side->seen_type[VT_EV_FLB_PRESERVE] ? 1 : f->flb);
	l->state = VT_LIFE_PRESERVED;
	if (vt_ev_u64(e, VT_F_DATA, &data))
		life_set_data(b, l, data);
	file = vt_ev_obj(e, VT_F_FILE);
	if (!file)
		file = f->file;
	preserve_twice(b, l, file, e);
	life_set_file(b, l, file);
	if (!l->at[VT_STEP_PRESERVE].type)
		at_set(b, &l->at[VT_STEP_PRESERVE], e);
	r = flb_row(b, l->compatible);
	if (r)
		r->lives_preserved++;
}

static void retrieve_enter(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	const char *name = vt_ev_str(e, VT_F_SESSION);
	struct vt_session *out, *s;
	struct vt_fact *x;
	struct vt_at at;
	uint64_t token;

	if (!name || !vt_ev_u64(e, VT_F_TOKEN, &token))
		return;
	out = session_find(b, VT_OUTGOING, name);
	s = session_find(b, VT_INCOMING, name);
	if (out && !s && life_find(b, out, token)) {
		at_set(b, &at, e);
		x = fact(b, VT_FACT_RETRIEVE_OUTGOING, who_life(b, life_find(b, out, token)), &at);
		x->at[1] = life_find(b, out, token)->at[VT_STEP_PRESERVE];
		f->session = out;
		return;
	}
	f->session = s ? s : session_get(b, VT_INCOMING, name);
	if (!f->session)
		return;
	f->life = life_find(b, f->session, token);
	if (f->life || f->session->deserialized)
		return;		/* a token that did not arrive is refused: -ENOENT */
	f->life = life_new(b, f->session, token, VT_LIFE_INCOMING);
	if (f->life)
		f->life->early = f->own_life = true;
}

static void retrieve_exit(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	struct vt_life *l = f->life;

	phase_add(b, VT_PH_RETRIEVE, f, e);
	if (!l)
		return;
	life_learn(b, l, e);
	if (is_err(e)) {
		folios_unseen(b, f, who_life(b, l), e);
		if (f->own_life && !l->n[VT_STEP_RETRIEVE]) {
			life_forget(b, l);
			f->life = NULL;
		}
		return;
	}
	if (l->state == VT_LIFE_INCOMING)
		l->state = VT_LIFE_RETRIEVED;
	if (!l->at[VT_STEP_RETRIEVE].type)
		at_set(b, &l->at[VT_STEP_RETRIEVE], e);
	if (l->state == VT_LIFE_RETRIEVED)
		life_set_file(b, l, vt_ev_obj(e, VT_F_FILE));
}

/* A freeze that failed: what had been frozen before it must be thawed. */
static void unfrozen(struct vt_build *b, struct vt_session *s, const struct vt_event *e)
{
	for (struct vt_life *l = s->lives; l; l = l->next) {
		if (l->dir != VT_OUTGOING || l->state != VT_LIFE_FROZEN)
			continue;
		/* unfreeze is optional: without one there is nothing to see. Settled at the end, see life_finalize(). */
		odd(b, l, VT_FACT_NOT_UNFROZEN, e, &l->at[VT_STEP_FREEZE]);
		l->state = VT_LIFE_PRESERVED;
	}
}

static void unfrozen_all(struct vt_build *b, const struct vt_event *e)
{
	size_t i = 0;
	struct vt_session *s;

	while ((s = vt_map__next(&b->sessions[VT_OUTGOING], &i)))
		unfrozen(b, s, e);
}

/*
 * A callback that never ran, or ran twice, is told as such: what goes with the
 * files may go with the callbacks or with the files that the session had.
 */
static int32_t files_ended(const struct frame *f, int32_t net)
{
	int32_t files, owned;

	return settled_files(f, &files, &owned) && net != f->ops ? files : f->ops;
}

static void settle(struct vt_build *b, struct vt_session *s)
{
	for (struct vt_life *l = s->lives; l; l = l->next) {
		l->settled = true;
		if (l->until_ns == UINT64_MAX && (l->state == VT_LIFE_UNPRESERVED || l->state == VT_LIFE_FINISHED))
			l->until_ns = b->now_ns;
	}
}

/* Its own finding only if each file's callback did run. */
static void flb_order(struct vt_build *b, struct frame *f)
{
	struct vt_fact *x;

	if (!f->flb_early.type || f->ops < -f->flb)
		return;
	x = fact(b, VT_FACT_FLB_ORDER, who_session(b, f->session), &f->flb_early);
	x->who.compatible = f->flb_early_handler;
	x->num[0] = f->flb_early_ops;
	x->num[1] = f->flb_early_nr;
}

static void luo_file_due(struct vt_build *b, const struct vt_life *l, const struct vt_event *e)
{
	if (mem_alive(b, l->luo_file))
		mem_due(b, l->luo_file, who_life(b, l), e);
}

static void set_exit(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	struct vt_session *s = f->session;

	if (!s)
		return;
	switch (e->type) {
	case VT_EV_LUO_FREEZE:
		phase_add(b, VT_PH_FREEZE, f, e);
		at_set(b, &s->frozen, e);
		s->freeze_ret = s->frozen.ret;
		if (is_err(e))
			unfrozen(b, s, e);
		break;
	case VT_EV_LUO_UNFREEZE:
		unfrozen(b, s, e);
		break;
	case VT_EV_LUO_UNPRESERVE:
		for (struct vt_life *l = s->lives; l; l = l->next) {
			struct vt_flb_row *r = flb_row(b, l->compatible);

			if (l->state == VT_LIFE_UNPRESERVED)
				luo_file_due(b, l, e);
			if (l->state == VT_LIFE_UNPRESERVED && r)
				r->lives_unpreserved++;
			if (l->state == VT_LIFE_PRESERVED || l->state == VT_LIFE_FROZEN)
				odd(b, l, VT_FACT_NOT_UNPRESERVED, e, &l->at[VT_STEP_PRESERVE]);
		}
		if (b->side->seen_type[VT_EV_FLB_UNPRESERVE])
			flb_check(b, f, e, -files_ended(f, -f->flb));
		settle(b, s);
		break;
	case VT_EV_LUO_FINISH:
		phase_add(b, VT_PH_FINISH, f, e);
		at_set(b, &s->finish, e);
		s->finish_ret = s->finish.ret;
		if (is_err(e))
			break;
		s->finished = true;
		for (struct vt_life *l = s->lives; l; l = l->next) {
			luo_file_due(b, l, e);
			if (l->state != VT_LIFE_FINISHED)
				odd(b, l, VT_FACT_NOT_FINISHED, e, l->at[VT_STEP_RETRIEVE].type ? &l->at[VT_STEP_RETRIEVE] : NULL);
		}
		if (b->side->seen_type[VT_EV_FLB_FINISH])
			flb_check(b, f, e, -files_ended(f, -f->flb));
		flb_order(b, f);
		settle(b, s);
		break;
	case VT_EV_LUO_DESERIALIZE:
		phase_add(b, VT_PH_DESERIALIZE, f, e);
		at_set(b, &s->deserialize, e);
		s->deserialize_ret = s->deserialize.ret;
		mem_returned(b, e);
		s->deserialized = true;
		break;
	default:
		break;
	}
}

/* ---- sessions end ---- */

static bool session_odd(const struct vt_session *s)
{
	for (const struct vt_life *l = s->lives; l; l = l->next) {
		if (l->odd || l->state != VT_LIFE_UNPRESERVED)
			return true;
	}
	return false;
}

static void session_free(struct vt_build *b, struct vt_session *s)
{
	struct vt_life *l, *next;

	forget_in_frames(b, s, NULL);
	for (l = s->lives; l; l = next) {
		next = l->next;
		life_free(b, l);
	}
	kho_disown_session(s);
	free(s->name);
	free(s);
}

/* A session whose files were all taken back in order has nothing more to say. */
static void session_fold(struct vt_build *b, struct vt_session *s)
{
	struct vt_session **p = &b->side->sessions;

	while (*p && *p != s)
		p = &(*p)->next;
	if (!*p)
		return;
	*p = s->next;
	if (b->tail == &s->next)
		b->tail = p;
	b->side->folded_sessions++;
	if (s->nr_lives && (!b->side->folded_lives || s->since_ns < b->side->folded_since_ns))
		b->side->folded_since_ns = s->since_ns;
	b->side->folded_lives += s->nr_lives;
	if (b->nr_lost + b->side->nr_holes && cover_lossy(b, s->since_ns, b->now_ns))
		b->side->folded_lossy += s->nr_lives;
	session_free(b, s);
}

static void release_enter(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	const char *name = vt_ev_str(e, VT_F_SESSION);
	uint64_t in;

	if (!name || !vt_ev_u64(e, VT_F_RETRIEVED, &in))
		return;
	f->session = session_get(b, in ? VT_INCOMING : VT_OUTGOING, name);
	f->session_obj = vt_ev_obj(e, VT_F_OBJ);
}

static void release_exit(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	struct vt_session *s = f->session;

	if (!s || is_err(e))
		return;
	mem_due(b, f->session_obj, (struct vt_who){ .session = intern(b, s->name) }, e);
	at_set(b, &s->release, e);
	s->ended = true;
	vt_map__del(&b->sessions[s->dir], vt_hash_str(s->name));
	for (struct vt_life *l = s->lives; l; l = l->next)
		life_unhold(b, l);
	if (s->dir == VT_OUTGOING && b->ended_kept[session_odd(s)]++ >= (session_odd(s) ? ODD_KEPT : ENDED_KEPT))
		session_fold(b, s);
}

/* The session that is being closed, should it be one that arrived: that is the bug to be told. */
static void unpreserve_enter(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct frame *release = frame_of(t, VT_EV_SESSION_RELEASE);

	f->session = release && release->session ? release->session :
						   session_get(b, VT_OUTGOING, vt_ev_str(e, VT_F_SESSION));
}

/* ---- dispatch ---- */

void life_enter(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	if (kind_is_op(e->type)) {
		op_enter(b, t, f, e);
		return;
	}
	switch (e->type) {
	case VT_EV_LUO_PRESERVE:
		preserve_enter(b, f, e);
		break;
	case VT_EV_LUO_RETRIEVE:
		retrieve_enter(b, f, e);
		break;
	case VT_EV_LUO_FREEZE: case VT_EV_LUO_UNFREEZE:
		f->session = session_get(b, VT_OUTGOING, vt_ev_str(e, VT_F_SESSION));
		f->have_count = vt_ev_u64(e, VT_F_COUNT, &f->count);
		break;
	case VT_EV_LUO_UNPRESERVE:
		unpreserve_enter(b, t, f, e);
		break;
	case VT_EV_LUO_FINISH: case VT_EV_LUO_DESERIALIZE:
		f->session = session_get(b, VT_INCOMING, vt_ev_str(e, VT_F_SESSION));
		f->have_count = vt_ev_u64(e, VT_F_COUNT, &f->count);
		if (e->type == VT_EV_LUO_DESERIALIZE && f->session) {
			if (f->session->early && !f->session->lives)
				f->session->since_ns = b->now_ns;
			f->session->early = false;
		}
		break;
	case VT_EV_SESSION_RELEASE:
		release_enter(b, f, e);
		break;
	case VT_EV_REBOOT:
		b->side->jumped = false;
		break;
	default:
		break;
	}
}

static void reboot_exit(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	phase_add(b, VT_PH_REBOOT, f, e);
	at_set(b, &b->side->reboot, e);
	b->side->jumped = !is_err(e);
	if (is_err(e)) {
		b->side->nr_aborts++;
		unfrozen_all(b, e);
	}
}

void life_exit(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	if (!e)
		return;
	if (kind_is_op(e->type)) {
		op_exit(b, t, f, e);
		return;
	}
	switch (e->type) {
	case VT_EV_LUO_PRESERVE:
		refs_call_exit(b, f, e);
		preserve_exit(b, f, e);
		break;
	case VT_EV_LUO_RETRIEVE:
		retrieve_exit(b, f, e);
		break;
	case VT_EV_LUO_FREEZE: case VT_EV_LUO_UNFREEZE: case VT_EV_LUO_UNPRESERVE:
	case VT_EV_LUO_FINISH: case VT_EV_LUO_DESERIALIZE:
		refs_call_exit(b, f, e);
		set_exit(b, f, e);
		break;
	case VT_EV_SESSION_RELEASE:
		release_exit(b, f, e);
		break;
	case VT_EV_REBOOT:
		reboot_exit(b, f, e);
		break;
	case VT_EV_SERIALIZE:
		phase_add(b, VT_PH_SERIALIZE, f, e);
		if (is_err(e))
			unfrozen_all(b, e);
		break;
	default:
		break;
	}
}

/* One row of the list that deserialize built. */
static void luo_file(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *f = frame_of(t, VT_EV_LUO_DESERIALIZE);
	struct vt_session *s = f ? f->session : session_get(b, VT_INCOMING, vt_ev_str(e, VT_F_SESSION));
	struct vt_life *l;
	uint64_t token, data;

	if (!s || !vt_ev_u64(e, VT_F_TOKEN, &token))
		return;
	l = life_find(b, s, token);
	if (!l)
		l = life_new(b, s, token, VT_LIFE_INCOMING);
	if (!l)
		return;
	life_learn(b, l, e);
	at_set(b, &l->at[VT_STEP_DESERIALIZE], e);
	l->n[VT_STEP_DESERIALIZE]++;
	if (vt_ev_u64(e, VT_F_DATA, &data))
		life_set_data(b, l, data);
}

static void flb_event(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *f = frame_top(t);
	struct vt_flb_row *r = flb_row(b, vt_ev_str(e, VT_F_COMPATIBLE));

	if (is_err(e))
		return;
	refs_learn(b, e);
	refs_flb_file(b, e, e->type == VT_EV_FLB_PRESERVE ? 1 : -1);
	if (f)
		f->flb += e->type == VT_EV_FLB_PRESERVE ? 1 : -1;
	if (r) {
		r->preserved += e->type == VT_EV_FLB_PRESERVE;
		r->unpreserved += e->type == VT_EV_FLB_UNPRESERVE;
		r->finished += e->type == VT_EV_FLB_FINISH;
	}
	if (e->type != VT_EV_FLB_FINISH || !f || f->type != VT_EV_LUO_FINISH || -f->flb <= f->ops || f->flb_early.type)
		return;
	at_set(b, &f->flb_early, e);
	f->flb_early_ops = f->ops;
	f->flb_early_nr = -f->flb;
	f->flb_early_handler = r ? r->compatible : NULL;
}

void life_point(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct vt_session *s;

	switch (e->type) {
	case VT_EV_SESSION_CREATE:
		if (e->phase == VT_ENTER)
			break;
		kho_call_returned(b, e);
		mem_returned(b, e);
		if (is_err(e))
			break;
		s = session_get(b, VT_OUTGOING, vt_ev_str(e, VT_F_SESSION));
		if (s) {
			if (s->early && !s->lives)
				s->since_ns = b->now_ns;
			s->early = false;
			at_set(b, &s->created, e);
		}
		break;
	case VT_EV_SESSION_RETRIEVE:
		if (e->phase == VT_ENTER || is_err(e))
			break;
		s = session_get(b, VT_INCOMING, vt_ev_str(e, VT_F_SESSION));
		if (s) {
			s->retrieved = true;
			at_set(b, &s->retrieve, e);
		}
		break;
	case VT_EV_SESSION_DESERIALIZE:
		if (e->phase == VT_ENTER)
			break;
		mem_returned(b, e);
		if (b->side->deserialized)
			break;
		b->side->deserialized = true;
		at_set(b, &b->side->deserialize_at, e);
		b->side->deserialize_ret = b->side->deserialize_at.ret;
		break;
	case VT_EV_LUO_FILE:
		luo_file(b, t, e);
		refs_point(b, t, e);
		break;
	case VT_EV_LUO_IOCTL: case VT_EV_FD_INSTALL: case VT_EV_MODULE_GET: case VT_EV_MODULE_PUT:
	case VT_EV_FLB_GET: case VT_EV_FLB_PUT: case VT_EV_FLB_STATE:
		refs_point(b, t, e);
		break;
	case VT_EV_FLB_PRESERVE: case VT_EV_FLB_UNPRESERVE: case VT_EV_FLB_FINISH:
		if (e->phase != VT_ENTER)
			flb_event(b, t, e);
		break;
	default:
		break;
	}
}

/* ---- the end ---- */

/* The recorder looked at the handler's ops, and hooked an unfreeze in time to see it run. */
static bool unfreeze_hooked(const struct vt_build *b, const struct vt_fact *f)
{
	const struct vt_trace *trace = b->side->trace;
	bool hooked = false;
	char none[128];

	snprintf(none, sizeof(none), "handler %s has no such op", f->who.compatible ? f->who.compatible : "");
	for (size_t i = 0; i < vt_trace__probe_nr(trace); i++) {
		const struct vt_probe *p = vt_trace__probe(trace, i);

		if (vt_event_by_name(p->event) != VT_EV_OP_UNFREEZE)
			continue;
		if (!p->attached && strstr(p->reason, "no such op") && strcmp(p->reason, none))
			continue;	/* another handler */
		if (!p->attached || p->attach_ns > f->at[0].ts_ns)
			return false;
		hooked = true;
	}
	return hooked;
}

static bool optional_unfreeze(struct vt_build *b, const struct vt_fact *f)
{
	struct handler_info *h = handler_of(b, f->who.compatible);

	return !(h && h->has_unfreeze) && !unfreeze_hooked(b, f);
}

/* One sort after the other: either is read in the order of the file, mostly, so that a block is read once for all in it. */
static void finish_snaps(struct vt_build *b)
{
	for (struct vt_session *v = b->side->sessions; v; v = v->next) {
		for (struct vt_life *l = v->lives; l; l = l->next)
			snap_finish(b, l->snap);
	}
	for (struct vt_session *v = b->side->sessions; v; v = v->next) {
		for (struct vt_life *l = v->lives; l; l = l->next)
			snap_finish(b, l->open_snap);
	}
}

void life_finalize(struct vt_build *b)
{
	struct vt_side *s = b->side;
	size_t kept = 0;

	/* A handler without an unfreeze callback is never seen thawing. */
	for (size_t i = 0; i < s->nr_facts; i++) {
		struct vt_fact *f = &s->facts[i];

		if ((f->kind == VT_FACT_NOT_UNFROZEN || f->kind == VT_FACT_UNPRESERVE_FROZEN) && optional_unfreeze(b, f)) {
			s->fact_count[f->kind]--;
			continue;
		}
		s->facts[kept++] = *f;
	}
	s->nr_facts = kept;
	finish_snaps(b);
	for (struct vt_session *v = s->sessions; v; v = v->next) {
		for (struct vt_life *l = v->lives; l; l = l->next) {
			if (vt_map__put(&b->index, life_key(v->dir, v->name, l->token), l))
				b->err = -ENOMEM;
			if (v->dir == VT_OUTGOING && !v->ended)
				l->held_at_end = l->state == VT_LIFE_FROZEN || l->state == VT_LIFE_PRESERVED;
		}
	}
}

void life_free_all(struct vt_build *b)
{
	struct vt_session *s, *next;

	for (s = b->side->sessions; s; s = next) {
		next = s->next;
		session_free(b, s);
	}
	b->side->sessions = NULL;
	free(b->spare_life);
	b->spare_life = NULL;
	for (int d = 0; d < 2; d++) {
		vt_map__free(&b->sessions[d]);
		vt_map__free(&b->lives[d]);
		vt_map__free(&b->by_data[d]);
	}
	vt_map__free(&b->by_file);
}
