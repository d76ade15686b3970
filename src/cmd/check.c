// SPDX-License-Identifier: GPL-2.0
/* vfiotrace check TRACE */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/judge.h"

static const char *format_name = "text";

static int run_check(int argc, char **argv)
{
	struct vt_report_opts o;
	enum vt_format format;
	struct vt_case c;
	int code;

	(void)argc;
	if (!vt_format__parse(format_name, &format))
		return vt_fail(VT_EXIT_USAGE, "check: no format '%s'; there are text, json, ktap, junit, sarif", format_name);
	code = vt_case__open(&c, "check", argv[0], NULL);
	if (code)
		return code;
	vt_report_opts__init(&o, "check", stdout);
	vt_report(stdout, c.j, format, &o);
	code = (int)c.j->exit;
	vt_case__close(&c);
	return code;
}

static const struct vt_opt opts[] = {
	{ "format", 'f', "FORMAT", "text (default), json, ktap, junit or sarif", &format_name, NULL },
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
