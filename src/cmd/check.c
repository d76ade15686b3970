// SPDX-License-Identifier: GPL-2.0
/* vfiotrace check TRACE */
#include "cmd/cmd.h"
#include "cmd/judge.h"

static const char *format_name;

static int run_check(int argc, char **argv)
{
	(void)argc;
	return vt_case__tell("check", format_name, argv[0], NULL);
}

static const struct vt_opt opts[] = {
	VT_FORMAT_OPT(format_name),
	{ .name = NULL },
};

const struct vt_cmd vt_cmd_check = {
	.name = "check",
	.args = "TRACE",
	.summary = "Judge one trace by the rules that need one side only",
	.details = "For a live update that was aborted, or when only one kernel was recorded.",
	.opts = opts,
	.min_args = 1, .max_args = 1,
	.run = run_check,
};
