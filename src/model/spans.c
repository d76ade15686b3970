// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/spans.h"

int vt_spans__add(struct vt_spans *l, uint64_t from_ns, uint64_t to_ns)
{
	if (l->nr == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 8;
		struct vt_span *grown = reallocarray(l->s, cap, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		l->s = grown;
		l->cap = cap;
	}
	l->s[l->nr++] = (struct vt_span){ from_ns, to_ns };
	return 0;
}

static int by_begin(const void *a, const void *b)
{
	const struct vt_span *x = a, *y = b;

	return x->from_ns < y->from_ns ? -1 : x->from_ns > y->from_ns;
}

void vt_spans__join(struct vt_spans *l)
{
	size_t kept = 0;

	if (l->nr)
		qsort(l->s, l->nr, sizeof(*l->s), by_begin);
	for (size_t i = 0; i < l->nr; i++) {
		if (!kept || l->s[i].from_ns > l->s[kept - 1].to_ns)
			l->s[kept++] = l->s[i];
		else if (l->s[i].to_ns > l->s[kept - 1].to_ns)
			l->s[kept - 1].to_ns = l->s[i].to_ns;
	}
	l->nr = kept;
}

bool vt_spans__reach(const struct vt_spans *l, uint64_t from_ns, uint64_t to_ns)
{
	size_t low = 0, high = l->nr;

	/* The first one that does not end before. */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->s[mid].to_ns < from_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->nr && l->s[low].from_ns <= to_ns;
}

void vt_spans__free(struct vt_spans *l)
{
	free(l->s);
	memset(l, 0, sizeof(*l));
}
