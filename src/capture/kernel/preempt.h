/* SPDX-License-Identifier: GPL-2.0 */
/* When the kernel takes the CPU away from a task that is inside of it. */
#ifndef VT_CAPTURE_PREEMPT_H
#define VT_CAPTURE_PREEMPT_H

#include "capture/kernel/kernel.h"

/*
 * Whether as soon as another task is due, wherever it is (preempt=full, PREEMPT_RT), or, for most tasks, where it leaves
 * the kernel (PREEMPT_LAZY, kernel/sched/core.c). True where it cannot be told.
 */
bool preempt__at_once(const struct kernel *k, kernel_read_fn read, void *arg);

#endif
