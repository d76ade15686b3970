/* SPDX-License-Identifier: GPL-2.0 */
/* Of memory that one kernel gave to KHO: how much of it the next one took out again, and as what. */
#ifndef VT_RULES_COVER_H
#define VT_RULES_COVER_H

#include "rules/finding.h"

struct vt_cover {
	const struct vt_restored *first;	/* the first restore of any of it, one that worked preferred; NULL: none */
	bool any, all;		/* of it came back */
	bool other_kind;	/* as something else than it was: the first such restore is FIRST */
	uint64_t pages;		/* that came back, where they were counted on both sides */
};
struct vt_cover vt_cover(const struct vt_side *post, const struct vt_kho *k);

/* "a folio", and the function that gives such memory to KHO, or takes it out. */
const char *vt_kho_kind_name(int64_t kind);
const char *vt_kho_restorer(int64_t kind);

#endif
