/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between architectures, all of it: where a kprobe finds the
 * arguments of a function, and its result. An architecture adds its registers,
 * which bpf_tracing.h has by their names in the kernel.
 */
#ifndef VFIOTRACE_ARCH_BPF_H
#define VFIOTRACE_ARCH_BPF_H

#include "vmlinux.h"

/* The layout is ABI: arch/x86/include/asm/ptrace.h, arch/arm64/include/uapi/asm/ptrace.h. */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs { u64 regs[31], sp, pc, pstate; };
#endif

#include <bpf/bpf_tracing.h>

#define REG_ARGS 6	/* arguments in registers that programs on kprobes get: KPROBE_ARGS of src/capture/ */

#ifndef PT_REGS_PARM6	/* libbpf 1.1 ends with the fifth */
#if defined(__TARGET_ARCH_x86)
#define PT_REGS_PARM6(x) ((x)->r9)
#elif defined(__TARGET_ARCH_arm64)
#define PT_REGS_PARM6(x) (__PT_REGS_CAST(x)->regs[5])
#endif
#endif

#endif
