/* SPDX-License-Identifier: GPL-2.0 */
/* Reading the events of a VTF_PACKED block, one after the other: each is told by what is new in it. */
#ifndef VT_TRACE_PACKED_H
#define VT_TRACE_PACKED_H

#include <errno.h>
#include <string.h>

#include "trace/shape.h"

/* An event type of the file. */
struct vt_file_type {
	const char *name;	/* NULL = not declared */
	uint16_t type;		/* enum vt_event_type */
};

struct vt_packed_shape {
	uint64_t *values;	/* of the last event that has it */
	const struct vt_shape *is;	/* NULL: no event can have it, and it is never ready */
	uint64_t mask, no_field;	/* its bits, and those that are none, in the last of its bytes */
	uint64_t strs, objs;		/* bits of the fields that are text, and objects; none where the mask is wider */
	uint64_t others;		/* of more that may make no sense; all where the mask is wider */
	const char *type_name;
	enum vt_values how;
	uint16_t type;
	uint8_t phase;
	uint8_t nr;
	uint8_t mask_len;	/* bytes */
};

/* A shape as it is told, and what came of it: it is told anew in each block. */
#define VT_PACKED_TEXT	47
#define VT_PACKED_KNOWN	256	/* a power of two */
struct vt_packed_known {
	uint8_t text[VT_PACKED_TEXT];
	uint8_t len;		/* 0: none */
	struct vt_packed_shape shape;
};

struct vt_packed_thread {
	uint32_t tgid, tid;
	const char *comm;	/* NULL: impossible */
};

struct vt_packed_cpu {
	uint64_t seq;		/* the last one but 0 */
	uint16_t cpu;
};

struct vt_packed {
	const struct vt_file_type *types;	/* VTF_EVENT_IDS of them */
	const struct vt_tables *tables;
	struct vt_shapes *cache;

	/* the block */
	const uint8_t *at, *end;	/* the next event, the end of them */
	const char *strings;
	uint32_t strings_len;
	uint64_t first_value;		/* its number: values are numbered over all blocks, from 1 */

	/* what was in it so far */
	uint64_t ts_ns, seq;
	struct vt_packed_thread *thread;	/* that of the last event */
	struct vt_packed_cpu *cpu;
	uint32_t nr_shapes, nr_threads, nr_cpus, nr_values;
	uint32_t nr_short;	/* shapes whose number is of one byte */
	bool doubt;		/* there were values that made no sense, or that nobody looked at */
	struct vt_packed_shape shapes[VTF_PACKED_LIST + 1];	/* from 1, as in the block */
	struct vt_packed_thread threads[VTF_PACKED_LIST];
	struct vt_packed_cpu cpus[VTF_PACKED_LIST];
	uint64_t values[VTF_PACKED_FIELDS];
	uint64_t field_at[VTF_FIELD_IDS];	/* the value of each in the newest shape that has it, by its number */
	uint64_t seen[VTF_FIELD_IDS];	/* the shape in which it was seen last, with an error or without, by the number of its first value */

	uint64_t freed;			/* of the cache: as far as is known here */
	struct vt_packed_known known[VT_PACKED_KNOWN];
};

/* Stands before the first of the events in AT..STRINGS. What was given out of another block is gone. */
void vt_packed__enter(struct vt_packed *p, const char *at, const char *strings, uint32_t strings_len);

/*
 * Numbers are read in a row and looked at once: what cannot be one, or is not there, leads behind the end, and from there
 * nothing more is read. Strings stand behind the end, and their last byte is NUL: a number that begins before it ends there.
 */
static inline const uint8_t *vt_packed__broken(const uint8_t *end, uint64_t *n)
{
	*n = 0;
	return end + 1;
}

/* Of two bytes and more. A number is written in one way: no idle zeros at its end, nothing above its 64 bits. */
const uint8_t *vt_packed__long(const uint8_t *at, const uint8_t *end, uint64_t *n);

/* The number at AT: behind it. Most have up to three bytes. */
static inline const uint8_t *vt_packed__take(const uint8_t *at, const uint8_t *end, uint64_t *n)
{
	if (at >= end)
		return vt_packed__broken(end, n);
	if (!(*at & 0x80)) {
		*n = *at;
		return at + 1;
	}
	if (at[1] && !(at[1] & 0x80)) {
		*n = (at[0] & 0x7fu) | (uint32_t)at[1] << 7;
		return at + 2;
	}
	if (at[1] && at[2] && !(at[2] & 0x80)) {
		*n = (at[0] & 0x7fu) | (at[1] & 0x7fu) << 7 | (uint32_t)at[2] << 14;
		return at + 3;
	}
	return vt_packed__long(at, end, n);
}

/* The same with a sign. */
static inline const uint8_t *vt_packed__diff(const uint8_t *at, const uint8_t *end, uint64_t *diff)
{
	uint64_t n;

	at = vt_packed__take(at, end, &n);
	*diff = vtf_unzigzag(n);
	return at;
}

static inline uint64_t vt_packed__word(const uint8_t *at)
{
	uint64_t w;

	memcpy(&w, at, sizeof(w));
	return w;
}

/* The number OFF the one that is due. 0 is none. */
static inline void vt_packed__count(struct vt_packed *p, uint64_t off)
{
	p->seq = p->cpu->seq + 1 + off;
	if (p->seq)
		p->cpu->seq = p->seq;
}

/* The lowest of BITS is that of VALUES[0]. */
static inline const uint8_t *vt_packed__values(const uint8_t *at, const uint8_t *end, uint64_t bits, uint64_t *values)
{
	for (; bits; bits &= bits - 1) {
		uint64_t diff;

		at = vt_packed__diff(at, end, &diff);
		values[__builtin_ctzll(bits)] += diff;
	}
	return at;
}

/* What is not in every event. Its shape: *AT moves behind it. */
int vt_packed__shape(struct vt_packed *p, const uint8_t **at, struct vt_packed_shape **s);
/* The first bits of a mask near the end, with those that mean no field where there is none. */
uint64_t vt_packed__last_mask(const struct vt_packed_shape *s, const uint8_t *at, const uint8_t *end);
/* What is mostly as it was, or as it was due. */
const uint8_t *vt_packed__seldom(struct vt_packed *p, const uint8_t *at, uint64_t news);
/* Values whose bits are behind the first 64 of the mask. */
const uint8_t *vt_packed__wide(const struct vt_packed_shape *s, const uint8_t *mask, const uint8_t *at, const uint8_t *end);
/* Says of S how its values are. */
void vt_packed__judge(struct vt_packed *p, struct vt_packed_shape *s);

/* Is S, which was ready, to be judged again for its NEWS? */
static inline bool vt_packed__strange(const struct vt_packed *p, const struct vt_packed_shape *s, uint64_t news)
{
	bool strange = news & s->others;

	for (uint64_t m = news & s->strs; m; m &= m - 1)
		strange |= s->values[__builtin_ctzll(m) - VTF_NEW_FIELDS] >= p->strings_len;
	for (uint64_t m = news & s->objs; m; m &= m - 1)
		strange |= !vt_shape__is_ours(p->tables, s->values[__builtin_ctzll(m) - VTF_NEW_FIELDS]);
	return strange;
}

/* As far as they make sense. */
static inline int vt_packed__give(const struct vt_packed *p, const struct vt_packed_shape *s, struct vt_event *e)
{
	e->ts_ns = p->ts_ns;
	e->seq = p->seq;
	e->tgid = p->thread->tgid;
	e->tid = p->thread->tid;
	e->comm = p->thread->comm;
	e->cpu = p->cpu->cpu;
	e->type = s->type;
	e->type_name = s->type_name;
	e->phase = s->phase;
	return vt_shape__give(s->is, p->tables, s->values, s->how, p->strings, e);
}

/*
 * The event at p->at, which is before the end, into E, all but its index and its block; its values stay until the next call.
 * 1, 0 when it makes no sense and the next one stands behind it, -EBADMSG when nobody knows where that is, -ENOMEM.
 */
static __attribute__((always_inline)) inline int vt_packed__next(struct vt_packed *p, struct vt_event *e)
{
	const uint8_t *at = p->at, *end = p->end, *mask;
	struct vt_packed_shape *s = &p->shapes[*at];
	uint64_t news, diff;

	/* Mostly one of the first that the block has. */
	if ((uint32_t)*at - 1 < p->nr_short) {
		at++;
	} else {
		int ret = vt_packed__shape(p, &at, &s);

		if (ret)
			return ret;
	}
	mask = at;
	news = end - at < (ptrdiff_t)sizeof(news) ? vt_packed__last_mask(s, at, end) : vt_packed__word(at);
	if (news & s->no_field)
		return -EBADMSG;
	news &= s->mask;
	at = vt_packed__diff(at + s->mask_len, end, &diff);
	p->ts_ns += diff;
	if (news & (VTF_NEW_THREAD | VTF_NEW_CPU | VTF_NEW_SEQ))
		at = vt_packed__seldom(p, at, news);
	else
		vt_packed__count(p, 0);
	at = vt_packed__values(at, end, news >> VTF_NEW_FIELDS, s->values);
	if (s->mask_len > 8) {
		at = vt_packed__wide(s, mask, at, end);
		news = ~0ULL;
	}
	if (at > end)
		return -EBADMSG;
	p->at = at;
	if (s->how != VT_VALUES_READY || vt_packed__strange(p, s, news))
		vt_packed__judge(p, s);
	return p->thread->comm ? vt_packed__give(p, s, e) : 0;
}

#endif
