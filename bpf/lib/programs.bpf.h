/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The programs of a domain's hooks, from its table, HOOKS: one for each end of
 * each hook, and, where DOMAIN is given, one for all that share
 * (all_e_<domain>, all_x_<domain>), whose cookie says which hook it is.
 *
 * The context is read as plain memory: the verifier has no opinion of the
 * arguments then, and what it accepts of one program it accepts of the other,
 * and of the same instructions on a kprobe. What several hooks do and takes
 * long to verify is a global function that takes numbers: it is looked at once,
 * and not for each case.
 *
 * No guard: once for each domain, behind the bodies.
 */
#ifndef VFIOTRACE_PROGRAMS_BPF_H
#define VFIOTRACE_PROGRAMS_BPF_H

#define SECTION_OWN(name) SEC(name)
#define SECTION_SHARED(name) SEC(name)
#define SECTION_SLEEPS(name) SEC(name ".s")

#define CASE_OWN(name, body...)
#define CASE_SLEEPS(name, body...)
#define CASE_SHARED(name, body...) case VT_HOOK_##name: body break;

#define NAME2(a, b) a##b
#define NAME1(a, b) NAME2(a, b)

/* Jumps to PROG, for functions whose types are another module's than PROG was loaded for. */
#define FAR(section, prog) \
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

#endif

#define ARG(type, name)
#define RET(type)

#define HOOK(name, ends, event, functions, share, flags, args...) \
AT_ENTER_##ends(SECTION_##share("fentry") int e_##name(void *ctx) { enter_##name(KERNEL(ctx)); return 0; }) \
AT_EXIT_##ends(SECTION_##share("fexit") int x_##name(void *ctx) { exit_##name(KERNEL(ctx)); return 0; })
#include HOOKS
#undef HOOK

#ifdef DOMAIN
SEC("fentry") int NAME1(all_e_, DOMAIN)(void *ctx)
{
	u64 hook = bpf_get_attach_cookie(ctx);
	const void *in = KERNEL(ctx);

	switch (hook) {
#define HOOK(name, ends, event, functions, share, flags, args...) AT_ENTER_##ends(CASE_##share(name, enter_##name(in);))
#include HOOKS
#undef HOOK
	}
	return 0;
}

SEC("fexit") int NAME1(all_x_, DOMAIN)(void *ctx)
{
	u64 hook = bpf_get_attach_cookie(ctx);
	const void *in = KERNEL(ctx);

	switch (hook) {
#define HOOK(name, ends, event, functions, share, flags, args...) AT_EXIT_##ends(CASE_##share(name, exit_##name(in);))
#include HOOKS
#undef HOOK
	}
	return 0;
}
#endif

#undef ARG
#undef RET
#undef HOOKS
#undef DOMAIN
