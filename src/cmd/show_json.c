// SPDX-License-Identifier: GPL-2.0
/* Views for machines: JSON lines, and the JSON that Perfetto and chrome://tracing load. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cmd/show.h"
#include "trace/print.h"

static const char *phase_name(const struct vt_event *e)
{
	return e->phase == VT_ENTER ? "enter" : e->phase == VT_EXIT ? "exit" : "point";
}

static void member(FILE *f, const char *name, const char *value)
{
	fprintf(f, ",\"%s\":", name);
	vt_json__str(f, value);
}

static void number(FILE *f, const char *name, uint64_t value)
{
	fprintf(f, ",\"%s\":", name);
	vt_json__u64(f, value);
}

static void moment(FILE *f, const char *name, uint64_t ns)
{
	fprintf(f, ",\"%s\":", name);
	vt_json__ns(f, ns);
}

static void meta_object(FILE *f, const struct vt_trace *t)
{
	fputc('{', f);
	for (size_t i = 0; i < vt_trace__meta_nr(t); i++) {
		const char *key, *value;

		vt_trace__meta_at(t, i, &key, &value);
		if (i)
			fputc(',', f);
		vt_json__str(f, key);
		fputc(':', f);
		vt_json__str(f, value);
	}
	fputc('}', f);
}

void vt_show__json_fields(FILE *f, const struct vt_trace *t, const struct vt_event *e)
{
	fputc('{', f);
	for (uint32_t i = 0; i < e->nr; i++) {
		const struct vt_value v = vt_ev_at(e, i);

		if (i)
			fputc(',', f);
		vt_json__str(f, vt_trace__field_name(t, v.field));
		fputc(':', f);
		vt_json__value(f, t, &v);
	}
	fputc('}', f);
}

/* ---- JSON lines ---- */

static void json_head(FILE *f, const struct vt_trace *t, const struct vt_glance *g)
{
	const char *ended = vt_trace__ended(t);

	fputs("{\"record\":\"meta\",\"meta\":", f);
	meta_object(f, t);
	number(f, "events", g->events);
	number(f, "lost", g->lost);
	number(f, "damaged", vt_trace__damage_nr(t));
	fputs(",\"ended\":", f);
	if (ended)
		vt_json__str(f, ended);
	else
		fputs("null", f);
	fputs("}\n", f);
}

static void json_probe(FILE *f, const struct vt_probe *p)
{
	fprintf(f, "{\"record\":\"probe\",\"attached\":%s", p->attached ? "true" : "false");
	member(f, "func", p->func);
	member(f, "module", p->module);
	member(f, "event", p->event);
	member(f, "method", p->method);
	member(f, "reason", p->reason);
	moment(f, "attach_ns", p->attach_ns);
	number(f, "hits", p->hits);
	number(f, "misses", p->misses);
	number(f, "recursion_misses", p->recursion_misses);
	fputs("}\n", f);
}

static void json_loss(FILE *f, const struct vt_loss *l)
{
	fputs("{\"record\":\"loss\"", f);
	number(f, "count", l->count);
	moment(f, "from_ns", l->from_ns);
	if (l->to_ns == UINT64_MAX)
		fputs(",\"to_ns\":null", f);
	else
		moment(f, "to_ns", l->to_ns);
	member(f, "event", l->event);
	member(f, "why", l->why);
	fputs("}\n", f);
}

static void json_damage(FILE *f, const struct vt_damage *d)
{
	fputs("{\"record\":\"damage\"", f);
	number(f, "offset", d->offset);
	number(f, "length", d->length);
	number(f, "events", d->events);
	fprintf(f, ",\"truncated\":%s", d->kind == VT_D_TRUNCATED ? "true" : "false");
	member(f, "what", d->what);
	fputs("}\n", f);
}

static void json_event(FILE *f, const struct vt_trace *t, const struct vt_event *e)
{
	fputs("{\"record\":\"event\"", f);
	number(f, "index", e->index);
	moment(f, "ts_ns", e->ts_ns);
	number(f, "seq", e->seq);
	fprintf(f, ",\"cpu\":%u,\"tgid\":%" PRIu32 ",\"tid\":%" PRIu32, e->cpu, e->tgid, e->tid);
	member(f, "comm", e->comm);
	member(f, "type", e->type_name);
	member(f, "phase", phase_name(e));
	fputs(",\"fields\":", f);
	vt_show__json_fields(f, t, e);
	fputs("}\n", f);
}

void vt_show__json_parts(FILE *f, const struct vt_trace *t, const struct vt_glance *g, bool meta, bool probes, bool loss)
{
	if (meta)
		json_head(f, t, g);
	for (size_t i = 0; probes && i < vt_trace__probe_nr(t); i++)
		json_probe(f, vt_trace__probe(t, i));
	for (size_t i = 0; loss && i < vt_trace__loss_nr(t); i++)
		json_loss(f, vt_trace__loss(t, i));
}

int vt_show__json(FILE *f, struct vt_trace *t, const struct vt_glance *g)
{
	struct vt_event e;
	int ret = 0;

	vt_show__json_parts(f, t, g, true, true, true);
	for (size_t i = 0; i < vt_trace__damage_nr(t); i++)
		json_damage(f, vt_trace__damage(t, i));
	while (!ferror(f) && (ret = vt_trace__next(t, &e)) > 0)
		json_event(f, t, &e);
	return ferror(f) ? 0 : ret;
}

/* ---- Perfetto ---- */

struct perfetto {
	FILE *f;
	struct vt_tasks tasks;
	bool first;
};

/* The common part of a record; PH as in the trace event format. Left open for more members. */
static void record(struct perfetto *p, const char *name, const char *ph, const struct vt_event *e)
{
	fputs(p->first ? "\n" : ",\n", p->f);
	p->first = false;
	fputs("{\"name\":", p->f);
	vt_json__str(p->f, name);
	/* microseconds there */
	fprintf(p->f, ",\"ph\":\"%s\",\"ts\":%" PRIu64 ".%03u,\"pid\":%" PRIu32 ",\"tid\":%" PRIu32, ph, e->ts_ns / 1000,
		(unsigned int)(e->ts_ns % 1000), e->tgid, e->tid);
}

static void args(struct perfetto *p, const struct vt_trace *t, const struct vt_event *e)
{
	fputs(",\"args\":", p->f);
	vt_show__json_fields(p->f, t, e);
	fputc('}', p->f);
}

static void name_thread(struct perfetto *p, struct vt_task *task, const struct vt_event *e)
{
	if (!strncmp(task->comm, e->comm, sizeof(task->comm) - 1))
		return;
	strncpy(task->comm, e->comm, sizeof(task->comm) - 1);
	record(p, "thread_name", "M", e);
	fputs(",\"args\":{\"name\":", p->f);
	vt_json__str(p->f, e->comm);
	fputs("}}", p->f);
}

static void instant(struct perfetto *p, const struct vt_trace *t, const struct vt_event *e)
{
	record(p, e->type_name, "i", e);
	fputs(",\"s\":\"t\"", p->f);
	args(p, t, e);
}

/* Begin and end must pair per thread. An end without a begin is an instant; what a lost end left open is closed with it. */
static int perfetto_event(struct perfetto *p, const struct vt_trace *t, const struct vt_event *e)
{
	struct vt_task *task = vt_tasks__get(&p->tasks, e);
	unsigned int call;

	if (!task)
		return -ENOMEM;
	name_thread(p, task, e);
	if (e->phase == VT_ENTER && vt_task__enter(task, e, NULL)) {
		record(p, e->type_name, "B", e);
		args(p, t, e);
		return 0;
	}
	call = e->phase == VT_EXIT ? vt_task__match(task, e) : 0;
	if (!call) {
		instant(p, t, e);
		return 0;
	}
	while (task->depth > call) {
		record(p, task->calls[--task->depth].type, "E", e);
		fputc('}', p->f);
	}
	task->depth--;
	record(p, e->type_name, "E", e);
	args(p, t, e);
	return 0;
}

int vt_show__perfetto(FILE *f, struct vt_trace *t, const struct vt_glance *g)
{
	struct perfetto p = { .f = f, .first = true };
	struct vt_event e;
	int ret = 0;

	fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":", f);
	meta_object(f, t);
	fputs(",\"traceEvents\":[", f);
	while (!ferror(f) && (ret = vt_trace__next(t, &e)) > 0) {
		ret = perfetto_event(&p, t, &e);
		if (ret)
			break;
	}
	fputs("\n]}\n", f);
	vt_tasks__free(&p.tasks);
	return ferror(f) ? 0 : ret;
}
