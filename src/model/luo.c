// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions and preserved files: kernel/liveupdate/luo_session.c, luo_file.c.
 *
 * A life is one (session, token) within one kernel. Callbacks carry no token:
 * they are resolved by the call they run in (luo_preserve_file(),
 * luo_retrieve_file()) or by the file, or by serialized_data.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

#define ENDED_KEPT 32		/* well-behaved ended sessions kept for the report */
#define ODD_KEPT 4096		/* the others */

struct luo_part {
	uint32_t ended_kept[2];	/* [odd] */
	/* the last file of a session that was made: its name tells of which */
	struct vt_at anon;
	const char *anon_of;
	/* the last block of memory that was taken out of KHO */
	uint64_t taken_index;
	uint32_t taken_tid;
};

static void life_let_go(struct vt_build *b, struct vt_life *l)
{
	calls_forget(b, NULL, l);
	file_unhold(b, l);
	tell_parts(b, life_gone, l);
	life_free(b, l);
}

/* Its preserve or retrieve failed: it never was. */
static void life_forget(struct vt_build *b, struct frame *f)
{
	struct vt_life *l = f->life;

	frame_life(f, NULL);
	life_unlink(l);
	life_let_go(b, l);
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

static void life_learn(struct vt_build *b, struct vt_life *l, const struct vt_event *e)
{
	const char *c = vt_ev_str(e, VT_F_COMPATIBLE);

	if (c && !l->compatible)
		l->compatible = intern(b, c);
	life_of(l)->owned |= vt_ev_has(e, VT_F_MOD_REF);
	if (vt_ev_obj(e, VT_F_LUO_FILE))
		l->luo_file = vt_ev_obj(e, VT_F_LUO_FILE);
}

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

/*
 * A callback that ends what arrived and was not retrieved has neither token nor file, and its handler may not have given
 * data either: then it is one of the session's files like that, the last first, as luo_file_finish() goes.
 */
static struct vt_life *life_bare(struct frame *f, const struct vt_event *e)
{
	int step = step_of(e->type);
	const char *compatible = vt_ev_str(e, VT_F_COMPATIBLE);
	struct vt_life *l, *last = NULL;
	uint64_t data;

	if ((step != VT_STEP_FINISH && step != VT_STEP_CAN_FINISH) || !f->session || !vt_ev_u64(e, VT_F_DATA, &data) || data ||
	    vt_ev_obj(e, VT_F_FILE))
		return NULL;
	for (l = f->session->lives; l; l = l->next) {
		if (l->has_data && !l->data && !l->file && !l->at[step].type && compatible && l->compatible && !strcmp(l->compatible, compatible))
			last = l;
	}
	return last;
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
	other = life_by_data(b, f->session, e);
	l = file_holder(b, file);
	if (!l || (f->session && l->session != f->session))
		return other ? other : life_bare(f, e);
	/* A file that was preserved twice has two lives. */
	return other && other->file == file ? other : l;
}

/* ---- callbacks ---- */

static void op_enter(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct frame *up = frame_around(t);
	int step = step_of(e->type);
	struct vt_life *l = NULL;

	if (step >= 0) {
		l = op_life(b, f, e);
		frame_life(f, l);
		if (l) {
			life_learn(b, l, e);
			if (e->type != VT_EV_OP_PRESERVE)
				life_check_data(b, l, e);
		}
	}
	tell_parts(b, call_begun, t, f, e);
	if (!l)
		return;
	/* Before luo_preserve_file() returns it is not sure that this life gets the file. */
	if (e->type == VT_EV_OP_PRESERVE && up)
		up->file = vt_ev_obj(e, VT_F_FILE);
	else if (l->dir == VT_OUTGOING)
		file_hold(b, l, vt_ev_obj(e, VT_F_FILE));
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

static void op_over(struct vt_build *b, struct task *t, struct vt_life *l, enum vt_life_state state)
{
	struct frame *up = frame_around(t);

	l->state = state;
	file_unhold(b, l);
	if (up)
		frame_done(up, l);
}

static void op_done(struct vt_build *b, struct task *t, struct vt_life *l, const struct vt_event *e)
{
	int64_t ret;

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
		op_over(b, t, l, VT_LIFE_UNPRESERVED);
		tell_parts(b, life_ended, l, e);
		break;
	case VT_EV_OP_RETRIEVE:
		l->state = is_err(e) ? VT_LIFE_FAILED : VT_LIFE_RETRIEVED;
		if (!is_err(e))
			file_hold(b, l, vt_ev_obj(e, VT_F_FILE));
		break;
	case VT_EV_OP_CAN_FINISH:
		if (vt_ev_s64(e, VT_F_RET, &ret))
			l->finish_ok = ret > 0;
		break;
	case VT_EV_OP_FINISH:
		op_over(b, t, l, VT_LIFE_FINISHED);
		break;
	default:
		break;
	}
}

static void op_exit(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	int step = step_of(e->type);
	struct vt_life *l = step < 0 ? NULL : f->life;

	if (l)
		life_learn(b, l, e);
	tell_area(b, e->type, call_returned, t, f, e);
	if (!l)
		return;
	at_set(b, &l->at[step], e);
	if (f->enter.type)
		l->ns[step] += e->ts_ns - f->enter.ts_ns;
	op_done(b, t, l, e);
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

	frame_session(f, session_get(b, VT_OUTGOING, vt_ev_str(e, VT_F_SESSION)));
	if (!f->session || !vt_ev_u64(e, VT_F_TOKEN, &token) || life_find(b, f->session, token))
		return;		/* a token in use is refused: -EEXIST */
	frame_life(f, life_new(b, f->session, token, VT_LIFE_TRYING));
	f->own_life = f->life != NULL;
}

static void preserved(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	struct vt_life *l = f->life;
	uint64_t data, file = vt_ev_obj(e, VT_F_FILE);

	l->state = VT_LIFE_PRESERVED;
	if (vt_ev_u64(e, VT_F_DATA, &data))
		life_set_data(b, l, data);
	file_hold(b, l, file ? file : f->file);
	if (!l->at[VT_STEP_PRESERVE].type)
		at_set(b, &l->at[VT_STEP_PRESERVE], e);
}

static void preserve_exit(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	int64_t ret;

	phase_add(b, VT_PH_PRESERVE, f, e);
	if (f->life && !is_err(e))
		life_learn(b, f->life, e);
	tell_area(b, e->type, call_returned, t, f, e);
	b->side->failed_preserves += is_err(e);
	if (vt_ev_s64(e, VT_F_RET, &ret) && ret == -EBUSY && f->session && !f->session->busy_preserves++)
		at_set(b, &f->session->busy_at, e);
	if (!f->life)
		return;
	if (!is_err(e)) {
		preserved(b, f, e);
	} else if (f->own_life) {
		tell_parts(b, life_ended, f->life, e);
		life_forget(b, f);
	}
}

static void retrieve_enter(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	const char *name = vt_ev_str(e, VT_F_SESSION);
	struct vt_session *out, *s;
	uint64_t token;

	if (!name || !vt_ev_u64(e, VT_F_TOKEN, &token))
		return;
	out = session_find(b, VT_OUTGOING, name);
	s = session_find(b, VT_INCOMING, name);
	if (out && !s && life_find(b, out, token)) {
		frame_session(f, out);	/* not what it is for: see order.c */
		return;
	}
	frame_session(f, s ? s : session_get(b, VT_INCOMING, name));
	if (!f->session)
		return;
	frame_life(f, life_find(b, f->session, token));
	if (f->life || f->session->deserialized)
		return;		/* a token that did not arrive is refused: -ENOENT */
	frame_life(f, life_new(b, f->session, token, VT_LIFE_INCOMING));
	if (f->life)
		f->life->early = f->own_life = true;
}

static void retrieve_exit(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct vt_life *l = f->life;

	phase_add(b, VT_PH_RETRIEVE, f, e);
	if (l)
		life_learn(b, l, e);
	tell_area(b, e->type, call_returned, t, f, e);
	if (!l)
		return;
	if (is_err(e)) {
		if (f->own_life && !l->n[VT_STEP_RETRIEVE])
			life_forget(b, f);
		return;
	}
	if (l->state == VT_LIFE_INCOMING)
		l->state = VT_LIFE_RETRIEVED;
	if (!l->at[VT_STEP_RETRIEVE].type)
		at_set(b, &l->at[VT_STEP_RETRIEVE], e);
	if (l->state == VT_LIFE_RETRIEVED)
		file_hold(b, l, vt_ev_obj(e, VT_F_FILE));
}

/* LUO undoes a freeze, whether it calls for it or not. */
static void thaw(struct vt_session *s)
{
	for (struct vt_life *l = s->lives; l; l = l->next) {
		if (l->dir == VT_OUTGOING && l->state == VT_LIFE_FROZEN)
			l->state = VT_LIFE_PRESERVED;
	}
}

static void thaw_all(struct vt_build *b)
{
	struct vt_session *s;
	size_t i = 0;

	while ((s = session_next(b, VT_OUTGOING, &i)))
		thaw(s);
}

static void settle(struct vt_build *b, struct vt_session *s)
{
	for (struct vt_life *l = s->lives; l; l = l->next) {
		life_of(l)->settled = true;
		if (l->until_ns == UINT64_MAX && (l->state == VT_LIFE_UNPRESERVED || l->state == VT_LIFE_FINISHED))
			l->until_ns = b->now_ns;
	}
}

/* The calls that go through all files of a session. */
static void set_note(struct vt_build *b, struct vt_session *s, const struct frame *f, const struct vt_event *e)
{
	switch (e->type) {
	case VT_EV_LUO_FREEZE:
		phase_add(b, VT_PH_FREEZE, f, e);
		at_set(b, &s->frozen, e);
		s->freeze_ret = s->frozen.ret;
		break;
	case VT_EV_LUO_FINISH:
		phase_add(b, VT_PH_FINISH, f, e);
		at_set(b, &s->finish, e);
		s->finish_ret = s->finish.ret;
		s->finished |= !is_err(e);
		break;
	case VT_EV_LUO_DESERIALIZE:
		phase_add(b, VT_PH_DESERIALIZE, f, e);
		at_set(b, &s->deserialize, e);
		s->deserialize_ret = s->deserialize.ret;
		s->deserialized = true;
		break;
	default:
		break;
	}
}

static void deserialize_enter(struct vt_build *b, struct vt_session *s)
{
	if (s->early && !s->lives)
		s->since_ns = b->now_ns;
	s->early = false;
}

/* A count in a record is evidence: of files that came to the session before the recording began, or past it. */
static void counted(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	struct vt_session *s = f->session;
	struct vt_unseen *u;

	f->have_count = vt_ev_u64(e, VT_F_COUNT, &f->count);
	if (!s || !f->have_count || f->count <= s->nr_lives)
		return;
	u = &b->side->unseen[s->dir];
	s->unseen = f->count - s->nr_lives;
	if (!u->files) {
		u->files = f->count;
		u->seen = s->nr_lives;
		u->session = intern(b, s->name);
	}
	u->to_ns = e->ts_ns;
}

static void set_exit(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	uint64_t count;

	/* Its begin was lost: how many files arrived is told all the same. */
	if (e->type == VT_EV_LUO_DESERIALIZE && !f->session) {
		frame_session(f, session_get(b, VT_INCOMING, vt_ev_str(e, VT_F_SESSION)));
		if (f->session)
			deserialize_enter(b, f->session);
	}
	if (f->session)
		set_note(b, f->session, f, e);
	tell_area(b, e->type, call_returned, t, f, e);
	if (!f->session)
		return;
	/* LUO has them to finish, whether or not their own records are here. */
	if (e->type == VT_EV_LUO_DESERIALIZE && !is_err(e) && vt_ev_u64(e, VT_F_COUNT, &count) && count > f->session->nr_lives)
		f->session->unseen = count - f->session->nr_lives;
	if (e->type == VT_EV_LUO_UNFREEZE || (e->type == VT_EV_LUO_FREEZE && is_err(e)))
		thaw(f->session);
	if (e->type == VT_EV_LUO_UNPRESERVE || (e->type == VT_EV_LUO_FINISH && !is_err(e)))
		settle(b, f->session);
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

	calls_forget(b, s, NULL);
	for (l = s->lives; l; l = next) {
		next = l->next;
		life_let_go(b, l);
	}
	tell_parts(b, session_gone, s);
	free(s->name);
	free(s);
}

/* A session whose files were all taken back in order has nothing more to say. */
static void session_fold(struct vt_build *b, struct vt_session *s)
{
	struct vt_side *side = b->side;

	session_unlink(b, s);
	side->folded_sessions++;
	if (s->nr_lives && (!side->folded_lives || s->since_ns < side->folded_since_ns))
		side->folded_since_ns = s->since_ns;
	side->folded_lives += s->nr_lives;
	if (coverage_lossy(b, s->since_ns, b->now_ns))
		side->folded_lossy += s->nr_lives;
	session_free(b, s);
}

static void release_enter(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	const char *name = vt_ev_str(e, VT_F_SESSION);
	uint64_t in;

	if (!name || !vt_ev_u64(e, VT_F_RETRIEVED, &in))
		return;
	frame_session(f, session_get(b, in ? VT_INCOMING : VT_OUTGOING, name));
	f->session_obj = vt_ev_obj(e, VT_F_OBJ);
}

/* A handler refused to finish as the session's file was released: LUO keeps the session, and gives it to nobody. */
static void stranded(struct vt_build *b, const struct vt_session *s, const struct vt_event *e)
{
	struct vt_fact *x;
	struct vt_at at;

	at_set(b, &at, e);
	x = fact(b, VT_FACT_SESSION_STRANDED, who_session(b, s), &at);
	x->at[1] = s->finish;
	for (const struct vt_life *l = s->lives; l; l = l->next) {
		x->num[0] += l->state != VT_LIFE_FINISHED;
		if (l->finish_ok || x->at[2].type)
			continue;
		x->at[2] = l->at[VT_STEP_CAN_FINISH];
		x->num[1] = (int64_t)l->token;
		x->str[0] = l->compatible;
	}
}

static void release_exit(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct luo_part *own = part_own(b, luo);
	struct vt_session *s = f->session;
	bool strange;

	tell_area(b, e->type, call_returned, t, f, e);
	if (s && is_err(e) && s->dir == VT_INCOMING)
		stranded(b, s, e);
	if (!s || is_err(e))
		return;
	at_set(b, &s->release, e);
	s->ended = true;
	session_close(b, s);
	for (struct vt_life *l = s->lives; l; l = l->next)
		file_unhold(b, l);
	if (s->dir != VT_OUTGOING)
		return;
	strange = session_odd(s);
	if (own->ended_kept[strange]++ < (strange ? ODD_KEPT : ENDED_KEPT))
		return;
	frame_session(f, NULL);
	session_fold(b, s);
}

/* The session that is being closed, should it be one that arrived: that is the bug to be told. */
static void unpreserve_enter(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct frame *release = frame_of(t, VT_EV_SESSION_RELEASE);

	frame_session(f, release && release->session ? release->session : session_get(b, VT_OUTGOING, vt_ev_str(e, VT_F_SESSION)));
}

/* ---- calls ---- */

static void luo_enter(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
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
		frame_session(f, session_get(b, VT_OUTGOING, vt_ev_str(e, VT_F_SESSION)));
		counted(b, f, e);
		break;
	case VT_EV_LUO_UNPRESERVE:
		unpreserve_enter(b, t, f, e);
		break;
	case VT_EV_LUO_FINISH: case VT_EV_LUO_DESERIALIZE:
		frame_session(f, session_get(b, VT_INCOMING, vt_ev_str(e, VT_F_SESSION)));
		if (e->type == VT_EV_LUO_FINISH)
			counted(b, f, e);
		if (e->type == VT_EV_LUO_DESERIALIZE && f->session)
			deserialize_enter(b, f->session);
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
	tell_parts(b, call_begun, t, f, e);
}

/* Told once of S, with the number of its files that are in one of STATES and the first of them, which was at STEP then. */
static void lost_at_reboot(struct vt_build *b, const struct vt_session *s, enum vt_fact_kind kind, uint32_t states, enum vt_step step,
			   const struct vt_event *e)
{
	struct vt_fact *x = NULL;
	struct vt_at at;

	for (const struct vt_life *l = s->lives; l; l = l->next) {
		if (!(states & 1u << l->state))
			continue;
		if (!x) {
			at_set(b, &at, e);
			x = fact(b, kind, who_session(b, s), &at);
			x->at[1] = l->at[step];
			x->str[0] = l->compatible;
		}
		x->num[0]++;
	}
}

/* The next kernel gets the sessions that are outgoing: of those that arrived, and nobody asked for, nothing is left. */
static void next_update(struct vt_build *b, const struct vt_event *e)
{
	for (const struct vt_session *s = b->side->sessions; s; s = s->next) {
		if (s->dir == VT_INCOMING && !s->retrieved && !s->ended)
			lost_at_reboot(b, s, VT_FACT_SESSION_DROPPED, 1u << VT_LIFE_INCOMING, VT_STEP_DESERIALIZE, e);
	}
}

/* An image that was loaded without a handover knows nothing of KHO: what is preserved ends with this kernel. */
static void into_nothing(struct vt_build *b, const struct vt_event *e)
{
	uint64_t handover;

	b->side->alone = vt_ev_u64(e, VT_F_HANDOVER, &handover) && !handover;
	if (!b->side->alone)
		return;
	for (const struct vt_session *s = b->side->sessions; s; s = s->next) {
		if (s->dir == VT_OUTGOING && !s->ended)
			lost_at_reboot(b, s, VT_FACT_SESSION_NOWHERE, 1u << VT_LIFE_PRESERVED | 1u << VT_LIFE_FROZEN, VT_STEP_PRESERVE, e);
	}
}

static void reboot_exit(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	if (e->type == VT_EV_SERIALIZE) {
		phase_add(b, VT_PH_SERIALIZE, f, e);
	} else {
		phase_add(b, VT_PH_REBOOT, f, e);
		at_set(b, &b->side->reboot, e);
		b->side->jumped = !is_err(e);
		b->side->nr_aborts += is_err(e);
		if (!is_err(e)) {
			next_update(b, e);
			into_nothing(b, e);
		}
	}
	tell_area(b, e->type, call_returned, t, f, e);
	if (is_err(e))
		thaw_all(b);
}

/* The exit of a call that was not seen entered: the recording began inside of it, where nothing was lost since and both are hooked. */
static void began_inside(struct vt_build *b, const struct vt_event *e)
{
	const char *session = vt_ev_str(e, VT_F_SESSION);

	/* Of the tool's own session some exits have no name. */
	if (b->side->own_events)
		return;
	if (!kind_is_luo_call(e->type) && kind_area(e->type) != VT_AREA_REBOOT && e->type != VT_EV_SESSION_RELEASE)
		return;
	if (!b->coverage.tear_at && !b->side->nr_holes && coverage_whole(b, e->type, b->side->first_ns))
		b->side->early = session ? intern(b, session) : "";
}

static void luo_exit(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	if (!f->enter.type && !b->side->early)
		began_inside(b, e);
	if (kind_is_op(e->type)) {
		op_exit(b, t, f, e);
		return;
	}
	switch (e->type) {
	case VT_EV_LUO_PRESERVE:
		preserve_exit(b, t, f, e);
		break;
	case VT_EV_LUO_RETRIEVE:
		retrieve_exit(b, t, f, e);
		break;
	case VT_EV_SESSION_RELEASE:
		release_exit(b, t, f, e);
		break;
	case VT_EV_REBOOT: case VT_EV_SERIALIZE:
		reboot_exit(b, t, f, e);
		break;
	default:
		set_exit(b, t, f, e);
	}
}

/* ---- the rest ---- */

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

static void created(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct vt_session *s;

	part_own(b, luo)->anon.type = 0;
	if (e->phase == VT_ENTER || is_err(e))
		return;
	s = session_get(b, VT_OUTGOING, vt_ev_str(e, VT_F_SESSION));
	if (!s)
		return;
	if (s->early && !s->lives)
		s->since_ns = b->now_ns;
	s->early = false;
	at_set(b, &s->created, e);
}

/* RETRIEVE_SESSION gives a session to one process, once. */
static void handed_twice(struct vt_build *b, const struct vt_session *s, const struct vt_event *e)
{
	struct vt_fact *x;
	struct vt_at at;

	at_set(b, &at, e);
	x = fact(b, VT_FACT_SESSION_TWICE, who_session(b, s), &at);
	x->at[1] = s->retrieve;
	x->from_ns = at.ts_ns;
}

static void session_file(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	const char *session = session_of_file(vt_ev_str(e, VT_F_NAME));
	struct luo_part *own = part_own(b, luo);

	if (e->phase == VT_ENTER || is_err(e) || !session)
		return;
	at_set(b, &own->anon, e);
	own->anon_of = intern(b, session);
}

static void handed_out(struct vt_build *b, const struct vt_session *s, const struct vt_event *e)
{
	struct luo_part *own = part_own(b, luo);
	struct vt_fact *x;
	struct vt_at at;

	if (!own->anon.type || own->anon.tid != e->tid || !strcmp(own->anon_of, s->name)) {
		own->anon.type = 0;
		return;
	}
	at_set(b, &at, e);
	x = fact(b, VT_FACT_SESSION_OTHER, who_session(b, s), &at);
	x->at[1] = own->anon;
	x->str[0] = own->anon_of;
	x->from_ns = own->anon.ts_ns;
	own->anon.type = 0;
}

static void retrieved(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct vt_session *s = e->phase == VT_ENTER || is_err(e) ? NULL : session_get(b, VT_INCOMING, vt_ev_str(e, VT_F_SESSION));

	if (!s)
		return;
	if (s->retrieved)
		handed_twice(b, s, e);
	handed_out(b, s, e);
	s->retrieved = true;
	at_set(b, &s->retrieve, e);
}

/* What frees the list of what arrived, as luo_session_deserialize() does at its end, has read it: before the recording. */
static void list_freed(struct vt_build *b, const struct vt_event *e)
{
	const struct luo_part *own = part_own(b, luo);

	if (own->taken_index + 1 == e->index && own->taken_tid == e->tid && !b->side->early)
		b->side->early = "";
}

static void deserialized(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	int64_t ret;

	if (e->phase == VT_ENTER || b->side->deserialized)
		return;
	/*
	 * It does its work once in a boot and returns the same again ever after: without a
	 * session that is rebuilt inside, this may be the echo of one before the recording.
	 */
	if (!is_err(e) && !b->side->seen_type[VT_EV_LUO_DESERIALIZE]) {
		list_freed(b, e);
		return;
	}
	/* A handler that is missing is missed by luo_file_deserialize(): this is such an echo. */
	if (!b->side->seen_type[VT_EV_LUO_DESERIALIZE] && vt_ev_s64(e, VT_F_RET, &ret) && ret == -ENOENT && !b->side->early &&
	    !b->coverage.tear_at && !b->side->nr_holes && coverage_whole(b, VT_EV_LUO_DESERIALIZE, b->side->first_ns))
		b->side->early = "";
	b->side->deserialized = true;
	at_set(b, &b->side->deserialize_at, e);
	b->side->deserialize_ret = b->side->deserialize_at.ret;
}

static void taken_out(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	part_own(b, luo)->taken_index = e->index;
	part_own(b, luo)->taken_tid = e->tid;
}

static const struct heard luo_points[] = {
	{ VT_EV_SESSION_CREATE, created }, { VT_EV_SESSION_RETRIEVE, retrieved }, { VT_EV_SESSION_DESERIALIZE, deserialized },
	{ VT_EV_LUO_FILE, luo_file }, { VT_EV_FILE_ANON, session_file }, { VT_EV_KHO_RESTORE_FREE, taken_out }, { 0 },
};

/* LUO has yet to finish files of V. What arrived and could not be read is never finished. */
static bool waits(const struct vt_side *s, const struct vt_session *v)
{
	/* The reading of it has failed, and that of all was not over. */
	if (v->dir == VT_INCOMING && v->deserialize_ret < 0 && !s->deserialized)
		return true;
	if (v->dir != VT_INCOMING || v->ended || (s->deserialized && s->deserialize_ret < 0))
		return false;
	for (const struct vt_life *l = v->lives; l; l = l->next) {
		if (l->state != VT_LIFE_FINISHED)
			return true;
	}
	return v->unseen && !v->finished;
}

static void luo_finalize(struct vt_build *b)
{
	reg_sessions_finalize(b);
	if (b->side->own_there && !b->side->own_read && !b->side->own_given && !b->side->early && !b->side->nr_holes &&
	    coverage_whole(b, VT_EV_LUO_DESERIALIZE, b->side->own_at.ts_ns))
		b->side->early = VT_OWN_SESSION;
	for (struct vt_session *v = b->side->sessions; v; v = v->next) {
		for (struct vt_life *l = v->lives; l; l = l->next) {
			if (v->dir == VT_OUTGOING && !v->ended)
				l->held_at_end = l->state == VT_LIFE_FROZEN || l->state == VT_LIFE_PRESERVED;
			b->side->holds |= l->held_at_end;
		}
		b->side->holds |= v->dir == VT_OUTGOING && !v->ended && v->unseen;
		if (waits(b->side, v) && !b->side->nr_waits++)
			b->side->waits = v->name;
		if (v->dir == VT_OUTGOING && !v->ended && !v->lives)
			b->side->opened = v->name;
		/* Of our own nobody wants to hear where there is another. */
		if (v->early && (!b->side->early || !strcmp(b->side->early, VT_OWN_SESSION)))
			b->side->early = v->name;
	}
}

/* The first part to go: lives let go of what the others own. */
static void luo_free(struct vt_build *b)
{
	struct vt_session *s, *next;

	for (s = b->side->sessions; s; s = next) {
		next = s->next;
		session_free(b, s);
	}
	b->side->sessions = NULL;
}

const struct part part_luo = {
	.size = sizeof(struct luo_part),
	.areas = AREA(SESSION) | AREA(LUO) | AREA(OP) | AREA(REBOOT),
	.enter = luo_enter, .exit = luo_exit, .points = luo_points,
	.finalize = luo_finalize, .free = luo_free,
};
