// SPDX-License-Identifier: GPL-2.0
/*
 * LUO's own functions (kernel/liveupdate/luo_*.c): sessions, the files in
 * them, and the reboot. They see every handler, known or not.
 */
#define HOOKS "vfiotrace/hooks/luo.def"
#include "lib/hooks.bpf.h"
#include "lib/blocks.bpf.h"
#include "lib/folio.bpf.h"

#define SESSION_OF(set) ((u64)(set) - bpf_core_field_offset(struct luo_session, file_set))

#define NAME_OF(session) ((char *)(session) + bpf_core_field_offset(struct luo_session, name))

static __always_inline void session_name(struct vt_wire *w, const char *name)
{
	w->has_session = load_str64((struct str64 *)w->session, (u64)name);
}

static __always_inline struct luo_file *last_luo_file(struct luo_file_set *set)
{
	struct list_head *last = READ(set, files_list.prev);

	return (struct luo_file *)((u64)last - bpf_core_field_offset(struct luo_file, list));
}

__noinline int slot_handler_at(struct vt_wire *w, u64 handler)
{
	struct liveupdate_file_handler *fh = (struct liveupdate_file_handler *)handler;

	if (!w || !handler)
		return 0;
	slot(w, VT_S_HANDLER, (u64)fh);
	text_str(w, VT_TEXT_COMPATIBLE, (void *)((u64)fh + bpf_core_field_offset(struct liveupdate_file_handler, compatible)));
	slot_owner(w, READ(READ(fh, ops), owner));
	return 0;
}

static __always_inline void slot_handler(struct vt_wire *w, struct liveupdate_file_handler *fh)
{
	slot_handler_at(w, (u64)fh);
}

__noinline int slot_luo_file(struct vt_wire *w, u64 lf)
{
	struct luo_file *k = KERNEL((struct luo_file *)lf);

	if (!w)
		return 0;
	slot(w, VT_S_LUO_FILE, lf);
	slot(w, VT_S_DATA, k->serialized_data);
	slot(w, VT_S_STATUS, (s64)k->retrieve_status);
	slot_file(w, k->file);
	slot_handler(w, k->fh);
	return 0;
}

/* ---- sessions ---- */

__noinline int session_exit(u32 type, u64 name, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_stored(0);
	struct vt_wire *w;

	if (!c)
		return 0;
	memory_over(t);
	w = wire_make(t, type, VT_EXIT);
	if (w) {
		session_name(w, (char *)name);
		slot(w, VT_S_RET, (s64)ret);
		wire_send(c, w);
	}
	frame_pop(t, type);
	return 0;
}

ENTER(session_create)
{
	if (ctl_open())
		frame_push(VT_EV_SESSION_CREATE, 0, false, 0);
}

EXIT(session_create)
{
	session_exit(VT_EV_SESSION_CREATE, (u64)in->name, in->ret);
}

ENTER(session_retrieve)
{
	if (ctl_open())
		frame_push(VT_EV_SESSION_RETRIEVE, 0, false, 0);
}

/* It is retrieved from here on, whatever becomes of the call that asked for it. */
static __always_inline void session_marked(struct file **filep)
{
	u32 tid = (u32)bpf_get_current_pid_tgid();
	struct vt_installed i = { .fd = NO_FD, .file = read_u64((u64)filep) };

	if (installed_put(tid, &i))
		loss_count(VT_EV_LUO_IOCTL);
}

EXIT(session_retrieve)
{
	session_exit(VT_EV_SESSION_RETRIEVE, (u64)in->name, in->ret);
	if (!in->ret && ctl_open())
		session_marked(in->filep);
}

static __always_inline void slot_session(struct vt_wire *w, struct luo_session *s)
{
	session_name(w, NAME_OF(s));
	slot(w, VT_S_RETRIEVED, READ(s, retrieved));
	slot(w, VT_S_COUNT, READ(s, file_set.count));
}

ENTER(session_release)
{
	struct vt_control *c = ctl_open();
	struct luo_session *s;
	struct vt_task *t;
	struct vt_wire *w;

	if (!c)
		return;
	s = (struct luo_session *)READ(in->file, private_data);
	t = task_store(VT_EV_SESSION_RELEASE);
	w = wire_new_in(t, SESSION_RELEASE, ENTER);
	if (w) {
		slot_session(w, s);
		slot(w, VT_S_OBJ_SESSION, (u64)s);
		wire_send(c, w);
	}
	frame_push_in(t, VT_EV_SESSION_RELEASE, (u64)s, false, 0);
}

/* It arrived before anybody looked. Runs in the recorder, as peek does. */
SEC("syscall") int session_there(void *ctx)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_new(SESSION_THERE, POINT) : NULL;

	if (!w)
		return 0;
	slot_session(w, (struct luo_session *)c->peek_addr);
	wire_send(c, w);
	return 0;
}

EXIT(session_release)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_stored(0);
	struct vt_wire *w;

	if (!c)
		return;
	/* Left before the record: the session is freed by now, and its name must not be read again. */
	frame_pop(t, VT_EV_SESSION_RELEASE);
	w = wire_new_in(t, SESSION_RELEASE, EXIT);
	if (!w)
		return;
	slot(w, VT_S_RET, (s64)in->ret);
	wire_send(c, w);
}

EXIT(session_deserialize)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c || !(w = wire_new(SESSION_DESERIALIZE, EXIT)))
		return;
	slot(w, VT_S_RET, (s64)in->ret);
	wire_send(c, w);
}

/* ---- file-lifecycle-bound data ---- */

#define HAS_FLB_COUNT bpf_core_field_exists(struct liveupdate_flb, private.outgoing.count.refs)

__noinline int slot_flb(struct vt_wire *w, u64 flb, bool outgoing, bool incoming)
{
	u64 name = flb + bpf_core_field_offset(struct liveupdate_flb, compatible), read;

	if (!w)
		return 0;
	slot(w, VT_S_FLB, flb);
	text_str(w, VT_TEXT_NAME, (void *)name);
	read = w->text_is == VT_TEXT_NAME ? ((u64 *)w->text)[0] : 0;
	slot_owner(w, READ(READ((struct liveupdate_flb *)flb, ops), owner));
	if (outgoing)
		slot_near(w, VT_S_FLB_COUNT, flb + bpf_core_field_offset(struct liveupdate_flb, private.outgoing.count), name, read);
	if (incoming)
		slot_near(w, VT_S_FLB_COUNT_IN, flb + bpf_core_field_offset(struct liveupdate_flb, private.incoming.count), name, read);
	return 0;
}

struct flb_walk {
	struct vt_control *c;
	struct vt_task *t;
	u64 handler, head, at;
};

static long emit_flb(u32 i, struct flb_walk *k)
{
	struct luo_flb_link *link;
	struct vt_wire *w;

	if (!k->at || k->at == k->head)
		return 1;
	link = (struct luo_flb_link *)(k->at - bpf_core_field_offset(struct luo_flb_link, list));
	w = wire_new_in(k->t, FLB_STATE, POINT);
	if (w) {
		slot(w, VT_S_HANDLER, k->handler);
		slot_flb(w, (u64)READ(link, flb), true, true);
		wire_send(k->c, w);
	}
	k->at = read_u64(k->at);
	return 0;
}

/* All FLBs of a handler, each with its two counts. Most handlers have none. */
__noinline int flb_states(struct vt_task *t, u64 fh)
{
	struct flb_walk k = { .c = ctl_open(), .t = t, .handler = fh };

	if (!k.c || !HAS_FLB_COUNT)
		return 0;
	k.head = fh + bpf_core_field_offset(struct liveupdate_file_handler, flb_list);
	k.at = read_u64(k.head);
	if (k.at != k.head)
		bpf_loop(32, emit_flb, &k, 0);
	return 0;
}

__noinline int flb_exit(u32 type, u64 fh, bool has_ret, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t;
	struct vt_wire *w;

	if (!c)
		return 0;
	t = task_get();
	w = wire_make(t, type, VT_EXIT);
	if (w) {
		slot_handler(w, (struct liveupdate_file_handler *)fh);
		if (has_ret)
			slot(w, VT_S_RET, (s64)ret);
		wire_send(c, w);
	}
	flb_states(t, fh);
	return 0;
}

/* The counts as they were, and for luo_preserve_file()'s exit: which handler it is. */
ENTER(flb_preserve)
{
	struct vt_task *t;
	struct vt_frame *f;

	if (!ctl_open())
		return;
	t = task_get();
	f = frame_top(t);
	if (f && f->type == VT_EV_LUO_PRESERVE)
		f->object = (u64)in->fh;
	flb_states(t, (u64)in->fh);
}
EXIT(flb_preserve)
{
	flb_exit(VT_EV_FLB_PRESERVE, (u64)in->fh, true, in->ret);
}
EXIT(flb_unpreserve)
{
	flb_exit(VT_EV_FLB_UNPRESERVE, (u64)in->fh, false, 0);
}
EXIT(flb_finish)
{
	flb_exit(VT_EV_FLB_FINISH, (u64)in->fh, false, 0);
}

/* Holders that are not files: handlers, and drivers that look whether something arrived for them. */
__noinline int flb_hold(u32 type, u64 flb, bool incoming, bool has_ret, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c && HAS_FLB_COUNT ? wire_make(task_stored(0), type, VT_EXIT) : NULL;

	if (!w)
		return 0;
	w->variant = incoming;
	if (has_ret)
		slot(w, VT_S_RET, (s64)ret);
	slot_flb(w, flb, !incoming, incoming);
	wire_send(c, w);
	return 0;
}

EXIT(flb_get_out)
{
	flb_hold(VT_EV_FLB_GET, (u64)in->flb, false, true, in->ret);
}
EXIT(flb_get_in)
{
	flb_hold(VT_EV_FLB_GET, (u64)in->flb, true, true, in->ret);
}
EXIT(flb_put_out)
{
	flb_hold(VT_EV_FLB_PUT, (u64)in->flb, false, false, 0);
}
EXIT(flb_put_in)
{
	flb_hold(VT_EV_FLB_PUT, (u64)in->flb, true, false, 0);
}

/* ---- one file ---- */

ENTER(luo_preserve)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t;
	struct vt_wire *w;

	if (!c)
		return;
	t = task_store(VT_EV_LUO_PRESERVE);
	memory_over(t);
	frame_push_in(t, VT_EV_LUO_PRESERVE, SESSION_OF(in->set), true, in->token);
	w = wire_new_in(t, LUO_PRESERVE, ENTER);
	if (!w)
		return;
	slot(w, VT_S_FD, (s64)in->fd);
	slot(w, VT_S_COUNT, READ(in->set, count));
	wire_send(c, w);
}

/* What a preserve that failed leaves behind: the handler that was asked, and the file that LUO has put. */
__noinline int slot_failed(struct vt_wire *w, u64 fh, u64 file)
{
	if (!w)
		return 0;
	if (file && tracked(file, VT_C_FILE)) {
		slot_file_dying(w, (struct file *)file);
		slot_threads(w);
	}
	slot_handler_at(w, fh);
	return 0;
}

EXIT(luo_preserve)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_stored(0);
	struct vt_frame *f = frame_top(t);
	struct luo_file *lf = NULL;
	u64 fh = 0, file = 0;
	struct vt_wire *w;
	int ret = in->ret;

	if (!c)
		return;
	memory_over(t);
	if (ret && f && f->type == VT_EV_LUO_PRESERVE) {
		fh = f->object;
		file = f->file;
	}
	if (fh)
		flb_states(t, fh);
	w = wire_make_pair(t, VT_EV_LUO_PRESERVE, VT_EXIT);
	if (!ret)
		lf = last_luo_file(in->set);
	if (w) {
		slot(w, VT_S_RET, (s64)ret);
		slot(w, VT_S_FD, (s64)in->fd);
		slot(w, VT_S_COUNT, READ(in->set, count));
		slot_failed(w, fh, file);
		if (lf)
			slot_luo_file(w, (u64)lf);
	}
	if (lf)
		snap_file(t, w, READ(lf, file), VT_P_PRESERVED);
	if (w)
		wire_send(c, w);
	frame_pop_worked(t, VT_EV_LUO_PRESERVE, ret);
}

ENTER(luo_retrieve)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t;
	struct vt_wire *w;

	if (!c)
		return;
	t = task_store(VT_EV_LUO_RETRIEVE);
	memory_over(t);
	frame_push_in(t, VT_EV_LUO_RETRIEVE, SESSION_OF(in->set), true, in->token);
	w = wire_new_in(t, LUO_RETRIEVE, ENTER);
	if (w)
		wire_send(c, w);
}

EXIT(luo_retrieve)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_stored(0);
	struct file *file = NULL;
	struct vt_wire *w;
	int ret = in->ret;

	if (!c)
		return;
	memory_over(t);
	if (!ret)
		bpf_probe_read_kernel(&file, sizeof(file), in->filep);
	/* Before the record of the return: what is told here belongs to the call. */
	folios_settle(ret < 0);
	w = wire_make_pair(t, VT_EV_LUO_RETRIEVE, VT_EXIT);
	if (w) {
		slot(w, VT_S_RET, (s64)ret);
		slot_file(w, file);
	}
	if (file)
		snap_file(t, w, file, VT_P_RETRIEVED);
	if (w)
		wire_send(c, w);
	frame_pop(t, VT_EV_LUO_RETRIEVE);
}

/* ---- all files of a session ---- */

__noinline int set_enter(u32 type, u64 set)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t;
	struct vt_wire *w;

	if (!c)
		return 0;
	t = task_store(type);
	memory_over(t);
	frame_push_in(t, type, SESSION_OF(set), false, 0);
	w = wire_make(t, type, VT_ENTER);
	if (!w)
		return 0;
	slot(w, VT_S_COUNT, READ((struct luo_file_set *)set, count));
	wire_send(c, w);
	return 0;
}

__noinline int set_exit(u32 type, u64 set, bool has_ret, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_stored(0);
	struct vt_wire *w;

	if (!c)
		return 0;
	memory_over(t);
	file_let_go(c, t);
	w = wire_make(t, type, VT_EXIT);
	if (w) {
		slot(w, VT_S_COUNT, READ((struct luo_file_set *)set, count));
		if (has_ret)
			slot(w, VT_S_RET, (s64)ret);
		wire_send(c, w);
	}
	if (type == VT_EV_LUO_FINISH)
		frame_pop_worked(t, type, ret);
	else
		frame_pop(t, type);
	return 0;
}

ENTER(luo_freeze)
{
	set_enter(VT_EV_LUO_FREEZE, (u64)in->set);
}
EXIT(luo_freeze)
{
	set_exit(VT_EV_LUO_FREEZE, (u64)in->set, true, in->ret);
}
ENTER(luo_unfreeze)
{
	set_enter(VT_EV_LUO_UNFREEZE, (u64)in->set);
}
EXIT(luo_unfreeze)
{
	set_exit(VT_EV_LUO_UNFREEZE, (u64)in->set, false, 0);
}
ENTER(luo_unpreserve)
{
	set_enter(VT_EV_LUO_UNPRESERVE, (u64)in->set);
}
EXIT(luo_unpreserve)
{
	set_exit(VT_EV_LUO_UNPRESERVE, (u64)in->set, false, 0);
}
ENTER(luo_finish)
{
	set_enter(VT_EV_LUO_FINISH, (u64)in->set);
}
EXIT(luo_finish)
{
	folios_settle(true);
	set_exit(VT_EV_LUO_FINISH, (u64)in->set, true, in->ret);
}
ENTER(luo_deserialize)
{
	set_enter(VT_EV_LUO_DESERIALIZE, (u64)in->set);
}

/* Walks the list that deserialize built: who arrived, under which token. */
struct walk {
	struct vt_control *c;
	u64 head, at, session;
};

static long emit_luo_file(u32 i, struct walk *k)
{
	struct luo_file *lf;
	struct vt_wire *w;

	if (!k->at || k->at == k->head)
		return 1;
	lf = (struct luo_file *)(k->at - bpf_core_field_offset(struct luo_file, list));
	w = wire_new(LUO_FILE, POINT);
	if (w) {
		slot(w, VT_S_TOKEN, READ(lf, token));
		slot_luo_file(w, (u64)lf);
		wire_send(k->c, w);
	}
	k->at = read_u64(k->at);
	return 0;
}

static __always_inline void emit_arrived(struct luo_file_set *set)
{
	struct vt_control *c = ctl_open();
	struct walk k = { .c = c };

	if (!c)
		return;
	k.head = (u64)set + bpf_core_field_offset(struct luo_file_set, files_list);
	k.at = read_u64(k.head);
	bpf_loop(1 << 16, emit_luo_file, &k, 0);
}

EXIT(luo_deserialize)
{
	if (!in->ret)
		emit_arrived(in->set);
	set_exit(VT_EV_LUO_DESERIALIZE, (u64)in->set, true, in->ret);
}

/* ---- ioctls that fail although what they did stays ---- */

/* The call of LUO that worked within this ioctl, and forgets it: 0 = none. */
static __always_inline u32 ioctl_worked(void)
{
	struct vt_task *t = task_stored(0);
	u32 type = t ? t->worked : 0;

	if (type)
		t->worked = 0;
	return type;
}

static __always_inline void slot_worked(struct vt_wire *w, u32 type)
{
	if (type == VT_EV_LUO_PRESERVE)
		__builtin_memcpy(w->text, "luo_preserve_file", sizeof("luo_preserve_file"));
	else
		__builtin_memcpy(w->text, "luo_file_finish", sizeof("luo_file_finish"));
	w->text_is = VT_TEXT_NAME;
}

__noinline int ioctl_exit(u32 variant, u64 file, s64 ret)
{
	u32 tid = (u32)bpf_get_current_pid_tgid(), worked = ioctl_worked();
	struct vt_installed *i = installed_get(tid);
	struct file *session = (struct file *)file;
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	/* A call that works, and one that fails without having done anything, are no news. */
	if ((i || worked) && ret < 0 && c && (w = wire_new(LUO_IOCTL, EXIT))) {
		w->variant = variant;
		slot(w, VT_S_RET, ret);
		if (!i) {
			slot_worked(w, worked);
		} else if (i->fd == NO_FD) {
			session = (struct file *)i->file;	/* put already, and freed only on the way to user space */
		} else {
			slot(w, VT_S_FD, i->fd);
			slot_file(w, (struct file *)i->file);
		}
		if (session)
			session_name(w, NAME_OF(READ(session, private_data)));
		wire_send(c, w);
	}
	if (i)
		installed_drop(tid);
	return 0;
}

EXIT(session_ioctl)
{
	ioctl_exit(0, (u64)in->file, in->ret);
}
EXIT(device_ioctl)
{
	ioctl_exit(1, 0, in->ret);
}

/* The kernel lets nobody attach to a module that is not through with its init. */
static __always_inline bool in_init(struct liveupdate_file_handler *fh)
{
	struct module *owner = READ(READ(fh, ops), owner);

	return owner && READ(owner, state) != MODULE_STATE_LIVE;
}

/* A handler that registers now is attached by the recorder as soon as it hears of it, or at the end of its module's init. */
EXIT(register_handler)
{
	struct vt_control *c = ctl_get();
	struct vt_wire *w;

	if (in->ret || !(w = wire_new(REC_HANDLER, POINT)))
		return;
	slot_handler(w, in->fh);
	if (in_init(in->fh))
		c->handlers_pending++;
	else
		__sync_fetch_and_add(&c->handlers_late, 1);
	wire_submit(c, w, BPF_RB_FORCE_WAKEUP);
}

#include "lib/programs.bpf.h"
