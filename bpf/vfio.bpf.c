// SPDX-License-Identifier: GPL-2.0
/*
 * vfio device files (drivers/vfio/{device_cdev,vfio_main,group}.c). Loaded when
 * vfio.ko is there. Its structures are private to the module: the recorder
 * reads their layout from the module's BTF and leaves offsets on the control
 * page.
 */
#define HOOKS "vfiotrace/hooks/vfio.def"
#include "lib/hooks.bpf.h"
#include "lib/file.bpf.h"

/* ---- opening: through the cdev, through the group, by LUO ---- */

static __always_inline u64 cdev_device(struct vt_control *c, struct inode *inode)
{
	u64 cdev = (u64)READ(inode, i_cdev);

	return cdev && c->dev_cdev >= 0 ? cdev - c->dev_cdev : 0;
}

__noinline int open_enter(u32 type, u64 dev, u64 file)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c)
		return 0;
	w = wire_make(frame_push(type, 0, false, 0), type, VT_ENTER);
	if (!w)
		return 0;
	slot_device(w, dev);
	slot_file(w, (struct file *)file);
	wire_send(c, w);
	return 0;
}

__noinline int open_exit(u32 type, u64 dev, u64 file, s64 ret, bool snap)
{
	struct vt_control *c = ctl_open();
	struct file *f = (struct file *)file;
	struct vt_task *t = task_get();
	struct vt_wire *w, *pair;

	if (!c)
		return 0;
	pair = snap ? wire_make_pair(t, type, VT_EXIT) : NULL;
	w = snap ? pair : wire_make(t, type, VT_EXIT);
	if (w) {
		slot(w, VT_S_RET, ret);
		slot_device(w, dev);
		slot_file(w, f);
		if (!ret && f)
			slot(w, VT_S_DF, (u64)READ(f, private_data));
	}
	if ((pair || snap) && !ret)
		snap_file(t, pair, f, VT_P_OPEN);
	if (w)
		wire_send(c, w);
	frame_pop(t, type);
	return 0;
}

/* Of functions that return a file. */
static __always_inline void open_file_exit(u16 type, u64 dev, u64 ret, bool snap)
{
	if (IS_ERR_VALUE(ret))
		open_exit(type, dev, 0, ret, snap);
	else
		open_exit(type, dev, ret, 0, snap);
}

ENTER(cdev_open)
{
	struct vt_control *c = ctl_open();

	if (c)
		open_enter(VT_EV_VFIO_CDEV_OPEN, cdev_device(c, in->inode), (u64)in->file);
}
EXIT(cdev_open)
{
	struct vt_control *c = ctl_open();

	if (c)
		open_exit(VT_EV_VFIO_CDEV_OPEN, cdev_device(c, in->inode), (u64)in->file, in->ret, true);
}

ENTER(lu_open)
{
	open_enter(VT_EV_VFIO_LU_OPEN, (u64)in->device, 0);
}
EXIT(lu_open)
{
	open_file_exit(VT_EV_VFIO_LU_OPEN, (u64)in->device, (u64)in->ret, false);
}
ENTER(group_open)
{
	open_enter(VT_EV_VFIO_GROUP_OPEN, (u64)in->device, 0);
}
EXIT(group_open)
{
	open_file_exit(VT_EV_VFIO_GROUP_OPEN, (u64)in->device, (u64)in->ret, true);
}

/*
 * All that vfio_device_fops_cdev_open() does is done by vfio_device_cdev_open(): two records of the same device, file
 * and result. Told is the one that others call.
 */
static __always_inline bool told_by_caller(void)
{
	struct vt_frame *f = frame_top(task_get());

	return f && f->type == VT_EV_VFIO_CDEV_OPEN;
}

/* It makes the file when it is given none. */
ENTER(open_common)
{
	if (!told_by_caller())
		open_enter(VT_EV_VFIO_OPEN_COMMON, (u64)in->device, read_u64((u64)in->filep));
}
EXIT(open_common)
{
	if (!told_by_caller())
		open_exit(VT_EV_VFIO_OPEN_COMMON, (u64)in->device, read_u64((u64)in->filep), in->ret, false);
}
/* Before v3 of the series the file was there already. */
ENTER(open_file)
{
	if (!told_by_caller())
		open_enter(VT_EV_VFIO_OPEN_COMMON, (u64)in->device, (u64)in->file);
}
EXIT(open_file)
{
	if (!told_by_caller())
		open_exit(VT_EV_VFIO_OPEN_COMMON, (u64)in->device, (u64)in->file, in->ret, false);
}

/* ---- release ---- */

ENTER(release)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t;
	struct vt_frame *f;
	struct vt_wire *w;
	u64 df;

	if (!c)
		return;
	df = (u64)READ(in->file, private_data);
	t = frame_push(VT_EV_VFIO_RELEASE, 0, false, 0);
	f = frame_top(t);
	if (f && f->type == VT_EV_VFIO_RELEASE)
		f->object = df_device(c, df);
	w = wire_make_pair(t, VT_EV_VFIO_RELEASE, VT_ENTER);
	if (w) {
		slot_file_dying(w, in->file);
		if (df) {
			slot(w, VT_S_DF, df);
			slot_device(w, df_device(c, df));
		}
	}
	snap_file(t, w, in->file, VT_P_RELEASE);
	if (w)
		wire_send(c, w);
}
EXIT(release)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_frame *f = frame_top(t);
	struct vt_wire *w;

	if (!c)
		return;
	w = wire_new_in(t, VFIO_RELEASE, EXIT);
	if (w) {
		/* df is gone by now; the device was remembered at entry. */
		if (f && f->type == VT_EV_VFIO_RELEASE)
			slot_device(w, f->object);
		slot(w, VT_S_RET, (s64)in->ret);
		slot_file_dying(w, in->file);
		wire_send(c, w);
	}
	frame_pop(t, VT_EV_VFIO_RELEASE);
}

/* ---- df ---- */

EXIT(df_alloc)
{
	struct vt_control *c = ctl_open();
	u64 df = (u64)in->ret;
	struct vt_wire *w;

	if (!c)
		return;
	if (!IS_ERR_VALUE(df))
		track(df, VT_C_DF);
	w = wire_new(VFIO_DF_ALLOC, EXIT);
	if (!w)
		return;
	slot_device(w, (u64)in->device);
	if (IS_ERR_VALUE(df)) {
		slot(w, VT_S_RET, df);
	} else {
		slot(w, VT_S_RET, 0);
		slot(w, VT_S_DF, df);
	}
	wire_send(c, w);
}

/* ---- registration ---- */

/* Of a call whose first argument is the device. */
__noinline int device_exit(u32 type, u64 dev, bool has_ret, s64 ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_make(task_stored(0), type, VT_EXIT) : NULL;

	if (!w)
		return 0;
	slot_device(w, dev);
	if (has_ret)
		slot(w, VT_S_RET, ret);
	wire_send(c, w);
	return 0;
}

EXIT(get_reg)
{
	device_exit(VT_EV_VFIO_GET_REG, (u64)in->device, true, in->ret);
}

/* After the put the device may go away under an unregister: what is read here may be unreadable, which is then said. */
EXIT(put_reg)
{
	device_exit(VT_EV_VFIO_PUT_REG, (u64)in->device, false, 0);
}

EXIT(find)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_new(VFIO_FIND, EXIT) : NULL;
	u64 ret = (u64)in->ret;

	if (!w)
		return;
	slot(w, VT_S_RET, ret ? 0 : (u64)-19 /* ENODEV */);
	if (!IS_ERR_VALUE(ret))
		slot_device(w, ret);
	wire_send(c, w);
}

EXIT(register)
{
	device_exit(VT_EV_VFIO_REGISTER, (u64)in->device, true, in->ret);
}

ENTER(unregister)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c)
		return;
	w = wire_new_in(frame_push(VT_EV_VFIO_UNREGISTER, 0, false, 0), VFIO_UNREGISTER, ENTER);
	if (!w)
		return;
	slot_device(w, (u64)in->device);
	wire_send(c, w);
}
EXIT(unregister)
{
	if (!ctl_open())
		return;
	device_exit(VT_EV_VFIO_UNREGISTER, (u64)in->device, false, 0);
	frame_pop(task_get(), VT_EV_VFIO_UNREGISTER);
}

/* Registered before anybody looked. Runs in the recorder, as peek does. */
SEC("syscall") int vfio_there(void *ctx)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_new(VFIO_DEVICE, POINT) : NULL;

	if (!w)
		return 0;
	slot_device(w, c->peek_addr);
	wire_send(c, w);
	return 0;
}

/* ---- use ---- */

__noinline int df_exit(u32 type, u64 df, bool has_ret, s64 ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_make(task_stored(0), type, VT_EXIT) : NULL;

	if (!w)
		return 0;
	slot(w, VT_S_DF, df);
	slot_device(w, df_device(c, df));
	if (has_ret)
		slot(w, VT_S_RET, ret);
	wire_send(c, w);
	return 0;
}

EXIT(bind)
{
	df_exit(VT_EV_VFIO_BIND, (u64)in->df, true, in->ret);
}
EXIT(df_open)
{
	df_exit(VT_EV_VFIO_DF_OPEN, (u64)in->df, true, in->ret);
}
EXIT(df_close)
{
	df_exit(VT_EV_VFIO_DF_CLOSE, (u64)in->df, false, 0);
}

EXIT(mmap)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_new(VFIO_MMAP, EXIT) : NULL;
	struct vm_area_struct *vma;

	if (!w)
		return;
	vma = KERNEL(in->vma);
	slot_file(w, in->file);
	slot_device(w, df_device(c, file_df(c, KERNEL(in->file))));
	slot(w, VT_S_VMA, (u64)in->vma);
	slot(w, VT_S_VMA_START, vma->vm_start);
	slot(w, VT_S_VMA_PGOFF, vma->vm_pgoff);
	slot(w, VT_S_VMA_MAPPING, (u64)READ(vma->vm_file, f_mapping));
	slot(w, VT_S_PAGES, (vma->vm_end - vma->vm_start) >> (c->page_shift & 63));
	slot(w, VT_S_RET, (s64)in->ret);
	wire_send(c, w);
}

#include "lib/programs.bpf.h"
