// SPDX-License-Identifier: GPL-2.0
/* SARIF 2.1.0, what code scanning reads. One rule per rule, one result per finding. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"
#include "report/identity.h"
#include "report/source_lines.h"
#include "trace/json_writer.h"

/* "KEY": { "text": TEXT } */
static void text(struct vt_jsonw *w, const char *key, const char *value)
{
	vt_jsonw__object(w, key);
	vt_jsonw__str(w, "text", value ? value : "");
	vt_jsonw__end(w);
}

/* What the rule's page says under its first heading; PAGE may be NULL. */
static char *first_section(const char *page)
{
	const char *from = page ? strstr(page, "\n## ") : NULL, *to;
	char *s;

	from = from ? strstr(from + 1, "\n\n") : NULL;
	to = from ? strstr(from + 2, "\n## ") : NULL;
	if (!to)
		return NULL;
	s = strndup(from + 2, (size_t)(to - from - 2));
	for (char *c = s; c && *c; c++)
		*c = *c == '\n' ? ' ' : *c;
	for (size_t n = s ? strlen(s) : 0; n && s[n - 1] == ' '; )
		s[--n] = 0;
	return s;
}

/* All that explain prints goes with it: who reads the report has no vfiotrace. */
static void described(struct vt_jsonw *w, const struct vt_rule *r)
{
	const char *page = vt_rule__page(r->id);
	char *full = first_section(page);

	text(w, "fullDescription", full ? full : r->name);
	vt_jsonw__object(w, "help");
	vt_jsonw__str(w, "text", full ? full : r->name);
	vt_jsonw__str(w, "markdown", page ? page : r->name);
	vt_jsonw__end(w);
	free(full);
}

/* "df-leak" as DfLeak: what the tools around SARIF want of a name. */
static const char *pascal(const char *id, char *buf, size_t size)
{
	size_t n = 0;
	bool up = true;

	for (; *id && n + 1 < size; id++) {
		if (*id != '-')
			buf[n++] = up && *id >= 'a' && *id <= 'z' ? (char)(*id - 'a' + 'A') : *id;
		up = *id == '-';
	}
	buf[n] = 0;
	return buf;
}

static void rule(struct vt_jsonw *w, const struct vt_rule *r)
{
	char name[64];

	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, "id", r->id);
	/* One word is the same as the id, which a name must not be. */
	if (strchr(r->id, '-'))
		vt_jsonw__str(w, "name", pascal(r->id, name, sizeof(name)));
	text(w, "shortDescription", r->name);
	described(w, r);
	vt_jsonw__object(w, "defaultConfiguration");
	vt_jsonw__str(w, "level", vt_severity_name(r->severity));
	vt_jsonw__end(w);
	vt_jsonw__end(w);
}

static void tool(struct vt_jsonw *w)
{
	vt_jsonw__line(w, 6);
	vt_jsonw__object(w, "tool");
	vt_jsonw__object(w, "driver");
	vt_jsonw__str(w, "name", "vfiotrace");
	vt_jsonw__str(w, "version", VFIOTRACE_VERSION);
	vt_jsonw__str(w, "semanticVersion", VFIOTRACE_VERSION);
	vt_jsonw__str(w, "informationUri", "https://docs.kernel.org/userspace-api/liveupdate.html");
	vt_jsonw__rows(w, "rules", 10);
	for (size_t i = 0; i < vt_nr_rules; i++)
		rule(w, vt_rules[i]);
	vt_jsonw__end(w);
	vt_jsonw__end(w);
	vt_jsonw__end(w);
}

/* NAME as in a URI; a '/' stays where it is a path. */
static void uri(struct vt_jsonw *w, const char *scheme, const char *name)
{
	FILE *f = vt_jsonw__value(w, "uri");

	fprintf(f, "\"%s", scheme);
	for (const char *c = name; *c; c++) {
		if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("-._~/", *c))
			fputc(*c, f);
		else
			fprintf(f, "%%%02X", (unsigned char)*c);
	}
	fputc('"', f);
}

/*
 * Code scanning wants a place in a file. Which line of which source that is,
 * debug information says, where it was given. Else the file is the trace, and
 * the function stands beside it.
 */
static void physical(struct vt_jsonw *w, const struct vt_side *side, const struct vt_source *at)
{
	vt_jsonw__object(w, "physicalLocation");
	vt_jsonw__object(w, "artifactLocation");
	uri(w, at && *at->file == '/' ? "file://" : "", at ? at->file : vt_side_file(side));
	if (at && *at->file != '/')
		vt_jsonw__str(w, "uriBaseId", "SRCROOT");
	vt_jsonw__end(w);
	vt_jsonw__object(w, "region");
	vt_jsonw__u64(w, "startLine", at ? at->line : 1);
	if (at && at->column)
		vt_jsonw__u64(w, "startColumn", at->column);
	vt_jsonw__end(w);
	vt_jsonw__end(w);
}

/* Where in the kernel, in the object of a location that is open. */
static void function(struct vt_jsonw *w, const char *name)
{
	vt_jsonw__array(w, "logicalLocations");
	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, "kind", "function");
	vt_jsonw__str(w, "fullyQualifiedName", name);
	vt_jsonw__end(w);
	vt_jsonw__end(w);
}

static void step(struct vt_jsonw *w, const struct vt_report_opts *o, const struct vt_evidence *e, size_t nr)
{
	char what[400];

	snprintf(what, sizeof(what), "%s #%" PRIu64 " %" PRIu64 ".%06" PRIu64 " %s[%u]: %s", e->side->label, e->at.index, e->at.ts_ns / 1000000000,
		 e->at.ts_ns / 1000 % 1000000, e->at.comm, e->at.tid, e->what ? e->what : "");
	vt_jsonw__object(w, NULL);
	vt_jsonw__u64(w, "executionOrder", nr);
	vt_jsonw__object(w, "location");
	physical(w, e->side, vt_evidence_source(e, o));
	function(w, vt_at_func(&e->at));
	text(w, "message", what);
	vt_jsonw__end(w);
	vt_jsonw__end(w);
}

/* The evidence, as the one thread of the one flow. */
static void flow(struct vt_jsonw *w, const struct vt_report_opts *o, const struct vt_finding *x)
{
	vt_jsonw__line(w, 10);
	vt_jsonw__array(w, "codeFlows");
	vt_jsonw__object(w, NULL);
	vt_jsonw__array(w, "threadFlows");
	vt_jsonw__object(w, NULL);
	vt_jsonw__rows(w, "locations", 12);
	for (size_t i = 0; i < x->nr_ev; i++)
		step(w, o, &x->ev[i], i + 1);
	for (int i = 0; i < 5; i++)
		vt_jsonw__end(w);
}

static void location(struct vt_jsonw *w, const struct vt_finding *x, const struct vt_source *at)
{
	char who[256];

	vt_jsonw__line(w, 10);
	vt_jsonw__array(w, "locations");
	vt_jsonw__object(w, NULL);
	physical(w, x->side, at);
	if (x->func)
		function(w, x->func);
	text(w, "message", vt_who_str(&x->who, who, sizeof(who)));
	vt_jsonw__end(w);
	vt_jsonw__end(w);
}

/* The other call sites that the finding names. */
static void related(struct vt_jsonw *w, const struct vt_source_line *l, size_t nr)
{
	vt_jsonw__line(w, 10);
	vt_jsonw__array(w, "relatedLocations");
	for (size_t i = 0; i < nr; i++) {
		vt_jsonw__object(w, NULL);
		vt_jsonw__u64(w, "id", i + 1);
		physical(w, l[i].side, l[i].at);
		function(w, l[i].site);
		text(w, "message", l[i].site);
		vt_jsonw__end(w);
	}
	vt_jsonw__end(w);
}

static void places(struct vt_jsonw *w, const struct vt_judgement *j, const struct vt_report_opts *o, const struct vt_finding *x)
{
	size_t nr;
	struct vt_source_line *l = vt_source_lines(x, j, o, &nr);

	location(w, x, nr ? l[0].at : NULL);
	if (nr > 1)
		related(w, l + 1, nr - 1);
	free(l);
}

static void suppression(struct vt_jsonw *w, const struct vt_finding *x)
{
	vt_jsonw__line(w, 10);
	vt_jsonw__array(w, "suppressions");
	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, "kind", "external");
	vt_jsonw__str(w, "justification", x->suppressed ? x->why_suppressed : "in the baseline");
	vt_jsonw__end(w);
	vt_jsonw__end(w);
}

static size_t rule_index(const struct vt_rule *r)
{
	size_t i = 0;

	while (i < vt_nr_rules && vt_rules[i] != r)
		i++;
	return i;
}

/* S as a sentence behind what is there. */
static void sentence(char **msg, const char *label, const char *s)
{
	size_t len = s ? strlen(s) : 0;
	char *grown;

	if (!len || asprintf(&grown, "%s%s%s%s%s", *msg ? *msg : "", *msg ? " " : "", label, s, s[len - 1] == '.' ? "" : ".") < 0)
		return;
	free(*msg);
	*msg = grown;
}

static char *message(const struct vt_finding *x)
{
	char *msg = NULL;

	sentence(&msg, "", x->title);
	if (x->severity != VT_NOTE)
		sentence(&msg, "Expected: ", x->expected);
	sentence(&msg, "Seen: ", x->seen[0]);
	sentence(&msg, x->seen[0] ? "" : "Seen: ", x->seen[1]);
	sentence(&msg, "", x->meaning);
	return msg;
}

static void result(struct vt_jsonw *w, const struct vt_judgement *j, const struct vt_report_opts *o, const struct vt_finding *x)
{
	char *msg = message(x), hash[24];

	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, "ruleId", x->rule->id);
	vt_jsonw__u64(w, "ruleIndex", rule_index(x->rule));
	vt_jsonw__str(w, "level", vt_severity_name(x->severity));
	text(w, "message", msg ? msg : x->title);
	vt_jsonw__line(w, 10);
	vt_jsonw__object(w, "partialFingerprints");
	vt_jsonw__str(w, "vfiotrace/v1", x->fingerprint);
	/* Where a service makes its own of the line, all findings of a trace would be one. */
	snprintf(hash, sizeof(hash), "%s:1", x->fingerprint);
	vt_jsonw__str(w, "primaryLocationLineHash", hash);
	vt_jsonw__end(w);
	places(w, j, o, x);
	if (x->nr_ev)
		flow(w, o, x);
	if (x->suppressed || x->known)
		suppression(w, x);
	vt_jsonw__end(w);
	free(msg);
}

static void notice(struct vt_jsonw *w, const char *level, const char *message)
{
	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, "level", level);
	text(w, "message", message);
	vt_jsonw__end(w);
}

static void invocation(struct vt_jsonw *w, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	vt_jsonw__line(w, 6);
	vt_jsonw__array(w, "invocations");
	vt_jsonw__object(w, NULL);
	vt_jsonw__bool(w, "executionSuccessful", j->exit == VT_EXIT_CLEAN || j->exit == VT_EXIT_FINDINGS || j->exit == VT_EXIT_NOTHING);
	vt_jsonw__u64(w, "exitCode", j->exit);
	vt_jsonw__line(w, 8);
	vt_jsonw__rows(w, "toolExecutionNotifications", 10);
	for (size_t i = 0; i < j->nr_doubts; i++)
		notice(w, "warning", j->doubts[i]);
	for (size_t i = 0; i < o->nr_demands; i++)
		notice(w, "error", o->demands[i]);
	vt_jsonw__end(w);
	vt_jsonw__end(w);
	vt_jsonw__end(w);
}

/* No results: a code scanner shows each of those as an alert. */
static void statuses(struct vt_jsonw *w, const struct vt_judgement *j)
{
	vt_jsonw__rows(w, "rules", 8);
	for (size_t i = 0; i < vt_nr_rules; i++) {
		vt_jsonw__object(w, NULL);
		vt_jsonw__str(w, "id", vt_rules[i]->id);
		vt_jsonw__str(w, "status", vt_status_name(j->rows[i].status));
		vt_jsonw__u64(w, "judged", j->rows[i].subjects);
		vt_jsonw__str(w, "unit", vt_rules[i]->judges.many);
		vt_jsonw__end(w);
	}
	vt_jsonw__end_line(w, 6);
}

static void identity(struct vt_jsonw *w, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	char id[17], name[200];

	snprintf(name, sizeof(name), "vfiotrace/%s/", o->name ? o->name : o->command);
	vt_jsonw__line(w, 6);
	vt_jsonw__object(w, "automationDetails");
	vt_jsonw__str(w, "id", name);
	vt_jsonw__end(w);
	vt_jsonw__line(w, 6);
	vt_jsonw__object(w, "properties");
	vt_jsonw__str(w, "update", vt_update_id(j, id));
	vt_jsonw__str(w, "host", o->host);
	for (size_t i = 0; i < j->nr_sides; i++) {
		vt_jsonw__object(w, j->side[i]->label);
		vt_jsonw__str(w, "kernel", vt_trace__told(j->side[i]->trace, "kernel.release"));
		vt_jsonw__str(w, "build_id", vt_trace__told(j->side[i]->trace, "kernel.build_id"));
		vt_jsonw__str(w, "started", vt_trace__told(j->side[i]->trace, "started"));
		vt_jsonw__end(w);
	}
	statuses(w, j);
	vt_jsonw__end(w);
}

void vt_report_sarif(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	struct vt_jsonw w;

	vt_jsonw__begin(&w, f, VT_JSONW_AIRY);
	vt_jsonw__object(&w, NULL);
	vt_jsonw__line(&w, 2);
	vt_jsonw__str(&w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	vt_jsonw__line(&w, 2);
	vt_jsonw__str(&w, "version", "2.1.0");
	vt_jsonw__line(&w, 2);
	vt_jsonw__array(&w, "runs");
	vt_jsonw__object(&w, NULL);
	tool(&w);
	identity(&w, j, o);
	invocation(&w, j, o);
	vt_jsonw__line(&w, 6);
	vt_jsonw__rows(&w, "results", 8);
	for (size_t i = 0; i < j->nr_findings; i++)
		result(&w, j, o, &j->findings[i]);
	vt_jsonw__end(&w);
	vt_jsonw__end_line(&w, 4);
	vt_jsonw__end(&w);
	vt_jsonw__end_line(&w, 0);
	fputc('\n', f);
}
