// SPDX-License-Identifier: GPL-2.0
/* The command line as a trace has it: every word, so that a shell reads it as it was. */
#include "unit.h"

#include <stdlib.h>

#include "cmd/cmd.h"

static void is(char **argv, const char *line)
{
	int argc = 0;
	char *got;

	while (argv[argc])
		argc++;
	vt_command_line_is(argc, argv);
	got = vt_command_line();
	assert_string_equal(got, line);
	free(got);
}

static void options(void **state)
{
	is((char *[]){ "/somewhere/vfiotrace", "record", "--fail", "retrieve:3", "--carry", "4M", "--attach=kprobe:a,b", "-qo", "x.vft", "--", "agent", "-v", NULL },
	   "vfiotrace record --fail retrieve:3 --carry 4M --attach=kprobe:a,b -qo x.vft -- agent -v");
	is((char *[]){ "vfiotrace", NULL }, "vfiotrace");
}

static void quoted(void **state)
{
	is((char *[]){ "vfiotrace", "record", "--", "sh", "-c", "echo \"$x\" >/dev/null", "", "it's", "a\nb", "~", "#", NULL },
	   "vfiotrace record -- sh -c 'echo \"$x\" >/dev/null' '' 'it'\\''s' 'a\nb' '~' '#'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),
		cmocka_unit_test(quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
