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

#include "model/spans.h"
#include "vfiotrace/exit.h"
#include "vfiotrace/model.h"

enum vt_severity { VT_NOTE, VT_WARNING, VT_ERROR };
const char *vt_severity_name(enum vt_severity s);

enum vt_status { VT_PASS, VT_FOUND, VT_UNKNOWN, VT_NOT_APPLICABLE };
const char *vt_status_name(enum vt_status s);

struct vt_ctx;
struct vt_telling;

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

struct vt_rule {
	const char *id;
	const char *name;		/* short, for headings */
	enum vt_severity severity;	/* the worst it reports */
	enum vt_subject subject;
	enum vt_calls by_call;		/* rests on which call and which file an event belongs to */
	bool lasts;			/* what comes after the end of a file's life can still put it right */
	bool sums;			/* adds up over all files: what was missed once is missing ever after */
	struct vt_need needs[16];
	uint16_t also[8];		/* what it uses where a hook shows it: only its loss leaves the rule open */
	const struct vt_telling *tells;	/* facts that are findings (rules/facts.h) */
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
	char **why;			/* unknown: reasons; not applicable: one */
	size_t nr_why;
	size_t findings;
	/* Where records are missing for a part of the time only: the files that are judged all the same. */
	size_t judged;
	struct vt_who *open;		/* the others */
	size_t nr_open;
	size_t more_open;		/* of which only the number is known */
};

/* Applies, and the evidence does not reach everywhere. */
static inline bool vt_row_doubtful(const struct vt_row *r)
{
	return r->nr_why && r->status != VT_NOT_APPLICABLE;
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
	const char *nothing;		/* why there is nothing to judge, or NULL */
	enum vt_exit exit;
};

/* PRE and POST, or one trace and NULL. -ENOMEM or 0. */
int vt_judge(const struct vt_side *a, const struct vt_side *b, struct vt_judgement **out);
void vt_judgement__free(struct vt_judgement *j);
/* L went from one kernel to the next. */
bool vt_crossed(const struct vt_judgement *j, const struct vt_life *l);
/* Again after the gate marked findings. */
void vt_judgement__settle(struct vt_judgement *j);

/* ---- for rules ---- */

struct vt_ctx {
	struct vt_judgement *j;
	const struct vt_rule *rule;
	struct vt_row *row;
	struct vt_spans blind[2];	/* when events that the rule needs may be missing: absence proves nothing */
	struct vt_spans torn[2];	/* when calls were lost: an event may have been taken for another call's */
	bool cut[2];		/* what came at the end is unknown */
	int err;
};
#define VT_EACH_SIDE(c, i) for (size_t i = 0; i < (c)->j->nr_sides; i++)

/* Nothing that the rule needs is missing on SIDE in that time, nor can an event have been taken for another call's. */
bool vt_clear(const struct vt_ctx *c, size_t side, uint64_t from_ns, uint64_t to_ns);
/* An event of that time may have been taken for another call's. */
bool vt_torn(const struct vt_ctx *c, size_t side, uint64_t from_ns, uint64_t to_ns);
/* The same for all that LUO did with L on SIDE. */
bool vt_life_torn(const struct vt_ctx *c, size_t side, const struct vt_life *l);

/* A new finding, or the one with the same KEY, then counted up and NULL returned. KEY is printf-like. */
struct vt_finding *vt_find(struct vt_ctx *c, enum vt_severity sev, size_t side, const struct vt_who *who,
			   const char *key, ...) __attribute__((format(printf, 5, 6)));
/* One object more that the finding is about. */
void vt_also(struct vt_finding *f, const struct vt_who *who);
void vt_text(struct vt_ctx *c, char **to, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void vt_proof(struct vt_ctx *c, struct vt_finding *f, size_t side, const struct vt_at *at, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* The rule cannot say, and why. */
void vt_doubt(struct vt_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "session vm0 token 0x1 (vfio-pci-v1, 0000:00:03.0)" in BUF. */
const char *vt_who_str(const struct vt_who *w, char *buf, size_t size);
struct vt_who vt_who_of(const struct vt_life *l);
/* The function that an event shows, or its type's name. */
const char *vt_at_func(const struct vt_at *at);
bool vt_side_outgoing(const struct vt_side *s);
bool vt_side_incoming(const struct vt_side *s);
bool vt_side_vfio(const struct vt_side *s);
/* Both traces belong to one jump: the first reaches it, or what it held at its torn end arrives in the second. */
bool vt_pair_fits(const struct vt_ctx *c);
/* "0xc" -> "ENOMEM" where known, else the number, in BUF. */
const char *vt_errno_str(int64_t ret, char *buf, size_t size);

#endif
