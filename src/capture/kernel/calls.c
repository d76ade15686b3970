/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/calls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/arch/arch.h"

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

#define PIECE 4096	/* what is read at a time: no more than a reader can do */

struct scan {
	const struct kernel *k;
	const struct callee *callees;
	uint64_t target[32];
	size_t nr_callees;
	kernel_read_fn read;
	void *arg;
	struct call *found;
	size_t nr;
	uint64_t *done;		/* functions that were searched */
	size_t nr_done;
	int err;
};

/* Padding before a function, at most: x86 has room for a thunk there. */
#define PADDING 64

/*
 * Code in the padding before FUNC leads to it: with retbleed=stuff calls are made to go
 * through there, to be counted (arch/x86/kernel/callthunks.c). It has a name.
 */
static bool is_padding_of(const struct scan *s, uint64_t target, const char *func)
{
	const char *name = kernel__sym(s->k, target, NULL, NULL);

	return name && kernel__is_padding(name) && !strcmp(name + PADDING_MARK_LEN, func);
}

static const struct callee *callee_at(const struct scan *s, uint64_t target)
{
	for (size_t i = 0; i < s->nr_callees; i++) {
		if (!s->target[i] || target > s->target[i] || s->target[i] - target > PADDING)
			continue;
		if (target == s->target[i] || is_padding_of(s, target, s->callees[i].name))
			return &s->callees[i];
	}
	return NULL;
}

/* Through veneers. What has a name is a function. */
static const struct callee *callee_of(const struct scan *s, uint64_t target)
{
	const struct callee *callee = callee_at(s, target);
	unsigned char text[16];
	uint64_t off;

	if (callee || !arch.veneer_len || arch.veneer_len > sizeof(text) || (kernel__sym(s->k, target, &off, NULL) && !off))
		return callee;
	if (s->read(s->arg, target, text, arch.veneer_len) || !arch__veneer(text, target, &target))
		return NULL;
	return callee_at(s, target);
}

const struct callee calls_hidden = { "something", "hidden", 0 };

static void scan_bytes(struct scan *s, const unsigned char *text, size_t len, uint64_t addr)
{
	uint64_t target;

	for (size_t at = 0; arch__next_call(text, len, addr, &at, &target); at++) {
		const struct callee *callee = target == ARCH_HIDDEN ? &calls_hidden : callee_of(s, target);
		struct call *grown;

		if (!callee)
			continue;
		grown = realloc(s->found, (s->nr + 1) * sizeof(*grown));
		if (!grown) {
			s->err = -ENOMEM;
			return;
		}
		s->found = grown;
		grown[s->nr++] = (struct call){ .addr = addr + at, .callee = callee };
	}
}

static void scan_function(void *arg, const char *name, uint64_t addr, uint64_t size)
{
	unsigned char text[PIECE];
	struct scan *s = arg;

	if (kernel__is_padding(name) || s->err)
		return;
	/* Pieces overlap so that no instruction is cut. */
	for (uint64_t at = 0; at < size; at += sizeof(text) - (arch.call_len - 1)) {
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
	[CALLS_OF_FREE] = KIND(free_functions), [CALLS_OF_ALLOC] = KIND(alloc_functions),
	[CALLS_OF_MODULE_GET] = KIND(get_functions), [CALLS_OF_MODULE_PUT] = KIND(put_functions), [CALLS_OF_FD_INSTALL] = KIND(fd_functions),
};

static void scan_begin(struct scan *s, const struct kernel *k, enum calls_of what, kernel_read_fn read_fn, void *arg)
{
	*s = (struct scan){ .k = k, .read = read_fn, .arg = arg, .callees = kinds[what].callees, .nr_callees = kinds[what].nr };
	for (size_t i = 0; i < s->nr_callees; i++)
		s->target[i] = kernel__addr(k, s->callees[i].name, "vmlinux");
}

static int scan_end(struct scan *s, struct call **out)
{
	*out = NULL;
	free(s->done);
	if (s->err) {
		free(s->found);
		return s->err;
	}
	*out = s->found;
	return s->nr;
}

int calls__in_module(const struct kernel *k, const char *module, enum calls_of what,
		     kernel_read_fn read_fn, void *arg, struct call **out)
{
	struct scan s;

	scan_begin(&s, k, what, read_fn, arg);
	kernel__each_text(k, module, scan_function, &s);
	return scan_end(&s, out);
}

/* ---- functions, with what the compiler cut out of them ---- */

static void scan_whole(struct scan *s, const char *name, uint64_t addr);

#define REACH (32 << 20)	/* text is not larger */

/* NAME.cold, NAME.part.0: what a part is called, whatever was cut out of that. */
static bool is_part(const char *part, const char *name)
{
	size_t len = strcspn(name, ".");

	return !strncmp(part, name, len) && part[len] == '.';
}

/* Code that the function leads to. */
static void led_to(struct scan *s, const char *name, uint64_t from, uint64_t target)
{
	const char *there;
	uint64_t off;

	if (target - from + REACH > 2 * REACH)
		return;
	there = kernel__sym(s->k, target, &off, NULL);
	if (there && is_part(there, name))
		scan_whole(s, there, target - off);
}

/* A part is reached by a call or a jump; a jump of any kind has the other's address, as far as it goes, or is one of the calls. */
static void scan_parts(struct scan *s, const char *name, uint64_t addr, uint64_t size)
{
	unsigned char text[PIECE];
	uint64_t target;

	for (uint64_t at = 0; at < size; at += sizeof(text) - (arch.call_len - 1)) {
		size_t len = size - at < sizeof(text) ? size - at : sizeof(text);

		if (s->read(s->arg, addr + at, text, len))
			return;
		for (size_t i = 0; arch__next_call(text, len, addr + at, &i, &target); i++)
			if (target - addr >= size)
				led_to(s, name, addr, target);
		for (size_t n = 0; arch__next_address(text, len, addr + at, &n, &target); n++)
			if (target - addr >= size)
				led_to(s, name, addr, target);
	}
}

/* Once: parts lead back to where they were cut out. */
static bool is_new(struct scan *s, uint64_t addr)
{
	uint64_t *grown;

	for (size_t i = 0; i < s->nr_done; i++)
		if (s->done[i] == addr)
			return false;
	grown = realloc(s->done, (s->nr_done + 1) * sizeof(*grown));
	if (!grown) {
		s->err = -ENOMEM;
		return false;
	}
	s->done = grown;
	grown[s->nr_done++] = addr;
	return true;
}

static void scan_whole(struct scan *s, const char *name, uint64_t addr)
{
	uint64_t size = kernel__sym_size(s->k, addr);

	if (s->err || !is_new(s, addr))
		return;
	scan_function(s, name, addr, size);
	scan_parts(s, name, addr, size);
}

/* Of some functions there is nothing but a part. */
static void scan_named(struct scan *s, const char *name)
{
	static const char *const alone[] = { "", ".isra.0", ".constprop.0", ".part.0" };

	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
		char full[128];
		uint64_t addr;

		snprintf(full, sizeof(full), "%s%s", name, alone[i]);
		addr = kernel__addr(s->k, full, "vmlinux");
		if (addr)
			scan_whole(s, full, addr);
	}
}

int calls__in_functions(const struct kernel *k, const char *const *names, enum calls_of what,
			kernel_read_fn read_fn, void *arg, struct call **out)
{
	struct scan s;

	scan_begin(&s, k, what, read_fn, arg);
	for (; *names; names++)
		scan_named(&s, *names);
	return scan_end(&s, out);
}

/* ---- a module that is built in ---- */

#define STRANGERS 4	/* functions by other names that may stand in between */

static uint64_t behind(const struct kernel *k, uint64_t addr)
{
	return addr + kernel__sym_size(k, addr);
}

static uint64_t before(const struct kernel *k, uint64_t addr)
{
	uint64_t off = 0;

	return kernel__sym(k, addr - 1, &off, NULL) ? addr - 1 - off : addr;
}

static void scan_from(struct scan *s, uint64_t addr, bool (*ours)(const char *name), uint64_t (*next)(const struct kernel *k, uint64_t addr))
{
	uint64_t last = 0;

	for (int strangers = 0; addr != last && strangers <= STRANGERS; addr = next(s->k, addr)) {
		const char *name = kernel__sym(s->k, addr, NULL, NULL);

		last = addr;
		if (!name || kernel__is_padding(name))
			continue;
		strangers = ours(name) ? 0 : strangers + 1;
		if (!strangers)
			scan_whole(s, name, addr);
	}
}

int calls__around(const struct kernel *k, const char *func, bool (*ours)(const char *name), enum calls_of what,
		  kernel_read_fn read_fn, void *arg, struct call **out)
{
	uint64_t addr = kernel__addr(k, func, "vmlinux");
	struct scan s;

	scan_begin(&s, k, what, read_fn, arg);
	if (addr) {
		scan_from(&s, addr, ours, behind);
		scan_from(&s, addr, ours, before);
	}
	return scan_end(&s, out);
}

/* In the functions that stand at ADDR. Where the symbols have none it is not known how far there is one. */
int calls__at(const struct kernel *k, const uint64_t *addr, size_t nr, enum calls_of what,
	      kernel_read_fn read_fn, void *arg, struct call **out)
{
	struct scan s;

	scan_begin(&s, k, what, read_fn, arg);
	for (size_t i = 0; i < nr; i++) {
		uint64_t off = 0;
		const char *name = kernel__sym(k, addr[i], &off, NULL);

		if (name && !off)
			scan_whole(&s, name, addr[i]);
		else if (!s.err)
			s.err = -ENOENT;
	}
	return scan_end(&s, out);
}

int calls__find_result(const struct kernel *k, struct call *c, kernel_read_fn read_fn, void *arg)
{
	uint64_t off = 0, size;
	unsigned char *text;
	struct arch_result r;
	int err = -ENOENT;

	if (!kernel__sym(k, c->addr, &off, NULL))
		return err;
	size = kernel__sym_size(k, c->addr - off);
	if (off >= size)
		return err;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	for (uint64_t at = 0; at < size; at += PIECE) {
		err = read_fn(arg, c->addr - off + at, text + at, size - at < PIECE ? size - at : PIECE);
		if (err)
			break;
	}
	if (!err)
		err = arch__result_place(text, size, off, &r);
	if (!err) {
		c->result = c->addr - off + r.at;
		c->joined = r.joined;
	}
	free(text);
	return err;
}
