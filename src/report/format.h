/* SPDX-License-Identifier: GPL-2.0 */
/* What a format writes from, and how it is called. */
#ifndef VT_REPORT_FORMAT_H
#define VT_REPORT_FORMAT_H

#include <stdio.h>

#include "report/formats.h"
#include "rules/crossing.h"

struct vt_sources;

struct vt_report_opts {
	const char *command;	/* "diff", "check", "gate" */
	unsigned int width;	/* of text */
	bool color, verbose;
	const char *name, *host;	/* of the scenario, of the machine: as the caller calls them, or NULL */
	struct vt_sources *sources;	/* where call sites are in the sources, or NULL */
	/* gate only */
	const char *const *unused;	/* suppressions that nothing matched */
	size_t nr_unused;
	const char *const *demands;	/* what the policy or baseline demands and did not get */
	size_t nr_demands;
};

#define VT_FORMAT_FUNCTION(name, many, help) void vt_report_##name(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o);
VT_FORMATS(VT_FORMAT_FUNCTION)
#undef VT_FORMAT_FUNCTION

/* ---- what several of them say ---- */

const char *vt_verdict(const struct vt_judgement *j);	/* "clean", "findings", ... */
const char *vt_ending_str(const struct vt_side *s);
/* X makes the run fail: no note, and neither suppressed nor known. */
bool vt_counts(const struct vt_finding *x);
/* How many of R's findings count. */
size_t vt_open_findings(const struct vt_judgement *j, const struct vt_rule *r);
/* Why R is neither passed nor failed, maybe in BUF, or NULL: it does not apply, has nothing to judge, or does not know. */
const char *vt_skipped(const struct vt_row *r, char *buf, size_t size);
/* The rules that DOUBT is a reason of, to be freed, or NULL; "every rule" where it is all that apply. */
char *vt_leaves_open(const struct vt_judgement *j, const char *doubt);

#endif
