// SPDX-License-Identifier: GPL-2.0
/* What is written comes back, and what a tool of another version wrote is kept. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "trace_util.h"

static const struct vt_stamp stamp = { .ts_ns = UINT64_MAX, .seq = 9, .tgid = 1, .tid = UINT32_MAX, .cpu = 65535,
				       .comm = "kworker/u8:\303\251" };

static void next(struct vt_trace *t, struct vt_event *e)
{
	assert_int_equal(vt_trace__next(t, e), 1);
}

static struct vt_trace *open_trace(const char *path)
{
	struct vt_trace *t;
	char *why;

	if (vt_trace__open(path, &t, &why))
		fail_msg("cannot open: %s", why);
	assert_null(why);
	return t;
}

static void every_kind(void **state)
{
	const char *path = tu_path(state, "t");
	static struct vt_event e;
	struct vt_writer *w;
	struct vt_trace *t;
	int hex, obj;
	uint64_t u;
	int64_t s;

	assert_int_equal(vt_writer__open(path, &w), 0);
	hex = vt_writer__dyn_field(w, "file.f_mode", VT_HEX);
	obj = vt_writer__dyn_field(w, "file.f_op", VT_OBJ);
	assert_true(hex >= VT_F_MAX && obj >= VT_F_MAX && hex != obj);
	vt_writer__begin(w, VT_EV_FILE_SNAP, VT_POINT, &stamp);
	vt_writer__u64(w, VT_F_COUNT, UINT64_MAX);
	vt_writer__u64(w, VT_F_TOKEN, 0);
	vt_writer__s64(w, VT_F_RET, INT64_MIN);
	vt_writer__str(w, VT_F_SESSION, "");
	vt_writer__str(w, VT_F_NAME, "a\nb\033[31m\377");
	vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, 0xffffffffffff));
	vt_writer__u64(w, VT_F_DF, 0);
	vt_writer__err(w, VT_F_DEVICE, EFAULT);
	vt_writer__err(w, VT_F_COMPATIBLE, 4095);
	vt_writer__u64(w, hex, 0x1d);
	vt_writer__u64(w, obj, vt_obj(VT_C_OTHER, 3));
	assert_int_equal(vt_writer__end(w), 0);
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	vt_writer__free(w);

	t = open_trace(path);
	next(t, &e);
	assert_int_equal(e.type, VT_EV_FILE_SNAP);
	assert_string_equal(e.type_name, "file.snap");
	assert_int_equal(e.phase, VT_POINT);
	assert_true(e.ts_ns == UINT64_MAX && e.seq == 9 && e.tgid == 1 && e.tid == UINT32_MAX && e.cpu == 65535);
	assert_string_equal(e.comm, stamp.comm);
	assert_int_equal(e.nr, 11);
	assert_true(vt_ev_u64(&e, VT_F_COUNT, &u) && u == UINT64_MAX);
	assert_false(vt_ev_s64(&e, VT_F_COUNT, &s));
	assert_true(vt_ev_u64(&e, VT_F_TOKEN, &u) && u == 0);
	assert_true(vt_ev_s64(&e, VT_F_RET, &s) && s == INT64_MIN);
	assert_false(vt_ev_u64(&e, VT_F_RET, &u));
	assert_string_equal(vt_ev_str(&e, VT_F_SESSION), "");
	assert_string_equal(vt_ev_str(&e, VT_F_NAME), "a\nb\033[31m\377");
	assert_true(vt_ev_obj(&e, VT_F_FILE) == vt_obj(VT_C_FILE, 0xffffffffffff));
	assert_true(vt_ev_has(&e, VT_F_DF) && !vt_ev_obj(&e, VT_F_DF));
	assert_true(vt_ev_has(&e, VT_F_DEVICE) && !vt_ev_obj(&e, VT_F_DEVICE));
	assert_int_equal(vt_ev_at(&e, e.at[VT_F_DEVICE].place - 1u).err, EFAULT);
	assert_null(vt_ev_str(&e, VT_F_COMPATIBLE));
	assert_false(vt_ev_has(&e, VT_F_HANDLER));
	assert_string_equal(vt_trace__field_name(t, vt_ev_at(&e, 9).field), "file.f_mode");
	assert_int_equal(vt_trace__field_kind(t, vt_ev_at(&e, 9).field), VT_HEX);
	assert_true(vt_ev_at(&e, 9).kind == VT_HEX && vt_ev_at(&e, 9).u == 0x1d);
	assert_string_equal(vt_trace__class_name(t, vt_ev_at(&e, 10).u), "ptr");
	assert_int_equal(vt_trace__next(t, &e), 0);
	assert_int_equal(vt_trace__damage_nr(t), 0);
	vt_trace__free(t);
}

static void tables(void **state)
{
	const char *path = tu_path(state, "t");
	const char *key, *value;
	struct vt_trace *t;

	tu_small_trace(path);
	t = open_trace(path);
	assert_int_equal(vt_trace__meta_nr(t), 1);
	vt_trace__meta_at(t, 0, &key, &value);
	assert_string_equal(key, "kernel.release");
	assert_string_equal(vt_trace__meta(t, "kernel.release"), "7.3.4");
	assert_null(vt_trace__meta(t, "boot_id"));
	assert_int_equal(vt_trace__probe_nr(t), 1);
	assert_string_equal(vt_trace__probe(t, 0)->func, "luo_preserve_file");
	assert_true(vt_trace__probe(t, 0)->attached && vt_trace__probe(t, 0)->hits == 3);
	assert_int_equal(vt_trace__loss_nr(t), 1);
	assert_string_equal(vt_trace__loss(t, 0)->event, "kho.restore_folio");
	assert_true(vt_trace__loss(t, 0)->count == 7 && vt_trace__loss(t, 0)->to_ns == 2);
	assert_string_equal(vt_trace__ended(t), "stopped");
	vt_trace__free(t);
}

static void last_probes_and_meta_win(void **state)
{
	const char *path = tu_path(state, "t");
	struct vt_probe p[2] = { { .func = "a", .hits = 1 }, { .func = "b", .hits = 2 } };
	struct vt_writer *w;
	struct vt_trace *t;

	assert_int_equal(vt_writer__open(path, &w), 0);
	assert_int_equal(vt_writer__probes(w, p, 2), 0);
	assert_int_equal(vt_writer__meta(w, "k", "old"), 0);
	p[0].hits = 10;
	assert_int_equal(vt_writer__probes(w, p, 1), 0);
	assert_int_equal(vt_writer__meta(w, "k", "new"), 0);
	assert_int_equal(vt_writer__meta(w, "", "x"), -EINVAL);
	vt_writer__free(w);
	t = open_trace(path);
	assert_int_equal(vt_trace__probe_nr(t), 1);
	assert_int_equal(vt_trace__probe(t, 0)->hits, 10);
	assert_string_equal(vt_trace__probe(t, 0)->reason, "");
	assert_int_equal(vt_trace__meta_nr(t), 1);
	assert_string_equal(vt_trace__meta(t, "k"), "new");
	assert_null(vt_trace__ended(t));
	assert_int_equal(vt_trace__damage_nr(t), 0);
	vt_trace__free(t);
}

static void many_events_and_rewind(void **state)
{
	const char *path = tu_path(state, "t");
	static struct vt_event e;
	struct vt_writer *w;
	struct vt_trace *t;
	const uint64_t nr = 20000;

	assert_int_equal(vt_writer__open(path, &w), 0);
	for (uint64_t i = 0; i < nr; i++)
		assert_int_equal(tu_event(w, i), 0);
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	assert_int_equal(vt_writer__end(w), -EBADF);
	assert_int_equal(vt_writer__flush(w, true), -EBADF);
	vt_writer__free(w);
	t = open_trace(path);
	for (int pass = 0; pass < 2; pass++) {
		for (uint64_t i = 0; i < nr; i++) {
			next(t, &e);
			assert_true(e.index == i && e.ts_ns == i && vt_ev_obj(&e, VT_F_FILE) == vt_obj(VT_C_FILE, i + 1));
		}
		assert_int_equal(vt_trace__next(t, &e), 0);
		assert_int_equal(vt_trace__rewind(t), 0);
	}
	assert_int_equal(vt_trace__damage_nr(t), 0);
	vt_trace__free(t);
}

/* As many fields and as many different strings as there may be. */
static void large_events(void **state)
{
	const char *path = tu_path(state, "t");
	static struct vt_event e;
	struct vt_writer *w;
	struct vt_trace *t;
	char name[32];
	int ids[VT_EVENT_FIELDS_MAX + 1];

	assert_int_equal(vt_writer__open(path, &w), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		snprintf(name, sizeof(name), "file.member%zu", i);
		ids[i] = vt_writer__dyn_field(w, name, VT_STR);
	}
	for (int n = 0; n < 40; n++) {
		vt_writer__begin(w, VT_EV_FILE_SNAP, VT_POINT, &stamp);
		for (size_t i = 0; i < VT_EVENT_FIELDS_MAX; i++) {
			snprintf(name, sizeof(name), "value %d %zu", n, i);
			vt_writer__str(w, ids[i], name);
		}
		assert_int_equal(vt_writer__end(w), 0);
	}
	vt_writer__begin(w, VT_EV_FILE_SNAP, VT_POINT, &stamp);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		vt_writer__str(w, ids[i], "x");
	assert_int_equal(vt_writer__end(w), -E2BIG);
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	vt_writer__free(w);

	t = open_trace(path);
	for (int n = 0; n < 40; n++) {
		next(t, &e);
		assert_int_equal(e.nr, VT_EVENT_FIELDS_MAX);
		snprintf(name, sizeof(name), "value %d 127", n);
		assert_string_equal(vt_ev_at(&e, 127).str, name);
	}
	assert_int_equal(vt_trace__next(t, &e), 0);
	assert_int_equal(vt_trace__loss_nr(t), 1);
	assert_string_equal(vt_trace__loss(t, 0)->event, "file.snap");
	assert_string_equal(vt_trace__loss(t, 0)->why, "not recordable");
	vt_trace__free(t);
}

/* More sorts of events than the reader remembers, some of them with errors in place of values. */
static void many_shapes(void **state)
{
	const char *path = tu_path(state, "t");
	static struct vt_event e;
	struct vt_writer *w;
	struct vt_trace *t;
	char name[32];
	int ids[12];

	assert_int_equal(vt_writer__open(path, &w), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		snprintf(name, sizeof(name), "file.member%zu", i);
		ids[i] = vt_writer__dyn_field(w, name, VT_U64);
	}
	for (unsigned int n = 0; n < 4096; n++) {
		vt_writer__begin(w, VT_EV_FILE_SNAP, VT_POINT, &stamp);
		for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
			if (n >> i & 1)
				n % 5 ? vt_writer__u64(w, ids[i], n + i) : vt_writer__err(w, ids[i], 1 + (int)i);
		}
		assert_int_equal(vt_writer__end(w), 0);
	}
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	vt_writer__free(w);

	t = open_trace(path);
	for (unsigned int n = 0; n < 4096; n++) {
		unsigned int at = 0;

		next(t, &e);
		for (unsigned int i = 0; i < ARRAY_SIZE(ids); i++) {
			struct vt_value v;

			if (!(n >> i & 1))
				continue;
			v = vt_ev_at(&e, at++);
			assert_int_equal(v.field, ids[i]);
			assert_int_equal(v.err, n % 5 ? 0 : 1 + (int)i);
			assert_int_equal(v.u, n % 5 ? n + i : 0);
		}
		assert_int_equal(e.nr, at);
	}
	assert_int_equal(vt_trace__next(t, &e), 0);
	assert_int_equal(vt_trace__damage_nr(t), 0);
	vt_trace__free(t);
}

/* Events are read again from where they stood; a file that has changed since is told. */
static void read_again(void **state)
{
	enum { NR = 30 };
	const char *path = tu_path(state, "t");
	static struct vt_event e;
	struct vt_spot spot[NR];
	struct vt_writer *w;
	struct vt_trace *t;
	struct tu_file f;

	assert_int_equal(vt_writer__open(path, &w), 0);
	for (uint64_t i = 0; i < NR; i++) {
		assert_int_equal(tu_event(w, i), 0);
		if (i % 10 == 9)
			assert_int_equal(vt_writer__flush(w, false), 0);
	}
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	vt_writer__free(w);

	t = open_trace(path);
	for (int i = 0; i < NR; i++) {
		next(t, &e);
		spot[i] = vt_trace__spot(t);
	}
	assert_int_equal(vt_trace__next(t, &e), 0);
	for (uint64_t n = 0; n < 3 * NR; n++) {
		uint64_t i = n * 7 % NR;

		assert_int_equal(vt_trace__again(t, &spot[i], &e), 0);
		assert_true(e.index == i && e.ts_ns == i && vt_ev_obj(&e, VT_F_FILE) == vt_obj(VT_C_FILE, i + 1));
	}
	assert_true(spot[NR - 1].block != spot[0].block);

	f = tu_read(path);
	f.data[spot[0].block + 40] ^= 1;
	tu_write(path, f.data, f.len);
	free(f.data);
	assert_int_equal(vt_trace__again(t, &spot[NR - 1], &e), 0);
	assert_int_equal(vt_trace__again(t, &spot[0], &e), -EIO);
	assert_int_equal(vt_trace__again(t, &spot[NR - 1], &e), 0);
	vt_trace__free(t);
}

static void misuse_is_refused(void **state)
{
	struct vt_writer *w;
	int f;

	assert_int_equal(vt_writer__open(tu_path(state, "t"), &w), 0);
	f = vt_writer__dyn_field(w, "file.x", VT_U64);
	assert_int_equal(vt_writer__dyn_field(w, "file.x", VT_U64), f);
	assert_int_equal(vt_writer__dyn_field(w, "file.x", VT_STR), -EEXIST);
	assert_int_equal(vt_writer__dyn_field(w, "ret", VT_S64), VT_F_RET);
	assert_int_equal(vt_writer__dyn_field(w, "ret", VT_STR), -EEXIST);
	assert_int_equal(vt_writer__dyn_field(w, "", VT_STR), -EINVAL);

#define TRY(type, want, call) do { \
	vt_writer__begin(w, type, VT_POINT, &stamp); \
	call; \
	assert_int_equal(vt_writer__end(w), want); \
} while (0)
	TRY(VT_EV_REBOOT, 0, (void)0);
	TRY(VT_EV_UNKNOWN, -EINVAL, (void)0);
	TRY(VT_EV_MAX, -EINVAL, (void)0);
	TRY(VT_EV_REBOOT, -EINVAL, vt_writer__str(w, VT_F_RET, "x"));
	TRY(VT_EV_REBOOT, -EINVAL, vt_writer__u64(w, VT_F_RET, 1));
	TRY(VT_EV_REBOOT, -EINVAL, vt_writer__s64(w, VT_F_SESSION, 1));
	TRY(VT_EV_REBOOT, -EINVAL, vt_writer__u64(w, f + 1, 1));
	TRY(VT_EV_REBOOT, -EINVAL, vt_writer__u64(w, -1, 1));
	TRY(VT_EV_REBOOT, -EINVAL, vt_writer__err(w, VT_F_RET, 0));
	TRY(VT_EV_REBOOT, -EINVAL, vt_writer__err(w, VT_F_RET, -14));
	TRY(VT_EV_REBOOT, -EEXIST, (vt_writer__s64(w, VT_F_RET, 1), vt_writer__s64(w, VT_F_RET, 1)));
	TRY(VT_EV_REBOOT, -EEXIST, (vt_writer__u64(w, f, 1), vt_writer__err(w, f, 1)));
	TRY(VT_EV_REBOOT, 0, vt_writer__s64(w, VT_F_RET, 1));
	assert_int_equal(vt_writer__error(w), 0);
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	vt_writer__free(w);
	vt_writer__free(NULL);
	vt_trace__free(NULL);
}

/* Other numbers for the same names, names we do not have, kinds we do not have. */
static void other_version(void **state)
{
	static const struct tu_name names[] = {
		{ VTF_S_EVENT, 500, 0, "luo.preserve" },
		{ VTF_S_EVENT, VT_EV_LUO_PRESERVE, 0, "luo.teleport" },
		{ VTF_S_FIELD, 1, VT_S64, "ret" },
		{ VTF_S_FIELD, 2, VT_U64, "colour" },
		{ VTF_S_FIELD, 3, 77, "spin" },		/* a kind of the future */
		{ VTF_S_FIELD, 4, VT_STR, "token" },	/* text where we have a number */
		{ VTF_S_FIELD, 5, VT_U64, "phys" },	/* decimal where we have hexadecimal */
		{ VTF_S_FIELD, 6, VT_OBJ, "file" },
		{ VTF_S_CLASS, 9, 0, "file" },
		{ VTF_S_CLASS, 8, 0, "wormhole" },
		{ 99, 1, 0, "something new" },
	};
	static const char strings[] = "\0agent\0seven";
	const char *path = tu_path(state, "t");
	static struct vt_event e;
	struct vtf_event *d;
	struct tu_raw raw;
	struct vt_out o;
	struct vt_trace *t;
	uint64_t u;
	int64_t s;

	assert_int_equal(vt_out__open(&o, path), 0);
	tu_store_schema(&o, names, ARRAY_SIZE(names));
	tu_raw_init(&raw);
	d = tu_raw_event(&raw, 500, 5);
	d->comm = 1;
	tu_raw_field(d, 0, 1, (uint64_t)-12);
	tu_raw_field(d, 1, 2, 5);
	tu_raw_field(d, 2, 4, 7);
	tu_raw_field(d, 3, 5, 4096);
	tu_raw_field(d, 4, 6, 9ULL << 48 | 3);
	d = tu_raw_event(&raw, VT_EV_LUO_PRESERVE, 2);
	tu_raw_field(d, 0, 3, 0xabc);
	tu_raw_field(d, 1, 6, 8ULL << 48 | 3);
	d = tu_raw_event(&raw, 500, 0);
	d->phase = 7;
	d->size += 16;		/* members that a newer version appended */
	assert_non_null(vt_buf__add(&raw.block, 16));
	tu_raw_store(&raw, &o, strings, sizeof(strings));
	vt_out__close(&o);

	t = open_trace(path);
	next(t, &e);
	assert_int_equal(e.type, VT_EV_LUO_PRESERVE);
	assert_string_equal(e.comm, "agent");
	assert_true(vt_ev_s64(&e, VT_F_RET, &s) && s == -12);
	assert_string_equal(vt_trace__field_name(t, vt_ev_at(&e, 1).field), "colour");
	assert_true(vt_ev_at(&e, 1).field >= VT_F_MAX && vt_ev_at(&e, 1).u == 5);
	assert_false(vt_ev_has(&e, VT_F_TOKEN));
	assert_string_equal(vt_trace__field_name(t, vt_ev_at(&e, 2).field), "token");
	assert_string_equal(vt_ev_at(&e, 2).str, "seven");
	assert_true(vt_ev_u64(&e, VT_F_PHYS, &u) && u == 4096);
	assert_int_equal(vt_trace__field_kind(t, VT_F_PHYS), VT_U64);
	assert_true(vt_ev_obj(&e, VT_F_FILE) == vt_obj(VT_C_FILE, 3));
	next(t, &e);
	assert_int_equal(e.type, VT_EV_UNKNOWN);
	assert_string_equal(e.type_name, "luo.teleport");
	assert_true(vt_ev_at(&e, 0).kind == VT_HEX && vt_ev_at(&e, 0).u == 0xabc);
	assert_true(vt_obj_class(vt_ev_at(&e, 1).u) >= VT_C_MAX);
	assert_string_equal(vt_trace__class_name(t, vt_ev_at(&e, 1).u), "wormhole");
	next(t, &e);
	assert_int_equal(e.type, VT_EV_UNKNOWN);
	assert_string_equal(e.type_name, "luo.preserve");
	assert_int_equal(vt_trace__next(t, &e), 0);
	assert_int_equal(vt_trace__damage_nr(t), 0);
	vt_trace__free(t);
}

static void file_mode(void **state)
{
	const char *path = tu_path(state, "t");
	struct vt_writer *w;
	struct stat st;

	tu_write(path, "something else that is longer than nothing", 40);
	assert_int_equal(vt_writer__open(path, &w), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal((uint64_t)st.st_size, vt_writer__bytes(w));
	vt_writer__free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, tu_setup, tu_teardown)
		T(every_kind), T(tables), T(last_probes_and_meta_win), T(many_events_and_rewind), T(large_events), T(many_shapes), T(read_again),
		T(misuse_is_refused), T(other_version), T(file_mode),
	};

	return cmocka_run_group_tests_name("trace round trip", tests, NULL, NULL);
}
