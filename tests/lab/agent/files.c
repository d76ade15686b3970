// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps about ordinary files: open, close, memory files, and what is in them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"

static int run_open(int argc, char **argv)
{
	int fd = KERNEL_CALL(open(argv[2], O_RDWR | O_CLOEXEC));

	(void)argc;
	if (fd >= 0)
		var_set(argv[1], fd);
	return fd;
}

static int run_close(int argc, char **argv)
{
	(void)argc;
	return var_close(argv[1]);
}

/* memfd VAR BYTES PATTERN: filled, so that its pages exist. */
static int run_memfd(int argc, char **argv)
{
	size_t size = number(argv[2]);
	unsigned char *buf;
	int fd;

	(void)argc;
	fd = KERNEL_CALL(memfd_create(argv[1], MFD_CLOEXEC | MFD_ALLOW_SEALING));
	if (fd < 0)
		return fd;

	buf = malloc(size);
	if (!buf)
		script_error("memfd: out of memory");
	pattern_fill(buf, size, argv[3]);
	if (write(fd, buf, size) != (ssize_t)size)
		script_error("memfd: cannot fill: %s", strerror(errno));
	free(buf);
	var_set(argv[1], fd);
	return 0;
}

/* hole VAR BYTES: makes a memory file that large, with nothing in what is new. */
static int run_hole(int argc, char **argv)
{
	(void)argc;
	return KERNEL_CALL(ftruncate(var_fd(argv[1]), number(argv[2])));
}

/* write VAR PATTERN: eight bytes at the start. */
static int run_write(int argc, char **argv)
{
	unsigned char buf[8];

	(void)argc;
	pattern_fill(buf, sizeof(buf), argv[2]);
	return KERNEL_CALL(pwrite(var_fd(argv[1]), buf, sizeof(buf), 0));
}

/* put PATH TEXT: one write, as "echo TEXT >PATH" makes it, in this process. */
static int run_put(int argc, char **argv)
{
	char text[256];
	int fd, len, ret;

	len = snprintf(text, sizeof(text), "%s\n", argc > 2 ? argv[2] : "");
	fd = open(argv[1], O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		script_error("%s: %s", argv[1], strerror(errno));
	ret = KERNEL_CALL(write(fd, text, len));
	close(fd);
	return ret;
}

static size_t file_size(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		script_error("fstat: %s", strerror(errno));
	/* Not a file with a size: what run_write() writes. */
	return S_ISREG(st.st_mode) ? (size_t)st.st_size : 8;
}

/* verify VAR PATTERN: all of the file, from its start. */
static int run_verify(int argc, char **argv)
{
	int fd = var_fd(argv[1]);
	size_t size = file_size(fd);
	unsigned char *want = malloc(size), *have = calloc(1, size);

	(void)argc;
	if (!want || !have)
		script_error("verify: out of memory");
	pattern_fill(want, size, argv[2]);
	if (!size || pread(fd, have, size, 0) != (ssize_t)size)
		script_error("%s: cannot read %zu bytes: %s", argv[1], size,
			     strerror(errno));
	if (memcmp(want, have, size))
		script_error("%s: the contents are not what was written", argv[1]);
	free(want);
	free(have);
	return 0;
}

const struct step file_steps[] = {
	{ "open",	2, 2, run_open },
	{ "close",	1, 1, run_close },
	{ "memfd",	3, 3, run_memfd },
	{ "hole",	2, 2, run_hole },
	{ "write",	2, 2, run_write },
	{ "put",	1, 2, run_put },
	{ "verify",	2, 2, run_verify },
	{ NULL, 0, 0, NULL }
};
