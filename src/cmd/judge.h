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

/* What the options that they share say. */
struct vt_sources;
struct vt_ask {
	const char *format_name, *color_name, *name, *host, *debuginfo;
	bool verbose, no_pager;
	/* once looked at */
	const struct vt_format *format;
	enum vt_color color;
	struct vt_sources *sources;
};
#define VT_ASK_OPTS(a) \
	{ "format", 'f', "FORMAT", "of the report; without it the first of" VT_FORMAT_HELP, &(a).format_name, NULL }, \
	{ "verbose", 'v', NULL, "all that text can tell: notes, lives of files, struct file, times", NULL, &(a).verbose }, \
	{ "name", 0, "NAME", "of the scenario, for the report", &(a).name, NULL }, \
	{ "host", 0, "HOST", "on which it happened, for the report", &(a).host, NULL }, \
	VT_DEBUGINFO_OPT((a).debuginfo), \
	VT_SCREEN_OPTS((a).color_name, (a).no_pager)
#define VT_DEBUGINFO_OPT(paths) \
	{ "debuginfo", 0, "FILE...", "vmlinux or module with debug information, or a directory of them: call sites get lines of the source", &(paths), NULL }
/* For all that is read on a screen. */
#define VT_SCREEN_OPTS(color_name, no_pager) \
	{ "color", 0, "WHEN", "auto (default), always, or never", &(color_name), NULL }, \
	{ "no-pager", 0, NULL, "no pager, even on a terminal", NULL, &(no_pager) }

/* The words of the options become what they mean: 0, or an exit code after a complaint. */
int vt_ask__parse(struct vt_ask *ask, const char *command);
void vt_ask__close(struct vt_ask *ask);
/* PATHS (NULL: none) into *TO; 0, or an exit code after a complaint. */
int vt_debuginfo__open(const char *paths, const char *command, struct vt_sources **to);
/* Says which files belong to none of these NR kernels: they are not used. */
struct vt_source_kernel;
void vt_debuginfo__tell(const struct vt_sources *s, const char *command, const struct vt_source_kernel *k, size_t nr);
/* For a case: before its report is written. */
void vt_case__debuginfo(const struct vt_case *c, const char *command, const struct vt_ask *ask);
/* -1 after a complaint. */
int vt_color__of(const char *word, const char *command);
/* For stdout; called before the pager takes it. */
void vt_ask__opts(const struct vt_ask *ask, const char *command, struct vt_report_opts *o);

/* All of diff and check: open, report on stdout, close. An exit code. */
int vt_case__tell(const char *command, const struct vt_ask *ask, const char *a, const char *b);
/* NR files, PER of which make one case each. The code that matters most of theirs. */
int vt_cases__tell(const char *command, struct vt_ask *ask, int nr, char **paths, int per);
/* A case per line of LIST ("-": stdin): PRE POST [HOST [NAME]], tabs between. */
int vt_list__tell(const char *command, struct vt_ask *ask, const char *list);

#endif
