/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VT_CAPTURE_CLOCK_H
#define VT_CAPTURE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* In ns. */
uint64_t clock__read(clockid_t id);
/* CLOCK_BOOTTIME, the clock of the records (bpf_ktime_get_boot_ns()). */
uint64_t clock__now(void);

#endif
