/* SPDX-License-Identifier: GPL-2.0 */
/* Facts that say the same thing every time: told from a table. */
#ifndef VT_RULES_FACTS_H
#define VT_RULES_FACTS_H

#include "rules/rules.h"

struct vt_telling {
	enum vt_fact_kind kind;
	const char *key;	/* short name, part of the fingerprint: never changes */
	enum vt_severity severity;
	bool absence;		/* rests on something not having been seen */
	const char *func;	/* kernel function it points at; NULL: that of the first event */
	const char *title, *expected, *seen, *meaning;
	const char *ev[3];	/* what each kept event shows; NULL: not told */
};

/* Findings for the facts of the kinds in T (NR rows). */
void vt_tell_facts(struct vt_ctx *c, const struct vt_telling *t, size_t nr);

#endif
