/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a command says, in numbers, and the law that two verdicts obey when one
 * of them rests on less.
 */
#ifndef MONOTONE_VERDICT_H
#define MONOTONE_VERDICT_H

#include "take.h"

enum asked { DIFF, CHECK_PRE, CHECK_POST, GATE, GATE_KNOWN, GATE_NEW, ASKED_MAX };
const char *asked_name(enum asked a);

#define RULES_MAX 64
#define FOUND_MAX 64
#define WHO_MAX 192

struct found {
	uint8_t rule, severity;
	bool all_named;		/* objects names all that it is about */
	char fingerprint[17];
	char object[WHO_MAX];	/* the one it speaks of */
	char (*also)[WHO_MAX];	/* the others */
	size_t nr_also;
	char title[160];
};

struct verdict {
	int exit;
	bool told;		/* rules and findings are known; else only the exit code */
	uint8_t status[RULES_MAX];
	struct found found[FOUND_MAX];
	size_t nr;
};

/* What the gate is measured against. */
struct gate_files {
	const char *policy, *known, *fresh;	/* empty; all that the whole evidence shows; the same without its findings */
};

void verdict__of(enum asked a, int pre_fd, int post_fd, const struct gate_files *g, struct verdict *v);
void verdict__clear(struct verdict *v);
bool verdict__same(const struct verdict *a, const struct verdict *b);
/* The baseline of a pair, with or without its findings, into PATH. False when the gate gives none. */
bool verdict__baseline(int pre_fd, int post_fd, const char *path, bool findings);
const char *exit_name(int code);
const char *rule_name(int rule);	/* NULL past the last one; of -1: "the verdict" */
const char *severity_name(uint8_t severity);
const char *status_name(uint8_t status);

/* X(ID, "what is wrong") */
#define LAWS(X) \
	X(INVENTED, "a finding that the whole evidence does not have") \
	X(WORSE, "a finding is worse than with the whole evidence") \
	X(CLEAN, "findings have become clean") \
	X(SURE, "inconclusive has become clean") \
	X(NOTHING, "there was something to judge, and it is said that there is nothing") \
	X(PASSED, "a rule that found something passes") \
	X(DROPPED, "a rule that found something is said not to apply") \
	X(RULE_SURE, "a rule that was unknown passes") \
	X(EMPTIED, "a rule that judged something is said to have had nothing") \
	X(REFUSED, "what was judged is refused") \
	X(FOUND_IN_OTHER, "two updates are judged as one: findings") \
	X(CLEAN_OTHER, "two updates are judged as one: clean") \
	X(GATE_FAILS, "the gate fails on less than what it let pass")
#define LAW_ENUM(id, what) LAW_##id,
enum law { LAWS(LAW_ENUM) LAW_MAX };
#undef LAW_ENUM
const char *law_text(enum law l);

struct breach {
	enum law law;
	int rule;		/* -1: of the verdict as a whole */
	const char *title;	/* of the finding, or "" */
};
#define BREACHES_MAX 64

/* What the kind of taking away lets a verdict do. */
struct leeway {
	bool other;	/* the files are of two updates */
	bool alone;	/* one file instead of two: another question */
	bool over;	/* nothing of LUO's is among what is taken, and the recorder began or ended in order: what was before, or comes later, is another recording's */
	bool demands;	/* the gate's baseline asks for the coverage that the whole has, and there is a doubt: by design */
	bool shorter;	/* another time was recorded, or one kernel: of that it is true that a rule had nothing to judge */
	bool unheard;	/* the recorder began later, and nothing was found but what had waited since before */
	bool nothing;	/* before anything happened, or after all of it: the recorder ended in order before anything happened */
};
/* All that was found is that sessions wait when the next update begins. */
bool verdict__only_waiting(const struct verdict *v);
/* Of a pair that is of two updates: what check of either file shows by itself is true of it. */
void verdict__without(struct verdict *v, const struct verdict *alone);
size_t law__breaches(const struct verdict *whole, const struct verdict *less, struct leeway l, struct breach *out);

#endif
