// SPDX-License-Identifier: GPL-2.0
/* KTAP (Documentation/dev-tools/ktap.rst), what kernel test runners read. One test per rule; a scenario with a name is a test of its own around them. */
#include <stdlib.h>

#include "report/format.h"
#include "report/identity.h"
#include "base/put.h"

struct ktap {
	FILE *f;
	const char *in;		/* before each line */
};

static void ktap_diag(const struct ktap *k, const char *label, const char *text)
{
	if (!text)
		return;
	fprintf(k->f, "%s# %s: ", k->in, label);
	vt_put_plain(k->f, text);
	fputc('\n', k->f);
}

static void ktap_finding(const struct ktap *k, const struct vt_finding *x)
{
	char buf[256];

	if (x->suppressed || x->known)
		ktap_diag(k, x->suppressed ? "suppressed" : "known", x->suppressed ? x->why_suppressed : "in the baseline");
	ktap_diag(k, vt_severity_name(x->severity), x->title);
	ktap_diag(k, "object", vt_who_str(&x->who, buf, sizeof(buf)));
	ktap_diag(k, "expected", x->expected);
	ktap_diag(k, "seen before", x->seen[0]);
	ktap_diag(k, "seen after", x->seen[1]);
	ktap_diag(k, "fingerprint", x->fingerprint);
}

static void ktap_line(const struct ktap *k, bool ok, size_t nr, const char *name, const char *skip)
{
	fprintf(k->f, "%s%s %zu ", k->in, ok ? "ok" : "not ok", nr);
	for (; *name; name++)	/* a '#' would begin a directive */
		fputc(*name == '#' || (unsigned char)*name < ' ' || (unsigned char)*name > '~' ? '_' : *name, k->f);
	if (skip) {
		fputs(" # SKIP ", k->f);
		vt_put_plain(k->f, skip);
	}
	fputc('\n', k->f);
}

static void ktap_about(const struct ktap *k, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	char text[300], id[17];

	ktap_diag(k, "vfiotrace", VFIOTRACE_VERSION);
	ktap_diag(k, "update", vt_update_id(j, id));
	ktap_diag(k, "host", o->host);
	for (size_t i = 0; i < j->nr_sides; i++) {
		const struct vt_side *s = j->side[i];
		const char *release = vt_trace__told(s->trace, "kernel.release"), *build = vt_trace__told(s->trace, "kernel.build_id"), *started = vt_trace__told(s->trace, "started");

		snprintf(text, sizeof(text), "kernel %s, build id %s, recorded %.3f s from %s", release ? release : "unknown", build ? build : "unknown",
			 vt_side_seconds(s), started ? started : "an unknown time");
		ktap_diag(k, s->label, text);
	}
}

static void ktap_rule(const struct ktap *k, const struct vt_judgement *j, size_t i)
{
	const struct vt_row *r = &j->rows[i];
	bool bad = vt_open_findings(j, r->rule);
	char why[200], many[100];
	const char *skip = bad ? NULL : vt_skipped(r, why, sizeof(why));

	for (size_t n = 0; n < j->nr_findings; n++) {
		if (j->findings[n].rule == r->rule && j->findings[n].severity != VT_NOTE)
			ktap_finding(k, &j->findings[n]);
	}
	if (!skip)
		ktap_diag(k, "judged", vt_subjects_str(r, many, sizeof(many)));
	ktap_line(k, !bad, i + 1, r->rule->id, skip);
}

static void ktap_doubt(const struct ktap *k, const struct vt_judgement *j, size_t i)
{
	char *rules = vt_leaves_open(j, j->doubts[i]);

	ktap_diag(k, "unknown", j->doubts[i]);
	ktap_diag(k, "leaves open", rules);
	free(rules);
}

static void ktap_end(const struct ktap *k, const struct vt_judgement *j, size_t nr, const char *name)
{
	ktap_line(k, j->exit == VT_EXIT_CLEAN || j->exit == VT_EXIT_NOTHING, nr, name, j->exit == VT_EXIT_NOTHING ? j->nothing : NULL);
}

/*
 * Kernel test runners take skipped for fine: that a rule does not know is one
 * failure of the verdict, which says why, and no failure of each such rule.
 */
void vt_report_ktap(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	size_t extra = (o->nr_demands ? 1 : 0) + 1;
	struct ktap k = { f, o->name ? "    " : "" };

	fputs(o->name ? "KTAP version 1\n1..1\n" : "", f);
	fprintf(f, "%sKTAP version 1\n", k.in);
	if (o->name)
		ktap_diag(&k, "Subtest", o->name);
	fprintf(f, "%s1..%zu\n", k.in, vt_nr_rules + extra);
	ktap_about(&k, j, o);
	for (size_t i = 0; i < vt_nr_rules; i++)
		ktap_rule(&k, j, i);
	if (o->nr_demands) {
		for (size_t i = 0; i < o->nr_demands; i++)
			ktap_diag(&k, "demand", o->demands[i]);
		ktap_line(&k, false, vt_nr_rules + 1, "policy", NULL);
	}
	for (size_t i = 0; i < j->nr_doubts; i++)
		ktap_doubt(&k, j, i);
	ktap_diag(&k, "verdict", vt_verdict(j));
	ktap_end(&k, j, vt_nr_rules + extra, "verdict");
	if (o->name)
		ktap_end(&(struct ktap){ f, "" }, j, 1, o->name);
}
