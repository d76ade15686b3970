/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between architectures. One file each: the Makefile takes the
 * one of the machine. Kernel text is given as bytes, so that nothing here
 * needs a kernel.
 */
#ifndef VT_CAPTURE_ARCH_H
#define VT_CAPTURE_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCH_ARGS_MAX 8		/* arguments in registers, on the architecture that has most of them */

struct arch {
	const char *syscall_prefix;	/* of the functions that system calls begin in: "__x64_" */
	size_t call_len;		/* of a call instruction: text that is read in pieces overlaps by one byte less */
	size_t veneer_len;		/* see arch__veneer(); 0 = there are none */
	int nr_args;			/* integer arguments in registers */
	int arg_at[ARCH_ARGS_MAX];	/* where struct pt_regs holds them, in bytes, */
	int ret_at;			/* and what a function returned */
	const char *page_offset, *vmemmap;	/* variables: beginning of the direct map and of the page array; NULL = it has none, see capture/kernel/memory.c */
};
extern const struct arch arch;

/*
 * The next instruction of TEXT, which stands at ADDR, that may be a direct call or a
 * jump out of its function, from *AT on: true, with where it is in *AT and what it
 * leads to. What only looks like one must hit its TARGET by chance to be
 * taken for one, and the kernel refuses a kprobe that is not on an instruction.
 */
bool arch__next_call(const unsigned char *text, size_t len, uint64_t addr, size_t *at, uint64_t *target);

/* The target of what stands under somebody's kprobe, where that leaves nothing of it. */
#define ARCH_HIDDEN 0

/*
 * A function that is too far away is called by way of a few instructions that go there. TEXT:
 * arch.veneer_len bytes at ADDR, to which a call leads; true: they go on to *TARGET.
 */
bool arch__veneer(const unsigned char *text, uint64_t addr, uint64_t *target);

/*
 * The next address that TEXT, which stands at ADDR, may name, from the *N-th place
 * on: true, with the place in *N. Most are none: who asks knows the one that is
 * meant when it is seen.
 */
bool arch__next_address(const unsigned char *text, size_t len, uint64_t addr, size_t *n, uint64_t *target);

/*
 * What a call returned, read by a kprobe behind it that the kernel never
 * optimizes.
 *
 * An optimized kprobe is a jump, and making one waits in the kernel's
 * optimizer, under the mutex that every other registration needs, until each
 * task has scheduled once (kernel/kprobes.c, kprobe_optimizer()): a task that
 * we hold does not.
 */
struct arch_result {
	size_t at;	/* in the text */
	bool joined;	/* some jump of the function seems to lead to the place, or between it and the call */
};

/*
 * The first place behind the call at TEXT[CALL], on the straight line, where such a kprobe
 * may stand with the result still in its register. 0, -ENOENT (it is overwritten
 * first, or an instruction is not known), or -EBUSY (someone's probe is in the way).
 */
int arch__result_place(const unsigned char *text, size_t len, size_t call, struct arch_result *out);

#endif
