/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel memory, by programs that run in the recorder. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/object/private.h"

int object__peek(struct object *o, uint64_t addr, void *buf, size_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err;

	if (len > VT_PEEK_MAX)
		return -E2BIG;
	o->ctl->peek_addr = addr;
	o->ctl->peek_len = len;
	err = bpf_prog_test_run_opts(o->peek_fd, &opts);
	if (err)
		return err;
	if (o->ctl->peek_err)
		return o->ctl->peek_err;
	memcpy(buf, o->ctl->peek, len);
	return 0;
}

int object__reader(void *object, uint64_t addr, void *buf, size_t len)
{
	return object__peek(object, addr, buf, len);
}

uint64_t object__peek_u64(struct object *o, uint64_t addr)
{
	uint64_t v = 0;

	return addr && !object__peek(o, addr, &v, sizeof(v)) ? v : 0;
}

uint64_t object__self(struct object *o)
{
	uint64_t nothing;

	object__peek(o, 0, &nothing, sizeof(nothing));
	return o->ctl->peek_task;
}

int object__run(struct object *o, const char *prog, uint64_t addr)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int fd = object__program_fd(o, prog);

	if (fd < 0)
		return fd;
	o->ctl->peek_addr = addr;
	return bpf_prog_test_run_opts(fd, &opts);
}

/*
 * A folio that has just left a page cache may hang on a CPU's list of pages to
 * be put on the LRU, with a reference of its own. Sealing a memfd against
 * writes empties these lists (mm/memfd.c: memfd_wait_for_pins()).
 */
static void empty_lru_lists(void)
{
	int fd = memfd_create("vfiotrace", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return;
	if (write(fd, "", 1) == 1)
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE);
	close(fd);
}

int object__last_look(struct object *o)
{
	int fd;

	if (!o->ctl->suspects)
		return 0;
	fd = object__program_fd(o, "last_look");
	if (fd < 0)
		return fd;
	empty_lru_lists();
	return object__run(o, "last_look", 0);
}
