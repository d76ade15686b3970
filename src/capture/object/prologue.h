/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An fentry or fexit program as a kprobe or kretprobe.
 *
 * Where a function has no fentry call, or no BTF, the same instructions run
 * behind a prologue that lays out on the stack what they expect behind their
 * context pointer: the arguments as 64-bit values, then, on exit, the return
 * value. On return the arguments are gone from the registers: a second
 * program saves them on entry (bpf/kprobe.bpf.c).
 *
 * Only integer and pointer arguments, as many as there are in registers.
 */
#ifndef VT_CAPTURE_PROLOGUE_H
#define VT_CAPTURE_PROLOGUE_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROLOGUE_MAX 48	/* instructions */

struct kprobe_shape {
	int args;		/* arguments of the function */
	bool exit;
	int saved_fd;		/* exit: map of saved arguments */
	uint32_t id;		/* exit: this hook's key in it */
};

/* The deepest byte of the stack that INSNS may touch, as a positive number. */
int prologue__stack_used(const struct bpf_insn *insns, size_t nr);
/* The prologue for a program that uses USED bytes of stack, in OUT; the number of instructions, or -E2BIG when there is no room. */
int prologue__make(const struct kprobe_shape *s, int used, struct bpf_insn out[PROLOGUE_MAX]);

#endif
