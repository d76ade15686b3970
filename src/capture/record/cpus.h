/* SPDX-License-Identifier: GPL-2.0 */
/* Sets of CPUs, and where threads may run. */
#ifndef VT_CAPTURE_RECORD_CPUS_H
#define VT_CAPTURE_RECORD_CPUS_H

#include <sched.h>
#include <sys/types.h>

/* As many as a kernel can have (NR_CPUS of x86 with MAXSMP): it refuses to tell more than there is room for, and 1024 are not enough. */
struct cpus {
	cpu_set_t set[8192 / CPU_SETSIZE];
};

/* Those on which the calling thread may run: 0 or -errno. */
int cpus__allowed(struct cpus *out);
/* -1: there is none. */
int cpus__last(const struct cpus *c);
/* Thread TID, 0 for the one that calls, runs on any of C, on CPU alone, or on all of C but CPU: 0 or -errno. */
int cpus__any(pid_t tid, const struct cpus *c);
int cpus__only(pid_t tid, int cpu);
int cpus__but(pid_t tid, const struct cpus *c, int cpu);

#endif
