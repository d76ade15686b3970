// SPDX-License-Identifier: GPL-2.0
/* The view for ui.perfetto.dev and chrome://tracing: their trace event format. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cmd/show.h"

struct perfetto {
	struct vt_jsonw w;
	struct vt_tasks tasks;
};

/* The common part of a record; PH as in the trace event format. Left open for more members. */
static void record(struct vt_jsonw *w, const char *name, const char *ph, const struct vt_event *e)
{
	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, "name", name);
	vt_jsonw__str(w, "ph", ph);
	/* microseconds there */
	fprintf(vt_jsonw__value(w, "ts"), "%" PRIu64 ".%03u", e->ts_ns / 1000, (unsigned int)(e->ts_ns % 1000));
	vt_jsonw__u64(w, "pid", e->tgid);
	vt_jsonw__u64(w, "tid", e->tid);
}

static void with_fields(struct vt_jsonw *w, const struct vt_trace *t, const struct vt_event *e)
{
	vt_show__json_fields(w, "args", t, e);
	vt_jsonw__end(w);
}

static void name_thread(struct vt_jsonw *w, struct vt_task *task, const struct vt_event *e)
{
	if (!strncmp(task->comm, e->comm, sizeof(task->comm) - 1))
		return;
	strncpy(task->comm, e->comm, sizeof(task->comm) - 1);
	record(w, "thread_name", "M", e);
	vt_jsonw__object(w, "args");
	vt_jsonw__str(w, "name", e->comm);
	vt_jsonw__end(w);
	vt_jsonw__end(w);
}

static void instant(struct vt_jsonw *w, const struct vt_trace *t, const struct vt_event *e)
{
	record(w, e->type_name, "i", e);
	vt_jsonw__str(w, "s", "t");
	with_fields(w, t, e);
}

/* Begin and end must pair per thread. An end without a begin is an instant; what a lost end left open is closed with it. */
static int one_event(struct perfetto *p, const struct vt_trace *t, const struct vt_event *e)
{
	struct vt_task *task = vt_tasks__get(&p->tasks, e);
	struct vt_jsonw *w = &p->w;
	unsigned int call;

	if (!task)
		return -ENOMEM;
	name_thread(w, task, e);
	if (e->phase == VT_ENTER && vt_task__enter(task, e, NULL)) {
		record(w, e->type_name, "B", e);
		with_fields(w, t, e);
		return 0;
	}
	call = e->phase == VT_EXIT ? vt_task__match(task, e) : 0;
	if (!call) {
		instant(w, t, e);
		return 0;
	}
	while (task->depth > call) {
		record(w, task->calls[--task->depth].type, "E", e);
		vt_jsonw__end(w);
	}
	task->depth--;
	record(w, e->type_name, "E", e);
	with_fields(w, t, e);
	return 0;
}

int vt_show__perfetto(FILE *f, struct vt_trace *t, const struct vt_glance *g)
{
	struct perfetto p = {};
	struct vt_event e;
	int ret = 0;

	vt_jsonw__begin(&p.w, f, VT_JSONW_COMPACT);
	vt_jsonw__object(&p.w, NULL);
	vt_jsonw__str(&p.w, "displayTimeUnit", "ns");
	vt_show__json_meta(&p.w, "otherData", t);
	vt_jsonw__rows(&p.w, "traceEvents", 0);
	while (!ferror(f) && (ret = vt_trace__next(t, &e)) > 0) {
		ret = one_event(&p, t, &e);
		if (ret)
			break;
	}
	vt_jsonw__end_line(&p.w, 0);
	vt_jsonw__end(&p.w);
	fputc('\n', f);
	vt_tasks__free(&p.tasks);
	return ferror(f) ? 0 : ret;
}
