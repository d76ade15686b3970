/* SPDX-License-Identifier: GPL-2.0 */
/* Preserved files, their halves in both kernels put together. */
#ifndef VT_REPORT_PAIRS_H
#define VT_REPORT_PAIRS_H

#include "rules/crossing.h"

/* One preserved file across both kernels; either may be missing. */
struct vt_pair {
	const struct vt_life *out, *in;
	size_t out_side, in_side;	/* where each was seen */
};
/* Every pair once, in order of appearance; to be freed. */
struct vt_pair *vt_pairs(const struct vt_judgement *j, size_t *nr);

#endif
