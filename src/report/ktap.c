// SPDX-License-Identifier: GPL-2.0
/* KTAP (Documentation/dev-tools/ktap.rst), what kernel test runners read. One test per rule. */
#include "report/format.h"
#include "base/put.h"

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
		bool bad = vt_open_findings(j, r->rule) || r->status == VT_UNKNOWN;

		for (size_t k = 0; k < j->nr_findings; k++) {
			if (j->findings[k].rule == r->rule && vt_counts(&j->findings[k]))
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
