// SPDX-License-Identifier: GPL-2.0
/*
 * vfio device files (drivers/vfio/{device_cdev,vfio_main,group}.c). Loaded when
 * vfio.ko is there. Its structures are private to the module: the recorder
 * reads their layout from the module's BTF and leaves offsets on the control
 * page.
 */
#include "vfiotrace.bpf.h"

/* ---- opening: through the cdev, through the group, by LUO ---- */

static __always_inline u64 cdev_device(struct vt_control *c, struct inode *inode)
{
	u64 cdev = (u64)READ(inode, i_cdev);

	return cdev && c->dev_cdev >= 0 ? cdev - c->dev_cdev : 0;
}

static __always_inline void open_enter(u16 type, struct vt_control *c, u64 dev, struct file *file)
{
	struct vt_wire *w = wire_make(frame_push(type, 0, false, 0), type, VT_ENTER);

	if (!w)
		return;
	slot_device(c, w, dev);
	slot_file(w, file);
	wire_send(c, w);
}

static __always_inline void open_exit(u16 type, struct vt_control *c, u64 dev, struct file *file, s64 ret, bool snap)
{
	struct vt_task *t = task_get();
	struct vt_wire *w = c ? wire_make_for(t, type, VT_EXIT, snap) : NULL;

	if (w) {
		slot(w, VT_S_RET, ret);
		slot_device(c, w, dev);
		slot_file(w, file);
		if (!ret && file)
			slot(w, VT_S_DF, (u64)READ(file, private_data));
	}
	if (c && snap && !ret)
		snap_file(t, w, file, VT_P_OPEN);
	if (w)
		wire_send(c, w);
	frame_pop(t);
}

SEC("fentry") int HOOK(e_cdev_open, struct inode *inode, struct file *file)
{
	struct vt_control *c = ctl_open();

	if (c)
		open_enter(VT_EV_VFIO_CDEV_OPEN, c, cdev_device(c, inode), file);
	return 0;
}
SEC("fexit") int HOOK(x_cdev_open, struct inode *inode, struct file *file, int ret)
{
	struct vt_control *c = ctl_open();

	open_exit(VT_EV_VFIO_CDEV_OPEN, c, c ? cdev_device(c, inode) : 0, file, ret, true);
	return 0;
}

/* Functions that take the device and return a file. */
static __always_inline void open_file_exit(u16 type, u64 dev, u64 ret, bool snap)
{
	struct vt_control *c = ctl_open();

	if (IS_ERR_VALUE(ret))
		open_exit(type, c, dev, NULL, ret, snap);
	else
		open_exit(type, c, dev, (struct file *)ret, 0, snap);
}

SEC("fentry") int HOOK(e_lu_open, u64 dev)
{
	struct vt_control *c = ctl_open();

	if (c)
		open_enter(VT_EV_VFIO_LU_OPEN, c, dev, NULL);
	return 0;
}
SEC("fexit") int HOOK(x_lu_open, u64 dev, u64 ret)
{
	open_file_exit(VT_EV_VFIO_LU_OPEN, dev, ret, false);
	return 0;
}
SEC("fentry") int HOOK(e_group_open, u64 dev)
{
	struct vt_control *c = ctl_open();

	if (c)
		open_enter(VT_EV_VFIO_GROUP_OPEN, c, dev, NULL);
	return 0;
}
SEC("fexit") int HOOK(x_group_open, u64 dev, u64 ret)
{
	open_file_exit(VT_EV_VFIO_GROUP_OPEN, dev, ret, true);
	return 0;
}

SEC("fentry") int HOOK(e_open_common, u64 dev, struct file **filep)
{
	struct vt_control *c = ctl_open();

	if (c)
		open_enter(VT_EV_VFIO_OPEN_COMMON, c, dev, (struct file *)read_u64((u64)filep));
	return 0;
}
SEC("fexit") int HOOK(x_open_common, u64 dev, struct file **filep, int ret)
{
	open_exit(VT_EV_VFIO_OPEN_COMMON, ctl_open(), dev, (struct file *)read_u64((u64)filep), ret, false);
	return 0;
}

/* ---- release ---- */

SEC("fentry") int HOOK(e_release, struct inode *inode, struct file *file)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t;
	struct vt_frame *f;
	struct vt_wire *w;
	u64 df;

	if (!c)
		return 0;
	df = (u64)READ(file, private_data);
	t = frame_push(VT_EV_VFIO_RELEASE, 0, false, 0);
	f = frame_top(t);
	if (f && f->type == VT_EV_VFIO_RELEASE)
		f->object = df_device(c, df);
	w = wire_make_pair(t, VT_EV_VFIO_RELEASE, VT_ENTER);
	if (w) {
		slot_file_dying(w, file);
		if (df) {
			slot(w, VT_S_DF, df);
			slot_device(c, w, df_device(c, df));
		}
	}
	snap_file(t, w, file, VT_P_RELEASE);
	if (w)
		wire_send(c, w);
	return 0;
}
SEC("fexit") int HOOK(x_release, struct inode *inode, struct file *file, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_wire *w = c ? wire_new_in(t, VFIO_RELEASE, EXIT) : NULL;
	struct vt_frame *f = frame_top(t);

	if (w) {
		/* df is gone by now; the device was remembered at entry. */
		if (f && f->type == VT_EV_VFIO_RELEASE)
			slot_device(c, w, f->object);
		slot(w, VT_S_RET, (s64)ret);
		slot_file_dying(w, file);
		wire_send(c, w);
	}
	frame_pop(t);
	return 0;
}

/* ---- df ---- */

SEC("fexit") int HOOK(x_df_alloc, u64 dev, u64 ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_new(VFIO_DF_ALLOC, EXIT) : NULL;

	if (c && !IS_ERR_VALUE(ret))
		track(ret, VT_C_DF);
	if (!w)
		return 0;
	slot_device(c, w, dev);
	if (IS_ERR_VALUE(ret)) {
		slot(w, VT_S_RET, ret);
	} else {
		slot(w, VT_S_RET, 0);
		slot(w, VT_S_DF, ret);
	}
	wire_send(c, w);
	return 0;
}

/* ---- registration ---- */

/* Calls whose first argument is the device; RET as the record has it. */
static __always_inline int device_exit(u16 type, u64 dev, bool has_ret, u64 ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_make(task_get(), type, VT_EXIT) : NULL;

	if (!w)
		return 0;
	slot_device(c, w, dev);
	if (has_ret)
		slot(w, VT_S_RET, ret);
	wire_send(c, w);
	return 0;
}

SEC("fexit") int HOOK(x_get_reg, u64 dev, u64 ret)
{
	return device_exit(VT_EV_VFIO_GET_REG, dev, true, (u8)ret);
}

/* After the put the device may go away under an unregister: what is read here may be unreadable, which is then said. */
SEC("fexit") int HOOK(x_put_reg, u64 dev)
{
	return device_exit(VT_EV_VFIO_PUT_REG, dev, false, 0);
}

SEC("fexit") int HOOK(x_find)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_new(VFIO_FIND, EXIT) : NULL;
	u64 ret = 0;

	if (!w)
		return 0;
	bpf_get_func_ret(ctx, &ret);
	slot(w, VT_S_RET, ret ? 0 : (u64)-19 /* ENODEV */);
	if (!IS_ERR_VALUE(ret))
		slot_device(c, w, ret);
	wire_send(c, w);
	return 0;
}

SEC("fexit") int HOOK(x_register, u64 dev, int ret)
{
	return device_exit(VT_EV_VFIO_REGISTER, dev, true, (s64)ret);
}

SEC("fentry") int HOOK(e_unregister, u64 dev)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c)
		return 0;
	w = wire_new_in(frame_push(VT_EV_VFIO_UNREGISTER, 0, false, 0), VFIO_UNREGISTER, ENTER);
	if (!w)
		return 0;
	slot_device(c, w, dev);
	wire_send(c, w);
	return 0;
}
SEC("fexit") int HOOK(x_unregister, u64 dev)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_wire *w = c ? wire_new_in(t, VFIO_UNREGISTER, EXIT) : NULL;

	if (w) {
		slot_device(c, w, dev);
		wire_send(c, w);
	}
	frame_pop(t);
	return 0;
}

/* ---- use ---- */

static __always_inline void df_exit(u16 type, u64 df, bool has_ret, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_make(task_get(), type, VT_EXIT) : NULL;

	if (!w)
		return;
	slot(w, VT_S_DF, df);
	slot_device(c, w, df_device(c, df));
	if (has_ret)
		slot(w, VT_S_RET, (s64)ret);
	wire_send(c, w);
}

SEC("fexit") int HOOK(x_bind, u64 df, u64 arg, int ret)
{
	df_exit(VT_EV_VFIO_BIND, df, true, ret);
	return 0;
}
SEC("fexit") int HOOK(x_df_open, u64 df, int ret)
{
	df_exit(VT_EV_VFIO_DF_OPEN, df, true, ret);
	return 0;
}
SEC("fexit") int HOOK(x_df_close, u64 df)
{
	df_exit(VT_EV_VFIO_DF_CLOSE, df, false, 0);
	return 0;
}

SEC("fexit") int HOOK(x_mmap, struct file *file, struct vm_area_struct *vma, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_new(VFIO_MMAP, EXIT) : NULL;

	if (!w)
		return 0;
	slot_file(w, file);
	slot_device(c, w, df_device(c, file_df(c, file)));
	slot(w, VT_S_VMA, (u64)vma);
	slot(w, VT_S_VMA_START, READ(vma, vm_start));
	slot(w, VT_S_VMA_PGOFF, READ(vma, vm_pgoff));
	slot(w, VT_S_VMA_MAPPING, (u64)READ(READ(vma, vm_file), f_mapping));
	slot(w, VT_S_PAGES, (READ(vma, vm_end) - READ(vma, vm_start)) >> 12);
	slot(w, VT_S_RET, (s64)ret);
	wire_send(c, w);
	return 0;
}

#ifdef VT_LOADS
static __always_inline int any_open_enter(const unsigned long long *a, enum vt_vfio_hook hook, u16 type)
{
	struct vt_control *c = ctl_open();
	u64 dev = a[0];
	struct file *file = NULL;

	if (!c)
		return 0;
	if (hook == VT_HOOK_cdev_open) {
		dev = cdev_device(c, (void *)a[0]);
		file = (void *)a[1];
	} else if (hook == VT_HOOK_open_common) {
		file = (void *)read_u64(a[1]);
	}
	open_enter(type, c, dev, file);
	return 0;
}

TOGETHER("fentry", all_e_vfio, vfio, hook, type, a)
{
	switch (hook) {
	CASE(cdev_open): CASE(open_common): CASE(lu_open): CASE(group_open):
		return any_open_enter(a, hook, type);
	OWN_ENTER(release);
	OWN_ENTER(unregister);
	CASE(df_alloc): CASE(get_reg): CASE(put_reg): CASE(find): CASE(register): CASE(bind): CASE(df_open): CASE(df_close): CASE(mmap):
		break;	/* seen on exit only */
	}
	return 0;
}

static __always_inline int any_open_exit(const unsigned long long *a, enum vt_vfio_hook hook, u16 type)
{
	struct vt_control *c = ctl_open();
	bool returns_file = hook == VT_HOOK_lu_open || hook == VT_HOOK_group_open;
	u64 dev = a[0], ret = returns_file ? a[1] : (u64)(s32)a[2], file = a[1];

	if (hook == VT_HOOK_cdev_open)
		dev = c ? cdev_device(c, (void *)a[0]) : 0;
	else if (hook == VT_HOOK_open_common)
		file = read_u64(a[1]);
	else if (IS_ERR_VALUE(ret))
		file = 0;
	open_exit(type, c, dev, (void *)file, returns_file && file ? 0 : ret, hook == VT_HOOK_cdev_open || hook == VT_HOOK_group_open);
	return 0;
}

TOGETHER("fexit", all_x_vfio, vfio, hook, type, a)
{
	switch (hook) {
	CASE(cdev_open): CASE(open_common): CASE(lu_open): CASE(group_open):
		return any_open_exit(a, hook, type);
	CASE(bind): CASE(df_open): CASE(df_close):
		df_exit(type, a[0], hook != VT_HOOK_df_close, hook == VT_HOOK_bind ? a[2] : a[1]);
		return 0;
	CASE(get_reg): CASE(put_reg): CASE(register):
		return device_exit(type, a[0], hook != VT_HOOK_put_reg, hook == VT_HOOK_get_reg ? (u8)a[1] : (u64)(s32)a[1]);
	OWN_EXIT(release);
	OWN_EXIT(unregister);
	OWN_EXIT(df_alloc);
	OWN_EXIT(find);
	OWN_EXIT(mmap);
	}
	return 0;
}
#endif
