/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/nametab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vfiotrace/hash.h"

static size_t hash(const char *s)
{
	uint64_t h = vt_hash_on(VT_HASH_BEGIN, s);

	return h ^ h >> 32;
}

static void put(struct nametab *t, struct names n, uint32_t value)
{
	size_t i = hash(n.name(n.of, value)) & (t->cap - 1);

	while (t->slot[i])
		i = (i + 1) & (t->cap - 1);
	t->slot[i] = value + 1;
	t->nr++;
}

static int grow(struct nametab *t, struct names n, size_t cap)
{
	struct nametab bigger = { .cap = cap };

	bigger.slot = calloc(bigger.cap, sizeof(*bigger.slot));
	if (!bigger.slot)
		return -ENOMEM;
	for (size_t i = 0; i < t->cap; i++)
		if (t->slot[i])
			put(&bigger, n, t->slot[i] - 1);
	free(t->slot);
	*t = bigger;
	return 0;
}

int nametab__reserve(struct nametab *t, struct names n, size_t nr)
{
	size_t cap = 1 << 10;

	while (cap < 2 * nr)
		cap *= 2;
	return cap > t->cap ? grow(t, n, cap) : 0;
}

int nametab__add(struct nametab *t, struct names n, uint32_t value)
{
	if (2 * (t->nr + 1) > t->cap && grow(t, n, t->cap ? 4 * t->cap : 1 << 16))
		return -ENOMEM;
	put(t, n, value);
	return 0;
}

int nametab__next(const struct nametab *t, struct names n, const char *name, size_t *at, uint32_t *value)
{
	size_t i;

	if (!t->cap)
		return 0;
	i = *at == SIZE_MAX ? hash(name) & (t->cap - 1) : (*at + 1) & (t->cap - 1);
	for (; t->slot[i]; i = (i + 1) & (t->cap - 1)) {
		if (strcmp(n.name(n.of, t->slot[i] - 1), name))
			continue;
		*at = i;
		*value = t->slot[i] - 1;
		return 1;
	}
	return 0;
}

void nametab__clear(struct nametab *t)
{
	free(t->slot);
	*t = (struct nametab){ 0 };
}
