// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/pool.h"

#define POOL_MAX	(8u << 20)	/* far above any honest block, below VTF_BLOCK_MAX */
#define SLOTS_MIN	1024		/* a power of two */

void *vt_buf__room(struct vt_buf *b, size_t len)
{
	if (b->cap - b->len < len) {
		size_t cap = b->cap ? b->cap : 4096;
		char *p;

		while (cap - b->len < len)
			cap *= 2;
		p = realloc(b->data, cap);
		if (!p)
			return NULL;
		b->data = p;
		b->cap = cap;
	}
	return b->data + b->len;
}

void *vt_buf__add(struct vt_buf *b, size_t len)
{
	char *p = vt_buf__room(b, len);

	if (!p)
		return NULL;
	memset(p, 0, len);
	b->len += len;
	return p;
}

void vt_buf__free(struct vt_buf *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

int vt_pool__reset(struct vt_pool *p)
{
	if (!p->slots) {
		p->slots = calloc(SLOTS_MIN, sizeof(*p->slots));
		if (!p->slots)
			return -ENOMEM;
		p->nr_slots = SLOTS_MIN;
	} else if (p->used) {
		memset(p->slots, 0, p->nr_slots * sizeof(*p->slots));
	}
	p->used = 0;
	p->bytes.len = 0;
	return vt_buf__add(&p->bytes, 1) ? 0 : -ENOMEM;
}

static uint32_t hash(const char *s, size_t len)
{
	uint32_t h = 2166136261u;	/* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h;
}

/* The slot that holds S, or the free one where it belongs. */
static uint32_t *slot(struct vt_pool *p, const char *s, size_t len)
{
	size_t i = hash(s, len) & (p->nr_slots - 1);

	while (p->slots[i] && strcmp(p->bytes.data + p->slots[i], s))
		i = (i + 1) & (p->nr_slots - 1);
	return &p->slots[i];
}

static int grow(struct vt_pool *p)
{
	uint32_t *old = p->slots;
	size_t nr = p->nr_slots;

	p->slots = calloc(nr * 2, sizeof(*p->slots));
	if (!p->slots) {
		p->slots = old;
		return -ENOMEM;
	}
	p->nr_slots = nr * 2;
	for (size_t i = 0; i < nr; i++) {
		const char *s = p->bytes.data + old[i];

		if (old[i])
			*slot(p, s, strlen(s)) = old[i];
	}
	free(old);
	return 0;
}

int64_t vt_pool__add(struct vt_pool *p, const char *s)
{
	size_t len, at = p->bytes.len;
	uint32_t *where;
	char *to;

	if (!s || !*s)
		return 0;
	len = strlen(s);
	where = slot(p, s, len);
	if (*where)
		return *where;
	if (len >= POOL_MAX - at)
		return -E2BIG;
	to = vt_buf__add(&p->bytes, len + 1);
	if (!to)
		return -ENOMEM;
	memcpy(to, s, len);
	*where = (uint32_t)at;
	/* Half full is when probing gets slow; failing to grow is harmless until it is full. */
	if (++p->used * 2 > p->nr_slots && grow(p) && p->used + 1 >= p->nr_slots)
		return -ENOMEM;
	return (int64_t)at;
}

void vt_pool__free(struct vt_pool *p)
{
	vt_buf__free(&p->bytes);
	free(p->slots);
	memset(p, 0, sizeof(*p));
}
