/* SPDX-License-Identifier: GPL-2.0 */
/* Complaints: one line on stderr, prefixed with the tool's name. */
#ifndef VT_BASE_SAY_H
#define VT_BASE_SAY_H

#include "vfiotrace/exit.h"

void vt_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* vt_say() and return the code: `return vt_fail(VT_EXIT_IO, "...")`. */
int vt_fail(enum vt_exit code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
