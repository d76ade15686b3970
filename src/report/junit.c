// SPDX-License-Identifier: GPL-2.0
/* JUnit XML, what CI systems read. One test case per rule. */
#include <inttypes.h>

#include "report/format.h"
#include "base/put.h"

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
	if (r->status == VT_PASS || (r->status == VT_FOUND && !vt_open_findings(j, r->rule))) {
		fputs("/>\n", f);
		return;
	}
	fputs(">\n", f);
	/* One <failure> per <testcase> is all that most readers show: the first carries all. */
	for (size_t k = 0; k < j->nr_findings; k++) {
		if (j->findings[k].rule == r->rule && vt_counts(&j->findings[k]))
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
		failures += vt_open_findings(j, j->rows[i].rule) != 0;
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
