// SPDX-License-Identifier: GPL-2.0
/*
 * Reading a trace: once over the frame when it is opened, which takes in all
 * but the events, then the events block by block. Nothing in the file is
 * believed before it was checked: not even with a right checksum, since
 * anybody can compute one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trace/frame.h"
#include "trace/numbers.h"
#include "trace/packed.h"
#include "trace/shape.h"
#include "trace/tables.h"
#include "trace/unpack.h"

struct vt_trace {
	int fd;
	struct vt_damages damages;
	struct vt_frame frame;
	struct vt_tables tables;
	struct vt_shapes shapes;
	bool has_events;
	struct vt_file_type type[VTF_EVENT_IDS];	/* by id in the file */

	/* the block being read */
	struct vt_block block;
	const char *payload, *at, *events_end;
	const char *last;	/* event given out */
	const char *strings;
	uint32_t strings_len;
	uint32_t left;		/* events that its header announced */
	uint64_t index;		/* of the next event */
	bool done;
	struct vt_numbers numbers;
	bool counted;		/* all numbers were read once */
	struct vt_packed packed;	/* the block, when it is a packed one */
};

/* ---- open ---- */

static int complain(char **why, int err, const char *text)
{
	if (why)
		*why = strdup(text);
	return err;
}

static int complain_errno(char **why, int err)
{
	return complain(why, err, strerror(-err));
}

/* From here on a trace that was compressed is one that was not. */
static int unpack(struct vt_trace *t, struct stat *st, char **why)
{
	bool whole = true;
	char *text = NULL;
	int plain, ret = vt_unpack(t->fd, &plain, &whole, &text);

	if (ret < 0 && text)
		complain(why, ret, text);
	else if (ret < 0)
		complain_errno(why, ret);
	free(text);
	if (ret <= 0)
		return ret;
	close(t->fd);
	t->fd = plain;
	if (fstat(plain, st))
		return complain_errno(why, -errno);
	if (!whole)
		vt_damages__add(&t->damages, &(struct vt_damage){
			.offset = (uint64_t)st->st_size, .kind = VT_D_GARBAGE, .what = "damaged within the compression, from here on" });
	return 0;
}

static int open_file(struct vt_trace *t, const char *path, char **why)
{
	struct stat st;
	int ret;

	/* O_NONBLOCK: opening a FIFO must not hang; it is refused below. */
	t->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (t->fd < 0 || fstat(t->fd, &st))
		return complain_errno(why, -errno);
	if (S_ISDIR(st.st_mode))
		return complain_errno(why, -EISDIR);
	if (!S_ISREG(st.st_mode))
		return complain(why, -ESPIPE, "not a regular file (a trace cannot be read from a pipe: store it first)");
	if (!st.st_size)
		return complain(why, -EBADMSG, "the file is empty");
	ret = unpack(t, &st, why);
	if (ret)
		return ret;
	t->frame.fd = t->fd;
	t->frame.size = (uint64_t)st.st_size;
	t->frame.damages = &t->damages;
	return 0;
}

static int newer_version(char **why, uint32_t version)
{
	char text[160];

	snprintf(text, sizeof(text), "written by a newer vfiotrace (format %" PRIu32 ", this one reads up to %d)",
		 version, VTF_VERSION);
	return complain(why, -EPROTO, text);
}

static int read_header(struct vt_trace *t, char **why)
{
	struct vtf_header h;
	int64_t got = vt_pread(t->fd, &h, sizeof(h), 0);
	size_t cmp = got < VTF_MAGIC_LEN ? (size_t)(got < 0 ? 0 : got) : VTF_MAGIC_LEN;

	if (got < 0)
		return complain_errno(why, (int)got);
	if (memcmp(h.magic, VTF_MAGIC, cmp))
		return complain(why, -EBADMSG, "not a vfiotrace file");
	if (got < (int64_t)sizeof(h))
		return complain(why, -EBADMSG, "cut off within the file header: nothing was recorded");

	t->frame.start = sizeof(h);
	if (h.crc != vt_crc(&h, offsetof(struct vtf_header, crc))) {
		/* The blocks behind it have their own checksums. */
		vt_damages__add(&t->damages, &(struct vt_damage){
			.length = sizeof(h), .what = "a file header whose checksum is wrong", .kind = VT_D_CHECKSUM });
		return 0;
	}
	if (h.version != VTF_VERSION)
		return newer_version(why, h.version);
	if (h.size < sizeof(h) || h.size > VTF_HEADER_MAX || h.size > t->frame.size)
		return complain(why, -EBADMSG, "damaged: impossible size of the file header");
	t->frame.start = h.size;
	return 0;
}

/* Nothing may follow an end: whatever does is not part of this recording. */
static void stop_at_end(struct vt_trace *t)
{
	struct vt_frame *f = &t->frame;

	if (f->pos < f->size)
		vt_damages__add(&t->damages, &(struct vt_damage){
			.offset = f->pos, .length = f->size - f->pos, .kind = VT_D_ORDER, .what = "bytes after the end block" });
	f->size = f->pos;
}

static void malformed(struct vt_trace *t, const struct vt_block *b, uint64_t offset, uint64_t length, uint64_t events,
		      const char *what)
{
	vt_damages__add(&t->damages, &(struct vt_damage){
		.offset = b->offset + offset, .length = length, .kind = VT_D_MALFORMED, .what = what, .events = events });
}

static int take_block(struct vt_trace *t, const struct vt_block *b)
{
	const char *payload;
	int ret;

	if (vtf_has_events(b->h.type)) {
		t->has_events = true;
		return 0;
	}
	ret = vt_frame__payload(&t->frame, b, &payload);
	if (ret <= 0)
		return ret;
	ret = vt_tables__take(&t->tables, &b->h, payload);
	if (ret == -EBADMSG) {
		malformed(t, b, 0, sizeof(b->h) + b->h.len, 0, "a block with impossible content");
		ret = 0;
	}
	if (t->tables.ended)
		stop_at_end(t);
	return ret;
}

/* False when there is none. */
static bool name_types(struct vt_trace *t)
{
	bool any = false;

	for (uint32_t i = 0; i < VTF_EVENT_IDS; i++) {
		uint16_t index = t->tables.events.map[i];

		if (index == VT_NAMES_NONE)
			continue;
		t->type[i].type = index < VT_EV_MAX ? index : VT_EV_UNKNOWN;
		t->type[i].name = index < VT_EV_MAX ? vt_event_name(index) : t->tables.events.extra[index - VT_EV_MAX];
		any = true;
	}
	return any;
}

static int scan_frame(struct vt_trace *t, char **why)
{
	struct vt_block b;
	int ret;

	vt_frame__rewind(&t->frame);
	while ((ret = vt_frame__next(&t->frame, &b)) > 0) {
		ret = take_block(t, &b);
		if (ret)
			break;
	}
	if (ret == -EPROTO)
		return complain(why, ret, "written by a newer vfiotrace: it has blocks that this one must not skip");
	if (ret)
		return complain_errno(why, ret);
	if (!name_types(t) && t->has_events)
		return complain(why, -EBADMSG, "damaged beyond use: what its records mean is lost");
	return 0;
}

int vt_trace__open(const char *path, struct vt_trace **out, char **why)
{
	struct vt_trace *t = calloc(1, sizeof(*t));
	int ret;

	*out = NULL;
	if (why)
		*why = NULL;
	if (!t)
		return complain_errno(why, -ENOMEM);
	t->fd = -1;
	t->packed.types = t->type;
	t->packed.tables = &t->tables;
	t->packed.cache = &t->shapes;
	ret = vt_tables__init(&t->tables);
	if (ret)
		complain_errno(why, ret);
	if (!ret)
		ret = open_file(t, path, why);
	if (!ret)
		ret = read_header(t, why);
	if (!ret)
		ret = scan_frame(t, why);
	if (ret) {
		vt_trace__free(t);
		return ret;
	}
	vt_trace__rewind(t);
	*out = t;
	return 0;
}

void vt_trace__free(struct vt_trace *t)
{
	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	vt_frame__free(&t->frame);
	vt_damages__free(&t->damages);
	vt_shapes__free(&t->shapes);
	vt_numbers__free(&t->numbers);
	vt_tables__free(&t->tables);
	free(t);
}

int vt_trace__rewind(struct vt_trace *t)
{
	vt_frame__rewind(&t->frame);
	t->at = t->events_end = NULL;
	t->left = 0;
	t->index = 0;
	t->done = false;
	/* Half of the numbers say nothing. */
	if (!t->counted)
		vt_numbers__free(&t->numbers);
	return 0;
}

/* ---- events ---- */

/* Checks the frame of a block of events and stands at its first one. */
static bool enter_block(struct vt_trace *t, const struct vt_block *b, const char *payload)
{
	struct vtf_events head;
	uint64_t need;

	if (b->h.len < sizeof(head))
		return false;
	memcpy(&head, payload, sizeof(head));
	need = sizeof(head) + (uint64_t)head.events_len + head.strings_len;
	if ((b->h.type == VTF_EVENTS && head.events_len % 8) || !head.strings_len || need > b->h.len)
		return false;
	t->block = *b;
	t->payload = payload;
	t->at = payload + sizeof(head);
	t->events_end = t->at + head.events_len;
	t->strings = t->events_end;
	t->strings_len = head.strings_len;
	t->left = b->h.nr;
	if (b->h.type == VTF_PACKED)
		vt_packed__enter(&t->packed, t->at, t->strings, t->strings_len);
	else
		vt_shapes__keep(&t->shapes, false);
	/* With this, every offset below strings_len names a terminated string. */
	return !t->strings[t->strings_len - 1];
}

/* 1 standing in a block with events, 0 at the end, negative errno. */
static int next_block(struct vt_trace *t)
{
	struct vt_block b;
	const char *payload;
	int ret;

	while ((ret = vt_frame__next(&t->frame, &b)) > 0) {
		if (!vtf_has_events(b.h.type))
			continue;
		ret = vt_frame__payload(&t->frame, &b, &payload);
		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		if (enter_block(t, &b, payload))
			return 1;
		t->at = t->events_end = NULL;
		t->left = 0;
		malformed(t, &b, 0, sizeof(b.h) + b.h.len, b.h.nr, "a block of events with impossible lengths");
	}
	return ret;
}

static uint64_t offset_in_block(const struct vt_trace *t, const char *p)
{
	return sizeof(struct vtf_block) + (uint64_t)(p - t->payload);
}

/* The event at D, which lies in the block with all its bytes: 1, 0 when it makes no sense, -ENOMEM. */
static __attribute__((always_inline)) inline int decode(struct vt_trace *t, const struct vtf_event *d, struct vt_event *e)
{
	const struct vt_file_type *is = d->type < VTF_EVENT_IDS ? &t->type[d->type] : NULL;

	if (!is || !is->name || d->comm >= t->strings_len || d->nr > VT_EVENT_FIELDS_MAX)
		return 0;
	e->ts_ns = d->ts_ns;
	e->seq = d->seq;
	e->index = t->index;
	e->block = t->block.offset;
	e->tgid = d->tgid;
	e->tid = d->tid;
	e->cpu = d->cpu;
	e->phase = d->phase;
	e->type = is->type;
	if (d->phase > VT_EXIT) {	/* An event taken at a moment that we have no word for is not one that we know. */
		e->phase = VT_POINT;
		e->type = VT_EV_UNKNOWN;
	}
	e->type_name = is->name;
	e->comm = t->strings + d->comm;
	return vt_shapes__decode(&t->shapes, &t->tables, d, t->strings, t->strings_len, e);
}

/* Is there an event at D, with all its bytes in ROOM? */
static inline bool has_event(const struct vtf_event *d, size_t room)
{
	return room >= sizeof(*d) && !(d->size % 8) && d->size <= room && d->size >= vtf_event_size(d->nr);
}

/* Nobody knows where the events behind this place begin. */
static void leave_block(struct vt_trace *t, const char *what)
{
	malformed(t, &t->block, offset_in_block(t, t->at), (uint64_t)(t->events_end - t->at), t->left, what);
	t->at = t->events_end;
	t->left = 0;
}

/*
 * The event at t->at, and t->at behind it: 1, 0 when it makes no sense, -EBADMSG when what follows cannot be told apart, -ENOMEM.
 * Payloads come from malloc() and sizes are multiples of 8: aligned.
 */
static inline int take_plain(struct vt_trace *t, struct vt_event *e)
{
	const struct vtf_event *d = (const struct vtf_event *)t->at;

	if (!has_event(d, (size_t)(t->events_end - t->at)))
		return -EBADMSG;
	t->at += d->size;
	return decode(t, d, e);
}

static __attribute__((always_inline)) inline int take_packed(struct vt_trace *t, struct vt_event *e)
{
	int ret = vt_packed__next(&t->packed, e);

	if (ret < 0)
		return ret;
	t->at = (const char *)t->packed.at;
	e->index = t->index;
	e->block = t->block.offset;
	return ret;
}

/* 1 and the event, 0 when this block has no more, -ENOMEM. */
static int next_in_block(struct vt_trace *t, struct vt_event *e)
{
	while (t->at < t->events_end) {
		int ret = -EBADMSG;

		t->last = t->at;
		if (t->left)
			ret = t->block.h.type == VTF_PACKED ? take_packed(t, e) : take_plain(t, e);
		if (ret == -EBADMSG) {
			leave_block(t, t->block.h.type == VTF_PACKED ? "events that cannot be told apart" : "events with impossible lengths");
			return 0;
		}
		if (ret < 0)
			return ret;
		t->left--;
		if (ret) {
			t->index++;
			if (!t->counted)
				vt_numbers__see(&t->numbers, e, t->block.offset + offset_in_block(t, t->last));
			return ret;
		}
		malformed(t, &t->block, offset_in_block(t, t->last), (uint64_t)(t->at - t->last), 1, "an event with impossible content");
	}
	if (t->left) {
		malformed(t, &t->block, 0, 0, t->left, "fewer events in a block than its header says");
		t->left = 0;
	}
	return 0;
}

/* The end block counts what the recorder stored: a last check that nothing is missing unnoticed. */
static void check_count(struct vt_trace *t)
{
	char text[128];

	if (!t->tables.ended || t->damages.nr || t->tables.end_events == t->index)
		return;
	snprintf(text, sizeof(text), "the end block counts %" PRIu64 " events, the file has %" PRIu64,
		 t->tables.end_events, t->index);
	vt_damages__add(&t->damages, &(struct vt_damage){
		.offset = t->frame.size, .kind = VT_D_MISSING, .what = text,
		.events = t->tables.end_events > t->index ? t->tables.end_events - t->index : 0 });
}

static int all_read(struct vt_trace *t)
{
	t->done = true;
	t->payload = NULL;
	check_count(t);
	if (!t->counted)
		vt_numbers__end(&t->numbers, &t->tables, &t->damages);
	t->counted = true;
	return t->numbers.err;
}

int vt_trace__next(struct vt_trace *t, struct vt_event *e)
{
	int ret;

	while (!t->done) {
		ret = next_in_block(t, e);
		if (ret)
			return ret;
		ret = next_block(t);
		if (ret < 0)
			return ret;
		if (!ret)
			return all_read(t);
	}
	return 0;
}

struct vt_spot vt_trace__spot(const struct vt_trace *t)
{
	return (struct vt_spot){ .block = t->block.offset, .index = t->index - 1, .offset = (uint32_t)(t->last - t->payload) };
}

/* Stands in the block of events at OFFSET, where one was before. */
static int enter_again(struct vt_trace *t, uint64_t offset)
{
	struct vt_block b;
	const char *payload;
	int ret;

	if (t->payload && t->block.offset == offset)
		return 0;
	t->payload = NULL;
	ret = vt_frame__at(&t->frame, offset, &b);
	if (ret > 0)
		ret = vt_frame__payload(&t->frame, &b, &payload);
	if (ret > 0 && vtf_has_events(b.h.type) && enter_block(t, &b, payload))
		return 0;
	t->payload = NULL;
	return ret < 0 ? ret : -EIO;
}

/* An event of a packed block is told by those before it: on to it, from the begin of the block where it was passed already. */
static int go_to(struct vt_trace *t, const char *to, struct vt_event *e)
{
	const char *first = t->payload + sizeof(struct vtf_events);
	int ret = 0;

	if (t->at > to) {
		t->at = first;
		vt_packed__enter(&t->packed, first, t->strings, t->strings_len);
	}
	while (ret >= 0 && t->at < to)
		ret = take_packed(t, e);
	return ret < 0 ? ret : t->at == to ? 0 : -EBADMSG;
}

static int again_packed(struct vt_trace *t, const char *at, struct vt_event *e)
{
	int ret = go_to(t, at, e);

	if (!ret)
		ret = take_packed(t, e);
	return ret == -EBADMSG ? 0 : ret;
}

int vt_trace__again(struct vt_trace *t, const struct vt_spot *w, struct vt_event *e)
{
	int ret = enter_again(t, w->block);
	const char *at;

	if (ret)
		return ret;
	at = t->payload + w->offset;
	if (at >= t->events_end)
		return -EIO;
	if (t->block.h.type == VTF_PACKED)
		ret = again_packed(t, at, e);
	else
		ret = has_event((const struct vtf_event *)at, (size_t)(t->events_end - at)) ? decode(t, (const struct vtf_event *)at, e) : 0;
	e->index = w->index;
	return ret < 0 ? ret : ret ? 0 : -EIO;
}

/* ---- what is known ---- */

const char *vt_trace__meta(const struct vt_trace *t, const char *key)
{
	for (size_t i = 0; i < t->tables.nr_meta; i++)
		if (!strcmp(t->tables.meta[i].key, key))
			return t->tables.meta[i].value;
	return NULL;
}

const char *vt_trace__told(const struct vt_trace *t, const char *key)
{
	const char *value = vt_trace__meta(t, key);

	return value && *value ? value : NULL;
}

size_t vt_trace__meta_nr(const struct vt_trace *t)
{
	return t->tables.nr_meta;
}

void vt_trace__meta_at(const struct vt_trace *t, size_t i, const char **key, const char **value)
{
	*key = t->tables.meta[i].key;
	*value = t->tables.meta[i].value;
}

size_t vt_trace__probe_nr(const struct vt_trace *t)
{
	return t->tables.nr_probes;
}

const struct vt_probe *vt_trace__probe(const struct vt_trace *t, size_t i)
{
	return &t->tables.probes[i];
}

size_t vt_trace__loss_nr(const struct vt_trace *t)
{
	return t->tables.nr_loss;
}

const struct vt_loss *vt_trace__loss(const struct vt_trace *t, size_t i)
{
	return &t->tables.loss[i];
}

size_t vt_trace__unsaid_nr(const struct vt_trace *t)
{
	return t->counted ? t->numbers.nr_gaps : 0;
}

const struct vt_unsaid *vt_trace__unsaid(const struct vt_trace *t, size_t i)
{
	return &t->numbers.gaps[i].pub;
}

const char *vt_trace__field_name(const struct vt_trace *t, uint16_t field)
{
	const struct vt_names *n = &t->tables.fields;

	if (field < VT_F_MAX)
		return vt_field_name(field);
	return field - VT_F_MAX < (int)n->nr_extra ? n->extra[field - VT_F_MAX] : "unknown";
}

enum vt_kind vt_trace__field_kind(const struct vt_trace *t, uint16_t field)
{
	const struct vt_names *n = &t->tables.fields;

	if (field < VT_F_MAX)
		return t->tables.known_kind[field] ? t->tables.known_kind[field] : vt_field_kind(field);
	return field - VT_F_MAX < (int)n->nr_extra ? n->extra_kind[field - VT_F_MAX] : VT_HEX;
}

const char *vt_trace__class_name(const struct vt_trace *t, uint64_t obj)
{
	const struct vt_names *n = &t->tables.classes;
	unsigned int class = vt_obj_class(obj);

	if (class < VT_C_MAX)
		return vt_class_name(class);
	return class - VT_C_MAX < n->nr_extra ? n->extra[class - VT_C_MAX] : "unknown";
}

const char *vt_trace__ended(const struct vt_trace *t)
{
	return t->tables.how;
}

size_t vt_trace__damage_nr(const struct vt_trace *t)
{
	return t->damages.nr;
}

const struct vt_damage *vt_trace__damage(const struct vt_trace *t, size_t i)
{
	return &t->damages.list[i];
}
