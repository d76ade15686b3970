// SPDX-License-Identifier: GPL-2.0
/* All symbols, of a kernel that the test tells: one that clang has made with LTO. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "capture/kernel/private.h"
#include "capture/kernel/slurp.h"

static const char *text;

int slurp__file(const char *path, char **out, size_t *len)
{
	*out = strdup(text);
	*len = strlen(text);
	return 0;
}

static struct kernel read_text(const char *kallsyms)
{
	struct kernel k = { 0 };

	text = kallsyms;
	assert_int_equal(table__read(&k), 0);
	return k;
}

static const char lto[] =
	"ffffffff81000000 T _stext\n"
	"ffffffff81000100 t once.llvm.14864891386947930391\n"
	"ffffffff81000200 t twice.llvm.1\n"
	"ffffffff81000300 t twice.llvm.2\n"
	"ffffffff81000400 t both.llvm.1\n"
	"ffffffff81000500 t both\n"
	"ffffffff81000600 t odd.llvm.x\n"
	"ffffffff81000700 d datum.llvm.7\n"
	"ffffffffc0000000 t __cfi_vfio_release.llvm.9\t[vfio]\n"
	"ffffffffc0000010 t vfio_release.llvm.9\t[vfio]\n"
	"ffffffffc0000110 t twice.llvm.3\t[vfio]\n";

static void has_the_name_of_the_source(void **state)
{
	struct kernel k = read_text(lto);
	const char *module;
	uint64_t off;

	assert_int_equal(table__addr(&k, "once", NULL), 0xffffffff81000100);
	assert_int_equal(table__addr(&k, "vfio_release", "vfio"), 0xffffffffc0000010);
	assert_int_equal(table__addr(&k, "vfio_release", "vmlinux"), 0);
	assert_string_equal(table__sym(&k, 0xffffffffc0000014, &off, &module), "vfio_release");
	assert_string_equal(module, "vfio");
	assert_int_equal(off, 4);
	assert_int_equal(table__addr(&k, "odd", NULL), 0);
	assert_int_equal(table__addr(&k, "odd.llvm.x", NULL), 0xffffffff81000600);
	table__drop(&k);
}

/* Which of two is meant nobody knows; one that kept its name is the one that had it always. */
static void of_two_neither(void **state)
{
	struct kernel k = read_text(lto);

	assert_int_equal(table__addr(&k, "twice", "vmlinux"), 0);
	assert_int_equal(table__addr(&k, "twice", "vfio"), 0xffffffffc0000110);
	assert_int_equal(table__addr(&k, "both", NULL), 0xffffffff81000500);
	table__drop(&k);
}

static void others_may_call_it(void **state)
{
	struct kernel k = read_text(lto);

	assert_true(table__global(&k, "once", NULL));
	assert_true(table__global(&k, "_stext", NULL));
	assert_false(table__global(&k, "both", NULL));
	assert_false(table__global(&k, "twice", "vmlinux"));
	assert_false(table__global(&k, "datum", NULL));
	table__drop(&k);
}

static void hash_of_a_type_is_no_code(void **state)
{
	struct kernel k = read_text(lto);

	assert_int_equal(table__addr(&k, "__cfi_vfio_release", "vfio"), 0);
	assert_true(kernel__is_padding("__cfi_x") && kernel__is_padding("__pfx_x") && !kernel__is_padding("__x64_x"));
	table__drop(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_name_of_the_source),
		cmocka_unit_test(of_two_neither),
		cmocka_unit_test(others_may_call_it),
		cmocka_unit_test(hash_of_a_type_is_no_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
