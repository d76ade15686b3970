/* SPDX-License-Identifier: GPL-2.0 */
/* A hash map from 64-bit keys to pointers, and a bounded pool of strings. */
#ifndef VT_MODEL_MAP_H
#define VT_MODEL_MAP_H

#include <stddef.h>
#include <stdint.h>

struct vt_map {
	struct vt_slot {
		uint64_t key;
		void *val;	/* NULL = free, MAP_GONE = deleted */
	} *slot;
	size_t size, used, live;	/* used counts deleted ones too */
};

void *vt_map__get(const struct vt_map *m, uint64_t key);
/* VAL must not be NULL. -ENOMEM on failure. */
int vt_map__put(struct vt_map *m, uint64_t key, void *val);
void *vt_map__del(struct vt_map *m, uint64_t key);
/* Next value from position *I on, NULL at the end. */
void *vt_map__next(const struct vt_map *m, size_t *i);
void vt_map__free(struct vt_map *m);

uint64_t vt_hash_str(const char *s);
uint64_t vt_hash_mix(uint64_t a, uint64_t b);

/* Each distinct string once. When full (a hostile file), "..." comes back. */
#define VT_STRINGS_RECENT 512
struct vt_strings {
	struct vt_map map;
	size_t bytes;
	/* The same few strings come again and again from the same places: found without hashing. */
	struct {
		const char *from, *kept;
		uint64_t text;
	} recent[VT_STRINGS_RECENT];
	uint64_t text;		/* counts the texts that vt_strings__get_of() was told of */
};
const char *vt_strings__get(struct vt_strings *p, const char *s);
static inline size_t vt_strings__place(const char *s)
{
	return ((uintptr_t)s ^ (uintptr_t)s >> 9) % VT_STRINGS_RECENT;
}

/* The same for S in a text that stays as it is until vt_strings__next_text(). */
const char *vt_strings__learn_of(struct vt_strings *p, const char *s);
static inline const char *vt_strings__get_of(struct vt_strings *p, const char *s)
{
	size_t i = vt_strings__place(s);

	return p->recent[i].from == s && p->recent[i].text == p->text ? p->recent[i].kept : vt_strings__learn_of(p, s);
}
void vt_strings__next_text(struct vt_strings *p);
void vt_strings__free(struct vt_strings *p);

#endif
