/* SPDX-License-Identifier: GPL-2.0 */
/* The views of `vfiotrace show`. Each reads all events of rewound traces; 0 or a negative errno. */
#ifndef VT_CMD_SHOW_H
#define VT_CMD_SHOW_H

#include <stdio.h>

#include "trace/json_writer.h"
#include "trace/print.h"

/* How moments are told. */
enum vt_clock {
	VT_CLOCK_BOOT,	/* as in a report's evidence, and about as in dmesg */
	VT_CLOCK_START,	/* since the first event */
	VT_CLOCK_UTC,	/* of the wall, as exact as the second in which the recording began */
};

/* Which events: those that fit all that is given. */
#define VT_RANGES_MAX 64
struct vt_sources;
struct vt_source;
struct vt_filter {
	const char *session, *type, *func, *task;	/* globs; NULL: any. task: its name or its number */
	bool has_token;
	uint64_t token;
	uint64_t from_ns, to_ns;
	struct { uint64_t from, to; } index[VT_RANGES_MAX];	/* none: any */
	size_t nr_index;
};
bool vt_filter__takes(const struct vt_filter *f, const struct vt_event *e);
/* "50,52,60-70", each with CONTEXT events before and after. false when it is none. */
bool vt_filter__index(struct vt_filter *f, const char *text, uint64_t context);
/* "18.598903" and such: seconds, as in the evidence. */
bool vt_filter__time(const char *text, bool end, uint64_t *ns);

/* A trace, and facts from a first pass. */
struct vt_glance {
	const char *label;		/* "PRE", "POST"; NULL for one alone */
	uint64_t events;
	uint64_t first_ns, last_ns;	/* earliest and latest event */
	uint64_t lost;			/* sum of the loss records */
	uint64_t *open;			/* entries that nothing leaves, by index, ascending */
	size_t nr_open, room_open;
	enum vt_clock clock;
	int64_t utc_ns;			/* of the first event */
	const struct vt_filter *filter;
	struct vt_sources *sources;	/* or NULL */
};
struct vt_shown {
	struct vt_trace *t;
	struct vt_glance g;
};

int vt_show__text(FILE *f, struct vt_shown *s, size_t nr);
int vt_show__timeline(FILE *f, struct vt_shown *s, size_t nr);
int vt_show__json(FILE *f, struct vt_shown *s, size_t nr);
int vt_show__perfetto(FILE *f, struct vt_shown *s, size_t nr);
int vt_show__trackevent(FILE *f, struct vt_shown *s, size_t nr);

/* What stands above the views for people. */
void vt_show__summary(FILE *f, const struct vt_trace *t, const struct vt_glance *g);

/* Parts of a trace that can be asked for by themselves. */
struct vt_parts {
	bool meta, probes, loss;
};
void vt_show__text_parts(FILE *f, const struct vt_trace *t, const struct vt_glance *g, const struct vt_parts *parts);
/* With all of them: what comes before damage and events in the JSON view. */
void vt_show__json_parts(FILE *f, const struct vt_trace *t, const struct vt_glance *g, const struct vt_parts *parts);

/* ---- what views share: show_parts.c ---- */

/* Numbers that are missing, as a loss that somebody told of. */
struct vt_unsaid_text {
	struct vt_loss loss;
	char why[96];
};
const struct vt_loss *vt_show__unsaid(const struct vt_unsaid *u, struct vt_unsaid_text *to);
/* As vt_trace__next(), of those that the filter takes. */
int vt_show__next(struct vt_shown *s, struct vt_event *e);
void vt_show__time(FILE *f, const struct vt_glance *g, uint64_t ts_ns);
/* E is entered, and nothing ever leaves it: there is no stretch of time to draw. */
bool vt_show__open(const struct vt_glance *g, const struct vt_event *e);
const char *vt_show__arrow(const struct vt_event *e);
void vt_show__fields(FILE *f, const struct vt_trace *t, const struct vt_event *e);
/* Where the call site of E is in the sources; NULL: it has none, or that is not known. */
const struct vt_source *vt_show__source(const struct vt_glance *g, const struct vt_trace *t, const struct vt_event *e);
void vt_show__json_meta(struct vt_jsonw *w, const char *key, const struct vt_trace *t);
void vt_show__json_fields(struct vt_jsonw *w, const char *key, const struct vt_trace *t, const struct vt_event *e);

/* ---- show_tasks.c ---- */

/* What each task is inside of: calls that were entered and not left yet. */
#define VT_CALLS_MAX 64

struct vt_call {
	const char *type;	/* vt_event.type_name: lives as long as the trace, the same pointer for the same type */
	uint64_t ts_ns;
	uint64_t index;
	void *data;		/* the view's */
};

struct vt_task {
	uint32_t tid;
	char comm[64];		/* last seen */
	unsigned int depth;	/* calls[] in use */
	struct vt_call calls[VT_CALLS_MAX];
};

struct vt_tasks { void *root; };

/* The task of E, made when new; NULL without memory. */
struct vt_task *vt_tasks__get(struct vt_tasks *tasks, const struct vt_event *e);
/* Notes that E is entered; false when it is too deep to follow. */
bool vt_task__enter(struct vt_task *task, const struct vt_event *e, void *data);
/* The call that E leaves, 1-based from the outside; 0 when it was never entered. The caller sets depth. */
unsigned int vt_task__match(const struct vt_task *task, const struct vt_event *e);
/* The first pass: what E leaves, and what it shows to be open for good, goes into G. -ENOMEM or 0. */
int vt_tasks__glance(struct vt_tasks *tasks, const struct vt_event *e, struct vt_glance *g);
/* And what is open at the end. */
int vt_tasks__glance_end(struct vt_tasks *tasks, struct vt_glance *g);
void vt_tasks__free(struct vt_tasks *tasks);

#endif
