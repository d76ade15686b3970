/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records. One is built in place in the ring; no wake-up is asked for (the
 * recorder polls) except where a hook says so. Every attempt takes a number
 * from its CPU's counter, whether there is room in the ring or not, so that a
 * lost record leaves a gap and a counted loss.
 */
#ifndef VFIOTRACE_WIRE_BPF_H
#define VFIOTRACE_WIRE_BPF_H

#include "lib/task.bpf.h"

static __always_inline void slot(struct vt_wire *w, enum vt_slot s, u64 v)
{
	w->slot[s] = v;
	w->mask |= 1ull << s;
}

static __always_inline void slot_fault(struct vt_wire *w, enum vt_slot s, int err)
{
	w->slot[s] = err < 0 ? -err : err;
	w->mask |= 1ull << s;
	w->fault |= 1ull << s;
}

/* A slot from kernel memory: WIDTH bytes at ADDR, sign-extended when 4. */
static __always_inline void slot_read(struct vt_wire *w, enum vt_slot s, u64 addr, int width)
{
	const void *k = KERNEL((const void *)addr);
	u64 v = width == 4 ? get_u32(k, 0) : get_u64(k, 0);
	int err = v ? 0 : bpf_probe_read_kernel(&v, width == 4 ? 4 : 8, (void *)addr);

	if (err)
		slot_fault(w, s, err);
	else
		slot(w, s, width == 4 ? (u64)(s64)(s32)v : v);
}

/*
 * The same where KNOWN, nearby, was READ already and was not 0: of the same page, and so can be this. Few members
 * are beyond its end, and then a 0 may be a fault.
 */
static __always_inline void slot_near(struct vt_wire *w, enum vt_slot s, u64 addr, u64 known, u64 read)
{
	s32 v = get_u32(KERNEL((const void *)addr), 0);

	if (v || (read && !((addr ^ known) >> 12)))
		slot(w, s, (s64)v);
	else
		slot_read(w, s, addr, 4);
}

/* References on the module that callbacks live in, where they live in one. */
static __always_inline void slot_owner(struct vt_wire *w, const struct module *owner)
{
	if (owner)
		slot(w, VT_S_MOD_REF, READ(owner, refcnt.counter));
}

/* The verifier trusts this pointer: what it leads to is loaded as it is, without a test of the address. */
static __always_inline void stamp_task(struct vt_wire *w)
{
	struct task_struct *me = bpf_get_current_task_btf();

	w->tgid = me->tgid;
	w->tid = me->pid;
	((u64 *)w->comm)[0] = ((u64 *)me->comm)[0];
	((u64 *)w->comm)[1] = ((u64 *)me->comm)[1];
}

/* The name, at STR, of the session or handler OF. False: it cannot be read. */
static __always_inline bool name_of(struct vt_task *t, enum vt_name is, struct str64 *to, u64 of, u64 str)
{
	struct str64 *name = &t->name[is];

	if (t->named[is] != of) {
		t->named[is] = 0;
		if (!load_str64(name, str))
			return false;
		t->name_long[is] = !has_zero_byte(name->at[0]) && !has_zero_byte(name->at[1]);
		t->named[is] = of;
	}
	to->at[0] = name->at[0];
	to->at[1] = name->at[1];
	if (t->name_long[is])
		__builtin_memcpy(to->at + 2, name->at + 2, sizeof(*to) - 2 * sizeof(to->at[0]));
	return true;
}

/* Fills what every record has, of a call of T's, if any. */
__noinline int wire_stamp(struct vt_wire *w, struct vt_task *t, u32 type, u32 phase)
{
	u32 zero = 0;
	struct vt_wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);
	struct vt_frame *f = frame_top(t);

	if (!w || !cpu)
		return 0;
	w->seq = seq_next(cpu);
	w->others = *(volatile u32 *)&control.produced;	/* wire_count(); before the time */
	w->ts_ns = bpf_ktime_get_boot_ns();
	stamp_task(w);
	w->type = type;
	w->phase = phase;
	w->cpu = bpf_get_smp_processor_id();
	w->optional = 0;
	w->mask = 0;
	w->fault = 0;
	w->site = 0;
	if (!f)
		return 0;
	/* A call's own entry and exit are not within itself. */
	w->within = f->type == type && phase != VT_POINT ? f->outer : f->type;
	if (f->session)
		w->has_session = name_of(t, VT_NAME_SESSION, (struct str64 *)w->session, f->session,
					 f->session + bpf_core_field_offset(struct luo_session, name));
	w->slot[VT_S_TOKEN] = f->token;
	w->mask = (u64)f->has_token << VT_S_TOKEN;
	return 0;
}

/* What it returns is the verifier's to follow: short, and all else is wire_stamp()'s. */
static __always_inline void *wire_reserve(struct vt_task *t, u64 size, u32 type, u32 phase)
{
	struct vt_wire *w = bpf_ringbuf_reserve(&ring, size, 0);

	if (w)
		wire_stamp(w, t, type, phase);
	else
		loss_count(type);
	return w;
}

static __always_inline struct vt_wire *wire_make(struct vt_task *t, u32 type, u32 phase)
{
	return wire_reserve(t, sizeof(struct vt_wire), type, phase);
}

/* With room for a snapshot: snap_file(). Kept in a variable of its own where some have none: the verifier does not know which it is. */
static __always_inline struct vt_wire *wire_make_pair(struct vt_task *t, u32 type, u32 phase)
{
	struct vt_wire_pair *p = wire_reserve(t, sizeof(*p), type, phase);

	if (!p)
		return NULL;
	p->snap.w.optional = 0;
	return &p->w;
}

#define wire_new_in(t, type, phase) wire_make(t, VT_EV_##type, VT_##phase)
#define wire_new(type, phase) wire_new_in(task_stored(0), type, phase)

/*
 * A CPU may stop between the time of a record and what it reads: by an interrupt, or because it is a virtual one. Whether
 * others went on meanwhile is seen by what they told.
 */
static __always_inline u64 wire_count(struct vt_control *c, struct vt_wire *w)
{
	u64 nr = __sync_fetch_and_add(&c->produced, 1);

	w->others = (u32)nr - w->others;
	return nr;
}

static __always_inline void wire_submit(struct vt_control *c, struct vt_wire *w, u64 flags)
{
	wire_count(c, w);
	bpf_ringbuf_submit(w, flags);
}

/* More than BYTES wait for a recorder that sleeps. */
static __always_inline bool ring_waits(u64 bytes)
{
	return !*(volatile unsigned int *)&control.awake && bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > bytes;
}

/*
 * The recorder polls; waking it per event would cost more than the event. It is
 * woken when the ring fills, which every few records is soon enough to see.
 */
#define VT_WAKE_EVERY 8
__noinline u32 wire_wakes(void)
{
	return ring_waits(control.wake_bytes) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

static __always_inline void wire_send(struct vt_control *c, void *w)
{
	u64 nr = wire_count(c, w);

	bpf_ringbuf_submit(w, nr % VT_WAKE_EVERY ? BPF_RB_NO_WAKEUP : wire_wakes());
}

static __always_inline u64 pfn_of_page(struct vt_control *c, u64 page)
{
	return (page - c->vmemmap) / bpf_core_type_size(struct page);
}

static __always_inline u64 phys_of_page(struct vt_control *c, u64 page)
{
	return pfn_of_page(c, page) << (c->page_shift & 63);
}

static __always_inline void slot_page(struct vt_control *c, struct vt_wire *w, u64 page)
{
	if (c->vmemmap && page >= c->vmemmap)
		slot(w, VT_S_PHYS, phys_of_page(c, page));
	else
		slot_fault(w, VT_S_PHYS, 14 /* EFAULT */);
}

__noinline int text_at(struct vt_wire *w, u32 is, u64 str)
{
	if (w && load_str64((struct str64 *)w->text, str))
		w->text_is = is;
	return 0;
}

static __always_inline void text_str(struct vt_wire *w, enum vt_text is, const void *str)
{
	text_at(w, is, (u64)str);
}

#endif
