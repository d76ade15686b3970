/* SPDX-License-Identifier: GPL-2.0 */
/* A hash map from 64-bit keys to pointers. */
#ifndef VT_MODEL_MAP_H
#define VT_MODEL_MAP_H

#include <stddef.h>
#include <stdint.h>

struct vt_map {
	struct vt_slot {
		uint64_t key;
		void *val;	/* MAP_GONE = deleted */
	} *slot;		/* as they came */
	uint32_t *place;	/* by hash: slot + 1, 0 = free */
	size_t size;		/* places */
	uint64_t secret;
	size_t used, live;	/* slots; used counts deleted ones too */
};

void *vt_map__get(const struct vt_map *m, uint64_t key);
/* VAL must not be NULL. -ENOMEM on failure. */
int vt_map__put(struct vt_map *m, uint64_t key, void *val);
void *vt_map__del(struct vt_map *m, uint64_t key);
/* Next value from position *I on, in the order in which the keys came; NULL at the end. */
void *vt_map__next(const struct vt_map *m, size_t *i);
void vt_map__free(struct vt_map *m);
/* With the values, which are from malloc(). */
void vt_map__free_all(struct vt_map *m);

uint64_t vt_hash_str(const char *s);
uint64_t vt_hash_mix(uint64_t a, uint64_t b);

#endif
