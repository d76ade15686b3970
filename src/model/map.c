// SPDX-License-Identifier: GPL-2.0
/*
 * Open addressing with linear probing. Keys come from files that anybody may
 * have made: where they lie is nobody's to choose, so a secret is hashed with
 * them, another one in each run. What is told does not depend on it, as a walk
 * goes by the order in which the keys came.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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

/* One for all maps of the process: threads load two traces at a time. */
static uint64_t secret(void)
{
	static uint64_t of_this_run;
	uint64_t now = __atomic_load_n(&of_this_run, __ATOMIC_RELAXED), none = 0;

	if (now)
		return now;
	if (getrandom(&now, sizeof(now), GRND_NONBLOCK) != sizeof(now))
		now = (uintptr_t)&of_this_run;
	now |= 1;
	return __atomic_compare_exchange_n(&of_this_run, &none, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED) ? now : none;
}

static inline size_t place_of(const struct vt_map *m, uint64_t key)
{
	return vt_hash_mix(key ^ m->secret, m->secret) & (m->size - 1);
}

static inline struct vt_slot *find(const struct vt_map *m, uint64_t key)
{
	size_t mask = m->size - 1;

	if (!m->size)
		return NULL;
	for (size_t i = place_of(m, key); m->place[i]; i = (i + 1) & mask) {
		struct vt_slot *s = &m->slot[m->place[i] - 1];

		if (s->key == key && s->val != MAP_GONE)
			return s;
	}
	return NULL;
}

void *vt_map__get(const struct vt_map *m, uint64_t key)
{
	struct vt_slot *s = find(m, key);

	return s ? s->val : NULL;
}

/* Slots that a table of so many places has: it is never full. */
static size_t room(size_t size)
{
	return size / 4 * 3;
}

static void append(struct vt_map *m, uint64_t key, void *val)
{
	size_t i = place_of(m, key);

	while (m->place[i])
		i = (i + 1) & (m->size - 1);
	m->slot[m->used] = (struct vt_slot){ .key = key, .val = val };
	m->place[i] = (uint32_t)++m->used;
	m->live++;
}

static int resize(struct vt_map *m)
{
	struct vt_map n = { .size = 64, .secret = secret() };

	while (n.size < m->live * 3)
		n.size *= 2;
	n.slot = calloc(room(n.size), sizeof(*n.slot));
	n.place = calloc(n.size, sizeof(*n.place));
	if (!n.slot || !n.place || n.size > UINT32_MAX) {
		vt_map__free(&n);
		return -ENOMEM;
	}
	for (size_t i = 0; i < m->used; i++) {
		if (m->slot[i].val != MAP_GONE)
			append(&n, m->slot[i].key, m->slot[i].val);
	}
	vt_map__free(m);
	*m = n;
	return 0;
}

int vt_map__put(struct vt_map *m, uint64_t key, void *val)
{
	struct vt_slot *s = find(m, key);

	if (s) {
		s->val = val;
		return 0;
	}
	if (m->used >= room(m->size) && resize(m))
		return -ENOMEM;
	append(m, key, val);
	return 0;
}

/* The last that came is the first to go, mostly: its slot is free again, and its place where nothing lies behind it. */
static void give_back(struct vt_map *m, struct vt_slot *s)
{
	size_t mask = m->size - 1, i = place_of(m, s->key);

	if (s != &m->slot[m->used - 1])
		return;
	while (m->place[i] != m->used)
		i = (i + 1) & mask;
	if (m->place[(i + 1) & mask])
		return;
	m->place[i] = 0;
	m->used--;
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
	give_back(m, s);
	return val;
}

void *vt_map__next(const struct vt_map *m, size_t *i)
{
	while (*i < m->used) {
		void *v = m->slot[(*i)++].val;

		if (v != MAP_GONE)
			return v;
	}
	return NULL;
}

void vt_map__free(struct vt_map *m)
{
	free(m->slot);
	free(m->place);
	memset(m, 0, sizeof(*m));
}

void vt_map__free_all(struct vt_map *m)
{
	size_t i = 0;
	void *v;

	while ((v = vt_map__next(m, &i)))
		free(v);
	vt_map__free(m);
}
