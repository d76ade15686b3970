// SPDX-License-Identifier: GPL-2.0
/*
 * What calls answer, against what happened inside of them and what they
 * answered before: an error gets through to whoever asked, is remembered, and
 * has changed nothing; what is refused has a reason.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

struct answer_part {
	size_t cap_injections;
	struct vt_at deserialize_failed;	/* of one session, while all of them are read */
};

static struct vt_fact *tell(struct vt_build *b, enum vt_fact_kind k, enum vt_answer what, struct vt_who who, const struct vt_event *e, const struct vt_at *because)
{
	struct vt_fact *x;
	struct vt_at at;

	at_set(b, &at, e);
	x = fact_of(b, k, who, &at, what);
	if (because)
		x->at[1] = *because;
	x->num[0] = what;
	return x;
}

/* ---- within callbacks ---- */

/* Of calls into the kernel that a callback cannot do without once it has made them; a later one that works makes good for it. */
static void inner(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *op = e->phase == VT_ENTER ? NULL : frame_op(t);
	uint64_t phys = 0, depth = 0;
	int64_t ret;

	/* Mostly nothing has failed, and nothing does. */
	if (!op || !vt_ev_s64(e, VT_F_RET, &ret) || (ret >= 0 && !op->answer.inner.type) || (vt_ev_u64(e, VT_F_DEPTH, &depth) && depth))
		return;
	vt_ev_u64(e, VT_F_PHYS, &phys);
	if (ret < 0 && !op->answer.inner.type) {
		at_set(b, &op->answer.inner, e);
		op->answer.phys = phys;
	} else if (ret >= 0 && op->answer.inner.type == e->type && (!op->answer.phys || !phys || op->answer.phys == phys)) {
		op->answer.inner.type = 0;
	}
}

static void op_answers(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct frame *up = frame_around(t);
	bool gives = e->type == VT_EV_OP_PRESERVE || e->type == VT_EV_OP_FREEZE || e->type == VT_EV_OP_RETRIEVE;
	int64_t ret;

	if (gives && !is_err(e) && vt_ev_has(e, VT_F_RET) && f->answer.inner.type)
		tell(b, VT_FACT_SWALLOWED, VT_ANSWER_SWALLOWED, who_frame(b, f), e, &f->answer.inner);
	if (!up)
		return;
	up->answer.ran |= gives;
	if (gives && is_err(e))
		at_set(b, &up->answer.failed, e);
	else if (e->type == VT_EV_OP_PRESERVE || e->type == VT_EV_OP_FINISH)
		at_set(b, &up->answer.effect, e);
	else if (e->type == VT_EV_OP_UNPRESERVE)
		up->answer.effect.type = 0;
	else if (e->type == VT_EV_OP_CAN_FINISH && vt_ev_s64(e, VT_F_RET, &ret) && !ret)
		at_set(b, &up->answer.refused, e);
}

/* ---- LUO's own ---- */

/* An error within a call that returns none. */
static void swallowed(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	if (!is_err(e) && vt_ev_has(e, VT_F_RET) && f->answer.failed.type)
		tell(b, VT_FACT_ANSWER, VT_ANSWER_SWALLOWED, who_frame(b, f), e, &f->answer.failed);
}

/* What it did stands, and whoever asked believes that it does not. */
static void took_effect(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	if (is_err(e) && f->answer.effect.type)
		tell(b, VT_FACT_ANSWER, VT_ANSWER_EFFECT, who_frame(b, f), e, &f->answer.effect);
}

/* What an ioctl that fails all the same cannot take back. */
static void worked(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	if (!f->session || is_err(e) || !vt_ev_has(e, VT_F_RET))
		return;
	at_set(b, &f->session->worked, e);
	f->session->worked_on = f->life;
}

static bool another_asks(const struct task *me, const struct vt_life *l)
{
	uint32_t mine = 0;

	for (uint32_t i = 0; i < me->depth; i++)
		mine += me->f[i].life == l;
	return life_of(l)->inside > mine;
}

/* luo_retrieve_file() on a file that it was asked for before: retrieve_status says what to answer. */
static void again(struct vt_build *b, struct frame *f, struct life *l, const struct vt_event *e)
{
	uint64_t file = vt_ev_obj(e, VT_F_FILE);
	struct vt_at at;

	at_set(b, &at, e);
	if (!l->answered.type)
		return;
	if (l->answered.ret < 0 && at.ret != l->answered.ret)
		tell(b, VT_FACT_ANSWER, VT_ANSWER_FORGOTTEN, who_frame(b, f), e, &l->answered);
	else if (l->answered.ret >= 0 && at.ret < 0 && l->pub.state == VT_LIFE_RETRIEVED)
		tell(b, VT_FACT_ANSWER, VT_ANSWER_REFUSED, who_frame(b, f), e, &l->answered);
	else if (l->answered.ret >= 0 && at.ret >= 0 && file && l->pub.file && file != l->pub.file)
		tell(b, VT_FACT_ANSWER, VT_ANSWER_OTHER_FILE, who_frame(b, f), e, &l->answered);
}

static void retrieve_answers(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct life *l = f->life ? life_of(f->life) : NULL;

	swallowed(b, f, e);
	if (!l || !vt_ev_has(e, VT_F_RET) || another_asks(t, &l->pub))
		return;
	if (!f->answer.ran)
		again(b, f, l, e);
	else if (!l->answered.type)
		at_set(b, &l->answered, e);
}

/* Nobody holds the file: what held it before was seen ending. */
static void busy(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	uint64_t obj = vt_ev_obj(e, VT_F_FILE);
	struct file *file = file_get(b, obj ? obj : f->file, false);
	int64_t ret;

	if (!file || !file->let_go.type || !vt_ev_s64(e, VT_F_RET, &ret) || ret != -EBUSY || f->answer.ran)
		return;
	/* A handler may know files by their inode (memfd's does): then it is another file of it that holds. */
	for (struct vt_session *s = b->side->sessions; s; s = s->next) {
		for (struct vt_life *l = s->lives; l && !s->ended; l = l->next) {
			if (l == f->life || l->state == VT_LIFE_UNPRESERVED || l->state == VT_LIFE_FINISHED)
				continue;
			if (l->file == file->pub.obj || !l->snap || !file->inode_mapping || l->snap->inode_mapping == file->inode_mapping)
				return;
		}
	}
	tell(b, VT_FACT_ANSWER, VT_ANSWER_NO_HOLDER, who_frame(b, f), e, &file->let_go);
}

static void finish_answers(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	took_effect(b, f, e);
	if (is_err(e) && !f->answer.effect.type && !f->answer.refused.type && f->session && f->session->lives && !f->session->unseen)
		tell(b, VT_FACT_ANSWER, VT_ANSWER_NO_REASON, who_frame(b, f), e, &f->enter);
}

/* A session's file is released: LUO has nothing of it any more. */
static void release_answers(struct vt_build *b, struct frame *f, const struct vt_event *e)
{
	const struct vt_session *s = f->session;
	struct vt_fact *x = NULL;

	/* Where LUO went through its files, order.c tells of those it forgot. */
	if (!s || is_err(e) || f->answer.ran || (s->dir == VT_INCOMING && s->finished))
		return;
	for (const struct vt_life *l = s->lives; l; l = l->next) {
		if (l->state == VT_LIFE_UNPRESERVED || l->state == VT_LIFE_FINISHED || l->state == VT_LIFE_TRYING)
			continue;
		if (!x) {
			x = tell(b, VT_FACT_SESSION_UNENDED, 0, who_life(b, l), e, &l->at[s->dir == VT_OUTGOING ? VT_STEP_PRESERVE : VT_STEP_DESERIALIZE]);
			x->num[1] = s->dir;
			x->str[0] = vt_life_state_name(l->state);
		}
		x->num[2]++;
	}
}

static void answer_returned(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct frame *up = frame_around(t);

	if (!f->enter.type)
		return;
	if (kind_is_op(e->type)) {
		op_answers(b, t, f, e);
		return;
	}
	switch (e->type) {
	case VT_EV_LUO_PRESERVE:
		swallowed(b, f, e);
		took_effect(b, f, e);
		busy(b, f, e);
		worked(b, f, e);
		break;
	case VT_EV_LUO_RETRIEVE:
		retrieve_answers(b, t, f, e);
		break;
	case VT_EV_LUO_FINISH:
		finish_answers(b, f, e);
		worked(b, f, e);
		break;
	case VT_EV_LUO_FREEZE: case VT_EV_SERIALIZE: case VT_EV_REBOOT:
		swallowed(b, f, e);
		break;
	case VT_EV_SESSION_RELEASE:
		release_answers(b, f, e);
		break;
	case VT_EV_LUO_DESERIALIZE:
		if (is_err(e))
			at_set(b, &part_own(b, answer)->deserialize_failed, e);
		break;
	default:
		break;
	}
	if (up && up->type == VT_EV_SESSION_RELEASE)
		up->answer.ran = true;
	if (up && is_err(e) && (e->type == VT_EV_LUO_FREEZE || e->type == VT_EV_SERIALIZE))
		at_set(b, &up->answer.failed, e);
}

/* luo_session_deserialize() does its work once and answers the same ever after. */
static void deserialize_answers(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct vt_at *failed = &part_own(b, answer)->deserialize_failed;
	const struct vt_side *s = b->side;

	if (e->phase == VT_ENTER || !vt_ev_has(e, VT_F_RET))
		return;
	if (failed->type && failed->tid == e->tid && !is_err(e))
		tell(b, VT_FACT_ANSWER, VT_ANSWER_DESERIALIZE, (struct vt_who){}, e, failed);
	else if (s->deserialized && s->deserialize_at.index < e->index && s->deserialize_ret < 0 && !is_err(e))
		tell(b, VT_FACT_ANSWER, VT_ANSWER_FORGOTTEN, (struct vt_who){}, e, &s->deserialize_at);
	failed->type = 0;
}

/* The ioctl fails although the call that it made worked: that is its thread's last one on the session. */
static void ioctl_answers(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	const char *name = vt_ev_str(e, VT_F_SESSION);
	const struct vt_session *it = NULL;

	if (!is_err(e) || !name || !vt_ev_has(e, VT_F_NAME))
		return;
	for (const struct vt_session *s = b->side->sessions; s; s = s->next) {
		if (s->worked.type && s->worked.tid == e->tid && !strcmp(s->name, name) && (!it || s->worked.index > it->worked.index))
			it = s;
	}
	if (it)
		tell(b, VT_FACT_ANSWER, VT_ANSWER_EFFECT, it->worked_on ? who_life(b, it->worked_on) : (struct vt_who){ .session = it->name }, e,
		     &it->worked);
}

/* ---- failures that were asked for ---- */

static void injected(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct vt_side *s = b->side;
	struct vt_injection *x;

	if (s->nr_injections >= VT_INJECTIONS_KEPT ||
	    !grow(b, &s->injections, &part_own(b, answer)->cap_injections, s->nr_injections, sizeof(*x)))
		return;
	x = &s->injections[s->nr_injections++];
	*x = (struct vt_injection){ .what = intern_event(b, vt_ev_str(e, VT_F_NAME)), .site = intern_event(b, vt_ev_str(e, VT_F_SITE)),
				    .until = UINT64_MAX };
	at_set(b, &x->at, e);
}

static void answer_idle(struct vt_build *b, struct task *t, const struct frame *root, const struct vt_event *exit)
{
	struct vt_side *s = b->side;

	for (size_t i = s->nr_injections; i-- > 0 && s->injections[i].at.index > root->enter.index;) {
		if (s->injections[i].at.tid == t->tid && s->injections[i].until == UINT64_MAX)
			s->injections[i].until = exit ? exit->index : s->injections[i].at.index;
	}
}

static void answer_free(struct vt_build *b)
{
	free(b->side->injections);
}

static const struct heard answer_points[] = {
	{ VT_EV_KHO_ALLOC_PRESERVE, inner }, { VT_EV_KHO_PRESERVE_FOLIO, inner }, { VT_EV_KHO_PRESERVE_PAGES, inner },
	{ VT_EV_KHO_PRESERVE_VMALLOC, inner }, { VT_EV_KHO_RESTORE_VMALLOC, inner }, { VT_EV_INJECT, injected },
	{ VT_EV_SESSION_DESERIALIZE, deserialize_answers }, { VT_EV_LUO_IOCTL, ioctl_answers }, { 0 },
};

/* Where LUO's hold of a file ends, a later one may begin. */
static void answer_life_ended(struct vt_build *b, struct vt_life *l, const struct vt_event *e)
{
	struct file *f = file_get(b, l->file, false);

	if (f)
		at_set(b, &f->let_go, e);
}

/* ---- calls that never returned ---- */

/* The device waits for its files: those are open, and seen to be. */
static bool waits_for_files(struct vt_build *b, const struct frame *f)
{
	const struct device *d = f->type == VT_EV_VFIO_UNREGISTER ? device_known(b, f->vfio.device) : NULL;

	return d && d->run - d->told >= 0;	/* unregistering took one off */
}

static void answer_finalize(struct vt_build *b)
{
	struct vt_side *s = b->side;

	/* In the jump all of them stay where they are. */
	if (s->ending != VT_END_STOPPED || s->jumped)
		return;
	for (struct task *t = b->calls.busy; t; t = t->next) {
		struct frame *top = frame_top(t);
		struct vt_fact *x = fact(b, VT_FACT_CALL_OPEN, who_frame(b, top), &t->f[0].enter);

		if (top != &t->f[0])
			x->at[1] = top->enter;
		x->from_ns = t->f[0].enter.ts_ns;
		x->num[0] = (int64_t)(s->end_ns - t->f[0].enter.ts_ns);
		x->num[1] = waits_for_files(b, top);
		if (!x->who.bdf && device_known(b, top->vfio.device))
			x->who.bdf = device_known(b, top->vfio.device)->pub.bdf;
	}
}

const struct part part_answer = {
	.size = sizeof(struct answer_part),
	.points = answer_points, .idle = answer_idle, .free = answer_free, .call_returned = answer_returned, .life_ended = answer_life_ended,
	.finalize = answer_finalize,
};
