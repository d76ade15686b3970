/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/clock.h"

uint64_t clock__read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

uint64_t clock__now(void)
{
	return clock__read(CLOCK_BOOTTIME);
}
