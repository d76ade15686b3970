// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "model/map.h"
#include "vfiotrace/hash.h"

uint64_t vt_hash_str(const char *s)
{
	return vt_hash_on(VT_HASH_BEGIN, s);
}

/* Threads load two traces at a time. */
uint64_t vt_hash_secret(void)
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

/* Where KEY stands among the places, or the free one where it would. */
static size_t find(const struct vt_map *m, uint64_t key)
{
	size_t i = vt_map__place(m, key);

	while (m->place[i] && m->slot[m->place[i] - 1].key != key)
		i = (i + 1) & (m->size - 1);
	return i;
}

/* Slots that a table of so many places has: it is never full. */
static size_t room(size_t size)
{
	return size / 4 * 3;
}

/* Slot AT, which is the first of its key, gets its place. */
static void seat(struct vt_map *m, size_t at)
{
	m->place[find(m, m->slot[at].key)] = (uint32_t)at + 1;
}

/* Those of FROM that live, in their order, to the front of M, which may be the same. */
static void gather(struct vt_map *m, const struct vt_map *from)
{
	size_t nr = 0;

	for (size_t i = 0; i < from->used; i++) {
		if (!from->slot[i].val)
			continue;
		m->slot[nr] = from->slot[i];
		seat(m, nr++);
	}
	m->used = nr;
}

/* All slots are taken, if only by what is deleted. */
static int make_room(struct vt_map *m)
{
	struct vt_map n = { .size = 64, .secret = vt_hash_secret(), .live = m->live };

	while (n.size < m->live * 3)
		n.size *= 2;
	if (n.size == m->size) {
		memset(m->place, 0, m->size * sizeof(*m->place));
		gather(m, m);
		return 0;
	}
	n.slot = calloc(room(n.size), sizeof(*n.slot));
	n.place = calloc(n.size, sizeof(*n.place));
	if (!n.slot || !n.place || n.size > UINT32_MAX) {
		vt_map__free(&n);
		return -ENOMEM;
	}
	gather(&n, m);
	vt_map__free(m);
	*m = n;
	return 0;
}

int vt_map__put(struct vt_map *m, uint64_t key, void *val)
{
	size_t i = m->live ? find(m, key) : 0;

	if (m->live && m->place[i]) {
		m->slot[m->place[i] - 1].val = val;
		return 0;
	}
	if (m->used >= room(m->size)) {
		if (make_room(m))
			return -ENOMEM;
		i = find(m, key);
	} else if (!m->live) {
		i = vt_map__place(m, key);
	}
	m->slot[m->used] = (struct vt_slot){ .key = key, .val = val };
	m->place[i] = (uint32_t)++m->used;
	m->live++;
	return 0;
}

/* Place I is free now: what was pushed beyond it by others moves up, so that no search ends too early. */
static void close_up(struct vt_map *m, size_t i)
{
	size_t mask = m->size - 1;

	for (size_t j = (i + 1) & mask; m->place[j]; j = (j + 1) & mask) {
		size_t home = vt_map__place(m, m->slot[m->place[j] - 1].key);

		if (((j - home) & mask) < ((j - i) & mask))
			continue;
		m->place[i] = m->place[j];
		i = j;
	}
	m->place[i] = 0;
}

void *vt_map__del(struct vt_map *m, uint64_t key)
{
	size_t i = m->live ? find(m, key) : 0;
	struct vt_slot *s;
	void *val;

	if (!m->live || !m->place[i])
		return NULL;
	s = &m->slot[m->place[i] - 1];
	val = s->val;
	s->val = NULL;
	m->live--;
	close_up(m, i);
	/* The last that came is the first to go, mostly. */
	while (m->used && !m->slot[m->used - 1].val)
		m->used--;
	return val;
}

void *vt_map__next(const struct vt_map *m, size_t *i)
{
	while (*i < m->used) {
		void *v = m->slot[(*i)++].val;

		if (v)
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
