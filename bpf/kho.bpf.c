// SPDX-License-Identifier: GPL-2.0
/*
 * KHO memory by physical address (kernel/liveupdate/kexec_handover.c). Some of
 * these functions call others: DEPTH > 0 says that another traced KHO call is
 * around, so that nothing is counted twice.
 */
#include "vfiotrace.bpf.h"

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

static __always_inline void slot_page(struct vt_control *c, struct vt_wire *w, u64 page)
{
	if (c->vmemmap && page >= c->vmemmap)
		slot(w, VT_S_PHYS, (page - c->vmemmap) / bpf_core_type_size(struct page) << 12);
	else
		slot_fault(w, VT_S_PHYS, 14 /* EFAULT */);
}

/*
 * Depth lives beside the frames: a KHO call outside any traced call (the
 * kernel's own) still counts as depth 0. The frame keeps the enclosing call's
 * type, so that `within` stays the caller's.
 */
static __always_inline u32 kho_enter(void)
{
	struct vt_task *t = frame_push(0, 0, false, 0);
	struct vt_frame *f = frame_top(t);

	if (!f)
		return 0;
	f->type = f->outer;
	return t->kho_depth++;
}

static __always_inline u32 kho_leave(void)
{
	struct vt_task *t = task_get();
	u32 depth = 0;

	if (t) {
		if (t->kho_depth)
			t->kho_depth--;
		depth = t->kho_depth;
	}
	return depth;
}

#define KHO_ENTRY(...) ({ if (ctl_open()) kho_enter(); 0; })

static __always_inline struct vt_wire *kho_exit(struct vt_control *c, u16 type, u32 *depth)
{
	struct vt_wire *w;

	*depth = kho_leave();
	w = c ? wire_reserve(sizeof(*w), type, VT_EXIT) : NULL;
	if (w)
		slot(w, VT_S_DEPTH, *depth);
	frame_pop();
	return w;
}

SEC("fentry") int BPF_PROG(e_kho_alloc_preserve, u64 size) { return KHO_ENTRY(); }
SEC("fexit") int BPF_PROG(x_kho_alloc_preserve, u64 size, u64 ret)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_wire *w = kho_exit(c, VT_EV_KHO_ALLOC_PRESERVE, &depth);

	if (!w)
		return 0;
	slot(w, VT_S_SIZE, size);
	if (IS_ERR_VALUE(ret)) {
		slot(w, VT_S_RET, ret);
	} else {
		slot(w, VT_S_RET, 0);
		slot_phys(c, w, ret);
	}
	wire_send(c, w);
	return 0;
}

/* Functions that take the memory's address and return nothing. */
#define KHO_MEM(fn, TYPE) \
SEC("fentry") int BPF_PROG(e_##fn, u64 mem) { return KHO_ENTRY(); } \
SEC("fexit") int BPF_PROG(x_##fn, u64 mem) \
{ \
	struct vt_control *c = ctl_open(); \
	u32 depth; \
	struct vt_wire *w = kho_exit(c, VT_EV_##TYPE, &depth); \
\
	if (!w) \
		return 0; \
	if (mem) \
		slot_phys(c, w, arg_number(ctx, 0)); \
	wire_send(c, w); \
	return 0; \
}
KHO_MEM(kho_unpreserve_free, KHO_UNPRESERVE_FREE)
KHO_MEM(kho_restore_free, KHO_RESTORE_FREE)

/* Folios: the head page's flags hold the order in the second page; phys is what pairs. */
SEC("fentry") int BPF_PROG(e_kho_preserve_folio, u64 folio) { return KHO_ENTRY(); }
SEC("fexit") int BPF_PROG(x_kho_preserve_folio, u64 folio, int ret)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_wire *w = kho_exit(c, VT_EV_KHO_PRESERVE_FOLIO, &depth);

	if (!w)
		return 0;
	slot_page(c, w, arg_number(ctx, 0));
	slot(w, VT_S_RET, (s64)ret);
	wire_send(c, w);
	return 0;
}
SEC("fentry") int BPF_PROG(e_kho_unpreserve_folio, u64 folio) { return KHO_ENTRY(); }
SEC("fexit") int BPF_PROG(x_kho_unpreserve_folio, u64 folio)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_wire *w = kho_exit(c, VT_EV_KHO_UNPRESERVE_FOLIO, &depth);

	if (!w)
		return 0;
	slot_page(c, w, arg_number(ctx, 0));
	wire_send(c, w);
	return 0;
}
SEC("fentry") int BPF_PROG(e_kho_restore_folio, u64 phys) { return KHO_ENTRY(); }
SEC("fexit") int BPF_PROG(x_kho_restore_folio, u64 phys, u64 ret)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_wire *w = kho_exit(c, VT_EV_KHO_RESTORE_FOLIO, &depth);

	if (!w)
		return 0;
	slot(w, VT_S_PHYS, phys);
	slot(w, VT_S_RET, ret ? 0 : (u64)-2 /* ENOENT */);
	wire_send(c, w);
	return 0;
}

SEC("fentry") int BPF_PROG(e_kho_preserve_pages, u64 page, u64 nr) { return KHO_ENTRY(); }
SEC("fexit") int BPF_PROG(x_kho_preserve_pages, u64 page, u64 nr, int ret)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_wire *w = kho_exit(c, VT_EV_KHO_PRESERVE_PAGES, &depth);

	if (!w)
		return 0;
	slot_page(c, w, arg_number(ctx, 0));
	slot(w, VT_S_PAGES, nr);
	slot(w, VT_S_RET, (s64)ret);
	wire_send(c, w);
	return 0;
}
SEC("fentry") int BPF_PROG(e_kho_unpreserve_pages, u64 page, u64 nr) { return KHO_ENTRY(); }
SEC("fexit") int BPF_PROG(x_kho_unpreserve_pages, u64 page, u64 nr)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_wire *w = kho_exit(c, VT_EV_KHO_UNPRESERVE_PAGES, &depth);

	if (!w)
		return 0;
	slot_page(c, w, arg_number(ctx, 0));
	slot(w, VT_S_PAGES, nr);
	wire_send(c, w);
	return 0;
}
SEC("fentry") int BPF_PROG(e_kho_restore_pages, u64 phys, u64 nr) { return KHO_ENTRY(); }
SEC("fexit") int BPF_PROG(x_kho_restore_pages, u64 phys, u64 nr, u64 ret)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_wire *w = kho_exit(c, VT_EV_KHO_RESTORE_PAGES, &depth);

	if (!w)
		return 0;
	slot(w, VT_S_PHYS, phys);
	slot(w, VT_S_PAGES, nr);
	slot(w, VT_S_RET, ret ? 0 : (u64)-2 /* ENOENT */);
	wire_send(c, w);
	return 0;
}

/* vmalloc areas are known by the physical address of their first descriptor chunk. */
static __always_inline void slot_chunk(struct vt_wire *w, u64 preservation)
{
	u64 phys = read_u64(preservation + bpf_core_field_offset(struct kho_vmalloc, first));

	if (phys)
		slot(w, VT_S_PHYS, phys);
}

SEC("fentry") int BPF_PROG(e_kho_preserve_vmalloc, u64 ptr, u64 preservation) { return KHO_ENTRY(); }
SEC("fexit") int BPF_PROG(x_kho_preserve_vmalloc, u64 ptr, u64 preservation, int ret)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_wire *w = kho_exit(c, VT_EV_KHO_PRESERVE_VMALLOC, &depth);

	if (!w)
		return 0;
	if (!ret)
		slot_chunk(w, preservation);
	slot(w, VT_S_RET, (s64)ret);
	wire_send(c, w);
	return 0;
}

/* The descriptor is consumed by these: it must be read on entry. */
SEC("fentry") int BPF_PROG(e_kho_unpreserve_vmalloc, u64 preservation)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;
	u32 depth;

	if (!c)
		return 0;
	depth = kho_enter();
	w = wire_new(KHO_UNPRESERVE_VMALLOC, ENTER);
	if (!w)
		return 0;
	slot(w, VT_S_DEPTH, depth);
	slot_chunk(w, preservation);
	wire_send(c, w);
	return 0;
}
SEC("fexit") int BPF_PROG(x_kho_unpreserve_vmalloc, u64 preservation)
{
	kho_leave();
	frame_pop();
	return 0;
}
SEC("fentry") int BPF_PROG(e_kho_restore_vmalloc, u64 preservation)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;
	u32 depth;

	if (!c)
		return 0;
	depth = kho_enter();
	w = wire_new(KHO_RESTORE_VMALLOC, ENTER);
	if (!w)
		return 0;
	slot(w, VT_S_DEPTH, depth);
	slot_chunk(w, preservation);
	wire_send(c, w);
	return 0;
}
SEC("fexit") int BPF_PROG(x_kho_restore_vmalloc, u64 preservation, u64 ret)
{
	struct vt_control *c = ctl_open();
	u32 depth;
	struct vt_wire *w = kho_exit(c, VT_EV_KHO_RESTORE_VMALLOC, &depth);

	if (!w)
		return 0;
	slot(w, VT_S_RET, ret ? 0 : (u64)-2 /* ENOENT */);
	wire_send(c, w);
	return 0;
}
