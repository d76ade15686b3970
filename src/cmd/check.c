// SPDX-License-Identifier: GPL-2.0
/* vfiotrace check TRACE */
#include <limits.h>

#include "cmd/cmd.h"
#include "cmd/judge.h"

static struct vt_ask ask;

static int run_check(int argc, char **argv)
{
	return vt_cases__tell("check", &ask, argc, argv, 1);
}

static const struct vt_opt opts[] = {
	VT_ASK_OPTS(ask),
	{ .name = NULL },
};

const struct vt_cmd vt_cmd_check = {
	.name = "check",
	.args = "TRACE...",
	.summary = "Judge one trace by the rules that need one side only",
	.details = "For a live update that was aborted, or when only one kernel was recorded.",
	.opts = opts,
	.min_args = 1, .max_args = INT_MAX,
	.run = run_check,
};
