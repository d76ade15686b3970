/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/data.h"

#include <stddef.h>

#include "capture/arch/arch.h"

#define TEXT_MAX 4096	/* what a reader can do */

static uint64_t find_in(const struct kernel *k, const char *func, const struct data *what, kernel_read_fn read_fn, void *arg, void *is_arg)
{
	uint64_t addr = kernel__addr(k, func, NULL), size = addr ? kernel__sym_size(k, addr) : 0, target;
	unsigned char text[TEXT_MAX];

	if (size > sizeof(text))
		size = sizeof(text);
	if (!size || read_fn(arg, addr, text, size))
		return 0;
	for (size_t n = 0; arch__next_address(text, size, addr, &n, &target); n++)
		if (!(target % sizeof(void *)) && what->is(is_arg, target))
			return target;
	return 0;
}

uint64_t data__find(const struct kernel *k, const struct data *what, kernel_read_fn read_fn, void *arg, void *is_arg)
{
	uint64_t at = kernel__addr(k, what->name, NULL);

	for (const char *const *func = what->users; !at && *func; func++)
		at = find_in(k, *func, what, read_fn, arg, is_arg);
	return at;
}
