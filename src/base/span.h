/* SPDX-License-Identifier: GPL-2.0 */
/* Durations for people. */
#ifndef VT_BASE_SPAN_H
#define VT_BASE_SPAN_H

#include <stddef.h>
#include <stdint.h>

/* "1.2 ms", in BUF, which is returned. */
const char *vt_span_str(uint64_t ns, char *buf, size_t size);

#endif
