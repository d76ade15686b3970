// SPDX-License-Identifier: GPL-2.0
/* What a snapshot of struct file shows, and that it shows no address: on types and bytes that the test makes. */
#include "unit.h"

#include <bpf/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/domain/list.h"
#include "capture/kernel/kernel.h"
#include "capture/record/address.h"
#include "capture/record/structfile.h"

#define SECRET 0xff1100000166db00ULL
#define TEXT   0xffffffff812ab720ULL

/* ---- the kernel ---- */

static struct btf *types;

const struct btf *kernel__btf(const struct kernel *k)
{
	return types;
}

const struct btf_type *kernel__real_type(const struct btf *btf, uint32_t type)
{
	const struct btf_type *t = btf__type_by_id(btf, type);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

const char *kernel__sym(const struct kernel *k, uint64_t addr, uint64_t *off, const char **module)
{
	*off = addr == TEXT ? 0 : 64;
	*module = "";
	return addr >= 0xffffffff81000000ULL ? "some_fops" : NULL;
}

bool domains__tell(const struct vt_wire_snap *s, const char *name, uint64_t v, char *buf, size_t len)
{
	return false;
}

/* As struct file is since 6.13, in short. */
static void make_types(void)
{
	int u32, u64, s64, ptr, work, ra, both;

	types = btf__new_empty();
	u32 = btf__add_int(types, "unsigned int", 4, 0);
	u64 = btf__add_int(types, "unsigned long", 8, 0);
	s64 = btf__add_int(types, "long long", 8, BTF_INT_SIGNED);
	ptr = btf__add_ptr(types, 0);
	work = btf__add_struct(types, "callback_head", 16);
	btf__add_field(types, "next", ptr, 0, 0);
	btf__add_field(types, "func", ptr, 64, 0);
	ra = btf__add_struct(types, "file_ra_state", 32);
	btf__add_field(types, "start", u64, 0, 0);
	btf__add_field(types, "size", u32, 64, 0);
	btf__add_field(types, "async_size", u32, 96, 0);
	btf__add_field(types, "ra_pages", u64, 128, 0);
	btf__add_field(types, "prev_pos", s64, 192, 0);
	both = btf__add_union(types, NULL, 32);
	btf__add_field(types, "f_task_work", work, 0, 0);
	btf__add_field(types, "f_ra", ra, 0, 0);
	btf__add_struct(types, "file", 80);
	btf__add_field(types, "f_mode", u32, 0, 0);
	btf__add_field(types, "f_op", ptr, 64, 0);
	btf__add_field(types, "private_data", ptr, 128, 0);
	btf__add_field(types, "f_pos", s64, 192, 0);
	btf__add_field(types, "f_cookie", u64, 256, 0);
	btf__add_field(types, NULL, both, 320, 0);
}

/* ---- one file ---- */

static void put(struct vt_wire_snap *s, size_t at, uint64_t v, size_t len)
{
	memcpy(s->file + at, &v, len);
}

static struct vt_trace *shown(const struct vt_wire_snap *s, struct vt_event *e)
{
	char path[] = "/tmp/structfile.XXXXXX";
	struct vt_stamp stamp = { .ts_ns = 1, .comm = "agent" };
	struct structfile *sf;
	struct vt_writer *w;
	struct vt_trace *t;

	assert_int_equal(vt_writer__fdopen(mkstemp(path), &w), 0);
	assert_int_equal(structfile__new(&sf, NULL), 0);
	vt_writer__begin(w, VT_EV_FILE_SNAP, VT_POINT, &stamp);
	structfile__emit(sf, w, s);
	assert_int_equal(vt_writer__end(w), 0);
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	vt_writer__free(w);
	structfile__free(sf);
	assert_int_equal(vt_trace__open(path, &t, NULL), 0);
	unlink(path);
	assert_int_equal(vt_trace__next(t, e), 1);
	return t;
}

static const char *text_of(const struct vt_trace *t, const struct vt_event *e, const char *name)
{
	for (uint32_t i = 0; i < e->nr; i++) {
		struct vt_value v = vt_ev_at(e, i);

		if (!strcmp(vt_trace__field_name(t, v.field), name))
			return v.str;
	}
	return NULL;
}

/* The last fput() was deferred: what f_ra was is f_task_work now. */
static void released(void **state)
{
	struct vt_wire_snap s = { .file_size = 80 };
	static struct vt_event e;
	struct vt_trace *t;

	put(&s, 0, 0x1f, 4);
	put(&s, 8, TEXT, 8);
	put(&s, 16, SECRET, 8);
	put(&s, 24, (uint64_t)-1, 8);
	put(&s, 32, SECRET, 8);
	put(&s, 40, SECRET, 8);
	put(&s, 48, TEXT, 8);
	t = shown(&s, &e);
	assert_string_equal(text_of(t, &e, "file.f_mode"), "0x1f");
	assert_string_equal(text_of(t, &e, "file.f_op"), "some_fops");
	assert_string_equal(text_of(t, &e, "file.private_data"), "set");
	assert_string_equal(text_of(t, &e, "file.f_pos"), "-1");
	/* A number that looks like an address is none to be shown, whatever it is called. */
	assert_string_equal(text_of(t, &e, "file.f_cookie"), "set");
	assert_string_equal(text_of(t, &e, "file.f_ra"), "set");
	/* Nor its halves. */
	for (uint32_t i = 0; i < e.nr; i++)
		assert_null(strstr(vt_ev_at(&e, i).str, "812ab720"));
	vt_trace__free(t);
	memset(s.file + 40, 0, 32);
	t = shown(&s, &e);
	assert_string_equal(text_of(t, &e, "file.f_ra"), "zero");
	vt_trace__free(t);
}

static void addresses(void **state)
{
	assert_true(address__in(SECRET, VT_HEX, false) && address__in(SECRET, VT_S64, false) && address__in(SECRET, VT_S64, true));
	assert_true(address__in(TEXT, VT_U64, false) && address__in(TEXT, VT_S64, true));
	assert_true(address__in(0xffff800012345678, VT_HEX, false));	/* arm64 */
	/* Counters below zero, errors, dead references, memory of user space, physical memory. */
	assert_false(address__in((uint64_t)-1073741824, VT_S64, false));
	assert_false(address__in((uint64_t)-22, VT_S64, true) || address__in((uint64_t)-4095, VT_HEX, false));
	assert_false(address__in(0xe000000000000000, VT_HEX, false));
	assert_false(address__in(0x7fffffffffff, VT_HEX, false) || address__in(0x100000000000, VT_HEX, false));
	assert_true(address__in(TEXT, VT_HEX, false) && !address__in(0, VT_HEX, false) && !address__in((uint64_t)-1, VT_HEX, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(released), cmocka_unit_test(addresses) };
	int ret;

	make_types();
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	btf__free(types);
	return ret;
}
