// SPDX-License-Identifier: GPL-2.0
/* vfiotrace diff PRE POST */
#include <limits.h>

#include "cmd/cmd.h"
#include "cmd/judge.h"

static struct vt_ask ask;
static const char *list;

static int run_diff(int argc, char **argv)
{
	if (list && argc)
		return vt_fail(VT_EXIT_USAGE, "diff: --pairs and files exclude each other");
	if (list)
		return vt_list__tell("diff", &ask, list);
	if (argc < 2)
		return vt_fail(VT_EXIT_USAGE, "diff takes PRE POST; see 'vfiotrace diff --help'");
	return vt_cases__tell("diff", &ask, argc, argv, 2);
}

static const struct vt_opt opts[] = {
	VT_ASK_OPTS(ask),
	{ "pairs", 0, "LIST", "judge each line of LIST (- is standard input): PRE POST [HOST [NAME]], tabs between", &list, NULL },
	{ .name = NULL },
};

const struct vt_cmd vt_cmd_diff = {
	.name = "diff",
	.args = "PRE POST...",
	.summary = "Judge a live update from the traces of both kernels",
	.details = "PRE was recorded in the old kernel, POST in the new one. Every preserved file is put back\n"
		   "together across the jump and every rule is applied. What the traces cannot show is called\n"
		   "unknown, never passed. Where records were lost for a time, files that lived outside of it\n"
		   "are judged, and the report names the others. Many pairs are judged one after the other; the\n"
		   "exit code is the one that matters most: findings, then what could not be read or paired,\n"
		   "then what is not known.",
	.opts = opts,
	.min_args = 0, .max_args = INT_MAX,
	.run = run_diff,
};
