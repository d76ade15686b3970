// SPDX-License-Identifier: GPL-2.0
/* vfiotrace gate PRE POST: diff for CI, against a policy and a baseline. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/judge.h"
#include "cmd/pager.h"
#include "gate/gate.h"

#define TEXT_MAX (1u << 20)

static struct vt_ask ask;
static const char *policy_path, *baseline_path, *save_path, *today_arg;

struct gate {
	struct vt_case c;
	struct vt_policy *policy;
	struct vt_baseline *baseline;
	struct vt_lines unused, demands, coverage, gone;
};

/* The whole of a small text file. NULL after a complaint, with *CODE set. */
static char *slurp(const char *path, size_t *len, int *code)
{
	FILE *f = fopen(path, "re");
	char *text = malloc(TEXT_MAX + 1);

	*code = VT_EXIT_IO;
	if (!f || !text) {
		*code = vt_fail(f ? VT_EXIT_IO : vt_exit_of(-errno), "gate: %s: %s", path, strerror(f ? ENOMEM : errno));
		goto fail;
	}
	*len = fread(text, 1, TEXT_MAX + 1, f);
	if (ferror(f)) {
		*code = vt_fail(VT_EXIT_IO, "gate: %s: %s", path, strerror(errno));
		goto fail;
	}
	if (*len > TEXT_MAX) {
		*code = vt_fail(VT_EXIT_USAGE, "gate: %s: larger than 1 MiB", path);
		goto fail;
	}
	fclose(f);
	*code = 0;
	return text;
fail:
	if (f)
		fclose(f);
	free(text);
	return NULL;
}

static int parse_policy(struct gate *g, const char *text, size_t len, char **why)
{
	return vt_policy__parse(text, len, &g->policy, why);
}

static int parse_baseline(struct gate *g, const char *text, size_t len, char **why)
{
	return vt_baseline__parse(text, len, &g->baseline, why);
}

/* The file at PATH through PARSE; nothing where no path is given. */
static int load(struct gate *g, const char *path, int (*parse)(struct gate *g, const char *text, size_t len, char **why))
{
	char *text, *why;
	size_t len;
	int code, err;

	if (!path)
		return 0;
	text = slurp(path, &len, &code);
	if (!text)
		return code;
	err = parse(g, text, len, &why);
	free(text);
	if (!err)
		return 0;
	vt_say("gate: %s: %s", path, why ? why : strerror(-err));
	free(why);
	return VT_EXIT_USAGE;
}

/* What the next run would refuse is not written. */
static bool reads_again(const char *text)
{
	struct vt_baseline *b = NULL;
	size_t len = strlen(text);
	char *why = NULL;
	int err;

	if (len > TEXT_MAX) {
		vt_say("gate: the baseline would be larger than 1 MiB, which no gate reads");
		return false;
	}
	err = vt_baseline__parse(text, len, &b, &why);
	if (err)
		vt_say("gate: the baseline would not read again: %s", why ? why : strerror(-err));
	vt_baseline__free(b);
	free(why);
	return !err;
}

/* Written beside and renamed: a baseline is whole or not there. */
static int save_baseline(const struct vt_judgement *j)
{
	char *text = vt_baseline__of(j), *tmp = NULL;
	int code = VT_EXIT_IO;
	FILE *f = NULL;

	if (!text || asprintf(&tmp, "%s.tmp", save_path) < 0) {
		vt_say("gate: out of memory");
		goto out;
	}
	if (!reads_again(text))
		goto out;
	f = fopen(tmp, "we");
	if (!f || fputs(text, f) == EOF || fflush(f) || fsync(fileno(f))) {
		vt_say("gate: %s: %s", tmp, strerror(errno));
		goto out;
	}
	if (fclose(f)) {
		f = NULL;
		vt_say("gate: %s: %s", tmp, strerror(errno));
		goto out;
	}
	f = NULL;
	if (rename(tmp, save_path)) {
		vt_say("gate: %s: %s", save_path, strerror(errno));
		goto out;
	}
	code = 0;
out:
	if (f)
		fclose(f);
	if (code && tmp)
		unlink(tmp);
	free(tmp);
	free(text);
	return code;
}

/* Looked at before the work: errno says why not. */
static bool may_save(void)
{
	char *path = strdup(save_path), *slash = path ? strrchr(path, '/') : NULL;
	bool may;

	if (slash)
		slash[slash == path] = 0;
	may = path && !access(slash ? path : ".", W_OK | X_OK);
	free(path);
	return may;
}

static bool valid_date(const char *s)
{
	struct tm tm;
	const char *end = strptime(s, "%Y-%m-%d", &tm);

	return strlen(s) == 10 && end && !*end;
}

static const char *today(char buf[16])
{
	time_t now = time(NULL);
	struct tm tm;

	if (today_arg)
		return today_arg;
	if (!gmtime_r(&now, &tm) || !strftime(buf, 16, "%Y-%m-%d", &tm))
		return "9999-12-31";	/* no clock: nothing stays suppressed */
	return buf;
}

static size_t unknown_rules(const struct vt_judgement *j)
{
	size_t n = 0;

	for (size_t i = 0; i < vt_nr_rules; i++)
		n += j->rows[i].status == VT_UNKNOWN;
	return n;
}

/* Findings outrank demands, demands outrank doubt. */
static enum vt_exit outcome(struct gate *g)
{
	struct vt_judgement *j = g->c.j;

	if (j->exit == VT_EXIT_FINDINGS || j->exit == VT_EXIT_BAD_TRACE)
		return j->exit;
	if (g->demands.nr)
		return VT_EXIT_FINDINGS;
	if (g->coverage.nr)
		return VT_EXIT_INCONCLUSIVE;
	if (j->exit == VT_EXIT_INCONCLUSIVE && unknown_rules(j) && unknown_rules(j) <= vt_policy__unknown_allowed(g->policy))
		return VT_EXIT_CLEAN;
	return j->exit;
}

static void measure(struct gate *g)
{
	char buf[16];

	vt_policy__suppress(g->policy, g->c.j, today(buf), &g->unused);
	if (g->baseline)
		vt_baseline__compare(g->baseline, g->c.j, &g->demands, &g->coverage, &g->gone);
	vt_policy__limits(g->policy, g->c.j, &g->demands);
	vt_judgement__settle(g->c.j);
	g->c.j->exit = outcome(g);
}

static void report(struct gate *g)
{
	struct vt_lines all = {};
	struct vt_report_opts o;

	for (size_t i = 0; i < g->demands.nr; i++)
		vt_lines__add(&all, "%s", g->demands.s[i]);
	for (size_t i = 0; i < g->coverage.nr; i++)
		vt_lines__add(&all, "%s", g->coverage.s[i]);
	vt_case__debuginfo(&g->c, "gate", &ask);
	vt_ask__opts(&ask, "gate", &o);
	vt_pager__begin(ask.no_pager || ask.format != &vt_formats[0]);
	o.demands = (const char *const *)all.s;
	o.nr_demands = all.nr;
	o.unused = (const char *const *)g->unused.s;
	o.nr_unused = g->unused.nr;
	ask.format->put(stdout, g->c.j, &o);
	vt_pager__end();
	for (size_t i = 0; i < g->gone.nr; i++)
		vt_say("gate: %s; save a new baseline", g->gone.s[i]);
	vt_lines__free(&all);
}

static void gate_free(struct gate *g)
{
	vt_policy__free(g->policy);
	vt_baseline__free(g->baseline);
	vt_lines__free(&g->unused);
	vt_lines__free(&g->demands);
	vt_lines__free(&g->coverage);
	vt_lines__free(&g->gone);
	vt_case__close(&g->c);
	vt_ask__close(&ask);
}

static int run_gate(int argc, char **argv)
{
	struct gate g = {};
	int code;

	(void)argc;
	if (save_path && baseline_path)
		return vt_fail(VT_EXIT_USAGE, "gate: --save-baseline and --baseline exclude each other");
	if (today_arg && !valid_date(today_arg))
		return vt_fail(VT_EXIT_USAGE, "gate: --today takes a date such as 2026-12-31");
	if (save_path && !may_save())
		return vt_fail(vt_exit_of(-errno), "gate: %s: %s", save_path, strerror(errno));
	code = vt_ask__parse(&ask, "gate");
	if (!code)
		code = load(&g, policy_path, parse_policy);
	if (!code)
		code = load(&g, baseline_path, parse_baseline);
	if (!code)
		code = vt_case__open(&g.c, "gate", argv[0], argv[1]);
	if (code)
		goto out;
	measure(&g);
	report(&g);
	code = (int)g.c.j->exit;
	/* What is known now is the baseline; that there is something to know is no failure. */
	if (save_path && (code == VT_EXIT_CLEAN || code == VT_EXIT_FINDINGS)) {
		code = save_baseline(g.c.j);
		if (!code)
			vt_say("gate: wrote %s", save_path);
	} else if (save_path) {
		vt_say("gate: no baseline is saved from a run that is %s", vt_verdict(g.c.j));
	}
out:
	gate_free(&g);
	return code;
}

static const struct vt_opt opts[] = {
	VT_ASK_OPTS(ask),
	{ "policy", 'p', "FILE", "limits and suppressions", &policy_path, NULL },
	{ "baseline", 'b', "FILE", "findings, coverage and struct file linkage that are known", &baseline_path, NULL },
	{ "save-baseline", 's', "FILE", "write what is found now as the baseline", &save_path, NULL },
	{ "today", 0, "DATE", "date by which suppressions expire (default: the clock's)", &today_arg, NULL },
	{ .name = NULL },
};

const struct vt_cmd vt_cmd_gate = {
	.name = "gate",
	.args = "PRE POST",
	.summary = "Judge a live update for CI, against a baseline and a policy",
	.details = "Fails (1) on findings that are neither known nor suppressed, on changed struct file linkage and\n"
		   "on exceeded limits; is inconclusive (5) when evidence is missing or a rule that the baseline had\n"
		   "covered no longer is. docs/kernel-ci.md shows a CI job.",
	.opts = opts,
	.min_args = 2, .max_args = 2,
	.run = run_gate,
};
