/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Data of the kernel. /proc/kallsyms may list functions only (CONFIG_KALLSYMS_ALL
 * is off): then it is looked for in the text of functions that use it, and
 * known by what it holds.
 */
#ifndef VT_CAPTURE_DATA_H
#define VT_CAPTURE_DATA_H

#include "capture/kernel/kernel.h"

struct data {
	const char *name;
	const char *const *users;	/* functions, the list ends with NULL */
	/* Whether it is what stands at AT. */
	bool (*is)(void *arg, uint64_t at);
};

/* Its address, 0 = not found. ARG is for READ, IS_ARG for IS. */
uint64_t data__find(const struct kernel *k, const struct data *what, kernel_read_fn read, void *arg, void *is_arg);

#endif
