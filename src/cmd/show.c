// SPDX-License-Identifier: GPL-2.0
/* vfiotrace show: a trace for people and machines. It judges nothing. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/show.h"

/* The option table points into these; there is one command line per process. */
static const char *format_name;
static struct vt_parts wanted;

static const struct view {
	const char *name;
	int (*show)(FILE *f, struct vt_trace *t, const struct vt_glance *g);
	/* What comes before it, for people; NULL: nothing. */
	void (*summary)(FILE *f, const struct vt_trace *t, const struct vt_glance *g);
	/* Parts asked for by option, instead of all this; NULL: it has none. */
	void (*parts)(FILE *f, const struct vt_trace *t, const struct vt_glance *g, const struct vt_parts *parts);
} views[] = {
	{ "text", vt_show__text, vt_show__summary, vt_show__text_parts },
	{ "timeline", vt_show__timeline, vt_show__summary, vt_show__text_parts },
	{ "json", vt_show__json, NULL, vt_show__json_parts },
	{ "perfetto", vt_show__perfetto, NULL, NULL },
};

static const struct view *find_view(const char *name)
{
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (!strcmp(views[i].name, name))
			return &views[i];
	return NULL;
}

static bool parts_wanted(void)
{
	return wanted.meta || wanted.probes || wanted.loss;
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
	for (size_t i = 0; i < vt_trace__unsaid_nr(t); i++)
		g->lost += vt_trace__unsaid(t, i)->count;
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
		view->parts(stdout, t, &g, &wanted);
	} else if (!ret) {
		if (view->summary)
			view->summary(stdout, t, &g);
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
	const struct view *view = find_view(format_name ? format_name : views[0].name);
	struct vt_trace *t;
	char *why;
	int ret;

	if (!view)
		return vt_fail(VT_EXIT_USAGE, "show: unknown format '%s': text, timeline, json, or perfetto", format_name);
	if (parts_wanted() && !view->parts)
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
	{ "format", 'f', "FORMAT", "text (default), timeline, json, or perfetto", &format_name, NULL },
	{ "meta", 0, NULL, "only what the trace says about its origin", NULL, &wanted.meta },
	{ "probes", 0, NULL, "only the probes, with their hits", NULL, &wanted.probes },
	{ "loss", 0, NULL, "only what was lost", NULL, &wanted.loss },
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
