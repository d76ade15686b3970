/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sets of memory blocks by digest. Shared by bpf/, which adds one up while a
 * call preserves or restores its folios, and by whoever adds up blocks that were
 * told one by one (docs/trace-format.md).
 */
#ifndef VFIOTRACE_BLOCKS_H
#define VFIOTRACE_BLOCKS_H

#define VT_ORDERS	20	/* orders of folios, and the last for pages that are none */
#define VT_NO_ORDER	(VT_ORDERS - 1)

/* The last bits of a page frame number reach the first of the digest and the other way: two rounds of multiply and fold. */
static inline unsigned long long vt_block_digest(unsigned long long pfn, unsigned long long nr_pages)
{
	unsigned long long x = (pfn << 20 | nr_pages) * 0x9e3779b97f4a7c15ull;

	x ^= x >> 29;
	x *= 0xd6e8feb86659fd93ull;
	return x ^ x >> 32;
}

#endif
