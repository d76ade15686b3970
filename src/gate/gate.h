/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The gate: a judgement measured against a policy and a baseline. Both are
 * plain text, made to be kept in git; whatever in them is not understood is an
 * error, never ignored.
 */
#ifndef VT_GATE_H
#define VT_GATE_H

#include "rules/rules.h"

struct vt_lines {
	char **s;
	size_t nr;
};
void vt_lines__add(struct vt_lines *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void vt_lines__free(struct vt_lines *l);

/* TAKE gets each line of TEXT as a copy that it may write to, until it fails. A NUL byte is an error. */
int vt_each_line(const char *text, size_t len, int (*take)(void *to, char *s, unsigned int line, char **why), void *to, char **why);
/* -EINVAL, and "line N: ..." in *WHY. */
int vt_line__bad(char **why, unsigned int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- policy ---- */
struct vt_policy;
/* -EINVAL with a sentence in *WHY (to be freed), -ENOMEM. TEXT need not end in NUL. */
int vt_policy__parse(const char *text, size_t len, struct vt_policy **out, char **why);
void vt_policy__free(struct vt_policy *p);
/* Marks suppressed findings; TODAY is "YYYY-MM-DD". UNUSED gets suppressions without effect. */
void vt_policy__suppress(const struct vt_policy *p, struct vt_judgement *j, const char *today, struct vt_lines *unused);
/* What the limits demand and J does not give. */
void vt_policy__limits(const struct vt_policy *p, const struct vt_judgement *j, struct vt_lines *demands);
/* Rules that may be unknown without making the run inconclusive. */
size_t vt_policy__unknown_allowed(const struct vt_policy *p);

/* ---- baseline ---- */
struct vt_baseline;
int vt_baseline__parse(const char *text, size_t len, struct vt_baseline **out, char **why);
void vt_baseline__free(struct vt_baseline *b);
/* J as a baseline: sorted, free of anything that differs between two runs of the same thing. To be freed. */
char *vt_baseline__of(const struct vt_judgement *j);
/* Marks known findings; DEMANDS gets changed linkage, COVERAGE gets lost coverage, GONE findings that no longer show. */
void vt_baseline__compare(const struct vt_baseline *b, struct vt_judgement *j, struct vt_lines *demands, struct vt_lines *coverage, struct vt_lines *gone);

#endif
