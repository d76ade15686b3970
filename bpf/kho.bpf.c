// SPDX-License-Identifier: GPL-2.0
/*
 * KHO memory by physical address (kernel/liveupdate/kexec_handover.c). Some of
 * these functions call others: DEPTH > 0 says that another traced KHO call is
 * around, so that nothing is counted twice.
 */
#define HOOKS "vfiotrace/hooks/kho.def"
#include "lib/hooks.bpf.h"
#include "lib/blocks.bpf.h"
#include "lib/folio.bpf.h"
#include "lib/outside.bpf.h"

static __always_inline void slot_phys(struct vt_control *c, struct vt_wire *w, u64 virt)
{
	if (c->page_offset && virt >= c->page_offset)
		slot(w, VT_S_PHYS, virt - c->page_offset);
	else
		slot_fault(w, VT_S_PHYS, 14 /* EFAULT */);
}

/*
 * A KHO call has a depth and no frame: what is around it stays the innermost
 * call, and that is where its record belongs. One outside of any traced call
 * (the kernel's own) counts too, from 0 on.
 */
static __always_inline struct vt_task *kho_enter(u32 *depth)
{
	struct vt_task *t = task_store(0);

	*depth = 0;
	if (!t)
		return NULL;
	if (!t->depth && !t->kho_depth)
		task_begin(t);
	*depth = t->kho_depth++;
	if (!*depth)
		runs_pause(t);
	return t;
}

/* Also of a thread that is in no traced call. */
static __always_inline struct vt_task *kho_leave(u32 *depth)
{
	struct vt_task *t = task_stored(0);

	*depth = 0;
	if (!t)
		return NULL;
	if (t->kho_depth)
		t->kho_depth--;
	*depth = t->kho_depth;
	if (!*depth)
		runs_resume(t);
	return t;
}

__noinline int kho_entry(void)
{
	u32 depth;

	if (ctl_open())
		kho_enter(&depth);
	return 0;
}

static __always_inline struct vt_wire *kho_wire(struct vt_control *c, struct vt_task *t, u16 type, u8 phase, u32 depth)
{
	struct vt_wire *w = c ? wire_make(t, type, phase) : NULL;

	if (w)
		slot(w, VT_S_DEPTH, depth);
	return w;
}

/* How a call tells its memory: by its first argument or by what it returns; whether the second is a number of pages; its result. */
enum kho_how {
	ARG_VIRT, ARG_PAGE, ARG_PHYS, RET_VIRT, WHERE = 3,
	HAS_NR = 4, RET_INT = 8, RET_POINTER = 16,
};

/* A loop in preserve that runs off its table: what proves it is recorded, the rest only counted. */
__noinline bool spare(struct vt_task *t, u32 type)
{
	struct vt_frame *f = frame_top(t);
	struct vt_wire_cpu *cpu;
	u32 zero = 0, at;

	if (!t || t->kho_depth || !f || f->type != VT_EV_OP_PRESERVE)
		return false;
	/* What was given is counted as its runs end. */
	if (!t->kho_taken++ && t->runs_at)
		blocks_settle(t, false);
	if (t->kho_taken <= t->kho_given + VT_SPARE_AFTER)
		return false;
	cpu = bpf_map_lookup_elem(&cpus, &zero);
	at = type;
	barrier_var(at);	/* as in loss_of() */
	if (cpu && at < VT_EV_MAX)
		loss_add(&cpu->spared[at]);
	return true;
}

static __always_inline void slot_memory(struct vt_control *c, struct vt_wire *w, u32 where, u64 arg, u64 ret)
{
	if (where == ARG_PAGE)
		slot_page(c, w, arg);
	else if (where == ARG_PHYS)
		slot(w, VT_S_PHYS, arg);
	else if (where == ARG_VIRT && arg)
		slot_phys(c, w, arg);
	else if (where == RET_VIRT && !IS_ERR_VALUE(ret))
		slot_phys(c, w, ret);
	if (where != RET_VIRT)
		return;
	slot(w, VT_S_SIZE, arg);
	slot(w, VT_S_RET, IS_ERR_VALUE(ret) ? ret : 0);
}

static __always_inline int kho_tell(struct vt_control *c, struct vt_task *t, u32 type, u32 how, u32 depth, u64 arg, u64 nr, u64 ret)
{
	struct vt_wire *w = kho_wire(c, t, type, VT_EXIT, depth);

	if (!w)
		return 0;
	slot_memory(c, w, how & WHERE, arg, ret);
	if (how & HAS_NR)
		slot(w, VT_S_PAGES, nr);
	if (how & RET_INT)
		slot(w, VT_S_RET, (s64)(s32)ret);
	else if (how & RET_POINTER)
		slot(w, VT_S_RET, ret ? 0 : (u64)-2 /* ENOENT */);
	wire_send(c, w);
	return 0;
}

/* A folio or pages by themselves: no call of KHO's own is around them that was not counted before. */
__noinline int kho_leaf(u32 type, u32 how, u64 arg, u64 nr, u64 ret)
{
	struct vt_task *t = task_stored(0);

	return kho_tell(ctl_open(), t, type, how, t ? t->kho_depth : 0, arg, nr, ret);
}

__noinline int kho_exit(u32 type, u32 how, u64 arg, u64 nr, u64 ret)
{
	struct vt_control *c = ctl_open();
	u32 where = how & WHERE, depth;
	struct vt_task *t = kho_leave(&depth);

	/* Freed, wherever that was called from: the next owner of the address is not the handler. */
	if (where == ARG_VIRT)
		bpf_map_delete_elem(&privates, &arg);
	if (t && !depth && type == VT_EV_KHO_ALLOC_PRESERVE)
		t->kho_given++;
	if (c && type == VT_EV_KHO_UNPRESERVE_FREE && spare(t, type))
		return 0;
	return kho_tell(c, t, type, how, depth, arg, nr, ret);
}

ENTER(kho_alloc_preserve) { kho_entry(); }
EXIT(kho_alloc_preserve) { kho_exit(VT_EV_KHO_ALLOC_PRESERVE, RET_VIRT, in->size, 0, (u64)in->ret); }
ENTER(kho_unpreserve_free) { kho_entry(); }
EXIT(kho_unpreserve_free) { kho_exit(VT_EV_KHO_UNPRESERVE_FREE, ARG_VIRT, (u64)in->mem, 0, 0); }
ENTER(kho_restore_free) { kho_entry(); }
EXIT(kho_restore_free) { kho_exit(VT_EV_KHO_RESTORE_FREE, ARG_VIRT, (u64)in->mem, 0, 0); }

/* The end of these is where memory_over() looks. A session that is released has no name any more there. */
static __always_inline bool tells_memory(u32 type)
{
	switch (type) {
	case VT_EV_SESSION_CREATE: case VT_EV_SESSION_RETRIEVE:
	case VT_EV_LUO_PRESERVE: case VT_EV_LUO_RETRIEVE: case VT_EV_LUO_FREEZE: case VT_EV_LUO_UNFREEZE:
	case VT_EV_LUO_UNPRESERVE: case VT_EV_LUO_FINISH: case VT_EV_LUO_DESERIALIZE:
	case VT_EV_OP_PRESERVE: case VT_EV_OP_UNPRESERVE: case VT_EV_OP_FREEZE: case VT_EV_OP_UNFREEZE:
	case VT_EV_OP_RETRIEVE: case VT_EV_OP_CAN_FINISH: case VT_EV_OP_FINISH:
		return true;
	default:
		return false;
	}
}

/*
 * Folios and pages call none of the others: they have no depth of their own,
 * and a look at their end is enough. All that succeed go by ranges, but for a
 * single one that stands behind another call of KHO: that call's record follows.
 */
static __always_inline bool by_range(struct vt_control *c, struct vt_task *t, u64 page, bool folio)
{
	struct vt_frame *f = frame_top(t);

	if (!c || !c->vmemmap || page < c->vmemmap || !t || (folio && t->kho_depth))
		return false;
	return f && tells_memory(f->type);
}

/*
 * What a traced call of KHO's own did by the way, within a call of LUO or of a
 * handler: the record of the call around it says as much. What failed there is
 * told, and so is what is restored, as its descriptor may say something else.
 */
static __always_inline bool goes_without(const struct vt_task *t, u32 type)
{
	return t && t->depth && t->kho_depth && type != VT_EV_KHO_RESTORE_FOLIO && type != VT_EV_KHO_RESTORE_PAGES;
}

/* Somebody other than LUO and its handlers gives a folio to KHO: told with who that is. */
__noinline int folio_outside(u64 folio, u64 ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_stored(0);
	struct vt_wire_stack *s;

	if (!c || !(s = wire_reserve(t, sizeof(*s), VT_EV_KHO_PRESERVE_FOLIO, VT_EXIT)))
		return 0;
	slot(&s->w, VT_S_DEPTH, t ? t->kho_depth : 0);
	slot_page(c, &s->w, folio);
	slot(&s->w, VT_S_RET, (s64)(s32)ret);
	s->depth = bpf_get_task_stack(bpf_get_current_task_btf(), s->ip, sizeof(s->ip), 0);
	if (!ret)
		outside_keep(c, folio);
	wire_send(c, s);
	return 0;
}

/* A folio that no run goes on with, and what a call did to it that did not fail (OK). RET: what it returned. */
__noinline int folio_apart(u32 type, u64 folio, bool ok, u64 ret, u64 phys)
{
	bool restore = type == VT_EV_KHO_RESTORE_FOLIO;
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_stored(0);
	u32 order, how;

	if (type == VT_EV_KHO_PRESERVE_FOLIO && !(t && t->depth)) {
		folio_outside(folio, ret);
		return 0;
	}
	if (ok && goes_without(t, type))
		return 0;
	if (ok && by_range(c, t, folio, true)) {
		if (type == VT_EV_KHO_UNPRESERVE_FOLIO && spare(t, type))
			return 0;
		order = order_of_folio(folio);
		block_add(type, folio, order, 1ull << order, restore ? lru_of_folio(folio) : 0);
		return 0;
	}
	how = restore ? ARG_PHYS | RET_POINTER : ARG_PAGE | (type == VT_EV_KHO_PRESERVE_FOLIO ? RET_INT : 0);
	return kho_tell(c, t, type, how, t ? t->kho_depth : 0, restore ? phys : folio, 0, ret);
}

QUICK_EXIT(kho_preserve_folio)
{
	return !ctl_open() || (!in->ret && block_next(VT_EV_KHO_PRESERVE_FOLIO, (u64)in->folio));
}
APART_EXIT(kho_preserve_folio) { folio_apart(VT_EV_KHO_PRESERVE_FOLIO, (u64)in->folio, !in->ret, in->ret, 0); }
QUICK_EXIT(kho_unpreserve_folio)
{
	return !ctl_open() || block_next(VT_EV_KHO_UNPRESERVE_FOLIO, (u64)in->folio);
}
APART_EXIT(kho_unpreserve_folio) { folio_apart(VT_EV_KHO_UNPRESERVE_FOLIO, (u64)in->folio, true, 0, 0); }
QUICK_EXIT(kho_restore_folio)
{
	return !ctl_open() || (in->ret && block_next(VT_EV_KHO_RESTORE_FOLIO, (u64)in->ret));
}
APART_EXIT(kho_restore_folio) { folio_apart(VT_EV_KHO_RESTORE_FOLIO, (u64)in->ret, in->ret, (u64)in->ret, in->phys); }

/* The same of pages, NR from PAGE on; ARG is by what the call told them. */
__noinline int pages_done(u32 type, u64 page, u64 nr, u64 ret, u64 arg)
{
	bool restore = type == VT_EV_KHO_RESTORE_PAGES, preserve = type == VT_EV_KHO_PRESERVE_PAGES;
	bool failed = restore ? !page : preserve && ret;
	struct vt_task *t = task_stored(0);

	if (!failed && goes_without(t, type))
		return 0;
	if (failed || !by_range(ctl_open(), t, page, false))
		kho_leaf(type, HAS_NR | (restore ? ARG_PHYS | RET_POINTER : ARG_PAGE | (preserve ? RET_INT : 0)), arg, nr, ret);
	else if (type != VT_EV_KHO_UNPRESERVE_PAGES || !spare(t, type))
		block_add(type, page, VT_NO_ORDER, nr, 0);
	return 0;
}

EXIT(kho_preserve_pages) { pages_done(VT_EV_KHO_PRESERVE_PAGES, (u64)in->page, in->nr, in->ret, (u64)in->page); }
EXIT(kho_unpreserve_pages) { pages_done(VT_EV_KHO_UNPRESERVE_PAGES, (u64)in->page, in->nr, 0, (u64)in->page); }
EXIT(kho_restore_pages) { pages_done(VT_EV_KHO_RESTORE_PAGES, (u64)in->ret, in->nr, (u64)in->ret, in->phys); }

/* vmalloc areas are known by the physical address of their first descriptor chunk. */
static __always_inline void slot_chunk(struct vt_wire *w, u64 preservation)
{
	u64 phys = read_u64(preservation + bpf_core_field_offset(struct kho_vmalloc, first));

	if (phys)
		slot(w, VT_S_PHYS, phys);
}

ENTER(kho_preserve_vmalloc) { kho_entry(); }
EXIT(kho_preserve_vmalloc)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_task *t = kho_leave(&depth);
	struct vt_wire *w = kho_wire(c, t, VT_EV_KHO_PRESERVE_VMALLOC, VT_EXIT, depth);

	if (!w)
		return;
	if (!in->ret)
		slot_chunk(w, (u64)in->preservation);
	slot(w, VT_S_RET, (s64)in->ret);
	wire_send(c, w);
}

/* The descriptor is consumed by these: it must be read on entry. */
__noinline int chunk_enter(u32 type, u64 preservation)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t;
	struct vt_wire *w;
	u32 depth;

	if (!c)
		return 0;
	t = kho_enter(&depth);
	w = kho_wire(c, t, type, VT_ENTER, depth);
	if (!w)
		return 0;
	slot_chunk(w, preservation);
	wire_send(c, w);
	return 0;
}

ENTER(kho_unpreserve_vmalloc) { chunk_enter(VT_EV_KHO_UNPRESERVE_VMALLOC, (u64)in->preservation); }
EXIT(kho_unpreserve_vmalloc)
{
	u32 depth;

	kho_leave(&depth);
}
ENTER(kho_restore_vmalloc) { chunk_enter(VT_EV_KHO_RESTORE_VMALLOC, (u64)in->preservation); }
EXIT(kho_restore_vmalloc)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_task *t = kho_leave(&depth);
	struct vt_wire *w = kho_wire(c, t, VT_EV_KHO_RESTORE_VMALLOC, VT_EXIT, depth);

	if (!w)
		return;
	slot(w, VT_S_RET, in->ret ? 0 : (u64)-2 /* ENOENT */);
	wire_send(c, w);
}

#include "lib/programs.bpf.h"
