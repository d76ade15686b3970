/* SPDX-License-Identifier: GPL-2.0 */
/* From a judgement to what people and machines read. Same judgement, same bytes. */
#ifndef VT_REPORT_H
#define VT_REPORT_H

#include "report/format.h"

struct vt_format {
	const char *name, *help;
	bool many;	/* one report may follow another */
	void (*put)(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o);
};
extern const struct vt_format vt_formats[];
extern const size_t vt_nr_formats;
/* NULL when NAME is no format. */
const struct vt_format *vt_format__by_name(const char *name);

/* "text, json, ..." */
#define VT_FORMAT_NAME(name, many, help) ", " #name
#define VT_FORMAT_NAMES (VT_FORMATS(VT_FORMAT_NAME) + 2)
/* A line each, for the help of an option. */
#define VT_FORMAT_HELP_LINE(name, many, help) "\n  " #name ": " help
#define VT_FORMAT_HELP VT_FORMATS(VT_FORMAT_HELP_LINE)

enum vt_color { VT_COLOR_AUTO, VT_COLOR_ALWAYS, VT_COLOR_NEVER };
/* Width and colour as the terminal on F, TERM and NO_COLOR want them; COLOR overrules. */
void vt_report_opts__init(struct vt_report_opts *o, const char *command, FILE *f, enum vt_color color, bool verbose);

#endif
