// SPDX-License-Identifier: GPL-2.0
#include "model/ranges.h"

#include <errno.h>
#include <search.h>
#include <stddef.h>

/* Ranges that overlap are equal: among those kept, which do not, that is an order. */
static int by_address(const void *a, const void *b)
{
	const struct vt_range *x = a, *y = b;

	return x->end <= y->start ? -1 : x->start >= y->end;
}

struct vt_range *vt_ranges__find(const struct vt_ranges *t, uint64_t start, uint64_t end)
{
	struct vt_range key = { start, end };
	void *at = tfind(&key, &t->root, by_address);

	return at ? *(struct vt_range **)at : NULL;
}

int vt_ranges__add(struct vt_ranges *t, struct vt_range *r)
{
	if (!tsearch(r, &t->root, by_address))
		return -ENOMEM;
	t->nr++;
	return 0;
}

void vt_ranges__del(struct vt_ranges *t, struct vt_range *r)
{
	tdelete(r, &t->root, by_address);
	t->nr--;
}

/* What is found lies highest in the tree: no deeper than that. */
void vt_ranges__each(struct vt_ranges *t, uint64_t start, uint64_t end, void (*fn)(void *arg, struct vt_range *r), void *arg)
{
	struct vt_range *r, was;

	while (start < end && (r = vt_ranges__find(t, start, end))) {
		was = *r;
		if (was.start > start)
			vt_ranges__each(t, start, was.start, fn, arg);
		fn(arg, r);
		start = was.end;
	}
}

void vt_ranges__free(struct vt_ranges *t, void (*free_one)(void *r))
{
	tdestroy(t->root, free_one);
	t->root = NULL;
	t->nr = 0;
}
