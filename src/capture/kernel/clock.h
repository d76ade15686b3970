/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VT_CAPTURE_CLOCK_H
#define VT_CAPTURE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* In ns. */
uint64_t clock__read(clockid_t id);
/* CLOCK_BOOTTIME, the clock of the records (bpf_ktime_get_boot_ns()): the kernel's, whatever time namespace we are in. */
uint64_t clock__now(void);
/* By how much CLOCK_BOOTTIME is ahead, as /proc/PID/timens_offsets has it. */
int64_t clock__offset(const char *offsets);

#endif
