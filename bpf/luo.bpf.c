// SPDX-License-Identifier: GPL-2.0
/*
 * LUO's own functions (kernel/liveupdate/luo_*.c): sessions, the files in
 * them, and the reboot. They see every handler, known or not.
 *
 * fexit programs get the arguments as they were at entry.
 */
#include "folio.bpf.h"

#define SESSION_OF(set) ((u64)(set) - bpf_core_field_offset(struct luo_session, file_set))

static __always_inline void session_name(struct vt_wire *w, const char *name)
{
	w->has_session = load_str(w->session, sizeof(w->session), (u64)name);
}

static __always_inline struct luo_file *last_luo_file(struct luo_file_set *set)
{
	struct list_head *last = READ(set, files_list.prev);

	return (struct luo_file *)((u64)last - bpf_core_field_offset(struct luo_file, list));
}

static __always_inline void slot_handler(struct vt_wire *w, struct liveupdate_file_handler *fh)
{
	struct module *owner;

	if (!fh)
		return;
	slot(w, VT_S_HANDLER, (u64)fh);
	text_str(w, VT_TEXT_COMPATIBLE, (void *)((u64)fh + bpf_core_field_offset(struct liveupdate_file_handler, compatible)));
	owner = READ(READ(fh, ops), owner);
	if (owner)
		slot(w, VT_S_MOD_REF, READ(owner, refcnt.counter));
}

static __always_inline void slot_luo_file(struct vt_wire *w, struct luo_file *lf)
{
	struct luo_file *k = KERNEL(lf);

	slot(w, VT_S_LUO_FILE, (u64)lf);
	slot(w, VT_S_DATA, GET(k, serialized_data));
	slot(w, VT_S_STATUS, (s64)GET(k, retrieve_status));
	slot_file(w, GET(k, file));
	slot_handler(w, GET(k, fh));
}

/* ---- sessions ---- */

static __always_inline void session_exit(u16 type, const char *name, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_wire *w = c ? wire_make(t, type, VT_EXIT) : NULL;

	if (w) {
		session_name(w, name);
		slot(w, VT_S_RET, (s64)ret);
		wire_send(c, w);
	}
	frame_pop(t);
}

SEC("fentry") int HOOK(e_session_create)
{
	if (ctl_open())
		frame_push(VT_EV_SESSION_CREATE, 0, false, 0);
	return 0;
}

SEC("fexit") int HOOK(x_session_create, const char *name, struct file **filep, int ret)
{
	session_exit(VT_EV_SESSION_CREATE, name, ret);
	return 0;
}

SEC("fentry") int HOOK(e_session_retrieve)
{
	if (ctl_open())
		frame_push(VT_EV_SESSION_RETRIEVE, 0, false, 0);
	return 0;
}

/* It is retrieved from here on, whatever becomes of the call that asked for it. */
static __always_inline void session_marked(struct file **filep, int ret)
{
	u32 tid = (u32)bpf_get_current_pid_tgid();
	struct vt_installed i = { .fd = NO_FD };

	if (ret || !ctl_open())
		return;
	i.file = read_u64((u64)filep);
	bpf_map_update_elem(&installed, &tid, &i, BPF_ANY);
}

SEC("fexit") int HOOK(x_session_retrieve, const char *name, struct file **filep, int ret)
{
	session_exit(VT_EV_SESSION_RETRIEVE, name, ret);
	session_marked(filep, ret);
	return 0;
}

SEC("fentry") int HOOK(e_session_release, struct inode *inode, struct file *filp)
{
	struct vt_control *c = ctl_open();
	struct luo_session *s;
	struct vt_wire *w;

	if (!c)
		return 0;
	s = (struct luo_session *)READ(filp, private_data);
	w = wire_new(SESSION_RELEASE, ENTER);
	if (w) {
		session_name(w, (char *)s);
		slot(w, VT_S_OBJ_SESSION, (u64)s);
		slot(w, VT_S_RETRIEVED, READ(s, retrieved));
		slot(w, VT_S_COUNT, READ(s, file_set.count));
		wire_send(c, w);
	}
	frame_push(VT_EV_SESSION_RELEASE, (u64)s, false, 0);
	return 0;
}

SEC("fexit") int HOOK(x_session_release, struct inode *inode, struct file *filp, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_frame *f = frame_top(t);
	struct vt_wire *w;

	/* The session is freed by now: its name must not be read again. */
	if (f)
		f->session = 0;
	frame_pop(t);
	if (!c || !(w = wire_new_in(t, SESSION_RELEASE, EXIT)))
		return 0;
	slot(w, VT_S_RET, (s64)ret);
	wire_send(c, w);
	return 0;
}

SEC("fexit") int HOOK(x_session_deserialize, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c || !(w = wire_new(SESSION_DESERIALIZE, EXIT)))
		return 0;
	slot(w, VT_S_RET, (s64)ret);
	wire_send(c, w);
	return 0;
}

/* ---- file-lifecycle-bound data ---- */

#define HAS_FLB_COUNT bpf_core_field_exists(struct liveupdate_flb, private.outgoing.count.refs)

static __always_inline void slot_flb(struct vt_wire *w, u64 flb, bool outgoing, bool incoming)
{
	slot(w, VT_S_FLB, flb);
	text_str(w, VT_TEXT_NAME, (void *)(flb + bpf_core_field_offset(struct liveupdate_flb, compatible)));
	if (outgoing)
		slot_read(w, VT_S_FLB_COUNT, flb + bpf_core_field_offset(struct liveupdate_flb, private.outgoing.count), 4);
	if (incoming)
		slot_read(w, VT_S_FLB_COUNT_IN, flb + bpf_core_field_offset(struct liveupdate_flb, private.incoming.count), 4);
}

struct flb_walk {
	struct vt_control *c;
	u64 handler, head, at;
};

static long emit_flb(u32 i, struct flb_walk *k)
{
	struct luo_flb_link *link;
	struct vt_wire *w;

	if (!k->at || k->at == k->head)
		return 1;
	link = (struct luo_flb_link *)(k->at - bpf_core_field_offset(struct luo_flb_link, list));
	w = wire_new(FLB_STATE, POINT);
	if (w) {
		slot(w, VT_S_HANDLER, k->handler);
		slot_flb(w, (u64)READ(link, flb), true, true);
		wire_send(k->c, w);
	}
	k->at = read_u64(k->at);
	return 0;
}

/* All FLBs of a handler, each with its two counts. Most handlers have none. */
static __noinline int flb_states(u64 fh)
{
	struct flb_walk k = { .c = ctl_open(), .handler = fh };

	if (!k.c || !HAS_FLB_COUNT)
		return 0;
	k.head = fh + bpf_core_field_offset(struct liveupdate_file_handler, flb_list);
	k.at = read_u64(k.head);
	bpf_loop(32, emit_flb, &k, 0);
	return 0;
}

static __always_inline void flb(u16 type, struct liveupdate_file_handler *fh, bool has_ret, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_make(task_get(), type, VT_EXIT) : NULL;

	if (w) {
		slot_handler(w, fh);
		if (has_ret)
			slot(w, VT_S_RET, (s64)ret);
		wire_send(c, w);
	}
	if (c)
		flb_states((u64)fh);
}

/* The counts as they were, and for luo_preserve_file()'s exit: which handler it is. */
SEC("fentry") int HOOK(e_flb_preserve, struct liveupdate_file_handler *fh)
{
	struct vt_control *c = ctl_open();
	struct vt_frame *f = c ? frame_top(task_get()) : NULL;

	if (f && f->type == VT_EV_LUO_PRESERVE)
		f->object = (u64)fh;
	if (c)
		flb_states((u64)fh);
	return 0;
}
SEC("fexit") int HOOK(x_flb_preserve, struct liveupdate_file_handler *fh, int ret)
{
	flb(VT_EV_FLB_PRESERVE, fh, true, ret);
	return 0;
}
SEC("fexit") int HOOK(x_flb_unpreserve, struct liveupdate_file_handler *fh)
{
	flb(VT_EV_FLB_UNPRESERVE, fh, false, 0);
	return 0;
}
SEC("fexit") int HOOK(x_flb_finish, struct liveupdate_file_handler *fh)
{
	flb(VT_EV_FLB_FINISH, fh, false, 0);
	return 0;
}

/* Holders that are not files: handlers, and drivers that look whether something arrived for them. */
static __always_inline void flb_hold(u16 type, u64 flb, bool incoming, bool has_ret, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c && HAS_FLB_COUNT ? wire_make(task_get(), type, VT_EXIT) : NULL;

	if (!w)
		return;
	w->variant = incoming;
	if (has_ret)
		slot(w, VT_S_RET, (s64)ret);
	slot_flb(w, flb, !incoming, incoming);
	wire_send(c, w);
}

SEC("fexit") int HOOK(x_flb_get_out, u64 flb, void *objp, int ret)
{
	flb_hold(VT_EV_FLB_GET, flb, false, true, ret);
	return 0;
}
SEC("fexit") int HOOK(x_flb_get_in, u64 flb, void *objp, int ret)
{
	flb_hold(VT_EV_FLB_GET, flb, true, true, ret);
	return 0;
}
SEC("fexit") int HOOK(x_flb_put_out, u64 flb)
{
	flb_hold(VT_EV_FLB_PUT, flb, false, false, 0);
	return 0;
}
SEC("fexit") int HOOK(x_flb_put_in, u64 flb)
{
	flb_hold(VT_EV_FLB_PUT, flb, true, false, 0);
	return 0;
}

/* ---- one file ---- */

SEC("fentry") int HOOK(e_luo_preserve, struct luo_file_set *set, u64 token, int fd)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c)
		return 0;
	w = wire_new_in(frame_push(VT_EV_LUO_PRESERVE, SESSION_OF(set), true, token), LUO_PRESERVE, ENTER);
	if (!w)
		return 0;
	slot(w, VT_S_FD, (s64)fd);
	slot(w, VT_S_COUNT, READ(set, count));
	wire_send(c, w);
	return 0;
}

SEC("fexit") int HOOK(x_luo_preserve, struct luo_file_set *set, u64 token, int fd, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_frame *f = frame_top(t);
	struct luo_file *lf = NULL;
	struct vt_wire *w;
	u64 fh = 0, file = 0;

	if (!c)
		goto out;
	if (ret && f && f->type == VT_EV_LUO_PRESERVE) {
		fh = f->object;
		file = f->file;
	}
	if (fh)
		flb_states(fh);
	w = wire_make_pair(t, VT_EV_LUO_PRESERVE, VT_EXIT);
	if (!ret)
		lf = last_luo_file(set);
	if (w) {
		slot(w, VT_S_RET, (s64)ret);
		slot(w, VT_S_FD, (s64)fd);
		slot(w, VT_S_COUNT, READ(set, count));
		if (file && tracked(file, VT_C_FILE)) {
			slot_file_dying(w, (struct file *)file);
			slot_threads(w);
		}
		if (fh)
			slot_handler(w, (struct liveupdate_file_handler *)fh);
		if (lf)
			slot_luo_file(w, lf);
	}
	if (lf)
		snap_file(t, w, READ(lf, file), VT_P_PRESERVED);
	if (w)
		wire_send(c, w);
out:
	frame_pop(t);
	return 0;
}

SEC("fentry") int HOOK(e_luo_retrieve, struct luo_file_set *set, u64 token, struct file **filep)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c)
		return 0;
	w = wire_new_in(frame_push(VT_EV_LUO_RETRIEVE, SESSION_OF(set), true, token), LUO_RETRIEVE, ENTER);
	if (w)
		wire_send(c, w);
	return 0;
}

SEC("fexit") int HOOK(x_luo_retrieve, struct luo_file_set *set, u64 token, struct file **filep, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct file *file = NULL;
	struct vt_wire *w;

	if (!c)
		goto out;
	if (!ret)
		bpf_probe_read_kernel(&file, sizeof(file), filep);
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
out:
	frame_pop(t);
	return 0;
}

/* ---- all files of a session ---- */

static __always_inline void set_enter(u16 type, struct luo_file_set *set)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c)
		return;
	w = wire_make(frame_push(type, SESSION_OF(set), false, 0), type, VT_ENTER);
	if (!w)
		return;
	slot(w, VT_S_COUNT, READ(set, count));
	wire_send(c, w);
}

static __always_inline void set_exit(u16 type, struct luo_file_set *set, bool has_ret, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_wire *w;

	if (c)
		file_let_go(c, t);
	w = c ? wire_make(t, type, VT_EXIT) : NULL;
	if (w) {
		slot(w, VT_S_COUNT, READ(set, count));
		if (has_ret)
			slot(w, VT_S_RET, (s64)ret);
		wire_send(c, w);
	}
	frame_pop(t);
}

SEC("fentry") int HOOK(e_luo_freeze, struct luo_file_set *set)
{
	set_enter(VT_EV_LUO_FREEZE, set);
	return 0;
}
SEC("fexit") int HOOK(x_luo_freeze, struct luo_file_set *set, void *ser, int ret)
{
	set_exit(VT_EV_LUO_FREEZE, set, true, ret);
	return 0;
}
SEC("fentry") int HOOK(e_luo_unfreeze, struct luo_file_set *set)
{
	set_enter(VT_EV_LUO_UNFREEZE, set);
	return 0;
}
SEC("fexit") int HOOK(x_luo_unfreeze, struct luo_file_set *set)
{
	set_exit(VT_EV_LUO_UNFREEZE, set, false, 0);
	return 0;
}
SEC("fentry") int HOOK(e_luo_unpreserve, struct luo_file_set *set)
{
	set_enter(VT_EV_LUO_UNPRESERVE, set);
	return 0;
}
SEC("fexit") int HOOK(x_luo_unpreserve, struct luo_file_set *set)
{
	set_exit(VT_EV_LUO_UNPRESERVE, set, false, 0);
	return 0;
}
SEC("fentry") int HOOK(e_luo_finish, struct luo_file_set *set)
{
	set_enter(VT_EV_LUO_FINISH, set);
	return 0;
}
SEC("fexit") int HOOK(x_luo_finish, struct luo_file_set *set, int ret)
{
	folios_settle(true);
	set_exit(VT_EV_LUO_FINISH, set, true, ret);
	return 0;
}
SEC("fentry") int HOOK(e_luo_deserialize, struct luo_file_set *set)
{
	set_enter(VT_EV_LUO_DESERIALIZE, set);
	return 0;
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
		slot_luo_file(w, lf);
		wire_send(k->c, w);
	}
	k->at = read_u64(k->at);
	return 0;
}

static __always_inline void emit_arrived(struct luo_file_set *set, int ret)
{
	struct vt_control *c = ctl_open();
	struct walk k = { .c = c };

	if (!c || ret)
		return;
	k.head = (u64)set + bpf_core_field_offset(struct luo_file_set, files_list);
	k.at = read_u64(k.head);
	bpf_loop(1 << 16, emit_luo_file, &k, 0);
}

SEC("fexit") int HOOK(x_luo_deserialize, struct luo_file_set *set, void *ser, int ret)
{
	emit_arrived(set, ret);
	set_exit(VT_EV_LUO_DESERIALIZE, set, true, ret);
	return 0;
}

/* ---- file descriptors that an ioctl hands out ---- */

static __always_inline void ioctl_exit(u32 variant, struct file *session, s64 ret)
{
	u32 tid = (u32)bpf_get_current_pid_tgid();
	struct vt_installed *i = bpf_map_lookup_elem(&installed, &tid);
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	/* A call that works, and one that fails without having handed out anything, are no news. */
	if (i && ret < 0 && c && (w = wire_new(LUO_IOCTL, EXIT))) {
		w->variant = variant;
		slot(w, VT_S_RET, ret);
		if (i->fd == NO_FD) {
			session = (struct file *)i->file;	/* put already, and freed only on the way to user space */
		} else {
			slot(w, VT_S_FD, i->fd);
			slot_file(w, (struct file *)i->file);
		}
		if (session)
			session_name(w, (char *)READ(session, private_data));
		wire_send(c, w);
	}
	if (i)
		bpf_map_delete_elem(&installed, &tid);
}

SEC("fexit") int HOOK(x_session_ioctl, struct file *filep, unsigned int cmd, unsigned long arg, long ret)
{
	ioctl_exit(0, filep, ret);
	return 0;
}
SEC("fexit") int HOOK(x_device_ioctl, struct file *filep, unsigned int cmd, unsigned long arg, long ret)
{
	ioctl_exit(1, NULL, ret);
	return 0;
}

/* A handler that registers now is attached by the recorder as soon as it hears of it. */
SEC("fexit") int HOOK(x_register_handler, struct liveupdate_file_handler *fh, int ret)
{
	struct vt_control *c = ctl_get();
	struct vt_wire *w;

	if (!c || ret || !(w = wire_new(REC_HANDLER, POINT)))
		return 0;
	slot_handler(w, fh);
	c->handlers_pending++;
	wire_submit(c, w, BPF_RB_FORCE_WAKEUP);
	return 0;
}

#ifdef VT_LOADS
TOGETHER("fentry", all_e_luo, luo, hook, type, a)
{
	switch (hook) {
	CASE(session_create): CASE(session_retrieve):
		if (ctl_open())
			frame_push(type, 0, false, 0);
		return 0;
	CASE(luo_freeze): CASE(luo_unfreeze): CASE(luo_unpreserve): CASE(luo_finish): CASE(luo_deserialize):
		set_enter(type, (void *)a[0]);
		return 0;
	OWN_ENTER(session_release);
	OWN_ENTER(luo_preserve);
	OWN_ENTER(luo_retrieve);
	OWN_ENTER(flb_preserve);
	CASE(session_deserialize): CASE(flb_unpreserve): CASE(flb_finish): CASE(flb_get_out): CASE(flb_get_in): CASE(flb_put_out):
	CASE(flb_put_in): CASE(session_ioctl): CASE(device_ioctl): CASE(register_handler):
		break;	/* seen on exit only */
	}
	return 0;
}

/* The end of a call for all files of a session: what else it means, and where its result is. */
static __always_inline int any_set_exit(const unsigned long long *a, enum vt_luo_hook hook, u16 type)
{
	bool returns = hook != VT_HOOK_luo_unfreeze && hook != VT_HOOK_luo_unpreserve;
	int ret = hook == VT_HOOK_luo_finish ? a[1] : a[2];

	if (hook == VT_HOOK_luo_finish)
		folios_settle(true);
	if (hook == VT_HOOK_luo_deserialize)
		emit_arrived((void *)a[0], ret);
	set_exit(type, (void *)a[0], returns, ret);
	return 0;
}

TOGETHER("fexit", all_x_luo, luo, hook, type, a)
{
	switch (hook) {
	CASE(session_create): CASE(session_retrieve):
		session_exit(type, (void *)a[0], a[2]);
		if (hook == VT_HOOK_session_retrieve)
			session_marked((void *)a[1], a[2]);
		return 0;
	CASE(luo_freeze): CASE(luo_unfreeze): CASE(luo_unpreserve): CASE(luo_finish): CASE(luo_deserialize):
		return any_set_exit(a, hook, type);
	CASE(flb_preserve): CASE(flb_unpreserve): CASE(flb_finish):
		flb(type, (void *)a[0], hook == VT_HOOK_flb_preserve, a[1]);
		return 0;
	CASE(flb_get_out): CASE(flb_get_in): CASE(flb_put_out): CASE(flb_put_in):
		flb_hold(type, a[0], hook == VT_HOOK_flb_get_in || hook == VT_HOOK_flb_put_in, type == VT_EV_FLB_GET, a[2]);
		return 0;
	CASE(session_ioctl): CASE(device_ioctl):
		ioctl_exit(hook == VT_HOOK_device_ioctl, hook == VT_HOOK_device_ioctl ? NULL : (void *)a[0], a[3]);
		return 0;
	OWN_EXIT(session_release);
	OWN_EXIT(session_deserialize);
	OWN_EXIT(luo_preserve);
	OWN_EXIT(luo_retrieve);
	OWN_EXIT(register_handler);
	}
	return 0;
}
#endif
