/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Holding tasks of the only CPU while the recorder works.
 *
 * On another CPU the traced task waits inside a BPF program. On the same one that
 * would keep the recorder from running (rcu_read_lock() disables preemption
 * unless PREEMPT_RCU), so there it keeps the CPU instead: woken with a real-time
 * priority it preempts the task, and while it sleeps a second thread of lower
 * real-time priority burns the time that the task would get. Bounded, and nothing
 * on a kernel that is not preemptible.
 */
#ifndef VT_CAPTURE_CPUHOG_H
#define VT_CAPTURE_CPUHOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cpuhog;

/* True when the recorder has to hold the CPU itself. */
bool cpuhog__needed(void);
/* From here to cpuhog__end(), LIMIT_NS at most, ordinary tasks do not run. NULL (and no effect) when that cannot be had. */
struct cpuhog *cpuhog__begin(uint64_t limit_ns);
void cpuhog__end(struct cpuhog *h);
/*
 * By the calling thread, less urgent than the recorder: until OVER(ARG), LIMIT_NS at most, task HELD does not run. Others get
 * the CPU when they want it, as storage needs workers of the kernel's that are ordinary tasks; HELD is the least of all
 * meanwhile (SCHED_IDLE), or it would share with them. HELD 0, or one that cannot be told from others: all ordinary tasks
 * wait. Returns how long that was, in ns.
 */
uint64_t cpuhog__hold(pid_t held, uint64_t limit_ns, bool (*over)(void *arg), void *arg);

#endif
