/* SPDX-License-Identifier: GPL-2.0 */
/* The views of `vfiotrace show`. Each reads all events of a rewound trace; 0 or a negative errno. */
#ifndef VT_CMD_SHOW_H
#define VT_CMD_SHOW_H

#include <stdio.h>

#include "trace/json_writer.h"
#include "trace/print.h"

/* Facts from a first pass. */
struct vt_glance {
	uint64_t events;
	uint64_t first_ns, last_ns;	/* earliest and latest event */
	uint64_t lost;			/* sum of the loss records */
};

int vt_show__text(FILE *f, struct vt_trace *t, const struct vt_glance *g);
int vt_show__timeline(FILE *f, struct vt_trace *t, const struct vt_glance *g);
int vt_show__json(FILE *f, struct vt_trace *t, const struct vt_glance *g);
int vt_show__perfetto(FILE *f, struct vt_trace *t, const struct vt_glance *g);

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
void vt_show__time(FILE *f, const struct vt_glance *g, uint64_t ts_ns);
const char *vt_show__arrow(const struct vt_event *e);
void vt_show__fields(FILE *f, const struct vt_trace *t, const struct vt_event *e);
void vt_show__json_meta(struct vt_jsonw *w, const char *key, const struct vt_trace *t);
void vt_show__json_fields(struct vt_jsonw *w, const char *key, const struct vt_trace *t, const struct vt_event *e);

/* ---- show_tasks.c ---- */

/* What each task is inside of: calls that were entered and not left yet. */
#define VT_CALLS_MAX 64

struct vt_call {
	const char *type;	/* vt_event.type_name: lives as long as the trace, the same pointer for the same type */
	uint64_t ts_ns;
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
void vt_tasks__free(struct vt_tasks *tasks);

#endif
