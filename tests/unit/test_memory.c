// SPDX-License-Identifier: GPL-2.0
/*
 * Where the direct map and the page array begin, measured on a kernel that lists no variable for them, with pages
 * of 4, 16 and 64 KiB. The kernel is this file: a few words at addresses, as struct page, slabs and a pipe have them.
 */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "capture/arch/arch.h"
#include "capture/kernel/kernel.h"

#define ENTRY 64		/* bytes of struct page */
#define SLAB 0xf5
#define SELF_PHYS 0x7f4000ull	/* of memory that begins at 0 in here */
#define OBJECT 1152		/* bytes of all objects */
#define PAD 64

/* Members, all in one space: what is asked is where each is. */
enum { TASK_FILES = 8, TASK_SIGNAL = 16, TASK_SIGHAND = 24, TASK_MM = 32, TASK_FS = 40, FILES_FDT = 8, FDT_FD = 16,
	FILE_PRIVATE = 24, PIPE_BUFS = 8, BUF_PAGE = 0, PAGE_TYPE = 48, SLAB_CACHE = 8, CACHE_SIZE = 24, CACHE_PAD = 32 };
#define BUF_SIZE 40

static struct {
	long page;
	uint64_t direct, array;
	int order;		/* of slabs */
	bool no_pagemap, odd;
	uint64_t frame[2];	/* of the pages that the pipe has */
	uint64_t at[256], value[256];
	size_t nr;
} sim;

const struct arch arch;		/* no names of variables */

static void word(uint64_t at, uint64_t value)
{
	sim.at[sim.nr] = at;
	sim.value[sim.nr++] = value;
}

static int read_word(void *arg, uint64_t addr, void *buf, size_t len)
{
	uint64_t value = 0;

	if (addr < sim.array && addr < sim.direct)
		return -EFAULT;
	for (size_t i = 0; i < sim.nr; i++) {
		if (sim.at[i] == addr)
			value = sim.value[i];
	}
	memcpy(buf, &value, len);
	return 0;
}

/* ---- what the code under test asks ---- */

long __wrap_sysconf(int name);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t at);
ssize_t __wrap_vmsplice(int fd, const struct iovec *v, size_t count, unsigned int flags);

long __wrap_sysconf(int name)
{
	return name == _SC_PAGESIZE ? sim.page : -1;
}

/* Of /proc/self/pagemap, the entry of a page: its second page follows the first. */
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t at)
{
	static off_t first;
	uint64_t entry;

	if (!first || (at != first && at != first + 8))
		first = at;
	entry = 1ull << 63 | sim.frame[at != first];
	memcpy(buf, &entry, sizeof(entry));
	return sim.no_pagemap ? 0 : len;
}

/* A pipe takes 16 pages, of its own kernel's size. */
ssize_t __wrap_vmsplice(int fd, const struct iovec *v, size_t count, unsigned int flags)
{
	return v->iov_len;
}

uint64_t kernel__addr(const struct kernel *k, const char *name, const char *module)
{
	return 0;
}

int kernel__offset(const struct kernel *k, const struct btf *btf, const char *type, const char *member)
{
	static const struct { const char *name; int at; } of[] = {
		{ "task_struct.files", TASK_FILES }, { "task_struct.signal", TASK_SIGNAL }, { "task_struct.sighand", TASK_SIGHAND },
		{ "task_struct.mm", TASK_MM }, { "task_struct.fs", TASK_FS }, { "files_struct.fdt", FILES_FDT }, { "fdtable.fd", FDT_FD },
		{ "file.private_data", FILE_PRIVATE }, { "pipe_inode_info.bufs", PIPE_BUFS }, { "pipe_buffer.page", BUF_PAGE },
		{ "page.page_type", PAGE_TYPE }, { "slab.slab_cache", SLAB_CACHE }, { "kmem_cache.size", CACHE_SIZE },
		{ "kmem_cache.red_left_pad", CACHE_PAD },
	};
	char name[64];

	snprintf(name, sizeof(name), "%s.%s", type, member);
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		if (!strcmp(of[i].name, name))
			return of[i].at;
	}
	return -1;
}

uint32_t kernel__size(const struct kernel *k, const char *type)
{
	return !strcmp(type, "page") ? ENTRY : !strcmp(type, "pipe_buffer") ? BUF_SIZE : 0;
}

long kernel__enum_value(const struct kernel *k, const char *name)
{
	return strcmp(name, "PGTY_slab") ? -1 : SLAB;
}

/* ---- a kernel of the simulation ---- */

static uint64_t page_at(uint64_t phys)
{
	return sim.array + phys / sim.page * ENTRY;
}

/* The N-th object of the slab in which PHYS is; returns where it is mapped. */
static uint64_t object(uint64_t phys, unsigned int n)
{
	uint64_t bytes = (uint64_t)sim.page << sim.order, head = phys / bytes * bytes, cache = sim.direct + 0x100 * (n + 1);

	word(page_at(head) + PAGE_TYPE, (uint64_t)SLAB << 24);
	word(page_at(head) + SLAB_CACHE, cache);
	word(cache + CACHE_SIZE, OBJECT);
	word(cache + CACHE_PAD, PAD);
	return sim.direct + head + PAD + n * OBJECT;
}

/* A pipe that is every file: only two are open. */
static void pipe_of(uint64_t files)
{
	uint64_t fdt = files + 0x200, fds = files + 0x300, file = files + 0x400, pipe = files + 0x440, bufs = files + 0x480;

	word(files + FILES_FDT, fdt);
	word(fdt + FDT_FD, fds);
	for (int fd = 0; fd < 64; fd++)
		word(fds + fd * 8, file);
	word(file + FILE_PRIVATE, pipe);
	word(pipe + PIPE_BUFS, bufs);
	for (int i = 0; i < 2; i++)
		word(bufs + i * BUF_SIZE + BUF_PAGE, sim.array + sim.frame[i] * ENTRY + (sim.odd && i ? ENTRY : 0));
}

static struct kernel_memory measure(long page, int order)
{
	static const int members[] = { TASK_FILES, TASK_SIGNAL, TASK_SIGHAND, TASK_MM, TASK_FS };
	uint64_t self, files = 0;

	sim.page = page;
	sim.order = order;
	sim.nr = 0;
	/* Memory begins at 1 GiB and is mapped from there on, both as even as arm64 has them with that size of pages. */
	sim.direct = 0xffff000000000000ull + (4096ull << 29) - (1ull << 30);
	sim.array = 0xfffffdffc0000000ull - (1ull << 30) / page * ENTRY;
	sim.frame[0] = (1ull << 30) / page + 77;
	sim.frame[1] = (1ull << 30) / page + 1234;
	self = object((1ull << 30) + SELF_PHYS, 3);
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		uint64_t o = object((1ull << 30) + 0x2000000 + i * 0x740000, i);

		word(self + members[i], o);
		files = members[i] == TASK_FILES ? o : files;
	}
	pipe_of(files);
	return kernel__memory(NULL, read_word, NULL, self);
}

static void found(long page)
{
	for (int order = 0; order < 4; order++) {
		struct kernel_memory m = measure(page, order);

		assert_int_equal(m.vmemmap, sim.array);
		assert_int_equal(m.page_offset, sim.direct);
	}
}

static void pages_of_4k(void **state)
{
	found(4096);
}

static void pages_of_16k(void **state)
{
	found(16384);
}

static void pages_of_64k(void **state)
{
	found(65536);
}

/* What does not agree is not told. */
static void not_told(void **state)
{
	struct kernel_memory m;

	sim.no_pagemap = true;
	m = measure(65536, 0);
	assert_true(!m.vmemmap && !m.page_offset);
	sim.no_pagemap = false;
	sim.odd = true;
	m = measure(65536, 0);
	assert_true(!m.vmemmap && !m.page_offset);
	sim.odd = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_4k),
		cmocka_unit_test(pages_of_16k),
		cmocka_unit_test(pages_of_64k),
		cmocka_unit_test(not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
