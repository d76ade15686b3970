// SPDX-License-Identifier: GPL-2.0
/* vfiotrace diff PRE POST */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/judge.h"

static const char *format_name = "text";

static int run_diff(int argc, char **argv)
{
	struct vt_report_opts o;
	enum vt_format format;
	struct vt_case c;
	int code;

	(void)argc;
	if (!vt_format__parse(format_name, &format))
		return vt_fail(VT_EXIT_USAGE, "diff: no format '%s'; there are text, json, ktap, junit, sarif", format_name);
	code = vt_case__open(&c, "diff", argv[0], argv[1]);
	if (code)
		return code;
	vt_report_opts__init(&o, "diff", stdout);
	vt_report(stdout, c.j, format, &o);
	code = (int)c.j->exit;
	vt_case__close(&c);
	return code;
}

static const struct vt_opt opts[] = {
	{ "format", 'f', "FORMAT", "text (default), json, ktap, junit or sarif", &format_name, NULL },
	{ .name = NULL },
};

const struct vt_cmd vt_cmd_diff = {
	.name = "diff",
	.args = "PRE POST",
	.summary = "Judge a live update from the traces of both kernels",
	.details = "PRE was recorded in the old kernel, POST in the new one. Every preserved file is put back\n"
		   "together across the jump and every rule is applied. What the traces cannot show is called\n"
		   "unknown, never passed.",
	.opts = opts,
	.min_args = 2, .max_args = 2,
	.run = run_diff,
};
