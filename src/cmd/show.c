// SPDX-License-Identifier: GPL-2.0
/* vfiotrace show: a trace for people and machines. It judges nothing. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/cmd.h"
#include "cmd/judge.h"
#include "cmd/pager.h"
#include "cmd/show.h"
#include "report/source_lines.h"
#include "source/sources.h"

/* The option table points into these; there is one command line per process. */
static struct {
	const char *format_name, *session, *token, *type, *func, *task, *since, *until, *index, *context, *time, *debuginfo;
	bool timeline, no_pager;
} ask;
static struct vt_parts wanted;

static const struct view {
	const char *name;
	int (*show)(FILE *f, struct vt_shown *s, size_t nr);
	bool both;	/* of PRE and POST in one */
	/* What comes before it, for people; NULL: nothing. */
	void (*summary)(FILE *f, const struct vt_trace *t, const struct vt_glance *g);
	/* Parts asked for by option, instead of all this; NULL: it has none. */
	void (*parts)(FILE *f, const struct vt_trace *t, const struct vt_glance *g, const struct vt_parts *parts);
} views[] = {
	{ "text", vt_show__text, false, vt_show__summary, vt_show__text_parts },
	{ "timeline", vt_show__timeline, true, vt_show__summary, vt_show__text_parts },
	{ "json", vt_show__json, false, NULL, vt_show__json_parts },
	{ "perfetto", vt_show__perfetto, true, NULL, NULL },
	{ "trackevent", vt_show__trackevent, true, NULL, NULL },
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
static int glance(struct vt_shown *s)
{
	const char *started = vt_trace__meta(s->t, "started");
	struct vt_glance *g = &s->g;
	struct vt_tasks tasks = { 0 };
	struct vt_event e;
	struct tm tm = { 0 };
	int ret;

	while ((ret = vt_trace__next(s->t, &e)) > 0) {
		if (!g->events || e.ts_ns < g->first_ns)
			g->first_ns = e.ts_ns;
		if (!g->events || e.ts_ns > g->last_ns)
			g->last_ns = e.ts_ns;
		g->events++;
		ret = vt_tasks__glance(&tasks, &e, g);
		if (ret)
			break;
	}
	if (!ret)
		ret = vt_tasks__glance_end(&tasks, g);
	vt_tasks__free(&tasks);
	for (size_t i = 0; i < vt_trace__loss_nr(s->t); i++)
		g->lost += vt_trace__loss(s->t, i)->count;
	for (size_t i = 0; i < vt_trace__unsaid_nr(s->t); i++)
		g->lost += vt_trace__unsaid(s->t, i)->count;
	if (started && strptime(started, "%Y-%m-%dT%H:%M:%SZ", &tm))
		g->utc_ns = (int64_t)timegm(&tm) * 1000000000;
	return ret ? ret : vt_trace__rewind(s->t);
}

/* Whoever reads us may stop reading: no reason to complain. */
static int output_failed(int err)
{
	if (err != EPIPE)
		return vt_fail(VT_EXIT_IO, "cannot write to standard output: %s", strerror(err));
	return VT_EXIT_IO;
}

static int damaged(const struct vt_trace *t, const char *path)
{
	if (!vt_trace__damage_nr(t))
		return VT_EXIT_CLEAN;
	return vt_fail(VT_EXIT_BAD_TRACE, "%s is damaged in %zu place%s, first at byte %" PRIu64 ": %s", path, vt_trace__damage_nr(t),
		       vt_trace__damage_nr(t) == 1 ? "" : "s", vt_trace__damage(t, 0)->offset, vt_trace__damage(t, 0)->what);
}

static int put(struct vt_shown *s, size_t nr, const struct view *view)
{
	int ret = 0;

	for (size_t i = 0; i < nr && parts_wanted(); i++)
		view->parts(stdout, s[i].t, &s[i].g, &wanted);
	if (parts_wanted())
		return 0;
	for (size_t i = 0; i < nr && view->summary; i++)
		view->summary(stdout, s[i].t, &s[i].g);
	ret = view->show(stdout, s, nr);
	return ret;
}

static int show(struct vt_shown *s, size_t nr, char **paths, const struct view *view)
{
	int ret = 0, code = VT_EXIT_CLEAN, err = 0;

	for (size_t i = 0; i < nr && !ret; i++)
		ret = glance(&s[i]);
	vt_pager__begin(ask.no_pager || !view->summary);
	if (!ret)
		ret = put(s, nr, view);
	if (vt_pager__on())
		vt_pager__end();
	else if (fflush(stdout) || ferror(stdout))
		err = errno;
	if (err)
		return output_failed(err);
	if (ret)
		return vt_fail(vt_exit_of(ret), "cannot read %s: %s", paths[0], strerror(-ret));
	for (size_t i = 0; i < nr; i++) {
		int one = damaged(s[i].t, paths[i]);

		code = code ? code : one;
	}
	return code;
}

static void tell_debuginfo(const struct vt_sources *sources, const struct vt_shown *s, size_t nr)
{
	struct vt_source_kernel k[2];

	for (size_t i = 0; i < nr; i++)
		k[i] = vt_trace_kernel(s[i].t);
	vt_debuginfo__tell(sources, "show", k, nr);
}

static int open_one(const char *path, struct vt_shown *s)
{
	char *why;
	int ret = vt_trace__open(path, &s->t, &why);

	if (!ret)
		return 0;
	ret = vt_fail(vt_exit_of(ret), "cannot read %s: %s", path, why ? why : strerror(-ret));
	free(why);
	return ret;
}

/* The words of the options become what they mean. */
static int parse(struct vt_filter *f, enum vt_clock *clock)
{
	static const char *const clocks[] = { "boot", "start", "utc" };
	uint64_t context = 0;
	char *end;

	for (*clock = VT_CLOCK_BOOT; ask.time && strcmp(ask.time, clocks[*clock]); (*clock)++) {
		if (*clock == VT_CLOCK_UTC)
			return vt_fail(VT_EXIT_USAGE, "show: --time takes boot, start or utc, not '%s'", ask.time);
	}
	if (ask.token) {
		errno = 0;
		f->token = strtoull(ask.token, &end, 0);
		f->has_token = true;
		if (errno || *end || *ask.token < '0' || *ask.token > '9')
			return vt_fail(VT_EXIT_USAGE, "show: --token takes a number such as 0x1, not '%s'", ask.token);
	}
	if (ask.context) {
		context = strtoull(ask.context, &end, 10);
		if (*end || *ask.context < '0' || *ask.context > '9' || !ask.index)
			return vt_fail(VT_EXIT_USAGE, "show: --context takes a number of events, and goes with --index");
	}
	if (ask.index && !vt_filter__index(f, ask.index, context))
		return vt_fail(VT_EXIT_USAGE, "show: --index takes numbers and ranges such as 50,52,60-70, not '%s'", ask.index);
	if (ask.since && !vt_filter__time(ask.since, false, &f->from_ns))
		return vt_fail(VT_EXIT_USAGE, "show: --since takes seconds of boot time such as 18.598903, not '%s'", ask.since);
	if (ask.until && !vt_filter__time(ask.until, true, &f->to_ns))
		return vt_fail(VT_EXIT_USAGE, "show: --until takes seconds of boot time such as 18.598903, not '%s'", ask.until);
	return 0;
}

static int run(int argc, char **argv)
{
	const char *name = ask.format_name ? ask.format_name : ask.timeline ? "timeline" : views[0].name;
	struct vt_filter filter = { .session = ask.session, .type = ask.type, .func = ask.func, .task = ask.task, .to_ns = UINT64_MAX };
	const struct view *view = find_view(name);
	struct vt_shown s[2] = { 0 };
	struct vt_sources *sources = NULL;
	enum vt_clock clock;
	int ret;

	if (!view)
		return vt_fail(VT_EXIT_USAGE, "show: no format '%s'; there are text, timeline, json, perfetto, trackevent", name);
	if (parts_wanted() && !view->parts)
		return vt_fail(VT_EXIT_USAGE, "show: --meta, --probes and --loss come as text or json, not as %s", name);
	if (argc == 2 && !view->both)
		return vt_fail(VT_EXIT_USAGE, "show: both kernels stand in one timeline, perfetto or trackevent, not in %s", name);
	ret = parse(&filter, &clock);
	if (!ret)
		ret = vt_debuginfo__open(ask.debuginfo, "show", &sources);
	for (int i = 0; i < argc && !ret; i++) {
		s[i].g = (struct vt_glance){ .label = argc == 1 ? NULL : i ? "POST" : "PRE", .clock = clock, .filter = &filter, .sources = sources };
		ret = open_one(argv[i], &s[i]);
	}
	if (!ret)
		tell_debuginfo(sources, s, (size_t)argc);
	if (!ret)
		ret = show(s, (size_t)argc, argv, view);
	for (int i = 0; i < argc; i++) {
		vt_trace__free(s[i].t);
		free(s[i].g.open);
	}
	vt_sources__free(sources);
	return ret;
}

static const struct vt_opt opts[] = {
	{ "format", 'f', "FORMAT", "text (default), timeline, json, perfetto, or trackevent", &ask.format_name, NULL },
	{ "timeline", 't', NULL, "as -f timeline", NULL, &ask.timeline },
	{ "session", 's', "GLOB", "only events of sessions of that name", &ask.session, NULL },
	{ "token", 0, "N", "only those of files with that token", &ask.token, NULL },
	{ "type", 'e', "GLOB", "only events of that type, such as 'luo.*'", &ask.type, NULL },
	{ "func", 0, "GLOB", "only those seen in that function", &ask.func, NULL },
	{ "task", 0, "TASK", "only those of that task: a glob of its name, or its number", &ask.task, NULL },
	{ "since", 0, "SECONDS", "only from that boot time on, as it stands in evidence", &ask.since, NULL },
	{ "until", 0, "SECONDS", "only up to that boot time", &ask.until, NULL },
	{ "index", 'i', "LIST", "only the events with these numbers, as evidence names them: 50,52,60-70", &ask.index, NULL },
	{ "context", 'C', "N", "with --index: N events before and after each, too", &ask.context, NULL },
	{ "time", 0, "CLOCK", "boot (default), start (since the first event), or utc", &ask.time, NULL },
	VT_DEBUGINFO_OPT(ask.debuginfo),
	{ "no-pager", 0, NULL, "no pager, even on a terminal", NULL, &ask.no_pager },
	{ "meta", 0, NULL, "only what the trace says about its origin", NULL, &wanted.meta },
	{ "probes", 0, NULL, "only the probes, with their hits", NULL, &wanted.probes },
	{ "loss", 0, NULL, "only what was lost", NULL, &wanted.loss },
	{ 0 },
};

const struct vt_cmd vt_cmd_show = {
	.name = "show",
	.args = "TRACE [POST]",
	.summary = "Show a trace to people (text, timeline) and machines (JSON lines, Perfetto)",
	.details =
		"text has one line per event: its number, boot time, CPU, task, -> on entry,\n"
		"<- on return, -- for a moment of its own, the function, and the fields. !EFAULT\n"
		"is a value that could not be read in the kernel. timeline tells one story per\n"
		"preserved file (session, token); of PRE and POST, over both kernels. json prints\n"
		"one object per line, with a member `record` (meta, probe, loss, damage, event);\n"
		"docs/trace.schema.json describes them. Times, and numbers above 2^53, are strings\n"
		"there: no reader rounds them. trackevent is Perfetto's own format, perfetto the JSON\n"
		"that chrome://tracing and others read as well: both load in ui.perfetto.dev, and of\n"
		"PRE and POST have both kernels, with an arrow from where a file is preserved to where\n"
		"it is retrieved. Numbers and times are those of the evidence in a report.\n"
		"A damaged trace is shown as far as it can be read; the exit code is then 65.",
	.opts = opts,
	.min_args = 1, .max_args = 2,
	.run = run,
};
