/* SPDX-License-Identifier: GPL-2.0 */
/* A bounded pool of strings. */
#ifndef VT_MODEL_STRINGS_H
#define VT_MODEL_STRINGS_H

#include <stdbool.h>

#include "model/map.h"

/* Each distinct string once. When full (a hostile file, or no memory), "..." comes back, and it says so. */
#define VT_STRINGS_RECENT 2048	/* a block's text is hardly longer: its strings have a place each */
struct vt_strings {
	struct vt_map map;
	size_t bytes;
	bool full;
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
	return (uintptr_t)s % VT_STRINGS_RECENT;
}

/* As vt_strings__get_of(), where that was asked for lately; or NULL. */
static inline const char *vt_strings__known(const struct vt_strings *p, const char *s)
{
	size_t i = vt_strings__place(s);

	return p->recent[i].from == s && p->recent[i].text == p->text ? p->recent[i].kept : NULL;
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
