/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shapes: which fields an event has, in which order. A trace has a few dozen,
 * and its events have one of them each: what can be checked and looked up once
 * per shape is not done again for each event.
 */
#ifndef VT_TRACE_SHAPE_H
#define VT_TRACE_SHAPE_H

#include "trace/format.h"
#include "trace/tables.h"

#define VT_SHAPE_BITS 61	/* places with a bit of their own */

struct vt_shape {
	struct vt_shape *next;	/* that is gone */
	uint32_t nr, nr_ids, nr_str, nr_obj, nr_err;	/* nr_ids: of ids[] */
	uint8_t *str, *obj, *err;	/* places whose bits have to be looked at */
	uint64_t strs, objs, errs;	/* the same, a bit each; all where there are more places than bits */
	struct vt_place *place;
	struct vt_known at[VT_F_MAX];	/* as in struct vt_event */
	uint64_t ids[];			/* as the file has them, four in each */
};

#define VT_SHAPES 512	/* a power of two */
struct vt_shapes {
	struct vt_shape *slot[VT_SHAPES];	/* by ids */
	struct vt_shape *last[VT_SHAPES];	/* by type, phase and number of fields */
	bool keeps;		/* those that were given out have to stay */
	struct vt_shape *gone;	/* that had to make room meanwhile */
	uint64_t freed;		/* how many times some were freed */
};

static inline bool vt_shape__has_ids(const struct vt_shape *s, uint32_t nr, const uint64_t *ids)
{
	const uint64_t *mine = s->ids, *end = s->ids + s->nr_ids;

	if (s->nr != nr)
		return false;
	while (mine < end && *mine == *ids) {
		mine++;
		ids++;
	}
	return mine == end;
}

/* The shape with these ids: 1, 0 when no event can have it, -ENOMEM. */
int vt_shapes__find(struct vt_shapes *s, const struct vt_tables *tab, uint32_t nr, const uint64_t *ids, struct vt_shape **out);
/* Whether shapes that are given out from here on stay until the next call of this. Those of before need not. */
void vt_shapes__keep(struct vt_shapes *s, bool keep);
/* The objects of E are of classes that the file names: into this program's, in E's own room. False where one is not. */
bool vt_shape__objects(const struct vt_shape *s, const struct vt_tables *tab, struct vt_event *e);

/* The classes of a file are those of this program, mostly: then its values are read where they stand. */
static inline bool vt_shape__is_ours(const struct vt_tables *tab, uint64_t obj)
{
	uint64_t class = obj >> 48;

	return !obj || (class < VTF_CLASS_IDS && tab->classes.map[class] == class && vt_obj_nr(obj));
}

enum vt_values { VT_VALUES_BAD, VT_VALUES_READY, VT_VALUES_TO_MAP };

/* Can S have these values? Strings are offsets below STRINGS_LEN. To map are those with objects of classes that have another number here. */
static inline enum vt_values vt_shape__judge(const struct vt_shape *s, const struct vt_tables *tab, const uint64_t *values, uint32_t strings_len)
{
	uint64_t longest = 0;

	for (const uint8_t *p = s->str, *end = p + s->nr_str; p < end; p++)
		longest = values[*p] > longest ? values[*p] : longest;
	if (longest >= strings_len)	/* which is not 0 */
		return VT_VALUES_BAD;
	for (uint32_t i = 0; i < s->nr_err; i++) {
		if (!values[s->err[i]] || values[s->err[i]] > VTF_ERRNO_MAX)
			return VT_VALUES_BAD;
	}
	for (const uint8_t *p = s->obj, *end = p + s->nr_obj; p < end; p++) {
		if (!vt_shape__is_ours(tab, values[*p]))
			return VT_VALUES_TO_MAP;
	}
	return VT_VALUES_READY;
}

/* VALUES, of which HOW was said, into E: 1, 0 when they make no sense. */
static inline int vt_shape__give(const struct vt_shape *s, const struct vt_tables *tab, const uint64_t *values, enum vt_values how, const char *strings, struct vt_event *e)
{
	if (how == VT_VALUES_BAD)
		return 0;
	e->nr = s->nr;
	e->place = s->place;
	e->at = s->at;
	e->strings = strings;
	e->bits = values;
	return how == VT_VALUES_READY || vt_shape__objects(s, tab, e);
}

/*
 * The fields of D, which stand behind it, into E. Strings are offsets into
 * STRINGS of STRINGS_LEN bytes. 1, 0 when they make no sense, -ENOMEM.
 */
static __attribute__((always_inline)) inline int vt_shapes__decode(struct vt_shapes *all, const struct vt_tables *tab, const struct vtf_event *d, const char *strings,
								   uint32_t strings_len, struct vt_event *e)
{
	struct vt_shape **last = &all->last[(d->type * 8u + d->phase + d->nr * 67u) % VT_SHAPES], *s = *last;
	const uint64_t *ids = (const uint64_t *)(d + 1), *values;

	/* Mostly that of the last event of its type with so many fields. */
	if (!s || !vt_shape__has_ids(s, d->nr, ids)) {
		int ret = vt_shapes__find(all, tab, d->nr, ids, &s);

		if (ret <= 0)
			return ret;
		*last = s;
	}
	values = ids + s->nr_ids;
	return vt_shape__give(s, tab, values, vt_shape__judge(s, tab, values, strings_len), strings, e);
}

void vt_shapes__free(struct vt_shapes *s);

#endif
