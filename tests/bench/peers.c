// SPDX-License-Identifier: GPL-2.0
/*
 * Events for the tools that we are measured against: always the two ends of
 * pread64(2). Files of EVENTS of them where a recorder cannot run on the machine
 * that measures, and the calls themselves where it can.
 *
 *	peers ctf DIR EVENTS		a CTF 1.8 trace, laid out as lttng's with vpid, vtid and procname
 *	peers ring FILE EVENTS ENTER-ID EXIT-ID
 *					the ring buffer of one CPU, for trace-cmd restore
 *	peers pread CALLS		no file: the calls, for perf to record
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_NS		900	/* from one event to the next */
#define PACKET		(256u << 10)
#define PAGE		4096u

static char buf[PACKET];
static size_t at;

static void put(const void *data, size_t len)
{
	memcpy(buf + at, data, len);
	at += len;
}

static void put16(uint16_t v) { put(&v, sizeof(v)); }
static void put32(uint32_t v) { put(&v, sizeof(v)); }
static void put64(uint64_t v) { put(&v, sizeof(v)); }

static void poke64(size_t where, uint64_t v)
{
	memcpy(buf + where, &v, sizeof(v));
}

static FILE *create(const char *path)
{
	FILE *f = fopen(path, "wb");

	if (!f) {
		fprintf(stderr, "peers: %s: %s\n", path, strerror(errno));
		exit(1);
	}
	return f;
}

static void write_out(FILE *f, size_t len)
{
	memset(buf + at, 0, len - at);
	if (fwrite(buf, 1, len, f) != len) {
		fprintf(stderr, "peers: %s\n", strerror(errno));
		exit(1);
	}
}

/* fd, buf, count, pos on entry; the result on exit. */
static void put_arguments(uint64_t i)
{
	if (i & 1) {
		put64(8);
		return;
	}
	put64(3);
	put64(0x7ffc0a6f6e20);
	put64(8);
	put64(i / 2);
}

/* ---- CTF ---- */

#define MAGIC 0xc1fc1fc1u

static const char metadata[] =
	"/* CTF 1.8 */\n"
	"typealias integer { size = 16; align = 8; signed = false; } := uint16_t;\n"
	"typealias integer { size = 32; align = 8; signed = false; } := uint32_t;\n"
	"typealias integer { size = 32; align = 8; signed = true; } := int32_t;\n"
	"typealias integer { size = 64; align = 8; signed = false; } := uint64_t;\n"
	"typealias integer { size = 64; align = 8; signed = true; } := int64_t;\n"
	"typealias integer { size = 64; align = 8; signed = false; base = 16; } := xint64_t;\n"
	"trace {\n"
	"	major = 1; minor = 8; byte_order = le;\n"
	"	packet.header := struct { uint32_t magic; uint32_t stream_id; };\n"
	"};\n"
	"clock { name = \"boot\"; freq = 1000000000; };\n"
	"typealias integer { size = 64; align = 8; signed = false; map = clock.boot.value; } := clock_t;\n"
	"stream {\n"
	"	id = 0;\n"
	"	packet.context := struct { clock_t timestamp_begin; clock_t timestamp_end; uint64_t content_size;\n"
	"		uint64_t packet_size; uint64_t events_discarded; uint32_t cpu_id; };\n"
	"	event.header := struct { uint16_t id; clock_t timestamp; };\n"
	"	event.context := struct { int32_t vpid; int32_t vtid; string procname; };\n"
	"};\n"
	"event { name = \"syscall_entry_pread64\"; id = 0; stream_id = 0;\n"
	"	fields := struct { uint64_t fd; xint64_t buf; uint64_t count; int64_t pos; }; };\n"
	"event { name = \"syscall_exit_pread64\"; id = 1; stream_id = 0; fields := struct { int64_t ret; }; };\n";

static void packet_begin(uint64_t now)
{
	at = 0;
	put32(MAGIC);
	put32(0);
	put64(now);
	put64(0);		/* timestamp_end, content_size: poked later */
	put64(0);
	put64(PACKET * 8ull);
	put64(0);
	put32(1);
}

static void packet_end(FILE *f, uint64_t now)
{
	poke64(16, now);
	poke64(24, at * 8);
	write_out(f, PACKET);
}

static void ctf_event(uint64_t i, uint64_t now)
{
	put16(i & 1);
	put64(now);
	put32(4391);
	put32(4391);
	put("spin", 5);
	put_arguments(i);
}

static void ctf(const char *dir, uint64_t events)
{
	char path[4096];
	uint64_t now = 1000000000;
	FILE *f;

	mkdir(dir, 0777);
	snprintf(path, sizeof(path), "%s/metadata", dir);
	f = create(path);
	fputs(metadata, f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/channel0_0", dir);
	f = create(path);
	packet_begin(now);
	for (uint64_t i = 0; i < events; i++, now += STEP_NS) {
		if (at + 80 > PACKET) {
			packet_end(f, now);
			packet_begin(now);
		}
		ctf_event(i, now);
	}
	packet_end(f, now);
	fclose(f);
}

/* ---- ftrace's ring buffer ---- */

#define PAGE_HEADER 16u		/* time stamp, bytes committed */

static void ring_event(uint64_t i, uint32_t delta, uint16_t id)
{
	uint32_t words = i & 1 ? 6 : 12;

	put32(words | delta << 5);
	put16(id);
	put16(0);		/* flags, preempt count */
	put32(4391);
	put32(17);		/* __NR_pread64 */
	put32(0);
	put_arguments(i);
}

static void ring(const char *path, uint64_t events, uint16_t enter, uint16_t exit)
{
	FILE *f = create(path);
	uint64_t now = 1000000000;

	for (uint64_t i = 0; i < events;) {
		at = 0;
		put64(now);
		put64(0);
		for (uint32_t delta = 0; i < events && at + 52 <= PAGE; i++, delta = STEP_NS, now += STEP_NS)
			ring_event(i, delta, i & 1 ? exit : enter);
		poke64(8, at - PAGE_HEADER);
		write_out(f, PAGE);
	}
	fclose(f);
}

static int read_often(uint64_t calls)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char eight[8];

	for (uint64_t i = 0; i < calls; i++) {
		if (pread(fd, eight, sizeof(eight), (off_t)i) != sizeof(eight))
			return 1;
	}
	return close(fd);
}

int main(int argc, char **argv)
{
	uint64_t events = argc > 3 ? strtoull(argv[3], NULL, 0) : 0;

	if (argc == 4 && !strcmp(argv[1], "ctf")) {
		ctf(argv[2], events);
	} else if (argc == 6 && !strcmp(argv[1], "ring")) {
		ring(argv[2], events, (uint16_t)atoi(argv[4]), (uint16_t)atoi(argv[5]));
	} else if (argc == 3 && !strcmp(argv[1], "pread")) {
		return read_often(strtoull(argv[2], NULL, 0));
	} else {
		fprintf(stderr, "usage: peers ctf DIR EVENTS | peers ring FILE EVENTS ENTER-ID EXIT-ID | peers pread CALLS\n");
		return 64;
	}
	return 0;
}
