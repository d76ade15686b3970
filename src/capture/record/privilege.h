/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Capabilities. To arm: CAP_BPF and CAP_PERFMON (load and attach tracing
 * programs), CAP_SYS_ADMIN (read the BTF of modules, kprobes by address),
 * CAP_SYSLOG (addresses in kallsyms), CAP_SYS_NICE (real-time priority).
 * Modules that come later need the same again, so these stay; all others go.
 */
#ifndef VT_CAPTURE_PRIVILEGE_H
#define VT_CAPTURE_PRIVILEGE_H

/* 0, or -EPERM and a sentence that names the capability missing. */
int privilege__check(const char **why);
void privilege__drop(void);

#endif
