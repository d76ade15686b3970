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

#define PIECE (64u << 20)	/* a large file is filled and read by such pieces */

static void move_all(int fd, unsigned char *buf, size_t size, off_t at, bool out)
{
	ssize_t n;

	for (size_t done = 0; done < size; done += n) {
		n = out ? pwrite(fd, buf + done, size - done, at + done) : pread(fd, buf + done, size - done, at + done);
		if (n <= 0)
			script_error("cannot %s at byte %lld: %s", out ? "write" : "read", (long long)(at + done),
				     n ? strerror(errno) : "the file ends there");
	}
}

static unsigned char *piece_new(size_t size)
{
	unsigned char *buf = malloc(size < PIECE ? size + 1 : PIECE);

	if (!buf)
		script_error("out of memory");
	return buf;
}

static size_t piece_at(size_t at, size_t size)
{
	return size - at < PIECE ? size - at : PIECE;
}

/* memfd VAR BYTES PATTERN: filled, so that its pages exist. */
static int memfd_filled(char **argv, unsigned int flags)
{
	size_t size = number(argv[2]), n;
	unsigned char *buf;
	int fd;

	fd = KERNEL_CALL(memfd_create(argv[1], MFD_CLOEXEC | flags));
	if (fd < 0)
		return fd;

	buf = piece_new(size);
	for (size_t at = 0; at < size; at += n) {
		n = piece_at(at, size);
		pattern_fill(buf, n, at, argv[3]);
		move_all(fd, buf, n, at, true);
	}
	free(buf);
	lseek(fd, size, SEEK_SET);
	var_set(argv[1], fd);
	return 0;
}

static int run_memfd(int argc, char **argv)
{
	(void)argc;
	return memfd_filled(argv, MFD_ALLOW_SEALING);
}

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

/* memfd-noexec VAR BYTES PATTERN: as vm.memfd_noexec=1 makes all of them. */
static int run_memfd_noexec(int argc, char **argv)
{
	(void)argc;
	return memfd_filled(argv, MFD_NOEXEC_SEAL);
}

/* reopen-read VAR FROM: the same file, to be read only, as one gives memory to somebody who must not change it. */
static int run_reopen_read(int argc, char **argv)
{
	char path[64];
	int fd;

	(void)argc;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", var_fd(argv[2]));
	fd = KERNEL_CALL(open(path, O_RDONLY | O_CLOEXEC));
	if (fd >= 0)
		var_set(argv[1], fd);
	return fd;
}

/* seal VAR SEALS: a number, as in F_SEAL_*. */
static int run_seal(int argc, char **argv)
{
	(void)argc;
	return KERNEL_CALL(fcntl(var_fd(argv[1]), F_ADD_SEALS, (int)number(argv[2])));
}

/*
 * pieces VAR VAR BYTES PATTERN: two memory files that are filled page by page in
 * turn, so that neither has much memory side by side.
 */
static int run_pieces(int argc, char **argv)
{
	size_t size = number(argv[3]);
	unsigned char page[4096];
	int fd[2];

	(void)argc;
	for (int i = 0; i < 2; i++) {
		fd[i] = KERNEL_CALL(memfd_create(argv[1 + i], MFD_CLOEXEC | MFD_ALLOW_SEALING));
		if (fd[i] < 0)
			return fd[i];
		var_set(argv[1 + i], fd[i]);
	}
	for (size_t at = 0; at < size; at += sizeof(page)) {
		pattern_fill(page, sizeof(page), at, argv[4]);
		move_all(fd[0], page, sizeof(page), at, true);
		move_all(fd[1], page, sizeof(page), at, true);
	}
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
	pattern_fill(buf, sizeof(buf), 0, argv[2]);
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
	size_t size = file_size(fd), n;
	unsigned char *want = piece_new(size), *have = piece_new(size);

	(void)argc;
	if (!size)
		script_error("%s: is empty", argv[1]);
	for (size_t at = 0; at < size; at += n) {
		n = piece_at(at, size);
		pattern_fill(want, n, at, argv[2]);
		move_all(fd, have, n, at, false);
		if (memcmp(want, have, n))
			script_error("%s: the contents are not what was written", argv[1]);
	}
	free(want);
	free(have);
	return 0;
}

const struct step file_steps[] = {
	{ "open",	2, 2, run_open },
	{ "close",	1, 1, run_close },
	{ "memfd",	3, 3, run_memfd },
	{ "memfd-noexec", 3, 3, run_memfd_noexec },
	{ "reopen-read", 2, 2, run_reopen_read },
	{ "seal",	2, 2, run_seal },
	{ "pieces",	4, 4, run_pieces },
	{ "hole",	2, 2, run_hole },
	{ "write",	2, 2, run_write },
	{ "put",	1, 2, run_put },
	{ "verify",	2, 2, run_verify },
	{ NULL, 0, 0, NULL }
};
