/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/object/link.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static int kprobe_pmu_type(void)
{
	static int type = -ENOENT;
	FILE *f;

	if (type >= 0)
		return type;
	f = fopen("/sys/bus/event_source/devices/kprobe/type", "re");
	if (!f)
		return -ENOENT;
	if (fscanf(f, "%d", &type) != 1)
		type = -ENOENT;
	fclose(f);
	return type;
}

int link__kprobe(int prog_fd, uint64_t addr, uint64_t cookie, bool on_return)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .perf_event.bpf_cookie = cookie);
	struct perf_event_attr attr = { .size = sizeof(attr) };
	int type = kprobe_pmu_type(), pfd, link;

	if (type < 0)
		return type;
	attr.type = type;
	attr.config = on_return;	/* /sys/bus/event_source/devices/kprobe/format/retprobe */
	attr.config1 = 0;	/* no symbol: several modules may have one of the same name */
	attr.config2 = addr;
	pfd = syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (pfd < 0)
		return -errno;
	link = bpf_link_create(prog_fd, pfd, BPF_PERF_EVENT, &opts);
	if (link < 0) {
		link = -errno;
		close(pfd);
	}
	/* The link holds the event. */
	return link;
}

int link__trace(int prog_fd)
{
	int fd = bpf_raw_tracepoint_open(NULL, prog_fd);

	return fd < 0 ? -errno : fd;
}
