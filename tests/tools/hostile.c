// SPDX-License-Identifier: GPL-2.0
/*
 * hostile KIND N FILE: a trace of N things that is hard to judge in little memory or time.
 *
 * Nobody has to record these: a file may come from anywhere. Some are what a
 * hook that was not attached leaves, some are made up. KIND is one of the list
 * below; without arguments it is printed.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Blocks of any size: what the writer makes is one choice of many. */
static unsigned int block_full = 64u << 10;
#define BLOCK_FULL block_full
#include "trace/writer.c"

static struct vt_writer *w;
static uint64_t now = 1000;
static uint32_t task = 42;
static const char *comm = "agent";

static void begin(enum vt_event_type type, enum vt_phase phase)
{
	struct vt_stamp stamp = { .ts_ns = now++, .tgid = task, .tid = task, .comm = comm };

	vt_writer__begin(w, type, phase, &stamp);
}

static void end(void)
{
	int ret = vt_writer__end(w);

	if (!ret)
		return;
	fprintf(stderr, "hostile: %s\n", strerror(-ret));
	exit(1);
}

static void file(const char *session, uint64_t token)
{
	vt_writer__str(w, VT_F_SESSION, session);
	vt_writer__u64(w, VT_F_TOKEN, token);
}

static void simple(enum vt_event_type type, enum vt_phase phase, const char *session)
{
	begin(type, phase);
	vt_writer__str(w, VT_F_SESSION, session);
	if (phase == VT_EXIT)
		vt_writer__s64(w, VT_F_RET, 0);
	end();
}

static void release(const char *session, enum vt_phase phase)
{
	begin(VT_EV_SESSION_RELEASE, phase);
	vt_writer__str(w, VT_F_SESSION, session);
	vt_writer__u64(w, VT_F_RETRIEVED, 0);
	if (phase == VT_EXIT)
		vt_writer__s64(w, VT_F_RET, 0);
	end();
}

/* Names that sort as they come. */
static const char *name(const char *what, uint64_t n)
{
	static char buf[4][64];
	static unsigned int i;

	snprintf(buf[++i % 4], sizeof(buf[0]), "%s%08" PRIu64, what, n);
	return buf[i % 4];
}

static void preserved(const char *session, uint64_t token)
{
	begin(VT_EV_LUO_PRESERVE, VT_ENTER);
	file(session, token);
	end();
	begin(VT_EV_LUO_PRESERVE, VT_EXIT);
	file(session, token);
	vt_writer__s64(w, VT_F_RET, 0);
	vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, token));
	vt_writer__u64(w, VT_F_DATA, token << 12);
	vt_writer__str(w, VT_F_COMPATIBLE, "memfd-v2");
	end();
}

/* ---- calls ---- */

static void tasks(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		task = 1000 + (uint32_t)i;
		begin(VT_EV_VFIO_RELEASE, VT_ENTER);
		vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, i + 1));
		vt_writer__u64(w, VT_F_DF, vt_obj(VT_C_DF, i + 1));
		end();
	}
}

/* Tasks that never come back, and retrieves, sessions and lives that end meanwhile. */
static void busy(uint64_t n)
{
	tasks(n);
	task = 42;
	for (uint64_t i = 0; i < n; i++) {
		begin(VT_EV_LUO_RETRIEVE, VT_ENTER);
		file("s", i);
		end();
		begin(VT_EV_LUO_RETRIEVE, VT_EXIT);
		file("s", i);
		vt_writer__s64(w, VT_F_RET, 0);
		vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, n + i + 1));
		end();
	}
}

static void busy_sessions(uint64_t n)
{
	tasks(n);
	task = 42;
	for (uint64_t i = 0; i < n; i++) {
		simple(VT_EV_SESSION_CREATE, VT_EXIT, "s");
		preserved("s", 1);
		simple(VT_EV_LUO_UNPRESERVE, VT_ENTER, "s");
		begin(VT_EV_OP_UNPRESERVE, VT_ENTER);
		file("s", 1);
		end();
		begin(VT_EV_OP_UNPRESERVE, VT_EXIT);
		file("s", 1);
		end();
		simple(VT_EV_LUO_UNPRESERVE, VT_EXIT, "s");
		release("s", VT_ENTER);
		release("s", VT_EXIT);
	}
}

/* ---- objects ---- */

static void callback_memory(uint64_t n)
{
	begin(VT_EV_OP_PRESERVE, VT_ENTER);
	file("s", 1);
	end();
	for (uint64_t i = 0; i < n; i++) {
		begin(VT_EV_OBJ_ALLOC, VT_POINT);
		vt_writer__u64(w, VT_F_OBJ, vt_obj(VT_C_OTHER, i + 1));
		vt_writer__str(w, VT_F_CALLEE, "kmalloc");
		vt_writer__str(w, VT_F_SITE, "handler_preserve+0x10");
		end();
	}
}

static void snapshots(uint64_t n)
{
	int op = vt_writer__dyn_field(w, "file.f_op", VT_STR), pos = vt_writer__dyn_field(w, "file.f_pos", VT_STR);

	for (uint64_t i = 0; i < n; i++) {
		begin(VT_EV_VFIO_CDEV_OPEN, VT_ENTER);
		vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, i + 1));
		vt_writer__u64(w, VT_F_DEVICE, vt_obj(VT_C_DEVICE, 1));
		end();
		begin(VT_EV_VFIO_CDEV_OPEN, VT_EXIT);
		vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, i + 1));
		vt_writer__s64(w, VT_F_RET, 0);
		end();
		begin(VT_EV_FILE_SNAP, VT_POINT);
		vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, i + 1));
		vt_writer__str(w, VT_F_POINT, "open");
		vt_writer__str(w, op, "vfio_device_fops");
		vt_writer__str(w, pos, name("", i));
		end();
	}
}

static void devices(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		begin(VT_EV_VFIO_REGISTER, VT_EXIT);
		vt_writer__u64(w, VT_F_DEVICE, vt_obj(VT_C_DEVICE, i + 1));
		vt_writer__str(w, VT_F_BDF, name("", i));
		vt_writer__s64(w, VT_F_RET, 0);
		vt_writer__s64(w, VT_F_VFIO_REF, 1);
		end();
	}
}

/* ---- sessions and files ---- */

static void sessions_newest_first(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		simple(VT_EV_SESSION_CREATE, VT_EXIT, name("s", i));
		preserved(name("s", i), 1);
	}
	for (uint64_t i = n; i-- > 0;) {
		release(name("s", i), VT_ENTER);
		simple(VT_EV_LUO_UNPRESERVE, VT_ENTER, name("s", i));
		begin(VT_EV_OP_UNPRESERVE, VT_ENTER);
		file(name("s", i), 1);
		end();
		begin(VT_EV_OP_UNPRESERVE, VT_EXIT);
		file(name("s", i), 1);
		end();
		simple(VT_EV_LUO_UNPRESERVE, VT_EXIT, name("s", i));
		release(name("s", i), VT_EXIT);
	}
}

/* All in one session, and each fails to be preserved once more. */
static void memory_sum(const char *way)
{
	begin(VT_EV_KHO_MEMORY, VT_POINT);
	vt_writer__str(w, VT_F_NAME, way);
	vt_writer__u64(w, VT_F_ORDER, 0);
	vt_writer__u64(w, VT_F_COUNT, 1);
	vt_writer__u64(w, VT_F_PAGES, 1);
	vt_writer__u64(w, VT_F_DIGEST, 1);
	end();
}

static void callback(enum vt_event_type type, const char *way)
{
	begin(type, VT_ENTER);
	file("s", 1);
	end();
	memory_sum(way);
	begin(type, VT_EXIT);
	file("s", 1);
	vt_writer__s64(w, VT_F_RET, 0);
	end();
}

/* An honest one: a session that preserves a file and takes it back, again and again. Nothing of it stays. */
static void rounds(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		simple(VT_EV_SESSION_CREATE, VT_EXIT, "s");
		begin(VT_EV_LUO_PRESERVE, VT_ENTER);
		file("s", 1);
		end();
		callback(VT_EV_OP_PRESERVE, "preserved");
		begin(VT_EV_LUO_PRESERVE, VT_EXIT);
		file("s", 1);
		vt_writer__s64(w, VT_F_RET, 0);
		vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, i + 1));
		end();
		release("s", VT_ENTER);
		simple(VT_EV_LUO_UNPRESERVE, VT_ENTER, "s");
		callback(VT_EV_OP_UNPRESERVE, "unpreserved");
		simple(VT_EV_LUO_UNPRESERVE, VT_EXIT, "s");
		begin(VT_EV_FILE_FPUT, VT_ENTER);
		vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, i + 1));
		end();
		release("s", VT_EXIT);
	}
}

static void files(uint64_t n)
{
	simple(VT_EV_SESSION_CREATE, VT_EXIT, "s");
	for (uint64_t i = 0; i < n; i++)
		preserved("s", i + 1);
	for (uint64_t i = n; i-- > 0;) {
		begin(VT_EV_LUO_PRESERVE, VT_ENTER);
		file("s", n + i + 1);
		end();
		begin(VT_EV_LUO_PRESERVE, VT_EXIT);
		file("s", n + i + 1);
		vt_writer__s64(w, VT_F_RET, -ENOMEM);
		end();
	}
}

static void arrived(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		begin(VT_EV_LUO_FILE, VT_POINT);
		file(name("s", i), 1);
		vt_writer__u64(w, VT_F_DATA, (i + 1) << 12);
		vt_writer__str(w, VT_F_COMPATIBLE, name("handler", i));
		end();
	}
}

/* One session is read again and again, with another list of files. */
static void reread(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		simple(VT_EV_LUO_DESERIALIZE, VT_ENTER, "s");
		begin(VT_EV_LUO_FILE, VT_POINT);
		file("s", i);
		end();
		simple(VT_EV_LUO_DESERIALIZE, VT_EXIT, "s");
		simple(VT_EV_LUO_FINISH, VT_ENTER, "s");
		simple(VT_EV_LUO_FINISH, VT_EXIT, "s");
	}
}

/* ---- memory ---- */

static void memory_of(uint64_t n, uint64_t (*phys)(uint64_t))
{
	for (uint64_t i = 0; i < n; i++) {
		begin(VT_EV_KHO_PRESERVE_FOLIO, VT_EXIT);
		vt_writer__u64(w, VT_F_PHYS, phys(i + 1));
		vt_writer__u64(w, VT_F_ORDER, 0);
		vt_writer__s64(w, VT_F_RET, 0);
		end();
	}
}

static uint64_t next_page(uint64_t n)
{
	return n << 12;
}

static void folios(uint64_t n)
{
	memory_of(n, next_page);
}

static uint64_t inverse(uint64_t odd)
{
	uint64_t x = odd;

	for (int i = 0; i < 6; i++)
		x *= 2 - odd * x;
	return x;
}

/* What a map without a secret would put into one place: its hash, backwards. */
static uint64_t same_place(uint64_t n)
{
	uint64_t x = n << 32;

	x ^= x >> 32;
	x *= inverse(0xd6e8feb86659fd93ULL);
	x ^= x >> 32;
	return x * inverse(0x9e3779b97f4a7c15ULL);
}

static void one_bucket(uint64_t n)
{
	memory_of(n, same_place);
}

/* Each call gives back what nobody gave. */
static void unbalanced(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		begin(VT_EV_KHO_UNPRESERVE_FOLIO, VT_EXIT);
		vt_writer__str(w, VT_F_FUNC, name("f", i));
		vt_writer__str(w, VT_F_SESSION, name("s", i));
		vt_writer__u64(w, VT_F_PHYS, next_page(i + 1));
		end();
	}
}

/* Pages in one piece, and each of them taken out as a folio of its own: many pieces of many. */
static void pieces(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		begin(VT_EV_KHO_PRESERVE_PAGES, VT_EXIT);
		vt_writer__u64(w, VT_F_PHYS, next_page(i + 1));
		vt_writer__u64(w, VT_F_PAGES, n);
		vt_writer__s64(w, VT_F_RET, 0);
		end();
	}
}

static void pieces_back(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		begin(VT_EV_KHO_RESTORE_FOLIO, VT_EXIT);
		vt_writer__str(w, VT_F_SESSION, "s");
		vt_writer__u64(w, VT_F_PHYS, next_page(i + 1));
		vt_writer__s64(w, VT_F_RET, 0);
		end();
	}
}

/* ---- words ---- */

static void losses(uint64_t n)
{
	preserved("s", 1);
	for (uint64_t i = 0; i < n; i++) {
		struct vt_loss l = { .event = "luo.preserve", .why = name("why ", i), .count = 1, .from_ns = 1 + i, .to_ns = 2 + i };

		vt_writer__loss(w, &l);
	}
}

/* Each a stretch of time in which calls were torn, and calls that are. */
static void torn(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct vt_loss l = { .event = "luo.preserve", .why = name("ring ", i % 4096), .count = 1, .from_ns = 1, .to_ns = 1000 + 3 * i };

		vt_writer__loss(w, &l);
	}
	tasks(3 * n);
}

static void names(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		comm = name("a", i);
		begin(VT_EV_LUO_PRESERVE, VT_ENTER);
		file("s", 1);
		end();
		begin(VT_EV_LUO_PRESERVE, VT_EXIT);
		file("s", 1);
		vt_writer__s64(w, VT_F_RET, -ENOMEM);
		end();
	}
	comm = "agent";
}

static void functions(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		begin(VT_EV_KHO_ALLOC_PRESERVE, VT_EXIT);
		vt_writer__str(w, VT_F_FUNC, name("a_function_with_a_long_name_", i));
		vt_writer__u64(w, VT_F_PHYS, next_page(i + 1));
		vt_writer__s64(w, VT_F_RET, 0);
		end();
	}
}

static void probes(uint64_t n)
{
	struct vt_probe *p = calloc(n, sizeof(*p));

	for (uint64_t i = 0; p && i < n; i++)
		p[i] = (struct vt_probe){ .func = strdup(name("f", i)), .module = "vmlinux", .event = i % 2 ? "luo.preserve" : "op.retrieve",
					  .method = "none", .reason = strdup(name("because ", i)) };
	preserved("s", 1);
	vt_writer__probes(w, p, n);
}

static void numbers(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		struct vt_stamp stamp = { .ts_ns = now++, .seq = 1 + 3 * i, .cpu = (uint16_t)(i % 8), .tgid = 1, .tid = 1, .comm = "x" };

		vt_writer__begin(w, VT_EV_SESSION_CREATE, VT_EXIT, &stamp);
		end();
	}
}

/* ---- large blocks ---- */

static void snapshot(uint64_t n, int filler, const char *text)
{
	begin(VT_EV_FILE_SNAP, VT_POINT);
	file("s", n + 1);
	vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, n + 1));
	vt_writer__str(w, VT_F_POINT, "preserve");
	vt_writer__str(w, filler, text);
	end();
}

/* Blocks as large as they may be, and the snapshots of one file after the other in one and the other of two. */
static void big_blocks(uint64_t n)
{
	int filler = vt_writer__dyn_field(w, "file.filler", VT_STR);
	static char text[30000];

	block_full = 12u << 20;
	for (uint64_t i = 0; i < n; i++) {
		begin(VT_EV_LUO_PRESERVE, VT_ENTER);
		file("s", i + 1);
		end();
		begin(VT_EV_OP_PRESERVE, VT_ENTER);
		file("s", i + 1);
		vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, i + 1));
		end();
		task++;
	}
	memset(text, 'x', sizeof(text) - 1);
	for (uint64_t half = 0; half < 2; half++) {
		vt_writer__flush(w, false);
		for (uint64_t i = half; i < n; i += 2) {
			task = 42 + (uint32_t)i;
			snapshot(i, filler, "");
		}
		for (uint64_t i = 0; i < 250; i++) {
			memcpy(text, name("", i), 8);
			snapshot(n + i, filler, text);
		}
	}
}

/* Each event has other fields than those before it, in blocks as large as they may be. */
static void shapes(uint64_t n)
{
	int ids[64];

	for (uint64_t k = 0; k < 64; k++)
		ids[k] = vt_writer__dyn_field(w, name("file.m", k), VT_STR);
	block_full = 12u << 20;
	for (uint64_t i = 0; i < n; i++) {
		begin(VT_EV_FILE_SNAP, VT_POINT);
		for (uint64_t k = 0; k < 64; k++) {
			if ((i + 1) * 0x9e3779b97f4a7c15ULL >> k & 1)
				vt_writer__str(w, ids[k], name("", k));
		}
		end();
	}
}

static const struct { const char *kind; void (*make)(uint64_t n); bool ends; } kinds[] = {
	{ "tasks", tasks, true }, { "busy", busy, true }, { "busy-sessions", busy_sessions, true },
	{ "callback-memory", callback_memory, true }, { "snapshots", snapshots, true }, { "devices", devices, true },
	{ "sessions", sessions_newest_first, true }, { "rounds", rounds, true }, { "files", files, true }, { "arrived", arrived, true }, { "reread", reread, true },
	{ "folios", folios, true }, { "one-bucket", one_bucket, true }, { "unbalanced", unbalanced, true }, { "pieces", pieces, false },
	{ "pieces-back", pieces_back, true },
	{ "losses", losses, true }, { "torn", torn, true }, { "names", names, true }, { "functions", functions, true },
	{ "probes", probes, true }, { "numbers", numbers, true }, { "big-blocks", big_blocks, true }, { "shapes", shapes, true },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (argc < 2)
			printf("%s\n", kinds[i].kind);
		if (argc != 4 || strcmp(argv[1], kinds[i].kind))
			continue;
		if (vt_writer__open(argv[3], &w))
			return 1;
		vt_writer__meta(w, "luo", "yes");
		kinds[i].make(strtoull(argv[2], NULL, 0));
		return kinds[i].ends ? vt_writer__finish(w, "stopped") != 0 : vt_writer__flush(w, false) != 0;
	}
	if (argc < 2)
		return 0;
	fprintf(stderr, "usage: hostile [KIND N FILE]\n");
	return 64;
}
