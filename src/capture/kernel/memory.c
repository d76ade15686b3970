/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the kernel has its memory. In variables, where /proc/kallsyms lists
 * them (CONFIG_KALLSYMS_ALL). Else it is measured. The array of pages: by pages
 * of ours, whose place in physical memory /proc/self/pagemap tells, and their
 * struct page. The map of all memory: by what the kernel keeps of us in slabs,
 * which must be slabs to that array. There is no place that all kernels of an
 * architecture would agree on.
 */
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "capture/arch/arch.h"
#include "capture/kernel/kernel.h"

struct reader {
	const struct kernel *k;
	kernel_read_fn read;
	void *arg;
	uint64_t self;		/* our struct task_struct */
};

/* ---- what the kernel has ---- */

static uint64_t load(const struct reader *r, uint64_t at)
{
	uint64_t v = 0;

	return at && !r->read(r->arg, at, &v, sizeof(v)) ? v : 0;
}

/* MEMBER, a pointer, of the struct TYPE at AT. */
static uint64_t member(const struct reader *r, uint64_t at, const char *type, const char *name)
{
	int off = kernel__offset(r->k, NULL, type, name);

	return at && off >= 0 ? load(r, at + off) : 0;
}

/* What the file behind FD keeps for itself. */
static uint64_t private_of(const struct reader *r, int fd)
{
	uint64_t files = member(r, r->self, "task_struct", "files");
	uint64_t table = member(r, member(r, files, "files_struct", "fdt"), "fdtable", "fd");

	return member(r, table ? load(r, table + fd * sizeof(table)) : 0, "file", "private_data");
}

/* ---- what we have ---- */

/* Number of the page at ADDR in physical memory; 0 = not told. */
static uint64_t frame_of(const void *addr)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	long page = sysconf(_SC_PAGESIZE);
	uint64_t entry = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), (uintptr_t)addr / page * sizeof(entry)) != sizeof(entry))
		entry = 0;
	close(fd);
	return entry >> 63 ? entry & ((1ull << 55) - 1) : 0;
}

/* Bases are as even as that at least. */
#define EVEN (1 << 19)

/* Two pages of ours, and the kernel's view of them. */
struct known {
	char *page;
	uint64_t frame[2];
	uint64_t theirs[2];	/* struct page */
};

static void look(const struct reader *r, struct known *n, int pipe)
{
	uint64_t size = kernel__size(r->k, "pipe_buffer"), bufs = member(r, private_of(r, pipe), "pipe_inode_info", "bufs");

	for (int i = 0; bufs && i < 2; i++) {
		n->frame[i] = frame_of(n->page + i * sysconf(_SC_PAGESIZE));
		n->theirs[i] = member(r, bufs + i * size, "pipe_buffer", "page");
	}
}

/* Pages that are given to a pipe: it keeps their struct page. */
static struct known make_known(const struct reader *r)
{
	size_t len = 2 * sysconf(_SC_PAGESIZE);
	struct known n = { .page = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) };
	struct iovec v = { .iov_base = n.page, .iov_len = len };
	int fd[2];

	if (n.page == MAP_FAILED)
		return n;
	if (!pipe2(fd, O_CLOEXEC)) {
		if (vmsplice(fd[1], &v, 1, 0) == (ssize_t)len)
			look(r, &n, fd[1]);
		close(fd[0]);
		close(fd[1]);
	}
	munmap(n.page, len);
	return n;
}

/* Both pages must say the same. */
static uint64_t page_array(const struct reader *r, const struct known *n)
{
	uint64_t entry = kernel__size(r->k, "page"), base = n->theirs[0] - n->frame[0] * entry;

	if (!n->frame[0] || !n->frame[1] || !n->theirs[0])
		return 0;
	return base == n->theirs[1] - n->frame[1] * entry && !(base % EVEN) ? base : 0;
}

/* The direct map begins at a multiple of this less than what is in it. */
#define DIRECT_STEP (1ull << 29)
#define DIRECT_STEPS (1 << 15)	/* 16 TB */
#define SLAB_ORDERS 6

/* What of struct page and struct slab, which are one, tells of a slab, and where its cache puts objects. */
struct slabs {
	uint64_t pages;		/* the array */
	int type_at, cache_at, size_at, pad_at;
	uint32_t entry, is_slab;
	long page;
};

static uint32_t load32(const struct reader *r, uint64_t at)
{
	uint32_t v;

	return r->read(r->arg, at, &v, sizeof(v)) ? 0 : v;
}

/* Whether a slab begins at the page that is described AT. */
static bool is_slab(const struct reader *r, const struct slabs *s, uint64_t at)
{
	return load32(r, at + s->type_at) >> 24 == s->is_slab;
}

/* Whether the cache of the slab that is described AT puts an object OFF bytes into it. */
static bool has_object(const struct reader *r, const struct slabs *s, uint64_t at, uint64_t off)
{
	uint64_t cache = load(r, at + s->cache_at);
	uint32_t size = cache ? load32(r, cache + s->size_at) : 0, pad = cache && s->pad_at >= 0 ? load32(r, cache + s->pad_at) : 0;

	return size && off >= pad && !((off - pad) % size);
}

/* Whether OBJECT is one of a slab if the direct map begins at BASE. */
static bool in_slab(const struct reader *r, const struct slabs *s, uint64_t base, uint64_t object)
{
	uint64_t frame = (object - base) / s->page;

	for (int order = 0; order < SLAB_ORDERS; order++) {
		frame &= ~0ull << order;
		if (is_slab(r, s, s->pages + frame * s->entry))
			return has_object(r, s, s->pages + frame * s->entry, object - base - frame * s->page);
	}
	return false;
}

/*
 * Where all memory is mapped: what of us is in slabs must be in slabs there, and at an object's
 * place. At each wrong a few objects in a hundred may happen to be, and six are asked.
 */
static uint64_t direct_map(const struct reader *r, uint64_t pages)
{
	static const char *const kept[] = { "files", "signal", "sighand", "mm", "fs" };
	const struct slabs s = {
		.pages = pages, .page = sysconf(_SC_PAGESIZE),
		.type_at = kernel__offset(r->k, NULL, "page", "page_type"), .cache_at = kernel__offset(r->k, NULL, "slab", "slab_cache"),
		.size_at = kernel__offset(r->k, NULL, "kmem_cache", "size"), .pad_at = kernel__offset(r->k, NULL, "kmem_cache", "red_left_pad"),
		.entry = kernel__size(r->k, "page"), .is_slab = kernel__enum_value(r->k, "PGTY_slab"),
	};
	uint64_t object[sizeof(kept) / sizeof(kept[0]) + 1] = { r->self }, base = r->self & ~(DIRECT_STEP - 1);
	size_t nr = 1;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		object[nr] = member(r, r->self, "task_struct", kept[i]);
		nr += object[nr] != 0;
	}
	if (!pages || !r->self || nr < 4 || s.type_at < 0 || s.cache_at < 0 || s.size_at < 0 || !s.entry || (int)s.is_slab < 0)
		return 0;
	for (int n = 0; n < DIRECT_STEPS; n++, base -= DIRECT_STEP) {
		size_t i = 0;

		while (i < nr && object[i] >= base && in_slab(r, &s, base, object[i]))
			i++;
		if (i == nr)
			return base;
	}
	return 0;
}

/* ---- both ---- */

static uint64_t variable(const struct reader *r, const char *name)
{
	return name ? load(r, kernel__addr(r->k, name, NULL)) : 0;
}

struct kernel_memory kernel__memory(const struct kernel *k, kernel_read_fn read_fn, void *arg, uint64_t self)
{
	const struct reader r = { .k = k, .read = read_fn, .arg = arg, .self = self };
	struct kernel_memory m = { .page_offset = variable(&r, arch.page_offset), .vmemmap = variable(&r, arch.vmemmap) };
	struct known n;

	if (m.page_offset && m.vmemmap)
		return m;
	n = make_known(&r);
	if (!m.vmemmap)
		m.vmemmap = page_array(&r, &n);
	if (!m.page_offset)
		m.page_offset = direct_map(&r, m.vmemmap);
	return m;
}
