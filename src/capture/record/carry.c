/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/carry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/record/luo_uapi.h"
#include "trace/out.h"
#include "vfiotrace/trace.h"

/*
 * The first page says how much of the rest is a trace. A file position would
 * not do: LUO saves it in freeze, and the most wanted records come after that.
 */
#define HEAD_BYTES 4096u
#define HEAD_MAGIC "VFTCARRY"
#define HEAD_VERSION 1

struct head {
	char magic[8] __attribute__((nonstring));
	uint32_t version;
	uint32_t start;		/* where the trace begins */
	uint64_t bytes;		/* its length */
};

struct carry {
	int session, memory;
	struct head *head;	/* mapped: no system call when the kernel waits */
};

static struct carry *new_carry(void)
{
	struct carry *c = calloc(1, sizeof(*c));

	if (c)
		c->session = c->memory = -1;
	return c;
}

static int refuse(int err, const char **why, const char *sentence)
{
	*why = sentence;
	return err;
}

/* ---- sessions ---- */

/*
 * The device is open for the length of one request: it is exclusive, and others need it.
 * LUO's descriptors are close-on-exec, so CMD does not inherit the session.
 */
static int luo_session(unsigned long request, int *session, const char **why)
{
	struct luo_session_args a = { .size = sizeof(a), .fd = -1 };
	int dev = open(LUO_DEVICE, O_RDWR | O_CLOEXEC), err = 0;

	if (dev < 0)
		return refuse(-errno, why, errno == EBUSY ? "another program has " LUO_DEVICE " open, and only one can" :
			      errno == ENOENT || errno == ENODEV ? "there is no " LUO_DEVICE : "cannot open " LUO_DEVICE);
	memcpy(a.name, VT_OWN_SESSION, sizeof(VT_OWN_SESSION));
	if (ioctl(dev, request, &a))
		err = -errno;
	close(dev);
	if (err)
		return refuse(err, why, err == -EEXIST ? "a session named " VT_OWN_SESSION " exists: is another recorder carrying its trace?" :
			      err == -ENOENT ? "no trace was carried over" : "LUO refuses the session");
	*session = a.fd;
	return 0;
}

int carry__first_open(void)
{
	int dev = open(LUO_DEVICE, O_RDWR | O_CLOEXEC), err = dev < 0 ? errno : 0;

	if (dev >= 0)
		close(dev);
	switch (err) {
	case EBUSY:
	case EACCES:
	case EPERM:
	case ENOENT:
	case ENODEV:
	case ENXIO:
	case EMFILE:
	case ENFILE:
		return 0;
	}
	return -err;
}

static int map_head(struct carry *c)
{
	c->head = mmap(NULL, HEAD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, c->memory, 0);
	if (c->head != MAP_FAILED)
		return 0;
	c->head = NULL;
	return -errno;
}

/* ---- old kernel ---- */

static int make_memory(struct carry *c, uint64_t bytes)
{
	c->memory = memfd_create("vfiotrace", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (c->memory < 0 || ftruncate(c->memory, (off_t)(HEAD_BYTES + bytes)))
		return -errno;
	/* LUO freezes the size anyway; the seal tells the writer so. */
	if (fcntl(c->memory, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK))
		return -errno;
	return map_head(c);
}

int carry__open(uint64_t bytes, struct carry **out, const char **why)
{
	struct luo_fd_args a = { .size = sizeof(a), .token = VT_OWN_TOKEN };
	struct carry *c = new_carry();
	int err;

	*out = NULL;
	if (!c)
		return refuse(-ENOMEM, why, "out of memory");
	err = make_memory(c, bytes);
	if (err) {
		*why = "cannot make the memory file";
		goto fail;
	}
	*c->head = (struct head){ .magic = HEAD_MAGIC, .version = HEAD_VERSION, .start = HEAD_BYTES };
	err = luo_session(LUO_CREATE_SESSION, &c->session, why);
	if (err)
		goto fail;
	a.fd = c->memory;
	if (ioctl(c->session, LUO_PRESERVE_FD, &a)) {
		err = -errno;
		*why = err == -ENOMEM ? "the memory file does not fit into memory" :
		       "LUO does not preserve memory files here (it needs CONFIG_LIVEUPDATE_MEMFD=y)";
		goto fail;
	}
	*out = c;
	return 0;
fail:
	carry__free(c);
	return err;
}

int carry__writer_fd(const struct carry *c)
{
	int fd = fcntl(c->memory, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0 && lseek(fd, HEAD_BYTES, SEEK_SET) < 0) {
		close(fd);
		return -EIO;
	}
	return fd < 0 ? -errno : fd;
}

void carry__stored(struct carry *c, uint64_t bytes)
{
	if (c)
		__atomic_store_n(&c->head->bytes, bytes, __ATOMIC_RELEASE);
}

/* ---- new kernel ---- */

static int check_head(const struct carry *c, const char **why)
{
	const struct head *h = c->head;
	struct stat st;

	/* Its size first: what lies behind the end of a mapped file is a signal. */
	if (fstat(c->memory, &st))
		return refuse(-errno, why, "cannot read what was carried over");
	if ((uint64_t)st.st_size < HEAD_BYTES)
		return refuse(-EBADMSG, why, "what was carried over is not a trace");
	if (memcmp(h->magic, HEAD_MAGIC, sizeof(h->magic)))
		return refuse(-EBADMSG, why, "what was carried over is not a trace");
	if (h->version != HEAD_VERSION)
		return refuse(-EPROTO, why, "what was carried over needs another version of the tool");
	if (h->start < sizeof(*h) || h->start > (uint64_t)st.st_size || h->bytes > (uint64_t)st.st_size - h->start)
		return refuse(-EBADMSG, why, "what was carried over is damaged: its length cannot be right");
	return 0;
}

int carry__retrieve(struct carry **out, const char **why)
{
	struct luo_fd_args a = { .size = sizeof(a), .fd = -1, .token = VT_OWN_TOKEN };
	struct carry *c = new_carry();
	int err;

	*out = NULL;
	if (!c)
		return refuse(-ENOMEM, why, "out of memory");
	err = luo_session(LUO_RETRIEVE_SESSION, &c->session, why);
	if (err)
		goto fail;
	if (ioctl(c->session, LUO_RETRIEVE_FD, &a)) {
		err = -errno;
		*why = "LUO does not give the memory file back";
		goto fail;
	}
	c->memory = a.fd;
	err = map_head(c);
	if (err)
		*why = "cannot map the memory file";
	else
		err = check_head(c, why);
	if (err)
		goto fail;
	*out = c;
	return 0;
fail:
	carry__free(c);
	return err;
}

int carry__done(struct carry *c)
{
	struct luo_finish_args a = { .size = sizeof(a) };

	return ioctl(c->session, LUO_FINISH, &a) ? -errno : 0;
}

/* ---- both ---- */

uint64_t carry__bytes(const struct carry *c)
{
	return __atomic_load_n(&c->head->bytes, __ATOMIC_ACQUIRE);
}

static int copy_range(int from, int to, off_t at, uint64_t left)
{
	char buf[65536];

	while (left) {
		ssize_t n = pread(from, buf, left < sizeof(buf) ? left : sizeof(buf), at), done = 0;

		if (n <= 0)
			return n ? -errno : -EIO;
		while (done < n) {
			ssize_t m = write(to, buf + done, n - done);

			if (m < 0 && errno != EINTR)
				return -errno;
			done += m > 0 ? m : 0;
		}
		at += n;
		left -= n;
	}
	return 0;
}

int carry__copy(const struct carry *c, const char *path)
{
	int fd = vt_out__target(path), err;

	if (fd < 0)
		return fd;
	err = copy_range(c->memory, fd, c->head->start, carry__bytes(c));
	if (!err && fdatasync(fd) && errno != EINVAL && errno != EROFS)
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

void carry__free(struct carry *c)
{
	if (!c)
		return;
	if (c->head)
		munmap(c->head, HEAD_BYTES);
	if (c->memory >= 0)
		close(c->memory);
	if (c->session >= 0)
		close(c->session);
	free(c);
}
