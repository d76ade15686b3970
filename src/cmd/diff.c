// SPDX-License-Identifier: GPL-2.0
/* vfiotrace diff PRE POST */
#include "cmd/cmd.h"
#include "cmd/judge.h"

static const char *format_name;

static int run_diff(int argc, char **argv)
{
	(void)argc;
	return vt_case__tell("diff", format_name, argv[0], argv[1]);
}

static const struct vt_opt opts[] = {
	VT_FORMAT_OPT(format_name),
	{ .name = NULL },
};

const struct vt_cmd vt_cmd_diff = {
	.name = "diff",
	.args = "PRE POST",
	.summary = "Judge a live update from the traces of both kernels",
	.details = "PRE was recorded in the old kernel, POST in the new one. Every preserved file is put back\n"
		   "together across the jump and every rule is applied. What the traces cannot show is called\n"
		   "unknown, never passed. Where records were lost for a time, files that lived outside of it\n"
		   "are judged, and the report names the others.",
	.opts = opts,
	.min_args = 2, .max_args = 2,
	.run = run_diff,
};
