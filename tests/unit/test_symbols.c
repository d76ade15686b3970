// SPDX-License-Identifier: GPL-2.0
/* Symbols asked for one by one, of a kernel that the test tells; and when all of them are read after all. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/kernel/private.h"
#include "capture/kernel/sections.h"

#define TEXT 0xffffffff81000000ull
#define MODULE 0xffffffffa0000000ull

static const struct ksym symbols[] = {
	{ TEXT, 0x40, "_stext", "" }, { TEXT + 0x40, 0x20, "luo_preserve_file", "" },
	{ MODULE - 0x40, 0x40, "vfio_init", "vfio" },
	{ MODULE, 0x10, "__pfx_vfio_open", "vfio" }, { MODULE + 0x10, 0x30, "vfio_open", "vfio" }, { MODULE + 0x40, 0x100000, "vfio_last", "vfio" },
	{ MODULE + 0x200000, 0x40, "other", "other" },
	{ MODULE + 0x300000, 0x40, "vfio_setup", "vfio" },
};
#define NR (sizeof(symbols) / sizeof(symbols[0]))
static int asked, tables_read, answers;

int ksyms__addr(const struct ksyms *s, const char *name, uint64_t *addr)
{
	const char *colon = strchr(name, ':');

	asked++;
	*addr = 0;
	for (size_t i = 0; i < NR; i++)
		if (!strcmp(symbols[i].name, colon ? colon + 1 : name) && (!colon || !strncmp(symbols[i].module, name, colon - name)))
			*addr = symbols[i].addr;
	return answers;
}

bool ksyms__at(const struct ksyms *s, uint64_t addr, struct ksym *out)
{
	asked++;
	for (size_t i = 0; i < NR; i++)
		if (addr - symbols[i].addr < symbols[i].size) {
			*out = symbols[i];
			return true;
		}
	return false;
}

int table__read(struct kernel *k)
{
	tables_read++;
	k->nr_syms = 1;
	return 0;
}

void table__drop(struct kernel *k)
{
	k->nr_syms = 0;
}

uint64_t table__addr(const struct kernel *k, const char *name, const char *module)
{
	return 1;
}

bool table__global(const struct kernel *k, const char *func, const char *module)
{
	return true;
}

uint64_t table__sym_size(const struct kernel *k, uint64_t addr)
{
	return 1;
}

const char *table__sym(const struct kernel *k, uint64_t addr, uint64_t *off, const char **module)
{
	return "table";
}

const char *table__sym_at(const struct kernel *k, uint64_t addr, size_t n, const char **module)
{
	return "alias";
}

void table__each_text(const struct kernel *k, const char *module, void (*fn)(void *arg, const char *name, uint64_t addr, uint64_t size), void *arg)
{
}

const struct btf *kernel__module_btf(struct kernel *k, const char *module)
{
	return strcmp(module, "vfio") ? NULL : (const struct btf *)k;
}

const char *kernel__next_func(const struct kernel *k, const struct btf *btf, uint32_t *id)
{
	static const char *const names[] = { "vfio_gone", "vfio_setup", "vfio_open" };

	return *id < 3 ? names[(*id)++] : NULL;
}

/* Of vfio while it comes up: its init lies before the rest, and elsewhere. */
int sections__read(struct sections *s, const char *dir)
{
	s->nr = !strcmp(dir, "/sys/module/vfio/sections");
	return 0;
}

bool sections__in_init(const struct sections *s, uint64_t addr)
{
	return s->nr && (addr - (MODULE - 0x40) < 0x40 || addr - (MODULE + 0x300000) < 0x40);
}

void sections__free(struct sections *s)
{
}

bool sections__is_coming(const char *dir)
{
	return !strcmp(dir, "/sys/module/vfio");
}

static struct kernel begin(void)
{
	struct kernel k = { .asks = true };

	asked = tables_read = answers = 0;
	assert_int_equal(kernel__refresh(&k), 0);
	return k;
}

static void by_name(void **state)
{
	struct kernel k = begin();

	assert_int_equal(kernel__addr(&k, "luo_preserve_file", "vmlinux"), TEXT + 0x40);
	assert_int_equal(kernel__addr(&k, "vfio_open", NULL), MODULE + 0x10);
	assert_int_equal(kernel__addr(&k, "vfio_open", "vfio"), MODULE + 0x10);
	/* It is a module's. */
	assert_int_equal(kernel__addr(&k, "vfio_open", "vmlinux"), 0);
	assert_int_equal(kernel__addr(&k, "vfio_open", "other"), 0);
	asked = 0;
	assert_int_equal(kernel__addr(&k, "luo_preserve_file", "vmlinux"), TEXT + 0x40);
	assert_int_equal(kernel__addr(&k, "vfio_open", "other"), 0);
	assert_int_equal(asked, 0);
	assert_int_equal(tables_read, 0);
	kernel__drop_symbols(&k);
}

static void by_address(void **state)
{
	struct kernel k = begin();
	const char *module;
	char where[64];
	uint64_t off;

	assert_string_equal(kernel__sym(&k, TEXT + 0x48, &off, &module), "luo_preserve_file");
	assert_int_equal(off, 8);
	assert_string_equal(module, "");
	assert_int_equal(kernel__sym_size(&k, TEXT + 0x40), 0x20);
	kernel__site(&k, MODULE + 0x1c, where, sizeof(where));
	assert_string_equal(where, "vfio_open+0xc [vfio]");
	/* Longer than any function. */
	assert_int_equal(kernel__sym_size(&k, MODULE + 0x40), 0);
	assert_null(kernel__sym(&k, TEXT + 0x1000, &off, &module));
	asked = 0;
	assert_string_equal(kernel__sym(&k, TEXT + 0x41, NULL, NULL), "luo_preserve_file");
	assert_null(kernel__sym(&k, TEXT + 0x1000, &off, &module));
	/* Memory, not the kernel's own. */
	assert_null(kernel__sym(&k, 0xffff888012345678ull, &off, &module));
	assert_null(kernel__sym(&k, 0, &off, &module));
	assert_int_equal(asked, 0);
	kernel__drop_symbols(&k);
}

static void note(void *arg, const char *name, uint64_t addr, uint64_t size)
{
	strcat(strcat(arg, name), size ? " " : "! ");
}

static void of_a_module(void **state)
{
	struct kernel k = begin();
	char seen[128] = "";

	kernel__each_text(&k, "vfio", note, seen);
	assert_string_equal(seen, "__pfx_vfio_open vfio_open vfio_last! ");
	*seen = 0;
	kernel__each_text(&k, "none", note, seen);
	assert_string_equal(seen, "");
	assert_true(kernel__is_coming("vfio"));
	assert_false(kernel__is_coming("other"));
	kernel__drop_symbols(&k);
}

static void all_of_them(void **state)
{
	const char *module;
	struct kernel k = begin();

	assert_string_equal(kernel__sym_at(&k, TEXT + 0x40, 0, &module), "luo_preserve_file");
	assert_null(kernel__sym_at(&k, TEXT + 0x41, 0, &module));
	assert_int_equal(tables_read, 0);
	/* What else stands there the kernel does not tell. */
	assert_string_equal(kernel__sym_at(&k, TEXT + 0x40, 1, &module), "alias");
	assert_int_equal(tables_read, 1);
	assert_string_equal(kernel__sym(&k, TEXT, NULL, NULL), "table");
	kernel__drop_symbols(&k);

	k = begin();
	answers = -EPERM;
	assert_int_equal(kernel__refresh(&k), -EPERM);
	answers = -EINVAL;
	assert_int_equal(kernel__refresh(&k), 0);
	assert_int_equal(tables_read, 1);
	kernel__drop_symbols(&k);
}

static void in_the_kernels_words(void **state)
{
	struct ksym s;
	uint64_t off;

	assert_true(ksyms__parse("luo_preserve_file+0x1c/0x40", &s, &off));
	assert_string_equal(s.name, "luo_preserve_file");
	assert_string_equal(s.module, "");
	assert_int_equal(off, 0x1c);
	assert_int_equal(s.size, 0x40);
	assert_true(ksyms__parse("f.part.0+0x0/0x8 [vfio_pci 0123abcd]", &s, &off));
	assert_string_equal(s.name, "f.part.0");
	assert_string_equal(s.module, "vfio_pci");
	assert_false(ksyms__parse("0xffff888012345678", &s, &off));
	assert_false(ksyms__parse("+0x1/0x2", &s, &off));
	assert_false(ksyms__parse("", &s, &off));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name), cmocka_unit_test(by_address), cmocka_unit_test(of_a_module), cmocka_unit_test(all_of_them),
		cmocka_unit_test(in_the_kernels_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
