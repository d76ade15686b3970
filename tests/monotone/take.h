/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What can be taken away from a recorded update, and how: one row each of the
 * ways in which a recorder, a kernel or a disk leaves less behind.
 *
 * Each kind has places (a hook, a block, ...), and at each place amounts from 1
 * on: the more, the more is taken. Kinds that lose single records say which.
 */
#ifndef MONOTONE_TAKE_H
#define MONOTONE_TAKE_H

#include <stdio.h>

#include "tale.h"

/* X(ID, "name", "what it is") */
#define TAKE_KINDS(X) \
	X(ABSENT_FUNC, "absent-func", "one function is not hooked") \
	X(ABSENT_HALF, "absent-half", "the entry of a function is not hooked, or its return") \
	X(ABSENT_TYPE, "absent-type", "no hook shows one type of event") \
	X(ABSENT_HANDLER, "absent-handler", "one handler's callbacks are not hooked") \
	X(LATE_FUNC, "late-func", "one function is hooked late") \
	X(LATE_HALF, "late-half", "the entry of a function is hooked late, or its return") \
	X(LATE_TYPE, "late-type", "all hooks that show one type of event come late") \
	X(LATE_HANDLER, "late-handler", "one handler's callbacks are hooked late") \
	X(MISSED, "missed", "a hook missed hits, and counted them") \
	X(LOST_EXACT, "lost-exact", "records were lost; the trace says of which type, how many, between which times") \
	X(LOST_WIDE, "lost-wide", "the same, the times are not known") \
	X(LOST_UNTYPED, "lost-untyped", "the same, not even the type is known") \
	X(CUT, "cut", "the file is cut at a byte") \
	X(ZEROED, "zeroed", "zeros from a byte to the end, as a disk leaves them that lost power") \
	X(TORN, "torn", "a byte in a block is another one") \
	X(TORN_HEAD, "torn-head", "a byte in the header of a block is another one") \
	X(HOLLOW, "hollow", "a block is zeros") \
	X(DROPPED, "dropped", "a block is not there") \
	X(STARTED, "started", "the recorder was started late") \
	X(ENDED, "ended", "the recorder was ended early, in order") \
	X(KILLED, "killed", "the recorder was killed early") \
	X(EMPTY, "empty", "the recorder was killed before it saw anything") \
	X(ALONE, "alone", "one of two files") \
	X(OTHER, "other", "the other file is of another update") \
	X(UNSAID, "unsaid", "records were lost, and only their numbers tell")
#define TAKE_ENUM(id, name, what) TAKE_##id,
enum take_kind { TAKE_KINDS(TAKE_ENUM) TAKE_MAX };
#undef TAKE_ENUM

const char *take_name(enum take_kind k);
const char *take_what(enum take_kind k);
/* TAKE_MAX when there is none of that name. */
enum take_kind take_by_name(const char *name);

#define TAKE_LIST_MAX 512

struct take {
	enum take_kind kind;
	int side;
	uint32_t place, amount;
	uint32_t list[TAKE_LIST_MAX];	/* events, for kinds that lose single ones */
	uint32_t nr;
};

struct random {
	uint64_t state;
};
uint32_t random__below(struct random *r, uint32_t n);

/* How many places KIND has in T, and how much can be taken at one. */
uint32_t take__places(enum take_kind k, const struct tale *t);
uint32_t take__amounts(enum take_kind k, const struct tale *t, uint32_t place);
/* Kinds whose events are chosen one by one. */
bool take__has_list(enum take_kind k);
void take__choose(struct take *k, const struct tale *t, struct random *r);

/* What is left goes to FD. */
void take__apply(const struct take *k, const struct tale *t, int fd);
/* Whether something of LUO's is among what is taken (of an orderly end: whether the update was not over). */
bool take__of_luo(const struct take *k, const struct tale *t);
/* Whether nothing of LUO's is left. */
bool take__all_of_luo(const struct take *k, const struct tale *t);

/* "late-func:post:3:1" or "lost-exact:pre:0:2:17,18"; and what it means. */
void take__print(const struct take *k, FILE *to);
bool take__parse(struct take *k, const char *s);
void take__explain(const struct take *k, const struct tale *t, FILE *to);

#endif
