// SPDX-License-Identifier: GPL-2.0
/*
 * A VM's memory through a live update, in the guest: what each call takes.
 *
 *	memory old MIB FILES [pieces|holes]	fills FILES memory files of together MIB, preserves them, jumps
 *	memory new				retrieves them and finishes
 *
 * pieces: page by page in turn with another file, so that no two of its pages lie side by side.
 * holes: each second page was never written.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../lab/agent/lab_uapi.h"

#define SESSION "memory"
#define PAGE 4096
#define RESULTS "/host/bench/memory.txt"

static FILE *results;

static int must(int ret, const char *what)
{
	if (ret < 0) {
		fprintf(stderr, "memory: %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return ret;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void told(const char *call, uint64_t from)
{
	fprintf(results, "call %s ns %llu\n", call, (unsigned long long)(now_ns() - from));
}

static int session_by(unsigned long request)
{
	struct luo_session_arg arg = { .size = sizeof(arg), .fd = -1, .name = SESSION };
	int luo = must(open("/dev/liveupdate", O_RDWR | O_CLOEXEC), "/dev/liveupdate");

	must(ioctl(luo, request, &arg), "session");
	return arg.fd;
}

static void fill(int fd, int other, long pages, bool holes)
{
	char page[PAGE];

	must(ftruncate(fd, pages * PAGE), "ftruncate");
	for (long i = 0; i < pages; i++) {
		if (holes && i % 2) {
			must(lseek(fd, PAGE, SEEK_CUR), "lseek");
			continue;
		}
		memset(page, 'a' + i % 26, sizeof(page));
		must(write(fd, page, sizeof(page)), "write");
		if (other >= 0)
			must(write(other, page, sizeof(page)), "write");
	}
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
}

static void old_kernel(long mib, int files, const char *how)
{
	bool pieces = !strcmp(how, "pieces"), holes = !strcmp(how, "holes");
	int session = session_by(LUO_CREATE_SESSION), fd, other = -1, result;
	uint64_t from;

	for (int i = 0; i < files; i++) {
		fd = must(memfd_create("vm", MFD_CLOEXEC), "memfd");
		if (pieces)
			other = must(memfd_create("between", MFD_CLOEXEC), "memfd");
		fill(fd, other, mib * 256 / files, holes);
		struct luo_fd_arg arg = { .size = sizeof(arg), .fd = fd, .token = i + 1 };
		from = now_ns();
		must(ioctl(session, LUO_PRESERVE_FD, &arg), "PRESERVE_FD");
		told("preserve", from);
	}
	fprintf(results, "files %d\n", files);
	fclose(results);
	load_next();
	result = must(open("/host/result.old", O_WRONLY | O_CREAT | O_TRUNC, 0644), "result.old");
	must(write(result, "kexec\n", 6), "result.old");
	sync();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	must(-1, "reboot");
}

static int files_told(void)
{
	FILE *f = fopen(RESULTS, "r");
	char line[128];
	int files = 0;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "files %d", &files);
	if (f)
		fclose(f);
	return files;
}

static void new_kernel(int files)
{
	int session = session_by(LUO_RETRIEVE_SESSION);
	struct luo_finish_arg finish = { .size = sizeof(finish) };
	uint64_t from;

	for (int i = 0; i < files; i++) {
		struct luo_fd_arg arg = { .size = sizeof(arg), .fd = -1, .token = i + 1 };
		from = now_ns();
		must(ioctl(session, LUO_RETRIEVE_FD, &arg), "RETRIEVE_FD");
		told("retrieve", from);
	}
	from = now_ns();
	must(ioctl(session, LUO_FINISH, &finish), "FINISH");
	told("finish", from);
	fclose(results);
}

int main(int argc, char **argv)
{
	int files = files_told();
	cpu_set_t first;

	/* The recorder's user part has the other CPUs to itself. */
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	must(sched_setaffinity(0, sizeof(first), &first), "CPU 0");
	results = fopen(RESULTS, "a");
	if (!results || argc < 2)
		return 64;
	if (argc > 3 && !strcmp(argv[1], "old"))
		old_kernel(atol(argv[2]), atoi(argv[3]), argc > 4 ? argv[4] : "");
	else if (!strcmp(argv[1], "new"))
		new_kernel(files);
	else
		return 64;
	return 0;
}
