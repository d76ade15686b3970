// SPDX-License-Identifier: GPL-2.0
/*
 * How fast traces are written and read, on one core, with a typical event of
 * ten fields. Usage: bench_trace [EVENTS]; the file goes to $TMPDIR or /tmp.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vfiotrace/trace.h"

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int write_event(struct vt_writer *w, uint64_t i)
{
	struct vt_stamp s = { .ts_ns = 1000 * i, .seq = i, .tgid = 100, .tid = 100 + (uint32_t)i % 8, .cpu = i % 4, .comm = "agent" };
	char bdf[32];

	snprintf(bdf, sizeof(bdf), "0000:%02x:00.0", (unsigned int)(i % 32));
	vt_writer__begin(w, VT_EV_OP_PRESERVE, i & 1 ? VT_EXIT : VT_ENTER, &s);
	vt_writer__str(w, VT_F_FUNC, "vfio_pci_liveupdate_preserve");
	vt_writer__str(w, VT_F_SESSION, "vm0");
	vt_writer__u64(w, VT_F_TOKEN, i % 32);
	vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, 1 + i % 32));
	vt_writer__u64(w, VT_F_HANDLER, vt_obj(VT_C_HANDLER, 1));
	vt_writer__str(w, VT_F_COMPATIBLE, "vfio-pci-v1");
	vt_writer__str(w, VT_F_BDF, bdf);
	vt_writer__u64(w, VT_F_DATA, 0x100000000 + i * 4096);
	vt_writer__s64(w, VT_F_FILE_REF, 2);
	vt_writer__s64(w, VT_F_RET, 0);
	return vt_writer__end(w);
}

static int fail(const char *what, int ret)
{
	fprintf(stderr, "bench_trace: %s: %s\n", what, strerror(-ret));
	return 1;
}

static int bench_write(const char *path, uint64_t nr)
{
	struct vt_writer *w;
	double start = now(), took;
	int ret = vt_writer__open(path, &w);

	for (uint64_t i = 0; !ret && i < nr; i++)
		ret = write_event(w, i);
	if (!ret)
		ret = vt_writer__flush(w, false);
	took = now() - start;
	if (ret)
		return fail("write", ret);
	ret = vt_writer__finish(w, "done");
	printf("write  %6.2f M events/s  %5.1f bytes/event\n", (double)nr / took / 1e6,
	       (double)vt_writer__bytes(w) / (double)nr);
	vt_writer__free(w);
	return ret;
}

static int bench_read(const char *path, uint64_t nr)
{
	static struct vt_event e;
	struct vt_trace *t;
	double start = now(), opened, took;
	uint64_t seen = 0, sum = 0, v;
	int ret = vt_trace__open(path, &t, NULL);

	opened = now();
	if (ret)
		return fail("open", ret);
	while ((ret = vt_trace__next(t, &e)) > 0) {
		seen++;
		sum += vt_ev_u64(&e, VT_F_DATA, &v) ? v : 0;
	}
	took = now() - opened;
	printf("open   %6.2f ms\nread   %6.2f M events/s  (check %" PRIx64 ")\n", (opened - start) * 1e3,
	       (double)seen / took / 1e6, sum);
	vt_trace__free(t);
	return ret || seen != nr ? fail("read", ret) : 0;
}

int main(int argc, char **argv)
{
	const char *dir = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	uint64_t nr = argc > 1 ? strtoull(argv[1], NULL, 0) : 2000000;
	char path[4096];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/bench_trace.XXXXXX", dir);
	fd = mkstemp(path);
	if (fd < 0)
		return fail(path, -1);
	close(fd);
	ret = bench_write(path, nr) || bench_read(path, nr);
	unlink(path);
	return ret;
}
