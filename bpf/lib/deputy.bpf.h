/* SPDX-License-Identifier: GPL-2.0 */
/*
 * While a task is preempted inside of a program the kernel runs that program
 * for nobody else on the CPU. What is attached to many functions has a deputy
 * that is attached to the same: the first leaves word that it was there, and
 * the deputy, behind it, does the work where there is none. That it did is
 * counted, so what the first missed and the deputy did not do is known to be
 * lost. Both at a time are missed when a task is preempted in each.
 */
#ifndef VFIOTRACE_DEPUTY_BPF_H
#define VFIOTRACE_DEPUTY_BPF_H

#include "lib/maps.bpf.h"

/* Places for a word: for a hit, by the end of the call and where its arguments are, on the stack of its task and the same for both programs. */
static __always_inline u64 *words_of(void *ctx, bool exit)
{
	return control.passed[exit][hash_place(low_half((u64)ctx), VT_PASSED_BITS)];
}

/*
 * The task may lose the CPU before the deputy's turn, and others come by: a place that is taken is not taken over, or their
 * deputies would do once more what was done. Where none is left it is, and that is counted with what is missed.
 */
static __always_inline bool leave_word(void *ctx, bool exit)
{
	u64 *word = words_of(ctx, exit), is;

#pragma unroll
	for (u32 i = 0; i < VT_PASSED_WAYS; i++) {
		is = __sync_val_compare_and_swap(&word[i], 0, (u64)ctx);
		if (!is || is == (u64)ctx)
			return false;
	}
	*(volatile u64 *)word = (u64)ctx;
	__sync_fetch_and_add(&control.crowded, 1);
	return false;
}

static __always_inline bool word_was_left(void *ctx, bool exit)
{
	volatile u64 *word = words_of(ctx, exit);

#pragma unroll
	for (u32 i = 0; i < VT_PASSED_WAYS; i++) {
		if (word[i] == (u64)ctx) {
			word[i] = 0;	/* the task will be at this place again */
			return true;
		}
	}
	__sync_fetch_and_add(&control.deputized[VT_COOKIE_DEPUTY(bpf_get_attach_cookie(ctx)) % VT_DEPUTIES], 1);
	return false;
}

#endif
