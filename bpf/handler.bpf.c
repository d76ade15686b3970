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
	w = wire_make_for(t, type, VT_ENTER, point);
	if (w)
		slot_args(w, a);
	if (point)
		snap_file(t, w, READ(a, file), point);
	if (w)
		wire_send(c, w);
}

/* What a callback returns. */
enum op_result { OP_VOID, OP_INT, OP_BOOL };

/* AFTER: taken of the file when the callback has not failed. */
static __always_inline void op_exit(u16 type, struct liveupdate_file_op_args *a, enum op_result result, u64 ret, u32 after)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_wire *w;

	if (t)
		t->folio_watch = 0;
	w = c ? wire_make_for(t, type, VT_EXIT, after) : NULL;
	if (w) {
		slot_args(w, a);
		if (type == VT_EV_OP_UNPRESERVE || type == VT_EV_OP_FINISH)
			slot_threads(w);
		if (result != OP_VOID)
			slot(w, VT_S_RET, result == OP_BOOL ? (u8)ret : (s64)(s32)ret);
	}
	if (c && after && !(result == OP_INT && (u32)ret))
		snap_file(t, w, READ(a, file), after);
	if (w)
		wire_send(c, w);
	frame_pop(t);
	if (type == VT_EV_OP_PRESERVE || type == VT_EV_OP_UNPRESERVE || type == VT_EV_OP_FINISH)
		remember_file(t, READ(a, file));
}

SEC("fentry") int HOOK(e_op_can_preserve, struct liveupdate_file_handler *fh, struct file *file)
{
	if (ctl_open())
		frame_push(VT_EV_OP_CAN_PRESERVE, 0, false, 0);
	return 0;
}
SEC("fexit") int HOOK(x_op_can_preserve, struct liveupdate_file_handler *fh, struct file *file, u64 ret)
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

/* X(op, type, result, picture of the file before, and after) */
#define OPS(X) \
	X(preserve, PRESERVE, INT, VT_P_PRESERVE, 0) \
	X(unpreserve, UNPRESERVE, VOID, 0, VT_P_UNPRESERVED) \
	X(freeze, FREEZE, INT, VT_P_FREEZE, 0) \
	X(unfreeze, UNFREEZE, VOID, 0, 0) \
	X(retrieve, RETRIEVE, INT, 0, VT_P_RETRIEVE) \
	X(can_finish, CAN_FINISH, BOOL, 0, 0) \
	X(finish, FINISH, VOID, VT_P_FINISH, VT_P_FINISHED)

#define WITH_VOID
#define WITH_INT , u64 ret
#define WITH_BOOL , u64 ret
#define GOT_VOID 0
#define GOT_INT ret
#define GOT_BOOL ret
#define OP(op, TYPE, result, before, after) \
SEC("fentry") int HOOK(e_op_##op, struct liveupdate_file_op_args *a) \
{ \
	op_enter(VT_EV_OP_##TYPE, a, before); \
	return 0; \
} \
SEC("fexit") int HOOK(x_op_##op, struct liveupdate_file_op_args *a WITH_##result) \
{ \
	op_exit(VT_EV_OP_##TYPE, a, OP_##result, GOT_##result, after); \
	return 0; \
}
OPS(OP)

#ifdef VT_LOADS
#define BEFORE(op, TYPE, result, before, after) CASE(op_##op): return before;
static __always_inline u32 point_before(enum vt_op_hook hook)
{
	switch (hook) {
	OPS(BEFORE)
	CASE(op_can_preserve): break;
	}
	return 0;
}
#define AFTER(op, TYPE, result, before, after) CASE(op_##op): return after;
static __always_inline u32 point_after(enum vt_op_hook hook)
{
	switch (hook) {
	OPS(AFTER)
	CASE(op_can_preserve): break;
	}
	return 0;
}
#define RESULT(op, TYPE, result, before, after) CASE(op_##op): return OP_##result;
static __always_inline enum op_result result_of(enum vt_op_hook hook)
{
	switch (hook) {
	OPS(RESULT)
	CASE(op_can_preserve): break;
	}
	return OP_VOID;
}

TOGETHER("fentry", all_e_op, op, hook, type, a)
{
	if (hook == VT_HOOK_op_can_preserve)
		return in_e_op_can_preserve(ctx, a);
	op_enter(type, (void *)a[0], point_before(hook));
	return 0;
}

TOGETHER("fexit", all_x_op, op, hook, type, a)
{
	if (hook == VT_HOOK_op_can_preserve)
		return in_x_op_can_preserve(ctx, a);
	op_exit(type, (void *)a[0], result_of(hook), a[1], point_after(hook));
	return 0;
}

/* What they are for one module they are for all: there a jump to them is attached. */
FAR_TOGETHER("fentry", all_e_op)
FAR_TOGETHER("fexit", all_x_op)
#endif
