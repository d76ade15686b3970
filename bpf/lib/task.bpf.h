/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The traced calls that a task is inside of, innermost last. Each record that
 * is made within takes its session, token and call from here.
 */
#ifndef VFIOTRACE_TASK_BPF_H
#define VFIOTRACE_TASK_BPF_H

#include "lib/maps.bpf.h"
#include "vfiotrace/blocks.h"

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
	u64 page, step;		/* the first, and from one to the next */
	u64 lru;		/* lru.next as the folio was restored; 0: of each its own address */
	u32 tid, nr;
};
struct vt_folios {
	u64 first;		/* place of the first of them in the table */
	u32 nr, seen, freed, held, cached, pad;
	struct vt_folio last;	/* newest one in a page cache that is as it was restored */
};

/* blocks.bpf.h: blocks side by side that one record will stand for. */
struct vt_run {
	u64 first, next;	/* struct page of the first block, and behind the last; of the block that was told where there are no more */
	u64 step;		/* bytes of struct page that a block has, 0 = no run */
	u64 lru;		/* of restored folios: as in struct vt_folio */
	u32 blocks;		/* that wait to be told */
	u16 type;
	u8 order, depth;
};

/*
 * Runs that may go on, the one that did last in front: the page allocator serves
 * from several places in turn.
 */
#define VT_RUNS_OPEN 4	/* power of two */

/* Blocks of which none will have a record, by their sum until their call is over: those of one type and order. */
struct vt_rest {
	u64 digest;
	u32 count;
	u16 type;		/* 0 = there are none such (yet) */
	u8 order;
	bool watched;		/* each is remembered, too */
};
struct vt_runs {
	u64 owner;		/* the task whose innermost call it is, 0 = nobody's */
	struct vt_rest rest;
	struct vt_run run[VT_RUNS_OPEN];
};

/* What the innermost call did to blocks of one order. */
enum vt_way { VT_GIVEN, VT_TAKEN_BACK, VT_RESTORED, VT_WAYS };
#define VT_SUMS 64	/* VT_WAYS * VT_ORDERS, and up to a power of two */
struct vt_sum {
	u64 digest, pages;
	u32 count, untold;
};

/* Read once for the outermost call, where most records say them. */
enum vt_name { VT_NAME_SESSION, VT_NAME_HANDLER, VT_NAMES };

struct vt_task {
	u32 depth;
	u32 top;	/* frame of the innermost call: calls nested deeper than we remember share the last */
	u32 kho_depth;
	u32 in_section;		/* depth + 1 at which the section of fault injection began, 0 = outside */
	u32 section_call, section_allocs;
	u32 folio_watch;
	u32 worked;		/* enum vt_event_type of the call just over that an ioctl cannot take back, 0 = none */
	struct vt_folios folios;	/* restored by the call at hand */
	u32 kho_given, kho_taken;	/* calls that preserved and unpreserved within the callback at hand */
	u64 named[VT_NAMES];	/* the session, the handler that NAME is of, 0 = none */
	bool name_long[VT_NAMES];	/* it goes on behind the first two words */
	struct vt_frame frame[VT_FRAMES];
	/* These stay until they are told, or dropped because the end of their call was not seen. */
	u32 runs_at;		/* where the open runs are: 1 + a CPU's number, RUNS_HERE, or 0 = there are none */
	u32 runs_depth;		/* DEPTH of the call that runs and sums belong to */
	u32 nr_runs;		/* records of runs within it */
	u32 nr_sums;		/* how many of SUM are in use, and which: */
	u8 used[VT_SUMS];
	struct vt_runs runs;
	struct vt_sum sum[VT_SUMS];	/* all 0 where it is not in use */
	struct str64 name[VT_NAMES];
	/* These stay from call to call: a bit for each enum vt_event_type of which a call was seen to begin, or was in flight at first. */
	u64 known[VT_EV_MAX / 64 + 1];
};

/* Calls in flight, kept with the thread from its first one on and freed with it: any number of threads. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct vt_task);
} tasks VT_MAP_ATTR;

/* What there is of the thread, in a call or not. FLAGS: BPF_LOCAL_STORAGE_GET_F_CREATE. */
static __noinline struct vt_task *task_stored(u64 flags)
{
	return bpf_task_storage_get(&tasks, bpf_get_current_task_btf(), NULL, flags);
}

/* The thread's calls in flight; NULL outside of any. */
static __noinline __attribute__((unused)) struct vt_task *task_get(void)
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

/* Somebody is inside of a call, for those that the whole machine passes. */
static __always_inline bool calls_in_flight(void)
{
	return *(volatile unsigned int *)&control.calls;
}

/* Without memory for it the records within a call of TYPE go without their session: that is a loss of the call's. */
static __noinline __attribute__((unused)) struct vt_task *task_store(u32 type)
{
	struct vt_task *t = task_stored(BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!t)
		loss_count(type);
	return t;
}

/* The thread's first call of TYPE that we know of, from now on it is not. */
static __always_inline bool task_first(struct vt_task *t, u32 type)
{
	u64 *known, bit = 1ull << (type & 63);
	bool first;

	barrier_var(type);
	if (type >= VT_EV_MAX)
		return false;
	known = &t->known[type / 64];
	first = !(*known & bit);
	*known |= bit;
	return first;
}

/* For a call of TYPE. */
static __noinline __attribute__((unused)) struct vt_task *task_make(u32 type)
{
	struct vt_task *t = task_store(type);

	if (t && !t->depth)
		task_begin(t);
	return t;
}

/* Fault injection counts the calls of its section, and the allocations within each. */
static __always_inline void section_enter(struct vt_task *t, u32 type)
{
	struct vt_control *c = ctl_get();

	if (!c->inject_section || c->inject_section != type || t->in_section)
		return;
	t->in_section = t->depth;
	t->section_allocs = 0;
	t->section_call = __sync_fetch_and_add(&c->inject_calls, 1) + 1;
}

/* T's is in a call of TYPE from here on. SESSION and TOKEN are inherited when not given. */
__noinline int frame_begin(struct vt_task *t, u32 type, u64 session, bool has_token, u64 token)
{
	struct vt_frame *up = NULL, *f;
	u32 depth;

	if (!t)
		return 0;
	task_first(t, type);
	depth = t->depth;
	if (depth)
		up = frame_at(t, t->top);
	else
		__sync_fetch_and_add(&control.calls, 1);
	t->depth = depth + 1;
	section_enter(t, type);
	if (depth >= VT_FRAMES)
		return 0;
	t->top = depth;
	f = frame_at(t, depth);
	f->type = type;
	f->outer = up ? up->type : 0;
	f->object = f->file = 0;
	if (session) {
		t->named[VT_NAME_SESSION] = 0;	/* another one may have been at this address before */
	} else if (up) {
		session = up->session;
		if (!has_token) {
			has_token = up->has_token;
			token = up->token;
		}
	}
	f->session = session;
	f->has_token = has_token;
	f->token = token;
	return 0;
}

/* Enters a traced call, of the thread that T is of: as task_store() gave it, a look-up is dear. */
static __always_inline void frame_push_in(struct vt_task *t, u32 type, u64 session, bool has_token, u64 token)
{
	if (t && !t->depth)
		task_begin(t);
	frame_begin(t, type, session, has_token, token);
}

static __always_inline struct vt_task *frame_push(u32 type, u64 session, bool has_token, u64 token)
{
	struct vt_task *t = task_make(type);

	frame_begin(t, type, session, has_token, token);
	return t;
}

static __always_inline void frame_drop(struct vt_task *t)
{
	if (t->in_section == t->depth)
		t->in_section = 0;
	if (--t->depth && t->depth <= VT_FRAMES)
		t->top = t->depth - 1;
	if (!t->depth)
		__sync_fetch_and_add(&control.calls, -1);
}

/* Of the thread's calls: how many lie above the newest of TYPE; VT_FRAMES: there is none. Loops are bpf_loop(), of which the verifier sees one turn. */
struct frames_walk {
	struct vt_task *t;
	u32 type, above;
};

static long frame_look(u32 i, struct frames_walk *k)
{
	if (i >= k->t->depth)
		return 1;
	if (frame_at(k->t, k->t->depth - 1 - i)->type != k->type)
		return 0;
	k->above = i;
	return 1;
}

static long frame_ended_unseen(u32 i, struct frames_walk *k)
{
	if (!k->t->depth)
		return 1;
	half_count(frame_at(k->t, k->t->top)->type);
	frame_drop(k->t);
	return 0;
}

/*
 * The end of a call that we did not see begin: it is a loss of its type, unless the thread may be
 * in it since before the gate was opened. That can be once, and with no call of TYPE before it,
 * as calls of one type do not nest.
 */
static __always_inline void half_end(u32 type)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct vt_task *t = task_stored(BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (t && task_first(t, type) && READ(task, start_boottime) < ctl_get()->gate_ns)
		return;
	half_count(type);
}

/*
 * The innermost call is not of TYPE: of some call only one end was seen (the
 * other half of its hook was attached later, or the kernel had to leave it
 * out). What lies above the newest call of TYPE has ended unseen and goes; with
 * no such call nothing does, as it began unseen. The call that was seen by half
 * is a loss of its type.
 */
__noinline int frames_mend(u32 type)
{
	struct frames_walk k = { .t = task_get(), .type = type, .above = VT_FRAMES };

	if (k.t)
		bpf_loop(VT_FRAMES, frame_look, &k, 0);
	if (k.above >= VT_FRAMES) {
		half_end(type);
		return 0;
	}
	bpf_loop(k.above, frame_ended_unseen, &k, 0);
	if (k.t && k.t->depth)
		frame_drop(k.t);
	return 0;
}

/* Leaves a call of TYPE, while the gate is open. T as task_get() gave it, or task_stored(). */
__noinline int frame_pop(struct vt_task *t, u32 type)
{
	struct vt_frame *f = frame_top(t);

	/* Of calls nested deeper than we remember the types are not known. */
	if (f && (f->type == type || t->depth > VT_FRAMES))
		frame_drop(t);
	else
		frames_mend(type);
	return 0;
}

/* The same for a call that its ioctl cannot take back once it worked. One that something else than an ioctl made is inside of that. */
static __always_inline void frame_pop_worked(struct vt_task *t, u32 type, int ret)
{
	frame_pop(t, type);
	if (t && !t->depth && !ret)
		t->worked = type;
}

#endif
