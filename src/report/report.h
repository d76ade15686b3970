/* SPDX-License-Identifier: GPL-2.0 */
/* From a judgement to what people and machines read. Same judgement, same bytes. */
#ifndef VT_REPORT_H
#define VT_REPORT_H

#include <stdio.h>

#include "rules/crossing.h"

enum vt_format { VT_TEXT, VT_JSON, VT_KTAP, VT_JUNIT, VT_SARIF };

struct vt_report_opts {
	const char *command;	/* "diff", "check", "gate" */
	unsigned int width;	/* of text */
	bool color;
	/* gate only */
	const char *const *unused;	/* suppressions that nothing matched */
	size_t nr_unused;
	const char *const *demands;	/* what the policy or baseline demands and did not get */
	size_t nr_demands;
};

/* False when NAME is no format. */
bool vt_format__parse(const char *name, enum vt_format *out);
/* Width and colour as the terminal on F and NO_COLOR want them. */
void vt_report_opts__init(struct vt_report_opts *o, const char *command, FILE *f);
void vt_report(FILE *f, const struct vt_judgement *j, enum vt_format format, const struct vt_report_opts *o);

/* ---- shared by the formats ---- */

void vt_report_text(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o);
void vt_report_json(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o);
void vt_report_ktap(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o);
void vt_report_junit(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o);
void vt_report_sarif(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o);

/* Names come from traces, traces from anywhere: no control character gets through. */
void vt_put_plain(FILE *f, const char *s);
void vt_put_json(FILE *f, const char *s);	/* with quotes; "null" for NULL */
void vt_put_xml(FILE *f, const char *s);
const char *vt_verdict(const struct vt_judgement *j);	/* "clean", "findings", ... */
const char *vt_ending_str(const struct vt_side *s);

/* One preserved file across both kernels; either may be missing. */
struct vt_pair {
	const struct vt_life *out, *in;
	size_t out_side, in_side;	/* where each was seen */
};
/* Every pair once, in order of appearance; to be freed. */
struct vt_pair *vt_pairs(const struct vt_judgement *j, size_t *nr);

#endif
