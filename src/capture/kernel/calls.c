/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/calls.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/arch/arch.h"
#include "capture/kernel/kernel.h"
#include "vfiotrace/wire.h"

/* Legal pairs of families: kernel-facts of mm/slab_common.c and mm/util.c; kvfree() takes kmalloc and vmalloc memory. */
static const struct callee free_functions[] = {
	{ "kfree", "kmalloc", 0 },
	{ "kfree_sensitive", "kmalloc", 0 },
	{ "kvfree", "kvmalloc", 0 },
	{ "kvfree_sensitive", "kvmalloc", 0 },
	{ "vfree", "vmalloc", 0 },
	{ "kmem_cache_free", "kmem_cache", 1 },
	{ "kvfree_call_rcu", "rcu", 1 },
	{ "kfree_call_rcu", "rcu", 1 },
	{ "kho_unpreserve_free", "kho", 0 },
	{ "kho_restore_free", "kho", 0 },
};

/* Names since 6.10 (memory allocation profiling) and before. */
static const struct callee alloc_functions[] = {
	{ "__kmalloc_cache_noprof", "kmalloc", 0 }, { "__kmalloc_noprof", "kmalloc", 0 },
	{ "__kmalloc_cache_node_noprof", "kmalloc", 0 }, { "__kmalloc_node_noprof", "kmalloc", 0 },
	{ "kmalloc_trace", "kmalloc", 0 }, { "__kmalloc", "kmalloc", 0 },
	{ "__kvmalloc_node_noprof", "kvmalloc", 0 }, { "kvmalloc_node", "kvmalloc", 0 },
	{ "vmalloc_noprof", "vmalloc", 0 }, { "vzalloc_noprof", "vmalloc", 0 }, { "vzalloc", "vmalloc", 0 },
	{ "__vcalloc_noprof", "vmalloc", 0 }, { "vcalloc_noprof", "vmalloc", 0 }, { "__vmalloc_array_noprof", "vmalloc", 0 }, { "vcalloc", "vmalloc", 0 },
	{ "kho_alloc_preserve", "kho", 0 }, { "kho_restore_vmalloc", "vmalloc", 0 },
	{ "kmem_cache_alloc_noprof", "kmem_cache", 0 }, { "kmem_cache_alloc", "kmem_cache", 0 },
};

struct scan {
	const struct kernel *k;
	const struct callee *callees;
	uint64_t target[32];
	size_t nr_callees;
	sites_read_fn read;
	void *arg;
	struct found_site *found;
	size_t nr;
	int err;
};

static const struct callee *callee_at(const struct scan *s, uint64_t target)
{
	for (size_t i = 0; i < s->nr_callees; i++)
		if (s->target[i] && s->target[i] == target)
			return &s->callees[i];
	return NULL;
}

static void scan_bytes(struct scan *s, const unsigned char *text, size_t len, uint64_t addr)
{
	for (size_t i = 0; i + 5 <= len; i++) {
		const struct callee *c;
		struct found_site *grown;
		int32_t rel;

		/* Someone else's kprobe (another recorder's) puts an int3 on the first byte; the displacement stays. */
		if (text[i] != 0xe8 && text[i] != 0xe9 && text[i] != 0xcc)
			continue;
		memcpy(&rel, text + i + 1, sizeof(rel));
		c = callee_at(s, addr + i + 5 + (int64_t)rel);
		if (!c)
			continue;
		grown = realloc(s->found, (s->nr + 1) * sizeof(*grown));
		if (!grown) {
			s->err = -ENOMEM;
			return;
		}
		s->found = grown;
		grown[s->nr++] = (struct found_site){ .addr = addr + i, .callee = c };
	}
}

static void scan_function(void *arg, const char *name, uint64_t addr, uint64_t size)
{
	unsigned char text[4096];
	struct scan *s = arg;

	/* __pfx_ padding and .init text that is gone are not code. */
	if (!strncmp(name, "__pfx_", 6) || s->err)
		return;
	/* Pieces overlap by 4 bytes so that no instruction is cut. */
	for (uint64_t at = 0; at < size; at += sizeof(text) - 4) {
		size_t len = size - at < sizeof(text) ? size - at : sizeof(text);

		if (s->read(s->arg, addr + at, text, len))
			return;
		scan_bytes(s, text, len, addr + at);
	}
}

#define KIND(table) { table, sizeof(table) / sizeof(table[0]) }
static const struct callee get_functions[] = { { "try_module_get", "", 0 }, { "__module_get", "", 0 } };
static const struct callee put_functions[] = { { "module_put", "", 0 } };
static const struct callee fd_functions[] = { { "fd_install", "", 0 } };
_Static_assert(sizeof(alloc_functions) / sizeof(alloc_functions[0]) <= 32, "struct scan has room for so many targets");
static const struct { const struct callee *callees; size_t nr; } kinds[] = {
	[SITES_FREE] = KIND(free_functions), [SITES_ALLOC] = KIND(alloc_functions),
	[SITES_MODULE_GET] = KIND(get_functions), [SITES_MODULE_PUT] = KIND(put_functions), [SITES_FD_INSTALL] = KIND(fd_functions),
};

static int scan_begin(struct scan *s, const struct kernel *k, enum sites_kind kind, sites_read_fn read_fn, void *arg)
{
	*s = (struct scan){ .k = k, .read = read_fn, .arg = arg, .callees = kinds[kind].callees, .nr_callees = kinds[kind].nr };
#ifndef __x86_64__
	return -EOPNOTSUPP;
#endif
	for (size_t i = 0; i < s->nr_callees; i++)
		s->target[i] = kernel__addr(k, s->callees[i].name, "vmlinux");
	return 0;
}

static int scan_end(struct scan *s, struct found_site **out)
{
	*out = NULL;
	if (s->err) {
		free(s->found);
		return s->err;
	}
	*out = s->found;
	return s->nr;
}

int sites__scan(const struct kernel *k, const char *module, enum sites_kind kind,
		sites_read_fn read_fn, void *arg, struct found_site **out)
{
	struct scan s;

	s.err = scan_begin(&s, k, kind, read_fn, arg);
	if (!s.err)
		kernel__each_text(k, module, scan_function, &s);
	return scan_end(&s, out);
}

/* A function and the parts of it that the compiler moved elsewhere. */
static void scan_named(struct scan *s, const char *name)
{
	static const char *const suffix[] = { "", ".cold", ".isra.0", ".part.0", ".constprop.0" };
	char full[96];

	for (size_t i = 0; i < sizeof(suffix) / sizeof(suffix[0]); i++) {
		uint64_t addr;

		snprintf(full, sizeof(full), "%s%s", name, suffix[i]);
		addr = kernel__addr(s->k, full, "vmlinux");
		if (addr)
			scan_function(s, full, addr, kernel__sym_size(s->k, addr));
	}
}

int sites__scan_functions(const struct kernel *k, const char *const *names, enum sites_kind kind,
			  sites_read_fn read_fn, void *arg, struct found_site **out)
{
	struct scan s;

	s.err = scan_begin(&s, k, kind, read_fn, arg);
	for (; !s.err && *names; names++)
		scan_named(&s, *names);
	return scan_end(&s, out);
}

int sites__scan_at(const struct kernel *k, const uint64_t *addr, size_t nr, enum sites_kind kind,
		   sites_read_fn read_fn, void *arg, struct found_site **out)
{
	struct scan s;

	s.err = scan_begin(&s, k, kind, read_fn, arg);
	for (size_t i = 0; !s.err && i < nr; i++)
		scan_function(&s, "", addr[i], kernel__sym_size(k, addr[i]));
	return scan_end(&s, out);
}

int sites__find_result(const struct kernel *k, struct found_site *f, sites_read_fn read_fn, void *arg)
{
	uint64_t off = 0, size;
	unsigned char *text;
	struct behind b;
	int err = -ENOENT;

	if (!kernel__sym(k, f->addr, &off, NULL))
		return err;
	size = kernel__sym_size(k, f->addr - off);
	if (off >= size)
		return err;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	for (uint64_t at = 0; at < size; at += VT_PEEK_MAX) {
		err = read_fn(arg, f->addr - off + at, text + at, size - at < VT_PEEK_MAX ? size - at : VT_PEEK_MAX);
		if (err)
			break;
	}
	if (!err)
		err = behind__place(text, size, off, &b);
	if (!err) {
		f->result = f->addr - off + b.at;
		f->joined = b.joined;
	}
	free(text);
	return err;
}

static int kprobe_pmu_type(void)
{
	FILE *f = fopen("/sys/bus/event_source/devices/kprobe/type", "re");
	int type = -ENOENT;

	if (!f)
		return -ENOENT;
	if (fscanf(f, "%d", &type) != 1)
		type = -ENOENT;
	fclose(f);
	return type;
}

int sites__attach(int prog_fd, uint64_t addr, uint64_t cookie, bool on_return)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .perf_event.bpf_cookie = cookie);
	struct perf_event_attr attr = { .size = sizeof(attr) };
	int type = kprobe_pmu_type(), pfd, link;

	if (type < 0)
		return type;
	attr.type = type;
	attr.config = on_return;	/* /sys/bus/event_source/devices/kprobe/format/retprobe */
	attr.config1 = 0;	/* no symbol: several modules may have one of the same name */
	attr.config2 = addr;
	pfd = syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (pfd < 0)
		return -errno;
	link = bpf_link_create(prog_fd, pfd, BPF_PERF_EVENT, &opts);
	if (link < 0) {
		link = -errno;
		close(pfd);
	}
	/* The link holds the event. */
	return link;
}
