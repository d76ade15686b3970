// SPDX-License-Identifier: GPL-2.0
/* The view for chrome://tracing, and for ui.perfetto.dev, too: the trace event format, in JSON. */
#include <inttypes.h>

#include "cmd/show_perfetto.h"

/* The common part of a record; PH as in the trace event format. Left open for more members. */
static void record(struct vt_jsonw *w, const char *name, const char *ph, const struct vt_mark *at)
{
	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, "name", name);
	vt_jsonw__str(w, "ph", ph);
	/* microseconds there */
	fprintf(vt_jsonw__value(w, "ts"), "%" PRIu64 ".%03u", at->ts_ns / 1000, (unsigned int)(at->ts_ns % 1000));
	vt_jsonw__u64(w, "pid", at->tgid);
	vt_jsonw__u64(w, "tid", at->tid);
}

static void with_fields(struct vt_jsonw *w, const struct vt_trace *of, const struct vt_event *e)
{
	if (e)
		vt_show__json_fields(w, "args", of, e);
	vt_jsonw__end(w);
}

static void begin(void *to, const struct vt_mark *at, const char *type, const struct vt_trace *of, const struct vt_event *e, const char *flow, bool out)
{
	record(to, type, "B", at);
	with_fields(to, of, e);
	if (!flow)
		return;
	record(to, "preserved file", out ? "s" : "f", at);
	vt_jsonw__str(to, "cat", "live update");
	vt_jsonw__str(to, "id", flow);
	if (!out)
		vt_jsonw__str(to, "bp", "e");
	vt_jsonw__end(to);
}

static void end(void *to, const struct vt_mark *at, const char *type, const struct vt_trace *of, const struct vt_event *e)
{
	record(to, type, "E", at);
	with_fields(to, of, e);
}

static void instant(void *to, const struct vt_mark *at, const char *type, const struct vt_trace *of, const struct vt_event *e)
{
	record(to, type, "i", at);
	vt_jsonw__str(to, "s", "t");
	with_fields(to, of, e);
}

static void name_one(struct vt_jsonw *w, const char *what, const struct vt_mark *at, const char *name)
{
	record(w, what, "M", at);
	vt_jsonw__object(w, "args");
	vt_jsonw__str(w, "name", name);
	vt_jsonw__end(w);
	vt_jsonw__end(w);
}

static void name(void *to, const struct vt_mark *at, const char *text)
{
	name_one(to, "process_name", at, text);
	name_one(to, "thread_name", at, text);
}

static void jump(void *to, uint64_t from_ns, uint64_t to_ns)
{
	struct vt_mark from = { .ts_ns = from_ns }, until = { .ts_ns = to_ns };

	name_one(to, "process_name", &from, "the live update");
	record(to, "jump", "B", &from);
	vt_jsonw__end(to);
	end(to, &until, "jump", NULL, NULL);
}

int vt_show__perfetto(FILE *f, struct vt_shown *s, size_t nr)
{
	struct vt_jsonw w;
	const struct vt_drawing d = { .to = &w, .begin = begin, .end = end, .instant = instant, .name = name, .jump = jump };
	int ret;

	vt_jsonw__begin(&w, f, VT_JSONW_COMPACT);
	vt_jsonw__object(&w, NULL);
	vt_jsonw__str(&w, "displayTimeUnit", "ns");
	vt_show__json_meta(&w, "otherData", s[0].t);
	vt_jsonw__rows(&w, "traceEvents", 0);
	ret = vt_show__draw(f, s, nr, &d);
	vt_jsonw__end_line(&w, 0);
	vt_jsonw__end(&w);
	fputc('\n', f);
	return ferror(f) ? 0 : ret;
}
