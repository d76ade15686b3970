/* SPDX-License-Identifier: GPL-2.0 */
/* Names to numbers, by hash. Holds pointers to the names, does not own them; a name may stand several times. */
#ifndef VT_CAPTURE_NAMETAB_H
#define VT_CAPTURE_NAMETAB_H

#include <stddef.h>
#include <stdint.h>

struct nametab {
	struct nametab_entry { const char *name; uint32_t value; } *slot;
	size_t cap, nr;
};

/* Makes room for so many names. -ENOMEM on failure, as below. */
int nametab__reserve(struct nametab *t, size_t nr);
int nametab__add(struct nametab *t, const char *name, uint32_t value);
/* Values of NAME one after another: start with *at = SIZE_MAX; false when there are no more. */
int nametab__next(const struct nametab *t, const char *name, size_t *at, uint32_t *value);
void nametab__clear(struct nametab *t);

#endif
