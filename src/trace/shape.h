/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shapes: which fields an event has, in which order. A trace has a few dozen,
 * and its events have one of them each: what can be checked and looked up once
 * per shape is not done again for each event.
 */
#ifndef VT_TRACE_SHAPE_H
#define VT_TRACE_SHAPE_H

#include "trace/tables.h"

struct vt_shape;

#define VT_SHAPES 512	/* a power of two */
struct vt_shapes {
	struct vt_shape *slot[VT_SHAPES];	/* by ids */
	struct vt_shape *last[VT_SHAPES];	/* by type and phase */
};

/*
 * The fields of D, which stand behind it, into E. Strings are offsets into
 * STRINGS of STRINGS_LEN bytes. 1, 0 when they make no sense, -ENOMEM.
 */
int vt_shapes__decode(struct vt_shapes *s, const struct vt_tables *tab, const struct vtf_event *d, const char *strings,
		      uint32_t strings_len, struct vt_event *e);
void vt_shapes__free(struct vt_shapes *s);

#endif
