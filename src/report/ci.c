// SPDX-License-Identifier: GPL-2.0
/* What CI systems read: KTAP (Documentation/dev-tools/ktap.rst), JUnit XML, SARIF 2.1.0. One test per rule. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

static bool counts(const struct vt_finding *x)
{
	return x->severity != VT_NOTE && !x->suppressed && !x->known;
}

static size_t open_findings(const struct vt_judgement *j, const struct vt_rule *r)
{
	size_t n = 0;

	for (size_t i = 0; i < j->nr_findings; i++)
		n += j->findings[i].rule == r && counts(&j->findings[i]);
	return n;
}

/* ---- KTAP ---- */

static void ktap_diag(FILE *f, const char *label, const char *text)
{
	if (!text)
		return;
	fprintf(f, "# %s: ", label);
	vt_put_plain(f, text);
	fputc('\n', f);
}

static void ktap_finding(FILE *f, const struct vt_finding *x)
{
	char buf[256];

	ktap_diag(f, vt_severity_name(x->severity), x->title);
	ktap_diag(f, "object", vt_who_str(&x->who, buf, sizeof(buf)));
	ktap_diag(f, "expected", x->expected);
	ktap_diag(f, "seen before", x->seen[0]);
	ktap_diag(f, "seen after", x->seen[1]);
	ktap_diag(f, "fingerprint", x->fingerprint);
}

static void ktap_line(FILE *f, bool ok, size_t nr, const char *name, const char *skip)
{
	fprintf(f, "%s %zu %s", ok ? "ok" : "not ok", nr, name);
	if (skip) {
		fputs(" # SKIP ", f);
		vt_put_plain(f, skip);
	}
	fputc('\n', f);
}

/*
 * An unknown is no SKIP: kernel test runners take skipped for fine. It is a
 * failed test that says why.
 */
void vt_report_ktap(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	size_t extra = (o->nr_demands ? 1 : 0) + 1;

	fprintf(f, "KTAP version 1\n1..%zu\n", vt_nr_rules + extra);
	for (size_t i = 0; i < vt_nr_rules; i++) {
		const struct vt_row *r = &j->rows[i];
		bool bad = open_findings(j, r->rule) || r->status == VT_UNKNOWN;

		for (size_t k = 0; k < j->nr_findings; k++) {
			if (j->findings[k].rule == r->rule && counts(&j->findings[k]))
				ktap_finding(f, &j->findings[k]);
		}
		for (size_t k = 0; vt_row_doubtful(r) && k < r->nr_why; k++)
			ktap_diag(f, "unknown", r->why[k]);
		ktap_line(f, !bad, i + 1, r->rule->id, r->status == VT_NOT_APPLICABLE ? r->why[0] : NULL);
	}
	if (o->nr_demands) {
		for (size_t i = 0; i < o->nr_demands; i++)
			ktap_diag(f, "demand", o->demands[i]);
		ktap_line(f, false, vt_nr_rules + 1, "policy", NULL);
	}
	ktap_diag(f, "verdict", vt_verdict(j));
	ktap_line(f, j->exit == VT_EXIT_CLEAN || j->exit == VT_EXIT_NOTHING, vt_nr_rules + extra, "verdict", j->exit == VT_EXIT_NOTHING ? j->nothing : NULL);
}

/* ---- JUnit ---- */

static void junit_failure(FILE *f, const struct vt_finding *x)
{
	char buf[256];

	fputs("      <failure type=\"", f);
	vt_put_xml(f, vt_severity_name(x->severity));
	fputs("\" message=\"", f);
	vt_put_xml(f, x->title);
	fputs("\">object: ", f);
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

		fprintf(f, "\n%s %" PRIu64 ".%06" PRIu64 " ", x->ev[i].side->label, a->ts_ns / 1000000000, a->ts_ns / 1000 % 1000000);
		vt_put_xml(f, a->comm);
		fprintf(f, "[%u] ", a->tid);
		vt_put_xml(f, vt_at_func(a));
		fputs(": ", f);
		vt_put_xml(f, x->ev[i].what);
	}
	fprintf(f, "\nfingerprint: %s</failure>\n", x->fingerprint);
}

static void junit_case(FILE *f, const struct vt_judgement *j, const struct vt_row *r)
{
	fprintf(f, "    <testcase classname=\"vfiotrace\" name=\"%s\" time=\"0\"", r->rule->id);
	if (r->status == VT_PASS || (r->status == VT_FOUND && !open_findings(j, r->rule))) {
		fputs("/>\n", f);
		return;
	}
	fputs(">\n", f);
	/* One <failure> per <testcase> is all that most readers show: the first carries all. */
	for (size_t k = 0; k < j->nr_findings; k++) {
		if (j->findings[k].rule == r->rule && counts(&j->findings[k]))
			junit_failure(f, &j->findings[k]);
	}
	if (r->status == VT_UNKNOWN) {
		fputs("      <error type=\"unknown\" message=\"the evidence does not reach\">", f);
		for (size_t k = 0; k < r->nr_why; k++) {
			fputs(k ? "\n" : "", f);
			vt_put_xml(f, r->why[k]);
		}
		fputs("</error>\n", f);
	} else if (r->status == VT_NOT_APPLICABLE) {
		fputs("      <skipped message=\"", f);
		vt_put_xml(f, r->why[0]);
		fputs("\"/>\n", f);
	}
	fputs("    </testcase>\n", f);
}

void vt_report_junit(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	size_t failures = 0, errors = 0, skipped = 0;

	for (size_t i = 0; i < vt_nr_rules; i++) {
		failures += open_findings(j, j->rows[i].rule) != 0;
		errors += j->rows[i].status == VT_UNKNOWN;
		skipped += j->rows[i].status == VT_NOT_APPLICABLE;
	}
	failures += o->nr_demands ? 1 : 0;
	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"vfiotrace %s\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"0\">\n",
		o->command, vt_nr_rules + (o->nr_demands ? 1 : 0), failures, errors, skipped);
	for (size_t i = 0; i < vt_nr_rules; i++)
		junit_case(f, j, &j->rows[i]);
	if (o->nr_demands) {
		fputs("    <testcase classname=\"vfiotrace\" name=\"policy\" time=\"0\">\n      <failure type=\"policy\" message=\"demands not met\">", f);
		for (size_t i = 0; i < o->nr_demands; i++) {
			fputs(i ? "\n" : "", f);
			vt_put_xml(f, o->demands[i]);
		}
		fputs("</failure>\n    </testcase>\n", f);
	}
	fputs("  </testsuite>\n</testsuites>\n", f);
}

/* ---- SARIF ---- */

static void sarif_text(FILE *f, const char *name, const char *text, const char *after)
{
	fprintf(f, "\"%s\": { \"text\": ", name);
	vt_put_json(f, text ? text : "");
	fprintf(f, " }%s", after);
}

static void sarif_rules(FILE *f)
{
	for (size_t i = 0; i < vt_nr_rules; i++) {
		const struct vt_rule *r = vt_rules[i];

		fprintf(f, "%s\n          { \"id\": \"%s\", ", i ? "," : "", r->id);
		sarif_text(f, "shortDescription", r->name, ", ");
		fprintf(f, "\"defaultConfiguration\": { \"level\": \"%s\" } }", vt_severity_name(r->severity));
	}
}

static void sarif_result(FILE *f, const struct vt_finding *x)
{
	char buf[256], ev[400], *msg = NULL;
	size_t i;

	if (asprintf(&msg, "%s. Expected: %s. %s%s%s%s", x->title, x->expected ? x->expected : "?", x->seen[0] ? x->seen[0] : "",
		     x->seen[0] && x->seen[1] ? "; " : "", x->seen[1] ? x->seen[1] : "", x->meaning ? ". " : "") < 0)
		msg = NULL;
	for (i = 0; i < vt_nr_rules && vt_rules[i] != x->rule; i++)
		;
	fprintf(f, "        { \"ruleId\": \"%s\", \"ruleIndex\": %zu, \"level\": \"%s\", ", x->rule->id, i, vt_severity_name(x->severity));
	sarif_text(f, "message", msg ? msg : x->title, ",\n          ");
	fprintf(f, "\"partialFingerprints\": { \"vfiotrace/v1\": \"%s\" },\n          \"locations\": [ { \"logicalLocations\": [ { \"kind\": \"function\", \"fullyQualifiedName\": ",
		x->fingerprint);
	vt_put_json(f, x->func ? x->func : x->rule->id);
	fputs(" } ], ", f);
	sarif_text(f, "message", vt_who_str(&x->who, buf, sizeof(buf)), " } ]");
	if (x->nr_ev) {
		fputs(",\n          \"codeFlows\": [ { \"threadFlows\": [ { \"locations\": [", f);
		for (i = 0; i < x->nr_ev; i++) {
			const struct vt_evidence *e = &x->ev[i];

			snprintf(ev, sizeof(ev), "%s %s[%u]: %s", e->side->label, e->at.comm, e->at.tid, e->what ? e->what : "");
			fprintf(f, "%s\n            { \"executionOrder\": %zu, \"location\": { \"logicalLocations\": [ { \"kind\": \"function\", \"fullyQualifiedName\": ",
				i ? "," : "", i + 1);
			vt_put_json(f, vt_at_func(&e->at));
			fputs(" } ], ", f);
			sarif_text(f, "message", ev, " } }");
		}
		fputs(" ] } ] } ]", f);
	}
	if (x->suppressed || x->known) {
		fputs(",\n          \"suppressions\": [ { \"kind\": \"external\", \"justification\": ", f);
		vt_put_json(f, x->suppressed ? x->why_suppressed : "in the baseline");
		fputs(" } ]", f);
	}
	fputs(" }", f);
	free(msg);
}

static void sarif_notices(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	bool first = true;

	fputs("        \"toolExecutionNotifications\": [", f);
	for (size_t i = 0; i < j->nr_doubts; i++) {
		fprintf(f, "%s\n          { \"level\": \"warning\", ", first ? "" : ",");
		sarif_text(f, "message", j->doubts[i], " }");
		first = false;
	}
	for (size_t i = 0; i < o->nr_demands; i++) {
		fprintf(f, "%s\n          { \"level\": \"error\", ", first ? "" : ",");
		sarif_text(f, "message", o->demands[i], " }");
		first = false;
	}
	fputs(" ]", f);
}

void vt_report_sarif(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	bool ran = j->exit == VT_EXIT_CLEAN || j->exit == VT_EXIT_FINDINGS || j->exit == VT_EXIT_NOTHING, first = true;

	fputs("{\n  \"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n  \"version\": \"2.1.0\",\n  \"runs\": [ {\n", f);
	fputs("      \"tool\": { \"driver\": { \"name\": \"vfiotrace\", \"version\": \"" VFIOTRACE_VERSION "\", \"rules\": [", f);
	sarif_rules(f);
	fprintf(f, " ] } },\n      \"invocations\": [ { \"executionSuccessful\": %s, \"exitCode\": %d,\n", ran ? "true" : "false", (int)j->exit);
	sarif_notices(f, j, o);
	fputs(" } ],\n      \"results\": [", f);
	for (size_t i = 0; i < j->nr_findings; i++) {
		fputs(first ? "\n" : ",\n", f);
		sarif_result(f, &j->findings[i]);
		first = false;
	}
	fputs(" ]\n    } ]\n}\n", f);
}
