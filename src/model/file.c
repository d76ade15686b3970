// SPDX-License-Identifier: GPL-2.0
/* struct file: made inside a traced call, sampled at lifecycle points, handed out, ended by __fput(). */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

#define MEMBER "file."		/* how fields that are members of struct file begin */

struct file_part {
	const char *pt[VT_PT_MAX];	/* names of the points, interned */
	bool some_held;			/* of some file struct file.held was noted: mostly there is none */
};

/* The call in which OBJ was made returned an error: the file must be put. */
/* The call in which OBJ was made returned an error: the file must be put. */
static void file_failed(struct vt_build *b, uint64_t obj, const struct vt_at *exit)
{
	struct file *f = vt_obj_class(obj) == VT_C_FILE ? file_get(b, obj, false) : NULL;

	if (f && !f->pub.failed.type && f->pub.made.type)
		f->pub.failed = *exit;
}

/* ---- what LUO lets go of ---- */

/* Nobody but this thread takes a reference for the time of a system call (fdget()). */
static bool alone(const struct vt_event *e)
{
	uint64_t threads;

	return vt_ev_u64(e, VT_F_THREADS, &threads) && threads == 1;
}

/*
 * Others may take a reference for a moment, just when LUO puts its own: a count
 * that is too high is believed when there is nobody to do that, or when it is
 * seen again; and in any case only if the file is not released later.
 */
static void should_be_gone(struct vt_build *b, const struct vt_event *e, struct vt_who who, const struct vt_at *before, int64_t want)
{
	struct file *f = file_get(b, vt_ev_obj(e, VT_F_FILE), true);
	int64_t seen;

	if (!f || !vt_ev_s64(e, VT_F_FILE_REF, &seen))
		return;
	if (seen <= want) {
		f->kept.type = 0;
		return;
	}
	f->kept_sure = (f->kept.type && f->kept_sure) || want <= 0 || alone(e);
	at_set(b, &f->kept, e);
	f->kept_before = *before;
	f->kept_want = want;
	f->kept_seen = seen;
	f->kept_who = who;
}

/* In E is a count of the file's references, of which LUO holds MINE. */
static void others(struct vt_build *b, const struct vt_event *e, int64_t mine)
{
	struct file *f = file_get(b, vt_ev_obj(e, VT_F_FILE), false);
	int64_t seen;

	if (!f || !f->kept.type || !vt_ev_s64(e, VT_F_FILE_REF, &seen))
		return;
	if (seen - mine <= f->kept_want)
		f->kept.type = 0;
	else
		f->kept_sure = true;
}

/*
 * A callback that fails leaves as many references as it found, and those of a
 * file's life together leave none more. Others may come in between: believed
 * when nobody there could, or when it is seen again.
 */
static void op_kept(struct vt_build *b, struct file *f, struct frame *call, const struct vt_event *e, int64_t want, int64_t seen)
{
	bool fails = is_err(e);

	if (f->held.type && f->held_fails)
		return;
	part_own(b, file)->some_held = true;
	at_set(b, &f->held, e);
	f->held_before = call->enter;
	f->held_want = want;
	f->held_seen = seen;
	f->held_fails = fails;
	f->held_sure = alone(e);
	f->held_who = who_life(b, call->life);
}

/* A later count in E, of which LUO holds MINE, as it held one then: no more than there was without it, and nobody keeps anything. */
static void op_kept_again(struct vt_build *b, const struct vt_event *e, int64_t mine)
{
	struct file *f = part_own(b, file)->some_held ? file_get(b, vt_ev_obj(e, VT_F_FILE), false) : NULL;
	int64_t seen;

	if (!f || !f->held.type || e->index <= f->held.index || !vt_ev_s64(e, VT_F_FILE_REF, &seen))
		return;
	if (seen - mine <= f->held_want - 1)
		f->held.type = 0;
	else
		f->held_sure = true;
}

static void op_held(struct vt_build *b, const struct file *f)
{
	struct vt_fact *x = fact(b, VT_FACT_FILE_HELD, f->held_who, &f->held);

	x->at[1] = f->held_before;
	x->num[0] = f->held_want;
	x->num[1] = f->held_seen;
	x->num[2] = f->held_fails;
	if (!x->who.bdf)
		x->who.bdf = f->pub.bdf;
}

static void kept(struct vt_build *b, const struct file *f)
{
	struct vt_fact *x = fact(b, VT_FACT_FILE_KEPT, f->kept_who, &f->kept);

	x->at[1] = f->kept_before;
	x->num[0] = f->kept_want;
	x->num[1] = f->kept_seen;
	x->num[2] = f->kept_finished;
	if (!x->who.bdf)
		x->who.bdf = f->pub.bdf;
}

/* ---- snapshots ---- */

static int pt_of(struct vt_build *b, const char *name)
{
	struct file_part *own = part_own(b, file);

	/* Interned, so that equal is identical. */
	if (!own->pt[0]) {
		for (int p = 0; p < VT_PT_MAX; p++)
			own->pt[p] = intern(b, vt_pt_name(p));
	}
	name = intern_event(b, name);
	for (int p = 0; name && p < VT_PT_MAX; p++) {
		if (own->pt[p] == name)
			return p;
	}
	return -1;
}

/* "df#3" means another thing in every trace: the number goes, the class stays. */
static void cut_numbers(char *s)
{
	char *to = strchr(s, '#');

	for (char *from = to; from; ) {
		*to++ = *from;
		if (!*from)
			return;
		if (*from++ == '#') {
			while (isdigit((unsigned char)*from))
				from++;
		}
	}
}

static bool is_member(const struct vt_trace *t, const struct vt_event *e, uint32_t i)
{
	uint16_t field = e->place[i].field;

	return field >= VT_F_MAX && !strncmp(vt_trace__field_name(t, field), MEMBER, strlen(MEMBER));
}

static bool is_text(const struct vt_value *v)
{
	return v->kind == VT_STR && !v->err;
}

/* V as a member; TEXT is where its text goes. */
static struct vt_member member_of(const struct vt_trace *t, const struct vt_value *v, char *text)
{
	struct vt_member m = { .name = vt_trace__field_name(t, v->field) + strlen(MEMBER), .kind = v->kind, .err = v->err };

	if (is_text(v)) {
		m.str = strcpy(text, v->str);
		cut_numbers(text);
	} else if (!v->err) {
		m.num = v->u;
	}
	return m;
}

/* Their text lies behind them. */
static struct vt_member *members_of(const struct vt_trace *t, const struct vt_event *e, unsigned int *nr)
{
	struct vt_member *m;
	size_t text = 0;
	char *to;

	for (uint32_t i = 0; i < e->nr; i++) {
		struct vt_value v = vt_ev_at(e, i);

		text += is_text(&v) ? strlen(v.str) + 1 : 0;
	}
	m = malloc(e->nr * sizeof(*m) + text + 1);
	to = (char *)(m + e->nr);
	for (uint32_t i = 0; m && i < e->nr; i++) {
		struct vt_value v = vt_ev_at(e, i);

		if (!is_member(t, e, i))
			continue;
		m[*nr] = member_of(t, &v, to);
		to += m[*nr].str ? strlen(v.str) + 1 : 0;
		(*nr)++;
	}
	return m;
}

/* Most snapshots are gone long before the end: only then their members are read, those of the few that are left. */
static void snap_finish(struct vt_build *b, struct vt_snap *s)
{
	struct vt_event *e = s ? malloc(sizeof(*e)) : NULL;
	int ret;

	if (!s)
		return;
	ret = e ? vt_trace__again(b->side->trace, &s->spot, e) : -ENOMEM;
	if (!ret)
		s->m = members_of(b->side->trace, e, &s->nr);
	if (!s->m)
		b->err = ret ? ret : -ENOMEM;
	free(e);
}

static void snap_take(struct vt_build *b, struct vt_snap *s, const struct vt_event *e, int pt)
{
	memset(s, 0, sizeof(*s));
	at_set(b, &s->at, e);
	s->pt = pt;
	s->spot = vt_trace__spot(b->side->trace);
	s->inode_mapping = vt_ev_obj(e, VT_F_INODE_MAPPING);
	s->dev_mapping = vt_ev_obj(e, VT_F_DEV_MAPPING);
	s->has_mapping = vt_ev_told(e, VT_F_MAPPING, &s->mapping);
	s->has_dev_mapping = s->dev_mapping != 0;
	s->is_vfio = vt_ev_obj(e, VT_F_DF) != 0;
}

const struct vt_member *vt_snap__member(const struct vt_snap *s, const char *name)
{
	for (unsigned int i = 0; s && i < s->nr; i++) {
		if (!strcmp(s->m[i].name, name))
			return &s->m[i];
	}
	return NULL;
}

/* The call of TYPE, for the file that E names: one file's callback may be inside of another's. */
static struct frame *frame_for(struct task *t, uint16_t type, const struct vt_event *e)
{
	uint64_t token;
	bool told = vt_ev_u64(e, VT_F_TOKEN, &token);

	for (uint32_t i = t ? t->depth : 0; i > 0; i--) {
		struct frame *f = &t->f[i - 1];

		if (f->type == type && (!told || !f->has_token || f->token == token))
			return f;
	}
	return NULL;
}

static struct vt_life *snap_life(struct vt_build *b, struct task *t, const struct vt_event *e, uint64_t obj, int pt)
{
	struct vt_life *l = file_holder(b, obj);
	struct frame *f = frame_for(t, VT_EV_LUO_PRESERVE, e);

	if (!f)
		f = frame_for(t, VT_EV_LUO_RETRIEVE, e);
	if (f && f->life && pt != VT_PT_RELEASE)
		return f->life;
	/* These come right after the callback that ended LUO's hold. */
	if (!l && (pt == VT_PT_FINISHED || pt == VT_PT_UNPRESERVED) && frame_top(t))
		return frame_top(t)->done;
	return l;
}

/* Which snapshot stands for the file in the field table. */
static bool stands_for(const struct vt_life *l, int pt)
{
	if (l->dir == VT_OUTGOING)
		return pt == VT_PT_PRESERVE || pt == VT_PT_PRESERVED || pt == VT_PT_FREEZE;
	return !l->snap && (pt == VT_PT_RETRIEVE || pt == VT_PT_RETRIEVED);
}

static void snap_keep(struct vt_build *b, struct vt_snap **place, const struct vt_snap *s)
{
	if (!*place)
		*place = malloc(sizeof(**place));
	if (*place)
		**place = *s;
	else
		b->err = -ENOMEM;
}

/* The function at whose entry or exit the snapshot was taken. */
static const char *snap_func(struct vt_build *b, const struct vt_life *l, int pt)
{
	static const struct { int step; uint16_t type; } where[VT_PT_MAX] = {
		[VT_PT_OPEN] = { -1, VT_EV_VFIO_CDEV_OPEN }, [VT_PT_PRESERVE] = { VT_STEP_PRESERVE, VT_EV_OP_PRESERVE },
		[VT_PT_PRESERVED] = { -1, VT_EV_LUO_PRESERVE }, [VT_PT_FREEZE] = { VT_STEP_FREEZE, VT_EV_OP_FREEZE },
		[VT_PT_UNPRESERVED] = { VT_STEP_UNPRESERVE, VT_EV_OP_UNPRESERVE }, [VT_PT_RETRIEVE] = { VT_STEP_RETRIEVE, VT_EV_OP_RETRIEVE },
		[VT_PT_RETRIEVED] = { -1, VT_EV_LUO_RETRIEVE }, [VT_PT_FINISH] = { VT_STEP_FINISH, VT_EV_OP_FINISH },
		[VT_PT_FINISHED] = { VT_STEP_FINISH, VT_EV_OP_FINISH }, [VT_PT_RELEASE] = { -1, VT_EV_VFIO_RELEASE },
	};
	const char *func = NULL;

	if (l && where[pt].step >= 0)
		func = l->enter[where[pt].step].func;
	if (!func || !*func)
		func = b->evidence.func[where[pt].type];
	return func ? func : "";
}

static struct vt_who who_snap(struct vt_build *b, const struct vt_life *l, const struct vt_file *f)
{
	struct vt_who who = who_life(b, l);

	if (!who.bdf)
		who.bdf = f->bdf;
	return who;
}

static void check_ref(struct vt_build *b, struct vt_life *l, const struct vt_file *f, int pt, int64_t count, const struct vt_at *at)
{
	int64_t want = 1;
	struct vt_fact *x;
	bool exact = false;

	/*
	 * Just after the callback nobody but its caller knows the file; just
	 * after luo_retrieve_file() LUO and the ioctl's fd-to-be hold it, and
	 * fd_install() has not run. Later user space may hold any number.
	 */
	if (pt == VT_PT_RETRIEVE) {
		exact = true;
	} else if (pt == VT_PT_RETRIEVED) {
		want = 2;
		exact = l && !l->ref[pt].seen;
		/* What retrieve itself left too many is said there. */
		if (exact && l->ref[VT_PT_RETRIEVE].seen)
			want += l->ref[VT_PT_RETRIEVE].count - 1;
	} else if (pt == VT_PT_RELEASE || pt == VT_PT_OPEN) {
		return;
	}
	if (count == want || (count > want && !exact))
		return;
	x = fact(b, VT_FACT_FILE_REF, who_snap(b, l, f), at);
	x->num[0] = want;
	x->num[1] = count;
	x->num[2] = exact;
	x->str[0] = vt_pt_name(pt);
	if (l)
		l->odd = true;
}

static void check_mapping(struct vt_build *b, const struct vt_life *l, const struct vt_file *f, const struct vt_snap *s)
{
	struct vt_fact *x;

	/* Nobody maps through a file that is being released: it may be one that an open gave up before it linked it. */
	if (!s->is_vfio || !s->has_mapping || !s->has_dev_mapping || s->pt == VT_PT_RELEASE)
		return;
	b->side->mappings_compared++;
	if (s->mapping == s->dev_mapping)
		return;
	x = fact(b, VT_FACT_MAPPING, who_snap(b, l, f), &s->at);
	x->str[0] = vt_pt_name(s->pt);
	x->str[1] = !s->mapping ? "NULL" : s->mapping == s->inode_mapping ? "its own inode's mapping" : "another mapping";
}

static void snap(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	uint64_t obj = vt_ev_obj(e, VT_F_FILE);
	int pt = pt_of(b, vt_ev_str(e, VT_F_POINT));
	struct vt_life *l;
	struct vt_file *f;
	struct file *file;
	struct vt_snap s;
	int64_t count;

	if (pt < 0 || !obj)
		return;
	l = snap_life(b, t, e, obj, pt);
	file = file_get(b, obj, pt != VT_PT_RELEASE);
	if (!file)
		return;
	f = &file->pub;
	snap_take(b, &s, e, pt);
	if (s.inode_mapping)
		file->inode_mapping = s.inode_mapping;
	if (s.is_vfio) {
		struct device *d = device_get(b, e);

		f->is_vfio = true;
		f->df = vt_ev_obj(e, VT_F_DF);
		f->device = vt_ev_obj(e, VT_F_DEVICE);
		if (d && d->pub.bdf)
			f->bdf = d->pub.bdf;
		if (d && s.dev_mapping)
			d->mapping = s.dev_mapping;
	}
	if (l && s.is_vfio) {
		l->is_vfio = true;
		l->df = f->df;
		l->device = f->device;
		if (f->bdf)
			l->bdf = f->bdf;
	}
	s.at.func = snap_func(b, l, pt);
	check_mapping(b, l, f, &s);
	if (vt_ev_s64(e, VT_F_FILE_REF, &count)) {
		check_ref(b, l, f, pt, count, &s.at);
		if (l && !(l->ref[pt].seen && l->dir == VT_INCOMING))
			l->ref[pt] = (struct vt_ref){ .seen = true, .count = count, .at = s.at };
	}
	if (pt == VT_PT_OPEN) {
		snap_keep(b, &f->open_snap, &s);
	} else if (l) {
		if (f->open_snap && !l->open_snap) {
			l->open_snap = f->open_snap;
			f->open_snap = NULL;
		}
		if (stands_for(l, pt))
			snap_keep(b, &l->snap, &s);
	}
}

/* ---- made and ended ---- */

static void anon(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct file *f;

	if (e->phase == VT_ENTER || is_err(e) || (!t && !session_of_file(vt_ev_str(e, VT_F_NAME))))
		return;
	f = file_get(b, vt_ev_obj(e, VT_F_FILE), true);
	if (!f)
		return;
	at_set(b, &f->pub.made, e);
	f->pub.name = intern_event(b, vt_ev_str(e, VT_F_NAME));
	if (!t)
		return;
	f->pub.who = who_task(b, t, e);
	frame_made(t, f->pub.obj);
}

/* LUO holds a reference from preserve to unpreserve or jump, and from retrieve to finish. */
static void check_released(struct vt_build *b, const struct file *f, const struct vt_event *e)
{
	struct vt_life *l = file_holder(b, f->pub.obj);
	struct vt_fact *x;
	struct vt_at at;

	if (!l || (l->state != VT_LIFE_PRESERVED && l->state != VT_LIFE_FROZEN && l->state != VT_LIFE_RETRIEVED))
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_FILE_RELEASED, who_life(b, l), &at);
	x->at[1] = l->at[l->dir == VT_OUTGOING ? VT_STEP_PRESERVE : VT_STEP_RETRIEVE];
	x->str[0] = vt_life_state_name(l->state);
	l->odd = true;
	file_unhold(b, l);
}

static void keep_example(struct vt_side *s, struct file *f)
{
	if (!f->pub.open_snap || !f->pub.is_vfio || s->example_open)
		return;
	s->example_open = f->pub.open_snap;
	s->example_bdf = f->pub.bdf;
	f->pub.open_snap = NULL;
}

/* Nothing is left of a file that somebody still had, after a callback took what was not its own. */
static void taken(struct vt_build *b, struct file *f, struct vt_life *l, int64_t left)
{
	struct vt_fact *x;

	if (f->taken.type && !left) {
		x = fact(b, VT_FACT_FILE_TAKEN, who_life(b, l), &f->taken);
		x->at[1] = f->taken_before;
		x->num[0] = f->taken_want;
		x->num[1] = f->taken_seen;
		l->odd = true;
	}
	f->taken.type = 0;
}

/* After the callback that ended a life, LUO puts its own reference. */
static void let_go(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct frame *call = frame_top(t);
	struct vt_life *l = call ? call->done : NULL;
	const struct vt_ref *r = !l ? NULL : &l->ref[l->dir == VT_OUTGOING ? VT_PT_UNPRESERVED : VT_PT_FINISHED];
	struct file *f = l && l->file == vt_ev_obj(e, VT_F_FILE) ? file_get(b, l->file, false) : NULL;
	int64_t left;

	if (!f || !vt_ev_s64(e, VT_F_FILE_REF, &left))
		return;
	taken(b, f, l, left);
	op_kept_again(b, e, 0);
	if (!r->seen)
		return;
	f->kept_finished = l->dir == VT_INCOMING;
	should_be_gone(b, e, who_life(b, l), &r->at, r->count - 1);
}

/* ---- what calls do to the file they are about ---- */

/* LUO has taken its reference by now. */
static void can_preserve(struct vt_build *b, struct frame *call, const struct vt_event *e, int64_t ref)
{
	others(b, e, call != NULL);
	if (!call)
		return;
	call->file = vt_ev_obj(e, VT_F_FILE);
	call->ref.have = true;
	call->ref.count = ref;
	at_set(b, &call->ref.at, e);
}

/*
 * A callback works with LUO's reference. It may take one of its own and give
 * that back in a later one, but over the file's life it leaves no fewer.
 */
static void op_returned(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	bool ends = e->type == VT_EV_OP_UNPRESERVE || e->type == VT_EV_OP_FINISH;
	struct file *file;
	uint64_t threads;
	struct life *l;
	int64_t ref, moved;

	if (!vt_ev_s64(e, VT_F_FILE_REF, &ref))
		return;
	if (e->type == VT_EV_OP_CAN_PRESERVE) {
		can_preserve(b, frame_of(t, VT_EV_LUO_PRESERVE), e, ref);
		return;
	}
	if (!f->life || !f->ref.have || f->subject != vt_ev_obj(e, VT_F_FILE))
		return;
	l = life_of(f->life);
	moved = ref - f->ref.count;
	l->file_net += moved;
	l->file_shared |= vt_ev_u64(e, VT_F_THREADS, &threads) && threads > 1;
	op_kept_again(b, e, 1);
	file = !l->file_shared && (moved > 0 || l->file_net > 0) ? file_get(b, f->subject, true) : NULL;
	if (file && is_err(e) && moved > 0)
		op_kept(b, file, f, e, f->ref.count, ref);
	else if (file && ends && l->file_net > 0)
		op_kept(b, file, f, e, ref - l->file_net, ref);
	/* With more threads one of them may just have closed it. */
	if (!ends || l->file_net >= 0 || !vt_ev_u64(e, VT_F_THREADS, &threads) || threads != 1)
		return;
	/* Or left a system call on it, in another process. LUO's own put will tell: see let_go(). */
	file = file_get(b, f->subject, false);
	if (!file)
		return;
	at_set(b, &file->taken, e);
	file->taken_before = f->enter;
	file->taken_want = ref - l->file_net;
	file->taken_seen = ref;
}

static void file_begun(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	if (!kind_is_op(e->type) || e->type == VT_EV_OP_CAN_PRESERVE)
		return;
	f->ref.have = vt_ev_s64(e, VT_F_FILE_REF, &f->ref.count);
	op_kept_again(b, e, 1);
}

static void file_returned(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct file *file;

	if (kind_is_op(e->type))
		op_returned(b, t, f, e);
	if (e->type != VT_EV_LUO_PRESERVE || !is_err(e))
		return;
	op_kept_again(b, e, 0);
	/* What the callback kept is said of it. */
	file = file_get(b, f->file, false);
	if (f->ref.have && f->file == vt_ev_obj(e, VT_F_FILE) && !(file && file->held.type && file->held.index > f->enter.index))
		should_be_gone(b, e, who_frame(b, f), &f->ref.at, f->ref.count - 1);
}

/* ---- file descriptors ---- */

/* A session's own file, which its ioctl has just made: until the descriptor is there nobody can have it but the ioctl. */
static void fresh_session(struct vt_build *b, const struct file *f, const struct vt_event *e)
{
	const char *session = session_of_file(f->pub.name);
	struct vt_fact *x;
	struct vt_at at;
	int64_t refs;

	if (!session || f->pub.installed.type || f->pub.made.type != VT_EV_FILE_ANON || f->pub.made.tid != e->tid ||
	    !vt_ev_s64(e, VT_F_FILE_REF, &refs) || refs <= 1)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_SESSION_FILE, (struct vt_who){ .session = intern(b, session) }, &at);
	x->at[1] = f->pub.made;
	x->num[0] = refs;
}

static void installed(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct file *f = file_get(b, vt_ev_obj(e, VT_F_FILE), true);

	if (!f)
		return;
	fresh_session(b, f, e);
	at_set(b, &f->pub.installed, e);
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

static void ioctl_failed(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct file *f = file_get(b, vt_ev_obj(e, VT_F_FILE), false);
	struct vt_fact *x;
	struct vt_who who;
	struct vt_at at;

	if (!is_err(e))
		return;
	/* With a name it is about what LUO did: answer.c. */
	if (!vt_ev_has(e, VT_F_FD)) {
		if (!vt_ev_has(e, VT_F_NAME))
			session_lost(b, e);
		return;
	}
	who = f && f->pub.life ? who_life(b, f->pub.life) : (struct vt_who){ .session = intern_event(b, vt_ev_str(e, VT_F_SESSION)) };
	at_set(b, &at, e);
	x = fact(b, VT_FACT_FD_ON_ERROR, who, &at);
	if (f)
		x->at[1] = f->pub.installed;
	vt_ev_s64(e, VT_F_FD, &x->num[0]);
	x->num[1] = at.ret;
}

/* ---- events ---- */

static void released(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct file *f = e->phase == VT_EXIT ? NULL : file_get(b, vt_ev_obj(e, VT_F_FILE), false);

	if (!f)
		return;
	check_released(b, f, e);
	keep_example(b->side, f);
	file_bury(b, f);
}

static const struct heard file_points[] = {
	{ VT_EV_FILE_SNAP, snap }, { VT_EV_FILE_ANON, anon }, { VT_EV_FILE_LET_GO, let_go }, { VT_EV_FILE_FPUT, released },
	{ VT_EV_FD_INSTALL, installed }, { VT_EV_LUO_IOCTL, ioctl_failed }, { 0 },
};

/* ---- the end ---- */

/* One sort after the other: either is read in the order of the file, mostly, so that a block is read once for all in it. */
static int by_place(const void *a, const void *b)
{
	const struct vt_spot *x = &(*(struct vt_snap *const *)a)->spot, *y = &(*(struct vt_snap *const *)b)->spot;

	if (x->block != y->block)
		return x->block < y->block ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static size_t count_lives(const struct vt_side *s)
{
	size_t n = 0;

	for (const struct vt_session *v = s->sessions; v; v = v->next)
		n += v->nr_lives;
	return n;
}

/* In the order in which they stand in the file: a block may have megabytes, and is read once. */
static void finish_snaps(struct vt_build *b)
{
	struct vt_snap **all = calloc(2 * count_lives(b->side) + 1, sizeof(*all));
	size_t nr = 0;

	if (!all) {
		b->err = -ENOMEM;
		return;
	}
	for (struct vt_session *v = b->side->sessions; v; v = v->next) {
		for (struct vt_life *l = v->lives; l; l = l->next) {
			if (l->snap)
				all[nr++] = l->snap;
			if (l->open_snap)
				all[nr++] = l->open_snap;
		}
	}
	qsort(all, nr, sizeof(*all), by_place);
	for (size_t i = 0; i < nr; i++)
		snap_finish(b, all[i]);
	free(all);
}

static int by_index(const void *a, const void *b)
{
	const struct vt_file *x = *(struct vt_file *const *)a, *y = *(struct vt_file *const *)b;

	return x->made.index < y->made.index ? -1 : x->made.index > y->made.index;
}

static int by_obj(const void *a, const void *b)
{
	const struct file *x = *(struct file *const *)a, *y = *(struct file *const *)b;

	return x->pub.obj < y->pub.obj ? -1 : x->pub.obj > y->pub.obj;
}

static void file_finalize(struct vt_build *b)
{
	struct vt_side *s = b->side;
	size_t i = 0, nr = 0, live = b->files.files.live;
	struct file **all, *f;

	finish_snaps(b);
	all = calloc(live + 1, sizeof(*all));
	s->orphans = calloc(live + 1, sizeof(*s->orphans));
	if (!all || !s->orphans) {
		free(all);
		b->err = -ENOMEM;
		return;
	}
	while ((f = vt_map__next(&b->files.files, &i)))
		all[nr++] = f;
	qsort(all, nr, sizeof(*all), by_obj);
	for (i = 0; i < nr; i++) {
		keep_example(s, all[i]);
		if (all[i]->kept.type && all[i]->kept_sure)
			kept(b, all[i]);
		if (all[i]->held.type && all[i]->held_sure)
			op_held(b, all[i]);
		if (all[i]->pub.failed.type)
			s->orphans[s->nr_orphans++] = &all[i]->pub;
	}
	qsort(s->orphans, s->nr_orphans, sizeof(*s->orphans), by_index);
	snap_finish(b, s->example_open);
	free(all);
}

static void file_free(struct vt_build *b)
{
	free(b->side->orphans);
	snap_free(b->side->example_open);
}

const struct part part_file = {
	.size = sizeof(struct file_part),
	.points = file_points, .made_failed = file_failed, .call_begun = file_begun, .call_returned = file_returned, .returned_areas = AREA(LUO) | AREA(OP),
	.finalize = file_finalize, .free = file_free,
};
