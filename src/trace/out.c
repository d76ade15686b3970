// SPDX-License-Identifier: GPL-2.0
/*
 * Storage. A trace is most wanted when the machine is in trouble, so a full
 * disk must neither tear a block nor leave the trace without the words that
 * say what is missing: before each block of events, space for it and for a
 * reserve behind it is claimed without growing the file. When that fails,
 * nothing was torn and the reserve of the block before is still ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <libdeflate.h>

#include "trace/out.h"

#define RESERVE (64u << 10)	/* probe table, loss, schema and end of a large capture fit */

/* Claims space behind what is stored. Only "no space" is a failure; file systems that cannot claim do without. */
static int claim(struct vt_out *o, uint32_t len)
{
	if (!o->reserves)
		return 0;
	while (fallocate(o->fd, FALLOC_FL_KEEP_SIZE, (off_t)(o->base + o->bytes), len)) {
		if (errno == EINTR)
			continue;
		if (errno == ENOSPC || errno == EDQUOT)
			return -errno;
		o->reserves = false;
		return 0;
	}
	return 0;
}

/* A memory file that is sealed against growth is as full as it is large. */
static uint64_t sealed_size(int fd, const struct stat *st)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & F_SEAL_GROW) ? (uint64_t)st->st_size : 0;
}

static int check_room(const struct vt_out *o, uint64_t len)
{
	return o->limit && o->base + o->bytes + len > o->limit ? -ENOSPC : 0;
}

/* A size limit is no different from a full disk, only that it can be asked for. */
static int check_limit(const struct vt_out *o, uint64_t len)
{
	struct rlimit limit;

	if (check_room(o, len))
		return -ENOSPC;
	if (!o->seekable || getrlimit(RLIMIT_FSIZE, &limit) || limit.rlim_cur == RLIM_INFINITY)
		return 0;
	return o->base + o->bytes + len > limit.rlim_cur ? -EFBIG : 0;
}

static int claim_for(struct vt_out *o, uint32_t len)
{
	int ret = check_limit(o, (uint64_t)len + RESERVE);

	if (ret)
		return ret;
	ret = claim(o, len + RESERVE);

	/* tmpfs drops the old claim when a larger one fails. */
	if (ret)
		claim(o, RESERVE);
	return ret;
}

/* Back to the last whole block. Where that cannot be done, a reader finds the next block by its magic. */
static void rollback(struct vt_out *o)
{
	off_t end = (off_t)(o->base + o->bytes);

	if (!o->seekable)
		return;
	if (ftruncate(o->fd, end))
		return;
	lseek(o->fd, end, SEEK_SET);
	claim(o, RESERVE);
}

static int store(struct vt_out *o, const char *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(o->fd, data + done, len - done);
		int err = n < 0 ? errno : EIO;

		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (n < 0 && err == EINTR)
			continue;
		if (done)
			rollback(o);
		return -err;
	}
	o->bytes += len;
	return 0;
}

static uint32_t crc(const void *data, size_t len)
{
	return (uint32_t)libdeflate_crc32(0, data, len);
}

static int store_header(struct vt_out *o)
{
	struct vtf_header h = { .version = VTF_VERSION, .size = sizeof(h) };

	memcpy(h.magic, VTF_MAGIC, VTF_MAGIC_LEN);
	h.crc = crc(&h, offsetof(struct vtf_header, crc));
	return store(o, (const char *)&h, sizeof(h));
}

int vt_out__adopt(struct vt_out *o, int fd)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	struct stat st;
	int ret;

	memset(o, 0, sizeof(*o));
	o->fd = fd;
	if (fstat(fd, &st)) {
		ret = -errno;
	} else {
		o->seekable = at >= 0 && S_ISREG(st.st_mode);
		o->reserves = o->seekable;
		o->base = at < 0 ? 0 : (uint64_t)at;
		o->limit = o->seekable ? sealed_size(fd, &st) : 0;
		ret = store_header(o);
	}
	if (ret)
		vt_out__close(o);
	return ret;
}

/* Before anything in it is touched: is this file ours to replace? */
static int check_target(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOTSUP;
	/* Nor is one that has another name as well: whoever gave it that may not be able to write what we would empty. */
	if (st.st_uid != geteuid() || st.st_nlink > 1)
		return -EPERM;
	/* Two recorders on one file would leave neither's trace. File systems without locks must do without. */
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return -EBUSY;
	if (fchmod(fd, 0600) || ftruncate(fd, 0))
		return -errno;
	return 0;
}

int vt_out__target(const char *path)
{
	/* O_NONBLOCK: a FIFO in its place must not hang us; it has no meaning for the regular file we insist on. */
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	int ret;

	if (fd < 0)
		return errno == ENXIO ? -ENOTSUP : -errno;
	ret = check_target(fd);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

int vt_out__open(struct vt_out *o, const char *path)
{
	int fd = vt_out__target(path);

	return fd < 0 ? fd : vt_out__adopt(o, fd);
}

/* Block by block to the end of the file. */
static int walk_to_end(struct vt_out *o, uint64_t size)
{
	struct vtf_header head;
	struct vtf_block h;
	uint64_t at;

	if (pread(o->fd, &head, sizeof(head), 0) != sizeof(head) || memcmp(head.magic, VTF_MAGIC, VTF_MAGIC_LEN) ||
	    head.version != VTF_VERSION || head.size < sizeof(head) || head.size > VTF_HEADER_MAX)
		return -EBADMSG;
	for (at = head.size; at < size; at += sizeof(h) + h.len, o->seq++) {
		if (pread(o->fd, &h, sizeof(h), (off_t)at) != sizeof(h) || h.magic != VTF_BLOCK_MAGIC ||
		    h.header_crc != crc(&h, offsetof(struct vtf_block, header_crc)) || h.len > size - at - sizeof(h) || h.seq != o->seq)
			return -EBADMSG;
		if (h.type == VTF_END)
			return -EEXIST;
	}
	o->bytes = at;
	return at == size && lseek(o->fd, (off_t)at, SEEK_SET) == (off_t)at ? 0 : -EBADMSG;
}

int vt_out__append(struct vt_out *o, const char *path)
{
	struct stat st;
	int ret = 0;

	memset(o, 0, sizeof(*o));
	o->fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (o->fd < 0)
		return -errno;
	if (fstat(o->fd, &st))
		ret = -errno;
	else if (!S_ISREG(st.st_mode))
		ret = -ENOTSUP;
	else if (flock(o->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		ret = -EBUSY;
	else
		ret = walk_to_end(o, (uint64_t)st.st_size);
	o->seekable = !ret;
	if (ret)
		vt_out__close(o);
	return ret;
}

int vt_out__block(struct vt_out *o, void *block, enum vtf_block_type type, uint32_t payload_len, uint32_t nr,
		  bool last_words)
{
	struct vtf_block h = {
		.magic = VTF_BLOCK_MAGIC, .type = (uint16_t)type, .flags = type == VTF_PACKED ? VTF_REQUIRED : 0,
		.len = payload_len, .seq = o->seq, .nr = nr,
	};
	uint32_t len = (uint32_t)sizeof(h) + payload_len;
	int ret;

	if (payload_len > VTF_BLOCK_MAX || payload_len % 8)
		return -E2BIG;
	if (o->fd < 0)
		return -EBADF;
	h.payload_crc = crc((char *)block + sizeof(h), payload_len);
	h.header_crc = crc(&h, offsetof(struct vtf_block, header_crc));
	memcpy(block, &h, sizeof(h));

	ret = last_words ? check_room(o, len) : claim_for(o, len);
	if (!ret)
		ret = store(o, block, len);
	if (!ret)
		o->seq++;
	return ret;
}

int vt_out__sync_fd(int fd)
{
	if (fd < 0)
		return -EBADF;
	/* Pipes and devices have nothing to sync. */
	if (fdatasync(fd) && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
		return -errno;
	return 0;
}

int vt_out__sync(struct vt_out *o)
{
	return vt_out__sync_fd(o->fd);
}

void vt_out__close(struct vt_out *o)
{
	if (o->fd < 0)
		return;
	/* Truncating to its own size gives back what was claimed behind the end; failing costs only space. */
	if (o->reserves && ftruncate(o->fd, (off_t)(o->base + o->bytes)))
		o->reserves = false;
	close(o->fd);
	o->fd = -1;
}

#define ROWS_AT (sizeof(struct vtf_block) + sizeof(struct vtf_table))

int vt_rows__init(struct vt_rows *r, uint32_t row_size)
{
	memset(r, 0, sizeof(*r));
	r->row_size = row_size;
	if (!vt_pool__reset(&r->pool) && vt_buf__add(&r->buf, ROWS_AT))
		return 0;
	vt_rows__free(r);
	return -ENOMEM;
}

void *vt_rows__add(struct vt_rows *r)
{
	void *row = vt_buf__add(&r->buf, r->row_size);

	r->nr += !!row;
	return row;
}

int vt_rows__str(struct vt_rows *r, const char *s, uint32_t *at)
{
	int64_t ret = vt_pool__add(&r->pool, s);

	if (ret < 0)
		return (int)ret;
	*at = (uint32_t)ret;
	return 0;
}

int vt_rows__write(struct vt_rows *r, struct vt_out *o, enum vtf_block_type type)
{
	uint32_t strings_len = (uint32_t)r->pool.bytes.len;
	struct vtf_table t = { .row_size = r->row_size, .strings_len = strings_len };
	char *strings = vt_buf__add(&r->buf, vtf_align8(strings_len));
	int ret = -ENOMEM;

	if (strings) {
		memcpy(strings, r->pool.bytes.data, strings_len);
		memcpy(r->buf.data + sizeof(struct vtf_block), &t, sizeof(t));
		ret = r->buf.len > VTF_BLOCK_MAX ? -E2BIG :
			vt_out__block(o, r->buf.data, type, (uint32_t)(r->buf.len - sizeof(struct vtf_block)), r->nr, true);
	}
	vt_rows__free(r);
	return ret;
}

void vt_rows__free(struct vt_rows *r)
{
	vt_buf__free(&r->buf);
	vt_pool__free(&r->pool);
}
