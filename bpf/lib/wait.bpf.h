/* SPDX-License-Identifier: GPL-2.0 */
/* Holding the traced task until the recorder is done. */
#ifndef VFIOTRACE_WAIT_BPF_H
#define VFIOTRACE_WAIT_BPF_H

#include "lib/load.bpf.h"
#include "lib/maps.bpf.h"

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

static __always_inline void ring_bell(struct vt_control *c)
{
	bpf_ringbuf_output(&bell, &c->bell, sizeof(c->bell), BPF_RB_FORCE_WAKEUP);
}

/*
 * The recorder stays on the CPU that this task is on: waiting here, where nothing else may run, would keep it from
 * its work. Another thread of its is told, which fetches it from here. False: there is none.
 */
static __always_inline bool make_way(struct vt_control *c)
{
	if ((int)bpf_get_smp_processor_id() != c->recorder_cpu)
		return true;
	if (c->bell != VT_BELL_FETCHES)
		return false;
	ring_bell(c);
	return true;
}

#endif
