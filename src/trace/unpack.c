// SPDX-License-Identifier: GPL-2.0
/*
 * A trace is written as it is, since the recorder has no time; what is kept for long
 * is compressed by whoever keeps it. The decoders are those of the packages' libraries.
 */
#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "trace/frame.h"
#include "trace/unpack.h"

#define CHUNK (128u << 10)
/* Traces get six to ten times smaller. */
#define MOST_TIMES 1000u
#define XZ_MEMORY (256ull << 20)

struct unpacking {
	int in, out;
	uint64_t taken;	/* bytes that went in */
	uint64_t most;	/* bytes that may come out */
	uint64_t done;
	bool whole;
	unsigned char from[CHUNK], to[CHUNK];
};

static int write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* LEN bytes of what came out. Nothing that does not begin as a trace is unpacked further. */
static int put(struct unpacking *u, size_t len)
{
	size_t n = u->done < VTF_MAGIC_LEN ? VTF_MAGIC_LEN - (size_t)u->done : 0;
	bool other = memcmp(u->to, VTF_MAGIC + (VTF_MAGIC_LEN - n), n < len ? n : len);

	u->done += len;
	if (other)
		return -EBADMSG;
	if (u->done > u->most)
		return -EFBIG;
	return write_all(u->out, u->to, len);
}

static int64_t take(struct unpacking *u)
{
	int64_t n = vt_pread(u->in, u->from, sizeof(u->from), u->taken);

	u->taken += n > 0 ? (uint64_t)n : 0;
	return n;
}

static int from_gzip(struct unpacking *u)
{
	z_stream z = { .zalloc = NULL };
	int ret = 0, state = Z_OK;
	int64_t n;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	while (!ret && (n = take(u)) != 0) {
		ret = n < 0 ? (int)n : 0;
		z.next_in = u->from;
		z.avail_in = n < 0 ? 0 : (uInt)n;
		/* A full buffer may hide that there is more of it. */
		for (z.avail_out = 0; !ret && (z.avail_in || (state == Z_OK && !z.avail_out));) {
			/* Another member may follow. */
			if (state == Z_STREAM_END)
				inflateReset(&z);
			z.next_out = u->to;
			z.avail_out = sizeof(u->to);
			state = inflate(&z, Z_NO_FLUSH);
			if (state == Z_BUF_ERROR && !z.avail_in)
				state = Z_OK;
			ret = put(u, sizeof(u->to) - z.avail_out);
			if (state != Z_OK && state != Z_STREAM_END)
				goto out;
		}
	}
	u->whole = state == Z_STREAM_END;
out:
	inflateEnd(&z);
	return ret;
}

static int from_xz(struct unpacking *u)
{
	lzma_stream z = LZMA_STREAM_INIT;
	lzma_ret state = lzma_stream_decoder(&z, XZ_MEMORY, LZMA_CONCATENATED);
	bool end = false;
	int ret = 0;

	if (state != LZMA_OK)
		return -ENOMEM;
	while (!ret && state == LZMA_OK) {
		if (!z.avail_in && !end) {
			int64_t n = take(u);

			if (n < 0) {
				ret = (int)n;
				break;
			}
			end = !n;
			z.next_in = u->from;
			z.avail_in = (size_t)n;
		}
		z.next_out = u->to;
		z.avail_out = sizeof(u->to);
		state = lzma_code(&z, end ? LZMA_FINISH : LZMA_RUN);
		ret = put(u, sizeof(u->to) - z.avail_out);
	}
	u->whole = state == LZMA_STREAM_END;
	lzma_end(&z);
	return ret;
}

static int from_zstd(struct unpacking *u)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	size_t left = 1;
	int ret = z ? 0 : -ENOMEM;
	int64_t n;

	while (!ret && (n = take(u)) != 0) {
		ZSTD_inBuffer in = { u->from, n < 0 ? 0 : (size_t)n, 0 };
		bool more = in.size;

		ret = n < 0 ? (int)n : 0;
		while (!ret && more) {
			ZSTD_outBuffer out = { u->to, sizeof(u->to), 0 };

			left = ZSTD_decompressStream(z, &out, &in);
			ret = put(u, out.pos);
			if (ZSTD_isError(left))
				goto out;
			more = in.pos < in.size || (left && out.pos == out.size);
		}
	}
	u->whole = !left;
out:
	ZSTD_freeDCtx(z);
	return ret;
}

static const struct packing {
	const char *magic;
	size_t len;
	int (*unpack)(struct unpacking *u);
} packings[] = {
	{ "\x1f\x8b", 2, from_gzip },
	{ "\xfd" "7zXZ", 6, from_xz },
	{ "\x28\xb5\x2f\xfd", 4, from_zstd },
};

static const struct packing *packing_of(int fd)
{
	char start[6] = "";

	if (vt_pread(fd, start, sizeof(start), 0) < 0)
		return NULL;
	for (size_t i = 0; i < sizeof(packings) / sizeof(packings[0]); i++) {
		if (!memcmp(start, packings[i].magic, packings[i].len))
			return &packings[i];
	}
	return NULL;
}

static int nameless(void)
{
	const char *dir = getenv("TMPDIR");
	int fd = -1;

	if (dir && *dir)
		fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0 ? memfd_create("vfiotrace", MFD_CLOEXEC) : fd;
}

static int explain(int err, bool nothing, char **why)
{
	if (err == -EFBIG)
		*why = strdup("compressed, and more than a thousand times as large without that: no trace is");
	else if (err == -EBADMSG)
		*why = strdup(nothing ? "compressed, and damaged before anything could be read" : "compressed, and not a vfiotrace file");
	return err == -EFBIG ? -EBADMSG : err;
}

int vt_unpack(int fd, int *plain, bool *whole, char **why)
{
	const struct packing *p = packing_of(fd);
	struct unpacking *u;
	struct stat st;
	int ret;

	*plain = -1;
	if (!p)
		return 0;
	if (fstat(fd, &st))
		return -errno;
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->in = fd;
	u->out = nameless();
	u->most = (uint64_t)st.st_size * MOST_TIMES;
	ret = u->out < 0 ? -errno : p->unpack(u);
	if (!ret && !u->done)
		ret = -EBADMSG;
	*whole = u->whole;
	if (ret) {
		if (u->out >= 0)
			close(u->out);
		ret = explain(ret, !u->done, why);
	} else {
		*plain = u->out;
	}
	free(u);
	return ret ? ret : 1;
}
