/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every BPF domain needs: the shared maps, the per-task call context and
 * the way a record is made.
 *
 * A hook costs a gate test when closed. A record is built in place in the
 * ring; no wake-up is asked for (the recorder polls) except where a hook says
 * so. Every attempt takes a number from its CPU's counter before the ring is
 * asked for room, so that a lost record leaves a gap and a counted loss.
 */
#ifndef VFIOTRACE_BPF_H
#define VFIOTRACE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "load.bpf.h"
#include "together.bpf.h"
#include "vfiotrace/vocab.h"
#include "vfiotrace/wire.h"

/* Static, as every domain brings one and the linker folds the sections. */
static char LICENSE[] SEC("license") __attribute__((used)) = "GPL";

#define MAX_ERRNO 4095
#define IS_ERR_VALUE(x) ((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)
#define VT_FRAMES 16	/* power of two: indices are masked for the verifier */

/* One traced call that a task is inside of. */
struct vt_frame {
	u16 type;	/* enum vt_event_type */
	u16 outer;	/* type of the call around it */
	u32 has_token;
	u64 object;	/* the call's own: the device of a release, the handler of a preserve */
	u64 file;	/* a struct file that LUO holds for the call */
	u64 session;	/* struct luo_session *, 0 = none */
	u64 token;
};

/* folio.bpf.h: what became of folios. Counted here and not on the stack, where the verifier would follow each value. */
struct vt_folio {
	u64 page, lru;
	u32 tid, pad;
};
struct vt_folios {
	u64 first;		/* place of the first of them in the table */
	u32 nr, seen, freed, held, cached, pad;
	struct vt_folio last;	/* newest one in a page cache that is as it was restored */
};

struct vt_task {
	u32 depth;
	u32 top;	/* frame of the innermost call: calls nested deeper than we remember share the last */
	u32 kho_depth;
	u32 in_section;		/* depth + 1 at which the section of fault injection began, 0 = outside */
	u32 section_call, section_allocs;
	u32 folio_watch, pad;
	struct vt_folios folios;	/* restored by the call at hand */
	u32 kho_given, kho_taken;	/* calls that preserved and unpreserved within the callback at hand */
	struct vt_frame frame[VT_FRAMES];
};

#define VT_MAP_ATTR SEC(".maps") __weak

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} ring VT_MAP_ATTR;

/* A variable, not an entry that is looked up: programs have its address. */
struct vt_control control SEC(".data.control");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct vt_wire_cpu);
} cpus VT_MAP_ATTR;

/* Calls in flight, kept with the thread from its first one on and freed with it: any number of threads. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct vt_task);
} tasks VT_MAP_ATTR;

/* Objects worth a look at places that everybody passes: the key is the address + enum vt_class, as these are aligned. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VT_OBJECTS);
	__type(key, u64);
	__type(value, u8);
} objects VT_MAP_ATTR;

/* What handlers' callbacks allocate for themselves; some of it is freed where nobody looks, so old entries go. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u32);
} privates VT_MAP_ATTR;

/* Call sites of functions of interest: what the recorder found in the text. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VT_SITES_MAX);
	__type(key, u32);
	__type(value, struct vt_site);
} sites VT_MAP_ATTR;

/*
 * What an ioctl of this thread cannot take back if it fails: a file descriptor
 * that it installed, or, with NO_FD, a session that it marked retrieved.
 */
#define NO_FD (~0ull)
struct vt_installed {
	u64 fd, file;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct vt_installed);
} installed VT_MAP_ATTR;

static __always_inline struct vt_control *ctl_get(void)
{
	return &control;
}

/* The control page while the gate is open, NULL otherwise. */
static __always_inline struct vt_control *ctl_open(void)
{
	return *(volatile unsigned int *)&control.gate ? &control : NULL;
}

static __always_inline void loss_add(struct vt_wire_loss *l)
{
	u64 now = bpf_ktime_get_boot_ns();

	if (!l->count++)
		l->first_ns = now;
	l->last_ns = now;
}

static __always_inline void loss_of(struct vt_wire_cpu *cpu, u32 type)
{
	/* Tested and used in one register, or the verifier does not see that it was. */
	barrier_var(type);
	if (type < VT_EV_MAX)
		loss_add(&cpu->loss[type]);
}

/* A record of TYPE that there could not be: it takes a number, as those do that found no room. */
static __always_inline void loss_count(u16 type)
{
	u32 zero = 0;
	struct vt_wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);

	if (!cpu)
		return;
	cpu->seq++;
	loss_of(cpu, type);
}

/* What there is of the thread, in a call or not. FLAGS: BPF_LOCAL_STORAGE_GET_F_CREATE. */
static __always_inline struct vt_task *task_stored(u64 flags)
{
	return bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, flags);
}

/* The thread's calls in flight; NULL outside of any. */
static __always_inline struct vt_task *task_get(void)
{
	struct vt_task *t = task_stored(0);

	return t && t->depth ? t : NULL;
}

static __always_inline struct vt_frame *frame_at(struct vt_task *t, u32 i)
{
	i &= VT_FRAMES - 1;
	barrier_var(i);
	return &t->frame[i];
}

/* The innermost call. */
static __always_inline struct vt_frame *frame_top(struct vt_task *t)
{
	/* The compiler must ask anew: what it knows of T from before, the verifier does not. */
	barrier_var(t);
	if (!t || !t->depth)
		return NULL;
	return frame_at(t, t->top);
}

static __always_inline void task_begin(struct vt_task *t)
{
	__builtin_memset(t, 0, offsetof(struct vt_task, frame));
}

/* Without memory for it the records within a call of TYPE go without their session: that is a loss of the call's. */
static __always_inline struct vt_task *task_store(u16 type)
{
	struct vt_task *t = task_stored(BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t)
		loss_count(type);
	return t;
}

/* For a call of TYPE. */
static __always_inline struct vt_task *task_make(u16 type)
{
	struct vt_task *t = task_store(type);

	if (t && !t->depth)
		task_begin(t);
	return t;
}

/* Fault injection counts the calls of its section, and the allocations within each. */
static __always_inline void section_enter(struct vt_task *t, u16 type)
{
	struct vt_control *c = ctl_get();

	if (!c->inject_section || c->inject_section != type || t->in_section)
		return;
	t->in_section = t->depth;
	t->section_allocs = 0;
	t->section_call = __sync_fetch_and_add(&c->inject_calls, 1) + 1;
}

/* Enters a traced call. SESSION and TOKEN are inherited when not given. */
static __always_inline struct vt_task *frame_push(u16 type, u64 session, bool has_token, u64 token)
{
	struct vt_task *t = task_make(type);
	struct vt_frame up = {}, *f;

	if (!t)
		return NULL;
	if (t->depth)
		up = *frame_at(t, t->top);
	t->depth++;
	section_enter(t, type);
	if (t->depth > VT_FRAMES)
		return t;
	t->top = t->depth - 1;
	f = frame_at(t, t->top);
	f->type = type;
	f->outer = up.type;
	f->session = session;
	f->object = f->file = 0;
	f->has_token = has_token;
	f->token = token;
	if (session)
		return t;
	f->session = up.session;
	if (!has_token) {
		f->has_token = up.has_token;
		f->token = up.token;
	}
	return t;
}

/* Leaves the call. T as task_get() gave it, or task_make(). */
static __always_inline void frame_pop(struct vt_task *t)
{
	barrier_var(t);
	if (!t || !t->depth)
		return;
	if (t->in_section == t->depth)
		t->in_section = 0;
	if (--t->depth && t->depth <= VT_FRAMES)
		t->top = t->depth - 1;
}

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

/* The verifier trusts this pointer: what it leads to is loaded as it is, without a test of the address. */
static __always_inline void stamp_task(struct vt_wire *w)
{
	struct task_struct *me = bpf_get_current_task_btf();

	w->tgid = me->tgid;
	w->tid = me->pid;
	((u64 *)w->comm)[0] = ((u64 *)me->comm)[0];
	((u64 *)w->comm)[1] = ((u64 *)me->comm)[1];
}

/* Fills what every record has. */
static __always_inline void wire_stamp(struct vt_wire *w, struct vt_task *t, u16 type, u8 phase, u64 seq)
{
	struct vt_frame *f = frame_top(t);

	w->ts_ns = bpf_ktime_get_boot_ns();
	w->seq = seq;
	stamp_task(w);
	w->type = type;
	w->phase = phase;
	w->cpu = bpf_get_smp_processor_id();
	w->optional = 0;
	w->mask = 0;
	w->fault = 0;
	w->site = 0;
	if (!f)
		return;
	/* A call's own entry and exit are not within itself. */
	w->within = f->type == type && phase != VT_POINT ? f->outer : f->type;
	if (f->session)
		w->has_session = load_str(w->session, sizeof(w->session), f->session + bpf_core_field_offset(struct luo_session, name));
	w->slot[VT_S_TOKEN] = f->token;
	w->mask = (u64)f->has_token << VT_S_TOKEN;
}

/* A function of its own, as load_str() is: many programs make several records. */
static __noinline __attribute__((unused)) void *wire_reserve(struct vt_task *t, u64 size, u16 type, u8 phase)
{
	u32 zero = 0;
	struct vt_wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);
	struct vt_wire *w;
	u64 seq;

	if (!cpu || type >= VT_EV_MAX)
		return NULL;
	seq = ++cpu->seq;
	w = bpf_ringbuf_reserve(&ring, size, 0);
	if (!w) {
		loss_of(cpu, type);
		return NULL;
	}
	wire_stamp(w, t, type, phase, seq);
	return w;
}

static __always_inline struct vt_wire *wire_make(struct vt_task *t, u16 type, u8 phase)
{
	return wire_reserve(t, sizeof(struct vt_wire), type, phase);
}

/* With room for a snapshot: snap_file(). */
static __always_inline struct vt_wire *wire_make_pair(struct vt_task *t, u16 type, u8 phase)
{
	struct vt_wire_pair *p = wire_reserve(t, sizeof(*p), type, phase);

	if (!p)
		return NULL;
	p->snap.w.optional = 0;
	return &p->w;
}

static __always_inline struct vt_wire *wire_make_for(struct vt_task *t, u16 type, u8 phase, bool snap)
{
	return snap ? wire_make_pair(t, type, phase) : wire_make(t, type, phase);
}

#define wire_new_in(t, type, phase) wire_make(t, VT_EV_##type, VT_##phase)
#define wire_new(type, phase) wire_new_in(task_get(), type, phase)

static __always_inline void wire_submit(struct vt_control *c, void *w, u64 flags)
{
	__sync_fetch_and_add(&c->produced, 1);
	bpf_ringbuf_submit(w, flags);
}

/*
 * The recorder polls; waking it per event would cost more than the event. It is
 * woken when the ring fills, which every few records is soon enough to see.
 */
#define VT_WAKE_EVERY 8
static __always_inline void wire_send(struct vt_control *c, void *w)
{
	u64 nr = __sync_fetch_and_add(&c->produced, 1);
	bool full = !(nr % VT_WAKE_EVERY) && bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > c->wake_bytes;

	bpf_ringbuf_submit(w, full ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/*
 * Holds the traced task, bounded, until the recorder has done what it was
 * woken for. The program may be preempted, so this works on one CPU too: the
 * recorder runs with a real-time priority.
 */
struct vt_wait {
	volatile u64 *at;
	u64 want, deadline;
};

/*
 * The clock is read now and then only: where it is a device (HPET), reading it
 * without pause keeps a virtual machine from the storage that is waited for.
 */
static long still_waiting(u32 i, struct vt_wait *k)
{
	return *k->at >= k->want || (!(i & 1023) && bpf_ktime_get_boot_ns() >= k->deadline);
}

static long wait_on(u32 i, struct vt_wait *k)
{
	bpf_loop(1 << 20, still_waiting, k, 0);
	return still_waiting(0, k);
}

static __always_inline u64 wait_until(volatile u64 *at, u64 want, u64 limit_ns)
{
	u64 start = bpf_ktime_get_boot_ns();
	struct vt_wait k = { .at = at, .want = want, .deadline = start + limit_ns };

	/* 8M turns are the most that one bpf_loop() takes, a few milliseconds: longer than any limit in two. */
	if (limit_ns)
		bpf_loop(1 << 16, wait_on, &k, 0);
	return bpf_ktime_get_boot_ns() - start;
}

static __always_inline void slot_page(struct vt_control *c, struct vt_wire *w, u64 page)
{
	if (c->vmemmap && page >= c->vmemmap)
		slot(w, VT_S_PHYS, (page - c->vmemmap) / bpf_core_type_size(struct page) << 12);
	else
		slot_fault(w, VT_S_PHYS, 14 /* EFAULT */);
}

static __always_inline void text_str(struct vt_wire *w, enum vt_text is, const void *str)
{
	if (load_str(w->text, sizeof(w->text), (u64)str))
		w->text_is = is;
}

/* The name of a PCI device is 12 characters long as a rule, "0000:00:01.0": two words, and no call. */
static __always_inline void text_bdf(struct vt_wire *w, u64 name)
{
#ifdef VT_LOADS
	const void *k = KERNEL((const void *)name);
	u64 first = get_u64(k, 0), second = get_u64(k, sizeof(first));

	if (first && (u32)second && !(second >> 32 & 0xff)) {
		((u64 *)w->text)[0] = first;
		((u64 *)w->text)[1] = second;
		w->text_is = VT_TEXT_BDF;
		return;
	}
#endif
	text_str(w, VT_TEXT_BDF, (void *)name);
}

/* References on a struct file. The raw f_ref is count - 1, and from 0xC000... on dead (include/linux/file_ref.h). */
static __always_inline s64 file_refs(struct file *f)
{
	u64 raw;

	if (bpf_core_field_exists(struct file, f_ref)) {
		raw = READ(f, f_ref.refcnt.counter);
		return raw >= 0xC000000000000000ULL ? 0 : (s64)raw + 1;
	}
	return READ((struct file___old *)f, f_count.counter);
}

/*
 * How many of the objects fall on PTR's place in the sieve: where none do, the
 * object is not one of them, which is what nearly all that comes by needs to
 * be told. A function's argument is no number to the verifier, but half of it
 * is one.
 */
static __always_inline u32 *sieve_at(struct vt_control *c, u64 ptr)
{
	return &c->sieve[(low_half(ptr) >> 6) * 0x9E3779B1u >> (32 - VT_SIEVE_BITS)];
}

/* An object that is not known where it ends: what would have been told of it then is lost, from now on. */
static __always_inline void untold(u32 cls)
{
	u32 zero = 0;
	struct vt_wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);

	if (cpu && cls < VT_C_MAX)
		loss_add(&cpu->unknown[cls]);
}

#define EEXIST 17
static __always_inline void track(u64 ptr, u32 cls)
{
	u64 key = ptr + cls;
	u8 yes = 1;
	u32 *nr;
	long err;

	if (!ptr)
		return;
	/* Counted before it can be found, so that nobody finds less than there is. */
	nr = sieve_at(&control, ptr);
	__sync_fetch_and_add(nr, 1);
	err = bpf_map_update_elem(&objects, &key, &yes, BPF_NOEXIST);
	if (!err)
		return;
	__sync_fetch_and_add(nr, -1);
	if (err != -EEXIST)
		untold(cls);
}

static __always_inline bool tracked(u64 ptr, u32 cls)
{
	u64 key = ptr + cls;

	return *sieve_at(&control, ptr) && bpf_map_lookup_elem(&objects, &key);
}

/* Whether it was there. */
static __always_inline bool untrack(u64 ptr, u32 cls)
{
	u32 *nr = sieve_at(&control, ptr);
	u64 key = ptr + cls;

	if (!*nr || bpf_map_delete_elem(&objects, &key))
		return false;
	__sync_fetch_and_add(nr, -1);
	return true;
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

/* device, bdf, registration and kref of a vfio device: offsets from the control page. */
static __always_inline void slot_device(struct vt_control *c, struct vt_wire *w, u64 dev)
{
	u64 parent, name, read = 0;
	const void *k;

	if (!dev)
		return;
	slot(w, VT_S_DEVICE, dev);
	/* From there it is a number to the verifier, whatever it was. */
	dev = *(volatile u64 *)&w->slot[VT_S_DEVICE];
	k = KERNEL((const void *)dev);
	read = slot_member(w, VT_S_DEV_KREF, k, dev, c->dev_kref, read);
	read = slot_member(w, VT_S_VFIO_REF, k, dev, c->dev_refcount, read);
	slot_member(w, VT_S_OPEN_COUNT, k, dev, c->dev_open_count, read);
	if (c->dev_dev < 0)
		return;
	parent = get_u64(k, c->dev_dev);
	name = read_u64(parent + bpf_core_field_offset(struct device, kobj) + bpf_core_field_offset(struct kobject, name));
	text_bdf(w, name);
}

/* A file on its way out: it must not be tracked again. */
static __always_inline void slot_file_dying(struct vt_wire *w, struct file *f)
{
	if (!f)
		return;
	slot(w, VT_S_FILE, (u64)f);
	slot(w, VT_S_FILE_REF, file_refs(f));
}

static __always_inline void slot_file(struct vt_wire *w, struct file *f)
{
	if (f && !tracked((u64)f, VT_C_FILE))
		track((u64)f, VT_C_FILE);
	slot_file_dying(w, f);
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

/* df of a vfio device file, 0 for any other file. */
static __always_inline u64 file_df(struct vt_control *c, struct file *f)
{
	struct file *k = KERNEL(f);

	return c->vfio_fops && (u64)GET(k, f_op) == c->vfio_fops ? (u64)GET(k, private_data) : 0;
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

static __always_inline void inode_describe(struct vt_inode *d, struct inode *i)
{
	struct inode *k = KERNEL(i);

	d->ptr = (u64)i;
	d->i_mapping = (u64)GET(k, i_mapping);
	d->ino = GET(k, i_ino);
	d->rdev = GET(k, i_rdev);
	d->pad = 0;
	d->fs[0] = 0;
	load_str(d->fs, sizeof(d->fs), (u64)READ(READ(GET(k, i_sb), s_type), name));
}

/* What there is to say of the device was said by the record beside it, if that is of the same one. */
static __always_inline void snap_device(struct vt_control *c, const struct vt_wire *w, struct vt_wire_snap *s, u64 dev)
{
	u64 mapping = device_mapping(c, dev);

	s->same_device = w->mask & 1ull << VT_S_DEVICE && w->slot[VT_S_DEVICE] == dev;
	if (!s->same_device)
		slot_device(c, &s->w, dev);
	if (!mapping)
		return;
	slot(&s->w, VT_S_DEV_MAPPING, mapping);
	if (!tracked(mapping, VT_C_MAPPING))
		track(mapping, VT_C_MAPPING);
}

/*
 * struct file, whole, and what its pointers point to: behind W, which
 * wire_make_pair() made and which tells of the file already. Where W could not
 * be had, neither can this.
 */
static __noinline __attribute__((unused)) int snap_file(struct vt_task *t, struct vt_wire *w, struct file *f, u32 point)
{
	struct vt_wire_snap *s = &((struct vt_wire_pair *)w)->snap;
	struct vt_frame *frame = frame_top(t);
	struct vt_control *c = ctl_get();
	struct inode *inode, *host = NULL;
	struct vt_wire_cpu *cpu;
	struct address_space *mapping;
	struct file *k;
	u32 size, zero = 0;
	u64 df, dev;

	if (!f)
		return 0;
	if (!w) {
		loss_count(VT_EV_FILE_SNAP);
		return 0;
	}
	cpu = bpf_map_lookup_elem(&cpus, &zero);
	if (!cpu)
		return 0;
	s->w.seq = ++cpu->seq;
	s->w.mask = s->w.fault = 0;
	s->w.point = point;
	s->same_device = 0;
	if (point == VT_P_RELEASE)
		s->w.within = w->within;	/* before the call */
	else if (frame)
		s->w.within = frame->type;
	slot_file_dying(&s->w, f);

	k = KERNEL(f);
	inode = GET(k, f_inode);
	mapping = GET(k, f_mapping);
	if (mapping)
		host = READ(mapping, host);
	inode_describe(&s->inode, inode);
	inode_describe(&s->host, host);
	slot(&s->w, VT_S_MAPPING, (u64)mapping);
	slot(&s->w, VT_S_INODE_MAPPING, s->inode.i_mapping);
	s->dentry[0] = 0;
	load_str(s->dentry, sizeof(s->dentry), (u64)READ(GET(k, f_path.dentry), d_name.name));

	size = bpf_core_type_size(struct file);
	if (size > VT_FILE_RAW)
		size = VT_FILE_RAW;
	s->file_size = bpf_probe_read_kernel(s->file, size, f) ? 0 : size;

	df = file_df(c, f);
	dev = df_device(c, df);
	if (df)
		slot(&s->w, VT_S_DF, df);
	if (dev)
		snap_device(c, w, s, dev);
	return 0;
}

#endif
