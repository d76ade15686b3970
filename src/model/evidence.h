/* SPDX-License-Identifier: GPL-2.0 */
/* What is kept of an event, and of whom it is about: the builder's words for facts. */
#ifndef VT_MODEL_EVIDENCE_H
#define VT_MODEL_EVIDENCE_H

#include "model/map.h"
#include "model/strings.h"
#include "vfiotrace/model.h"

struct vt_build;

/* Facts of one kind, of one handler, at one function. */
struct fact_run {
	size_t first;	/* of those that are kept */
	size_t kept;
};
#define VT_FACT_RUNS 4096

struct evidence {
	struct vt_strings strings;
	struct vt_strings comms;	/* names of threads: shown, never compared, and there may be many */
	const char *func[VT_EV_MAX];	/* kernel function that last showed a type */
	struct vt_fact sink;		/* for what is not kept */
	struct vt_map runs;		/* struct fact_run, by what the fact is of */
	size_t cap_facts;
};

const char *intern(struct vt_build *b, const char *s);	/* NULL stays NULL */
void at_set(struct vt_build *b, struct vt_at *at, const struct vt_event *e);
/* Grows *ARRAY so that one more fits; false and b->err when it cannot. */
bool grow(struct vt_build *b, void *array, size_t *cap, size_t nr, size_t size);
struct vt_who who_life(struct vt_build *b, const struct vt_life *l);
struct vt_who who_session(struct vt_build *b, const struct vt_session *s);
struct vt_fact *fact(struct vt_build *b, enum vt_fact_kind k, struct vt_who who, const struct vt_at *at);
/* The same, where WHAT tells one finding from another beside kind, handler and function. */
struct vt_fact *fact_of(struct vt_build *b, enum vt_fact_kind k, struct vt_who who, const struct vt_at *at, uint64_t what);
void evidence_free(struct vt_build *b);

/* ret present and negative */
static inline bool is_err(const struct vt_event *e)
{
	int64_t ret;

	return vt_ev_s64(e, VT_F_RET, &ret) && ret < 0;
}

#endif
