/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A part of the model is what has one subject: it hears of events and of what
 * the others found out, writes its share of struct vt_side, and keeps what it
 * needs for that to itself. Parts know calls, evidence, coverage and the
 * registries; they never call each other.
 */
#ifndef VT_MODEL_PART_H
#define VT_MODEL_PART_H

#include <stddef.h>

#include "vfiotrace/model.h"

struct vt_build;
struct task;
struct frame;

/* In this order they hear of the same thing. luo.c is the first: it knows which life a call is about. */
#define PARTS(X) X(luo) X(order) X(answer) X(file) X(module) X(flb) X(kho) X(memory) X(vfio) X(df) X(iommufd) X(waiting)

/* Who hears of what is no call, and of this type; T is NULL outside of every call. */
struct heard {
	uint16_t type;
	void (*hear)(struct vt_build *b, struct task *t, const struct vt_event *e);
};

struct part {
	size_t size;		/* of what it keeps, zeroed to begin with: part_own() */
	uint32_t areas;		/* of whose calls it hears by the next two: AREA(x) | AREA(y) */
	/* A call begins: F is its frame already. */
	void (*enter)(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e);
	/* It returns. When its begin was not seen, F is in no task, and T is what is known of the task, or NULL. */
	void (*exit)(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e);
	const struct heard *points;	/* each type once; the last has none */

	/* calls.c: the call in which OBJ, a file or a df, was made has failed. */
	void (*made_failed)(struct vt_build *b, uint64_t obj, const struct vt_at *exit);
	/* calls.c: a task is leaving its outermost call, ROOT. EXIT is NULL when that was not seen. */
	void (*idle)(struct vt_build *b, struct task *t, const struct frame *root, const struct vt_event *exit);

	/* luo.c: a call of LUO or a callback begins; its session and life are known, and as they were before. */
	void (*call_begun)(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e);
	/* luo.c: it returns; the life knows what E tells of it, and is in the state that it had inside. Told of calls of these areas, 0 = of all. */
	uint32_t returned_areas;
	void (*call_returned)(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e);
	/* luo.c: E ended L before any jump: taken back, or never come to be. */
	void (*life_ended)(struct vt_build *b, struct vt_life *l, const struct vt_event *e);
	/* luo.c: nobody may point there any more. */
	void (*life_gone)(struct vt_build *b, struct vt_life *l);
	void (*session_gone)(struct vt_build *b, struct vt_session *s);

	/* All events were read. */
	void (*finalize)(struct vt_build *b);
	/* What hangs in its share of the side, and in what it keeps. */
	void (*free)(struct vt_build *b);
};

#define PART_DECLARE(name) extern const struct part part_##name;
PARTS(PART_DECLARE)
#undef PART_DECLARE
#define PART_ENUM(name) PART_##name,
enum { PARTS(PART_ENUM) NR_PARTS };
#undef PART_ENUM

#define AREA(a) (1u << VT_AREA_##a)

/* What the part NAME keeps. */
#define part_own(b, name) ((struct name##_part *)(b)->own[PART_##name])

/* Who hears of what: NULL ends each list. An event concerns a few parts only, and most calls fewer. */
struct audience {
	const struct part *enter[VT_AREA_MAX][NR_PARTS + 1], *exit[VT_AREA_MAX][NR_PARTS + 1];
	const struct heard *points[VT_EV_MAX][NR_PARTS + 1];
	const struct part *made_failed[NR_PARTS + 1], *idle[NR_PARTS + 1], *call_begun[NR_PARTS + 1];
	const struct part *call_returned[VT_AREA_MAX][NR_PARTS + 1];
	const struct part *life_ended[NR_PARTS + 1], *life_gone[NR_PARTS + 1], *session_gone[NR_PARTS + 1];
};

#define tell_all(b, what, list, ...) \
	do { \
		for (__auto_type p_ = &(list)[0]; *p_; p_++) \
			(*p_)->what(b, __VA_ARGS__); \
	} while (0)
/* Tells all that want to hear. */
#define tell_parts(b, what, ...) tell_all(b, what, (b)->audience.what, __VA_ARGS__)
/* An event of TYPE, to those that hear of its area. */
#define tell_area(b, type, what, ...) tell_all(b, what, (b)->audience.what[kind_area(type)], __VA_ARGS__)

#endif
