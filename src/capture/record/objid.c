/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/objid.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Open addressing, power of two; dead entries stay until their address is reborn. */
struct entry {
	uint64_t ptr;	/* 0 = free slot */
	uint64_t obj;
	bool dead;
};

struct objid {
	struct entry *table;
	size_t cap, used;
	uint64_t next[VT_C_MAX];
};

struct objid *objid__new(void)
{
	struct objid *id = calloc(1, sizeof(*id));

	if (!id)
		return NULL;
	id->cap = 1024;
	id->table = calloc(id->cap, sizeof(*id->table));
	if (!id->table) {
		free(id);
		return NULL;
	}
	return id;
}

void objid__free(struct objid *id)
{
	if (!id)
		return;
	free(id->table);
	free(id);
}

static size_t hash(uint64_t ptr, enum vt_class c)
{
	return (ptr >> 3 ^ (uint64_t)c << 60) * 0x9e3779b97f4a7c15ULL >> 20;
}

/* Slot of (c, ptr), or the free slot where it would go. */
static struct entry *find(const struct objid *id, enum vt_class c, uint64_t ptr)
{
	size_t i = hash(ptr, c) & (id->cap - 1);

	while (id->table[i].ptr && (id->table[i].ptr != ptr || vt_obj_class(id->table[i].obj) != c))
		i = (i + 1) & (id->cap - 1);
	return &id->table[i];
}

static bool grow(struct objid *id)
{
	struct objid bigger = { .cap = 2 * id->cap };

	bigger.table = calloc(bigger.cap, sizeof(*bigger.table));
	if (!bigger.table)
		return false;
	for (size_t i = 0; i < id->cap; i++)
		if (id->table[i].ptr)
			*find(&bigger, vt_obj_class(id->table[i].obj), id->table[i].ptr) = id->table[i];
	free(id->table);
	id->table = bigger.table;
	id->cap = bigger.cap;
	return true;
}

uint64_t objid__born(struct objid *id, enum vt_class c, uint64_t ptr)
{
	struct entry *e;

	if (!ptr)
		return 0;
	if (2 * id->used >= id->cap && !grow(id) && id->used + 1 >= id->cap)
		return 0;
	e = find(id, c, ptr);
	id->used += !e->ptr;
	*e = (struct entry){ .ptr = ptr, .obj = vt_obj(c, ++id->next[c]) };
	return e->obj;
}

uint64_t objid__get(struct objid *id, enum vt_class c, uint64_t ptr)
{
	struct entry *e;

	if (!ptr)
		return 0;
	e = find(id, c, ptr);
	return e->ptr && !e->dead ? e->obj : objid__born(id, c, ptr);
}

void objid__died(struct objid *id, enum vt_class c, uint64_t ptr)
{
	struct entry *e = ptr ? find(id, c, ptr) : NULL;

	if (e && e->ptr)
		e->dead = true;
}

uint64_t objid__last(const struct objid *id, enum vt_class c, uint64_t ptr)
{
	const struct entry *e = ptr ? find(id, c, ptr) : NULL;

	return e && e->ptr ? e->obj : 0;
}
