// SPDX-License-Identifier: GPL-2.0
/* struct file: made by anon_inode_getfile*() inside a traced call, ended by __fput(). */
#include "vfiotrace.bpf.h"

/* Any file that ends comes by here, on any machine: a look at the sieve, then out. */
SEC("fentry") int BPF_PROG(e_fput, struct file *file)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c || !untrack((u64)file, VT_C_FILE))
		return 0;
	w = wire_new(FILE_FPUT, ENTER);
	if (!w)
		return 0;
	slot_file_dying(w, file);
	wire_send(c, w);
	return 0;
}

static __always_inline int anon_exit(u32 variant, const char *name, struct file *file)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = c ? task_get() : NULL;
	struct vt_wire *w;

	/* Only for calls that LUO or vfio made: every epoll and eventfd comes by here too. */
	if (!t || !(w = wire_new_in(t, FILE_ANON, EXIT)))
		return 0;
	w->variant = variant;
	text_str(w, VT_TEXT_NAME, name);
	if (IS_ERR_VALUE(file)) {
		slot(w, VT_S_RET, (s64)file);
	} else {
		slot(w, VT_S_RET, 0);
		slot_file(w, file);
	}
	wire_send(c, w);
	return 0;
}

SEC("fexit") int BPF_PROG(x_anon_getfile, const char *name, const void *fops, void *priv, int flags, struct file *ret)
{
	return anon_exit(0, name, ret);
}

SEC("fexit") int BPF_PROG(x_anon_getfile_fmode, const char *name, const void *fops, void *priv, int flags,
			  unsigned int mode, struct file *ret)
{
	return anon_exit(1, name, ret);
}

/*
 * Walks the tree of VMAs of an address space. No lock is held: a tree that
 * changes meanwhile may be counted wrong, and the walk is bounded.
 */
struct tree_walk {
	u64 at, from;
	u32 nr;
};

static long walk_on(u32 i, struct tree_walk *k)
{
	struct rb_node *n = (struct rb_node *)k->at;
	u64 up, left, right, next;

	if (!n)
		return 1;
	up = READ(n, __rb_parent_color) & ~3UL;
	left = (u64)READ(n, rb_left);
	right = (u64)READ(n, rb_right);
	if (k->from == up) {
		k->nr++;
		next = left ? left : right ? right : up;
	} else {
		next = k->from == left && right ? right : up;
	}
	k->from = k->at;
	k->at = next;
	return 0;
}

static __always_inline void slot_vmas(struct vt_wire *w, struct address_space *mapping)
{
	struct tree_walk k = { .at = (u64)READ(mapping, i_mmap.rb_root.rb_node) };

	bpf_loop(4096, walk_on, &k, 0);
	if (k.at)
		slot_fault(w, VT_S_VMAS, 7 /* E2BIG */);
	else
		slot(w, VT_S_VMAS, k.nr);
}

/* unmap_mapping_range() is how BAR mappings are zapped; seen for vfio devices' own mappings only. */
SEC("fentry") int BPF_PROG(e_unmap, struct address_space *mapping)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c || !tracked((u64)mapping, VT_C_MAPPING) || !(w = wire_new(VFIO_ZAP, ENTER)))
		return 0;
	slot(w, VT_S_MAPPING, (u64)mapping);
	slot_vmas(w, mapping);
	wire_send(c, w);
	return 0;
}
