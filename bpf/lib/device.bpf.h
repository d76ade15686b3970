/* SPDX-License-Identifier: GPL-2.0 */
/* vfio devices and their open files (df): structures private to vfio.ko, by offsets from the control page. */
#ifndef VFIOTRACE_DEVICE_BPF_H
#define VFIOTRACE_DEVICE_BPF_H

#include "lib/wire.bpf.h"

/* The name of a PCI device is 12 characters long as a rule, "0000:00:01.0": two words, and no call. */
static __always_inline void text_bdf(struct vt_wire *w, u64 name)
{
	const void *k = KERNEL((const void *)name);
	u64 first = get_u64(k, 0), second = get_u64(k, sizeof(first));

	if (first && (u32)second && !(second >> 32 & 0xff)) {
		((u64 *)w->text)[0] = first;
		((u64 *)w->text)[1] = second;
		w->text_is = VT_TEXT_BDF;
		return;
	}
	text_str(w, VT_TEXT_BDF, (void *)name);
}

/*
 * A member, 4 bytes, of the device that is at K for the verifier. A 0 is one
 * where another member in the same page has been READ before, else it may be a
 * fault. Returns where was read.
 */
static __always_inline u64 slot_member(struct vt_wire *w, enum vt_slot s, const void *k, u64 dev, s64 off, u64 read)
{
	s32 v;

	if (off < 0)
		return read;
	v = get_u32(k, off);
	if (!v && ((dev + off) ^ read) >> 12) {
		slot_read(w, s, dev + off, 4);
		return read;
	}
	slot(w, s, (s64)v);
	return dev + off;
}

#define BIT(s) (1ull << (s))

/* All three counts, where they are in one page and one that is not 0 proves that it can be read. The rest is for slot_counts(). */
static __always_inline bool slot_counts_near(struct vt_control *c, struct vt_wire *w, const void *k, u64 dev)
{
	u32 kref_at = c->dev_kref, low = c->dev_low, high = c->dev_high;
	s32 kref;

	if (!high || ((dev + low) ^ (dev + high)) >> 12)
		return false;
	kref = get_u32(k, kref_at);
	if (!kref)
		return false;
	w->slot[VT_S_DEV_KREF] = (s64)kref;
	w->slot[VT_S_VFIO_REF] = (s64)(s32)get_u32(k, (u32)c->dev_refcount);
	w->slot[VT_S_OPEN_COUNT] = (s64)(s32)get_u32(k, (u32)c->dev_open_count);
	w->mask |= BIT(VT_S_DEV_KREF) | BIT(VT_S_VFIO_REF) | BIT(VT_S_OPEN_COUNT);
	return true;
}

__noinline int slot_counts(struct vt_wire *w, u64 dev)
{
	const void *k = KERNEL((const void *)dev);
	struct vt_control *c = ctl_get();
	u64 read = 0;

	if (!w)
		return 0;
	read = slot_member(w, VT_S_DEV_KREF, k, dev, c->dev_kref, read);
	read = slot_member(w, VT_S_VFIO_REF, k, dev, c->dev_refcount, read);
	slot_member(w, VT_S_OPEN_COUNT, k, dev, c->dev_open_count, read);
	return 0;
}

/* device, bdf, registration and kref of a vfio device: offsets from the control page. */
__noinline int slot_device(struct vt_wire *w, u64 dev)
{
	struct vt_control *c = ctl_get();
	u64 parent, name;
	const void *k;

	if (!w || !dev)
		return 0;
	slot(w, VT_S_DEVICE, dev);
	k = KERNEL((const void *)dev);
	if (!slot_counts_near(c, w, k, dev))
		slot_counts(w, dev);
	if (c->dev_dev < 0)
		return 0;
	parent = get_u64(k, c->dev_dev);
	name = read_u64(parent + bpf_core_field_offset(struct device, kobj) + bpf_core_field_offset(struct kobject, name));
	text_bdf(w, name);
	return 0;
}

/* df of a vfio device file, 0 for any other file. K is a file for the verifier. */
static __always_inline u64 file_df(struct vt_control *c, const struct file *k)
{
	return c->vfio_fops && (u64)k->f_op == c->vfio_fops ? (u64)k->private_data : 0;
}

static __always_inline u64 df_device(struct vt_control *c, u64 df)
{
	return df && c->df_device >= 0 ? read_u64(df + c->df_device) : 0;
}

static __always_inline u64 device_mapping(struct vt_control *c, u64 dev)
{
	u64 inode;

	if (!dev || c->dev_inode < 0)
		return 0;
	inode = read_u64(dev + c->dev_inode);
	return inode ? read_u64(inode + bpf_core_field_offset(struct inode, i_mapping)) : 0;
}

#endif
