/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names to numbers, by hash; a name may stand several times. The names are the user's, who tells the one of a number: a
 * kernel has some hundred thousand, and a slot takes four bytes.
 */
#ifndef VT_CAPTURE_NAMETAB_H
#define VT_CAPTURE_NAMETAB_H

#include <stddef.h>
#include <stdint.h>

struct nametab {
	uint32_t *slot;		/* value + 1, 0 = free */
	size_t cap, nr;
};

/* What a value is called, and whose they are: the same for all calls on one table. UINT32_MAX is no value. */
struct names {
	const char *(*name)(const void *of, uint32_t value);
	const void *of;
};

/* Makes room for so many names. -ENOMEM on failure, as below. */
int nametab__reserve(struct nametab *t, struct names n, size_t nr);
int nametab__add(struct nametab *t, struct names n, uint32_t value);
/* Values of NAME one after another: start with *at = SIZE_MAX; false when there are no more. */
int nametab__next(const struct nametab *t, struct names n, const char *name, size_t *at, uint32_t *value);
void nametab__clear(struct nametab *t);

#endif
