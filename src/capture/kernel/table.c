/* SPDX-License-Identifier: GPL-2.0 */
/* All symbols of the kernel, as /proc/kallsyms lists them. */
#include "capture/kernel/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lto.h"
#include "capture/kernel/slurp.h"

static uint16_t module_index(struct kernel *k, const char *name, size_t len)
{
	char (*grown)[64];

	/* kallsyms lists a module's symbols together: the last one is the likely one. */
	for (size_t i = k->nr_modules; i-- > 0;)
		if (!strncmp(k->modules[i], name, len) && !k->modules[i][len])
			return i;
	grown = realloc(k->modules, (k->nr_modules + 1) * sizeof(*k->modules));
	if (!grown || len >= sizeof(*k->modules))
		return 0;
	k->modules = grown;
	memcpy(k->modules[k->nr_modules], name, len);
	k->modules[k->nr_modules][len] = 0;
	return k->nr_modules++;
}

static int by_addr(const void *a, const void *b)
{
	const struct sym *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* The digits of an address; *END is where they end. By a table, as there are sixteen for each symbol. */
static uint64_t parse_hex(const char *at, const char **end)
{
	static const unsigned char one_more[256] = {
		['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
		['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	};
	uint64_t v = 0;
	unsigned int digit;

	for (; (digit = one_more[(unsigned char)*at]); at++)
		v = v << 4 | (digit - 1);
	*end = at;
	return v;
}

/* A function's name is the one in the source. Who calls it from another file goes by the ABI. */
static bool drop_suffix(char *name)
{
	size_t len = lto_name_len(name);
	bool dropped = name[len];

	name[len] = 0;
	return dropped;
}

/* "ffffffff81000000 T name\t[module]", from LINE to where END stands, which becomes the end of a string. */
static int parse_line(struct kernel *k, char *line, char *end, struct sym *s)
{
	const char *digits;
	char *name, *mod;

	s->addr = parse_hex(line, &digits);
	if (digits == line || end - digits < 3 || digits[0] != ' ' || digits[2] != ' ')
		return -EINVAL;
	name = line + (digits - line) + 3;
	s->type = digits[1];
	s->name = name - k->names;
	s->module = 0;
	*end = 0;
	mod = memchr(name, '\t', end - name);
	if (mod)
		*mod++ = 0;
	if (mod && *mod == '[' && end[-1] == ']')
		s->module = module_index(k, mod + 1, end - mod - 2);
	s->promoted = drop_suffix(name);
	return 0;
}

void table__drop(struct kernel *k)
{
	free(k->syms);
	nametab__clear(&k->by_name);
	free(k->names);
	free(k->modules);
	k->syms = NULL;
	k->names = NULL;
	k->modules = NULL;
	k->nr_syms = k->nr_modules = 0;
}

static int parse_symbols(struct kernel *k, size_t len)
{
	char *text = k->names, *stop = text + len, *end;
	size_t cap = 0;

	for (char *line = text; line < stop; line = end + 1) {
		end = memchr(line, '\n', stop - line);
		if (!end)
			end = stop;
		if (k->nr_syms == cap) {
			struct sym *grown;

			cap = cap ? 2 * cap : 1 << 16;
			grown = realloc(k->syms, cap * sizeof(*k->syms));
			if (!grown)
				return -ENOMEM;
			k->syms = grown;
		}
		k->nr_syms += !parse_line(k, line, end, &k->syms[k->nr_syms]);
	}
	return 0;
}

static bool is_text(const struct sym *s)
{
	return s->type == 't' || s->type == 'T';
}

static const char *sym_name(const void *kernel, uint32_t i)
{
	const struct kernel *k = kernel;

	return k->names + k->syms[i].name;
}

static struct names names(const struct kernel *k)
{
	return (struct names){ sym_name, k };
}

static int index_symbols(struct kernel *k)
{
	int err = nametab__reserve(&k->by_name, names(k), k->nr_syms);

	for (size_t i = 0; !err && i < k->nr_syms; i++) {
		if (!kernel__is_padding(sym_name(k, i)))
			err = nametab__add(&k->by_name, names(k), i);
	}
	return err;
}

/* The kernel lists vmlinux in order of address, then, higher up, module by module: these are sorted, or else all. */
static void sort_symbols(struct kernel *k)
{
	size_t done = 1;

	while (done < k->nr_syms && k->syms[done - 1].addr <= k->syms[done].addr)
		done++;
	if (done >= k->nr_syms)
		return;
	qsort(k->syms + done, k->nr_syms - done, sizeof(*k->syms), by_addr);
	if (k->syms[done].addr < k->syms[done - 1].addr)
		qsort(k->syms, k->nr_syms, sizeof(*k->syms), by_addr);
}

int table__read(struct kernel *k)
{
	size_t len = 0;
	int err;

	table__drop(k);
	err = slurp__file("/proc/kallsyms", &k->names, &len);
	if (err)
		return err;
	module_index(k, "", 0);
	err = parse_symbols(k, len);
	if (err)
		return err;
	sort_symbols(k);
	err = index_symbols(k);
	if (err)
		return err;
	/* Without CAP_SYSLOG every address reads as zero. */
	if (!k->nr_syms || !k->syms[k->nr_syms - 1].addr)
		return -EPERM;
	return 0;
}

/* Of several that were promoted none is the one that is meant, if no other has the name. */
static const struct sym *find_sym(const struct kernel *k, const char *name, const char *module)
{
	const struct sym *promoted = NULL;
	size_t at = SIZE_MAX, nr = 0;
	uint32_t i;

	while (nametab__next(&k->by_name, names(k), name, &at, &i)) {
		const struct sym *s = &k->syms[i];

		if (module && strcmp(k->modules[s->module], strcmp(module, "vmlinux") ? module : ""))
			continue;
		if (!s->promoted)
			return s;
		promoted = s;
		nr++;
	}
	return nr == 1 ? promoted : NULL;
}

uint64_t table__addr(const struct kernel *k, const char *name, const char *module)
{
	const struct sym *s = find_sym(k, name, module);

	return s ? s->addr : 0;
}

bool table__global(const struct kernel *k, const char *func, const char *module)
{
	const struct sym *s = find_sym(k, func, module);

	return s && (s->type == 'T' || s->type == 'W' || (s->promoted && is_text(s)));
}

/* Index of the last symbol at or below ADDR, -1 when there is none. */
static ssize_t sym_at(const struct kernel *k, uint64_t addr)
{
	size_t lo = 0, hi = k->nr_syms;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (k->syms[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (ssize_t)lo - 1;
}

uint64_t table__sym_size(const struct kernel *k, uint64_t addr)
{
	ssize_t i = sym_at(k, addr);

	if (i < 0)
		return 0;
	for (size_t j = i + 1; j < k->nr_syms; j++)
		if (k->syms[j].addr > addr)
			return k->syms[j].addr - addr < FUNCTION_MAX ? k->syms[j].addr - addr : 0;
	return 0;
}

/* Behind a module's last symbol lies what is no part of it, BPF trampolines for instance. */
static bool ends_module(const struct kernel *k, size_t i)
{
	return k->syms[i].module && (i + 1 == k->nr_syms || k->syms[i + 1].module != k->syms[i].module);
}

const char *table__sym(const struct kernel *k, uint64_t addr, uint64_t *off, const char **module)
{
	ssize_t i = sym_at(k, addr);

	if (i < 0 || !k->syms[i].addr)
		return NULL;
	/* Several names may share an address: the first in kallsyms' order of type is as good as any, but skip markers. */
	while (i > 0 && k->syms[i - 1].addr == k->syms[i].addr && kernel__is_padding(sym_name(k, i)))
		i--;
	if (addr - k->syms[i].addr > (ends_module(k, i) ? 1 << 12 : 1 << 20))
		return NULL;
	if (off)
		*off = addr - k->syms[i].addr;
	if (module)
		*module = k->modules[k->syms[i].module];
	return sym_name(k, i);
}

const char *table__sym_at(const struct kernel *k, uint64_t addr, size_t n, const char **module)
{
	ssize_t i = sym_at(k, addr);

	if (i < 0 || (size_t)i < n || k->syms[i - n].addr != addr)
		return NULL;
	*module = k->modules[k->syms[i - n].module];
	return sym_name(k, i - n);
}

void table__each_text(const struct kernel *k, const char *module,
		       void (*fn)(void *arg, const char *name, uint64_t addr, uint64_t size), void *arg)
{
	for (size_t i = 0; i < k->nr_syms; i++) {
		const struct sym *s = &k->syms[i];

		if (!is_text(s) || strcmp(k->modules[s->module], module))
			continue;
		fn(arg, sym_name(k, i), s->addr, table__sym_size(k, s->addr));
	}
}
