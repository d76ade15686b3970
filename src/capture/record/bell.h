/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thread that programs ring for when a task inside the kernel and the recorder
 * stand in each other's way.
 *
 * Who waits for the recorder inside the kernel keeps its CPU to itself. On the
 * CPU on which the recorder stays that is a wait for nothing, also where it
 * would come first: kernels that do not preempt their own code let nobody in,
 * and neither do tasks that are more urgent. From another CPU a task that wants
 * to run can be moved (sched_setaffinity()), while the other one spins.
 *
 * Where there is no other CPU nobody waits inside the kernel: there this thread
 * keeps the CPU from the task that is about to jump (cpuhog.h), whatever the
 * recorder is doing just then.
 */
#ifndef VT_CAPTURE_RECORD_BELL_H
#define VT_CAPTURE_RECORD_BELL_H

#include <stdbool.h>

#include "capture/record/cpus.h"
#include "vfiotrace/wire.h"

struct bell;

/*
 * For a recorder that stays on the CPU that CTL says, and could be on any of ALLOWED. MAP: what rings. ALONE: the machine has
 * no other CPU. NULL: it cannot be had.
 */
struct bell *bell__new(struct vt_control *ctl, const struct cpus *allowed, int map, bool alone);
void bell__free(struct bell *b);

#endif
