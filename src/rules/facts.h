/* SPDX-License-Identifier: GPL-2.0 */
/* Facts of the model that are findings by themselves: told from a table. */
#ifndef VT_RULES_FACTS_H
#define VT_RULES_FACTS_H

#include <string.h>

#include "rules/rules.h"

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

/* Names, which may be NULL: of two sides, so that equal ones are not identical. */
static inline bool vt_same_name(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static inline const char *vt_name(const char *s, const char *otherwise)
{
	return s ? s : otherwise;
}

/* Whether memory of FAMILY may be given to the free function CALLEE. */
enum vt_pair { VT_PAIR_LEGAL, VT_PAIR_ILLEGAL, VT_PAIR_UNKNOWN };
enum vt_pair vt_pair_verdict(const char *family, const char *callee);
/* Made for memory that may come from vmalloc; kvfree_call_rcu() is what kfree_rcu() became. */
bool vt_is_kvfree(const char *callee);

/* The table T as a rule's member. */
#define VT_TELLS(t) .tells = (t), .nr_tells = sizeof(t) / sizeof((t)[0])

/* Findings for the facts that the rule tells. */
void vt_tell_facts(struct vt_ctx *c);

/* For tell(): the error that KEY, the function of X's first event and the handler make one finding of. */
struct vt_finding *vt_find_fact(struct vt_ctx *c, size_t side, const struct vt_fact *x, const char *key);
/* X's handler, "" if it is not known. */
const char *vt_fact_handler(const struct vt_fact *x);

#endif
