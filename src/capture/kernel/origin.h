/* SPDX-License-Identifier: GPL-2.0 */
/* Where the running kernel came from, and on which machine: what the kernel before and the one after know as well. */
#ifndef VT_CAPTURE_ORIGIN_H
#define VT_CAPTURE_ORIGIN_H

#include <stddef.h>

#include "capture/kernel/kernel.h"

#define ORIGIN_UNKNOWN (-1)

/*
 * KHO's metadata. COUNT: how often KHO was handed over since the machine was
 * last booted without it; it is 0 as well where the kernel before told nothing.
 */
struct kernel_origin {
	long count;		/* or ORIGIN_UNKNOWN */
	char previous[66];	/* release of the kernel before; "" = none, or unknown */
};

struct kernel_origin origin__of(const struct kernel *k, kernel_read_fn read, void *arg);

/* One record of /dev/kmsg: true when it says where the kernel came from. */
bool origin__told(const char *record, struct kernel_origin *o);

/*
 * A number for the machine that stays the same over a kexec: a hash of the
 * UUID that its firmware gave it, which is nobody's business. "": it has none.
 */
void origin__machine(const char *uuid, char *out, size_t size);

#endif
