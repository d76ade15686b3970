// SPDX-License-Identifier: GPL-2.0
/* Calls of free functions in kernel text, on a kernel of three functions that the test tells. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/kernel/calls.h"

#define TEXT 0xffffffff81000000ull
#define KFREE (TEXT + 0x100)
#define PADDING 16

static unsigned char text[0x200];

/* Name, place, length. */
static const struct { const char *name; uint64_t at, len; } symbols[] = {
	{ "luo_file_finish", TEXT, 0x40 }, { "luo_file_finish.part.0.cold", TEXT + 0x40, 0x20 },
	{ "luo_file_finish_all", TEXT + 0x60, 0x20 }, { "__pfx_kfree", KFREE - PADDING, PADDING }, { "kfree", KFREE, 0x40 },
};
#define NR (sizeof(symbols) / sizeof(symbols[0]))

uint64_t kernel__addr(const struct kernel *k, const char *name, const char *module)
{
	for (size_t i = 0; i < NR; i++)
		if (!strcmp(symbols[i].name, name))
			return symbols[i].at;
	return 0;
}

const char *kernel__sym(const struct kernel *k, uint64_t addr, uint64_t *off, const char **module)
{
	for (size_t i = 0; i < NR; i++) {
		if (addr < symbols[i].at || addr >= symbols[i].at + symbols[i].len)
			continue;
		if (off)
			*off = addr - symbols[i].at;
		if (module)
			*module = "";
		return symbols[i].name;
	}
	return NULL;
}

uint64_t kernel__sym_size(const struct kernel *k, uint64_t addr)
{
	for (size_t i = 0; i < NR; i++)
		if (symbols[i].at == addr)
			return symbols[i].len;
	return 0;
}

void kernel__each_text(const struct kernel *k, const char *module, void (*fn)(void *arg, const char *name, uint64_t addr, uint64_t size), void *arg)
{
}

static int read_text(void *arg, uint64_t addr, void *buf, size_t len)
{
	memcpy(buf, text + (addr - TEXT), len);
	return 0;
}

static void call(uint64_t from, uint64_t to)
{
	int32_t rel = to - (from + 5);

	text[from - TEXT] = 0xe8;
	memcpy(text + (from - TEXT) + 1, &rel, sizeof(rel));
}

/* The calls of the function by that name. */
static int find(struct call **found)
{
	static const char *const names[] = { "luo_file_finish", NULL };

	return calls__in_functions(NULL, names, CALLS_OF_FREE, read_text, NULL, found);
}

static void in_function_and_parts(void **state)
{
	struct call *found;
	uint64_t at = TEXT;

	memset(text, 0x90, sizeof(text));
	call(TEXT + 8, KFREE);
	call(TEXT + 0x18, TEXT + 0x40);	/* to the part that was cut out */
	call(TEXT + 0x48, KFREE);
	call(TEXT + 0x50, TEXT + 0x20);	/* and back */
	call(TEXT + 0x68, KFREE);	/* another function, whose name begins in the same way */
	assert_int_equal(find(&found), 2);
	assert_int_equal(found[0].addr, TEXT + 8);
	assert_int_equal(found[1].addr, TEXT + 0x48);
	assert_string_equal(found[1].callee->name, "kfree");
	free(found);

	/* A callback is known by its address; its parts by its name. */
	assert_int_equal(calls__at(NULL, &at, 1, CALLS_OF_FREE, read_text, NULL, &found), 2);
	free(found);
}

static bool is_luo(const char *name)
{
	return !strncmp(name, "luo_", 4);
}

static bool is_all(const char *name)
{
	return !strcmp(name, "luo_file_finish_all");
}

/* What is built in has no text of its own: functions around one of it, by their names, and their parts. */
static void around_a_function(void **state)
{
	struct call *found;

	memset(text, 0x90, sizeof(text));
	call(TEXT + 8, KFREE);
	call(TEXT + 0x48, KFREE);
	call(TEXT + 0x68, KFREE);
	call(KFREE + 8, KFREE);
	assert_int_equal(calls__around(NULL, "luo_file_finish_all", is_luo, CALLS_OF_FREE, read_text, NULL, &found), 3);
	free(found);
	assert_int_equal(calls__around(NULL, "luo_file_finish", is_luo, CALLS_OF_FREE, read_text, NULL, &found), 3);
	free(found);
	/* Behind others. */
	assert_int_equal(calls__around(NULL, "luo_file_finish", is_all, CALLS_OF_FREE, read_text, NULL, &found), 1);
	assert_int_equal(found[0].addr, TEXT + 0x68);
	free(found);
	assert_int_equal(calls__around(NULL, "no_such", is_luo, CALLS_OF_FREE, read_text, NULL, &found), 0);
}

/* Its symbols were read before it was there: what stands before it in the table is not it, and ends elsewhere. */
static void without_a_symbol(void **state)
{
	const uint64_t inside[] = { TEXT, TEXT + 8 }, nowhere[] = { TEXT + 0x180 };
	struct call *found;

	memset(text, 0x90, sizeof(text));
	call(TEXT + 0x10, KFREE);
	assert_int_equal(calls__at(NULL, inside, 2, CALLS_OF_FREE, read_text, NULL, &found), -ENOENT);
	assert_int_equal(calls__at(NULL, nowhere, 1, CALLS_OF_FREE, read_text, NULL, &found), -ENOENT);
}

static void through_the_padding(void **state)
{
	struct call *found;

	memset(text, 0x90, sizeof(text));
	call(TEXT + 8, KFREE - 10);
	call(TEXT + 0x10, KFREE - PADDING - 1);	/* not its padding */
	call(TEXT + 0x18, KFREE + 1);
	assert_int_equal(find(&found), 1);
	assert_int_equal(found[0].addr, TEXT + 8);
	free(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_function_and_parts), cmocka_unit_test(around_a_function),
		cmocka_unit_test(without_a_symbol), cmocka_unit_test(through_the_padding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
