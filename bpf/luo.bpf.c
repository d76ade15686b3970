// SPDX-License-Identifier: GPL-2.0
/*
 * LUO's own functions (kernel/liveupdate/luo_*.c): sessions, the files in
 * them, and the reboot. They see every handler, known or not.
 *
 * fexit programs get the arguments as they were at entry.
 */
#include "vfiotrace.bpf.h"

#define SESSION_OF(set) ((u64)(set) - bpf_core_field_offset(struct luo_session, file_set))

static __always_inline void session_name(struct vt_wire *w, const char *name)
{
	w->has_session = bpf_probe_read_kernel_str(w->session, sizeof(w->session), name) > 0;
}

static __always_inline struct luo_file *last_luo_file(struct luo_file_set *set)
{
	struct list_head *last = BPF_CORE_READ(set, files_list.prev);

	return (struct luo_file *)((u64)last - bpf_core_field_offset(struct luo_file, list));
}

static __always_inline void slot_handler(struct vt_wire *w, struct liveupdate_file_handler *fh)
{
	struct module *owner;

	if (!fh)
		return;
	slot(w, VT_S_HANDLER, (u64)fh);
	text_str(w, VT_TEXT_COMPATIBLE, (void *)((u64)fh + bpf_core_field_offset(struct liveupdate_file_handler, compatible)));
	owner = BPF_CORE_READ(fh, ops, owner);
	if (owner)
		slot(w, VT_S_MOD_REF, BPF_CORE_READ(owner, refcnt.counter));
}

static __always_inline void slot_luo_file(struct vt_wire *w, struct luo_file *lf)
{
	slot(w, VT_S_LUO_FILE, (u64)lf);
	slot(w, VT_S_DATA, BPF_CORE_READ(lf, serialized_data));
	slot(w, VT_S_STATUS, (s64)BPF_CORE_READ(lf, retrieve_status));
	slot_file(w, BPF_CORE_READ(lf, file));
	slot_handler(w, BPF_CORE_READ(lf, fh));
}

/* ---- sessions ---- */

static __always_inline void session_exit(u16 type, const char *name, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_reserve(sizeof(*w), type, VT_EXIT) : NULL;

	if (w) {
		session_name(w, name);
		slot(w, VT_S_RET, (s64)ret);
		wire_send(c, w);
	}
	frame_pop();
}

SEC("fentry") int BPF_PROG(e_session_create)
{
	if (ctl_open())
		frame_push(VT_EV_SESSION_CREATE, 0, false, 0);
	return 0;
}

SEC("fexit") int BPF_PROG(x_session_create, const char *name, struct file **filep, int ret)
{
	session_exit(VT_EV_SESSION_CREATE, name, ret);
	return 0;
}

SEC("fentry") int BPF_PROG(e_session_retrieve)
{
	if (ctl_open())
		frame_push(VT_EV_SESSION_RETRIEVE, 0, false, 0);
	return 0;
}

SEC("fexit") int BPF_PROG(x_session_retrieve, const char *name, struct file **filep, int ret)
{
	session_exit(VT_EV_SESSION_RETRIEVE, name, ret);
	return 0;
}

SEC("fentry") int BPF_PROG(e_session_release, struct inode *inode, struct file *filp)
{
	struct vt_control *c = ctl_open();
	struct luo_session *s;
	struct vt_wire *w;

	if (!c)
		return 0;
	s = (struct luo_session *)BPF_CORE_READ(filp, private_data);
	w = wire_new(SESSION_RELEASE, ENTER);
	if (w) {
		session_name(w, (char *)s);
		slot(w, VT_S_RETRIEVED, BPF_CORE_READ(s, retrieved));
		slot(w, VT_S_COUNT, BPF_CORE_READ(s, file_set.count));
		wire_send(c, w);
	}
	frame_push(VT_EV_SESSION_RELEASE, (u64)s, false, 0);
	return 0;
}

SEC("fexit") int BPF_PROG(x_session_release, struct inode *inode, struct file *filp, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_frame *f = frame_top(t);
	struct vt_wire *w;

	/* The session is freed by now: its name must not be read again. */
	if (f)
		f->session = 0;
	frame_pop();
	if (!c || !(w = wire_new(SESSION_RELEASE, EXIT)))
		return 0;
	slot(w, VT_S_RET, (s64)ret);
	wire_send(c, w);
	return 0;
}

SEC("fexit") int BPF_PROG(x_session_deserialize, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c || !(w = wire_new(SESSION_DESERIALIZE, EXIT)))
		return 0;
	slot(w, VT_S_RET, (s64)ret);
	wire_send(c, w);
	return 0;
}

/* ---- one file ---- */

SEC("fentry") int BPF_PROG(e_luo_preserve, struct luo_file_set *set, u64 token, int fd)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c)
		return 0;
	frame_push(VT_EV_LUO_PRESERVE, SESSION_OF(set), true, token);
	w = wire_new(LUO_PRESERVE, ENTER);
	if (!w)
		return 0;
	slot(w, VT_S_FD, (s64)fd);
	slot(w, VT_S_COUNT, BPF_CORE_READ(set, count));
	wire_send(c, w);
	return 0;
}

SEC("fexit") int BPF_PROG(x_luo_preserve, struct luo_file_set *set, u64 token, int fd, int ret)
{
	struct vt_control *c = ctl_open();
	struct luo_file *lf = NULL;
	struct vt_wire *w;

	if (!c)
		goto out;
	w = wire_new(LUO_PRESERVE, EXIT);
	if (w) {
		slot(w, VT_S_RET, (s64)ret);
		slot(w, VT_S_FD, (s64)fd);
		slot(w, VT_S_COUNT, BPF_CORE_READ(set, count));
		if (!ret) {
			lf = last_luo_file(set);
			slot_luo_file(w, lf);
		}
		wire_send(c, w);
	}
	if (lf)
		snap_file(BPF_CORE_READ(lf, file), VT_P_PRESERVED);
out:
	frame_pop();
	return 0;
}

SEC("fentry") int BPF_PROG(e_luo_retrieve, struct luo_file_set *set, u64 token, struct file **filep)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c)
		return 0;
	frame_push(VT_EV_LUO_RETRIEVE, SESSION_OF(set), true, token);
	w = wire_new(LUO_RETRIEVE, ENTER);
	if (w)
		wire_send(c, w);
	return 0;
}

SEC("fexit") int BPF_PROG(x_luo_retrieve, struct luo_file_set *set, u64 token, struct file **filep, int ret)
{
	struct vt_control *c = ctl_open();
	struct file *file = NULL;
	struct vt_wire *w;

	if (!c)
		goto out;
	if (!ret)
		bpf_probe_read_kernel(&file, sizeof(file), filep);
	w = wire_new(LUO_RETRIEVE, EXIT);
	if (w) {
		slot(w, VT_S_RET, (s64)ret);
		slot_file(w, file);
		wire_send(c, w);
	}
	if (file)
		snap_file(file, VT_P_RETRIEVED);
out:
	frame_pop();
	return 0;
}

/* ---- all files of a session ---- */

static __always_inline void set_enter(u16 type, struct luo_file_set *set)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c)
		return;
	frame_push(type, SESSION_OF(set), false, 0);
	w = wire_reserve(sizeof(*w), type, VT_ENTER);
	if (!w)
		return;
	slot(w, VT_S_COUNT, BPF_CORE_READ(set, count));
	wire_send(c, w);
}

static __always_inline void set_exit(u16 type, struct luo_file_set *set, bool has_ret, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	w = c ? wire_reserve(sizeof(*w), type, VT_EXIT) : NULL;
	if (w) {
		slot(w, VT_S_COUNT, BPF_CORE_READ(set, count));
		if (has_ret)
			slot(w, VT_S_RET, (s64)ret);
		wire_send(c, w);
	}
	frame_pop();
}

SEC("fentry") int BPF_PROG(e_luo_freeze, struct luo_file_set *set)
{
	set_enter(VT_EV_LUO_FREEZE, set);
	return 0;
}
SEC("fexit") int BPF_PROG(x_luo_freeze, struct luo_file_set *set, void *ser, int ret)
{
	set_exit(VT_EV_LUO_FREEZE, set, true, ret);
	return 0;
}
SEC("fentry") int BPF_PROG(e_luo_unfreeze, struct luo_file_set *set)
{
	set_enter(VT_EV_LUO_UNFREEZE, set);
	return 0;
}
SEC("fexit") int BPF_PROG(x_luo_unfreeze, struct luo_file_set *set)
{
	set_exit(VT_EV_LUO_UNFREEZE, set, false, 0);
	return 0;
}
SEC("fentry") int BPF_PROG(e_luo_unpreserve, struct luo_file_set *set)
{
	set_enter(VT_EV_LUO_UNPRESERVE, set);
	return 0;
}
SEC("fexit") int BPF_PROG(x_luo_unpreserve, struct luo_file_set *set)
{
	set_exit(VT_EV_LUO_UNPRESERVE, set, false, 0);
	return 0;
}
SEC("fentry") int BPF_PROG(e_luo_finish, struct luo_file_set *set)
{
	set_enter(VT_EV_LUO_FINISH, set);
	return 0;
}
SEC("fexit") int BPF_PROG(x_luo_finish, struct luo_file_set *set, int ret)
{
	set_exit(VT_EV_LUO_FINISH, set, true, ret);
	return 0;
}
SEC("fentry") int BPF_PROG(e_luo_deserialize, struct luo_file_set *set)
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
		slot(w, VT_S_TOKEN, BPF_CORE_READ(lf, token));
		slot_luo_file(w, lf);
		wire_send(k->c, w);
	}
	k->at = read_u64(k->at);
	return 0;
}

SEC("fexit") int BPF_PROG(x_luo_deserialize, struct luo_file_set *set, void *ser, int ret)
{
	struct vt_control *c = ctl_open();
	struct walk k = { .c = c };

	if (c && !ret) {
		k.head = (u64)set + bpf_core_field_offset(struct luo_file_set, files_list);
		k.at = read_u64(k.head);
		bpf_loop(1 << 16, emit_luo_file, &k, 0);
	}
	set_exit(VT_EV_LUO_DESERIALIZE, set, true, ret);
	return 0;
}

/* ---- file-lifecycle-bound data ---- */

static __always_inline void flb(u16 type, struct liveupdate_file_handler *fh, bool has_ret, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_reserve(sizeof(*w), type, VT_EXIT) : NULL;

	if (!w)
		return;
	slot_handler(w, fh);
	if (has_ret)
		slot(w, VT_S_RET, (s64)ret);
	wire_send(c, w);
}

SEC("fexit") int BPF_PROG(x_flb_preserve, struct liveupdate_file_handler *fh, int ret)
{
	flb(VT_EV_FLB_PRESERVE, fh, true, ret);
	return 0;
}
SEC("fexit") int BPF_PROG(x_flb_unpreserve, struct liveupdate_file_handler *fh)
{
	flb(VT_EV_FLB_UNPRESERVE, fh, false, 0);
	return 0;
}
SEC("fexit") int BPF_PROG(x_flb_finish, struct liveupdate_file_handler *fh)
{
	flb(VT_EV_FLB_FINISH, fh, false, 0);
	return 0;
}

/* A handler that registers now is attached by the recorder as soon as it hears of it. */
SEC("fexit") int BPF_PROG(x_register_handler, struct liveupdate_file_handler *fh, int ret)
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
