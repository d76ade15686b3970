/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a call returned, read by a kprobe behind it that the kernel never
 * optimizes.
 *
 * An optimized kprobe is a jump, and making one waits in the kernel's
 * optimizer, under the mutex that every other registration needs, until each
 * task has scheduled once (kernel/kprobes.c, kprobe_optimizer()): a task that
 * we hold does not. Jumps and calls are never copied out of line
 * (arch/x86/kernel/kprobes/core.c, can_boost()), so a kprobe on one stays an
 * int3.
 */
#ifndef VT_CAPTURE_BEHIND_H
#define VT_CAPTURE_BEHIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct behind {
	size_t at;	/* in the text */
	bool joined;	/* some jump of the function seems to lead to the place, or between it and the call */
};

/*
 * The first jump or call on the straight line behind the 5-byte call at
 * TEXT[CALL], with rax as the call left it. 0, -ENOENT (rax is overwritten
 * first, or an instruction is not known), or -EBUSY (someone's probe is in the way).
 */
int behind__place(const unsigned char *text, size_t len, size_t call, struct behind *out);

#endif
