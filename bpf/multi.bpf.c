// SPDX-License-Identifier: GPL-2.0
/*
 * Exits do not go by all_x at present: src/capture/attach/multi.c says why.
 *
 * Two programs that all hooks share which may (vfiotrace/hooks.h), one for
 * each end of a call: the cookie of the link says which hook it is. What they
 * all need is verified and compiled once, and that is most of it. A program
 * is for functions whose types one module has, so those of modules get a
 * program that does nothing but jump here.
 *
 * Behind all others in the unit: it has the bodies of all domains.
 */
#include "lib/load.bpf.h"

/* By SHARE: in the switch, or before it. */
#define CASE_OWN(name, body...)
#define CASE_SLEEPS(name, body...)
#define CASE_HOT(name, body...)
#define CASE_SHARED(name, body...) case VT_HOOK_##name: body break;
#define FIRST_OWN(name, body...)
#define FIRST_SLEEPS(name, body...)
#define FIRST_SHARED(name, body...)
#define FIRST_HOT(name, body...) if (hook == VT_HOOK_##name) { body return 0; }

/* As hooks.bpf.h has the ends. */
#define ENTER_FIRST(domain, group, name, ends, event, functions, share, flags, args...) AT_ENTER_##ends(FIRST_##share(name, enter_##name(in);))
#define ENTER_CASE(domain, group, name, ends, event, functions, share, flags, args...) AT_ENTER_##ends(CASE_##share(name, enter_##name(in);))
#define EXIT_FIRST(domain, group, name, ends, event, functions, share, flags, args...) AT_EXIT_##ends(FIRST_##share(name, exit_##name(in);))
#define EXIT_CASE(domain, group, name, ends, event, functions, share, flags, args...) AT_EXIT_##ends(CASE_##share(name, exit_##name(in);))

SEC("fentry") int all_e(void *ctx)
{
	u64 hook = bpf_get_attach_cookie(ctx);
	const void *in = KERNEL(ctx);

#define ROW ENTER_FIRST
#include "vfiotrace/hooks/all.def"
	barrier_var(hook);	/* or the compiler makes them part of the rest */
	switch (hook) {
#define ROW ENTER_CASE
#include "vfiotrace/hooks/all.def"
	}
	return 0;
}

SEC("fexit") int all_x(void *ctx)
{
	u64 hook = bpf_get_attach_cookie(ctx);
	const void *in = KERNEL(ctx);

#define ROW EXIT_FIRST
#include "vfiotrace/hooks/all.def"
	barrier_var(hook);
	switch (hook) {
#define ROW EXIT_CASE
#include "vfiotrace/hooks/all.def"
	}
	return 0;
}

#define JUMP(section, prog) \
struct { \
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
	__uint(max_entries, 1); \
	__type(key, u32); \
	__type(value, u32); \
} prog##_at SEC(".maps"); \
SEC(section) int prog##_far(void *ctx) \
{ \
	bpf_tail_call(ctx, &prog##_at, 0); \
	return 0; \
}

JUMP("fentry", all_e)
JUMP("fexit", all_x)
