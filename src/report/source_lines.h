/* SPDX-License-Identifier: GPL-2.0 */
/* The call sites that a finding names, as lines of the kernel's sources. */
#ifndef VT_REPORT_SOURCE_LINES_H
#define VT_REPORT_SOURCE_LINES_H

#include "report/format.h"
#include "source/sources.h"

struct vt_source_line {
	const struct vt_side *side;
	char site[200];
	const struct vt_source *at;
};
/* The first is where the finding points. Each once per side, those that nothing tells left out; NR of them, to be freed, or NULL. */
struct vt_source_line *vt_source_lines(const struct vt_finding *x, const struct vt_judgement *j, const struct vt_report_opts *o, size_t *nr);
/* Of one step of the evidence; NULL: not known. */
const struct vt_source *vt_evidence_source(const struct vt_evidence *e, const struct vt_report_opts *o);
/* The kernel whose debug information is asked for. */
struct vt_source_kernel vt_trace_kernel(const struct vt_trace *t);
/* "PRE: kfree+0x12 is mm/slub.c:10 (kfree())" of L, without its side where WITH_SIDE is false, in BUF. */
const char *vt_source_str(const struct vt_source_line *l, bool with_side, char *buf, size_t size);

#endif
