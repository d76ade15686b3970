/* SPDX-License-Identifier: GPL-2.0 */
/* When the kernel takes the CPU away from a task that is inside of a program of ours. */
#ifndef VT_CAPTURE_PREEMPT_H
#define VT_CAPTURE_PREEMPT_H

#include "capture/kernel/kernel.h"

enum preempt {
	PREEMPT_NEVER,	/* a program runs inside of rcu_read_lock() (__bpf_prog_enter_recur()), which lets nobody in without PREEMPT_RCU */
	PREEMPT_LATER,	/* for most tasks where they leave the kernel, or at a tick (PREEMPT_LAZY, kernel/sched/core.c) */
	PREEMPT_AT_ONCE,	/* as soon as another task is due (preempt=full, PREEMPT_RT), and where it cannot be told */
};

enum preempt preempt__inside(const struct kernel *k, kernel_read_fn read, void *arg);

#endif
