/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where arming spends its time. Phases follow each other: one ends when the
 * next begins. Told by `record --verbose`, kept in the trace's metadata.
 */
#ifndef VT_CAPTURE_PHASE_H
#define VT_CAPTURE_PHASE_H

#include <stddef.h>

/* Ends the phase before, if any; NAME is a literal, NULL only ends. A phase that comes again adds up. */
void phase__begin(const char *name);
/* "symbols 41 ms (40 cpu), types 12 ms (12 cpu)" */
void phase__print(char *buf, size_t len);

#endif
