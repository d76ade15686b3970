// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps of a live update: sessions, preserved files, and the jump.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "lab_uapi.h"

/*
 * Where the host puts the kernel to jump into: a link that the guest's init makes, since
 * a second jump has another aim than the first.
 */
#define NEXT_KERNEL	"/lab/next/bzImage"
#define NEXT_INITRD	"/lab/next/initrd"
#define NEXT_CMDLINE	"/lab/next/cmdline"

static bool kexec_loaded;

static int luo_fd = -1;

/*
 * The device can be open once at a time, and one open serves all sessions. Another
 * agent may have it at the moment.
 */
static int luo_device(void)
{
	for (int i = 0; luo_fd < 0 && i < 200; i++) {
		luo_fd = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
		if (luo_fd < 0 && errno != EBUSY)
			break;
		if (luo_fd < 0)
			usleep(50000);
	}
	if (luo_fd < 0)
		script_error("/dev/liveupdate: %s", strerror(errno));
	return luo_fd;
}

/* leave-luo: lets another agent have the device. Sessions do not need it. */
static int run_leave_luo(int argc, char **argv)
{
	int fd = luo_fd;

	(void)argc;
	(void)argv;
	if (fd < 0)
		script_error("leave-luo: the device is not open");
	luo_fd = -1;
	return KERNEL_CALL(close(fd));
}

static int session_open(unsigned long request, const char *name)
{
	struct luo_session_arg arg = { .size = sizeof(arg), .fd = -1 };
	int dev = luo_device();
	int ret;

	if (strlen(name) >= sizeof(arg.name))
		script_error("%s: name too long", name);
	strcpy((char *)arg.name, name);

	ret = KERNEL_CALL(ioctl(dev, request, &arg));
	if (ret >= 0)
		var_set(name, arg.fd);
	return ret;
}

static int run_session(int argc, char **argv)
{
	(void)argc;
	return session_open(LUO_CREATE_SESSION, argv[1]);
}

static int run_retrieve_session(int argc, char **argv)
{
	(void)argc;
	return session_open(LUO_RETRIEVE_SESSION, argv[1]);
}

static int run_preserve(int argc, char **argv)
{
	struct luo_fd_arg arg = {
		.size = sizeof(arg),
		.fd = var_fd(argv[2]),
		.token = number(argv[3]),
	};
	int session = var_fd(argv[1]);

	(void)argc;
	return KERNEL_CALL(ioctl(session, LUO_PRESERVE_FD, &arg));
}

static int run_retrieve(int argc, char **argv)
{
	struct luo_fd_arg arg = {
		.size = sizeof(arg),
		.fd = -1,
		.token = number(argv[2]),
	};
	int session = var_fd(argv[1]);
	int ret = KERNEL_CALL(ioctl(session, LUO_RETRIEVE_FD, &arg));

	(void)argc;
	if (ret >= 0)
		var_set(argv[3], arg.fd);
	return ret;
}

/* An ioctl whose request lies in a page that is only read from: the reply cannot be written. */
static int ioctl_unread(int fd, unsigned long request, const void *arg, size_t len)
{
	size_t size = getpagesize();
	void *page;
	int ret;

	page = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		script_error("a request that is only read from: out of memory");
	memcpy(page, arg, len);
	if (mprotect(page, size, PROT_READ))
		script_error("a request that is only read from: %s", strerror(errno));

	ret = KERNEL_CALL(ioctl(fd, request, page));
	munmap(page, size);
	return ret;
}

/* preserve-unread SESSION VAR TOKEN */
static int run_preserve_unread(int argc, char **argv)
{
	struct luo_fd_arg arg = {
		.size = sizeof(arg),
		.fd = var_fd(argv[2]),
		.token = number(argv[3]),
	};

	(void)argc;
	return ioctl_unread(var_fd(argv[1]), LUO_PRESERVE_FD, &arg, sizeof(arg));
}

/* retrieve-unread SESSION TOKEN: the call fails, and no fd may be left behind. */
static int run_retrieve_unread(int argc, char **argv)
{
	struct luo_fd_arg arg = {
		.size = sizeof(arg),
		.fd = -1,
		.token = number(argv[2]),
	};

	(void)argc;
	return ioctl_unread(var_fd(argv[1]), LUO_RETRIEVE_FD, &arg, sizeof(arg));
}

/* retrieve-session-unread NAME: the same for a session. */
static int run_retrieve_session_unread(int argc, char **argv)
{
	struct luo_session_arg arg = { .size = sizeof(arg), .fd = -1 };

	(void)argc;
	strncpy((char *)arg.name, argv[1], sizeof(arg.name) - 1);
	return ioctl_unread(luo_device(), LUO_RETRIEVE_SESSION, &arg, sizeof(arg));
}

static int run_finish(int argc, char **argv)
{
	struct luo_finish_arg arg = { .size = sizeof(arg) };
	int session = var_fd(argv[1]);

	(void)argc;
	return KERNEL_CALL(ioctl(session, LUO_FINISH, &arg));
}

/* finish-unread SESSION */
static int run_finish_unread(int argc, char **argv)
{
	struct luo_finish_arg arg = { .size = sizeof(arg) };

	(void)argc;
	return ioctl_unread(var_fd(argv[1]), LUO_FINISH, &arg, sizeof(arg));
}

static int open_or_die(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		script_error("%s: %s", path, strerror(errno));
	return fd;
}

static size_t read_cmdline(char *buf, size_t size)
{
	int fd = open_or_die(NEXT_CMDLINE);
	ssize_t len = read(fd, buf, size - 1);

	if (len < 0)
		script_error("%s: %s", NEXT_CMDLINE, strerror(errno));
	close(fd);
	while (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return len + 1;
}

static int load(bool by_segments)
{
	int kernel = open_or_die(NEXT_KERNEL);
	int initrd = open_or_die(NEXT_INITRD);
	char cmdline[1024];
	size_t len = read_cmdline(cmdline, sizeof(cmdline));
	int ret;

	if (by_segments)
		ret = kexec_load_files(kernel, initrd, cmdline);
	else
		ret = KERNEL_CALL(syscall(SYS_kexec_file_load, kernel, initrd, len,
					  cmdline, 0UL));
	close(kernel);
	close(initrd);
	kexec_loaded = ret >= 0;
	return ret;
}

static int run_load(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return load(false);
}

/* load-segments: by kexec_load(2), as "kexec -c" does. Such an image has no handover. */
static int run_load_segments(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return load(true);
}

/* Comes back only if the live update was refused, by a freeze for instance. */
static int run_kexec(int argc, char **argv)
{
	int ret;

	if (!kexec_loaded) {
		ret = run_load(argc, argv);
		if (ret < 0)
			script_error("load: %s", errno_name(-ret));
	}
	sync();
	result_write("kexec");
	ret = KERNEL_CALL(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1,
				  LINUX_REBOOT_MAGIC2,
				  LINUX_REBOOT_CMD_KEXEC, NULL));
	say("  the live update did not happen: %s", errno_name(-ret));
	return ret;
}

static int run_close_session(int argc, char **argv)
{
	(void)argc;
	return var_close(argv[1]);
}

const struct step luo_steps[] = {
	{ "session",		1, 1, run_session },
	{ "retrieve-session",	1, 1, run_retrieve_session },
	{ "preserve",		3, 3, run_preserve },
	{ "retrieve",		3, 3, run_retrieve },
	{ "preserve-unread",	3, 3, run_preserve_unread },
	{ "retrieve-unread",	2, 2, run_retrieve_unread },
	{ "retrieve-session-unread", 1, 1, run_retrieve_session_unread },
	{ "finish",		1, 1, run_finish },
	{ "finish-unread",	1, 1, run_finish_unread },
	{ "close-session",	1, 1, run_close_session },
	{ "leave-luo",		0, 0, run_leave_luo },
	{ "load",		0, 0, run_load },
	{ "load-segments",	0, 0, run_load_segments },
	{ "kexec",		0, 0, run_kexec },
	{ NULL, 0, 0, NULL }
};
