// SPDX-License-Identifier: GPL-2.0
/* A module as /sys/module shows it, in a directory of the test's. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/kernel/sections.h"
#include "unit.h"

static char dir[] = "/tmp/vfiotrace-sections.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void take(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
}

/* The init's text lies behind the rest, its data before it, as they come. */
static void which_section(void **state)
{
	struct sections s;

	put(".text", "0xffffffffa0001000\n");
	put(".exit.text", "0xffffffffa0002000\n");
	put(".init.text", "0xffffffffa0003000\n");
	put(".init.data", "0xffffffffa0000000\n");
	put(".data", "0xffffffffa0004000\n");
	put(".hidden", "0x0000000000000000\n");
	assert_int_equal(sections__read(&s, dir), 0);
	assert_int_equal(s.nr, 5);
	assert_false(sections__in_init(&s, 0xffffffffa0001000));
	assert_false(sections__in_init(&s, 0xffffffffa0002fff));
	assert_true(sections__in_init(&s, 0xffffffffa0003000));
	assert_true(sections__in_init(&s, 0xffffffffa0003fff));
	assert_false(sections__in_init(&s, 0xffffffffa0004000));
	assert_false(sections__in_init(&s, 0xffffffff81000000));
	sections__free(&s);
	for (size_t i = 0; i < 6; i++)
		take(((const char *[]){ ".text", ".exit.text", ".init.text", ".init.data", ".data", ".hidden" })[i]);
	assert_int_equal(sections__read(&s, "/tmp/vfiotrace-no-such-module/sections"), 0);
	assert_false(sections__in_init(&s, 0xffffffffa0003000));
	sections__free(&s);
}

static void in_its_init(void **state)
{
	put("initstate", "coming\n");
	assert_true(sections__is_coming(dir));
	put("initstate", "live\n");
	assert_false(sections__is_coming(dir));
	/* What is built in has no such file. */
	take("initstate");
	assert_false(sections__is_coming(dir));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_section),
		cmocka_unit_test(in_its_init),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
