/* SPDX-License-Identifier: GPL-2.0 */
/* A hash map from 64-bit keys to pointers: open addressing, linear probing. */
#ifndef VT_MODEL_MAP_H
#define VT_MODEL_MAP_H

#include <stddef.h>
#include <stdint.h>

struct vt_map {
	struct vt_slot {
		uint64_t key;
		void *val;	/* NULL = deleted */
	} *slot;		/* as they came */
	uint32_t *place;	/* by hash: slot + 1, 0 = free; what is deleted has none */
	size_t size;		/* places, a power of two */
	uint64_t secret;
	size_t used, live;	/* slots; used counts deleted ones too */
};

/*
 * Keys come from files that anybody may have made: where they lie is nobody's to choose, so a secret is hashed with
 * them, another one in each run. What is told does not depend on it, as a walk goes by the order in which the keys came.
 */
static inline size_t vt_map__place(const struct vt_map *m, uint64_t key)
{
	unsigned __int128 p = (unsigned __int128)(key ^ 0x9e3779b97f4a7c15ULL) * m->secret;

	return ((uint64_t)p ^ (uint64_t)(p >> 64)) & (m->size - 1);
}

static inline void *vt_map__get(const struct vt_map *m, uint64_t key)
{
	uint32_t at;

	if (!m->live)
		return NULL;
	for (size_t i = vt_map__place(m, key); (at = m->place[i]); i = (i + 1) & (m->size - 1)) {
		if (m->slot[at - 1].key == key)
			return m->slot[at - 1].val;
	}
	return NULL;
}

/* VAL must not be NULL. -ENOMEM on failure. */
int vt_map__put(struct vt_map *m, uint64_t key, void *val);
void *vt_map__del(struct vt_map *m, uint64_t key);
/* Next value from position *I on, in the order in which the keys came; NULL at the end. */
void *vt_map__next(const struct vt_map *m, size_t *i);
void vt_map__free(struct vt_map *m);
/* With the values, which are from malloc(). */
void vt_map__free_all(struct vt_map *m);

uint64_t vt_hash_str(const char *s);
static inline uint64_t vt_hash_mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * 0x9e3779b97f4a7c15ULL ^ b;

	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	return x;
}
/* One for all of the process, odd: see vt_map__place(). */
uint64_t vt_hash_secret(void);

#endif
