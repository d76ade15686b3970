// SPDX-License-Identifier: GPL-2.0
/* Open addressing with linear probing: one allocation, no per-entry cost. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/map.h"
#include "vfiotrace/hash.h"

static char gone;
#define MAP_GONE ((void *)&gone)

uint64_t vt_hash_mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * 0x9e3779b97f4a7c15ULL ^ b;

	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	return x;
}

uint64_t vt_hash_str(const char *s)
{
	return vt_hash_on(VT_HASH_BEGIN, s);
}

static inline struct vt_slot *find(const struct vt_map *m, uint64_t key)
{
	size_t i, mask = m->size - 1;

	if (!m->size)
		return NULL;
	for (i = vt_hash_mix(key, 0) & mask; m->slot[i].val; i = (i + 1) & mask) {
		if (m->slot[i].key == key && m->slot[i].val != MAP_GONE)
			return &m->slot[i];
	}
	return NULL;
}

void *vt_map__get(const struct vt_map *m, uint64_t key)
{
	struct vt_slot *s = find(m, key);

	return s ? s->val : NULL;
}

static int resize(struct vt_map *m)
{
	size_t size = 64, i;
	struct vt_map n = {};

	while (size < m->live * 3)
		size *= 2;
	n.slot = calloc(size, sizeof(*n.slot));
	if (!n.slot)
		return -ENOMEM;
	n.size = size;
	for (i = 0; i < m->size; i++) {
		size_t j;

		if (!m->slot[i].val || m->slot[i].val == MAP_GONE)
			continue;
		j = vt_hash_mix(m->slot[i].key, 0) & (size - 1);
		while (n.slot[j].val)
			j = (j + 1) & (size - 1);
		n.slot[j] = m->slot[i];
	}
	n.used = n.live = m->live;
	free(m->slot);
	*m = n;
	return 0;
}

int vt_map__put(struct vt_map *m, uint64_t key, void *val)
{
	struct vt_slot *s = find(m, key);
	size_t i;

	if (s) {
		s->val = val;
		return 0;
	}
	if ((m->used + 1) * 4 > m->size * 3 && resize(m))
		return -ENOMEM;
	i = vt_hash_mix(key, 0) & (m->size - 1);
	while (m->slot[i].val && m->slot[i].val != MAP_GONE)
		i = (i + 1) & (m->size - 1);
	if (!m->slot[i].val)
		m->used++;
	m->slot[i].key = key;
	m->slot[i].val = val;
	m->live++;
	return 0;
}

/* Deleted places are there to be stepped over: behind them nothing, and they are free again. */
static void forget_gone(struct vt_map *m, size_t i)
{
	size_t mask = m->size - 1;

	if (m->slot[(i + 1) & mask].val)
		return;
	for (; m->slot[i].val == MAP_GONE; i = (i - 1) & mask) {
		m->slot[i].val = NULL;
		m->used--;
	}
}

void *vt_map__del(struct vt_map *m, uint64_t key)
{
	struct vt_slot *s = find(m, key);
	void *val;

	if (!s)
		return NULL;
	val = s->val;
	s->val = MAP_GONE;
	m->live--;
	forget_gone(m, (size_t)(s - m->slot));
	return val;
}

void *vt_map__next(const struct vt_map *m, size_t *i)
{
	while (*i < m->size) {
		void *v = m->slot[(*i)++].val;

		if (v && v != MAP_GONE)
			return v;
	}
	return NULL;
}

void vt_map__free(struct vt_map *m)
{
	free(m->slot);
	memset(m, 0, sizeof(*m));
}
