// SPDX-License-Identifier: GPL-2.0
/*
 * KHO memory by physical address (kernel/liveupdate/kexec_handover.c). Some of
 * these functions call others: DEPTH > 0 says that another traced KHO call is
 * around, so that nothing is counted twice.
 */
#include "folio.bpf.h"

static __always_inline void slot_phys(struct vt_control *c, struct vt_wire *w, u64 virt)
{
	if (c->page_offset && virt >= c->page_offset)
		slot(w, VT_S_PHYS, virt - c->page_offset);
	else
		slot_fault(w, VT_S_PHYS, 14 /* EFAULT */);
}

/* An argument as a plain number: the verifier forbids arithmetic on the pointer that ctx holds. */
static __always_inline u64 arg_number(void *ctx, u32 n)
{
	u64 v = 0;

	bpf_get_func_arg(ctx, n, &v);
	return v;
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
	return t;
}

static __always_inline int kho_entry(void)
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

/* Where a call's memory is told, and what it returns. */
enum kho_memory { ARG_VIRT, ARG_PAGE, ARG_PHYS, RET_VIRT };
enum kho_return { RET_NONE, RET_INT, RET_POINTER };

static __always_inline bool gives(u16 type)
{
	return type == VT_EV_KHO_ALLOC_PRESERVE || type == VT_EV_KHO_PRESERVE_FOLIO || type == VT_EV_KHO_PRESERVE_PAGES;
}

static __always_inline bool takes_back(u16 type)
{
	return type == VT_EV_KHO_UNPRESERVE_FREE || type == VT_EV_KHO_UNPRESERVE_FOLIO || type == VT_EV_KHO_UNPRESERVE_PAGES;
}

/* A loop in preserve that runs off its table: what proves it is recorded, the rest only counted. */
static __always_inline bool spare(struct vt_task *t, u16 type, u32 depth)
{
	struct vt_frame *f = frame_top(t);
	struct vt_wire_cpu *cpu;
	u32 zero = 0, at;

	if (!t || depth || !f || f->type != VT_EV_OP_PRESERVE)
		return false;
	t->kho_given += gives(type);
	if (!takes_back(type) || ++t->kho_taken <= t->kho_given + VT_SPARE_AFTER)
		return false;
	cpu = bpf_map_lookup_elem(&cpus, &zero);
	at = type;
	barrier_var(at);	/* as in loss_of() */
	if (cpu && at < VT_EV_MAX)
		loss_add(&cpu->spared[at]);
	return true;
}

/* PAGES: the second argument is a number of pages. */
static __always_inline int kho_report(void *ctx, u16 type, enum kho_memory memory, bool pages, enum kho_return returns)
{
	struct vt_control *c = ctl_open();
	u64 ret = 0, arg = arg_number(ctx, 0);
	struct vt_task *t;
	struct vt_wire *w;
	u32 depth;

	t = kho_leave(&depth);
	/* Freed, wherever that was called from: the next owner of the address is not the handler. */
	if (memory == ARG_VIRT)
		bpf_map_delete_elem(&privates, &arg);
	if (c && (gives(type) || takes_back(type)) && spare(t, type, depth))
		return 0;
	w = kho_wire(c, t, type, VT_EXIT, depth);
	if (returns != RET_NONE || memory == RET_VIRT)
		bpf_get_func_ret(ctx, &ret);
	if (c && type == VT_EV_KHO_RESTORE_FOLIO && !depth)
		folio_remember(c, t, ret);
	if (!w)
		return 0;
	if (memory == ARG_PAGE)
		slot_page(c, w, arg);
	else if (memory == ARG_PHYS)
		slot(w, VT_S_PHYS, arg);
	else if (memory == ARG_VIRT && arg)
		slot_phys(c, w, arg);
	else if (memory == RET_VIRT && !IS_ERR_VALUE(ret))
		slot_phys(c, w, ret);
	if (memory == RET_VIRT) {
		slot(w, VT_S_SIZE, arg);
		slot(w, VT_S_RET, IS_ERR_VALUE(ret) ? ret : 0);
	}
	if (pages)
		slot(w, VT_S_PAGES, arg_number(ctx, 1));
	if (returns == RET_INT)
		slot(w, VT_S_RET, (s64)(s32)ret);
	else if (returns == RET_POINTER)
		slot(w, VT_S_RET, ret ? 0 : (u64)-2 /* ENOENT */);
	wire_send(c, w);
	return 0;
}

/* X(function, type, where its memory is told, whether a number of pages is its second argument, what it returns) */
#define KHO_CALLS(X) \
	X(kho_alloc_preserve, KHO_ALLOC_PRESERVE, RET_VIRT, false, RET_NONE) \
	X(kho_unpreserve_free, KHO_UNPRESERVE_FREE, ARG_VIRT, false, RET_NONE) \
	X(kho_restore_free, KHO_RESTORE_FREE, ARG_VIRT, false, RET_NONE) \
	X(kho_preserve_folio, KHO_PRESERVE_FOLIO, ARG_PAGE, false, RET_INT) \
	X(kho_unpreserve_folio, KHO_UNPRESERVE_FOLIO, ARG_PAGE, false, RET_NONE) \
	X(kho_restore_folio, KHO_RESTORE_FOLIO, ARG_PHYS, false, RET_POINTER) \
	X(kho_preserve_pages, KHO_PRESERVE_PAGES, ARG_PAGE, true, RET_INT) \
	X(kho_unpreserve_pages, KHO_UNPRESERVE_PAGES, ARG_PAGE, true, RET_NONE) \
	X(kho_restore_pages, KHO_RESTORE_PAGES, ARG_PHYS, true, RET_POINTER)

#define KHO_CALL(fn, TYPE, memory, pages, returns) \
SEC("fentry") int HOOK(e_##fn) { return kho_entry(); } \
SEC("fexit") int HOOK(x_##fn) { return kho_report(ctx, VT_EV_##TYPE, memory, pages, returns); }
KHO_CALLS(KHO_CALL)

/* vmalloc areas are known by the physical address of their first descriptor chunk. */
static __always_inline void slot_chunk(struct vt_wire *w, u64 preservation)
{
	u64 phys = read_u64(preservation + bpf_core_field_offset(struct kho_vmalloc, first));

	if (phys)
		slot(w, VT_S_PHYS, phys);
}

SEC("fentry") int HOOK(e_kho_preserve_vmalloc, u64 ptr, u64 preservation) { return kho_entry(); }
SEC("fexit") int HOOK(x_kho_preserve_vmalloc, u64 ptr, u64 preservation, int ret)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_task *t = kho_leave(&depth);
	struct vt_wire *w = kho_wire(c, t, VT_EV_KHO_PRESERVE_VMALLOC, VT_EXIT, depth);

	if (!w)
		return 0;
	if (!ret)
		slot_chunk(w, preservation);
	slot(w, VT_S_RET, (s64)ret);
	wire_send(c, w);
	return 0;
}

/* The descriptor is consumed by these: it must be read on entry. */
static __always_inline int chunk_enter(u16 type, u64 preservation)
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

SEC("fentry") int HOOK(e_kho_unpreserve_vmalloc, u64 preservation)
{
	return chunk_enter(VT_EV_KHO_UNPRESERVE_VMALLOC, preservation);
}
SEC("fexit") int HOOK(x_kho_unpreserve_vmalloc, u64 preservation)
{
	u32 depth;

	kho_leave(&depth);
	return 0;
}
SEC("fentry") int HOOK(e_kho_restore_vmalloc, u64 preservation)
{
	return chunk_enter(VT_EV_KHO_RESTORE_VMALLOC, preservation);
}
SEC("fexit") int HOOK(x_kho_restore_vmalloc, u64 preservation, u64 ret)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_task *t = kho_leave(&depth);
	struct vt_wire *w = kho_wire(c, t, VT_EV_KHO_RESTORE_VMALLOC, VT_EXIT, depth);

	if (!w)
		return 0;
	slot(w, VT_S_RET, ret ? 0 : (u64)-2 /* ENOENT */);
	wire_send(c, w);
	return 0;
}

#ifdef VT_LOADS
TOGETHER("fentry", all_e_kho, kho, hook, type, a)
{
	if (hook == VT_HOOK_kho_unpreserve_vmalloc || hook == VT_HOOK_kho_restore_vmalloc)
		return chunk_enter(type, a[0]);
	return kho_entry();
}

#define KHO_FACTS(fn, TYPE, m, p, r) CASE(fn): memory = m; pages = p; returns = r; break;
TOGETHER("fexit", all_x_kho, kho, hook, type, a)
{
	enum kho_memory memory = ARG_PHYS;
	enum kho_return returns = RET_NONE;
	bool pages = false;

	switch (hook) {
	KHO_CALLS(KHO_FACTS)
	OWN_EXIT(kho_preserve_vmalloc);
	OWN_EXIT(kho_unpreserve_vmalloc);
	OWN_EXIT(kho_restore_vmalloc);
	}
	return kho_report(ctx, type, memory, pages, returns);
}
#endif
