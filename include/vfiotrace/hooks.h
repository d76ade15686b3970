/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hooks: which functions of the kernel are looked at, and what they are
 * taken for. One line each in hooks/<domain>.def, the one place where it stands:
 * the rows of the plan (src/capture/plan/plan.c), the programs, their types for
 * arguments and result, and the programs that hooks share (bpf/lib/) are made
 * from it. What is left to write is the body, ENTER(name) or EXIT(name) in
 * bpf/<domain>.bpf.c; without it, with one too many, or with one that reads
 * what the function does not have, nothing is built.
 *
 *	HOOK(name, ends, EVENT, "functions", share, flags, ARG(type, name) ... RET(type))
 *
 * name		programs are e_<name> and x_<name>
 * ends		ENTER, EXIT or BOTH: which ends of the call are looked at
 * EVENT	type of its records; where several lines have one type their bodies
 *		tell which line it is by the record's VARIANT, from 0 on
 * functions	"one|other" where posted versions differ, newest first: the first
 *		that the kernel at hand has is taken; sys_ stands for the
 *		architecture's prefix, too. Of a handler's callback: its place in
 *		struct liveupdate_file_ops
 * share	SHARED: may be served by a program that others share, where the
 *		kernel can attach one program to many functions at a time
 *		(BPF_TRACE_FENTRY_MULTI, since 7.2): what they all need is then
 *		verified and compiled once (bpf/multi.bpf.c)
 *		HOT: the same, and what its QUICK() does is done before that, in
 *		a program of the hook's own
 *		WIDE: HOT where the whole machine passes, which must not pay for
 *		a deputy, see below
 *		OWN: hooks that hold their task for a while, and hooks that the
 *		whole machine passes. While a program runs the kernel does not
 *		run it again on the same CPU, so hooks on one can miss each
 *		other's calls there when a task is preempted within; the kernel
 *		counts that. What is shared has a deputy (bpf/lib/deputy.bpf.h).
 *		SLEEPS: its own, and sleepable
 * flags	enum vt_hook_flag
 * ARG, RET	what the function takes and gives, all of it: a kernel whose
 *		function has another shape is not read by this hook. `void *`
 *		is any pointer; numbers are long, int or bool, with u64 and u32
 *		for those without a sign. No RET: void
 */
#ifndef VFIOTRACE_HOOKS_H
#define VFIOTRACE_HOOKS_H

enum vt_hook_flag {
	VT_HOOK_CALLBACK = 1,	/* called through a pointer: it takes its arguments as its type says, whatever the compiler knows of its callers */
	VT_HOOK_OLDER = 2,	/* stands in for the hook of the line above where the kernel has not that one */
};

/* The number of a hook is the lower 16 bits of the cookie of its link where it shares a program, the deputy's is above. */
#define VT_COOKIE(hook, deputy) ((unsigned long long)(deputy) << 16 | (hook))
#define VT_COOKIE_DEPUTY(cookie) ((cookie) >> 16)
enum vt_hook {
#define ROW(domain, group, name, ...) VT_HOOK_##name,
#include "vfiotrace/hooks/all.def"
	VT_HOOKS
};

#endif
