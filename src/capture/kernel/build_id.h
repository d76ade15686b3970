/* SPDX-License-Identifier: GPL-2.0 */
/* The build id among the notes of an ELF file. */
#ifndef VT_CAPTURE_BUILD_ID_H
#define VT_CAPTURE_BUILD_ID_H

#include <stddef.h>

/* In hex, "" when there is none, in OUT of SIZE bytes. */
void build_id__find(const char *notes, size_t len, char *out, size_t size);

#endif
