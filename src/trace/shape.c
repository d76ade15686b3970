// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/shape.h"

#define VT_SHAPE_PLACES 16

static uint32_t words(uint32_t nr)
{
	return vtf_align8(nr * 2) / 8;
}

static struct vt_shape *shape_alloc(uint32_t nr, const uint64_t *ids)
{
	struct vt_shape *s = calloc(1, sizeof(*s) + words(nr) * 8 + nr * (sizeof(*s->place) + 3));

	if (!s)
		return NULL;
	memcpy(s->ids, ids, words(nr) * 8);
	s->nr = nr;
	s->nr_ids = words(nr);
	s->place = (struct vt_place *)&s->ids[words(nr)];
	s->str = (uint8_t *)&s->place[nr];
	s->obj = s->str + nr;
	s->err = s->obj + nr;
	return s;
}

/* What stands at place I, once it is known to be a field, and one that is there once. */
static bool learn_place(struct vt_shape *s, const struct vt_tables *tab, uint32_t i, uint16_t raw)
{
	uint16_t id = raw & (uint16_t)~VTF_FIELD_ERR;
	uint64_t bit = s->nr > VT_SHAPE_BITS ? ~0ULL : 1ULL << i;
	struct vt_place *v = &s->place[i];

	if (id >= VTF_FIELD_IDS || !tab->kind[id])
		return false;
	*v = (struct vt_place){ .field = tab->fields.map[id], .kind = tab->kind[id], .err = raw & VTF_FIELD_ERR };
	if (v->err) {
		s->err[s->nr_err++] = (uint8_t)i;
		s->errs |= bit;
	} else if (v->kind == VT_STR) {
		s->str[s->nr_str++] = (uint8_t)i;
		s->strs |= bit;
	} else if (v->kind == VT_OBJ) {
		s->obj[s->nr_obj++] = (uint8_t)i;
		s->objs |= bit;
	}
	if (v->field >= VT_F_MAX)
		return true;
	if (s->at[v->field].place)
		return false;
	s->at[v->field] = (struct vt_known){ .place = (uint8_t)(i + 1), .kind = v->err ? 0 : v->kind };
	return true;
}

/* 1 and the shape, 0 when no event can have it, -ENOMEM. */
static int shape_new(const struct vt_tables *tab, uint32_t nr, const uint64_t *ids, struct vt_shape **out)
{
	struct vt_shape *s = shape_alloc(nr, ids);

	if (!s)
		return -ENOMEM;
	for (uint32_t i = 0; i < nr; i++) {
		if (!learn_place(s, tab, i, ((const uint16_t *)s->ids)[i])) {
			free(s);
			return 0;
		}
	}
	*out = s;
	return 1;
}

static uint64_t shape_hash(uint32_t nr, const uint64_t *ids)
{
	uint64_t h = nr;

	for (uint32_t i = 0; i < words(nr); i++)
		h = (h ^ ids[i]) * 0x9e3779b97f4a7c15ULL;
	return h ^ h >> 32;
}

static void forget(struct vt_shapes *s)
{
	s->freed += s->gone != NULL;
	while (s->gone) {
		struct vt_shape *next = s->gone->next;

		free(s->gone);
		s->gone = next;
	}
}

static void make_room(struct vt_shapes *s)
{
	for (size_t i = 0; i < VT_SHAPES; i++) {
		if (!s->slot[i])
			continue;
		s->slot[i]->next = s->gone;
		s->gone = s->slot[i];
	}
	memset(s->slot, 0, sizeof(s->slot));
	memset(s->last, 0, sizeof(s->last));
	if (!s->keeps)
		forget(s);
}

void vt_shapes__keep(struct vt_shapes *s, bool keep)
{
	forget(s);
	s->keeps = keep;
}

int vt_shapes__find(struct vt_shapes *s, const struct vt_tables *tab, uint32_t nr, const uint64_t *ids, struct vt_shape **out)
{
	uint64_t h = shape_hash(nr, ids);
	struct vt_shape **slot = NULL;

	for (uint32_t i = 0; i < VT_SHAPE_PLACES; i++) {
		slot = &s->slot[(h + i) % VT_SHAPES];
		if (!*slot)
			break;
		if (vt_shape__has_ids(*slot, nr, ids)) {
			*out = *slot;
			return 1;
		}
	}
	/* More shapes than an honest file has: begin anew. */
	if (*slot)
		make_room(s);
	*out = NULL;
	if (shape_new(tab, nr, ids, slot) < 0)
		return -ENOMEM;
	*out = *slot;
	return *slot != NULL;
}

bool vt_shape__objects(const struct vt_shape *s, const struct vt_tables *tab, struct vt_event *e)
{
	memcpy(e->room, e->bits, s->nr * sizeof(*e->bits));
	e->bits = e->room;
	for (uint32_t i = 0; i < s->nr_obj; i++) {
		uint64_t *obj = &e->room[s->obj[i]];
		uint16_t class;

		if (!*obj)
			continue;
		class = *obj >> 48 < VTF_CLASS_IDS ? tab->classes.map[*obj >> 48] : VT_NAMES_NONE;
		if (class == VT_NAMES_NONE || !vt_obj_nr(*obj))
			return false;
		*obj = ((uint64_t)class << 48) | vt_obj_nr(*obj);
	}
	return true;
}

void vt_shapes__free(struct vt_shapes *s)
{
	make_room(s);
	forget(s);
}
