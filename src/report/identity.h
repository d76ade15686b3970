/* SPDX-License-Identifier: GPL-2.0 */
/* Which update a report is about, on what, recorded by whom. */
#ifndef VT_REPORT_IDENTITY_H
#define VT_REPORT_IDENTITY_H

#include "rules/rules.h"

/* The same for the same recordings, wherever they are judged; another for others. In BUF, which is returned. */
const char *vt_update_id(const struct vt_judgement *j, char buf[17]);
/* Seconds that S recorded. */
double vt_side_seconds(const struct vt_side *s);
/* How far the files came. */
struct vt_files_told { uint64_t preserved, crossed, retrieved, finished; };
struct vt_files_told vt_files_told(const struct vt_judgement *j);
/* What of the path names the file. */
const char *vt_side_file(const struct vt_side *s);

#endif
