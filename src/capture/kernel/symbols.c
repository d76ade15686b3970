/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's symbols: asked for one by one (ksyms.h), and what was told is
 * kept. All of them are read (table.c) where the kernel does not answer, and for
 * the rare question that needs it.
 */
#include "capture/kernel/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/kernel/sections.h"

/* To those who ask the kernel does not change when an answer is kept. */
static struct kernel *keeper(const struct kernel *k)
{
	return (struct kernel *)k;
}

static bool by_table(const struct kernel *k)
{
	return !k->asks || k->nr_syms;
}

static void read_table(const struct kernel *k)
{
	if (!k->nr_syms)
		table__read(keeper(k));
}

void kernel__drop_symbols(struct kernel *k)
{
	for (size_t i = 0; i < k->nr_names_asked; i++)
		free(k->names_asked[i].name);
	for (size_t i = 0; i < k->nr_places; i++)
		free(k->places[i]);
	free(k->names_asked);
	free(k->places);
	nametab__clear(&k->asked);
	k->names_asked = NULL;
	k->places = NULL;
	k->nr_names_asked = k->nr_places = 0;
	table__drop(k);
}

static const char *name_asked(const void *kernel, uint32_t i)
{
	return ((const struct kernel *)kernel)->names_asked[i].name;
}

static struct names names(const struct kernel *k)
{
	return (struct names){ name_asked, k };
}

int kernel__refresh(struct kernel *k)
{
	bool table = by_table(k);
	int err;

	kernel__drop_symbols(k);
	if (table)
		return table__read(k);
	err = ksyms__addr(&k->ksyms, "_stext", &k->near);
	if (err == -EPERM)
		return err;
	/* A kernel that answers has that. */
	if (!err && k->near && nametab__reserve(&k->asked, names(k), 512) == 0)
		return 0;
	k->asks = false;
	return table__read(k);
}

/* ---- by name ---- */

static uint64_t ask_addr(struct kernel *k, const char *key)
{
	struct asked_name *grown = realloc(k->names_asked, (k->nr_names_asked + 1) * sizeof(*grown)), *n;

	if (!grown)
		return 0;
	k->names_asked = grown;
	n = &grown[k->nr_names_asked];
	*n = (struct asked_name){ .name = strdup(key) };
	if (!n->name)
		return 0;
	if (nametab__add(&k->asked, names(k), k->nr_names_asked)) {
		free(n->name);
		return 0;
	}
	k->nr_names_asked++;
	ksyms__addr(&k->ksyms, key, &n->addr);
	return n->addr;
}

static uint64_t addr_of(const struct kernel *k, const char *key)
{
	size_t at = SIZE_MAX;
	uint32_t i;

	if (nametab__next(&k->asked, names(k), key, &at, &i))
		return k->names_asked[i].addr;
	return ask_addr(keeper(k), key);
}

uint64_t kernel__addr(const struct kernel *k, const char *name, const char *module)
{
	const char *where = "";
	char key[192];
	uint64_t addr;

	if (by_table(k))
		return table__addr(k, name, module);
	if (!module || !strcmp(module, "vmlinux")) {
		addr = addr_of(k, name);
		/* A module's is found where vmlinux has none. */
		if (addr && module && (!kernel__sym(k, addr, NULL, &where) || *where))
			return 0;
		return addr;
	}
	snprintf(key, sizeof(key), "%s:%s", module, name);
	return addr_of(k, key);
}

bool kernel__global(const struct kernel *k, const char *func, const char *module)
{
	read_table(k);
	return table__global(k, func, module);
}

/* ---- by address ---- */

/* Index of the first place behind ADDR. */
static size_t place_behind(const struct kernel *k, uint64_t addr)
{
	size_t lo = 0, hi = k->nr_places;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (k->places[mid]->addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct place *new_place(const struct ksym *s)
{
	size_t name = strlen(s->name) + 1, module = strlen(s->module) + 1;
	struct place *p = malloc(sizeof(*p) + name + module);

	if (!p)
		return NULL;
	p->addr = s->addr;
	p->size = s->size;
	p->module = memcpy(p->name + name, s->module, module);
	memcpy(p->name, s->name, name);
	return p;
}

static const struct place *ask_place(struct kernel *k, uint64_t addr)
{
	struct place **grown = realloc(k->places, (k->nr_places + 1) * sizeof(*grown)), *p;
	struct ksym s;
	size_t at;

	if (!grown)
		return NULL;
	k->places = grown;
	if (!ksyms__at(&k->ksyms, addr, &s))
		s = (struct ksym){ .addr = addr, .size = 1 };
	p = new_place(&s);
	if (!p)
		return NULL;
	at = place_behind(k, p->addr);
	memmove(grown + at + 1, grown + at, (k->nr_places - at) * sizeof(*grown));
	grown[at] = p;
	k->nr_places++;
	return p;
}

#define FAR (1ull << 31)	/* the kernel and its modules reach each other by a call or a relative address */

/* What covers ADDR, NULL = nothing. */
static const struct place *place(const struct kernel *k, uint64_t addr)
{
	size_t at = place_behind(k, addr);
	const struct place *p = at ? k->places[at - 1] : NULL;

	/* Beyond the last address is user space. */
	if ((int64_t)addr >= 0 || addr - k->near + FAR > 2 * FAR)
		return NULL;
	if (!p || addr - p->addr >= p->size)
		p = ask_place(keeper(k), addr);
	return p && *p->name ? p : NULL;
}

uint64_t kernel__sym_size(const struct kernel *k, uint64_t addr)
{
	const struct place *p;

	if (by_table(k))
		return table__sym_size(k, addr);
	p = place(k, addr);
	if (!p || p->size - (addr - p->addr) >= FUNCTION_MAX)
		return 0;
	return p->size - (addr - p->addr);
}

const char *kernel__sym(const struct kernel *k, uint64_t addr, uint64_t *off, const char **module)
{
	const struct place *p;

	if (by_table(k))
		return table__sym(k, addr, off, module);
	p = place(k, addr);
	if (p && off)
		*off = addr - p->addr;
	if (p && module)
		*module = p->module;
	return p ? p->name : NULL;
}

const char *kernel__sym_at(const struct kernel *k, uint64_t addr, size_t n, const char **module)
{
	const char *name;
	uint64_t off;

	/* The kernel tells one of those that stand there. */
	if (n)
		read_table(k);
	if (by_table(k))
		return table__sym_at(k, addr, n, module);
	name = kernel__sym(k, addr, &off, module);
	return name && !off ? name : NULL;
}

void kernel__site(const struct kernel *k, uint64_t addr, char *buf, size_t len)
{
	const char *module;
	uint64_t off;
	const char *name = kernel__sym(k, addr, &off, &module);

	if (!name)
		snprintf(buf, len, "?");
	else
		snprintf(buf, len, "%s+0x%llx%s%s%s", name, (unsigned long long)off,
			 *module ? " [" : "", module, *module ? "]" : "");
}

/* ---- a module ---- */

static bool is_in(const struct place *p, const char *module)
{
	return p && !strcmp(p->module, module);
}

/* Its text is one piece, and each symbol reaches to the next: where the one at ADDR begins, 0 = it is not the module's. */
static uint64_t first_from(const struct kernel *k, const char *module, uint64_t addr)
{
	const struct place *p = place(k, addr);
	uint64_t first = 0;

	for (; is_in(p, module) && p->addr != first; p = place(k, first - 1))
		first = p->addr;
	return first;
}

/* A function of it that stays, behind which others are. */
static uint64_t any_text(const struct kernel *k, const char *module, const struct sections *s)
{
	const struct btf *btf = kernel__module_btf(keeper(k), module);
	uint64_t addr = 0;
	const char *name;

	for (uint32_t id = 0; btf && !addr && (name = kernel__next_func(k, btf, &id));) {
		addr = kernel__addr(k, name, module);
		if (sections__in_init(s, addr))
			addr = 0;
	}
	return addr;
}

/* Text of a module that is still coming up is partly its init's, which is freed, and others may come to stand there. */
struct that_stays {
	struct sections sections;
	void (*fn)(void *arg, const char *name, uint64_t addr, uint64_t size);
	void *arg;
};

static void unless_init(void *stays, const char *name, uint64_t addr, uint64_t size)
{
	const struct that_stays *t = stays;

	if (!sections__in_init(&t->sections, addr))
		t->fn(t->arg, name, addr, size);
}

static void ask_each_text(const struct kernel *k, const char *module, struct that_stays *t)
{
	uint64_t at = first_from(k, module, any_text(k, module, &t->sections));
	const struct place *p;

	for (p = at ? place(k, at) : NULL; is_in(p, module); p = place(k, p->addr + p->size))
		unless_init(t, p->name, p->addr, p->size < FUNCTION_MAX ? p->size : 0);
}

void kernel__each_text(const struct kernel *k, const char *module,
		       void (*fn)(void *arg, const char *name, uint64_t addr, uint64_t size), void *arg)
{
	struct that_stays t = { .fn = fn, .arg = arg };
	char dir[128];

	snprintf(dir, sizeof(dir), "/sys/module/%s/sections", module);
	if (sections__read(&t.sections, dir))
		return;
	if (by_table(k))
		table__each_text(k, module, unless_init, &t);
	else
		ask_each_text(k, module, &t);
	sections__free(&t.sections);
}

bool kernel__is_coming(const char *module)
{
	char dir[128];

	snprintf(dir, sizeof(dir), "/sys/module/%s", module);
	return sections__is_coming(dir);
}
