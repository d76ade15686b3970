// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/tables.h"

/* Far above what a recorder writes; a hostile file must not cost more memory than this. */
#define META_MAX	4096
#define META_BYTES_MAX	(4u << 20)
#define LOSS_MAX	4096
#define PROBES_MAX	65536

struct rows {
	const char *at;
	uint32_t row_size, nr;
	const char *strings;
	uint32_t strings_len;
};

/* Checks a payload as a table whose rows have at least MIN_ROW bytes. */
static int open_rows(const struct vtf_block *h, const char *payload, uint32_t min_row, struct rows *r)
{
	struct vtf_table t;
	uint64_t rows_len;

	if (h->len < sizeof(t))
		return -EBADMSG;
	memcpy(&t, payload, sizeof(t));
	rows_len = (uint64_t)t.row_size * h->nr;
	if (t.row_size < min_row || t.row_size % 8 || !t.strings_len)
		return -EBADMSG;
	if (rows_len > h->len - sizeof(t) || t.strings_len > h->len - sizeof(t) - rows_len)
		return -EBADMSG;
	*r = (struct rows){
		.at = payload + sizeof(t), .row_size = t.row_size, .nr = h->nr,
		.strings = payload + sizeof(t) + rows_len, .strings_len = t.strings_len,
	};
	return r->strings[r->strings_len - 1] ? -EBADMSG : 0;
}

/* Copies row I out: rows of newer tools are longer, ours is their beginning. */
static void row(const struct rows *r, uint32_t i, void *to, size_t len)
{
	memcpy(to, r->at + (size_t)i * r->row_size, len);
}

static const char *string(const struct rows *r, uint32_t offset)
{
	return offset < r->strings_len ? r->strings + offset : NULL;
}

/* ---- schema ---- */

static int init_names(struct vt_names *n, uint32_t nr_ids, uint32_t known)
{
	n->map = malloc(nr_ids * sizeof(*n->map));
	if (!n->map)
		return -ENOMEM;
	memset(n->map, 0xff, nr_ids * sizeof(*n->map));
	n->nr_ids = nr_ids;
	n->known = known;
	return 0;
}

static void free_names(struct vt_names *n)
{
	for (uint32_t i = 0; i < n->nr_extra; i++)
		free(n->extra[i]);
	free(n->extra);
	free(n->extra_kind);
	free(n->map);
}

/* Index of a name that the vocabulary does not have. */
static int extra_name(struct vt_names *n, const char *name, uint8_t kind)
{
	char **extra = reallocarray(n->extra, n->nr_extra + 1, sizeof(*extra));
	uint8_t *kinds;

	if (!extra)
		return -ENOMEM;
	n->extra = extra;
	kinds = realloc(n->extra_kind, n->nr_extra + 1);
	if (!kinds)
		return -ENOMEM;
	n->extra_kind = kinds;
	n->extra_kind[n->nr_extra] = kind;
	n->extra[n->nr_extra] = strdup(name);
	if (!n->extra[n->nr_extra])
		return -ENOMEM;
	return (int)(n->known + n->nr_extra++);
}

/* The name that ID has already, or NULL. */
static const char *declared(const struct vt_names *n, uint32_t id, const char *(*known_name)(unsigned int))
{
	uint16_t i = n->map[id];

	if (i == VT_NAMES_NONE)
		return NULL;
	return i < n->known ? known_name(i) : n->extra[i - n->known];
}

static const char *event_name(unsigned int i) { return vt_event_name(i); }
static const char *field_name(unsigned int i) { return vt_field_name(i); }
static const char *class_name(unsigned int i) { return vt_class_name(i); }

/* Maps ID; a file that gives one id two names is not to be believed. */
static int declare(struct vt_names *n, uint32_t id, const char *name, uint32_t known, uint8_t kind,
		   const char *(*known_name)(unsigned int))
{
	const char *before;
	int ret = (int)known;

	if (id >= n->nr_ids)
		return -EBADMSG;
	before = declared(n, id, known_name);
	if (before)
		return strcmp(before, name) ? -EBADMSG : 0;
	if (!known)
		ret = extra_name(n, name, kind);
	if (ret < 0)
		return ret;
	n->map[id] = (uint16_t)ret;
	return 0;
}

static bool is_number(uint8_t kind)
{
	return kind == VT_U64 || kind == VT_HEX || kind == VT_S64;
}

static int declare_field(struct vt_tables *t, const struct vtf_schema *s, const char *name)
{
	uint8_t kind = s->kind >= VT_U64 && s->kind <= VT_OBJ ? s->kind : VT_HEX;
	enum vt_field known = vt_field_by_name(name);
	bool fits;
	int ret;

	if (s->id >= VTF_FIELD_IDS || (t->kind[s->id] && t->kind[s->id] != kind))
		return -EBADMSG;
	fits = known && (vt_field_kind(known) == kind || (is_number(vt_field_kind(known)) && is_number(kind)));
	ret = declare(&t->fields, s->id, name, fits ? known : VT_F_NONE, kind, field_name);
	if (ret)
		return ret;
	t->kind[s->id] = kind;
	if (fits)
		t->known_kind[known] = kind;
	return 0;
}

static int take_schema(struct vt_tables *t, const struct rows *r)
{
	for (uint32_t i = 0; i < r->nr; i++) {
		struct vtf_schema s;
		const char *name;
		int ret = 0;

		row(r, i, &s, sizeof(s));
		name = string(r, s.name);
		if (!name || !*name || strlen(name) > VTF_NAME_MAX)
			return -EBADMSG;
		if (s.what == VTF_S_EVENT)
			ret = declare(&t->events, s.id, name, vt_event_by_name(name), 0, event_name);
		else if (s.what == VTF_S_FIELD)
			ret = declare_field(t, &s, name);
		else if (s.what == VTF_S_CLASS)
			ret = declare(&t->classes, s.id, name, vt_class_by_name(name), 0, class_name);
		if (ret)
			return ret;
	}
	return 0;
}

/* ---- meta ---- */

static int set_meta(struct vt_tables *t, const char *key, const char *value)
{
	struct vt_meta *m = NULL;
	char *copy;

	for (size_t i = 0; i < t->nr_meta && !m; i++)
		if (!strcmp(t->meta[i].key, key))
			m = &t->meta[i];
	copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	if (m) {
		free(m->value);
		m->value = copy;
		return 0;
	}
	m = reallocarray(t->meta, t->nr_meta + 1, sizeof(*m));
	if (m) {
		t->meta = m;
		m += t->nr_meta;
		m->value = copy;
		m->key = strdup(key);
	}
	if (!m || !m->key) {
		free(copy);
		return -ENOMEM;
	}
	t->nr_meta++;
	return 0;
}

static int take_meta(struct vt_tables *t, const struct rows *r)
{
	for (uint32_t i = 0; i < r->nr; i++) {
		struct vtf_meta m;
		const char *key, *value;
		int ret;

		row(r, i, &m, sizeof(m));
		key = string(r, m.key);
		value = string(r, m.value);
		if (!key || !*key || !value || t->nr_meta >= META_MAX)
			return -EBADMSG;
		t->meta_bytes += strlen(key) + strlen(value);
		if (strlen(key) > VTF_NAME_MAX || t->meta_bytes > META_BYTES_MAX)
			return -EBADMSG;
		ret = set_meta(t, key, value);
		if (ret)
			return ret;
	}
	return 0;
}

/* ---- probes ---- */

static int read_probe(const struct rows *r, uint32_t i, struct vt_probe *p)
{
	struct vtf_probe d;

	row(r, i, &d, sizeof(d));
	*p = (struct vt_probe){
		.func = string(r, d.func), .module = string(r, d.module), .event = string(r, d.event),
		.method = string(r, d.method), .reason = string(r, d.reason),
		.attached = d.flags & VTF_P_ATTACHED, .attach_ns = d.attach_ns,
		.hits = d.hits, .misses = d.misses, .recursion_misses = d.recursion_misses,
	};
	return p->func && p->module && p->event && p->method && p->reason ? 0 : -EBADMSG;
}

static void drop_probes(struct vt_tables *t)
{
	free(t->probes);
	free(t->probe_strings);
	t->probes = NULL;
	t->probe_strings = NULL;
	t->nr_probes = 0;
}

/* The last sound table counts: it replaces the one before only when all of it could be read. */
static int take_probes(struct vt_tables *t, struct rows *r)
{
	struct vt_probe *probes;
	char *strings;
	int ret = 0;

	if (r->nr > PROBES_MAX)
		return -EBADMSG;
	probes = calloc(r->nr + 1, sizeof(*probes));
	strings = malloc(r->strings_len);
	if (probes && strings) {
		memcpy(strings, r->strings, r->strings_len);
		r->strings = strings;
	} else {
		ret = -ENOMEM;
	}
	for (uint32_t i = 0; !ret && i < r->nr; i++)
		ret = read_probe(r, i, &probes[i]);
	if (ret) {
		free(probes);
		free(strings);
		return ret;
	}
	drop_probes(t);
	t->probes = probes;
	t->probe_strings = strings;
	t->nr_probes = r->nr;
	return 0;
}

/* ---- loss ---- */

static int add_loss(struct vt_tables *t, const struct vt_loss *l)
{
	struct vt_loss *list = reallocarray(t->loss, t->nr_loss + 1, sizeof(*list));
	char *event, *why;

	if (!list)
		return -ENOMEM;
	t->loss = list;
	event = strdup(l->event);
	why = strdup(l->why);
	if (!event || !why) {
		free(event);
		free(why);
		return -ENOMEM;
	}
	list[t->nr_loss] = *l;
	list[t->nr_loss].event = event;
	list[t->nr_loss++].why = why;
	return 0;
}

/* However long the list gets, no loss is forgotten: the rest is summed up, without names and times. */
static int sum_up_loss(struct vt_tables *t, uint64_t count)
{
	struct vt_loss rest = { .event = "", .why = "various (too many to list)", .to_ns = UINT64_MAX };
	int ret = t->loss_full ? 0 : add_loss(t, &rest);

	if (ret)
		return ret;
	t->loss_full = true;
	t->loss[t->nr_loss - 1].count += count;
	return 0;
}

static int take_loss(struct vt_tables *t, const struct rows *r)
{
	for (uint32_t i = 0; i < r->nr; i++) {
		struct vtf_loss d;
		struct vt_loss l;
		int ret;

		row(r, i, &d, sizeof(d));
		l = (struct vt_loss){
			.event = string(r, d.event), .why = string(r, d.why),
			.count = d.count, .from_ns = d.from_ns, .to_ns = d.to_ns,
		};
		if (!l.event || !l.why || strlen(l.event) > VTF_NAME_MAX || strlen(l.why) > VTF_NAME_MAX)
			return -EBADMSG;
		ret = t->nr_loss < LOSS_MAX ? add_loss(t, &l) : sum_up_loss(t, l.count);
		if (ret)
			return ret;
	}
	return 0;
}

/* ---- end ---- */

static int take_end(struct vt_tables *t, const struct rows *r)
{
	struct vtf_end e;
	const char *how;

	if (r->nr != 1)
		return -EBADMSG;
	row(r, 0, &e, sizeof(e));
	how = string(r, e.how);
	if (!how || t->ended)
		return -EBADMSG;
	t->how = strdup(how);
	if (!t->how)
		return -ENOMEM;
	t->end_events = e.events;
	t->ended = true;
	return 0;
}

/* ---- all ---- */

static uint32_t min_row(unsigned int type)
{
	switch (type) {
	case VTF_META:	 return sizeof(struct vtf_meta);
	case VTF_SCHEMA: return sizeof(struct vtf_schema);
	case VTF_PROBES: return sizeof(struct vtf_probe);
	case VTF_LOSS:	 return sizeof(struct vtf_loss);
	case VTF_END:	 return sizeof(struct vtf_end);
	default:	 return 0;
	}
}

int vt_tables__take(struct vt_tables *t, const struct vtf_block *h, const char *payload)
{
	struct rows r;
	int ret;

	if (!min_row(h->type))
		return h->flags & VTF_REQUIRED ? -EPROTO : 0;
	ret = open_rows(h, payload, min_row(h->type), &r);
	if (ret)
		return ret;
	switch (h->type) {
	case VTF_META:	 return take_meta(t, &r);
	case VTF_SCHEMA: return take_schema(t, &r);
	case VTF_PROBES: return take_probes(t, &r);
	case VTF_LOSS:	 return take_loss(t, &r);
	default:	 return take_end(t, &r);
	}
}

int vt_tables__init(struct vt_tables *t)
{
	memset(t, 0, sizeof(*t));
	if (!init_names(&t->events, VTF_EVENT_IDS, VT_EV_MAX) &&
	    !init_names(&t->fields, VTF_FIELD_IDS, VT_F_MAX) &&
	    !init_names(&t->classes, VTF_CLASS_IDS, VT_C_MAX))
		return 0;
	vt_tables__free(t);
	return -ENOMEM;
}

void vt_tables__free(struct vt_tables *t)
{
	free_names(&t->events);
	free_names(&t->fields);
	free_names(&t->classes);
	for (size_t i = 0; i < t->nr_meta; i++) {
		free(t->meta[i].key);
		free(t->meta[i].value);
	}
	free(t->meta);
	drop_probes(t);
	for (size_t i = 0; i < t->nr_loss; i++) {
		free((char *)t->loss[i].event);
		free((char *)t->loss[i].why);
	}
	free(t->loss);
	free(t->how);
	memset(t, 0, sizeof(*t));
}
