// SPDX-License-Identifier: GPL-2.0
/* SARIF 2.1.0, what code scanning reads. One rule per rule, one result per finding. */
#include <stdlib.h>

#include "report/format.h"
#include "trace/json_writer.h"

/* "KEY": { "text": TEXT } */
static void text(struct vt_jsonw *w, const char *key, const char *value)
{
	vt_jsonw__object(w, key);
	vt_jsonw__str(w, "text", value ? value : "");
	vt_jsonw__end(w);
}

static void rule(struct vt_jsonw *w, const struct vt_rule *r)
{
	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, "id", r->id);
	text(w, "shortDescription", r->name);
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
	vt_jsonw__rows(w, "rules", 10);
	for (size_t i = 0; i < vt_nr_rules; i++)
		rule(w, vt_rules[i]);
	vt_jsonw__end(w);
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

static void step(struct vt_jsonw *w, const struct vt_evidence *e, size_t nr)
{
	char what[400];

	snprintf(what, sizeof(what), "%s %s[%u]: %s", e->side->label, e->at.comm, e->at.tid, e->what ? e->what : "");
	vt_jsonw__object(w, NULL);
	vt_jsonw__u64(w, "executionOrder", nr);
	vt_jsonw__object(w, "location");
	function(w, vt_at_func(&e->at));
	text(w, "message", what);
	vt_jsonw__end(w);
	vt_jsonw__end(w);
}

/* The evidence, as the one thread of the one flow. */
static void flow(struct vt_jsonw *w, const struct vt_finding *x)
{
	vt_jsonw__line(w, 10);
	vt_jsonw__array(w, "codeFlows");
	vt_jsonw__object(w, NULL);
	vt_jsonw__array(w, "threadFlows");
	vt_jsonw__object(w, NULL);
	vt_jsonw__rows(w, "locations", 12);
	for (size_t i = 0; i < x->nr_ev; i++)
		step(w, &x->ev[i], i + 1);
	for (int i = 0; i < 5; i++)
		vt_jsonw__end(w);
}

static void location(struct vt_jsonw *w, const struct vt_finding *x)
{
	char who[256];

	vt_jsonw__line(w, 10);
	vt_jsonw__array(w, "locations");
	vt_jsonw__object(w, NULL);
	function(w, x->func ? x->func : x->rule->id);
	text(w, "message", vt_who_str(&x->who, who, sizeof(who)));
	vt_jsonw__end(w);
	vt_jsonw__end(w);
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

static void result(struct vt_jsonw *w, const struct vt_finding *x)
{
	char *msg = NULL;

	if (asprintf(&msg, "%s. Expected: %s. %s%s%s%s", x->title, x->expected ? x->expected : "?", x->seen[0] ? x->seen[0] : "",
		     x->seen[0] && x->seen[1] ? "; " : "", x->seen[1] ? x->seen[1] : "", x->meaning ? ". " : "") < 0)
		msg = NULL;
	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, "ruleId", x->rule->id);
	vt_jsonw__u64(w, "ruleIndex", rule_index(x->rule));
	vt_jsonw__str(w, "level", vt_severity_name(x->severity));
	text(w, "message", msg ? msg : x->title);
	vt_jsonw__line(w, 10);
	vt_jsonw__object(w, "partialFingerprints");
	vt_jsonw__str(w, "vfiotrace/v1", x->fingerprint);
	vt_jsonw__end(w);
	location(w, x);
	if (x->nr_ev)
		flow(w, x);
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
	invocation(&w, j, o);
	vt_jsonw__line(&w, 6);
	vt_jsonw__rows(&w, "results", 8);
	for (size_t i = 0; i < j->nr_findings; i++)
		result(&w, &j->findings[i]);
	vt_jsonw__end(&w);
	vt_jsonw__end_line(&w, 4);
	vt_jsonw__end(&w);
	vt_jsonw__end_line(&w, 0);
	fputc('\n', f);
}
