/* SPDX-License-Identifier: GPL-2.0 */
/* Growable bytes, and a string pool that stores each string once. */
#ifndef VT_TRACE_POOL_H
#define VT_TRACE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct vt_buf {
	char *data;
	size_t len, cap;
};

/* Room for LEN more bytes, whatever is in it, and not counted in; NULL without memory. */
void *vt_buf__room(struct vt_buf *b, size_t len);
/* The same zeroed and counted in. */
void *vt_buf__add(struct vt_buf *b, size_t len);
void vt_buf__free(struct vt_buf *b);

struct vt_pool {
	struct vt_buf bytes;
	uint32_t *slots;	/* open addressing; 0 = free, else offset of a string (0 is always "") */
	size_t nr_slots, used;
};

/* Empty pool: only "" at offset 0. */
int vt_pool__reset(struct vt_pool *p);
/* Offset of S, or a negative errno. NULL is stored as "". */
int64_t vt_pool__add(struct vt_pool *p, const char *s);
void vt_pool__free(struct vt_pool *p);

#endif
