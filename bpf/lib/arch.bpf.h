/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between architectures, all of it: where a kprobe finds the
 * arguments of a function, and its result. An architecture adds its
 * struct pt_regs to vmlinux.h and, where it passes more arguments in registers
 * than bpf_tracing.h names, their number here.
 */
#ifndef VFIOTRACE_ARCH_BPF_H
#define VFIOTRACE_ARCH_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_tracing.h>

#define REG_ARGS 6	/* arguments in registers that programs on kprobes get: KPROBE_ARGS of src/capture/ */

#ifndef PT_REGS_PARM6	/* libbpf 1.1 ends with the fifth */
#if defined(__TARGET_ARCH_x86)
#define PT_REGS_PARM6(regs) ((regs)->r9)
#elif defined(__TARGET_ARCH_arm64)
#define PT_REGS_PARM6(regs) (__PT_REGS_CAST(regs)->regs[5])
#endif
#endif

#endif
