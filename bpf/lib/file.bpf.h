/* SPDX-License-Identifier: GPL-2.0 */
/* struct file: its references, its picture, and that LUO has let go of it. */
#ifndef VFIOTRACE_FILE_BPF_H
#define VFIOTRACE_FILE_BPF_H

#include "lib/device.bpf.h"
#include "lib/objects.bpf.h"

/* References on the struct file that is at K for the verifier. The raw f_ref is count - 1, and from 0xC000... on dead (include/linux/file_ref.h). */
static __always_inline s64 file_refs(const struct file *k)
{
	u64 raw;

	if (bpf_core_field_exists(struct file, f_ref)) {
		raw = k->f_ref.refcnt.counter;
		return raw >= 0xC000000000000000ULL ? 0 : (s64)raw + 1;
	}
	return ((const struct file___old *)k)->f_count.counter;
}

/* A file on its way out: it must not be tracked again. */
static __always_inline void slot_file_dying(struct vt_wire *w, struct file *f)
{
	if (!f)
		return;
	slot(w, VT_S_FILE, (u64)f);
	slot(w, VT_S_FILE_REF, file_refs(KERNEL(f)));
}

__noinline int slot_file_at(struct vt_wire *w, u64 f)
{
	if (!w || !f)
		return 0;
	file_known(f);
	slot_file_dying(w, (struct file *)f);
	return 0;
}

static __always_inline void slot_file(struct vt_wire *w, struct file *f)
{
	slot_file_at(w, (u64)f);
}

static __always_inline void slot_threads(struct vt_wire *w)
{
	struct task_struct *me = (struct task_struct *)bpf_get_current_task();

	slot(w, VT_S_THREADS, READ(READ(me, signal), nr_threads));
}

/*
 * After a callback that ends a file's time with LUO, LUO puts the file: seen
 * where LUO goes on, at the next file's callback or at the end of its call. A
 * file that is already on its way out is not looked at.
 */
static __always_inline void file_let_go(struct vt_control *c, struct vt_task *t)
{
	struct vt_frame *f = frame_top(t);
	struct vt_wire *w;
	u64 file;

	if (!f || (f->type != VT_EV_LUO_UNPRESERVE && f->type != VT_EV_LUO_FINISH) || !f->file)
		return;
	file = f->file;
	f->file = 0;
	if (!tracked(file, VT_C_FILE) || !(w = wire_new_in(t, FILE_LET_GO, POINT)))
		return;
	slot_file_dying(w, (struct file *)file);
	slot_threads(w);
	wire_send(c, w);
}

#define TMPFS_MAGIC 0x01021994

/* Of a file of shmem, which also has devices' nodes: F_SEAL_*. */
static __always_inline u32 inode_seals(u64 i, const struct super_block *sb)
{
	struct shmem_inode_info *info;

	if (!bpf_core_field_exists(struct shmem_inode_info, seals) || sb->s_magic != TMPFS_MAGIC)
		return VT_NO_SEALS;
	info = (struct shmem_inode_info *)(i - bpf_core_field_offset(struct shmem_inode_info, vfs_inode));
	return READ(info, seals);
}

__noinline int inode_describe(struct vt_inode *d, u64 i)
{
	struct inode *k = KERNEL((struct inode *)i);
	struct super_block *sb;

	if (!d)
		return 0;
	sb = KERNEL(k->i_sb);
	d->ptr = i;
	d->i_mapping = (u64)k->i_mapping;
	d->ino = k->i_ino;
	d->rdev = k->i_rdev;
	d->mode = k->i_mode;
	d->size = k->i_size;
	d->seals = i ? inode_seals(i, sb) : VT_NO_SEALS;
	d->pad = 0;
	d->fs[0] = 0;
	load_str16((struct str16 *)d->fs, (u64)READ(sb->s_type, name));
	return 0;
}

/* What there is to say of the device was said by the record beside it, if that is of the same one. */
static __always_inline void snap_device(struct vt_control *c, const struct vt_wire *w, struct vt_wire_snap *s, u64 dev)
{
	u64 mapping = device_mapping(c, dev);

	s->same_device = w->mask & 1ull << VT_S_DEVICE && w->slot[VT_S_DEVICE] == dev;
	if (!s->same_device)
		slot_device(&s->w, dev);
	if (!mapping)
		return;
	slot(&s->w, VT_S_DEV_MAPPING, mapping);
	known_among(mapping, VT_C_MAPPING);
}

/*
 * struct file, whole, and what its pointers point to: behind the record that
 * wire_make_pair() made and which tells of the file already. Where that could
 * not be had, neither can this.
 */
__noinline int snap_pair(struct vt_task *t, struct vt_wire_pair *p, u64 file, u32 point)
{
	struct vt_wire_snap *s;
	struct vt_frame *frame = frame_top(t);
	struct vt_control *c = ctl_get();
	u64 inode = 0, mapping = 0, dentry = 0, df = 0, dev, host;
	struct vt_wire_cpu *cpu;
	const struct file *copy;
	u32 size, zero = 0;

	if (!file)
		return 0;
	if (!p) {
		loss_count(VT_EV_FILE_SNAP);
		return 0;
	}
	s = &p->snap;
	cpu = bpf_map_lookup_elem(&cpus, &zero);
	if (!cpu)
		return 0;
	s->w.seq = seq_next(cpu);
	s->w.mask = s->w.fault = 0;
	s->w.point = point;
	s->same_device = 0;
	if (point == VT_P_RELEASE)
		s->w.within = p->w.within;	/* before the call */
	else if (frame)
		s->w.within = frame->type;
	slot(&s->w, VT_S_FILE, file);

	size = bpf_core_type_size(struct file);
	if (size > VT_FILE_RAW)
		size = VT_FILE_RAW;
	s->file_size = bpf_probe_read_kernel(s->file, size, (void *)file) ? 0 : size;
	if (s->file_size) {
		copy = (const struct file *)s->file;
		slot(&s->w, VT_S_FILE_REF, file_refs(copy));
		inode = (u64)copy->f_inode;
		mapping = (u64)copy->f_mapping;
		dentry = (u64)copy->f_path.dentry;
		df = file_df(c, copy);
	}
	inode_describe(&s->inode, inode);
	host = mapping ? (u64)READ((struct address_space *)mapping, host) : 0;
	if (host == inode)
		s->host = s->inode;
	else
		inode_describe(&s->host, host);
	slot(&s->w, VT_S_MAPPING, mapping);
	slot(&s->w, VT_S_INODE_MAPPING, s->inode.i_mapping);
	s->dentry[0] = 0;
	load_str48((struct str48 *)s->dentry, (u64)READ((struct dentry *)dentry, d_name.name));
	dev = df_device(c, df);
	if (df)
		slot(&s->w, VT_S_DF, df);
	if (dev)
		snap_device(c, &p->w, s, dev);
	return 0;
}

static __always_inline void snap_file(struct vt_task *t, struct vt_wire *w, struct file *f, u32 point)
{
	snap_pair(t, (struct vt_wire_pair *)w, (u64)f, point);
}

#endif
