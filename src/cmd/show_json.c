// SPDX-License-Identifier: GPL-2.0
/* The view for machines: JSON lines, docs/trace.schema.json. */
#include "cmd/show.h"
#include "source/sources.h"

static const char *phase_name(const struct vt_event *e)
{
	return e->phase == VT_ENTER ? "enter" : e->phase == VT_EXIT ? "exit" : "point";
}

static void begin(struct vt_jsonw *w, FILE *f, const char *record)
{
	vt_jsonw__begin(w, f, VT_JSONW_COMPACT);
	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, "record", record);
}

static void end(struct vt_jsonw *w)
{
	vt_jsonw__end(w);
	fputc('\n', w->f);
}

static void head(FILE *f, const struct vt_trace *t, const struct vt_glance *g)
{
	struct vt_jsonw w;

	begin(&w, f, "meta");
	vt_show__json_meta(&w, "meta", t);
	vt_jsonw__u64(&w, "events", g->events);
	vt_jsonw__u64(&w, "lost", g->lost);
	vt_jsonw__u64(&w, "damaged", vt_trace__damage_nr(t));
	vt_jsonw__str(&w, "ended", vt_trace__ended(t));
	end(&w);
}

static void probe(FILE *f, const struct vt_probe *p)
{
	struct vt_jsonw w;

	begin(&w, f, "probe");
	vt_jsonw__bool(&w, "attached", p->attached);
	vt_jsonw__str(&w, "func", p->func);
	vt_jsonw__str(&w, "module", p->module);
	vt_jsonw__str(&w, "event", p->event);
	vt_jsonw__str(&w, "method", p->method);
	vt_jsonw__str(&w, "reason", p->reason);
	vt_jsonw__ns(&w, "attach_ns", p->attach_ns);
	vt_jsonw__u64(&w, "hits", p->hits);
	vt_jsonw__u64(&w, "misses", p->misses);
	vt_jsonw__u64(&w, "recursion_misses", p->recursion_misses);
	end(&w);
}

static void loss(FILE *f, const struct vt_loss *l)
{
	struct vt_jsonw w;

	begin(&w, f, "loss");
	vt_jsonw__u64(&w, "count", l->count);
	vt_jsonw__ns(&w, "from_ns", l->from_ns);
	if (l->to_ns == UINT64_MAX)
		vt_jsonw__null(&w, "to_ns");
	else
		vt_jsonw__ns(&w, "to_ns", l->to_ns);
	vt_jsonw__str(&w, "event", l->event);
	vt_jsonw__str(&w, "why", l->why);
	end(&w);
}

static void damage(FILE *f, const struct vt_damage *d)
{
	struct vt_jsonw w;

	begin(&w, f, "damage");
	vt_jsonw__u64(&w, "offset", d->offset);
	vt_jsonw__u64(&w, "length", d->length);
	vt_jsonw__u64(&w, "events", d->events);
	vt_jsonw__bool(&w, "truncated", d->kind == VT_D_TRUNCATED);
	vt_jsonw__str(&w, "what", d->what);
	end(&w);
}

static void source(struct vt_jsonw *w, const struct vt_source *at)
{
	vt_jsonw__object(w, "source");
	vt_jsonw__str(w, "file", at->file);
	vt_jsonw__u64(w, "line", at->line);
	vt_jsonw__u64(w, "column", at->column);
	vt_jsonw__str(w, "function", at->function);
	vt_jsonw__end(w);
}

static void event(FILE *f, const struct vt_trace *t, const struct vt_glance *g, const struct vt_event *e)
{
	const struct vt_source *at = vt_show__source(g, t, e);
	struct vt_jsonw w;

	begin(&w, f, "event");
	vt_jsonw__u64(&w, "index", e->index);
	vt_jsonw__ns(&w, "ts_ns", e->ts_ns);
	vt_jsonw__u64(&w, "seq", e->seq);
	vt_jsonw__u64(&w, "cpu", e->cpu);
	vt_jsonw__u64(&w, "tgid", e->tgid);
	vt_jsonw__u64(&w, "tid", e->tid);
	vt_jsonw__str(&w, "comm", e->comm);
	vt_jsonw__str(&w, "type", e->type_name);
	vt_jsonw__str(&w, "phase", phase_name(e));
	vt_show__json_fields(&w, "fields", t, e);
	if (at)
		source(&w, at);
	end(&w);
}

void vt_show__json_parts(FILE *f, const struct vt_trace *t, const struct vt_glance *g, const struct vt_parts *parts)
{
	struct vt_unsaid_text unsaid;

	if (parts->meta)
		head(f, t, g);
	for (size_t i = 0; parts->probes && i < vt_trace__probe_nr(t); i++)
		probe(f, vt_trace__probe(t, i));
	for (size_t i = 0; parts->loss && i < vt_trace__loss_nr(t); i++)
		loss(f, vt_trace__loss(t, i));
	for (size_t i = 0; parts->loss && i < vt_trace__unsaid_nr(t); i++)
		loss(f, vt_show__unsaid(vt_trace__unsaid(t, i), &unsaid));
}

int vt_show__json(FILE *f, struct vt_shown *s, size_t nr)
{
	const struct vt_trace *t = s->t;
	struct vt_event e;
	int ret = 0;

	vt_show__json_parts(f, t, &s->g, &(struct vt_parts){ .meta = true, .probes = true, .loss = true });
	for (size_t i = 0; i < vt_trace__damage_nr(t); i++)
		damage(f, vt_trace__damage(t, i));
	while (!ferror(f) && (ret = vt_show__next(s, &e)) > 0)
		event(f, t, &s->g, &e);
	return ferror(f) ? 0 : ret;
}
