/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Folios and pages on their way through KHO. A VM has millions of them, so
 * what one call does to blocks of one order that lie side by side is one
 * record. It is made when another block does not go on there, when the thread
 * makes any other record, and when it enters or leaves a traced call: records
 * stand in the order of what happened.
 *
 * Memory in too many pieces even for that (VT_RUNS_TOLD) is told up to there.
 * What a call did to blocks of one order is told as a sum at its end in any
 * case, with a digest of the set that does not depend on the order: what was
 * preserved and what is restored can be compared whole.
 */
#ifndef VFIOTRACE_BLOCKS_BPF_H
#define VFIOTRACE_BLOCKS_BPF_H

#include "lib/wire.bpf.h"

static __always_inline u64 phys_of_page(struct vt_control *c, u64 page)
{
	return (page - c->vmemmap) / bpf_core_type_size(struct page) << 12;
}

static __always_inline u32 order_of_folio(u64 folio)
{
	const struct folio *f = KERNEL((const struct folio *)folio);

	if (!(f->flags.f >> bpf_core_enum_value(enum pageflags, PG_head) & 1))
		return 0;
	return f->_flags_1 & 0xff;
}

static __always_inline u32 way_of(u32 type)
{
	if (type == VT_EV_KHO_PRESERVE_FOLIO || type == VT_EV_KHO_PRESERVE_PAGES)
		return VT_GIVEN;
	return type == VT_EV_KHO_UNPRESERVE_FOLIO || type == VT_EV_KHO_UNPRESERVE_PAGES ? VT_TAKEN_BACK : VT_RESTORED;
}

static __always_inline struct vt_sum *sum_at(struct vt_task *t, u32 i)
{
	i &= VT_SUMS - 1;
	barrier_var(i);
	return &t->sum[i];
}

/* The order of the run at hand goes into the record; its sum learns if there is none. */
static __always_inline void run_end(struct vt_control *c, struct vt_task *t)
{
	struct vt_run r = t->run;
	struct vt_sum *s = r.depth ? NULL : sum_at(t, way_of(r.type) * VT_ORDERS + r.order);
	struct vt_wire *w;

	t->run.blocks = 0;
	if (t->nr_runs >= VT_RUNS_TOLD && s) {
		s->untold += r.blocks;
		return;
	}
	t->nr_runs++;
	w = wire_raw(t, sizeof(*w), r.type, VT_EXIT);
	if (!w)
		return;
	slot(w, VT_S_PHYS, r.start);
	slot(w, VT_S_PAGES, (r.end - r.start) >> 12);
	slot(w, VT_S_DEPTH, r.depth);
	if (r.order < VT_NO_ORDER) {
		slot(w, VT_S_ORDER, r.order);
		slot(w, VT_S_COUNT, r.blocks);
	}
	if (way_of(r.type) != VT_TAKEN_BACK)
		slot(w, VT_S_RET, 0);
	wire_send(c, w);
}

static __always_inline void sum_name(struct vt_wire *w, u32 way)
{
	if (way == VT_GIVEN)
		__builtin_memcpy(w->text, "preserved", 10);
	else if (way == VT_TAKEN_BACK)
		__builtin_memcpy(w->text, "unpreserved", 12);
	else
		__builtin_memcpy(w->text, "restored", 9);
	w->text_is = VT_TEXT_NAME;
}

static long sum_tell(u32 i, struct vt_task **task)
{
	struct vt_control *c = ctl_get();
	struct vt_task *t = *task;
	struct vt_sum *s = sum_at(t, i);
	struct vt_wire *w;

	if (!s->count)
		return 0;
	w = wire_raw(t, sizeof(*w), VT_EV_KHO_MEMORY, VT_POINT);
	if (w) {
		sum_name(w, i / VT_ORDERS);
		if (i % VT_ORDERS != VT_NO_ORDER)
			slot(w, VT_S_ORDER, i % VT_ORDERS);
		slot(w, VT_S_COUNT, s->count);
		slot(w, VT_S_PAGES, s->pages);
		slot(w, VT_S_DIGEST, s->digest);
		slot(w, VT_S_UNTOLD, s->untold);
		wire_send(c, w);
	}
	__builtin_memset(s, 0, sizeof(*s));
	return 0;
}

/* The run at hand, and, when the call is OVER, its sums. */
__noinline int blocks_settle(bool over)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();

	if (!t)
		return 0;
	if (!c) {
		t->run.blocks = 0;
		return 0;
	}
	if (t->run.blocks)
		run_end(c, t);
	if (!over || !t->sums)
		return 0;
	t->sums = t->nr_runs = 0;
	bpf_loop(VT_WAYS * VT_ORDERS, sum_tell, &t, 0);
	return 0;
}

static __always_inline bool goes_on(const struct vt_run *r, u32 type, u64 phys, u64 end, u32 order, u32 depth)
{
	return r->type == type && r->order == order && r->depth == depth && (phys == r->end || end == r->start);
}

/* One block of NR_PAGES pages from PHYS on, within a traced call. ORDER: VT_NO_ORDER when it is no folio. */
static __always_inline void block_add(struct vt_task *t, u32 type, u64 phys, u32 order, u64 nr_pages)
{
	u64 end = phys + (nr_pages << 12);
	u32 depth = t->kho_depth, way = way_of(type);
	struct vt_run *r = &t->run;
	struct vt_sum *s;

	if (r->blocks && !goes_on(r, type, phys, end, order, depth))
		blocks_settle(false);
	if (!r->blocks++) {
		r->type = type;
		r->order = order;
		r->depth = depth;
		r->start = phys;
		r->end = end;
	} else if (phys == r->end) {
		r->end = end;
	} else {
		r->start = phys;
	}
	/* What another call of KHO does is part of that call. */
	s = depth ? NULL : sum_at(t, way * VT_ORDERS + order);
	if (!s)
		return;
	t->sums |= 1u << way;
	s->digest += vt_block_digest(phys >> 12, nr_pages);
	s->pages += nr_pages;
	s->count++;
}

#endif
