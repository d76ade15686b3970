// SPDX-License-Identifier: GPL-2.0
/* The view for people that has a line per event, and what stands above all views for people. */
#include <inttypes.h>
#include <string.h>

#include "cmd/show.h"
#include "source/sources.h"

/* ---- what stands above ---- */

static void put_meta_line(FILE *f, const char *label, const char *value)
{
	if (!value || !*value)
		return;
	fprintf(f, "%-9s ", label);
	vt_text__str(f, value);
	fputc('\n', f);
}

static void put_loss(FILE *f, const struct vt_glance *g, const struct vt_loss *l)
{
	fprintf(f, "  %" PRIu64 " ", l->count);
	vt_text__str(f, *l->event ? l->event : "of unknown type");
	fputs(": ", f);
	vt_text__str(f, l->why);
	if (l->from_ns || l->to_ns != UINT64_MAX) {
		fputs(", between ", f);
		vt_show__time(f, g, l->from_ns);
		fputs(" and ", f);
		vt_show__time(f, g, l->to_ns);
	}
	fputc('\n', f);
}

static void put_losses(FILE *f, const struct vt_trace *t, const struct vt_glance *g)
{
	struct vt_unsaid_text unsaid;

	if (!vt_trace__loss_nr(t) && !vt_trace__unsaid_nr(t)) {
		fputs("lost      nothing that the recorder noticed\n", f);
		return;
	}
	fprintf(f, "lost      %" PRIu64 " event%s\n", g->lost, g->lost == 1 ? "" : "s");
	for (size_t i = 0; i < vt_trace__loss_nr(t); i++)
		put_loss(f, g, vt_trace__loss(t, i));
	for (size_t i = 0; i < vt_trace__unsaid_nr(t); i++)
		put_loss(f, g, vt_show__unsaid(vt_trace__unsaid(t, i), &unsaid));
}

static void put_damages(FILE *f, const struct vt_trace *t)
{
	if (!vt_trace__damage_nr(t))
		return;
	fprintf(f, "damage    %zu place%s\n", vt_trace__damage_nr(t), vt_trace__damage_nr(t) == 1 ? "" : "s");
	for (size_t i = 0; i < vt_trace__damage_nr(t); i++) {
		const struct vt_damage *d = vt_trace__damage(t, i);

		fprintf(f, "  at byte %" PRIu64 ", %" PRIu64 " bytes: %s", d->offset, d->length, d->what);
		if (d->events)
			fprintf(f, " (%" PRIu64 " event%s)", d->events, d->events == 1 ? "" : "s");
		fputc('\n', f);
	}
}

void vt_show__summary(FILE *f, const struct vt_trace *t, const struct vt_glance *g)
{
	const char *ended = vt_trace__ended(t);
	uint64_t ns = g->last_ns - g->first_ns;

	put_meta_line(f, "side", g->label);
	put_meta_line(f, "tool", vt_trace__meta(t, "tool.version"));
	put_meta_line(f, "command", vt_trace__meta(t, "command"));
	put_meta_line(f, "kernel", vt_trace__meta(t, "kernel.release"));
	put_meta_line(f, "build id", vt_trace__meta(t, "kernel.build_id"));
	put_meta_line(f, "boot", vt_trace__meta(t, "boot_id"));
	put_meta_line(f, "before it", vt_trace__meta(t, "kho.previous"));
	put_meta_line(f, "kexecs", vt_trace__meta(t, "kho.count"));
	put_meta_line(f, "started", vt_trace__meta(t, "started"));
	put_meta_line(f, "ended", ended ? ended : "in the jump, or the recorder was killed: there is no end block");
	fprintf(f, "events    %" PRIu64 " in %" PRIu64 ".%09" PRIu64 " s, from boot time %" PRIu64 ".%09" PRIu64 "\n", g->events, ns / 1000000000, ns % 1000000000,
		g->first_ns / 1000000000, g->first_ns % 1000000000);
	put_losses(f, t, g);
	put_damages(f, t);
	fputc('\n', f);
}

/* ---- events ---- */

static void put_event(FILE *f, const struct vt_trace *t, const struct vt_glance *g, const struct vt_event *e)
{
	const struct vt_source *at = vt_show__source(g, t, e);
	const char *func = vt_ev_str(e, VT_F_FUNC);

	fprintf(f, "#%-5" PRIu64 " ", e->index);
	vt_show__time(f, g, e->ts_ns);
	fprintf(f, " cpu%u ", e->cpu);
	vt_text__word(f, *e->comm ? e->comm : "-");
	fprintf(f, "/%" PRIu32 " %s ", e->tid, vt_show__arrow(e));
	vt_text__str(f, e->type_name);
	if (func) {
		fputs(" (", f);
		vt_text__str(f, func);
		fputc(')', f);
	}
	vt_show__fields(f, t, e);
	if (at) {
		fputs(" source=", f);
		vt_text__word(f, at->file);
		fprintf(f, ":%u", at->line);
	}
	fputc('\n', f);
}

int vt_show__text(FILE *f, struct vt_shown *s, size_t nr)
{
	struct vt_event e;
	int ret = 0;

	while (!ferror(f) && (ret = vt_show__next(s, &e)) > 0)
		put_event(f, s->t, &s->g, &e);
	return ret < 0 ? ret : 0;
}

/* ---- parts asked for by option ---- */

static void put_meta(FILE *f, const struct vt_trace *t)
{
	for (size_t i = 0; i < vt_trace__meta_nr(t); i++) {
		const char *key, *value;

		vt_trace__meta_at(t, i, &key, &value);
		vt_text__word(f, key);
		fputs(": ", f);
		vt_text__str(f, value);
		fputc('\n', f);
	}
}

static void put_probe(FILE *f, const struct vt_probe *p)
{
	/* absent: there is nothing that could be attached, and nothing is missed */
	fprintf(f, "%-8s ", p->attached ? "attached" : !strcmp(p->method, "absent") ? "absent" : "missing");
	vt_text__word(f, p->func);
	fputs(" [", f);
	vt_text__str(f, p->module);
	fputs("] for ", f);
	vt_text__word(f, p->event);
	if (p->attached) {
		fputs(": ", f);
		vt_text__str(f, p->method);
		fprintf(f, ", %" PRIu64 " hit%s", p->hits, p->hits == 1 ? "" : "s");
	}
	if (p->misses || p->recursion_misses)
		fprintf(f, ", %" PRIu64 " missed", p->misses + p->recursion_misses);
	if (*p->reason) {
		fputs(": ", f);
		vt_text__str(f, p->reason);
	}
	fputc('\n', f);
}

void vt_show__text_parts(FILE *f, const struct vt_trace *t, const struct vt_glance *g, const struct vt_parts *parts)
{
	if (parts->meta)
		put_meta(f, t);
	for (size_t i = 0; parts->probes && i < vt_trace__probe_nr(t); i++)
		put_probe(f, vt_trace__probe(t, i));
	if (parts->loss)
		put_losses(f, t, g);
}
