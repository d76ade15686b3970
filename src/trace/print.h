/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Putting what a trace says on paper. Strings in a trace come from kernels and
 * programs that may mean harm: what reaches a terminal or a parser is escaped.
 */
#ifndef VT_TRACE_PRINT_H
#define VT_TRACE_PRINT_H

#include <stdio.h>

#include "vfiotrace/trace.h"

/* "EFAULT", or NULL for a number without a name. */
const char *vt_errno_name(int err);

/* For people: control characters, bad UTF-8, and characters that reorder a line appear as \xHH. */
void vt_text__str(FILE *f, const char *s);
/* ... as a string of its own, to be freed; NULL without memory. */
char *vt_text__copy(const char *s);
/* The same, in quotes when it would not stand as one word. */
void vt_text__word(FILE *f, const char *s);
/* The value alone; what could not be read is !EFAULT. */
void vt_text__value(FILE *f, const struct vt_trace *t, const struct vt_value *v);

/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void vt_json__str(FILE *f, const char *s);
/*
 * JSON readers keep numbers as doubles, and a double loses the last digits of
 * what is above 2^53: such a number is a string of its digits. Moments, which
 * get there when a machine is up for 104 days, always are: one type for all.
 */
#define VT_JSON_EXACT ((1ULL << 53) - 1)
void vt_json__u64(FILE *f, uint64_t v);
void vt_json__s64(FILE *f, int64_t v);
void vt_json__ns(FILE *f, uint64_t ns);
/* Numbers as above, VT_HEX as "0x..", objects as "class#n" or null; what could not be read is {"error":"EFAULT"}. */
void vt_json__value(FILE *f, const struct vt_trace *t, const struct vt_value *v);

#endif
