// SPDX-License-Identifier: GPL-2.0
/*
 * A treap: by address from left to right, and from the root down by a weight that is made of the address and a secret
 * of the run. So it is as deep as a tree that grew by chance, in whichever order a file lets its ranges come.
 */
#include "model/ranges.h"

#include <stddef.h>

#include "model/map.h"

static uint64_t weight(const struct vt_range *r, uint64_t secret)
{
	return vt_hash_mix(r->start ^ secret, secret);
}

struct vt_range *vt_ranges__find(const struct vt_ranges *t, uint64_t start, uint64_t end)
{
	struct vt_range *r = t->root;

	while (r && (r->end <= start || r->start >= end))
		r = r->kid[r->end <= start];
	return r;
}

/* The lowest one that ends behind START. */
static struct vt_range *lowest(const struct vt_ranges *t, uint64_t start)
{
	struct vt_range *r = t->root, *found = NULL;

	while (r) {
		if (r->end > start)
			found = r;
		r = r->kid[r->end <= start];
	}
	return found;
}

void vt_ranges__add(struct vt_ranges *t, struct vt_range *r)
{
	struct vt_range **at = &t->root, **low = &r->kid[0], **high = &r->kid[1], *n;
	uint64_t secret = vt_hash_secret(), mine = weight(r, secret);

	while (*at && weight(*at, secret) >= mine)
		at = &(*at)->kid[r->start > (*at)->start];
	/* What is lighter lies below it: the lower ones on one side, the higher ones on the other. */
	for (n = *at; n; ) {
		struct vt_range ***side = n->start < r->start ? &low : &high;
		int inner = n->start < r->start;

		**side = n;
		*side = &n->kid[inner];
		n = n->kid[inner];
	}
	*low = *high = NULL;
	*at = r;
	t->nr++;
}

void vt_ranges__del(struct vt_ranges *t, struct vt_range *r)
{
	struct vt_range **at = &t->root, *low = r->kid[0], *high = r->kid[1];
	uint64_t secret = vt_hash_secret();

	while (*at != r)
		at = &(*at)->kid[r->start > (*at)->start];
	while (low && high) {
		int inner = weight(low, secret) >= weight(high, secret);
		struct vt_range **heavy = inner ? &low : &high;

		*at = *heavy;
		at = &(*heavy)->kid[inner];
		*heavy = *at;
	}
	*at = low ? low : high;
	t->nr--;
}

void vt_ranges__each(struct vt_ranges *t, uint64_t start, uint64_t end, void (*fn)(void *arg, struct vt_range *r), void *arg)
{
	struct vt_range *r;

	while (start < end && (r = lowest(t, start)) && r->start < end) {
		start = r->end;
		fn(arg, r);
	}
}

/* Without a stack: what is left of the root goes on top of it. */
void vt_ranges__free(struct vt_ranges *t, void (*free_one)(void *r))
{
	struct vt_range *r, *low;

	while ((r = t->root)) {
		low = r->kid[0];
		if (low) {
			r->kid[0] = low->kid[1];
			low->kid[1] = r;
			t->root = low;
		} else {
			t->root = r->kid[1];
			free_one(r);
		}
	}
	t->nr = 0;
}
