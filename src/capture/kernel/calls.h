/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls in kernel text: which instructions call a function of interest.
 *
 * Those that only look like a call fall away by themselves, see arch.h: the
 * kernel refuses a kprobe that is not on an instruction boundary
 * (arch/x86/kernel/kprobes/core.c, can_probe()), so a false one cannot live.
 */
#ifndef VT_CAPTURE_CALLS_H
#define VT_CAPTURE_CALLS_H

#include "capture/kernel/kernel.h"

struct callee {
	const char *name;
	const char *family;
	uint8_t arg;		/* which argument is the object */
};

/* Somebody's kprobe hides what stands there (ARCH_HIDDEN): it may be a call of anything. */
extern const struct callee calls_hidden;

struct call {
	uint64_t addr;
	const struct callee *callee;
	uint64_t result;	/* where what the call returned is still in its register; 0 = not looked for, or not found */
	bool joined;		/* whoever comes to that place may not come from this call */
};

enum calls_of { CALLS_OF_FREE, CALLS_OF_ALLOC, CALLS_OF_MODULE_GET, CALLS_OF_MODULE_PUT, CALLS_OF_FD_INSTALL };

/* Number of calls in MODULE's text, in *OUT (to be freed; NULL when none), or -errno. READ with ARG reads kernel memory. */
int calls__in_module(const struct kernel *k, const char *module, enum calls_of what,
		     kernel_read_fn read, void *arg, struct call **out);

/*
 * The same where the module is built in: in those of vmlinux's functions around FUNC whose names are OURS, as
 * what one file has stands together.
 */
int calls__around(const struct kernel *k, const char *func, bool (*ours)(const char *name), enum calls_of what,
		  kernel_read_fn read, void *arg, struct call **out);

/* The same in functions of vmlinux by name (the list ends with NULL), and in the parts that a compiler made of them. */
int calls__in_functions(const struct kernel *k, const char *const *names, enum calls_of what,
			kernel_read_fn read, void *arg, struct call **out);

/* The same in the functions that stand at ADDR[]. */
int calls__at(const struct kernel *k, const uint64_t *addr, size_t nr, enum calls_of what,
	      kernel_read_fn read, void *arg, struct call **out);

/* Finds the place of C's result (capture/arch/arch.h): 0 or -errno. */
int calls__find_result(const struct kernel *k, struct call *c, kernel_read_fn read, void *arg);

#endif
