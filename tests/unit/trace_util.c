// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace_util.h"

struct tu_dir {
	char path[64];
	char *names[32];
	unsigned int next;
};

int tu_setup(void **state)
{
	struct tu_dir *d = calloc(1, sizeof(*d));

	assert_non_null(d);
	strcpy(d->path, "/tmp/vfiotrace-unit.XXXXXX");
	assert_non_null(mkdtemp(d->path));
	*state = d;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

int tu_teardown(void **state)
{
	struct tu_dir *d = *state;

	nftw(d->path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	for (size_t i = 0; i < ARRAY_SIZE(d->names); i++)
		free(d->names[i]);
	free(d);
	return 0;
}

const char *tu_path(void **state, const char *name)
{
	struct tu_dir *d = *state;
	char **to;

	for (unsigned int i = 0; i < d->next; i++)
		if (!strcmp(d->names[i] + strlen(d->path) + 1, name))
			return d->names[i];
	assert_true(d->next < ARRAY_SIZE(d->names));
	to = &d->names[d->next++];
	assert_true(asprintf(to, "%s/%s", d->path, name) > 0);
	return *to;
}

struct tu_file tu_read(const char *path)
{
	struct tu_file f = { .data = malloc(1) };
	FILE *in = fopen(path, "rb");
	size_t got;

	assert_non_null(in);
	do {
		f.data = realloc(f.data, f.len + 65536);
		assert_non_null(f.data);
		got = fread(f.data + f.len, 1, 65536, in);
		f.len += got;
	} while (got);
	fclose(in);
	return f;
}

void tu_write(const char *path, const void *data, size_t len)
{
	/* Not O_TRUNC: some file systems wait for the disk when a file was emptied and is closed. */
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	close(fd);
}

static void value_text(FILE *f, const struct vt_trace *t, const struct vt_value *v)
{
	fprintf(f, " %s:%d=", vt_trace__field_name(t, v->field), v->kind);
	if (v->err)
		fprintf(f, "!%d", v->err);
	else if (v->kind == VT_STR)
		fprintf(f, "\"%s\"", v->str);
	else if (v->kind == VT_OBJ && v->u)
		fprintf(f, "%s#%" PRIu64, vt_trace__class_name(t, v->u), vt_obj_nr(v->u));
	else
		fprintf(f, "%" PRId64, v->s);
}

char *tu_text(const struct vt_trace *t, const struct vt_event *e)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	fprintf(f, "%" PRIu64 " %" PRIu64 " cpu%u %u/%u %s %s/%u/%u", e->ts_ns, e->seq, e->cpu, e->tgid, e->tid, e->comm,
		e->type_name, e->type, e->phase);
	for (uint32_t i = 0; i < e->nr; i++) {
		const struct vt_value v = vt_ev_at(e, i);

		value_text(f, t, &v);
	}
	fclose(f);
	return text;
}

struct tu_events tu_events(const char *path)
{
	static struct vt_event e;
	struct tu_events all = { 0 };
	struct vt_trace *t;
	int ret;

	all.open_ret = vt_trace__open(path, &t, &all.why);
	if (all.open_ret) {
		assert_non_null(all.why);
		assert_null(t);
		return all;
	}
	while ((ret = vt_trace__next(t, &e)) > 0) {
		assert_int_equal(e.index, all.nr);
		all.text = reallocarray(all.text, all.nr + 1, sizeof(*all.text));
		assert_non_null(all.text);
		all.text[all.nr++] = tu_text(t, &e);
	}
	assert_int_equal(ret, 0);
	assert_int_equal(vt_trace__next(t, &e), 0);
	all.nr_damage = vt_trace__damage_nr(t);
	for (size_t i = 0; i < all.nr_damage; i++) {
		all.kinds |= 1u << vt_trace__damage(t, i)->kind;
		all.lost += vt_trace__damage(t, i)->events;
	}
	all.ended = vt_trace__ended(t);
	vt_trace__free(t);
	return all;
}

void tu_free(struct tu_events *e)
{
	for (size_t i = 0; i < e->nr; i++)
		free(e->text[i]);
	free(e->text);
	free(e->why);
	memset(e, 0, sizeof(*e));
}

int tu_event(struct vt_writer *w, uint64_t n)
{
	struct vt_stamp s = { .ts_ns = n, .seq = n, .tgid = 42, .tid = 43, .cpu = (uint16_t)(n % 4), .comm = "agent" };

	vt_writer__begin(w, VT_EV_OP_PRESERVE, n & 1 ? VT_EXIT : VT_ENTER, &s);
	vt_writer__str(w, VT_F_SESSION, "vm0");
	vt_writer__u64(w, VT_F_TOKEN, n);
	vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, n + 1));
	vt_writer__s64(w, VT_F_RET, -(int64_t)n);
	vt_writer__err(w, VT_F_FILE_REF, 14);
	return vt_writer__end(w);
}

void tu_small_trace(const char *path)
{
	struct vt_probe p = { .func = "luo_preserve_file", .module = "vmlinux", .event = "luo.preserve", .method = "fentry",
			      .reason = "", .attached = true, .hits = 3 };
	struct vt_loss l = { .event = "kho.restore_folio", .why = "ring full", .count = 7, .from_ns = 1, .to_ns = 2 };
	struct vt_writer *w;

	assert_int_equal(vt_writer__open(path, &w), 0);
	assert_int_equal(vt_writer__meta(w, "kernel.release", "7.3.4"), 0);
	for (uint64_t i = 0; i < 9; i++) {
		assert_int_equal(tu_event(w, i), 0);
		if (i % 3 == 2)
			assert_int_equal(vt_writer__flush(w, false), 0);
	}
	assert_int_equal(vt_writer__probes(w, &p, 1), 0);
	assert_int_equal(vt_writer__loss(w, &l), 0);
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	vt_writer__free(w);
}

#define RAW_AT (sizeof(struct vtf_block) + sizeof(struct vtf_events))

void tu_raw_init(struct tu_raw *r)
{
	memset(r, 0, sizeof(*r));
	assert_non_null(vt_buf__add(&r->block, RAW_AT));
}

struct vtf_event *tu_raw_event(struct tu_raw *r, uint16_t type, uint8_t nr)
{
	uint32_t size = vtf_event_size(nr);
	struct vtf_event *e = vt_buf__add(&r->block, size);

	assert_non_null(e);
	e->ts_ns = ++r->nr;
	e->size = (uint16_t)size;
	e->type = type;
	e->nr = nr;
	return e;
}

void tu_raw_field(struct vtf_event *e, unsigned int i, uint16_t id, uint64_t value)
{
	char *ids = (char *)(e + 1);

	memcpy(ids + i * 2, &id, sizeof(id));
	memcpy(ids + vtf_align8(e->nr * 2u) + i * 8, &value, sizeof(value));
}

void tu_raw_store(struct tu_raw *r, struct vt_out *o, const char *strings, uint32_t len)
{
	struct vtf_events head = { .events_len = (uint32_t)(r->block.len - RAW_AT), .strings_len = len };
	char *to = vt_buf__add(&r->block, vtf_align8(len));

	assert_non_null(to);
	memcpy(to, strings, len);
	memcpy(r->block.data + sizeof(struct vtf_block), &head, sizeof(head));
	assert_int_equal(vt_out__block(o, r->block.data, VTF_EVENTS, (uint32_t)(r->block.len - sizeof(struct vtf_block)),
				       r->nr, false), 0);
	vt_buf__free(&r->block);
}

void tu_store_schema(struct vt_out *o, const struct tu_name *names, size_t nr)
{
	struct vt_rows rows;

	assert_int_equal(vt_rows__init(&rows, sizeof(struct vtf_schema)), 0);
	for (size_t i = 0; i < nr; i++) {
		struct vtf_schema *s = vt_rows__add(&rows);

		assert_non_null(s);
		s->what = (uint8_t)names[i].what;
		s->kind = names[i].kind;
		s->id = names[i].id;
		assert_int_equal(vt_rows__str(&rows, names[i].name, &s->name), 0);
	}
	assert_int_equal(vt_rows__write(&rows, o, VTF_SCHEMA), 0);
}
