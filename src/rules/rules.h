/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules: from the model's facts to findings.
 *
 * A rule names the events it needs. Where those may be incomplete, it may still
 * find what is proven by events that are there, but it never passes: it says
 * "unknown" and why.
 */
#ifndef VT_RULES_H
#define VT_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfiotrace/exit.h"
#include "vfiotrace/model.h"

enum vt_severity { VT_NOTE, VT_WARNING, VT_ERROR };
const char *vt_severity_name(enum vt_severity s);

/* Passed means judged: where the rule applies and had nothing to look at, it is VT_NOTHING. */
enum vt_status { VT_PASS, VT_FOUND, VT_UNKNOWN, VT_NOTHING, VT_NOT_APPLICABLE, VT_STATUSES };
const char *vt_status_name(enum vt_status s);

struct vt_ctx;	/* rules/finding.h */
struct vt_telling;	/* rules/facts.h */

/* Where a need is due. */
enum vt_where {
	VT_ANY = 0,	/* each side on which the rule applies */
	VT_OUT,		/* sides that preserve files */
	VT_IN,		/* sides that files arrive on */
};
struct vt_need {
	uint16_t type;	/* enum vt_event_type; 0 ends the list */
	uint8_t where;	/* enum vt_where */
};

enum vt_subject {
	VT_ABOUT_LUO,	/* any preserved file */
	VT_ABOUT_VFIO,	/* only with vfio at work */
	VT_ABOUT_PAIR,	/* needs both traces */
	VT_ABOUT_KHO,	/* any preserved file, or memory that was given to KHO without one */
	VT_ABOUT_MEMORY,	/* any preserved file, or memory that LUO took without one: a session has some */
	VT_ABOUT_MODULE,	/* only with a handler that lives in a module */
};

/* The calls whose beginnings and ends must all be there. */
enum vt_calls {
	VT_NO_CALLS = 0,
	VT_LUO_CALLS = 1,	/* LUO's own, and callbacks */
	VT_VFIO_CALLS = 2,
	VT_ALL_CALLS = VT_LUO_CALLS | VT_VFIO_CALLS,
};

/* What a rule looks at, one by one. */
struct vt_subjects {
	const char *one, *many;		/* as they are called */
	uint16_t type[12];		/* each event of these is one; 0 ends the list */
	size_t counter;			/* or the model counts them: VT_COUNTED(); 0: it does not */
	uint64_t (*of)(const struct vt_side *s);	/* or there are so many on S; without any, run() counts: vt_judged() */
};
/* The member M of struct vt_side, which must be an uint64_t. */
#define VT_COUNTED(m) .counter = _Generic(((struct vt_side *)NULL)->m, uint64_t: offsetof(struct vt_side, m))

struct vt_rule {
	const char *id;
	const char *name;		/* short, for headings */
	enum vt_severity severity;	/* the worst it reports */
	enum vt_subject subject;
	enum vt_calls by_call;		/* rests on which call and which file an event belongs to */
	bool lasts;			/* what comes after the end of a file's life can still put it right */
	bool sums;			/* adds up over all files: what was missed once is missing ever after */
	struct vt_subjects judges;
	struct vt_need needs[16];
	uint16_t also[8];		/* what it uses where a hook shows it: only its loss leaves the rule open */
	const struct vt_telling *tells;	/* facts that are findings */
	size_t nr_tells;
	void (*run)(struct vt_ctx *c);	/* what takes more than one fact, or NULL */
};
extern const struct vt_rule *const vt_rules[];
extern const size_t vt_nr_rules;
const struct vt_rule *vt_rule__by_id(const char *id);
/* Text of the rule's page in docs/rules, embedded at build time; NULL when there is none. */
const char *vt_rule__page(const char *id);

struct vt_evidence {
	const struct vt_side *side;
	struct vt_at at;
	char *what;
};
#define VT_EVIDENCE_MAX 6
#define VT_ALSO_MAX 16

struct vt_finding {
	const struct vt_rule *rule;
	enum vt_severity severity;
	char *title;			/* one sentence */
	struct vt_who who;
	const struct vt_side *side;	/* on which it shows */
	const char *func;		/* kernel function it points at, or NULL */
	char *expected;
	char *seen[2];			/* by side */
	char *meaning;
	struct vt_evidence ev[VT_EVIDENCE_MAX];
	size_t nr_ev;
	char *key;			/* what makes it this finding, free of numbers that change */
	char fingerprint[17];
	uint64_t count;			/* objects or times, this one included */
	char *also[VT_ALSO_MAX];	/* the others, by name */
	size_t nr_also;
	bool suppressed, known;		/* by the gate's policy or baseline */
	const char *why_suppressed;
};

struct vt_row {
	const struct vt_rule *rule;
	enum vt_status status;
	char **why;			/* unknown: reasons; nothing to judge, not applicable: one */
	size_t nr_why;
	size_t findings;
	uint64_t subjects;		/* that were there to be looked at; where the rule is unknown, not all of them in full */
	/* Where records are missing for a part of the time only: the files that are judged all the same. */
	size_t judged;
	struct vt_who *open;		/* the others */
	size_t nr_open;
	size_t more_open;		/* of which only the number is known */
};

/* Applies, and the evidence does not reach everywhere. */
static inline bool vt_row_doubtful(const struct vt_row *r)
{
	return r->nr_why && r->status != VT_NOT_APPLICABLE && r->status != VT_NOTHING;
}

/* One line of the struct file table. */
enum vt_same { VT_SAME, VT_BY_DESIGN, VT_DIFFERS, VT_UNJUDGED };
struct vt_field_row {
	const char *name;
	char *pre, *post;
	enum vt_same same;
	const char *reason;
};
struct vt_field_table {
	struct vt_who who;
	const struct vt_side *side[2];
	struct vt_at at[2];
	const char *pt[2];
	struct vt_field_row *rows;
	size_t nr;
	uint32_t others;	/* further files of the handler whose table says the same */
};

struct vt_judgement {
	const struct vt_side *side[2];
	size_t nr_sides;
	struct vt_row *rows;		/* one per rule, in the order of vt_rules */
	struct vt_finding *findings;	/* errors, then warnings, then notes; stable order within */
	size_t nr_findings;
	size_t errors, warnings, notes;	/* suppressed and known ones not counted */
	size_t suppressed, known;
	struct vt_field_table *tables;
	size_t nr_tables;
	char **doubts;			/* each reason for an unknown, once */
	size_t nr_doubts;
	bool pair;			/* the traces are two halves of one jump */
	bool strangers;			/* ... and would be, but nothing shows that they belong together */
	char *two_updates;		/* why the traces cannot be of one update, behind a colon; NULL: they can */
	const char *nothing;		/* why there is nothing to judge, or NULL */
	enum vt_exit exit;
};

/* PRE and POST, or one trace and NULL. -ENOMEM or 0. */
int vt_judge(const struct vt_side *a, const struct vt_side *b, struct vt_judgement **out);
void vt_judgement__free(struct vt_judgement *j);
/* Again after the gate marked findings. */
void vt_judgement__settle(struct vt_judgement *j);

#endif
