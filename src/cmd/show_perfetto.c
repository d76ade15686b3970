// SPDX-License-Identifier: GPL-2.0
/* The view for ui.perfetto.dev and chrome://tracing: their trace event format. */
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <string.h>

#include "cmd/show.h"

/* Processes of the second kernel are others, even where their numbers are the same. */
#define OTHER_KERNEL 10000000u

struct perfetto {
	struct vt_jsonw w;
	struct vt_tasks tasks;
	const struct vt_shown *of;	/* the trace that is being written */
	uint32_t shift;			/* of its processes */
	int64_t later_ns;		/* of its clock */
	bool both;
};

/* The common part of a record; PH as in the trace event format. Left open for more members. */
static void record_at(struct perfetto *p, const char *name, const char *ph, uint64_t ts_ns, uint32_t tgid, uint32_t tid)
{
	struct vt_jsonw *w = &p->w;
	uint64_t ns = ts_ns + (uint64_t)p->later_ns;

	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, "name", name);
	vt_jsonw__str(w, "ph", ph);
	/* microseconds there */
	fprintf(vt_jsonw__value(w, "ts"), "%" PRIu64 ".%03u", ns / 1000, (unsigned int)(ns % 1000));
	vt_jsonw__u64(w, "pid", tgid);
	vt_jsonw__u64(w, "tid", tid);
}

static void record(struct perfetto *p, const char *name, const char *ph, const struct vt_event *e)
{
	record_at(p, name, ph, e->ts_ns, e->tgid + p->shift, e->tid + p->shift);
}

static void with_fields(struct perfetto *p, const struct vt_event *e)
{
	vt_show__json_fields(&p->w, "args", p->of->t, e);
	vt_jsonw__end(&p->w);
}

static void name_one(struct perfetto *p, const char *what, const struct vt_event *e)
{
	const char *label = p->of->g.label;
	char name[128];

	snprintf(name, sizeof(name), "%s%s%s", label ? label : "", label ? ": " : "", e->comm);
	record(p, what, "M", e);
	vt_jsonw__object(&p->w, "args");
	vt_jsonw__str(&p->w, "name", name);
	vt_jsonw__end(&p->w);
	vt_jsonw__end(&p->w);
}

static void name_thread(struct perfetto *p, struct vt_task *task, const struct vt_event *e)
{
	if (!strncmp(task->comm, e->comm, sizeof(task->comm) - 1))
		return;
	strncpy(task->comm, e->comm, sizeof(task->comm) - 1);
	name_one(p, "process_name", e);
	name_one(p, "thread_name", e);
}

static void instant(struct perfetto *p, const struct vt_event *e)
{
	record(p, e->type_name, "i", e);
	vt_jsonw__str(&p->w, "s", "t");
	with_fields(p, e);
}

/* An arrow from the call that preserves a file to the one that retrieves it. */
static void flow(struct perfetto *p, const struct vt_event *e)
{
	const char *session = vt_ev_str(e, VT_F_SESSION);
	bool out = e->type == VT_EV_LUO_PRESERVE;
	uint64_t token;
	char id[300];

	if (!p->both || (!out && e->type != VT_EV_LUO_RETRIEVE) || !session || !vt_ev_u64(e, VT_F_TOKEN, &token))
		return;
	snprintf(id, sizeof(id), "%s/0x%" PRIx64, session, token);
	record(p, "preserved file", out ? "s" : "f", e);
	vt_jsonw__str(&p->w, "cat", "live update");
	vt_jsonw__str(&p->w, "id", id);
	if (!out)
		vt_jsonw__str(&p->w, "bp", "e");
	vt_jsonw__end(&p->w);
}

/* Calls that go into the jump end with the kernel. */
static bool lasts(const struct vt_event *e)
{
	return !strncmp(e->type_name, "reboot", 6);
}

static void end_slice(struct perfetto *p, const char *type, uint64_t ts_ns, uint32_t tgid, uint32_t tid)
{
	record_at(p, type, "E", ts_ns, tgid, tid);
	vt_jsonw__end(&p->w);
}

/*
 * Begin and end must pair per thread. An end without a begin is an instant, and
 * so is a begin without an end; what a lost end left open is closed with what
 * is around it.
 */
static int one_event(struct perfetto *p, const struct vt_event *e)
{
	struct vt_task *task = vt_tasks__get(&p->tasks, e);
	unsigned int call;

	if (!task)
		return -ENOMEM;
	name_thread(p, task, e);
	if (e->phase == VT_ENTER && (lasts(e) || !vt_show__open(&p->of->g, e)) && vt_task__enter(task, e, (void *)(uintptr_t)e->tgid)) {
		record(p, e->type_name, "B", e);
		with_fields(p, e);
		flow(p, e);
		return 0;
	}
	call = e->phase == VT_EXIT ? vt_task__match(task, e) : 0;
	if (!call) {
		instant(p, e);
		return 0;
	}
	while (task->depth > call)
		end_slice(p, task->calls[--task->depth].type, e->ts_ns, e->tgid + p->shift, e->tid + p->shift);
	task->depth--;
	record(p, e->type_name, "E", e);
	with_fields(p, e);
	return 0;
}

static void end_task(const void *node, VISIT visit, void *arg)
{
	const struct vt_task *task = *(struct vt_task *const *)node;
	struct perfetto *p = arg;

	for (unsigned int i = visit == postorder || visit == leaf ? task->depth : 0; i; i--)
		end_slice(p, task->calls[i - 1].type, p->of->g.last_ns, (uint32_t)(uintptr_t)task->calls[i - 1].data + p->shift, task->tid + p->shift);
}

static int one_trace(struct perfetto *p, struct vt_shown *s, FILE *f)
{
	struct vt_event e;
	int ret = 0;

	p->of = s;
	while (!ferror(f) && (ret = vt_show__next(s, &e)) > 0) {
		ret = one_event(p, &e);
		if (ret)
			break;
	}
	twalk_r(p->tasks.root, end_task, p);
	vt_tasks__free(&p->tasks);
	return ret;
}

/* Where the second kernel's clock stands on the first one's: by the wall clock where that is told and possible, else a second behind. */
static int64_t jump_ns(const struct vt_glance *pre, const struct vt_glance *post)
{
	int64_t at = (int64_t)pre->first_ns + post->utc_ns - pre->utc_ns;

	if (!pre->utc_ns || !post->utc_ns || at <= (int64_t)pre->last_ns)
		at = (int64_t)pre->last_ns + 1000000000;
	return at - (int64_t)post->first_ns;
}

static void the_jump(struct perfetto *p, const struct vt_glance *pre, const struct vt_glance *post)
{
	record_at(p, "process_name", "M", pre->last_ns, 0, 0);
	vt_jsonw__object(&p->w, "args");
	vt_jsonw__str(&p->w, "name", "the live update");
	vt_jsonw__end(&p->w);
	vt_jsonw__end(&p->w);
	record_at(p, "jump", "B", pre->last_ns, 0, 0);
	vt_jsonw__end(&p->w);
	p->later_ns = jump_ns(pre, post);
	end_slice(p, "jump", post->first_ns, 0, 0);
}

int vt_show__perfetto(FILE *f, struct vt_shown *s, size_t nr)
{
	struct perfetto p = { .both = nr == 2 };
	int ret;

	vt_jsonw__begin(&p.w, f, VT_JSONW_COMPACT);
	vt_jsonw__object(&p.w, NULL);
	vt_jsonw__str(&p.w, "displayTimeUnit", "ns");
	vt_show__json_meta(&p.w, "otherData", s[0].t);
	vt_jsonw__rows(&p.w, "traceEvents", 0);
	ret = one_trace(&p, &s[0], f);
	if (nr == 2 && !ret) {
		the_jump(&p, &s[0].g, &s[1].g);
		p.shift = OTHER_KERNEL;
		ret = one_trace(&p, &s[1], f);
	}
	vt_jsonw__end_line(&p.w, 0);
	vt_jsonw__end(&p.w);
	fputc('\n', f);
	return ferror(f) ? 0 : ret;
}
