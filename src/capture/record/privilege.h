/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Capabilities. To arm: CAP_BPF and CAP_PERFMON (load and attach tracing
 * programs), CAP_SYS_ADMIN (read the BTF of modules, kprobes by address),
 * CAP_SYSLOG (addresses in kallsyms), CAP_SYS_NICE (real-time priority).
 * Modules that come later need the same again, so these stay; all others go,
 * from the bounding set as well. CMD, which is forked before, keeps what it had.
 * CAP_SYS_ADMIN among them can do most of what root can: what goes away is the
 * accident, not an attack.
 */
#ifndef VT_CAPTURE_PRIVILEGE_H
#define VT_CAPTURE_PRIVILEGE_H

#include <stdbool.h>

/* 0, or -EPERM and a sentence that names the capability missing, or what else forbids it. */
int privilege__check(const char **why);
/* OPENS_FILES: the output is opened at the end only, and may be where the rights of root are needed. */
void privilege__drop(bool opens_files);

#endif
