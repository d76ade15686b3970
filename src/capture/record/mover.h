/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A thread that fetches the recorder from its CPU.
 *
 * Who waits for the recorder inside the kernel keeps its CPU to itself. On the
 * CPU on which the recorder stays that is a wait for nothing, also where it
 * would come first: kernels that do not preempt their own code let nobody in,
 * and neither do tasks that are more urgent. From another CPU a task that wants
 * to run can be moved (sched_setaffinity()), while the other one spins.
 */
#ifndef VT_CAPTURE_RECORD_MOVER_H
#define VT_CAPTURE_RECORD_MOVER_H

#include "capture/record/cpus.h"
#include "vfiotrace/wire.h"

struct mover;

/*
 * For a recorder that stays on the CPU that CTL says, and could be on any of ALLOWED. BELL: the map that rings.
 * NULL: it cannot be had.
 */
struct mover *mover__new(struct vt_control *ctl, const struct cpus *allowed, int bell);
void mover__free(struct mover *m);

#endif
