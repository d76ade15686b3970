/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The programs of a domain's hooks, from its table, HOOKS: one for each end of
 * each hook. multi.bpf.c has those that hooks share.
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
#define SECTION_HOT(name) SEC(name)
#define SECTION_WIDE(name) SEC(name)
#define SECTION_SLEEPS(name) SEC(name ".s")

#endif

#define ARG(type, name)
#define RET(type)

#define HOOK(name, ends, event, functions, share, flags, args...) \
AT_ENTER_##ends(SECTION_##share("fentry") int e_##name(void *ctx) { enter_##name(KERNEL(ctx)); return 0; }) \
AT_EXIT_##ends(SECTION_##share("fexit") int x_##name(void *ctx) { exit_##name(KERNEL(ctx)); return 0; })
#include HOOKS
#undef HOOK

#undef ARG
#undef RET
#undef HOOKS
