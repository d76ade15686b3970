/* SPDX-License-Identifier: GPL-2.0 */
/* What diff, check and gate share: load, judge, report. */
#ifndef VT_CMD_JUDGE_H
#define VT_CMD_JUDGE_H

#include "report/report.h"

struct vt_case {
	struct vt_side *side[2];
	struct vt_judgement *j;
};

/* Loads one trace (B NULL) or two and judges them. 0, or an exit code after a complaint. */
int vt_case__open(struct vt_case *c, const char *command, const char *a, const char *b);
void vt_case__close(struct vt_case *c);
/* All of diff and check: open, report on stdout, close. FORMAT_NAME may be NULL. An exit code. */
int vt_case__tell(const char *command, const char *format_name, const char *a, const char *b);

/* The argument of --format, NULL for the default; NULL after a complaint. */
const struct vt_format *vt_format__of(const char *name, const char *command);
#define VT_FORMAT_OPT(value) { "format", 'f', "FORMAT", "of the report; without it the first of" VT_FORMAT_HELP, &(value), NULL }

#endif
