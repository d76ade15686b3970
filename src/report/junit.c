// SPDX-License-Identifier: GPL-2.0
/* JUnit XML, what CI systems read. One test case per rule, and one of the verdict. */
#include <inttypes.h>
#include <stdlib.h>

#include "report/format.h"
#include "report/identity.h"
#include "base/put.h"

static void attribute(FILE *f, const char *name, const char *value)
{
	if (!value)
		return;
	fprintf(f, " %s=\"", name);
	vt_put_xml(f, value);
	fputc('"', f);
}

static void junit_text(FILE *f, const struct vt_finding *x)
{
	char buf[256];

	fputs("object: ", f);
	vt_put_xml(f, vt_who_str(&x->who, buf, sizeof(buf)));
	fputs("\nexpected: ", f);
	vt_put_xml(f, x->expected);
	for (int i = 0; i < 2; i++) {
		if (!x->seen[i])
			continue;
		fprintf(f, "\nseen %s: ", i ? "after" : "before");
		vt_put_xml(f, x->seen[i]);
	}
	fputs("\nmeaning: ", f);
	vt_put_xml(f, x->meaning);
	for (size_t i = 0; i < x->nr_ev; i++) {
		const struct vt_at *a = &x->ev[i].at;

		fprintf(f, "\n%s #%" PRIu64 " %" PRIu64 ".%06" PRIu64 " ", x->ev[i].side->label, a->index, a->ts_ns / 1000000000, a->ts_ns / 1000 % 1000000);
		vt_put_xml(f, a->comm);
		fprintf(f, "[%u] ", a->tid);
		vt_put_xml(f, vt_at_func(a));
		fputs(": ", f);
		vt_put_xml(f, x->ev[i].what);
	}
	fprintf(f, "\nfingerprint: %s", x->fingerprint);
}

static void junit_failure(FILE *f, const struct vt_finding *x)
{
	fputs("      <failure", f);
	attribute(f, "type", vt_severity_name(x->severity));
	attribute(f, "message", x->title);
	fputs(">", f);
	junit_text(f, x);
	fputs("</failure>\n", f);
}

/* Suppressed and known ones fail nothing, and are still there to be read. */
static void junit_silenced(FILE *f, const struct vt_judgement *j, const struct vt_rule *r)
{
	bool any = false;

	for (size_t k = 0; k < j->nr_findings; k++) {
		const struct vt_finding *x = &j->findings[k];

		if (x->rule != r || x->severity == VT_NOTE || vt_counts(x))
			continue;
		fputs(any ? "\n\n" : "      <system-out>", f);
		any = true;
		fprintf(f, "%s (", vt_severity_name(x->severity));
		vt_put_xml(f, x->suppressed ? x->why_suppressed : "in the baseline");
		fprintf(f, "), %s: ", x->suppressed ? "suppressed" : "known");
		vt_put_xml(f, x->title);
		fputc('\n', f);
		junit_text(f, x);
	}
	if (any)
		fputs("</system-out>\n", f);
}

static void testcase(FILE *f, const struct vt_report_opts *o, const char *name)
{
	fputs("    <testcase classname=\"vfiotrace", f);
	if (o->name) {
		fputc('.', f);
		vt_put_xml(f, o->name);
	}
	fprintf(f, "\" name=\"%s\" time=\"0\"", name);
}

static void junit_case(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o, const struct vt_row *r)
{
	char buf[200];
	const char *skip = vt_open_findings(j, r->rule) ? NULL : vt_skipped(r, buf, sizeof(buf));

	testcase(f, o, r->rule->id);
	if (!skip)
		fprintf(f, " assertions=\"%" PRIu64 "\"", r->subjects);
	if (r->status == VT_PASS) {
		fputs("/>\n", f);
		return;
	}
	fputs(">\n", f);
	/* One <failure> per <testcase> is all that most readers show: the first carries all. */
	for (size_t k = 0; k < j->nr_findings; k++) {
		if (j->findings[k].rule == r->rule && vt_counts(&j->findings[k]))
			junit_failure(f, &j->findings[k]);
	}
	if (skip) {
		fputs("      <skipped", f);
		attribute(f, "message", skip);
		fputs("/>\n", f);
	}
	junit_silenced(f, j, r->rule);
	fputs("    </testcase>\n", f);
}

/* ---- the verdict ---- */

static void junit_doubts(FILE *f, const struct vt_judgement *j)
{
	for (size_t i = 0; i < j->nr_doubts; i++) {
		char *rules = vt_leaves_open(j, j->doubts[i]);

		fputs(i ? "\n" : "", f);
		vt_put_xml(f, j->doubts[i]);
		if (rules)
			fprintf(f, " (leaves open: %s)", rules);
		free(rules);
	}
}

/* What is not known is an error here, once, and not one of each rule that has to do with it. */
static void junit_verdict(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	const char *kind = j->exit == VT_EXIT_FINDINGS ? "failure" : "error";
	char buf[100];

	testcase(f, o, "verdict");
	if (j->exit == VT_EXIT_CLEAN) {
		fputs("/>\n", f);
		return;
	}
	fputs(">\n      ", f);
	if (j->exit == VT_EXIT_NOTHING) {
		fputs("<skipped", f);
		attribute(f, "message", j->nothing);
		fputs("/>\n    </testcase>\n", f);
		return;
	}
	if (j->exit == VT_EXIT_FINDINGS)
		snprintf(buf, sizeof(buf), "%zu error%s, %zu warning%s", j->errors, j->errors == 1 ? "" : "s", j->warnings, j->warnings == 1 ? "" : "s");
	else
		snprintf(buf, sizeof(buf), "%s: %zu reason%s", vt_verdict(j), j->nr_doubts, j->nr_doubts == 1 ? "" : "s");
	fprintf(f, "<%s", kind);
	attribute(f, "type", vt_verdict(j));
	attribute(f, "message", buf);
	fputs(">", f);
	junit_doubts(f, j);
	fprintf(f, "</%s>\n    </testcase>\n", kind);
}

static void property(FILE *f, const char *side, const char *name, const char *value)
{
	if (!value)
		return;
	fprintf(f, "      <property name=\"%s%s%s\"", side ? side : "", side ? "." : "", name);
	attribute(f, "value", value);
	fputs("/>\n", f);
}

static void properties(FILE *f, const struct vt_judgement *j)
{
	static const char *const keys[] = { "kernel.release", "kernel.build_id", "machine", "boot_id", "started", "handlers" };
	char id[17];

	fputs("    <properties>\n", f);
	property(f, NULL, "update", vt_update_id(j, id));
	property(f, NULL, "vfiotrace", VFIOTRACE_VERSION);
	property(f, NULL, "verdict", vt_verdict(j));
	for (size_t i = 0; i < j->nr_sides; i++) {
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			property(f, j->side[i]->label, keys[k], vt_trace__told(j->side[i]->trace, keys[k]));
	}
	fputs("    </properties>\n", f);
}

/* Readers want a time zone by none: UTC, to the second. */
static void timestamp(FILE *f, const struct vt_side *s)
{
	const char *started = vt_trace__told(s->trace, "started");
	char text[20];

	if (!started)
		return;
	snprintf(text, sizeof(text), "%.19s", started);
	attribute(f, "timestamp", text);
}

static bool fine(const struct vt_judgement *j)
{
	return j->exit == VT_EXIT_CLEAN || j->exit == VT_EXIT_NOTHING;
}

static void suite(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	size_t failures = 0, errors, skipped = 0;
	double seconds = 0;
	char buf[200];

	for (size_t i = 0; i < vt_nr_rules; i++) {
		failures += vt_open_findings(j, j->rows[i].rule) != 0;
		skipped += !vt_open_findings(j, j->rows[i].rule) && vt_skipped(&j->rows[i], buf, sizeof(buf));
	}
	failures += (o->nr_demands ? 1 : 0) + (j->exit == VT_EXIT_FINDINGS);
	errors = !fine(j) && j->exit != VT_EXIT_FINDINGS;
	skipped += j->exit == VT_EXIT_NOTHING;
	for (size_t i = 0; i < j->nr_sides; i++)
		seconds += vt_side_seconds(j->side[i]);
	fputs("  <testsuite name=\"", f);
	if (o->name)
		vt_put_xml(f, o->name);
	else
		fprintf(f, "vfiotrace %s", o->command);
	fprintf(f, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"%.3f\"", vt_nr_rules + 1 + (o->nr_demands ? 1 : 0), failures,
		errors, skipped, seconds);
	timestamp(f, j->side[0]);
	attribute(f, "hostname", o->host);
	fputs(">\n", f);
}

void vt_report_junit(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", f);
	suite(f, j, o);
	properties(f, j);
	for (size_t i = 0; i < vt_nr_rules; i++)
		junit_case(f, j, o, &j->rows[i]);
	if (o->nr_demands) {
		testcase(f, o, "policy");
		fputs(">\n      <failure type=\"policy\" message=\"demands not met\">", f);
		for (size_t i = 0; i < o->nr_demands; i++) {
			fputs(i ? "\n" : "", f);
			vt_put_xml(f, o->demands[i]);
		}
		fputs("</failure>\n    </testcase>\n", f);
	}
	junit_verdict(f, j, o);
	fputs("  </testsuite>\n</testsuites>\n", f);
}
