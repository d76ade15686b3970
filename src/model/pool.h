/* SPDX-License-Identifier: GPL-2.0 */
/* Things of one size that come and go: what is free again is used again. It takes as much as ever lived at one time. */
#ifndef VT_MODEL_POOL_H
#define VT_MODEL_POOL_H

#include <stdlib.h>

struct vt_pool {
	void **free;	/* each begins with the next */
};

/* Of SIZE bytes, always the same, with anything in them; or NULL. */
static inline void *vt_pool__get(struct vt_pool *p, size_t size)
{
	void **one = p->free;

	if (!one)
		return malloc(size);
	p->free = *one;
	return one;
}

static inline void vt_pool__put(struct vt_pool *p, void *one)
{
#ifdef __SANITIZE_ADDRESS__
	/* Whoever still uses it shall be found. */
	free(one);
#else
	if (!one)
		return;
	*(void **)one = p->free;
	p->free = one;
#endif
}

static inline void vt_pool__free(struct vt_pool *p)
{
	void **one;

	while ((one = p->free)) {
		p->free = *one;
		free(one);
	}
}

#endif
