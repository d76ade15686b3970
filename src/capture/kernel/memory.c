/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the kernel has its memory: in variables when the layout is randomized,
 * else in the architecture's fixed places.
 */
#include "capture/arch/arch.h"
#include "capture/kernel/kernel.h"

static uint64_t place(const struct kernel *k, const struct arch_place *p, kernel_read_fn read_fn, void *arg)
{
	uint64_t at = kernel__addr(k, p->variable, NULL), v = 0;

	if (!at)
		return p->fixed;
	return read_fn(arg, at, &v, sizeof(v)) ? 0 : v;
}

struct kernel_memory kernel__memory(const struct kernel *k, kernel_read_fn read_fn, void *arg)
{
	return (struct kernel_memory){
		.page_offset = place(k, &arch.page_offset, read_fn, arg),
		.vmemmap = place(k, &arch.vmemmap, read_fn, arg),
	};
}
