// SPDX-License-Identifier: GPL-2.0
/* Events told by what is new in them: the same comes back as from events in full, and what makes no sense is refused. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/frame.h"
#include "trace/pack.h"
#include "trace_util.h"

#define BIT(n) (1u << (n))

/* Ids of types from 1, of classes 1 and 2; of fields from 1, of each kind in turn. */
enum { TYPES = 3, FIELDS = 1000, DYN = 100 };

static const char strings[] = "\0agent\0another word\0x";
static const uint32_t words[] = { 0, 1, 7, 20 };

static enum vt_kind kind_of(uint16_t field)
{
	return VT_U64 + field % 5;
}

static void store_schema(struct vt_out *o)
{
	static struct tu_name names[TYPES + 2 + FIELDS];
	static char text[FIELDS][16];
	size_t nr = 0;

	names[nr++] = (struct tu_name){ VTF_S_EVENT, 1, 0, "made.first" };
	names[nr++] = (struct tu_name){ VTF_S_EVENT, 2, 0, "made.second" };
	names[nr++] = (struct tu_name){ VTF_S_EVENT, 3, 0, "luo.preserve" };
	names[nr++] = (struct tu_name){ VTF_S_CLASS, 1, 0, "file" };
	names[nr++] = (struct tu_name){ VTF_S_CLASS, 2, 0, "wormhole" };
	for (uint16_t i = 0; i < FIELDS; i++) {
		snprintf(text[i], sizeof(text[i]), "own%u", i + 1);
		names[nr++] = (struct tu_name){ VTF_S_FIELD, i + 1, (uint8_t)kind_of(i + 1), text[i] };
	}
	tu_store_schema(o, names, nr);
}

/* ---- both ways ---- */

struct one {
	struct vtf_event head;
	uint16_t ids[VT_EVENT_FIELDS_MAX];
	uint64_t values[VT_EVENT_FIELDS_MAX];
};

struct dice {
	uint64_t state;
	/* of how many: few are met again, many make lists long */
	uint32_t threads, cpus, shapes, fields;
	struct one last;
};

static uint64_t roll(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static uint64_t below(struct dice *d, uint64_t n)
{
	return roll(d) % n;
}

static uint64_t number(struct dice *d)
{
	static const uint64_t extremes[] = { 0, 1, ~0ULL, INT64_MAX, (uint64_t)INT64_MIN, UINT32_MAX, 63, 64, 8191, 8192, 0xffff888000000000 };

	if (!below(d, 4))
		return extremes[below(d, ARRAY_SIZE(extremes))];
	return roll(d) >> below(d, 64);
}

static uint64_t value(struct dice *d, uint16_t id)
{
	if (id & VTF_FIELD_ERR)
		return 1 + below(d, VTF_ERRNO_MAX);
	switch (kind_of(id)) {
	case VT_STR: return words[below(d, ARRAY_SIZE(words))];
	case VT_OBJ: return below(d, 5) ? (1 + below(d, 2)) << 48 | (1 + number(d) % 0xffffffffffff) : 0;
	default: return number(d);
	}
}

/* The fields of the shape of that number, which is the same whenever it is asked for. */
static void shape(struct dice *d, struct one *e, uint64_t n)
{
	struct dice own = { .state = n * 77 + d->fields };
	bool taken[FIELDS + 1] = { false };

	e->head.type = (uint16_t)(1 + below(&own, TYPES));
	e->head.phase = (uint8_t)below(&own, 4);
	e->head.nr = (uint8_t)below(&own, d->fields + 1);
	for (uint32_t i = 0; i < e->head.nr; i++) {
		uint16_t id;

		do
			id = (uint16_t)(1 + below(&own, below(&own, 2) ? 200 : FIELDS));
		while (taken[id]);
		taken[id] = true;
		e->ids[i] = id | (below(&own, 9) ? 0 : VTF_FIELD_ERR);
	}
}

static void make(struct dice *d, struct one *e)
{
	uint64_t thread = below(d, d->threads);

	memset(e, 0, sizeof(*e));
	shape(d, e, below(d, d->shapes));
	for (uint32_t i = 0; i < e->head.nr; i++)
		e->values[i] = below(d, 3) ? value(d, e->ids[i]) : d->last.values[i % (d->last.head.nr + 1u)];
	/* What was taken from the last event may be of another kind. */
	for (uint32_t i = 0; i < e->head.nr; i++)
		if ((e->ids[i] & VTF_FIELD_ERR) || kind_of(e->ids[i]) >= VT_STR)
			e->values[i] = value(d, e->ids[i]);
	e->head.ts_ns = below(d, 8) ? d->last.head.ts_ns + below(d, 5000) - 1000 : number(d);
	e->head.tgid = thread % 7 ? (uint32_t)thread : UINT32_MAX;
	e->head.tid = (uint32_t)(thread * 2654435761u);
	e->head.comm = words[thread % ARRAY_SIZE(words)];
	e->head.cpu = (uint16_t)(65535 - below(d, d->cpus));
	e->head.seq = below(d, 4) ? d->last.head.seq + 1 : below(d, 2) ? 0 : number(d);
	d->last = *e;
}

static void raw(struct tu_raw *r, const struct one *e)
{
	struct vtf_event *to = tu_raw_event(r, e->head.type, e->head.nr);
	struct vtf_event head = e->head;

	head.size = to->size;
	*to = head;
	for (uint32_t i = 0; i < head.nr; i++)
		tu_raw_field(to, i, e->ids[i], e->values[i]);
}

#define EVENTS_AT (sizeof(struct vtf_block) + sizeof(struct vtf_events))

/* A packed block: LEN bytes of events, so much of the strings, and what it says of its events. */
static void store_with(struct vt_out *o, const void *events, size_t len, uint32_t strings_len, uint32_t nr)
{
	struct vtf_events head = { .events_len = (uint32_t)len, .strings_len = strings_len };
	struct vt_buf b = { 0 };
	char *to;

	assert_non_null(vt_buf__add(&b, EVENTS_AT + vtf_align8((uint32_t)len + strings_len)));
	to = b.data + sizeof(struct vtf_block);
	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), events, len);
	memcpy(to + sizeof(head) + len, strings, strings_len);
	assert_int_equal(vt_out__block(o, b.data, VTF_PACKED, (uint32_t)(b.len - sizeof(struct vtf_block)), nr, false), 0);
	vt_buf__free(&b);
}

static void store_bytes(struct vt_out *o, const void *events, size_t len, uint32_t nr)
{
	store_with(o, events, len, sizeof(strings), nr);
}

struct both {
	struct vt_out plain, packed;
	struct tu_raw raw;
	struct vt_buf buf;
	struct vt_pack *pack;
	uint32_t nr;
};

static void end_block(struct both *b)
{
	tu_raw_store(&b->raw, &b->plain, strings, sizeof(strings));
	store_bytes(&b->packed, b->buf.data, b->buf.len, b->nr);
	tu_raw_init(&b->raw);
	b->buf.len = 0;
	b->nr = 0;
	vt_pack__reset(b->pack);
}

static void assert_same_events(const char *plain, const char *packed, size_t nr)
{
	struct tu_events a = tu_events(plain), b = tu_events(packed);

	assert_int_equal(a.open_ret, 0);
	assert_int_equal(b.open_ret, 0);
	assert_int_equal(a.nr, nr);
	assert_int_equal(b.nr, nr);
	assert_int_equal(a.nr_damage, 0);
	assert_int_equal(b.nr_damage, 0);
	for (size_t i = 0; i < nr; i++)
		assert_string_equal(a.text[i], b.text[i]);
	tu_free(&a);
	tu_free(&b);
}

static void assert_again(const char *path, size_t nr, struct dice *d)
{
	struct vt_spot *spot = calloc(nr, sizeof(*spot));
	static struct vt_event e;
	struct vt_trace *t;
	char **text = calloc(nr, sizeof(*text));

	assert_int_equal(vt_trace__open(path, &t, NULL), 0);
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(vt_trace__next(t, &e), 1);
		spot[i] = vt_trace__spot(t);
		text[i] = tu_text(t, &e);
	}
	assert_int_equal(vt_trace__next(t, &e), 0);
	for (size_t n = 0; n < 50; n++) {
		size_t i = below(d, nr);
		char *again;

		assert_int_equal(vt_trace__again(t, &spot[i], &e), 0);
		again = tu_text(t, &e);
		assert_string_equal(again, text[i]);
		assert_int_equal(e.index, i);
		free(again);
	}
	for (size_t i = 0; i < nr; i++)
		free(text[i]);
	free(text);
	free(spot);
	vt_trace__free(t);
}

static void both_ways(void **state)
{
	static const struct dice sorts[] = {
		{ .threads = 3, .cpus = 2, .shapes = 5, .fields = 12 }, { .threads = 200, .cpus = 300, .shapes = 300, .fields = 10 },
		{ .threads = 1, .cpus = 1, .shapes = 1, .fields = 0 }, { .threads = 20, .cpus = 65536, .shapes = 40, .fields = VT_EVENT_FIELDS_MAX },
		{ .threads = 5000, .cpus = 4, .shapes = 3000, .fields = 8 }, { .threads = 4, .cpus = 4, .shapes = 60, .fields = 70 },
	};
	const char *plain = tu_path(state, "plain"), *packed = tu_path(state, "packed");
	const size_t nr = 3000;

	for (unsigned int round = 0; round < 3 * ARRAY_SIZE(sorts); round++) {
		struct dice d = sorts[round % ARRAY_SIZE(sorts)];
		struct both b = { .pack = calloc(1, sizeof(*b.pack)) };

		d.state = round;
		assert_int_equal(vt_out__open(&b.plain, plain), 0);
		assert_int_equal(vt_out__open(&b.packed, packed), 0);
		store_schema(&b.plain);
		store_schema(&b.packed);
		tu_raw_init(&b.raw);
		vt_pack__reset(b.pack);
		for (size_t i = 0; i < nr; i++) {
			struct one e;

			make(&d, &e);
			raw(&b.raw, &e);
			assert_int_equal(vt_pack__event(b.pack, &b.buf, &e.head, e.ids, e.values), 0);
			b.nr++;
			if (vt_pack__full(b.pack) || !below(&d, 700))
				end_block(&b);
		}
		end_block(&b);
		vt_out__close(&b.plain);
		vt_out__close(&b.packed);
		assert_same_events(plain, packed, nr);
		assert_again(packed, nr, &d);
		vt_buf__free(&b.raw.block);
		vt_buf__free(&b.buf);
		free(b.pack);
	}
}

/* ---- by hand ---- */

struct bytes {
	uint8_t b[512];
	size_t len;
};

static void put(struct bytes *to, uint64_t n)
{
	for (; n > 0x7f; n >>= 7)
		to->b[to->len++] = (uint8_t)(n | 0x80);
	to->b[to->len++] = (uint8_t)n;
}

static void put_diff(struct bytes *to, int64_t n)
{
	put(to, vtf_zigzag((uint64_t)n));
}

/* A shape of TYPE, a point, with the fields that follow, until 0. */
static void put_shape(struct bytes *to, uint64_t type, const uint64_t *ids)
{
	size_t nr = 0;

	while (ids[nr])
		nr++;
	put(to, 0);
	put(to, type);
	put(to, VT_POINT);
	put(to, nr);
	for (size_t i = 0; i < nr; i++)
		put(to, ids[i]);
}

#define SHAPE(to, type, ...) put_shape(to, type, (const uint64_t[]){ __VA_ARGS__, 0 })

enum { NUMBER = 5, HEX = 6, SIGNED = 7, TEXT = 8, OBJECT = 9 };	/* fields of each kind */
#define NEW(i) (uint8_t)(BIT(i) << VTF_NEW_FIELDS)

/* The mask, the time one further. */
static void put_news(struct bytes *to, uint8_t mask)
{
	to->b[to->len++] = mask;
	put_diff(to, 1);
}

/* An event of shape N with a number and a text of its own. */
static void put_whole(struct bytes *to, uint64_t n, int64_t number_diff, int64_t text_diff)
{
	put(to, n);
	put_news(to, NEW(0) | NEW(1));
	put_diff(to, number_diff);
	put_diff(to, text_diff);
}

static void begin(struct bytes *to)
{
	to->len = 0;
	SHAPE(to, 1, NUMBER, TEXT);
	put_news(to, NEW(0) | NEW(1));
	put_diff(to, 5);
	put_diff(to, 1);
}

static struct tu_events read_bytes(void **state, const struct bytes *b, uint32_t nr)
{
	const char *path = tu_path(state, "t");
	struct vt_out o;

	assert_int_equal(vt_out__open(&o, path), 0);
	store_schema(&o);
	store_bytes(&o, b->b, b->len, nr);
	vt_out__close(&o);
	return tu_events(path);
}

/* Of NR events that the block tells of DUE are read and LOST are told. */
static void assert_refused(void **state, const struct bytes *b, uint32_t nr, uint32_t due, uint32_t lost)
{
	struct tu_events got = read_bytes(state, b, nr);

	assert_int_equal(got.open_ret, 0);
	assert_int_equal(got.nr, due);
	assert_int_equal(got.kinds, BIT(VT_D_MALFORMED));
	assert_int_equal(got.lost, lost);
	tu_free(&got);
}

static void assert_read(void **state, const struct bytes *b, uint32_t nr)
{
	struct tu_events got = read_bytes(state, b, nr);

	assert_int_equal(got.nr, nr);
	assert_int_equal(got.nr_damage, 0);
	tu_free(&got);
}

static void by_hand(void **state)
{
	struct bytes b;
	struct tu_events got;

	begin(&b);
	put_whole(&b, 1, -7, 6);
	put(&b, 1);
	put_news(&b, VTF_NEW_THREAD | VTF_NEW_CPU | VTF_NEW_SEQ);
	put(&b, 0);	/* a thread */
	put(&b, 42);
	put(&b, 43);
	put(&b, 7);
	put(&b, 0);	/* a CPU */
	put(&b, 3);
	put_diff(&b, 9);
	/* Another shape begins with what the last one has. */
	SHAPE(&b, 2, TEXT, HEX, NUMBER);
	put_news(&b, NEW(1) | VTF_NEW_THREAD | VTF_NEW_CPU);
	put(&b, 1);
	put(&b, 1);
	put_diff(&b, -1);
	got = read_bytes(state, &b, 4);
	assert_int_equal(got.nr_damage, 0);
	assert_int_equal(got.nr, 4);
	assert_string_equal(got.text[0], "1 1 cpu0 0/0  made.first/0/0 own5:1=5 own8:4=\"agent\"");
	assert_string_equal(got.text[1], "2 2 cpu0 0/0  made.first/0/0 own5:1=-2 own8:4=\"another word\"");
	assert_string_equal(got.text[2], "3 10 cpu3 42/43 another word made.first/0/0 own5:1=-2 own8:4=\"another word\"");
	assert_string_equal(got.text[3], "4 3 cpu0 0/0  made.second/0/0 own8:4=\"another word\" own6:2=-1 own5:1=-2");
	tu_free(&got);
}

/* Nothing of a block is left when the next one begins. */
static void blocks_stand_alone(void **state)
{
	const char *path = tu_path(state, "t");
	struct tu_events got;
	struct bytes b;
	struct vt_out o;

	begin(&b);
	assert_int_equal(vt_out__open(&o, path), 0);
	store_schema(&o);
	for (int i = 0; i < 3; i++)
		store_bytes(&o, b.b, b.len, 1);
	/* a shape that the block before had */
	store_bytes(&o, "\1\0\0", 3, 1);
	/* values, and numbers of events, begin at 0 */
	b.len = 0;
	SHAPE(&b, 1, TEXT, NUMBER);
	put_news(&b, 0);
	store_bytes(&o, b.b, b.len, 1);
	vt_out__close(&o);
	got = tu_events(path);
	assert_int_equal(got.nr, 4);
	assert_int_equal(got.lost, 1);
	assert_string_equal(got.text[2], got.text[0]);
	assert_string_equal(got.text[3], "1 1 cpu0 0/0  made.first/0/0 own8:4=\"\" own5:1=0");
	tu_free(&got);
}

/* ---- refused: the rest of the block ---- */

struct case_of {
	const char *what, *bytes;
	size_t len;
};

#define CASE(what, bytes) { what, bytes, sizeof(bytes) - 1 }
#define MOST "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"	/* 64 bits */

static void add(struct bytes *to, const struct case_of *c)
{
	memcpy(to->b + to->len, c->bytes, c->len);
	to->len += c->len;
}

/* The second of three events has a shape, a time, a value, a thread, a CPU, a number that is no number. */
static void broken_numbers(void **state)
{
	static const struct case_of bads[] = {
		CASE("cut", "\x80"), CASE("cut later", "\x80\x80\x80\x80\x80\x80\x80\x81"),
		CASE("an idle zero", "\x81\x00"), CASE("an idle zero later", "\x81\x80\x80\x00"),
		CASE("eleven bytes", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), CASE("65 bits", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
	};
	struct bytes b;

	for (size_t i = 0; i < ARRAY_SIZE(bads); i++) {
		for (int place = 0; place < 9; place++) {
			begin(&b);
			if (place)
				put(&b, place < 7 ? 1 : 0);
			if (place == 1)
				b.b[b.len++] = 0;
			if (place >= 2 && place < 7)
				put_news(&b, place == 2 || place == 3 ? NEW(0) | NEW(1) : place == 4 ? VTF_NEW_THREAD : place == 5 ? VTF_NEW_CPU : VTF_NEW_SEQ);
			if (place == 3)
				put_diff(&b, 1);
			if (place == 8) {	/* ids */
				put(&b, 1);
				put(&b, 0);
				put(&b, 2);
				put(&b, NUMBER);
			}
			add(&b, &bads[i]);
			/* What follows must not make a number of what was cut. */
			if (i > 1)
				put_whole(&b, 1, 1, 0);
			assert_refused(state, &b, 3, 1, 2);
		}
	}
}

/* An event of a shape with the fields from 1 to NR, LAST the last byte of its mask. */
static void fields(struct bytes *b, uint32_t nr, uint8_t last)
{
	put(b, 0);
	put(b, 1);
	put(b, 0);
	put(b, nr);
	for (uint32_t i = 1; i <= nr; i++)
		put(b, i);
	memset(b->b + b->len, 0, vtf_mask_len(nr));
	b->len += vtf_mask_len(nr);
	b->b[b->len - 1] = last;
	put_diff(b, 1);
}

/* It would make sense, whoever was told of before. */
static void assert_lost(void **state, struct bytes *b)
{
	put(b, 1);
	put_news(b, VTF_NEW_THREAD);
	put(b, 1);
	assert_refused(state, b, 3, 1, 2);
}

static void cannot_be_told_apart(void **state)
{
	static const struct case_of bads[] = {
		CASE("no shape", "\x02\x00\x02"), CASE("no shape by far", MOST "\x00\x02"), CASE("no shape, of two bytes", "\x80\x01\x00\x02"),
		CASE("no thread", "\x01\x01\x02\x02"), CASE("no thread by far", "\x01\x01\x02" MOST), CASE("no CPU", "\x01\x02\x02\x02"),
		CASE("a tgid of 33 bits", "\x01\x01\x02\x00\x80\x80\x80\x80\x10\x01\x00"), CASE("a tid", "\x01\x01\x02\x00\x01\x80\x80\x80\x80\x10\x00"),
		CASE("a CPU of 17 bits", "\x01\x02\x02\x00\x80\x80\x04"),
		CASE("a bit behind the last field", "\x01\x20\x02\x02"), CASE("the last one of the mask", "\x01\x80\x02\x02"),
		CASE("a type that cannot be", "\x00\x80\x20\x00\x01\x05\x00\x02"), CASE("a phase of 9 bits", "\x00\x01\x80\x02\x00\x00\x02"),
		CASE("a field that cannot be", "\x00\x01\x00\x01\x80\x20\x00\x02"), CASE("one with another bit", "\x00\x01\x00\x01\x85\x80\x01\x00\x02"),
		CASE("one by far", "\x00\x01\x00\x01" MOST "\x00\x02"), CASE("fields without end", "\x00\x01\x00" MOST),
	};
	struct bytes b;

	for (size_t i = 0; i < ARRAY_SIZE(bads); i++) {
		begin(&b);
		add(&b, &bads[i]);
		assert_lost(state, &b);
	}
	begin(&b);
	fields(&b, VT_EVENT_FIELDS_MAX + 1, 0);
	assert_lost(state, &b);
	/* A bit behind the last field of a wide mask, and a broken number as that field's value. */
	begin(&b);
	fields(&b, 90, 0x20);
	put_diff(&b, 1);
	assert_lost(state, &b);
	begin(&b);
	fields(&b, 90, 0x10);
	put(&b, 1);
	b.b[b.len - 1] |= 0x80;
	put(&b, 0);
	assert_lost(state, &b);
	/* The field itself is there. */
	begin(&b);
	fields(&b, 90, 0x10);
	put_diff(&b, 0);
	put_whole(&b, 1, 1, 0);
	assert_read(state, &b, 3);
}

/* Cut anywhere, the whole events before count; what the block says of their number does not rescue it. */
static void cut_anywhere(void **state)
{
	struct bytes b, cut;
	size_t first, second;

	begin(&b);
	first = b.len;
	put(&b, 1);
	put_news(&b, VTF_NEW_THREAD | VTF_NEW_CPU | VTF_NEW_SEQ | NEW(0) | NEW(1));
	put(&b, 0);
	put(&b, 300);
	put(&b, 70000);
	put(&b, 1);
	put(&b, 0);
	put(&b, 200);
	put_diff(&b, 1000);
	put_diff(&b, INT64_MIN);
	put_diff(&b, 6);
	second = b.len;
	for (size_t len = 0; len < second; len++) {
		uint32_t whole = len >= first;

		cut = b;
		cut.len = len;
		assert_refused(state, &cut, 2, whole, 2 - whole);
	}
	assert_read(state, &b, 2);
	assert_refused(state, &b, 1, 1, 0);	/* bytes that belong to nothing */
	assert_refused(state, &b, 3, 2, 1);
	assert_refused(state, &b, UINT32_MAX, 2, UINT32_MAX - 2);
	assert_refused(state, &b, 0, 0, 0);
	b.b[b.len++] = 0;
	assert_refused(state, &b, 2, 2, 0);
}

/* Many events with a mask of 12 bytes, the first of them EXTRA bytes longer. */
static void wide_events(struct vt_buf *b, size_t extra, uint32_t nr)
{
	struct bytes one;

	one.len = 0;
	fields(&one, 90, 0);
	one.len--;
	put_diff(&one, extra ? 64 : 1);
	memcpy(vt_buf__add(b, one.len), one.b, one.len);
	one.len = 13;
	memset(one.b, 0, one.len);
	one.b[0] = 1;
	put_diff(&one, 1);
	for (uint32_t i = 1; i < nr; i++)
		memcpy(vt_buf__add(b, one.len), one.b, one.len);
}

/* The payload ends with them, but for the last byte of the strings, and no block was larger: there is nothing to read behind it. */
static void cut_at_the_end_of_all(void **state)
{
	const char *path = tu_path(state, "t");
	const uint32_t nr = 3000;

	for (size_t extra = 0; extra < 2; extra++) {
		struct vt_buf b = { 0 };

		wide_events(&b, extra, nr);
		for (size_t len = b.len; len > b.len - 120; len--) {
			uint32_t cut = (uint32_t)(b.len - len + 13) / 14;
			struct tu_events got;
			struct vt_out o;

			if ((sizeof(struct vtf_events) + len + 1) % 8)
				continue;
			assert_int_equal(vt_out__open(&o, path), 0);
			store_schema(&o);
			store_with(&o, b.data, len, 1, nr);
			vt_out__close(&o);
			got = tu_events(path);
			assert_int_equal(got.nr, nr - cut);
			assert_int_equal(got.lost, cut);
			tu_free(&got);
		}
		vt_buf__free(&b);
	}
}

/* A shape that is known from another block, and told here but for its end, behind which there is nothing. */
static void known_shape_is_cut(void **state)
{
	const char *path = tu_path(state, "t");
	struct vt_buf b = { 0 };
	struct bytes one;

	one.len = 0;
	fields(&one, 40, 0);
	for (int i = 0; i < 1000; i++)
		memcpy(vt_buf__add(&b, one.len), one.b, one.len);
	for (size_t cut = 1; cut < one.len; cut++) {
		struct tu_events got;
		struct vt_out o;

		b.len = 380 * one.len - cut;
		if ((sizeof(struct vtf_events) + b.len + 1) % 8)
			continue;
		assert_int_equal(vt_out__open(&o, path), 0);
		store_schema(&o);
		store_with(&o, b.data, b.len, 1, 380);
		vt_out__close(&o);
		got = tu_events(path);
		assert_int_equal(got.nr, 379);
		assert_int_equal(got.lost, 1);
		tu_free(&got);
	}
	vt_buf__free(&b);
}

/* ---- refused: one event ---- */

static void impossible_event(void **state)
{
	static const struct case_of odds[] = {
		CASE("no such type", "\x00\x09\x00\x01\x05\x08\x02\x02"), CASE("no such field", "\x00\x01\x00\x01\xe9\x07\x08\x02\x02"),
		CASE("a field twice", "\x00\x01\x00\x02\x05\x05\x00\x02"), CASE("once with an error", "\x00\x01\x00\x02\x05\x85\x80\x02\x10\x02\x0a"),
		CASE("behind the strings", "\x00\x02\x00\x01\x08\x08\x02\x2a"), CASE("before them", "\x00\x02\x00\x01\x08\x08\x02\x03"),
		CASE("no such class", "\x00\x01\x00\x01\x09\x08\x02\x82\x80\x80\x80\x80\x80\x80\x03"), CASE("none that could be", "\x00\x01\x00\x01\x09\x08\x02\x01"),
		CASE("an object without a number", "\x00\x01\x00\x01\x09\x08\x02\x80\x80\x80\x80\x80\x80\x80\x01"),
		CASE("errno 4096", "\x00\x01\x00\x01\x85\x80\x02\x08\x02\x80\x40"), CASE("errno 0", "\x00\x01\x00\x01\x85\x80\x02\x00\x02"),
		CASE("a command behind the strings", "\x01\x01\x02\x00\x01\x01\x16"),
	};
	struct bytes b;

	assert_int_equal(sizeof(strings), 0x16);
	for (size_t i = 0; i < ARRAY_SIZE(odds); i++) {
		begin(&b);
		add(&b, &odds[i]);
		put(&b, 1);
		put_news(&b, VTF_NEW_THREAD | NEW(0));
		put(&b, 1);
		put_diff(&b, 1);
		assert_refused(state, &b, 3, 2, 1);
	}
}

/* A value that made no sense makes none in the events and the shapes that have it from there. */
static void bad_values_stay_bad(void **state)
{
	struct tu_events got;
	struct bytes b;

	/* of the shape itself */
	begin(&b);
	put_whole(&b, 1, 0, 1000);
	put(&b, 1);
	put_news(&b, 0);
	put_whole(&b, 1, 0, -1000);
	assert_refused(state, &b, 4, 2, 2);
	/* while nobody could have had the event anyway */
	begin(&b);
	put(&b, 1);
	put_news(&b, VTF_NEW_THREAD | NEW(1));
	put(&b, 0);
	put(&b, 1);
	put(&b, 1);
	put(&b, 1000);
	put_diff(&b, 1000);
	put(&b, 1);
	put_news(&b, VTF_NEW_THREAD);
	put(&b, 1);
	assert_refused(state, &b, 3, 1, 2);
	/* of a shape that begins with it */
	begin(&b);
	put_whole(&b, 1, 0, 1000);
	SHAPE(&b, 2, TEXT);
	put_news(&b, 0);
	assert_refused(state, &b, 3, 1, 2);
	/* of one that begins with that of a shape which no event can have */
	begin(&b);
	SHAPE(&b, 9, TEXT);
	put_news(&b, NEW(0));
	put_diff(&b, 1000);
	SHAPE(&b, 2, TEXT);
	put_news(&b, 0);
	assert_refused(state, &b, 3, 1, 2);
	/* of a shape that has errors, and of one whose mask is wide */
	begin(&b);
	SHAPE(&b, 1, NUMBER | VTF_FIELD_ERR);
	put_news(&b, NEW(0));
	put_diff(&b, 4000);
	put(&b, 2);
	put_news(&b, NEW(0));
	put_diff(&b, 96);
	assert_refused(state, &b, 3, 2, 1);
	begin(&b);
	fields(&b, 90, 0);
	put(&b, 2);
	memset(b.b + b.len, 0, 12);
	b.len += 12;
	b.b[b.len - 1] = 0x04;	/* the field 88, a text */
	put_diff(&b, 1);
	put_diff(&b, sizeof(strings));
	assert_refused(state, &b, 3, 2, 1);
	/* An object of which there is none. */
	begin(&b);
	SHAPE(&b, 1, OBJECT);
	put_news(&b, 0);
	put(&b, 2);
	put_news(&b, NEW(0));
	put_diff(&b, 1LL << 48);
	assert_refused(state, &b, 3, 2, 1);
	/* An error is no value to begin with. */
	begin(&b);
	SHAPE(&b, 1, TEXT | VTF_FIELD_ERR);
	put_news(&b, NEW(0));
	put_diff(&b, 4000);
	SHAPE(&b, 2, TEXT);
	put_news(&b, 0);
	got = read_bytes(state, &b, 3);
	assert_int_equal(got.nr_damage, 0);
	assert_string_equal(got.text[1], "2 2 cpu0 0/0  made.first/0/0 own8:4=!4000");
	assert_string_equal(got.text[2], "3 3 cpu0 0/0  made.second/0/0 own8:4=\"agent\"");
	tu_free(&got);
}

/* Each list has its end, and a block that is longer is not believed. */
static void long_lists(void **state)
{
	const char *path = tu_path(state, "t");
	const uint32_t more = 30;
	struct vt_buf b = { 0 };

	for (int what = 0; what < 4; what++) {
		/* One entry of the threads and of the CPUs is there before. */
		uint32_t max = what == 3 ? VTF_PACKED_FIELDS / 100 : VTF_PACKED_LIST - (what ? 1 : 0);
		struct tu_events got;
		struct bytes one;
		struct vt_out o;

		b.len = 0;
		for (uint32_t i = 0; i < max + more; i++) {
			one.len = 0;
			if (what == 3) {
				fields(&one, 100, 0);
			} else if (!i || !what) {
				put(&one, 0);
				put(&one, 1);
				put(&one, 0);
				put(&one, 0);
				put_news(&one, 0);
			}
			if (what == 1 || what == 2) {
				put(&one, 1);
				put_news(&one, what == 1 ? VTF_NEW_THREAD : VTF_NEW_CPU);
				for (int k = what == 1 ? 4 : 2; k; k--)
					put(&one, 0);
			}
			memcpy(vt_buf__add(&b, one.len), one.b, one.len);
		}
		assert_int_equal(vt_out__open(&o, path), 0);
		store_schema(&o);
		store_bytes(&o, b.data, b.len, max + more + (what == 1 || what == 2));
		vt_out__close(&o);
		got = tu_events(path);
		assert_int_equal(got.nr, max + (what == 1 || what == 2));
		assert_int_equal(got.kinds, BIT(VT_D_MALFORMED));
		assert_int_equal(got.lost, more);
		tu_free(&got);
	}
	vt_buf__free(&b);
}

/* ---- the writer ---- */

/* More threads, CPUs and fields than a block can have. */
static void writer_begins_blocks(void **state)
{
	const char *path = tu_path(state, "t");
	static struct vt_event e;
	struct vt_writer *w;
	struct vt_trace *t;
	int ids[DYN];
	char name[32];

	assert_int_equal(vt_writer__open(path, &w), 0);
	for (int i = 0; i < DYN; i++) {
		snprintf(name, sizeof(name), "file.m%d", i);
		ids[i] = vt_writer__dyn_field(w, name, VT_U64);
	}
	for (uint32_t i = 0; i < 12000; i++) {
		struct vt_stamp s = { .ts_ns = i, .seq = 1, .tgid = i, .tid = i, .cpu = (uint16_t)i, .comm = "x" };

		vt_writer__begin(w, VT_EV_FILE_SNAP, VT_POINT, &s);
		for (uint32_t k = 0; k < i % 3 * 40; k++)
			vt_writer__u64(w, ids[(i + k * 7) % DYN], i);
		assert_int_equal(vt_writer__end(w), 0);
	}
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	vt_writer__free(w);
	assert_int_equal(vt_trace__open(path, &t, NULL), 0);
	for (uint32_t i = 0; i < 12000; i++) {
		assert_int_equal(vt_trace__next(t, &e), 1);
		assert_true(e.ts_ns == i && e.seq == 1 && e.tid == i && e.cpu == i && e.nr == i % 3 * 40);
		for (uint32_t k = 0; k < e.nr; k++) {
			assert_int_equal(e.place[k].field, ids[(i + k * 7) % DYN]);
			assert_int_equal(e.bits[k], i);
		}
	}
	assert_int_equal(vt_trace__next(t, &e), 0);
	assert_int_equal(vt_trace__damage_nr(t), 0);
	vt_trace__free(t);
}

/* As much as a block can have is read again. */
static void full_blocks(void **state)
{
	const char *path = tu_path(state, "t");
	struct vt_pack *p = calloc(1, sizeof(*p));
	struct vt_buf b = { 0 };

	for (int what = 0; what < 4; what++) {
		static const uint32_t due[] = { VTF_PACKED_LIST, VTF_PACKED_LIST - 1, VTF_PACKED_LIST - 1, (VTF_PACKED_FIELDS - VT_EVENT_FIELDS_MAX) / 64 + 1 };
		struct tu_events got;
		struct vt_out o;
		uint32_t nr = 0;

		b.len = 0;
		vt_pack__reset(p);
		for (; !vt_pack__full(p); nr++) {
			struct one e = { .head = { .ts_ns = nr, .type = 1 } };

			if (what == 0) {
				e.head.nr = 2;
				e.ids[0] = (uint16_t)(1 + nr % 64);
				e.ids[1] = (uint16_t)(65 + nr / 64);
				e.values[0] = e.values[1] = 1;
			}
			if (what == 1)
				e.head.tid = nr + 1;
			if (what == 2)
				e.head.cpu = (uint16_t)(nr + 1);
			if (what == 3) {
				e.head.nr = 64;
				for (uint16_t i = 0; i < 64; i++)
					e.ids[i] = (uint16_t)(1 + (nr + i) % FIELDS);
			}
			for (uint16_t i = 0; i < e.head.nr; i++)
				if (kind_of(e.ids[i]) == VT_OBJ)
					e.values[i] = 0;
			assert_int_equal(vt_pack__event(p, &b, &e.head, e.ids, e.values), 0);
		}
		assert_int_equal(nr, due[what]);
		assert_int_equal(vt_out__open(&o, path), 0);
		store_schema(&o);
		store_bytes(&o, b.data, b.len, nr);
		vt_out__close(&o);
		got = tu_events(path);
		assert_int_equal(got.nr, nr);
		assert_int_equal(got.nr_damage, 0);
		tu_free(&got);
	}
	vt_buf__free(&b);
	free(p);
}

/* What a damaged block takes along is in its header. */
static void damaged_block(void **state)
{
	const char *path = tu_path(state, "t");
	struct tu_events got;
	struct vtf_block h;
	struct tu_file f;

	tu_small_trace(path);
	f = tu_read(path);
	for (size_t at = sizeof(struct vtf_header); at < f.len; at += sizeof(h) + h.len) {
		memcpy(&h, f.data + at, sizeof(h));
		if (h.type != VTF_PACKED)
			continue;
		f.data[at + EVENTS_AT] ^= 1;
		tu_write(path, f.data, f.len);
		f.data[at + EVENTS_AT] ^= 1;
		got = tu_events(path);
		assert_int_equal(got.nr, 6);
		assert_int_equal(got.kinds, BIT(VT_D_CHECKSUM));
		assert_int_equal(got.lost, 3);
		tu_free(&got);
	}
	free(f.data);
}

/* Who does not know packed blocks must say so. */
static void required(void **state)
{
	const char *path = tu_path(state, "t");
	struct vtf_block h;
	unsigned int nr = 0;
	struct tu_file f;

	tu_small_trace(path);
	f = tu_read(path);
	for (size_t at = sizeof(struct vtf_header); at < f.len; at += sizeof(h) + h.len) {
		memcpy(&h, f.data + at, sizeof(h));
		assert_int_not_equal(h.type, VTF_EVENTS);
		assert_int_equal(h.flags, h.type == VTF_PACKED ? VTF_REQUIRED : 0);
		nr += h.type == VTF_PACKED;
	}
	assert_int_equal(nr, 3);
	free(f.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, tu_setup, tu_teardown)
		T(both_ways), T(by_hand), T(blocks_stand_alone), T(broken_numbers), T(cannot_be_told_apart), T(cut_anywhere), T(cut_at_the_end_of_all),
		T(known_shape_is_cut), T(impossible_event), T(bad_values_stay_bad), T(long_lists), T(full_blocks), T(damaged_block),
		T(writer_begins_blocks), T(required),
	};

	return cmocka_run_group_tests_name("trace, packed", tests, NULL, NULL);
}
