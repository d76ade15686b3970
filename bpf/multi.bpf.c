// SPDX-License-Identifier: GPL-2.0
/*
 * Two programs that do the work of all hooks which may share one
 * (vfiotrace/hooks.h), one for each end of a call: the cookie of the link says
 * which hook it is. What they all need is verified and compiled once, and that
 * is most of it. Nothing goes to them but by a program that only jumps: one that
 * is attached is for the functions of one module, and what misses hits while a
 * task is preempted inside should be few (src/capture/attach/multi.c).
 *
 * Behind all others in the unit: it has the bodies of all domains.
 */
#include "lib/load.bpf.h"

/* Those that share, by SHARE. */
#define SHARED_OWN(x...)
#define SHARED_SLEEPS(x...)
#define SHARED_SHARED(x...) x
#define SHARED_HOT(x...) x
#define SHARED_RARE(x...) x

/* What is left to do behind a jump: what is quick was done before it. */
#define BODY_OWN(name)
#define BODY_SLEEPS(name)
#define BODY_SHARED(name) exit_##name
#define BODY_RARE(name) exit_##name
#define BODY_HOT(name) apart_##name

/* As hooks.bpf.h has the ends. */
#define CASE(name, body) case VT_HOOK_##name: body(in); break;
#define ENTER_CASE(domain, group, name, ends, event, functions, share, flags, args...) AT_ENTER_##ends(SHARED_##share(CASE(name, enter_##name)))
#define EXIT_CASE(domain, group, name, ends, event, functions, share, flags, args...) AT_EXIT_##ends(SHARED_##share(CASE(name, BODY_##share(name))))

SEC("fentry") int all_e(void *ctx)
{
	const void *in = KERNEL(ctx);

	switch (bpf_get_attach_cookie(ctx)) {
#define ROW ENTER_CASE
#include "vfiotrace/hooks/all.def"
	}
	return 0;
}

SEC("fexit") int all_x(void *ctx)
{
	const void *in = KERNEL(ctx);

	switch (bpf_get_attach_cookie(ctx)) {
#define ROW EXIT_CASE
#include "vfiotrace/hooks/all.def"
	}
	return 0;
}

/* Where jumps to PROG find it. */
#define PLACE_OF(prog) \
struct { \
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
	__uint(max_entries, 1); \
	__type(key, u32); \
	__type(value, u32); \
} prog##_at SEC(".maps");
/* NAME jumps to PROG, unless IS_DONE. */
#define JUMP(section, name, prog, is_done) \
SEC(section) int name(void *ctx) \
{ \
	if (!(is_done)) \
		bpf_tail_call(ctx, &prog##_at, 0); \
	return 0; \
}

PLACE_OF(all_e)
PLACE_OF(all_x)
JUMP("fentry", all_e_far, all_e, false)
JUMP("fexit", all_x_far, all_x, false)

/* A hook that is passed a million times has a jump that does what is done mostly. */
#define JUMP_OWN(name)
#define JUMP_SLEEPS(name)
#define JUMP_SHARED(name)
#define JUMP_RARE(name)
#define JUMP_HOT(name) JUMP("fexit", all_x_##name, all_x, quick_##name(KERNEL(ctx)))
#define ROW(domain, group, name, ends, event, functions, share, flags, args...) JUMP_##share(name)
#include "vfiotrace/hooks/all.def"
