/* SPDX-License-Identifier: GPL-2.0 */
/*
 * HOOK(): BPF_PROG() for a hook that has its own program, and may be called
 * by its family's (vfiotrace/together.h). TOGETHER() begins one of these.
 */
#ifndef VFIOTRACE_TOGETHER_BPF_H
#define VFIOTRACE_TOGETHER_BPF_H

#include "load.bpf.h"
#include "vfiotrace/together.h"
#include <bpf/bpf_tracing.h>

/* As ___bpf_ctx_cast(): the context for helpers, and the arguments from an array. */
#define vt_cast0() ctx
#define vt_cast1(x) vt_cast0(), (void *)a[0]
#define vt_cast2(x, args...) vt_cast1(args), (void *)a[1]
#define vt_cast3(x, args...) vt_cast2(args), (void *)a[2]
#define vt_cast4(x, args...) vt_cast3(args), (void *)a[3]
#define vt_cast(args...) ___bpf_apply(vt_cast, ___bpf_narg(args))(args)

#define HOOK(name, args...) \
name(unsigned long long *ctx); \
static __always_inline int ____##name(unsigned long long *ctx, ##args); \
int name(unsigned long long *ctx) \
{ \
	_Pragma("GCC diagnostic push") \
	_Pragma("GCC diagnostic ignored \"-Wint-conversion\"") \
	return ____##name(___bpf_ctx_cast(args)); \
	_Pragma("GCC diagnostic pop") \
} \
static __always_inline __attribute__((unused)) int in_##name(unsigned long long *ctx, const unsigned long long *a) \
{ \
	_Pragma("GCC diagnostic push") \
	_Pragma("GCC diagnostic ignored \"-Wint-conversion\"") \
	return ____##name(vt_cast(args)); \
	_Pragma("GCC diagnostic pop") \
} \
static __always_inline int ____##name(unsigned long long *ctx, ##args)

/*
 * A program that is attached to many functions has no types for its arguments,
 * which lie in the context as ever, the result behind them: read as plain
 * memory. Kernels that have such programs have the cast, so the build without
 * it has no need of them.
 *
 * What several hooks do goes by the event's type in the cookie, and not by the
 * case: then it is there once, and the verifier looks at it once.
 */
#ifdef VT_LOADS
#define TOGETHER(section, prog, family, hook, type, a) \
static __always_inline int hooks_##prog(unsigned long long *ctx, const unsigned long long *a, enum vt_##family##_hook hook, u16 type); \
SEC(section) int prog(unsigned long long *ctx) \
{ \
	u64 cookie = bpf_get_attach_cookie(ctx); \
\
	return hooks_##prog(ctx, KERNEL(ctx), VT_COOKIE_HOOK(cookie), VT_COOKIE_EVENT(cookie)); \
} \
static __always_inline int hooks_##prog(unsigned long long *ctx, const unsigned long long *a, enum vt_##family##_hook hook, u16 type)

#define CASE(name) case VT_HOOK_##name
#define OWN_ENTER(name) case VT_HOOK_##name: return in_e_##name(ctx, a)
#define OWN_EXIT(name) case VT_HOOK_##name: return in_x_##name(ctx, a)

/* Jumps to PROG, for functions whose types are another module's than PROG was loaded for. */
#define FAR_TOGETHER(section, prog) \
struct { \
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
	__uint(max_entries, 1); \
	__type(key, u32); \
	__type(value, u32); \
} prog##_at SEC(".maps"); \
SEC(section) int prog##_far(unsigned long long *ctx) \
{ \
	bpf_tail_call(ctx, &prog##_at, 0); \
	return 0; \
}
#endif

#endif
