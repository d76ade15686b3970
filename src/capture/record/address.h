/* SPDX-License-Identifier: GPL-2.0 */
/*
 * No address of the kernel leaves the capture: whoever knows one knows where
 * the kernel lies. Objects get numbers (objid.h), code gets names; this is for
 * numbers that are meant to be something else.
 */
#ifndef VT_CAPTURE_ADDRESS_H
#define VT_CAPTURE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "vfiotrace/vocab.h"

/* x86-64 with five levels of page tables and arm64 with 52 bits have the kernel above that; the last page is for errors. */
#define ADDRESS_FIRST	0xff00000000000000ULL
#define ADDRESS_END	0xfffffffffffff000ULL
/* Below, in that half, nothing is an int: counters that went below zero are. */
#define ADDRESS_INTS	0xffffffff80000000ULL

/* Whether V, which the trace would show as KIND, is one; RET: it is what a call returned. */
static inline bool address__in(uint64_t v, enum vt_kind kind, bool ret)
{
	return v >= ADDRESS_FIRST && v < (kind == VT_S64 && !ret ? ADDRESS_INTS : ADDRESS_END);
}

#endif
