// SPDX-License-Identifier: GPL-2.0
/*
 * The callbacks of one LUO file handler (struct liveupdate_file_ops). The
 * recorder finds the handler on LUO's list at run time and loads this object
 * once for it, each program aimed at the function that the ops pointer names:
 * no handler needs a line about it here.
 */
#include "vfiotrace.bpf.h"

static __always_inline s64 retrieve_status(struct liveupdate_file_op_args *a)
{
	if (bpf_core_field_exists(struct liveupdate_file_op_args, retrieve_status))
		return READ(a, retrieve_status);
	return READ((struct liveupdate_file_op_args___old *)a, retrieved);
}

static __always_inline void slot_args(struct vt_wire *w, struct liveupdate_file_op_args *a)
{
	struct liveupdate_file_op_args *k = KERNEL(a);
	struct liveupdate_file_handler *fh = GET(k, handler);
	struct module *owner = READ(READ(fh, ops), owner);

	slot(w, VT_S_HANDLER, (u64)fh);
	text_str(w, VT_TEXT_COMPATIBLE, (void *)((u64)fh + bpf_core_field_offset(struct liveupdate_file_handler, compatible)));
	slot(w, VT_S_DATA, GET(k, serialized_data));
	slot(w, VT_S_STATUS, retrieve_status(a));
	slot_file(w, GET(k, file));
	if (owner)
		slot(w, VT_S_MOD_REF, READ(owner, refcnt.counter));
}

/* The call that the callback was made by holds this file. */
static __always_inline void remember_file(struct vt_task *t, struct file *file)
{
	struct vt_frame *f = frame_top(t);

	if (f)
		f->file = (u64)file;
}

/*
 * What a callback takes out of KHO is watched where nobody may keep it: in a
 * retrieve (if it fails), and in the finish of a file that nobody has.
 */
static __always_inline void watch_memory(u16 type, struct liveupdate_file_op_args *a, struct vt_task *t)
{
	if (!t)
		return;
	t->kho_given = t->kho_taken = 0;
	t->folio_watch = type == VT_EV_OP_RETRIEVE || (type == VT_EV_OP_FINISH && retrieve_status(a) <= 0);
}

static __always_inline void op_enter(u16 type, struct liveupdate_file_op_args *a, u32 point)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t;
	struct vt_wire *w;

	if (!c)
		return;
	file_let_go(c, task_get());
	t = frame_push(type, 0, false, 0);
	watch_memory(type, a, t);
	w = point ? wire_make_pair(t, type, VT_ENTER) : wire_make(t, type, VT_ENTER);
	if (w)
		slot_args(w, a);
	if (point)
		snap_file(t, w, READ(a, file), point);
	if (w)
		wire_send(c, w);
}

/* POINT is a constant: the snapshot that is taken here if WORKED. */
static __always_inline void op_exit(u16 type, struct liveupdate_file_op_args *a, bool has_ret, s64 ret, u32 point, bool worked)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_wire *w;

	if (t)
		t->folio_watch = 0;
	w = !c ? NULL : point ? wire_make_pair(t, type, VT_EXIT) : wire_make(t, type, VT_EXIT);
	if (w) {
		slot_args(w, a);
		if (type == VT_EV_OP_UNPRESERVE || type == VT_EV_OP_FINISH)
			slot_threads(w);
		if (has_ret)
			slot(w, VT_S_RET, ret);
	}
	if (c && point && worked)
		snap_file(t, w, READ(a, file), point);
	if (w)
		wire_send(c, w);
	frame_pop(t);
	if (type == VT_EV_OP_PRESERVE || type == VT_EV_OP_UNPRESERVE || type == VT_EV_OP_FINISH)
		remember_file(t, READ(a, file));
}

SEC("fentry") int BPF_PROG(e_op_can_preserve, struct liveupdate_file_handler *fh, struct file *file)
{
	if (ctl_open())
		frame_push(VT_EV_OP_CAN_PRESERVE, 0, false, 0);
	return 0;
}
SEC("fexit") int BPF_PROG(x_op_can_preserve, struct liveupdate_file_handler *fh, struct file *file, u64 ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_wire *w = c ? wire_new_in(t, OP_CAN_PRESERVE, EXIT) : NULL;

	if (w) {
		slot(w, VT_S_HANDLER, (u64)fh);
		text_str(w, VT_TEXT_COMPATIBLE, (void *)((u64)fh +
			bpf_core_field_offset(struct liveupdate_file_handler, compatible)));
		slot_file(w, file);
		/* A bool function fills the low byte only. */
		slot(w, VT_S_RET, (u8)ret);
		wire_send(c, w);
	}
	frame_pop(t);
	remember_file(t, file);
	return 0;
}

SEC("fentry") int BPF_PROG(e_op_preserve, struct liveupdate_file_op_args *a)
{
	op_enter(VT_EV_OP_PRESERVE, a, VT_P_PRESERVE);
	return 0;
}
SEC("fexit") int BPF_PROG(x_op_preserve, struct liveupdate_file_op_args *a, int ret)
{
	op_exit(VT_EV_OP_PRESERVE, a, true, ret, 0, true);
	return 0;
}
SEC("fentry") int BPF_PROG(e_op_unpreserve, struct liveupdate_file_op_args *a)
{
	op_enter(VT_EV_OP_UNPRESERVE, a, 0);
	return 0;
}
SEC("fexit") int BPF_PROG(x_op_unpreserve, struct liveupdate_file_op_args *a)
{
	op_exit(VT_EV_OP_UNPRESERVE, a, false, 0, VT_P_UNPRESERVED, true);
	return 0;
}
SEC("fentry") int BPF_PROG(e_op_freeze, struct liveupdate_file_op_args *a)
{
	op_enter(VT_EV_OP_FREEZE, a, VT_P_FREEZE);
	return 0;
}
SEC("fexit") int BPF_PROG(x_op_freeze, struct liveupdate_file_op_args *a, int ret)
{
	op_exit(VT_EV_OP_FREEZE, a, true, ret, 0, true);
	return 0;
}
SEC("fentry") int BPF_PROG(e_op_unfreeze, struct liveupdate_file_op_args *a)
{
	op_enter(VT_EV_OP_UNFREEZE, a, 0);
	return 0;
}
SEC("fexit") int BPF_PROG(x_op_unfreeze, struct liveupdate_file_op_args *a)
{
	op_exit(VT_EV_OP_UNFREEZE, a, false, 0, 0, true);
	return 0;
}
SEC("fentry") int BPF_PROG(e_op_retrieve, struct liveupdate_file_op_args *a)
{
	op_enter(VT_EV_OP_RETRIEVE, a, 0);
	return 0;
}
SEC("fexit") int BPF_PROG(x_op_retrieve, struct liveupdate_file_op_args *a, int ret)
{
	op_exit(VT_EV_OP_RETRIEVE, a, true, ret, VT_P_RETRIEVE, !ret);
	return 0;
}
SEC("fentry") int BPF_PROG(e_op_can_finish, struct liveupdate_file_op_args *a)
{
	op_enter(VT_EV_OP_CAN_FINISH, a, 0);
	return 0;
}
SEC("fexit") int BPF_PROG(x_op_can_finish, struct liveupdate_file_op_args *a, u64 ret)
{
	op_exit(VT_EV_OP_CAN_FINISH, a, true, (u8)ret, 0, true);
	return 0;
}
SEC("fentry") int BPF_PROG(e_op_finish, struct liveupdate_file_op_args *a)
{
	op_enter(VT_EV_OP_FINISH, a, VT_P_FINISH);
	return 0;
}
SEC("fexit") int BPF_PROG(x_op_finish, struct liveupdate_file_op_args *a)
{
	op_exit(VT_EV_OP_FINISH, a, false, 0, VT_P_FINISHED, true);
	return 0;
}
