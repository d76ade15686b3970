// SPDX-License-Identifier: GPL-2.0
/*
 * Two programs that do the work of all hooks which may share one
 * (vfiotrace/hooks.h), one for each end of a call: the cookie of the link says
 * which hook it is. What they all need is verified and compiled once, and that
 * is most of it. Nothing goes to them but by programs that only jump, which are
 * attached to the functions of one module (src/capture/attach/multi.c).
 *
 * A program misses hits while a task is preempted inside of it: those of all
 * functions that it is attached to. Where that can be there are two, the first
 * and its deputy (lib/deputy.bpf.h).
 *
 * Behind all others in the unit: it has the bodies of all domains.
 */
#include "lib/deputy.bpf.h"

/* Those that share, by SHARE. */
#define SHARED_OWN(x...)
#define SHARED_SLEEPS(x...)
#define SHARED_SHARED(x...) x
#define SHARED_HOT(x...) x
#define SHARED_WIDE(x...) x

/* What is left to do behind a jump: what is quick was done before it. */
#define BODY_OWN(end, name)
#define BODY_SLEEPS(end, name)
#define BODY_SHARED(end, name) end##_##name
#define BODY_HOT(end, name) apart_##name
#define BODY_WIDE(end, name) apart_##name

/* As hooks.bpf.h has the ends. */
#define CASE(name, body) case VT_HOOK_##name: body(in); break;
#define ENTER_CASE(domain, group, name, ends, event, functions, share, flags, args...) AT_ENTER_##ends(SHARED_##share(CASE(name, BODY_##share(enter, name))))
#define EXIT_CASE(domain, group, name, ends, event, functions, share, flags, args...) AT_EXIT_##ends(SHARED_##share(CASE(name, BODY_##share(exit, name))))

/* Where jumps to PROG find it. */
#define PLACE_OF(prog) \
struct { \
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
	__uint(max_entries, 1); \
	__type(key, u32); \
	__type(value, u32); \
} prog##_at SEC(".maps");
PLACE_OF(all_e)
PLACE_OF(all_x)

/*
 * What is attached runs for one task at a time on each CPU, so the kernel gives it a stack of its own there
 * (bpf_enable_priv_stack() in kernel/bpf/verifier.c, since 6.13). These two are attached to nothing, and run for several
 * tasks of which each was preempted within: on one stack they would go on with what others left there. A program that
 * jumps runs on the stack of its task, whether it does jump or not: this is for a cookie that no link has.
 */
#define ON_THE_STACK_OF_ITS_TASK(ctx, prog) bpf_tail_call(ctx, &prog##_at, 0)

SEC("fentry") int all_e(void *ctx)
{
	const void *in = KERNEL(ctx);

	switch ((u16)bpf_get_attach_cookie(ctx)) {
#define ROW ENTER_CASE
#include "vfiotrace/hooks/all.def"
	default:
		ON_THE_STACK_OF_ITS_TASK(ctx, all_e);
	}
	return 0;
}

SEC("fexit") int all_x(void *ctx)
{
	const void *in = KERNEL(ctx);

	switch ((u16)bpf_get_attach_cookie(ctx)) {
#define ROW EXIT_CASE
#include "vfiotrace/hooks/all.def"
	default:
		ON_THE_STACK_OF_ITS_TASK(ctx, all_x);
	}
	return 0;
}

/* NAME jumps to PROG, unless IS_DONE. */
#define JUMP(section, name, prog, is_done) \
SEC(section) int name(void *ctx) \
{ \
	if (!(is_done)) \
		bpf_tail_call(ctx, &prog##_at, 0); \
	return 0; \
}

/* One that is alone; and two, the first, which leaves word, and its deputy. */
#define JUMPS(section, name, prog, exit, is_done) \
JUMP(section, name, prog, is_done) \
JUMP(section, name##_first, prog, leave_word(ctx, exit) || (is_done)) \
JUMP(section, name##_deputy, prog, word_was_left(ctx, exit) || (is_done))

JUMPS("fentry", all_e_far, all_e, false, false)
JUMPS("fexit", all_x_far, all_x, true, false)

/* A hook that is passed a million times has a jump that does what is done mostly. */
#define JUMP_OWN(x...)
#define JUMP_SLEEPS(x...)
#define JUMP_SHARED(x...)
#define JUMP_WIDE(section, all, name, exit) JUMP(section, all##_##name, all, quick_##name(KERNEL(ctx)))
#define JUMP_HOT(section, all, name, exit) JUMPS(section, all##_##name, all, exit, quick_##name(KERNEL(ctx)))
#define ROW(domain, group, name, ends, event, functions, share, flags, args...) \
AT_ENTER_##ends(JUMP_##share("fentry", all_e, name, false)) AT_EXIT_##ends(JUMP_##share("fexit", all_x, name, true))
#include "vfiotrace/hooks/all.def"
