// SPDX-License-Identifier: GPL-2.0
/* For node_exporter's textfile collector: the last live update of a host. Text exposition format 0.0.4. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "report/format.h"
#include "report/identity.h"

/* A label's value: names come from traces. */
static void value(FILE *f, const char *s)
{
	while (*s) {
		uint32_t code;
		unsigned int len = vt_utf8__next(s, &code);

		if (!len || !vt_utf8__harmless(code))
			fputc('?', f);
		else if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else
			fwrite(s, 1, len, f);
		s += len ? len : 1;
	}
}

static void label(FILE *f, char before, const char *name, const char *v)
{
	fprintf(f, "%c%s=\"", before, name);
	value(f, v ? v : "");
	fputc('"', f);
}

static void head(FILE *f, const char *name, const char *help)
{
	fprintf(f, "# HELP vfiotrace_%s %s\n# TYPE vfiotrace_%s gauge\n", name, help, name);
}

static void info(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	char id[17];

	head(f, "update_info", "The live update that was judged last.");
	fputs("vfiotrace_update_info", f);
	label(f, '{', "update", vt_update_id(j, id));
	label(f, ',', "version", VFIOTRACE_VERSION);
	label(f, ',', "verdict", vt_verdict(j));
	for (size_t i = 0; i < j->nr_sides; i++) {
		const char *key[] = { j->nr_sides == 1 ? "kernel" : i ? "kernel_post" : "kernel_pre",
				      j->nr_sides == 1 ? "build_id" : i ? "build_id_post" : "build_id_pre" };

		label(f, ',', key[0], vt_trace__told(j->side[i]->trace, "kernel.release"));
		label(f, ',', key[1], vt_trace__told(j->side[i]->trace, "kernel.build_id"));
	}
	if (o->name)
		label(f, ',', "name", o->name);
	if (o->host)
		label(f, ',', "host", o->host);
	fputs("} 1\n", f);
}

static void one(FILE *f, const char *name, const char *help, uint64_t n)
{
	head(f, name, help);
	fprintf(f, "vfiotrace_%s %" PRIu64 "\n", name, n);
}

static void started(FILE *f, const struct vt_judgement *j)
{
	const char *text = vt_trace__told(j->side[j->nr_sides - 1]->trace, "started");
	struct tm tm = { 0 };

	if (text && strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm))
		one(f, "update_timestamp_seconds", "When the recording in the new kernel began, by the wall clock.", (uint64_t)timegm(&tm));
}

static void counts(FILE *f, const struct vt_judgement *j)
{
	const struct { const char *what; size_t n; } found[] = {
		{ "error", j->errors }, { "warning", j->warnings }, { "note", j->notes }, { "suppressed", j->suppressed }, { "known", j->known },
	};
	static const enum vt_status statuses[] = { VT_PASS, VT_FOUND, VT_UNKNOWN, VT_NOTHING, VT_NOT_APPLICABLE };

	head(f, "findings", "What the rules found, by severity; suppressed and known ones apart.");
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
		fprintf(f, "vfiotrace_findings{severity=\"%s\"} %zu\n", found[i].what, found[i].n);
	head(f, "rules", "Rules by status.");
	for (size_t s = 0; s < sizeof(statuses) / sizeof(statuses[0]); s++) {
		size_t n = 0;

		for (size_t i = 0; i < vt_nr_rules; i++)
			n += j->rows[i].status == statuses[s];
		fprintf(f, "vfiotrace_rules{status=\"%s\"} %zu\n", vt_status_name(statuses[s]), n);
	}
}

/* A rule that applies and judged nothing says so with its 0. */
static void judged(FILE *f, const struct vt_judgement *j)
{
	head(f, "rule_judged", "What a rule looked at, in its own unit; rules that do not apply are left out.");
	for (size_t i = 0; i < vt_nr_rules; i++) {
		const struct vt_row *r = &j->rows[i];

		if (r->status == VT_NOT_APPLICABLE)
			continue;
		fputs("vfiotrace_rule_judged", f);
		label(f, '{', "rule", r->rule->id);
		label(f, ',', "unit", r->rule->judges.many);
		fprintf(f, "} %" PRIu64 "\n", r->subjects);
	}
}

static void files(FILE *f, const struct vt_judgement *j)
{
	struct vt_files_told n = vt_files_told(j);

	head(f, "files", "Preserved files, by how far they came.");
	fprintf(f, "vfiotrace_files{step=\"preserved\"} %" PRIu64 "\nvfiotrace_files{step=\"jump\"} %" PRIu64
		"\nvfiotrace_files{step=\"retrieved\"} %" PRIu64 "\nvfiotrace_files{step=\"finished\"} %" PRIu64 "\n",
		n.preserved, n.crossed, n.retrieved, n.finished);
}

static void findings(FILE *f, const struct vt_judgement *j)
{
	bool any = false;

	for (size_t i = 0; i < j->nr_findings; i++) {
		const struct vt_finding *x = &j->findings[i];

		if (x->severity == VT_NOTE)
			continue;
		if (!any)
			head(f, "finding", "Objects that a finding is about.");
		any = true;
		fputs("vfiotrace_finding", f);
		label(f, '{', "rule", x->rule->id);
		label(f, ',', "fingerprint", x->fingerprint);
		label(f, ',', "severity", vt_severity_name(x->severity));
		label(f, ',', "state", x->suppressed ? "suppressed" : x->known ? "known" : "open");
		fprintf(f, "} %" PRIu64 "\n", x->count);
	}
}

static void phase(FILE *f, const struct vt_judgement *j, const char *name, const char *help, bool longest)
{
	head(f, name, help);
	for (size_t i = 0; i < j->nr_sides; i++) {
		for (int p = 0; p < VT_PH_MAX; p++) {
			const struct vt_phase_time *t = &j->side[i]->phase[p];

			if (t->count)
				fprintf(f, "vfiotrace_%s{side=\"%s\",phase=\"%s\"} %.9f\n", name, j->side[i]->label,
					vt_phase_name((enum vt_phase_kind)p), (double)(longest ? t->max_ns : t->total_ns) / 1e9);
		}
	}
}

void vt_report_prometheus(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	info(f, j, o);
	started(f, j);
	one(f, "update_exit_code", "The exit code: 0 clean, 1 findings, 4 nothing to judge, 5 inconclusive.", (uint64_t)j->exit);
	one(f, "demands_not_met", "What the policy or the baseline asks for and did not get.", o->nr_demands);
	counts(f, j);
	judged(f, j);
	files(f, j);
	findings(f, j);
	phase(f, j, "phase_seconds", "Time in a phase, all calls.", false);
	phase(f, j, "phase_longest_seconds", "The longest call of a phase.", true);
}
