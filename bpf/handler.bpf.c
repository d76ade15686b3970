// SPDX-License-Identifier: GPL-2.0
/*
 * The callbacks of one LUO file handler (struct liveupdate_file_ops). The
 * recorder finds the handler on LUO's list at run time and aims these programs
 * at the functions that its ops name: no handler needs a line about it here.
 */
#define HOOKS "vfiotrace/hooks/handler.def"
#include "lib/hooks.bpf.h"
#include "lib/blocks.bpf.h"
#include "lib/file.bpf.h"

static __always_inline s64 retrieve_status(struct liveupdate_file_op_args *a)
{
	if (bpf_core_field_exists(struct liveupdate_file_op_args, retrieve_status))
		return READ(a, retrieve_status);
	return READ((struct liveupdate_file_op_args___old *)a, retrieved);
}

static __always_inline void slot_handler_of(struct vt_task *t, struct vt_wire *w, u64 fh)
{
	u64 compatible = fh + bpf_core_field_offset(struct liveupdate_file_handler, compatible);

	slot(w, VT_S_HANDLER, fh);
	/* Outside of a call, as far as we know, names are those of one before. */
	if (!t || !t->depth)
		text_str(w, VT_TEXT_COMPATIBLE, (void *)compatible);
	else if (name_of(t, VT_NAME_HANDLER, (struct str64 *)w->text, fh, compatible))
		w->text_is = VT_TEXT_COMPATIBLE;
}

__noinline int slot_args(struct vt_task *t, struct vt_wire *w, u64 args)
{
	struct liveupdate_file_op_args *a = (struct liveupdate_file_op_args *)args, *k = KERNEL(a);
	struct liveupdate_file_handler *fh = k->handler;

	if (!w)
		return 0;
	slot_handler_of(t, w, (u64)fh);
	slot(w, VT_S_DATA, k->serialized_data);
	slot(w, VT_S_STATUS, retrieve_status(a));
	slot_file(w, k->file);
	slot_owner(w, READ(READ(fh, ops), owner));
	return 0;
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

static __always_inline bool is_op(u32 type)
{
	switch (type) {
#define HOOK(name, ends, event, ...) case VT_EV_##event:
#include "vfiotrace/hooks/handler.def"
#undef HOOK
		return true;
	}
	return false;
}

/* LUO calls a callback, and none calls another: of the one that is innermost the end was missed. */
static __always_inline void leave_missed(struct vt_task *t)
{
	struct vt_frame *f = frame_top(t);

	if (f && is_op(f->type)) {
		half_count(f->type);
		frame_drop(t);
	}
}

/* POINT: the picture of the file that is taken, 0 = none. */
__noinline int op_enter(u32 type, u64 args, u32 point)
{
	struct liveupdate_file_op_args *a = (struct liveupdate_file_op_args *)args;
	struct vt_control *c = ctl_open();
	struct vt_wire *w, *pair;
	struct vt_task *t;

	if (!c)
		return 0;
	t = task_store(type);
	memory_over(t);
	leave_missed(t);
	file_let_go(c, t);
	frame_push_in(t, type, 0, false, 0);
	watch_memory(type, a, t);
	pair = point ? wire_make_pair(t, type, VT_ENTER) : NULL;
	w = point ? pair : wire_make(t, type, VT_ENTER);
	if (w)
		slot_args(t, w, args);
	if (pair || point)
		snap_file(t, pair, READ(a, file), point);
	if (w)
		wire_send(c, w);
	return 0;
}

/* What a callback returns. */
enum op_result { OP_VOID, OP_INT, OP_BOOL };

/* POINT: taken of the file when the callback has not failed. */
__noinline int op_exit(u32 type, u64 args, u32 result, s64 ret, u32 point)
{
	struct liveupdate_file_op_args *a = (struct liveupdate_file_op_args *)args;
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_stored(0);
	struct vt_wire *w, *pair;

	if (!c)
		return 0;
	memory_over(t);
	if (t)
		t->folio_watch = 0;
	pair = point ? wire_make_pair(t, type, VT_EXIT) : NULL;
	w = point ? pair : wire_make(t, type, VT_EXIT);
	if (w) {
		slot_args(t, w, args);
		if (type == VT_EV_OP_UNPRESERVE || type == VT_EV_OP_FINISH)
			slot_threads(w);
		if (result != OP_VOID)
			slot(w, VT_S_RET, ret);
	}
	if ((pair || point) && !(result == OP_INT && ret))
		snap_file(t, pair, READ(a, file), point);
	if (w)
		wire_send(c, w);
	frame_pop(t, type);
	if (type == VT_EV_OP_PRESERVE || type == VT_EV_OP_UNPRESERVE || type == VT_EV_OP_FINISH)
		remember_file(t, READ(a, file));
	return 0;
}

ENTER(op_can_preserve)
{
	struct vt_task *t;

	if (!ctl_open())
		return;
	t = task_store(VT_EV_OP_CAN_PRESERVE);
	leave_missed(t);
	frame_push_in(t, VT_EV_OP_CAN_PRESERVE, 0, false, 0);
}
EXIT(op_can_preserve)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_wire *w;

	if (!c)
		return;
	w = wire_new_in(t, OP_CAN_PRESERVE, EXIT);
	if (w) {
		slot_handler_of(t, w, (u64)in->fh);
		slot_file(w, in->file);
		slot(w, VT_S_RET, in->ret);
		wire_send(c, w);
	}
	frame_pop(t, VT_EV_OP_CAN_PRESERVE);
	remember_file(t, in->file);
}

ENTER(op_preserve)
{
	op_enter(VT_EV_OP_PRESERVE, (u64)in->args, VT_P_PRESERVE);
}
EXIT(op_preserve)
{
	op_exit(VT_EV_OP_PRESERVE, (u64)in->args, OP_INT, in->ret, 0);
}
ENTER(op_unpreserve)
{
	op_enter(VT_EV_OP_UNPRESERVE, (u64)in->args, 0);
}
EXIT(op_unpreserve)
{
	op_exit(VT_EV_OP_UNPRESERVE, (u64)in->args, OP_VOID, 0, VT_P_UNPRESERVED);
}
ENTER(op_freeze)
{
	op_enter(VT_EV_OP_FREEZE, (u64)in->args, VT_P_FREEZE);
}
EXIT(op_freeze)
{
	op_exit(VT_EV_OP_FREEZE, (u64)in->args, OP_INT, in->ret, 0);
}
ENTER(op_unfreeze)
{
	op_enter(VT_EV_OP_UNFREEZE, (u64)in->args, 0);
}
EXIT(op_unfreeze)
{
	op_exit(VT_EV_OP_UNFREEZE, (u64)in->args, OP_VOID, 0, 0);
}
ENTER(op_retrieve)
{
	op_enter(VT_EV_OP_RETRIEVE, (u64)in->args, 0);
}
EXIT(op_retrieve)
{
	op_exit(VT_EV_OP_RETRIEVE, (u64)in->args, OP_INT, in->ret, VT_P_RETRIEVE);
}
ENTER(op_can_finish)
{
	op_enter(VT_EV_OP_CAN_FINISH, (u64)in->args, 0);
}
EXIT(op_can_finish)
{
	op_exit(VT_EV_OP_CAN_FINISH, (u64)in->args, OP_BOOL, in->ret, 0);
}
ENTER(op_finish)
{
	op_enter(VT_EV_OP_FINISH, (u64)in->args, VT_P_FINISH);
}
EXIT(op_finish)
{
	op_exit(VT_EV_OP_FINISH, (u64)in->args, OP_VOID, 0, VT_P_FINISHED);
}

#include "lib/programs.bpf.h"
