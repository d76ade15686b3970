// SPDX-License-Identifier: GPL-2.0
/* Whatever happened to a file: no crash, no invented event, whole blocks stay readable, and it is said. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/frame.h"
#include "trace_util.h"

#define BIT(n) (1u << (n))

/* Where the blocks of a sound file are. */
struct map {
	struct { size_t at, end; unsigned int type, nr; } b[64];
	size_t nr;
};

static struct map map_blocks(const struct tu_file *f)
{
	size_t at = sizeof(struct vtf_header);
	struct map m = { 0 };

	while (at < f->len) {
		struct vtf_block h;

		memcpy(&h, f->data + at, sizeof(h));
		assert_int_equal(h.magic, VTF_BLOCK_MAGIC);
		m.b[m.nr].at = at;
		at += sizeof(h) + h.len;
		m.b[m.nr].end = at;
		m.b[m.nr].type = h.type;
		m.b[m.nr++].nr = h.nr;
	}
	assert_int_equal(at, f->len);
	return m;
}

static size_t nth(const struct map *m, unsigned int type, unsigned int n)
{
	for (size_t i = 0; i < m->nr; i++)
		if (m->b[i].type == type && !n--)
			return i;
	fail();
	return 0;
}

/* Every event of SOME is one of ALL, in the same order. */
static void assert_subsequence(const struct tu_events *some, const struct tu_events *all)
{
	size_t j = 0;

	for (size_t i = 0; i < some->nr; i++) {
		while (j < all->nr && strcmp(some->text[i], all->text[j]))
			j++;
		if (j++ == all->nr)
			fail_msg("invented: %s", some->text[i]);
	}
}

struct small {
	const char *path;	/* to write variants to */
	struct tu_file file;
	struct map map;
	struct tu_events all;
};

static struct small small_trace(void **state)
{
	struct small s = { .path = tu_path(state, "t") };

	tu_small_trace(s.path);
	s.file = tu_read(s.path);
	s.map = map_blocks(&s.file);
	s.all = tu_events(s.path);
	assert_int_equal(s.all.nr, 9);
	assert_int_equal(s.all.nr_damage, 0);
	assert_true(s.all.ended);
	return s;
}

static void free_small(struct small *s)
{
	free(s->file.data);
	tu_free(&s->all);
}

/* Events in blocks that lie wholly before LEN; *BOUNDARY: LEN is the end of a block. */
static size_t whole_events(const struct map *m, size_t len, bool *boundary)
{
	size_t nr = 0;

	*boundary = len == sizeof(struct vtf_header);
	for (size_t i = 0; i < m->nr && m->b[i].end <= len; i++) {
		nr += vtf_has_events((uint16_t)m->b[i].type) ? m->b[i].nr : 0;
		*boundary = m->b[i].end == len;
	}
	return nr;
}

static void truncated_everywhere(void **state)
{
	struct small s = small_trace(state);

	for (size_t len = s.file.len - 1; len; len--) {
		bool boundary;
		size_t want = whole_events(&s.map, len, &boundary);
		struct tu_events got;

		assert_int_equal(truncate(s.path, (off_t)len), 0);
		got = tu_events(s.path);
		if (len < sizeof(struct vtf_header)) {
			assert_int_equal(got.open_ret, -EBADMSG);
		} else {
			assert_int_equal(got.open_ret, 0);
			assert_int_equal(got.nr, want);
			assert_subsequence(&got, &s.all);
			assert_int_equal(got.kinds, boundary ? 0 : BIT(VT_D_TRUNCATED));
			assert_false(got.ended);
		}
		tu_free(&got);
	}
	free_small(&s);
}

static void check_flip(struct small *s, size_t at, char flip)
{
	struct tu_events got;

	s->file.data[at] ^= flip;
	tu_write(s->path, s->file.data, s->file.len);
	s->file.data[at] ^= flip;
	got = tu_events(s->path);
	if (got.open_ret) {
		assert_true(at < sizeof(struct vtf_header));
		assert_int_equal(got.open_ret, -EBADMSG);
	} else {
		assert_true(got.nr_damage > 0);
		assert_subsequence(&got, &s->all);
		/* one byte costs one block of three events */
		assert_true(got.nr >= 6);
	}
	tu_free(&got);
}

static void flipped_everywhere(void **state)
{
	struct small s = small_trace(state);

	for (size_t at = 0; at < s.file.len; at++) {
		check_flip(&s, at, (char)(1 << at % 8));
		check_flip(&s, at, (char)0xff);
	}
	free_small(&s);
}

/* HEAD bytes of the file, MIDDLE, and the file from TAIL on. */
static struct tu_events spliced(const struct small *s, size_t head, const char *middle, size_t middle_len, size_t tail)
{
	size_t len = head + middle_len + (s->file.len - tail);
	char *data = malloc(len);

	assert_non_null(data);
	memcpy(data, s->file.data, head);
	if (middle_len)
		memcpy(data + head, middle, middle_len);
	memcpy(data + head + middle_len, s->file.data + tail, s->file.len - tail);
	tu_write(s->path, data, len);
	free(data);
	return tu_events(s->path);
}

static void block_missing(void **state)
{
	struct small s = small_trace(state);
	size_t b = nth(&s.map, VTF_PACKED, 1);
	struct tu_events got = spliced(&s, s.map.b[b].at, NULL, 0, s.map.b[b].end);

	assert_int_equal(got.nr, 6);
	assert_int_equal(got.kinds, BIT(VT_D_MISSING));
	assert_subsequence(&got, &s.all);
	tu_free(&got);
	free_small(&s);
}

static void block_twice(void **state)
{
	struct small s = small_trace(state);
	size_t b = nth(&s.map, VTF_PACKED, 1);
	struct tu_events got = spliced(&s, s.map.b[b].end, NULL, 0, s.map.b[b].at);

	assert_int_equal(got.nr, 9);
	assert_int_equal(got.kinds, BIT(VT_D_ORDER));
	tu_free(&got);
	free_small(&s);
}

static void garbage_between(void **state)
{
	char garbage[3000];
	struct small s = small_trace(state);
	size_t at = s.map.b[nth(&s.map, VTF_PACKED, 1)].at;
	uint32_t magic = VTF_BLOCK_MAGIC;
	struct tu_events got;

	for (size_t i = 0; i < sizeof(garbage); i++)
		memcpy(garbage + i, &magic, sizeof(garbage) - i < 4 ? sizeof(garbage) - i : 4);
	for (size_t len = 1; len < sizeof(garbage); len += len < 80 ? 1 : 977) {
		got = spliced(&s, at, garbage, len, at);
		assert_int_equal(got.nr, 9);
		assert_int_equal(got.kinds, BIT(VT_D_GARBAGE));
		assert_int_equal(got.nr_damage, 1);
		tu_free(&got);
	}
	free_small(&s);
}

/* A disk was full, the torn block could not be cut off, and later blocks follow it. */
static void torn_in_the_middle(void **state)
{
	struct small s = small_trace(state);
	size_t b = nth(&s.map, VTF_PACKED, 1);
	size_t size = s.map.b[b].end - s.map.b[b].at;

	for (size_t keep = 1; keep < size; keep++) {
		struct tu_events got = spliced(&s, s.map.b[b].at + keep, NULL, 0, s.map.b[b].end);

		assert_int_equal(got.nr, 6);
		assert_subsequence(&got, &s.all);
		assert_true(got.nr_damage > 0);
		assert_true(got.ended);
		tu_free(&got);
	}
	free_small(&s);
}

static void zeros_at_the_end(void **state)
{
	struct small s = small_trace(state);
	char zeros[5000] = "";
	size_t at = s.map.b[nth(&s.map, VTF_PACKED, 2)].end;
	struct tu_events got = spliced(&s, at, zeros, sizeof(zeros), s.file.len);

	assert_int_equal(got.nr, 9);
	assert_int_equal(got.kinds, BIT(VT_D_TRUNCATED));
	tu_free(&got);
	free_small(&s);
}

static void bytes_after_the_end(void **state)
{
	struct small s = small_trace(state);
	struct tu_events got = spliced(&s, s.file.len, NULL, 0, 0);	/* the whole file again */

	assert_int_equal(got.nr, 9);
	assert_int_equal(got.kinds, BIT(VT_D_ORDER));
	tu_free(&got);
	free_small(&s);
}

/* The first schema is gone: the copy before the end saves the events. */
static void schema_lost(void **state)
{
	struct small s = small_trace(state);
	size_t first = nth(&s.map, VTF_SCHEMA, 0), last = nth(&s.map, VTF_SCHEMA, 1);
	struct tu_events got;

	s.file.data[s.map.b[first].at + 40] ^= 1;
	got = spliced(&s, s.file.len, NULL, 0, s.file.len);
	assert_int_equal(got.nr, 9);
	assert_int_equal(got.kinds, BIT(VT_D_CHECKSUM));
	tu_free(&got);
	s.file.data[s.map.b[last].at + 40] ^= 1;
	got = spliced(&s, s.file.len, NULL, 0, s.file.len);
	assert_int_equal(got.open_ret, -EBADMSG);
	assert_non_null(strstr(got.why, "damaged beyond use"));
	tu_free(&got);
	free_small(&s);
}

static void not_a_trace(void **state)
{
	static const struct { const char *data; size_t len; const char *why; } bad[] = {
		{ "", 0, "the file is empty" },
		{ "\x7f" "ELF and more than twenty-four bytes", 35, "not a vfiotrace file" },
		{ "x", 1, "not a vfiotrace file" },
		{ VTF_MAGIC, 8, "cut off within the file header" },
	};
	const char *path = tu_path(state, "t");
	struct tu_events got;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		tu_write(path, bad[i].data, bad[i].len);
		got = tu_events(path);
		assert_int_equal(got.open_ret, -EBADMSG);
		assert_non_null(strstr(got.why, bad[i].why));
		tu_free(&got);
	}
	got = tu_events(tu_path(state, "absent"));
	assert_int_equal(got.open_ret, -ENOENT);
	tu_free(&got);
	got = tu_events("/dev/null");
	assert_int_equal(got.open_ret, -ESPIPE);
	tu_free(&got);
	got = tu_events("/tmp");
	assert_int_equal(got.open_ret, -EISDIR);
	tu_free(&got);
}

static void newer_format(void **state)
{
	struct small s = small_trace(state);
	struct vtf_header h;
	struct tu_events got;

	memcpy(&h, s.file.data, sizeof(h));
	h.version = VTF_VERSION + 1;
	h.crc = vt_crc(&h, offsetof(struct vtf_header, crc));
	memcpy(s.file.data, &h, sizeof(h));
	got = spliced(&s, s.file.len, NULL, 0, s.file.len);
	assert_int_equal(got.open_ret, -EPROTO);
	assert_non_null(strstr(got.why, "newer vfiotrace"));
	tu_free(&got);
	free_small(&s);
}

/* ---- right checksums, wrong content ---- */

static const struct tu_name names[] = {
	{ VTF_S_EVENT, 1, 0, "luo.preserve" }, { VTF_S_FIELD, 1, VT_U64, "count" }, { VTF_S_FIELD, 2, VT_STR, "session" },
	{ VTF_S_FIELD, 3, VT_OBJ, "file" }, { VTF_S_CLASS, 1, 0, "file" }, { VTF_S_FIELD, 4, VT_U64, "own" },
};

/* A file with three events, the middle one given to SPOIL. */
static struct tu_events with_spoiled(void **state, void (*spoil)(struct vtf_event *))
{
	static const char strings[] = "\0abc";
	const char *path = tu_path(state, "t");
	struct tu_raw raw;
	struct vt_out o;

	assert_int_equal(vt_out__open(&o, path), 0);
	tu_store_schema(&o, names, ARRAY_SIZE(names));
	tu_raw_init(&raw);
	for (unsigned int i = 0; i < 3; i++) {
		struct vtf_event *e = tu_raw_event(&raw, 1, 2);

		tu_raw_field(e, 0, 1, i);
		tu_raw_field(e, 1, 2, 1);
		if (i == 1)
			spoil(e);
	}
	tu_raw_store(&raw, &o, strings, sizeof(strings));
	vt_out__close(&o);
	return tu_events(path);
}

static void spoil_nothing(struct vtf_event *e) {}
static void spoil_type(struct vtf_event *e) { e->type = 2; }
static void spoil_type_far(struct vtf_event *e) { e->type = 0xffff; }
static void spoil_comm(struct vtf_event *e) { e->comm = 5; }
static void spoil_comm_far(struct vtf_event *e) { e->comm = UINT32_MAX; }
static void spoil_field(struct vtf_event *e) { tu_raw_field(e, 0, 9, 0); }
static void spoil_field_far(struct vtf_event *e) { tu_raw_field(e, 0, 0x7fff, 0); }
static void spoil_string(struct vtf_event *e) { tu_raw_field(e, 1, 2, 5); }
static void spoil_string_far(struct vtf_event *e) { tu_raw_field(e, 1, 2, UINT64_MAX); }
static void spoil_class(struct vtf_event *e) { tu_raw_field(e, 1, 3, 2ULL << 48 | 1); }
static void spoil_class_far(struct vtf_event *e) { tu_raw_field(e, 1, 3, UINT64_MAX); }
static void spoil_object(struct vtf_event *e) { tu_raw_field(e, 1, 3, 1ULL << 48); }
static void spoil_errno(struct vtf_event *e) { tu_raw_field(e, 1, 2 | VTF_FIELD_ERR, 4096); }
static void spoil_errno_zero(struct vtf_event *e) { tu_raw_field(e, 1, 2 | VTF_FIELD_ERR, 0); }
static void spoil_twice(struct vtf_event *e) { tu_raw_field(e, 1, 1, 0); }

static void impossible_event(void **state)
{
	void (*const spoils[])(struct vtf_event *) = {
		spoil_type, spoil_type_far, spoil_comm, spoil_comm_far, spoil_field, spoil_field_far, spoil_string,
		spoil_string_far, spoil_class, spoil_class_far, spoil_object, spoil_errno, spoil_errno_zero, spoil_twice,
	};
	struct tu_events got = with_spoiled(state, spoil_nothing);

	assert_true(got.nr == 3 && !got.nr_damage);
	tu_free(&got);
	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		got = with_spoiled(state, spoils[i]);
		assert_int_equal(got.nr, 2);
		assert_int_equal(got.kinds, BIT(VT_D_MALFORMED));
		assert_int_equal(got.lost, 1);
		tu_free(&got);
	}
}

static void spoil_size_zero(struct vtf_event *e) { e->size = 0; }
static void spoil_size_odd(struct vtf_event *e) { e->size++; }
static void spoil_size_small(struct vtf_event *e) { e->size -= 8; }
static void spoil_size_large(struct vtf_event *e) { e->size = 0xfff8; }
static void spoil_nr(struct vtf_event *e) { e->nr = 255; }

static void impossible_length(void **state)
{
	void (*const spoils[])(struct vtf_event *) = {
		spoil_size_zero, spoil_size_odd, spoil_size_small, spoil_size_large, spoil_nr,
	};

	for (size_t i = 0; i < ARRAY_SIZE(spoils); i++) {
		struct tu_events got = with_spoiled(state, spoils[i]);

		/* the rest of the block cannot be told apart */
		assert_int_equal(got.nr, 1);
		assert_int_equal(got.kinds, BIT(VT_D_MALFORMED));
		assert_int_equal(got.lost, 2);
		tu_free(&got);
	}
}

/* A block of TYPE with PAYLOAD as it is, in a trace that is fine otherwise; returns the damage it causes. */
static unsigned int with_block(void **state, unsigned int type, uint32_t nr, const void *payload, uint32_t len)
{
	const char *path = tu_path(state, "t");
	struct tu_events got;
	unsigned int kinds;
	struct vt_out o;
	char *block = calloc(1, sizeof(struct vtf_block) + len);

	assert_non_null(block);
	if (len)
		memcpy(block + sizeof(struct vtf_block), payload, len);
	assert_int_equal(vt_out__open(&o, path), 0);
	tu_store_schema(&o, names, ARRAY_SIZE(names));
	assert_int_equal(vt_out__block(&o, block, type, len, nr, false), 0);
	vt_out__close(&o);
	free(block);
	got = tu_events(path);
	assert_int_equal(got.nr, 0);
	kinds = got.open_ret ? 0 : got.kinds;
	tu_free(&got);
	return kinds;
}

static void impossible_tables(void **state)
{
	static const struct { uint32_t nr, row_size, strings_len; } bad[] = {
		{ 1, 0, 8 }, { 1, 7, 8 }, { 1, 9, 8 }, { 100, 64, 8 }, { UINT32_MAX, 0xfffffff8, 8 }, { 0x20000001, 64, 8 },
		{ 1, 64, 0 }, { 1, 64, 1000 }, { 1, 64, UINT32_MAX }, { 0, 64, 129 },
	};
	char payload[136] = "";

	for (unsigned int type = VTF_META; type <= VTF_END; type++) {
		if (type == VTF_EVENTS)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
			struct vtf_table t = { .row_size = bad[i].row_size, .strings_len = bad[i].strings_len };

			memcpy(payload, &t, sizeof(t));
			assert_int_equal(with_block(state, type, bad[i].nr, payload, sizeof(payload)), BIT(VT_D_MALFORMED));
		}
		assert_int_equal(with_block(state, type, 1, NULL, 0), BIT(VT_D_MALFORMED));
	}
	/* strings without an end, names that are no names */
	memcpy(payload, &(struct vtf_table){ .row_size = 64, .strings_len = 64 }, 8);
	memset(payload + 8, 0xff, 128);
	for (unsigned int type = VTF_META; type <= VTF_END; type++)
		assert_int_equal(with_block(state, type, 1, payload, sizeof(payload)), BIT(VT_D_MALFORMED));
	payload[135] = '\0';
	for (unsigned int type = VTF_META; type <= VTF_END; type++)
		if (type != VTF_SCHEMA)
			assert_int_equal(with_block(state, type, 1, payload, sizeof(payload)), BIT(VT_D_MALFORMED));
}

static void impossible_event_blocks(void **state)
{
	static const struct { uint32_t nr, events_len, strings_len; } bad[] = {
		{ 1, 0, 0 }, { 1, 4, 8 }, { 1, 1000, 8 }, { 1, UINT32_MAX - 7, 8 }, { 1, 8, UINT32_MAX }, { 1, 0, 8 },
		{ UINT32_MAX, 0, 8 }, { 1, 8, 8 }, { 0, 40, 8 },
	};
	char payload[72] = "";

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(payload, &(struct vtf_events){ bad[i].events_len, bad[i].strings_len }, sizeof(struct vtf_events));
		assert_int_equal(with_block(state, VTF_EVENTS, bad[i].nr, payload, sizeof(payload)), BIT(VT_D_MALFORMED));
	}
	assert_int_equal(with_block(state, VTF_EVENTS, 0, NULL, 0), BIT(VT_D_MALFORMED));
	/* unknown types are none of our business */
	assert_int_equal(with_block(state, 99, 7, payload, sizeof(payload)), 0);
}

static void contradicting_schema(void **state)
{
	static const struct tu_name other[] = {
		{ VTF_S_EVENT, 1, 0, "luo.retrieve" }, { VTF_S_FIELD, 1, VT_U64, "size" }, { VTF_S_FIELD, 1, VT_STR, "count" },
		{ VTF_S_CLASS, 1, 0, "df" }, { VTF_S_EVENT, VTF_EVENT_IDS, 0, "x" }, { VTF_S_FIELD, VTF_FIELD_IDS, VT_U64, "x" },
		{ VTF_S_CLASS, VTF_CLASS_IDS, 0, "x" }, { VTF_S_EVENT, 7, 0, "" },
	};
	const char *path = tu_path(state, "t");

	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		struct tu_events got;
		struct vt_out o;

		assert_int_equal(vt_out__open(&o, path), 0);
		tu_store_schema(&o, names, ARRAY_SIZE(names));
		tu_store_schema(&o, names, ARRAY_SIZE(names));	/* saying it again is fine */
		tu_store_schema(&o, &other[i], 1);
		vt_out__close(&o);
		got = tu_events(path);
		assert_int_equal(got.open_ret, 0);
		assert_int_equal(got.nr_damage, 1);
		assert_int_equal(got.kinds, BIT(VT_D_MALFORMED));
		tu_free(&got);
	}
}

static void required_block(void **state)
{
	struct { struct vtf_block h; char payload[8]; } b = { .payload = "" };
	const char *path = tu_path(state, "t");
	struct tu_events got;
	struct tu_file f;
	struct vt_out o;

	assert_int_equal(vt_out__open(&o, path), 0);
	assert_int_equal(vt_out__block(&o, &b, 99, 8, 1, false), 0);
	vt_out__close(&o);
	f = tu_read(path);
	b.h.flags = VTF_REQUIRED;
	b.h.header_crc = vt_crc(&b.h, offsetof(struct vtf_block, header_crc));
	memcpy(f.data + sizeof(struct vtf_header), &b, sizeof(b));
	tu_write(path, f.data, f.len);
	free(f.data);
	got = tu_events(path);
	assert_int_equal(got.open_ret, -EPROTO);
	tu_free(&got);
}

/* Damage without end must not become a list without end. */
static void endless_damage(void **state)
{
	const char *path = tu_path(state, "t");
	const size_t blocks = 5000, size = sizeof(struct vtf_block) + 1;
	char *data = calloc(blocks, size);
	struct vtf_header h = { .version = VTF_VERSION, .size = sizeof(h) };
	struct tu_events got;
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_non_null(data);
	memcpy(h.magic, VTF_MAGIC, VTF_MAGIC_LEN);
	h.crc = vt_crc(&h, offsetof(struct vtf_header, crc));
	fwrite(&h, sizeof(h), 1, f);
	for (uint32_t i = 0; i < blocks; i++) {
		struct vtf_block b = { .magic = VTF_BLOCK_MAGIC, .type = VTF_META, .seq = i };

		b.header_crc = vt_crc(&b, offsetof(struct vtf_block, header_crc));
		memcpy(data + i * size, &b, sizeof(b));
	}
	fwrite(data, size, blocks, f);
	fclose(f);
	free(data);
	got = tu_events(path);
	assert_int_equal(got.open_ret, 0);
	assert_int_equal(got.nr_damage, 1001);
	tu_free(&got);
}

static void loss_is_summed_up(void **state)
{
	const char *path = tu_path(state, "t");
	struct vt_rows rows;
	struct vt_trace *t;
	struct vt_out o;
	uint64_t sum = 0;

	assert_int_equal(vt_out__open(&o, path), 0);
	assert_int_equal(vt_rows__init(&rows, sizeof(struct vtf_loss)), 0);
	for (int i = 0; i < 10000; i++) {
		struct vtf_loss *l = vt_rows__add(&rows);

		assert_non_null(l);
		l->count = 2;
	}
	assert_int_equal(vt_rows__write(&rows, &o, VTF_LOSS), 0);
	vt_out__close(&o);
	assert_int_equal(vt_trace__open(path, &t, NULL), 0);
	assert_true(vt_trace__loss_nr(t) < 5000);
	for (size_t i = 0; i < vt_trace__loss_nr(t); i++)
		sum += vt_trace__loss(t, i)->count;
	assert_int_equal(sum, 20000);
	vt_trace__free(t);
}

/* The end block counts: a file from which whole blocks vanished with their numbers closed up is found out. */
static void count_differs(void **state)
{
	const char *path = tu_path(state, "t");
	struct tu_events got;
	struct vt_rows rows;
	struct vtf_end *end;
	struct vt_out o;

	assert_int_equal(vt_out__open(&o, path), 0);
	assert_int_equal(vt_rows__init(&rows, sizeof(*end)), 0);
	end = vt_rows__add(&rows);
	assert_non_null(end);
	end->events = 5;
	assert_int_equal(vt_rows__write(&rows, &o, VTF_END), 0);
	vt_out__close(&o);
	got = tu_events(path);
	assert_int_equal(got.kinds, BIT(VT_D_MISSING));
	assert_int_equal(got.lost, 5);
	tu_free(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, tu_setup, tu_teardown)
		T(truncated_everywhere), T(flipped_everywhere), T(block_missing), T(block_twice), T(garbage_between),
		T(torn_in_the_middle), T(zeros_at_the_end), T(bytes_after_the_end), T(schema_lost), T(not_a_trace),
		T(newer_format), T(impossible_event), T(impossible_length), T(impossible_tables),
		T(impossible_event_blocks), T(contradicting_schema), T(required_block), T(endless_damage),
		T(loss_is_summed_up), T(count_differs),
	};

	return cmocka_run_group_tests_name("trace damage", tests, NULL, NULL);
}
