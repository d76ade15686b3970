// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "trace/format.h"
#include "trace/shape.h"

#define VT_SHAPE_PLACES 16

struct vt_shape {
	uint32_t nr, nr_str, nr_obj;
	uint16_t *ids;			/* as the file has them */
	uint8_t *str, *obj;		/* places of the fields that have to be looked at */
	uint8_t at[VT_F_MAX];		/* as in struct vt_event */
	struct vt_value head[];		/* all but the values */
};

static bool decode_object(const struct vt_tables *tab, uint64_t bits, struct vt_value *v)
{
	uint16_t class;

	if (!bits)
		return true;
	if (bits >> 48 >= VTF_CLASS_IDS)
		return false;
	class = tab->classes.map[bits >> 48];
	v->u = ((uint64_t)class << 48) | vt_obj_nr(bits);
	return class != VT_NAMES_NONE && vt_obj_nr(bits);
}

/* The field's name and kind, once it is known to be a field. */
static bool decode_id(const struct vt_tables *tab, uint16_t raw, struct vt_value *v)
{
	uint16_t id = raw & (uint16_t)~VTF_FIELD_ERR;

	if (id >= VTF_FIELD_IDS || !tab->kind[id])
		return false;
	*v = (struct vt_value){ .field = tab->fields.map[id], .kind = tab->kind[id] };
	return true;
}

/* One by one: for what has errors in it, or is wrong. */
static bool decode_slowly(const struct vt_tables *tab, uint32_t nr, const uint16_t *ids, const uint64_t *values, const char *strings,
			  uint32_t strings_len, struct vt_event *e)
{
	memset(e->at, 0, sizeof(e->at));
	for (uint32_t i = 0; i < nr; i++) {
		struct vt_value *v = &e->v[i];

		if (!decode_id(tab, ids[i], v))
			return false;
		if (ids[i] & VTF_FIELD_ERR) {
			if (!values[i] || values[i] > VTF_ERRNO_MAX)
				return false;
			v->err = (int32_t)values[i];
		} else if (v->kind == VT_STR) {
			if (values[i] >= strings_len)
				return false;
			v->str = strings + values[i];
		} else {
			v->u = values[i];
			if (v->kind == VT_OBJ && !decode_object(tab, values[i], v))
				return false;
		}
		if (v->field >= VT_F_MAX)
			continue;
		if (e->at[v->field])
			return false;
		e->at[v->field] = (uint8_t)(i + 1);
	}
	return true;
}

static struct vt_shape *shape_new(const struct vt_tables *tab, uint32_t nr, const uint16_t *ids)
{
	struct vt_shape *s = calloc(1, sizeof(*s) + nr * (sizeof(s->head[0]) + sizeof(*ids) + 2));

	if (!s)
		return NULL;
	s->nr = nr;
	s->ids = (uint16_t *)&s->head[nr];
	s->str = (uint8_t *)&s->ids[nr];
	s->obj = s->str + nr;
	memcpy(s->ids, ids, nr * sizeof(*ids));
	for (uint32_t i = 0; i < nr; i++) {
		struct vt_value *v = &s->head[i];

		if (ids[i] & VTF_FIELD_ERR || !decode_id(tab, ids[i], v) || (v->field < VT_F_MAX && s->at[v->field])) {
			free(s);
			return NULL;
		}
		if (v->field < VT_F_MAX)
			s->at[v->field] = (uint8_t)(i + 1);
		if (v->kind == VT_STR)
			s->str[s->nr_str++] = (uint8_t)i;
		if (v->kind == VT_OBJ)
			s->obj[s->nr_obj++] = (uint8_t)i;
	}
	return s;
}

static uint64_t shape_hash(uint32_t nr, const uint16_t *ids)
{
	uint64_t h = nr, word;
	uint32_t i = 0;

	for (; i + 4 <= nr; i += 4) {
		memcpy(&word, &ids[i], sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
	}
	for (; i < nr; i++)
		h = (h ^ ids[i]) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 32;
}

static bool has_ids(const struct vt_shape *s, uint32_t nr, const uint16_t *ids)
{
	return s->nr == nr && !memcmp(s->ids, ids, nr * sizeof(*ids));
}

/* The shape with these ids, or NULL: then each event is on its own. */
static struct vt_shape *shape_of(struct vt_shapes *s, const struct vt_tables *tab, uint32_t nr, const uint16_t *ids)
{
	uint64_t h = shape_hash(nr, ids);

	for (uint32_t i = 0; i < VT_SHAPE_PLACES; i++) {
		struct vt_shape **slot = &s->slot[(h + i) % VT_SHAPES];

		if (!*slot)
			*slot = shape_new(tab, nr, ids);
		if (!*slot || has_ids(*slot, nr, ids))
			return *slot;
	}
	return NULL;	/* more shapes than an honest file has */
}

static bool decode_as(const struct vt_shape *s, const struct vt_tables *tab, const uint64_t *values, const char *strings,
		      uint32_t strings_len, struct vt_event *e)
{
	memcpy(e->at, s->at, sizeof(e->at));
	for (uint32_t i = 0; i < s->nr; i++) {
		e->v[i] = s->head[i];
		e->v[i].u = values[i];
	}
	for (uint32_t i = 0; i < s->nr_str; i++) {
		uint64_t offset = values[s->str[i]];

		if (offset >= strings_len)
			return false;
		e->v[s->str[i]].str = strings + offset;
	}
	for (uint32_t i = 0; i < s->nr_obj; i++) {
		if (!decode_object(tab, values[s->obj[i]], &e->v[s->obj[i]]))
			return false;
	}
	return true;
}

bool vt_shapes__decode(struct vt_shapes *s, const struct vt_tables *tab, const struct vtf_event *d, const char *p, const char *strings,
		       uint32_t strings_len, struct vt_event *e)
{
	const uint16_t *ids = (const uint16_t *)p;
	const uint64_t *values = (const uint64_t *)(p + vtf_align8(d->nr * 2u));
	struct vt_shape **last = &s->last[(d->type * 4u + d->phase) % VT_SHAPES];

	e->nr = d->nr;
	/* Mostly that of the last event of its type. */
	if (!*last || !has_ids(*last, d->nr, ids))
		*last = shape_of(s, tab, d->nr, ids);
	if (!*last)
		return decode_slowly(tab, d->nr, ids, values, strings, strings_len, e);
	return decode_as(*last, tab, values, strings, strings_len, e);
}

void vt_shapes__free(struct vt_shapes *s)
{
	for (size_t i = 0; i < VT_SHAPES; i++)
		free(s->slot[i]);
}
