/* SPDX-License-Identifier: GPL-2.0 */
/* Ranges of addresses that do not overlap, in a tree that is part of what is kept. */
#ifndef VT_MODEL_RANGES_H
#define VT_MODEL_RANGES_H

#include <stdint.h>

/* First in what is kept; END is behind the last. */
struct vt_range {
	uint64_t start, end;
	struct vt_range *kid[2];	/* those below it, and above */
};

struct vt_ranges {
	struct vt_range *root;
	uint64_t nr;
};

/* One of those that overlap START to END, or NULL. */
struct vt_range *vt_ranges__find(const struct vt_ranges *t, uint64_t start, uint64_t end);
/* R overlaps none. */
void vt_ranges__add(struct vt_ranges *t, struct vt_range *r);
void vt_ranges__del(struct vt_ranges *t, struct vt_range *r);
/* Each of those that overlap START to END, by address. FN may take out or cut the one that it is given, and add there. */
void vt_ranges__each(struct vt_ranges *t, uint64_t start, uint64_t end, void (*fn)(void *arg, struct vt_range *r), void *arg);
/* FREE_ONE for each. */
void vt_ranges__free(struct vt_ranges *t, void (*free_one)(void *r));

#endif
