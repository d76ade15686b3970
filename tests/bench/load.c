// SPDX-License-Identifier: GPL-2.0
/*
 * The loads that `make bench` measures, in the guest.
 *
 *	load run		every load once, one line each
 *	load now		the clock, for the time from exec to the first instruction here
 *	load jump		preserves, marks the kernel log, and jumps
 *
 * Each operation is timed alone; median and 90th percentile are what the caller
 * feels, the mean is what the machine spends: it holds what others did meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/reboot.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../lab/agent/lab_uapi.h"

#define DEVICE		"/dev/vfio/devices/vfio0"
#define FAIL_FREEZE	"/sys/module/labstate/parameters/fail_freeze"
#define FREEZES		"/tmp/freezes"	/* freezes of labstate in this boot */
#define WARM_UP		8

static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int must(int ret, const char *what)
{
	if (ret < 0)
		die(what);
	return ret;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* ---- one turn of each load: returns the ns of the part that is measured ---- */

static uint64_t turn_cdev(void)
{
	uint64_t from = now_ns();

	close(must(open(DEVICE, O_RDWR | O_CLOEXEC), DEVICE));
	return now_ns() - from;
}

static int luo = -1, device = -1, iommufd = -1, memfd = -1, state = -1;

static int session_open(void)
{
	static unsigned int nr;
	struct luo_session_arg arg = { .size = sizeof(arg), .fd = -1 };

	snprintf((char *)arg.name, sizeof(arg.name), "bench%u", nr++);
	must(ioctl(luo, LUO_CREATE_SESSION, &arg), "CREATE_SESSION");
	return arg.fd;
}

static void preserve(int session, int fd, uint64_t token)
{
	struct luo_fd_arg arg = { .size = sizeof(arg), .fd = fd, .token = token };

	must(ioctl(session, LUO_PRESERVE_FD, &arg), "PRESERVE_FD");
}

static uint64_t turn_preserve(void)
{
	int session = session_open();
	uint64_t from = now_ns(), ns;

	preserve(session, device, 1);
	ns = now_ns() - from;
	close(session);
	return ns;
}

static uint64_t turn_close(void)
{
	int session = session_open();
	uint64_t from;

	preserve(session, device, 1);
	from = now_ns();
	close(session);
	return now_ns() - from;
}

/* Small allocations and frees that have nothing to do with live update: a message through a socket, in and out. */
static uint64_t turn_memory(void)
{
	static int s[2] = { -1, -1 };
	char byte = 0;
	uint64_t from;

	if (s[0] < 0)
		must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, s), "socketpair");
	from = now_ns();
	must(send(s[0], &byte, 1, 0), "send");
	must(recv(s[1], &byte, 1, 0), "recv");
	return now_ns() - from;
}

/* Files that come and go: every close passes __fput(), every eventfd anon_inode_getfile(). */
static uint64_t turn_files(void)
{
	uint64_t from = now_ns();
	int p[2], s[2];

	must(pipe2(p, O_CLOEXEC), "pipe");
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), "socketpair");
	close(must(eventfd(0, EFD_CLOEXEC), "eventfd"));
	close(must(epoll_create1(EPOLL_CLOEXEC), "epoll"));
	close(must(open("/tmp/unrelated", O_RDWR | O_CREAT | O_CLOEXEC, 0600), "tmpfs"));
	close(p[0]);
	close(p[1]);
	close(s[0]);
	close(s[1]);
	return now_ns() - from;
}

static unsigned int freezes(int change)
{
	unsigned int nr = 0;
	FILE *f = fopen(FREEZES, "r");

	if (f) {
		if (fscanf(f, "%u", &nr) != 1)
			nr = 0;
		fclose(f);
	}
	nr += change;
	f = fopen(FREEZES, "w");
	if (!f || fprintf(f, "%u\n", nr) < 0 || fclose(f))
		die(FREEZES);
	return nr;
}

static void fail_freeze(unsigned int nr)
{
	FILE *f = fopen(FAIL_FREEZE, "w");

	if (!f || fprintf(f, "%u\n", nr) < 0 || fclose(f))
		die(FAIL_FREEZE);
}

/* reboot(2) whose last freeze is refused, so that it comes back: all freezes, and their unfreezes. */
static uint64_t turn_freeze(void)
{
	uint64_t from;

	fail_freeze(freezes(1));
	from = now_ns();
	if (!syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL) || errno != EBUSY)
		die("reboot");
	return now_ns() - from;
}

/* ---- what they need ---- */

static void bind_device(void)
{
	struct lab_vfio_bind_iommufd arg = { .argsz = sizeof(arg) };

	iommufd = must(open("/dev/iommu", O_RDWR | O_CLOEXEC), "/dev/iommu");
	device = must(open(DEVICE, O_RDWR | O_CLOEXEC), DEVICE);
	arg.iommufd = iommufd;
	must(ioctl(device, LAB_VFIO_BIND_IOMMUFD, &arg), "BIND_IOMMUFD");
}

static void load_next(void)
{
	int kernel = must(open("/host/next/bzImage", O_RDONLY | O_CLOEXEC), "next kernel");
	int initrd = must(open("/host/next/initrd", O_RDONLY | O_CLOEXEC), "next initrd");
	char cmdline[1024] = "";
	int fd = must(open("/host/next/cmdline", O_RDONLY | O_CLOEXEC), "next cmdline");

	must(read(fd, cmdline, sizeof(cmdline) - 1), "next cmdline");
	cmdline[strcspn(cmdline, "\n")] = 0;
	must(syscall(SYS_kexec_file_load, kernel, initrd, strlen(cmdline) + 1, cmdline, 0UL), "kexec_file_load");
	close(fd);
	close(initrd);
	close(kernel);
}

/* Files of three handlers in one session; labstate's freezes last. */
static int full_session(void)
{
	int session = session_open();

	memfd = must(memfd_create("bench", MFD_CLOEXEC), "memfd");
	must(ftruncate(memfd, 65536), "memfd");
	state = must(open("/dev/labstate", O_RDWR | O_CLOEXEC), "/dev/labstate");
	preserve(session, device, 1);
	preserve(session, memfd, 2);
	preserve(session, state, 3);
	return session;
}

/* ---- measuring ---- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void measure(const char *name, uint64_t (*turn)(void), int count)
{
	uint64_t *ns = calloc(count, sizeof(*ns)), sum = 0;

	if (!ns)
		die("memory");
	for (int i = 0; i < WARM_UP; i++)
		turn();
	for (int i = 0; i < count; i++)
		sum += ns[i] = turn();
	qsort(ns, count, sizeof(*ns), by_value);
	printf("load %s n %d median_ns %llu p90_ns %llu mean_ns %llu\n", name, count, (unsigned long long)ns[count / 2],
	       (unsigned long long)ns[count * 9 / 10], (unsigned long long)(sum / count));
	free(ns);
}

/* /proc/PID/status; NULL: there is none. */
static FILE *status_of(long pid)
{
	static const char *const proc[] = { "/proc", "/realproc" };	/* the second inside the peers' root: rounds.sh */
	char path[64];
	FILE *f = NULL;

	for (int i = 0; !f && i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%ld/status", proc[i], pid);
		f = fopen(path, "r");
	}
	return f;
}

/* The number behind KEY, -1: none. Between the recorder and us is its keeper: then it is that one's parent whose number counts. */
static long parents(long pid, const char *key)
{
	FILE *f = status_of(pid);
	long value = -1, parent = -1;
	bool keeper = false;
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		keeper |= !strcmp(line, "Name:\tvfiotrace-keep\n");
		if (!strncmp(line, "PPid:", 5))
			parent = strtol(line + 5, NULL, 10);
		if (!strncmp(line, key, strlen(key)))
			value = strtol(line + strlen(key), NULL, 10);
	}
	if (f)
		fclose(f);
	return keeper ? parents(parent, key) : value;
}

/* The recorder's memory is read when there is nothing more to do. */
static void tell_parent(void)
{
	long kb = parents(getppid(), "VmHWM:");

	if (kb >= 0)
		printf("parent_rss_kb %ld\n", kb);
}

static void run(int count)
{
	int session;

	printf("started_ns %llu\n", (unsigned long long)now_ns());
	luo = must(open("/dev/liveupdate", O_RDWR | O_CLOEXEC), "/dev/liveupdate");
	measure("memory", turn_memory, 4 * count);
	measure("files", turn_files, count);
	measure("cdev", turn_cdev, count);
	bind_device();
	measure("preserve", turn_preserve, count);
	measure("close", turn_close, count);
	session = full_session();
	measure("freeze", turn_freeze, count);
	close(session);
	tell_parent();
}

static void write_file(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644), path);

	must(write(fd, text, strlen(text)), path);
	fsync(fd);
	close(fd);
}

/* The lab's host side reads result.old; the kernel's own "Starting new kernel" is the other mark. */
static void jump(void)
{
	luo = must(open("/dev/liveupdate", O_RDWR | O_CLOEXEC), "/dev/liveupdate");
	bind_device();
	full_session();
	load_next();
	write_file("/host/result.old", "kexec\n");
	sync();
	usleep(200000);
	write_file("/dev/kmsg", "<5>bench: reboot");
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	die("reboot");
}

int main(int argc, char **argv)
{
	cpu_set_t first;

	if (argc > 1 && !strcmp(argv[1], "now")) {
		printf("exec_ns %llu\n", (unsigned long long)now_ns());
		return 0;
	}
	/* The recorders' user parts have the other CPUs to themselves. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	must(sched_setaffinity(0, sizeof(first), &first), "CPU 0");
	if (argc > 2 && !strcmp(argv[1], "run"))
		run(atoi(argv[2]));
	else if (argc > 1 && !strcmp(argv[1], "next"))
		load_next();
	else if (argc > 1 && !strcmp(argv[1], "jump"))
		jump();
	else
		return 64;
	return 0;
}
