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
	const char *(*name)(const void *of, uint32_t value);
	const void *of;
	uint32_t *slot;		/* value + 1, 0 = free */
	size_t cap, nr;
};

/* To begin with: NAME says the name of a value, OF whose they are. UINT32_MAX is no value. */
void nametab__names(struct nametab *t, const char *(*name)(const void *of, uint32_t value), const void *of);
/* Makes room for so many names. -ENOMEM on failure, as below. */
int nametab__reserve(struct nametab *t, size_t nr);
int nametab__add(struct nametab *t, uint32_t value);
/* Values of NAME one after another: start with *at = SIZE_MAX; false when there are no more. */
int nametab__next(const struct nametab *t, const char *name, size_t *at, uint32_t *value);
/* As it was to begin with. */
void nametab__clear(struct nametab *t);

#endif
