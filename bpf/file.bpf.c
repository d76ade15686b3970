// SPDX-License-Identifier: GPL-2.0
/* struct file: made by anon_inode_getfile*() inside a traced call, ended by __fput(). */
#define HOOKS "vfiotrace/hooks/file.def"
#include "lib/hooks.bpf.h"
#include "lib/file.bpf.h"

/* Any file that ends comes by here, on any machine: a look at the sieve, then out. */
QUICK_ENTER(fput)
{
	return nothing_at((u64)in->file);
}
APART_ENTER(fput)
{
	struct vt_control *c = ctl_get();
	struct vt_wire *w;

	if (!untrack((u64)in->file, VT_C_FILE))
		return;
	w = wire_new(FILE_FPUT, ENTER);
	if (!w)
		return;
	slot_file_dying(w, in->file);
	wire_send(c, w);
}

/* Only for calls that LUO or vfio made: every epoll and eventfd comes by here too. */
static __always_inline bool anon_elsewhere(void)
{
	return !ctl_open() || !calls_in_flight();
}

static __always_inline void anon_exit(u32 variant, const char *name, struct file *file)
{
	struct vt_control *c = ctl_get();
	struct vt_task *t = task_get();
	struct vt_wire *w;

	if (!t || !(w = wire_new_in(t, FILE_ANON, EXIT)))
		return;
	w->variant = variant;
	text_str(w, VT_TEXT_NAME, name);
	if (IS_ERR_VALUE(file)) {
		slot(w, VT_S_RET, (s64)file);
	} else {
		slot(w, VT_S_RET, 0);
		slot_file(w, file);
	}
	wire_send(c, w);
}

QUICK_EXIT(anon_getfile)
{
	return anon_elsewhere();
}
APART_EXIT(anon_getfile)
{
	anon_exit(0, in->name, in->ret);
}

QUICK_EXIT(anon_getfile_fmode)
{
	return anon_elsewhere();
}
APART_EXIT(anon_getfile_fmode)
{
	anon_exit(1, in->name, in->ret);
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
QUICK_ENTER(unmap)
{
	return nothing_at((u64)in->mapping);
}
APART_ENTER(unmap)
{
	u64 mapping = (u64)in->mapping;
	struct vt_control *c = ctl_get();
	struct vt_wire *w;

	if (!tracked(mapping, VT_C_MAPPING) || !(w = wire_new(VFIO_ZAP, ENTER)))
		return;
	slot(w, VT_S_MAPPING, mapping);
	slot_vmas(w, in->mapping);
	wire_send(c, w);
}

#include "lib/programs.bpf.h"
