// SPDX-License-Identifier: GPL-2.0
/*
 * Model, rules and reports on event sequences that no kernel would make. The
 * bytes choose events and their few interesting values; they are written as a
 * proper trace, so that what is fuzzed is what stands behind the reader. Bytes
 * that begin like a trace are taken as one, and those that begin like a second
 * one as the other side (this is built without checksums).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "report/report.h"
#include "trace/format.h"
#include "vfiotrace/trace.h"

struct in {
	const uint8_t *p;
	size_t left;
};

static uint8_t next(struct in *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

/* Each value is there, absent, or unreadable. */
static bool wants(struct vt_writer *w, struct in *in, int field)
{
	uint8_t b = next(in);

	if (b < 24) {
		vt_writer__err(w, field, 14);
		return false;
	}
	return b >= 64;
}

static void number(struct vt_writer *w, struct in *in, int field)
{
	static const int64_t values[] = { 0, 1, 2, 3, -12, -16, -1, 0x1000, 0x2000, 0x3000 };
	int64_t v;

	if (!wants(w, in, field))
		return;
	v = values[next(in) % 10];
	if (vt_field_kind(field) == VT_S64)
		vt_writer__s64(w, field, v);
	else
		vt_writer__u64(w, field, (uint64_t)v);
}

static void object(struct vt_writer *w, struct in *in, int field, enum vt_class c)
{
	uint8_t n;

	if (!wants(w, in, field))
		return;
	n = next(in) % 5;
	vt_writer__u64(w, field, n ? vt_obj(c, n) : 0);
}

static void text(struct vt_writer *w, struct in *in, int field, const char *const *words, size_t nr)
{
	if (wants(w, in, field))
		vt_writer__str(w, field, words[next(in) % nr]);
}

static void one_event(struct vt_writer *w, struct in *in, uint64_t ts, int member)
{
	static const char *const sessions[] = { "a", "b", "" }, *const handlers[] = { "vfio-pci-v1", "memfd-v2" };
	static const char *const points[] = { "open", "preserve", "preserved", "freeze", "retrieve", "retrieved", "finish", "finished", "release", "?" };
	static const char *const frees[] = { "kfree", "kvfree", "vfree" }, *const families[] = { "kmalloc", "vmalloc" };
	static const char *const bdfs[] = { "0000:00:03.0", "0000:00:04.0" };
	enum vt_event_type type = 1 + next(in) % (VT_EV_MAX - 1);
	struct vt_stamp s = { .ts_ns = ts, .tgid = 1, .tid = next(in) % 3, .comm = "x" };

	vt_writer__begin(w, type, next(in) % 3, &s);
	text(w, in, VT_F_SESSION, sessions, 3);
	text(w, in, VT_F_COMPATIBLE, handlers, 2);
	number(w, in, VT_F_TOKEN);
	number(w, in, VT_F_RET);
	number(w, in, VT_F_DATA);
	number(w, in, VT_F_PHYS);
	number(w, in, VT_F_RETRIEVED);
	number(w, in, VT_F_FILE_REF);
	object(w, in, VT_F_FILE, VT_C_FILE);
	if (type >= VT_EV_FILE_SNAP) {
		object(w, in, VT_F_DF, VT_C_DF);
		object(w, in, VT_F_OBJ, VT_C_DF);
		object(w, in, VT_F_DEVICE, VT_C_DEVICE);
		object(w, in, VT_F_MAPPING, VT_C_MAPPING);
		object(w, in, VT_F_DEV_MAPPING, VT_C_MAPPING);
		object(w, in, VT_F_VMA_MAPPING, VT_C_MAPPING);
		text(w, in, VT_F_BDF, bdfs, 2);
		text(w, in, VT_F_POINT, points, 10);
		text(w, in, VT_F_CALLEE, frees, 3);
		text(w, in, VT_F_FAMILY, families, 2);
		number(w, in, VT_F_VFIO_REF);
		number(w, in, VT_F_DEV_KREF);
	}
	if (type == VT_EV_FILE_SNAP)
		text(w, in, member, points, 10);
	vt_writer__end(w);
}

static struct vt_side *load_fd(int fd, const char *label)
{
	struct vt_side *s = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (vt_side__load(path, label, &s, NULL))
		s = NULL;
	close(fd);
	return s;
}

static struct vt_side *whole_trace(const uint8_t *data, size_t size, const char *label)
{
	int fd = memfd_create("trace", 0);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	return load_fd(fd, label);
}

static struct vt_side *make_side(struct in *in, const char *label, size_t max)
{
	int fd = memfd_create("trace", 0), member;
	struct vt_writer *w;

	if (fd < 0 || vt_writer__fdopen(dup(fd), &w))
		abort();
	member = vt_writer__dyn_field(w, "file.f_mode", VT_STR);
	for (size_t i = 0; in->left && i < max; i++)
		one_event(w, in, 1000 * (i + 1), member);
	if (next(in) & 1)
		vt_writer__finish(w, "stopped");
	else
		vt_writer__flush(w, false);
	vt_writer__free(w);
	return load_fd(fd, label);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *null;
	struct in in = { data, size };
	struct vt_side *a, *b = NULL;
	bool whole = size >= VTF_MAGIC_LEN && !memcmp(data, VTF_MAGIC, VTF_MAGIC_LEN);
	const uint8_t *second = whole ? memmem(data + 1, size - 1, VTF_MAGIC, VTF_MAGIC_LEN) : NULL;
	size_t first = second ? (size_t)(second - data) : size;
	struct vt_judgement *j = NULL;

	if (!null)
		null = fopen("/dev/null", "w");
	a = whole ? whole_trace(data, first, second ? "PRE" : "TRACE") : make_side(&in, "PRE", 40);
	if (second)
		b = whole_trace(second, size - first, "POST");
	else if (!whole)
		b = make_side(&in, "POST", 200);
	if (a && (b || (whole && !second)) && !vt_judge(a, b, &j)) {
		struct vt_report_opts o = { .command = b ? "diff" : "check", .width = 80 };

		for (size_t f = 0; f < vt_nr_formats; f++)
			vt_formats[f].put(null, j, &o);
		vt_judgement__free(j);
	}
	vt_side__free(a);
	vt_side__free(b);
	return 0;
}
