// SPDX-License-Identifier: GPL-2.0
/*
 * Encoding events into blocks, and bookkeeping of what could not be stored.
 *
 * After a storage error the block that failed is held: it is tried again by
 * every flush and now and then by end, and events that come meanwhile are
 * refused, counted per type. So the trace keeps what came first, and the gap
 * is one stretch with a beginning and an end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "trace/out.h"
#include "trace/pack.h"
#include "vfiotrace/trace.h"

#ifndef BLOCK_FULL
#define BLOCK_FULL	(64u << 10)	/* a block goes out when it holds about this much, its events counted as they are without packing */
#endif
#define RETRY_EVERY	1024		/* refused events between attempts to store the held block */
#define SCHEMA_EVERY	256		/* event blocks between repetitions of the schema, should its first copy get damaged */
#define EVENTS_AT	(sizeof(struct vtf_block) + sizeof(struct vtf_events))
#define STR_MAX		(32u << 10)

struct tally {
	uint64_t count, from, to;
};

struct dyn {
	char *name;
	enum vt_kind kind;
	bool stored;		/* a schema block names it */
};

struct lost {
	char *event, *why;
	struct tally t;
};

struct vt_writer {
	struct vt_out out;
	int error;		/* first storage error */
	bool finished;
	int held;		/* why the block in the making could not be stored; 0 when it is open for more */

	/* the block in the making */
	struct vt_buf events;	/* room for headers, then events */
	struct vt_pool pool;
	uint32_t nr_events;
	size_t plain_len;	/* of the events, were they not packed: so a killed recorder takes no more of them along */
	struct tally pending[VT_EV_MAX];

	/* the event in the making */
	struct vtf_event cur;
	enum vt_event_type cur_type;
	int cur_err;
	uint16_t ids[VT_EVENT_FIELDS_MAX];
	uint64_t values[VT_EVENT_FIELDS_MAX];
	uint64_t cur_nr;	/* number of begins, to see a field given twice */
	uint64_t given[VTF_FIELD_IDS];

	uint64_t stored_events;
	uint32_t blocks_since_schema;
	uint64_t refusals;
	struct tally refused[VT_EV_MAX];
	struct lost *lost;	/* not yet stored */
	size_t nr_lost;
	struct dyn *dyn;
	size_t nr_dyn;
	struct vt_pack pack;	/* of the block in the making */
};

/* ---- loss ---- */

static void tally(struct tally *t, uint64_t count, uint64_t from, uint64_t to)
{
	if (!t->count || from < t->from)
		t->from = from;
	if (!t->count || to > t->to)
		t->to = to;
	t->count += count;
}

/* One entry per event and reason until it is stored, so that a long outage stays small. */
static int note_loss(struct vt_writer *w, const char *event, const char *why, const struct tally *t)
{
	struct lost *l;

	for (size_t i = 0; i < w->nr_lost; i++) {
		l = &w->lost[i];
		if (!strcmp(l->event, event) && !strcmp(l->why, why)) {
			tally(&l->t, t->count, t->from, t->to);
			return 0;
		}
	}
	l = reallocarray(w->lost, w->nr_lost + 1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	w->lost = l;
	l = &w->lost[w->nr_lost];
	l->event = strndup(event, VTF_NAME_MAX);
	l->why = strndup(why, VTF_NAME_MAX);
	l->t = *t;
	if (!l->event || !l->why) {
		free(l->event);
		free(l->why);
		return -ENOMEM;
	}
	w->nr_lost++;
	return 0;
}

static void drop_losses(struct vt_writer *w)
{
	while (w->nr_lost) {
		struct lost *l = &w->lost[--w->nr_lost];

		free(l->event);
		free(l->why);
	}
}

static int loss_rows(struct vt_writer *w, struct vt_rows *rows)
{
	for (size_t i = 0; i < w->nr_lost; i++) {
		const struct lost *l = &w->lost[i];
		struct vtf_loss *row = vt_rows__add(rows);
		int ret;

		if (!row)
			return -ENOMEM;
		row->count = l->t.count;
		row->from_ns = l->t.from;
		row->to_ns = l->t.to;
		ret = vt_rows__str(rows, l->event, &row->event);
		if (!ret)
			ret = vt_rows__str(rows, l->why, &row->why);
		if (ret)
			return ret;
	}
	return 0;
}

static int note_error(struct vt_writer *w, int ret)
{
	if (ret && !w->error)
		w->error = ret;
	return ret;
}

static int write_losses(struct vt_writer *w)
{
	struct vt_rows rows;
	int ret;

	for (int i = 0; i < VT_EV_MAX; i++) {
		if (!w->refused[i].count)
			continue;
		ret = note_loss(w, i ? vt_event_name(i) : "", VT_LOSS_STORAGE, &w->refused[i]);
		if (ret)
			return ret;
		w->refused[i].count = 0;
	}
	if (!w->nr_lost)
		return 0;
	ret = vt_rows__init(&rows, sizeof(struct vtf_loss));
	if (ret)
		return ret;
	ret = loss_rows(w, &rows);
	if (ret)
		vt_rows__free(&rows);
	else
		ret = note_error(w, vt_rows__write(&rows, &w->out, VTF_LOSS));
	if (!ret)
		drop_losses(w);
	return ret;
}

/* ---- schema ---- */

static int schema_row(struct vt_rows *rows, enum vtf_schema_what what, uint16_t id, enum vt_kind kind, const char *name)
{
	struct vtf_schema *row = vt_rows__add(rows);

	if (!row)
		return -ENOMEM;
	row->what = (uint8_t)what;
	row->kind = (uint8_t)kind;
	row->id = id;
	return vt_rows__str(rows, name, &row->name);
}

static int vocabulary_rows(struct vt_rows *rows)
{
	int ret = 0;

	for (uint16_t i = 1; !ret && i < VT_EV_MAX; i++)
		ret = schema_row(rows, VTF_S_EVENT, i, 0, vt_event_name(i));
	for (uint16_t i = 1; !ret && i < VT_F_MAX; i++)
		ret = schema_row(rows, VTF_S_FIELD, i, vt_field_kind(i), vt_field_name(i));
	for (uint16_t i = 1; !ret && i < VT_C_MAX; i++)
		ret = schema_row(rows, VTF_S_CLASS, i, 0, vt_class_name(i));
	return ret;
}

static int dyn_rows(const struct vt_writer *w, struct vt_rows *rows, bool all)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < w->nr_dyn; i++)
		if (all || !w->dyn[i].stored)
			ret = schema_row(rows, VTF_S_FIELD, (uint16_t)(VT_F_MAX + i), w->dyn[i].kind, w->dyn[i].name);
	return ret;
}

/* The whole schema, or only fields that no block names yet. */
static int write_schema(struct vt_writer *w, bool all)
{
	struct vt_rows rows;
	int ret = vt_rows__init(&rows, sizeof(struct vtf_schema));

	if (ret)
		return ret;
	if (all)
		ret = vocabulary_rows(&rows);
	if (!ret)
		ret = dyn_rows(w, &rows, all);
	if (ret || !rows.nr) {
		vt_rows__free(&rows);
		return ret;
	}
	ret = note_error(w, vt_rows__write(&rows, &w->out, VTF_SCHEMA));
	for (size_t i = 0; !ret && i < w->nr_dyn; i++)
		w->dyn[i].stored = true;
	if (!ret && all)
		w->blocks_since_schema = 0;
	return ret;
}

int vt_writer__dyn_field(struct vt_writer *w, const char *name, enum vt_kind kind)
{
	enum vt_field known = vt_field_by_name(name);
	struct dyn *d;

	if (known)
		return vt_field_kind(known) == kind ? (int)known : -EEXIST;
	for (size_t i = 0; i < w->nr_dyn; i++)
		if (!strcmp(w->dyn[i].name, name))
			return w->dyn[i].kind == kind ? (int)(VT_F_MAX + i) : -EEXIST;
	if (!*name || strlen(name) > VTF_NAME_MAX || kind < VT_U64 || kind > VT_OBJ)
		return -EINVAL;
	if (VT_F_MAX + w->nr_dyn >= VTF_FIELD_IDS)
		return -E2BIG;
	d = reallocarray(w->dyn, w->nr_dyn + 1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	w->dyn = d;
	d[w->nr_dyn] = (struct dyn){ .name = strdup(name), .kind = kind };
	if (!d[w->nr_dyn].name)
		return -ENOMEM;
	return (int)(VT_F_MAX + w->nr_dyn++);
}

/* ---- life ---- */

static int reset_block(struct vt_writer *w)
{
	w->events.len = 0;
	w->nr_events = 0;
	w->plain_len = 0;
	w->held = 0;
	vt_pack__reset(&w->pack);
	memset(w->pending, 0, sizeof(w->pending));
	if (!vt_buf__add(&w->events, EVENTS_AT))
		return -ENOMEM;
	return vt_pool__reset(&w->pool);
}

static struct vt_writer *new_writer(void)
{
	struct vt_writer *w = calloc(1, sizeof(*w));

	if (w)
		w->out.fd = -1;
	if (w && reset_block(w)) {
		vt_writer__free(w);
		w = NULL;
	}
	return w;
}

static int started(struct vt_writer *w, int ret, struct vt_writer **out)
{
	if (!ret)
		ret = write_schema(w, true);
	if (ret) {
		vt_writer__free(w);
		w = NULL;
	}
	*out = w;
	return ret;
}

int vt_writer__open(const char *path, struct vt_writer **out)
{
	struct vt_writer *w = new_writer();

	*out = NULL;
	if (!w)
		return -ENOMEM;
	return started(w, vt_out__open(&w->out, path), out);
}

int vt_writer__fdopen(int fd, struct vt_writer **out)
{
	struct vt_writer *w = new_writer();
	struct vt_out orphan = { .fd = fd };

	*out = NULL;
	if (!w) {
		vt_out__close(&orphan);
		return -ENOMEM;
	}
	return started(w, vt_out__adopt(&w->out, fd), out);
}

int vt_writer__append(const char *path, struct vt_writer **out)
{
	struct vt_writer *w = new_writer();
	int ret;

	*out = NULL;
	if (!w)
		return -ENOMEM;
	ret = vt_out__append(&w->out, path);
	if (ret) {
		vt_writer__free(w);
		return ret;
	}
	*out = w;
	return 0;
}

void vt_writer__free(struct vt_writer *w)
{
	if (!w)
		return;
	vt_out__close(&w->out);
	vt_buf__free(&w->events);
	vt_pool__free(&w->pool);
	drop_losses(w);
	free(w->lost);
	for (size_t i = 0; i < w->nr_dyn; i++)
		free(w->dyn[i].name);
	free(w->dyn);
	free(w);
}

/* ---- blocks ---- */

static int assemble(struct vt_writer *w, uint32_t *payload_len)
{
	uint32_t events_len = (uint32_t)(w->events.len - EVENTS_AT);
	uint32_t strings_len = (uint32_t)w->pool.bytes.len;
	struct vtf_events head = { .events_len = events_len, .strings_len = strings_len };
	char *strings = vt_buf__add(&w->events, vtf_align8(events_len + strings_len) - events_len);

	if (!strings)
		return -ENOMEM;
	memcpy(strings, w->pool.bytes.data, strings_len);
	memcpy(w->events.data + sizeof(struct vtf_block), &head, sizeof(head));
	*payload_len = (uint32_t)(w->events.len - sizeof(struct vtf_block));
	w->events.len = EVENTS_AT + events_len;		/* as before: it may have to be done again */
	return 0;
}

static int store_events(struct vt_writer *w, bool last_words)
{
	uint32_t len;
	int ret = write_schema(w, w->blocks_since_schema >= SCHEMA_EVERY);

	if (!ret)
		ret = assemble(w, &len);
	if (!ret)
		ret = note_error(w, vt_out__block(&w->out, w->events.data, VTF_PACKED, len, w->nr_events, last_words));
	if (ret)
		return ret;
	w->blocks_since_schema++;
	w->stored_events += w->nr_events;
	return reset_block(w);
}

static int flush_block(struct vt_writer *w, bool last_words)
{
	int ret = 0;

	if (w->nr_events)
		ret = store_events(w, last_words);
	w->held = ret;
	/* While blocks are refused there is no hurry with the loss, and what is left of the space is for the end. */
	return ret ? ret : write_losses(w);
}

int vt_writer__flush(struct vt_writer *w, bool sync)
{
	int ret;

	if (w->finished)
		return -EBADF;
	ret = flush_block(w, false);
	if (sync && !ret)
		ret = note_error(w, vt_out__sync(&w->out));
	return ret;
}

int vt_writer__dup(const struct vt_writer *w)
{
	int fd = fcntl(w->out.fd, F_DUPFD_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

void vt_writer__fail(struct vt_writer *w, int err)
{
	note_error(w, err);
}

int vt_writer__error(const struct vt_writer *w)
{
	return w->error;
}

uint64_t vt_writer__bytes(const struct vt_writer *w)
{
	return w->out.bytes;
}

/* ---- tables ---- */

int vt_writer__meta(struct vt_writer *w, const char *key, const char *value)
{
	struct vt_rows rows;
	struct vtf_meta *row;
	int ret;

	if (w->finished)
		return -EBADF;
	if (!*key || strlen(key) > VTF_NAME_MAX)
		return -EINVAL;
	ret = vt_rows__init(&rows, sizeof(*row));
	if (ret)
		return ret;
	row = vt_rows__add(&rows);
	ret = row ? vt_rows__str(&rows, key, &row->key) : -ENOMEM;
	if (!ret)
		ret = vt_rows__str(&rows, value, &row->value);
	if (!ret)
		return note_error(w, vt_rows__write(&rows, &w->out, VTF_META));
	vt_rows__free(&rows);
	return ret;
}

static int probe_row(struct vt_rows *rows, const struct vt_probe *p)
{
	struct vtf_probe *row = vt_rows__add(rows);
	int ret;

	if (!row)
		return -ENOMEM;
	row->flags = p->attached ? VTF_P_ATTACHED : 0;
	row->attach_ns = p->attach_ns;
	row->hits = p->hits;
	row->misses = p->misses;
	row->recursion_misses = p->recursion_misses;
	ret = vt_rows__str(rows, p->func, &row->func);
	if (!ret)
		ret = vt_rows__str(rows, p->module, &row->module);
	if (!ret)
		ret = vt_rows__str(rows, p->event, &row->event);
	if (!ret)
		ret = vt_rows__str(rows, p->method, &row->method);
	if (!ret)
		ret = vt_rows__str(rows, p->reason, &row->reason);
	return ret;
}

int vt_writer__probes(struct vt_writer *w, const struct vt_probe *p, size_t nr)
{
	struct vt_rows rows;
	int ret;

	if (w->finished)
		return -EBADF;
	ret = vt_rows__init(&rows, sizeof(struct vtf_probe));
	if (ret)
		return ret;
	for (size_t i = 0; !ret && i < nr; i++)
		ret = probe_row(&rows, &p[i]);
	if (!ret)
		return note_error(w, vt_rows__write(&rows, &w->out, VTF_PROBES));
	vt_rows__free(&rows);
	return ret;
}

int vt_writer__loss(struct vt_writer *w, const struct vt_loss *l)
{
	struct tally t = { .count = l->count, .from = l->from_ns, .to = l->to_ns };
	int ret;

	if (w->finished)
		return -EBADF;
	ret = note_loss(w, l->event ? l->event : "", l->why ? l->why : "", &t);
	if (ret || w->held)
		return ret;
	return write_losses(w);
}

static int write_end(struct vt_writer *w, const char *how)
{
	struct vt_rows rows;
	struct vtf_end *row;
	int ret = vt_rows__init(&rows, sizeof(*row));

	if (ret)
		return ret;
	row = vt_rows__add(&rows);
	ret = row ? vt_rows__str(&rows, how, &row->how) : -ENOMEM;
	if (ret) {
		vt_rows__free(&rows);
		return ret;
	}
	row->events = w->stored_events;
	return note_error(w, vt_rows__write(&rows, &w->out, VTF_END));
}

/* The held block will not be stored any more: its events join the refused. */
static int give_up_block(struct vt_writer *w)
{
	for (int i = 0; i < VT_EV_MAX; i++)
		if (w->pending[i].count)
			tally(&w->refused[i], w->pending[i].count, w->pending[i].from, w->pending[i].to);
	return reset_block(w);
}

int vt_writer__finish(struct vt_writer *w, const char *how)
{
	int ret, err;

	if (w->finished)
		return -EBADF;
	if (flush_block(w, false)) {
		ret = give_up_block(w);
		if (ret)
			return ret;
	}
	/* Each on its own: an end without the rest is still better than none. */
	ret = write_losses(w);
	err = write_schema(w, true);
	ret = ret ? ret : err;
	err = write_end(w, how);
	if (!err)
		err = note_error(w, vt_out__sync(&w->out));
	w->finished = true;
	return err ? err : ret;
}

/* ---- events ---- */

void vt_writer__begin(struct vt_writer *w, enum vt_event_type type, enum vt_phase phase, const struct vt_stamp *stamp)
{
	int64_t comm = 0;

	w->cur_nr++;
	w->cur_type = type;
	w->cur_err = type > VT_EV_UNKNOWN && type < VT_EV_MAX && phase <= VT_EXIT ? 0 : -EINVAL;
	if (!w->cur_err && !w->held) {
		comm = vt_pool__add(&w->pool, stamp->comm);
		if (comm < 0)
			w->cur_err = (int)comm;
	}
	w->cur = (struct vtf_event){
		.ts_ns = stamp->ts_ns, .seq = stamp->seq, .tgid = stamp->tgid, .tid = stamp->tid,
		.comm = comm < 0 ? 0 : (uint32_t)comm, .type = (uint16_t)type, .cpu = stamp->cpu, .phase = (uint8_t)phase,
	};
}

static enum vt_kind kind_of(const struct vt_writer *w, int field)
{
	if (field < VT_F_MAX)
		return vt_field_kind((enum vt_field)field);
	return w->dyn[field - VT_F_MAX].kind;
}

/* A place for FIELD in the event in the making; kinds outside of KINDS (a bit each) are refused. NULL: nothing to store. */
static uint64_t *place(struct vt_writer *w, int field, unsigned int kinds, uint16_t flag)
{
	if (w->cur_err || w->held)
		return NULL;
	if (field <= VT_F_NONE || (size_t)field >= VT_F_MAX + w->nr_dyn)
		w->cur_err = -EINVAL;
	else if (!(kinds & (1u << kind_of(w, field))))
		w->cur_err = -EINVAL;
	else if (w->given[field] == w->cur_nr)
		w->cur_err = -EEXIST;
	else if (w->cur.nr >= VT_EVENT_FIELDS_MAX)
		w->cur_err = -E2BIG;
	if (w->cur_err)
		return NULL;
	w->given[field] = w->cur_nr;
	w->ids[w->cur.nr] = (uint16_t)field | flag;
	return &w->values[w->cur.nr++];
}

void vt_writer__u64(struct vt_writer *w, int field, uint64_t v)
{
	uint64_t *to = place(w, field, 1u << VT_U64 | 1u << VT_HEX | 1u << VT_OBJ, 0);

	if (to)
		*to = v;
}

void vt_writer__s64(struct vt_writer *w, int field, int64_t v)
{
	uint64_t *to = place(w, field, 1u << VT_S64, 0);

	if (to)
		*to = (uint64_t)v;
}

void vt_writer__str(struct vt_writer *w, int field, const char *v)
{
	uint64_t *to = place(w, field, 1u << VT_STR, 0);
	int64_t at;

	if (!to)
		return;
	at = v && strnlen(v, STR_MAX) == STR_MAX ? -E2BIG : vt_pool__add(&w->pool, v);
	if (at < 0)
		w->cur_err = (int)at;
	else
		*to = (uint64_t)at;
}

void vt_writer__err(struct vt_writer *w, int field, int err)
{
	uint64_t *to = place(w, field, ~0u, VTF_FIELD_ERR);

	if (to && (err <= 0 || err > VTF_ERRNO_MAX))
		w->cur_err = -EINVAL;
	else if (to)
		*to = (uint64_t)err;
}

static int encode(struct vt_writer *w)
{
	int ret = vt_pack__event(&w->pack, &w->events, &w->cur, w->ids, w->values);

	if (ret)
		return ret;
	w->plain_len += vtf_event_size(w->cur.nr);
	tally(&w->pending[w->cur_type], 1, w->cur.ts_ns, w->cur.ts_ns);
	w->nr_events++;
	return 0;
}

static int refuse(struct vt_writer *w)
{
	int ret = w->held;

	tally(&w->refused[w->cur_type], 1, w->cur.ts_ns, w->cur.ts_ns);
	if (++w->refusals % RETRY_EVERY == 0)
		flush_block(w, false);
	return ret;
}

/* The caller's mistake, or no memory: the event is gone all the same, so the trace says so. */
static int unencodable(struct vt_writer *w, int err)
{
	struct tally t = { .count = 1, .from = w->cur.ts_ns, .to = w->cur.ts_ns };
	bool known = w->cur_type > VT_EV_UNKNOWN && w->cur_type < VT_EV_MAX;

	note_loss(w, known ? vt_event_name(w->cur_type) : "", VT_LOSS_UNFIT, &t);
	return err;
}

int vt_writer__end(struct vt_writer *w)
{
	int ret = w->finished ? -EBADF : w->cur_err;

	if (!ret && w->held)
		return refuse(w);
	if (!ret)
		ret = encode(w);
	if (ret)
		return unencodable(w, ret);
	if (w->plain_len + w->pool.bytes.len >= BLOCK_FULL || vt_pack__full(&w->pack))
		flush_block(w, false);	/* a failure refuses the next event; this one is held */
	return 0;
}
