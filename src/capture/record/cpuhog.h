/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Holding the kernel while the recorder works, when both are on the same CPU.
 *
 * On another CPU the traced task waits inside a BPF program. On the same one that
 * would keep the recorder from running (rcu_read_lock() disables preemption
 * unless PREEMPT_RCU), so there the recorder keeps the CPU instead: woken with
 * a real-time priority it preempts the task, and while it sleeps in fdatasync()
 * a second thread of lower real-time priority burns the time that the task
 * would get. Bounded, and nothing on a kernel that is not preemptible.
 */
#ifndef VT_CAPTURE_CPUHOG_H
#define VT_CAPTURE_CPUHOG_H

#include <stdbool.h>
#include <stdint.h>

struct cpuhog;

/* True when the recorder has to hold the CPU itself. */
bool cpuhog__needed(void);
/* From here to cpuhog__end(), LIMIT_NS at most, ordinary tasks do not run. NULL (and no effect) when that cannot be had. */
struct cpuhog *cpuhog__begin(uint64_t limit_ns);
void cpuhog__end(struct cpuhog *h);

#endif
