// SPDX-License-Identifier: GPL-2.0
/* The vocabulary's tables, made from include/vfiotrace/vocab.h. */
#include <string.h>

#include "vfiotrace/trace.h"

struct entry {
	const char *name, *doc;
	enum vt_kind kind;	/* fields only */
};

static const struct entry events[VT_EV_MAX] = {
#define X(id, name, area, flags, doc) [VT_EV_##id] = { name, doc, 0 },
	VT_EVENTS(X)
#undef X
};

static const struct entry fields[VT_F_MAX] = {
#define X(id, name, kind, doc) [VT_F_##id] = { name, doc, kind },
	VT_FIELDS(X)
#undef X
};

static const struct entry classes[VT_C_MAX] = {
#define X(id, name, doc) [VT_C_##id] = { name, doc, 0 },
	VT_CLASSES(X)
#undef X
};

static const struct entry *at(const struct entry *table, unsigned int nr, unsigned int i)
{
	static const struct entry none = { "unknown", "", VT_U64 };

	return i && i < nr ? &table[i] : &none;
}

/* A few dozen short names: a scan beats anything clever, and readers map each name once. */
static unsigned int find(const struct entry *table, unsigned int nr, const char *name)
{
	for (unsigned int i = 1; name && i < nr; i++)
		if (!strcmp(table[i].name, name))
			return i;
	return 0;
}

const char *vt_event_name(enum vt_event_type t)	{ return at(events, VT_EV_MAX, t)->name; }
const char *vt_event_doc(enum vt_event_type t)	{ return at(events, VT_EV_MAX, t)->doc; }
const char *vt_field_name(enum vt_field f)	{ return at(fields, VT_F_MAX, f)->name; }
const char *vt_field_doc(enum vt_field f)	{ return at(fields, VT_F_MAX, f)->doc; }
enum vt_kind vt_field_kind(enum vt_field f)	{ return at(fields, VT_F_MAX, f)->kind; }
const char *vt_class_name(enum vt_class c)	{ return at(classes, VT_C_MAX, c)->name; }

enum vt_event_type vt_event_by_name(const char *name)	{ return find(events, VT_EV_MAX, name); }
enum vt_field vt_field_by_name(const char *name)	{ return find(fields, VT_F_MAX, name); }
enum vt_class vt_class_by_name(const char *name)	{ return find(classes, VT_C_MAX, name); }
