// SPDX-License-Identifier: GPL-2.0
/* vfiotrace show: a trace for people and machines. It judges nothing. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/show.h"
#include "trace/print.h"

struct options {
	const char *format;
	bool meta, probes, loss;
};

/* The option table points into this; there is one command line per process. */
static struct options opt;

/* ---- parts that views share ---- */

/* Relative to the earliest event. */
void vt_show__time(FILE *f, const struct vt_glance *g, uint64_t ts_ns)
{
	bool before = ts_ns < g->first_ns;
	uint64_t ns = before ? g->first_ns - ts_ns : ts_ns - g->first_ns;

	fprintf(f, "%c%" PRIu64 ".%09" PRIu64, before ? '-' : '+', ns / 1000000000, ns % 1000000000);
}

const char *vt_show__arrow(const struct vt_event *e)
{
	return e->phase == VT_ENTER ? "->" : e->phase == VT_EXIT ? "<-" : "--";
}

/* ret=-12 says more as ret=-12(ENOMEM); an exit status is no errno. */
static void put_ret_name(FILE *f, const struct vt_event *e, const struct vt_value *v)
{
	const char *name;

	if (v->field != VT_F_RET || v->kind != VT_S64 || v->err || e->type == VT_EV_REC_CHILD_EXIT)
		return;
	name = v->s < 0 && v->s >= -4095 ? vt_errno_name((int)-v->s) : NULL;
	if (name)
		fprintf(f, "(%s)", name);
}

/* All but func, which has its place in the line. */
void vt_show__fields(FILE *f, const struct vt_trace *t, const struct vt_event *e)
{
	for (uint32_t i = 0; i < e->nr; i++) {
		const struct vt_value v = vt_ev_at(e, i);

		if (v.field == VT_F_FUNC && !v.err && v.kind == VT_STR)
			continue;
		fputc(' ', f);
		vt_text__word(f, vt_trace__field_name(t, v.field));
		fputc('=', f);
		vt_text__value(f, t, &v);
		put_ret_name(f, e, &v);
	}
}

/* ---- text ---- */

static void put_meta_line(FILE *f, const char *label, const char *value)
{
	if (!value)
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
	if (!vt_trace__loss_nr(t)) {
		fputs("lost      nothing that the recorder noticed\n", f);
		return;
	}
	fprintf(f, "lost      %" PRIu64 " event%s\n", g->lost, g->lost == 1 ? "" : "s");
	for (size_t i = 0; i < vt_trace__loss_nr(t); i++)
		put_loss(f, g, vt_trace__loss(t, i));
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

static void put_summary(FILE *f, const struct vt_trace *t, const struct vt_glance *g)
{
	const char *ended = vt_trace__ended(t);
	uint64_t ns = g->last_ns - g->first_ns;

	put_meta_line(f, "tool", vt_trace__meta(t, "tool.version"));
	put_meta_line(f, "command", vt_trace__meta(t, "command"));
	put_meta_line(f, "kernel", vt_trace__meta(t, "kernel.release"));
	put_meta_line(f, "boot", vt_trace__meta(t, "boot_id"));
	put_meta_line(f, "started", vt_trace__meta(t, "started"));
	put_meta_line(f, "ended", ended ? ended : "without an end block: the recorder was killed, or the kernel jumped");
	fprintf(f, "events    %" PRIu64 " in %" PRIu64 ".%09" PRIu64 " s\n", g->events, ns / 1000000000, ns % 1000000000);
	put_losses(f, t, g);
	put_damages(f, t);
	fputc('\n', f);
}

static void put_event(FILE *f, const struct vt_trace *t, const struct vt_glance *g, const struct vt_event *e)
{
	const char *func = vt_ev_str(e, VT_F_FUNC);

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
	fputc('\n', f);
}

int vt_show__text(FILE *f, struct vt_trace *t, const struct vt_glance *g)
{
	struct vt_event e;
	int ret = 0;

	while (!ferror(f) && (ret = vt_trace__next(t, &e)) > 0)
		put_event(f, t, g, &e);
	return ret < 0 ? ret : 0;
}

/* ---- parts asked for by option ---- */

static const struct view {
	const char *name;
	int (*show)(FILE *f, struct vt_trace *t, const struct vt_glance *g);
	bool summary;	/* for people: a summary comes first, parts are text */
} views[] = {
	{ "text", vt_show__text, true },
	{ "timeline", vt_show__timeline, true },
	{ "json", vt_show__json, false },
	{ "perfetto", vt_show__perfetto, false },
};

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

static void put_parts(FILE *f, const struct vt_trace *t, const struct vt_glance *g, const struct view *view)
{
	if (!view->summary) {
		vt_show__json_parts(f, t, g, opt.meta, opt.probes, opt.loss);
		return;
	}
	if (opt.meta)
		put_meta(f, t);
	for (size_t i = 0; opt.probes && i < vt_trace__probe_nr(t); i++)
		put_probe(f, vt_trace__probe(t, i));
	if (opt.loss)
		put_losses(f, t, g);
}

/* ---- the command ---- */

static const struct view *find_view(const char *name)
{
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (!strcmp(views[i].name, name))
			return &views[i];
	return NULL;
}

static bool parts_wanted(void)
{
	return opt.meta || opt.probes || opt.loss;
}

/* A first pass: what the summary counts, and all damage there is. */
static int glance(struct vt_trace *t, struct vt_glance *g)
{
	struct vt_event e;
	int ret;

	*g = (struct vt_glance){ 0 };
	while ((ret = vt_trace__next(t, &e)) > 0) {
		if (!g->events || e.ts_ns < g->first_ns)
			g->first_ns = e.ts_ns;
		if (!g->events || e.ts_ns > g->last_ns)
			g->last_ns = e.ts_ns;
		g->events++;
	}
	for (size_t i = 0; i < vt_trace__loss_nr(t); i++)
		g->lost += vt_trace__loss(t, i)->count;
	return ret ? ret : vt_trace__rewind(t);
}

static enum vt_exit exit_code(int err)
{
	switch (err) {
	case -EBADMSG:
	case -EPROTO:
		return VT_EXIT_BAD_TRACE;
	case -EACCES:
	case -EPERM:
		return VT_EXIT_PERMISSION;
	default:
		return VT_EXIT_IO;
	}
}

/* Whoever reads us may stop reading: no reason to complain. */
static int output_failed(int err)
{
	if (err != EPIPE)
		return vt_fail(VT_EXIT_IO, "cannot write to standard output: %s", strerror(err));
	return VT_EXIT_IO;
}

static int show(struct vt_trace *t, const char *path, const struct view *view)
{
	struct vt_glance g;
	int ret = glance(t, &g);

	if (!ret && parts_wanted()) {
		put_parts(stdout, t, &g, view);
	} else if (!ret) {
		if (view->summary)
			put_summary(stdout, t, &g);
		ret = view->show(stdout, t, &g);
	}
	if (fflush(stdout) || ferror(stdout))
		return output_failed(errno);
	if (ret)
		return vt_fail(exit_code(ret), "cannot read %s: %s", path, strerror(-ret));
	if (vt_trace__damage_nr(t))
		return vt_fail(VT_EXIT_BAD_TRACE, "%s is damaged in %zu place%s, first at byte %" PRIu64 ": %s", path,
			       vt_trace__damage_nr(t), vt_trace__damage_nr(t) == 1 ? "" : "s",
			       vt_trace__damage(t, 0)->offset, vt_trace__damage(t, 0)->what);
	return VT_EXIT_CLEAN;
}

static int run(int argc, char **argv)
{
	const struct view *view = find_view(opt.format ? opt.format : "text");
	struct vt_trace *t;
	char *why;
	int ret;

	if (!view)
		return vt_fail(VT_EXIT_USAGE, "show: unknown format '%s': text, timeline, json, or perfetto", opt.format);
	if (parts_wanted() && view->show == vt_show__perfetto)
		return vt_fail(VT_EXIT_USAGE, "show: --meta, --probes and --loss come as text or json, not as perfetto");
	ret = vt_trace__open(argv[0], &t, &why);
	if (ret) {
		ret = vt_fail(exit_code(ret), "cannot read %s: %s", argv[0], why ? why : strerror(-ret));
		free(why);
		return ret;
	}
	ret = show(t, argv[0], view);
	vt_trace__free(t);
	return ret;
}

static const struct vt_opt opts[] = {
	{ "format", 'f', "FORMAT", "text (default), timeline, json, or perfetto", &opt.format, NULL },
	{ "meta", 0, NULL, "only what the trace says about its origin", NULL, &opt.meta },
	{ "probes", 0, NULL, "only the probes, with their hits", NULL, &opt.probes },
	{ "loss", 0, NULL, "only what was lost", NULL, &opt.loss },
	{ 0 },
};

const struct vt_cmd vt_cmd_show = {
	.name = "show",
	.args = "TRACE",
	.summary = "Shows a trace to people (text, timeline) and machines (JSON lines, Perfetto)",
	.details =
		"text has one line per event: time since the first event, CPU, task, -> on entry,\n"
		"<- on return, -- for a moment of its own, the function, and the fields. !EFAULT\n"
		"is a value that could not be read in the kernel. timeline tells one story per\n"
		"preserved file (session, token). json prints one object per line, with a member\n"
		"`record` (meta, probe, loss, damage, event); docs/trace.schema.json describes them.\n"
		"Times, and numbers above 2^53, are strings there: no reader rounds them. perfetto\n"
		"loads in ui.perfetto.dev.\n"
		"A damaged trace is shown as far as it can be read; the exit code is then 65.",
	.opts = opts,
	.min_args = 1, .max_args = 1,
	.run = run,
};
