/* SPDX-License-Identifier: GPL-2.0 */
/* FNV-1a, 64 bits: for tables, and for fingerprints, which stand in people's baselines and never change. */
#ifndef VFIOTRACE_HASH_H
#define VFIOTRACE_HASH_H

#include <stdint.h>

#define VT_HASH_BEGIN 0xcbf29ce484222325ULL

static inline uint64_t vt_hash_byte(uint64_t h, unsigned char c)
{
	return (h ^ c) * 0x100000001b3ULL;
}

/* H goes on over S. */
static inline uint64_t vt_hash_on(uint64_t h, const char *s)
{
	while (*s)
		h = vt_hash_byte(h, (unsigned char)*s++);
	return h;
}

#endif
