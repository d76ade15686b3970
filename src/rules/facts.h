/* SPDX-License-Identifier: GPL-2.0 */
/* Facts of the model that are findings by themselves: told from a table. */
#ifndef VT_RULES_FACTS_H
#define VT_RULES_FACTS_H

#include "rules/finding.h"

struct vt_telling {
	enum vt_fact_kind kind;
	const char *key;	/* short name, part of the fingerprint: never changes */
	bool absence;		/* rests on something not having been seen */
	bool to_end;		/* what comes later could still put it right */
	const char *func;	/* kernel function it points at; NULL: that of the first event */
	const char *title, *expected, *seen, *meaning;	/* its severity is the rule's */
	const char *ev[3];	/* what each kept event shows; NULL: not told */
	/* The kernel is right all the same, as far as S can tell; NULL: never. */
	bool (*moot)(const struct vt_side *s, const struct vt_fact *x);
	/* Instead of all these texts, where they hold numbers of the fact. */
	void (*tell)(struct vt_ctx *c, size_t side, const struct vt_fact *x);
};

/* The table T as a rule's member. */
#define VT_TELLS(t) .tells = (t), .nr_tells = sizeof(t) / sizeof((t)[0])

/* Findings for the facts that the rule tells. */
void vt_tell_facts(struct vt_ctx *c);

/* For tell(): the error that KEY, the function of X's first event and the handler make one finding of. */
struct vt_finding *vt_find_fact(struct vt_ctx *c, size_t side, const struct vt_fact *x, const char *key);
/* X's handler, "" if it is not known. */
const char *vt_fact_handler(const struct vt_fact *x);

/* A "moot": the handler never thaws, so that a freeze which is not undone is none of its. */
bool vt_never_thaws(const struct vt_side *s, const struct vt_fact *x);

#endif
