/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sets of memory blocks by digest. Shared by bpf/, which tells one of what a
 * call preserved or restored, and by whoever adds up blocks that have records
 * of their own.
 */
#ifndef VFIOTRACE_BLOCKS_H
#define VFIOTRACE_BLOCKS_H

#define VT_ORDERS	20	/* of folios; and the last stands for pages that are none */
#define VT_NO_ORDER	(VT_ORDERS - 1)

/*
 * COUNT blocks of 1 << ORDER pages side by side, the first at page frame PFN.
 * The digest of a set is the sum over its blocks, modulo 2^64, of
 * a x + b x^2 + c x^3 with x the block's page frame number: it does not depend
 * on the order, and a run of blocks costs no more than one. Sets that differ and
 * have the same sums of the first three powers have at least four blocks each,
 * in a pattern that no mistake makes. COUNT < 2^32.
 */
static inline unsigned long long vt_blocks_digest(unsigned long long pfn, unsigned int order, unsigned long long count)
{
	unsigned long long step = 1ull << order, two = 2 * count - 1;
	/* sums of i, i^2 and i^3 for i from 0 to count - 1 */
	unsigned long long s1 = count & 1 ? (count - 1) / 2 * count : count / 2 * (count - 1);
	unsigned long long s2 = s1 % 3 ? two / 3 * s1 : s1 / 3 * two, s3 = s1 * s1;
	unsigned long long x1 = count * pfn + step * s1;
	unsigned long long x2 = pfn * (count * pfn + 2 * step * s1) + step * step * s2;
	unsigned long long x3 = pfn * pfn * (count * pfn + 3 * step * s1) + 3 * pfn * step * step * s2 + step * step * step * s3;

	return 0x9e3779b97f4a7c15ull * x1 + 0xd1b54a32d192ed03ull * x2 + 0x8cb92ba72f3d8dd7ull * x3;
}

#endif
