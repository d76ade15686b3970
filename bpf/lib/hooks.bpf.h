/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the bodies of a domain's hooks are given, from its table, HOOKS. For
 * ENTER(name) that is IN, with the function's arguments by their names, and
 * for EXIT(name) the same and, behind them, RET: the kernel lays them out one by
 * one, 8 bytes each, at the program's context. Arguments are as they were at
 * entry. No guard: once for each domain, before the bodies. programs.bpf.h
 * comes behind them.
 */
#ifndef HOOKS
#error "HOOKS names the table"
#endif

#ifndef VFIOTRACE_HOOKS_BPF_H
#define VFIOTRACE_HOOKS_BPF_H

#include "lib/load.bpf.h"
#include "vfiotrace/hooks.h"

/* Little endian: the lower bytes of a place are its value. */
#define PLACE __attribute__((aligned(8)))

#define AT_ENTER_ENTER(x...) x
#define AT_ENTER_BOTH(x...) x
#define AT_ENTER_EXIT(x...)
#define AT_EXIT_ENTER(x...)
#define AT_EXIT_BOTH(x...) x
#define AT_EXIT_EXIT(x...) x

/* The body of a hook. The assertion is for one that the table has not. */
#define ENTER(name) \
_Static_assert(sizeof(struct e_##name) + 1, "the table has no such hook, or not for this end"); \
static __always_inline void enter_##name(const struct e_##name *in)
#define EXIT(name) \
_Static_assert(sizeof(struct x_##name) + 1, "the table has no such hook, or not for this end"); \
static __always_inline void exit_##name(const struct x_##name *in)
/* Of a HOT or WIDE hook: what is done where it is called, before any jump; true: that was all. Behind it, what else there is to do. */
#define QUICK_AT(end, name) static __always_inline bool quick_##name(const struct end##_##name *in)
#define QUICK_ENTER(name) QUICK_AT(e, name)
#define QUICK_EXIT(name) QUICK_AT(x, name)
#define APART_AT(END, end, name) \
static __always_inline void apart_##name(const struct end##_##name *in); \
END(name) { if (!quick_##name(in)) apart_##name(in); } \
static __always_inline void apart_##name(const struct end##_##name *in)
#define APART_ENTER(name) APART_AT(ENTER, e, name)
#define APART_EXIT(name) APART_AT(EXIT, x, name)

#endif

#define ARG(type, name) type name PLACE;
#define RET(type)
#define HOOK(name, ends, event, functions, share, flags, args...) \
AT_ENTER_##ends(struct e_##name { args }; static __always_inline void enter_##name(const struct e_##name *in);)
#include HOOKS
#undef HOOK
#undef RET

#define RET(type) type ret PLACE;
#define HOOK(name, ends, event, functions, share, flags, args...) \
AT_EXIT_##ends(struct x_##name { args }; static __always_inline void exit_##name(const struct x_##name *in);)
#include HOOKS
#undef HOOK
#undef RET
#undef ARG

/* Nothing that takes two places, as a struct by value does. */
#define ARG(type, name) + 8
#define RET(type) + 8
#define HOOK(name, ends, event, functions, share, flags, args...) \
AT_EXIT_##ends(_Static_assert(sizeof(struct x_##name) == 0 args, "8 bytes for each argument of " #name);)
#include HOOKS
#undef HOOK
#undef RET
#undef ARG
