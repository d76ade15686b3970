/* SPDX-License-Identifier: GPL-2.0 */
/* For rules: to say what they found, with its proof, or that they cannot say. */
#ifndef VT_RULES_FINDING_H
#define VT_RULES_FINDING_H

#include <string.h>

#include "model/spans.h"
#include "rules/rules.h"

/* A rule at work. */
struct vt_ctx {
	struct vt_judgement *j;
	const struct vt_rule *rule;
	struct vt_row *row;
	struct vt_spans blind[2];	/* when events that the rule needs may be missing: absence proves nothing */
	struct vt_spans torn[2];	/* when calls were lost: an event may have been taken for another call's */
	bool cut[2];		/* what came at the end is unknown */
	size_t told;		/* place + 1 of the finding that vt_find() made or counted up last */
	int err;
};
#define VT_EACH_SIDE(c, i) for (size_t i = 0; i < (c)->j->nr_sides; i++)

/* A new finding, or the one with the same KEY, then counted up and NULL returned. KEY is printf-like. */
struct vt_finding *vt_find(struct vt_ctx *c, enum vt_severity sev, size_t side, const struct vt_who *who,
			   const char *key, ...) __attribute__((format(printf, 5, 6)));
/* One object more that the finding is about. */
void vt_also(struct vt_finding *f, const struct vt_who *who);
void vt_text(struct vt_ctx *c, char **to, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void vt_proof(struct vt_ctx *c, struct vt_finding *f, size_t side, const struct vt_at *at, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* N more of what the rule is about were there, and were looked at. */
static inline void vt_judged(struct vt_ctx *c, uint64_t n)
{
	c->row->subjects += n;
}
/* "12 dfs", and "" where the rule does not apply, in BUF. */
const char *vt_subjects_str(const struct vt_row *r, char *buf, size_t size);
/* The rule cannot say, and why. */
void vt_doubt(struct vt_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* LINE at the end of a list that does not have it yet. */
void vt_add_line(struct vt_ctx *c, char ***list, size_t *nr, const char *line);

/* ---- words ---- */

/* "session vm0 token 0x1 (vfio-pci-v1, 0000:00:03.0)" in BUF. */
const char *vt_who_str(const struct vt_who *w, char *buf, size_t size);
struct vt_who vt_who_of(const struct vt_life *l);
/* The function that an event shows, or its type's name. */
const char *vt_at_func(const struct vt_at *at);
/* "-ENOMEM" where known, else the number, in BUF. */
const char *vt_errno_str(int64_t ret, char *buf, size_t size);

/* What a function returned, as it reads in its source, in BUF: " = 0", " = -ENOMEM", " = NULL", " a pointer"; "" where that is not known. */
const char *vt_ret_str(const struct vt_at *at, char *buf, size_t size);

/* Names, which may be NULL: of two sides, so that equal ones are not identical. */
static inline bool vt_same_name(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static inline const char *vt_name(const char *s, const char *otherwise)
{
	return s ? s : otherwise;
}

#endif
