// SPDX-License-Identifier: GPL-2.0
/* The report as one JSON object, on many lines or one: docs/report.schema.json. "rule" names the rule of a finding and stands nowhere else. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"
#include "report/identity.h"
#include "report/pairs.h"
#include "report/source_lines.h"
#include "trace/json_writer.h"

#define SCHEMA_VERSION 4

#define OPEN_LISTED 256	/* of the files that a rule leaves open */

/* Numbers are numbers, whatever their size: a column of a table has one type. */
static void u64(struct vt_jsonw *w, const char *key, uint64_t v)
{
	fprintf(vt_jsonw__value(w, key), "%" PRIu64, v);
}

static void s64(struct vt_jsonw *w, const char *key, int64_t v)
{
	fprintf(vt_jsonw__value(w, key), "%" PRId64, v);
}

static void hex_or_null(struct vt_jsonw *w, const char *key, bool has, uint64_t v)
{
	if (has)
		vt_jsonw__hex(w, key, v);
	else
		vt_jsonw__null(w, key);
}

static void who(struct vt_jsonw *w, const char *key, const struct vt_who *x)
{
	vt_jsonw__object(w, key);
	vt_jsonw__str(w, "session", x->session);
	hex_or_null(w, "token", x->has_token, x->token);
	vt_jsonw__str(w, "compatible", x->compatible);
	vt_jsonw__str(w, "bdf", x->bdf);
	vt_jsonw__end(w);
}

/* The members of an event, in an object that is open. */
static void at(struct vt_jsonw *w, const struct vt_at *a)
{
	u64(w, "index", a->index);
	u64(w, "ts_ns", a->ts_ns);
	u64(w, "tgid", a->tgid);
	u64(w, "tid", a->tid);
	vt_jsonw__str(w, "comm", a->comm);
	vt_jsonw__str(w, "event", vt_event_name(a->type));
	vt_jsonw__str(w, "phase", a->phase == VT_ENTER ? "enter" : a->phase == VT_EXIT ? "exit" : "point");
	vt_jsonw__str(w, "func", a->func);
	if (a->has_ret)
		s64(w, "ret", a->ret);
	else
		vt_jsonw__null(w, "ret");
}

static void strings(struct vt_jsonw *w, const char *key, const char *const *s, size_t nr)
{
	vt_jsonw__array(w, key);
	for (size_t i = 0; i < nr; i++)
		vt_jsonw__str(w, NULL, s[i]);
	vt_jsonw__end(w);
}

static void phases(struct vt_jsonw *w, const struct vt_side *s)
{
	vt_jsonw__array(w, "phases");
	for (int p = 0; p < VT_PH_MAX; p++) {
		const struct vt_phase_time *t = &s->phase[p];

		if (!t->count)
			continue;
		vt_jsonw__object(w, NULL);
		vt_jsonw__str(w, "phase", vt_phase_name((enum vt_phase_kind)p));
		u64(w, "count", t->count);
		u64(w, "total_ns", t->total_ns);
		u64(w, "max_ns", t->max_ns);
		vt_jsonw__end(w);
	}
	vt_jsonw__end(w);
}

static void frees(struct vt_jsonw *w, const struct vt_side *s)
{
	vt_jsonw__array(w, "frees");
	for (size_t k = 0; k < s->nr_free_paths; k++) {
		const struct vt_free_path *p = &s->free_paths[k];

		vt_jsonw__object(w, NULL);
		vt_jsonw__str(w, "allocated_by", p->callee);
		vt_jsonw__str(w, "family", p->family);
		vt_jsonw__str(w, "allocated_at", p->example->site);
		vt_jsonw__str(w, "freed_by", p->free_callee);
		vt_jsonw__str(w, "freed_at", p->example->free_site[0]);
		vt_jsonw__bool(w, "normal_release", p->in_release);
		u64(w, "count", p->count);
		vt_jsonw__end(w);
	}
	vt_jsonw__end(w);
}

static void handlers(struct vt_jsonw *w, const struct vt_side *s)
{
	const char *told = vt_trace__told(s->trace, "handlers");
	char *list = strdup(told ? told : ""), *save;

	vt_jsonw__array(w, "handlers");
	for (char *one = list ? strtok_r(list, ", ", &save) : NULL; one; one = strtok_r(NULL, ", ", &save))
		vt_jsonw__str(w, NULL, one);
	vt_jsonw__end(w);
	free(list);
}

static void side(struct vt_jsonw *w, const struct vt_side *s)
{
	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, "side", s->label);
	vt_jsonw__str(w, "file", vt_side_file(s));
	vt_jsonw__line(w, 6);
	vt_jsonw__str(w, "kernel", vt_trace__told(s->trace, "kernel.release"));
	vt_jsonw__str(w, "kernel_version", vt_trace__told(s->trace, "kernel.version"));
	vt_jsonw__str(w, "build_id", vt_trace__told(s->trace, "kernel.build_id"));
	vt_jsonw__str(w, "machine", vt_trace__told(s->trace, "machine"));
	vt_jsonw__line(w, 6);
	vt_jsonw__str(w, "boot_id", vt_trace__told(s->trace, "boot_id"));
	vt_jsonw__str(w, "started", vt_trace__told(s->trace, "started"));
	vt_jsonw__str(w, "recorded_by", vt_trace__told(s->trace, "tool.version"));
	handlers(w, s);
	vt_jsonw__line(w, 6);
	u64(w, "first_ns", s->first_ns);
	u64(w, "last_ns", s->last_ns);
	vt_jsonw__str(w, "ending", s->ending == VT_END_JUMP ? "jump" : s->ending == VT_END_STOPPED ? "stopped" : "cut");
	vt_jsonw__bool(w, "damaged", s->damaged);
	vt_jsonw__bool(w, "truncated", s->truncated);
	u64(w, "events", s->events);
	u64(w, "folded_files", s->folded_lives);
	vt_jsonw__line(w, 6);
	phases(w, s);
	vt_jsonw__line(w, 6);
	frees(w, s);
	vt_jsonw__end(w);
}

static void sides(struct vt_jsonw *w, const struct vt_judgement *j)
{
	vt_jsonw__line(w, 2);
	vt_jsonw__rows(w, "sides", 4);
	for (size_t i = 0; i < j->nr_sides; i++)
		side(w, j->side[i]);
	vt_jsonw__end_line(w, 2);
}

static void steps(struct vt_jsonw *w, const struct vt_life *l)
{
	vt_jsonw__array(w, "steps");
	for (int k = 0; k < VT_STEP_MAX; k++) {
		if (!l->at[k].type)
			continue;
		vt_jsonw__object(w, NULL);
		vt_jsonw__str(w, "step", vt_step_name((enum vt_step)k));
		u64(w, "runs", l->n[k]);
		u64(w, "ns", l->ns[k]);
		vt_jsonw__object(w, "last");
		at(w, &l->at[k]);
		vt_jsonw__end(w);
		vt_jsonw__end(w);
	}
	vt_jsonw__end(w);
}

static void file_refs(struct vt_jsonw *w, const struct vt_life *l)
{
	vt_jsonw__array(w, "file_ref");
	for (int p = 0; p < VT_PT_MAX; p++) {
		if (!l->ref[p].seen)
			continue;
		vt_jsonw__object(w, NULL);
		vt_jsonw__str(w, "point", vt_pt_name((enum vt_pt)p));
		s64(w, "count", l->ref[p].count);
		vt_jsonw__end(w);
	}
	vt_jsonw__end(w);
}

static void half(struct vt_jsonw *w, const struct vt_judgement *j, const char *name, const struct vt_life *l)
{
	const struct vt_snap *s = l ? l->snap : NULL;

	vt_jsonw__line(w, 6);
	if (!l) {
		vt_jsonw__null(w, name);
		return;
	}
	vt_jsonw__object(w, name);
	vt_jsonw__str(w, "state", vt_life_state_name(l->state));
	vt_jsonw__bool(w, "jumped", vt_crossed(j, l));
	hex_or_null(w, "serialized_data", l->has_data, l->data);
	steps(w, l);
	file_refs(w, l);
	if (!s || !s->is_vfio || !s->has_mapping || !s->has_dev_mapping)
		vt_jsonw__null(w, "f_mapping_linked");
	else
		vt_jsonw__bool(w, "f_mapping_linked", s->mapping == s->dev_mapping);
	vt_jsonw__end(w);
}

static void files(struct vt_jsonw *w, const struct vt_judgement *j)
{
	struct vt_pair *p;
	size_t nr;

	p = vt_pairs(j, &nr);
	vt_jsonw__line(w, 2);
	vt_jsonw__rows(w, "files", 4);
	for (size_t i = 0; p && i < nr; i++) {
		struct vt_who x = vt_who_of(p[i].out ? p[i].out : p[i].in);

		vt_jsonw__object(w, NULL);
		who(w, "who", &x);
		half(w, j, "old", p[i].out);
		half(w, j, "new", p[i].in);
		vt_jsonw__end(w);
	}
	vt_jsonw__end_line(w, 2);
	free(p);
}

static void evidence(struct vt_jsonw *w, const struct vt_finding *x)
{
	vt_jsonw__rows(w, "evidence", 8);
	for (size_t i = 0; i < x->nr_ev; i++) {
		vt_jsonw__object(w, NULL);
		vt_jsonw__str(w, "side", x->ev[i].side->label);
		at(w, &x->ev[i].at);
		vt_jsonw__str(w, "what", x->ev[i].what);
		vt_jsonw__end(w);
	}
	vt_jsonw__end_line(w, 6);
}

static void sources(struct vt_jsonw *w, const struct vt_judgement *j, const struct vt_report_opts *o, const struct vt_finding *x)
{
	size_t nr;
	struct vt_source_line *l = vt_source_lines(x, j, o, &nr);

	vt_jsonw__line(w, 6);
	vt_jsonw__rows(w, "sources", 8);
	for (size_t i = 0; i < nr; i++) {
		vt_jsonw__object(w, NULL);
		vt_jsonw__str(w, "side", l[i].side->label);
		vt_jsonw__str(w, "site", l[i].site);
		vt_jsonw__str(w, "file", l[i].at->file);
		u64(w, "line", l[i].at->line);
		u64(w, "column", l[i].at->column);
		vt_jsonw__str(w, "function", l[i].at->function);
		vt_jsonw__end(w);
	}
	vt_jsonw__end_line(w, 6);
	free(l);
}

/* A member that begins a line of a finding. */
static void text(struct vt_jsonw *w, const char *key, const char *value)
{
	vt_jsonw__line(w, 6);
	vt_jsonw__str(w, key, value);
}

static void one_finding(struct vt_jsonw *w, const struct vt_judgement *j, const struct vt_report_opts *o, const struct vt_finding *x, bool note)
{
	vt_jsonw__object(w, NULL);
	vt_jsonw__str(w, note ? "about" : "rule", note ? x->key : x->rule->id);
	vt_jsonw__str(w, "severity", vt_severity_name(x->severity));
	vt_jsonw__str(w, "fingerprint", x->fingerprint);
	text(w, "title", x->title);
	vt_jsonw__line(w, 6);
	who(w, "object", &x->who);
	text(w, "side", x->side->label);
	vt_jsonw__str(w, "function", x->func);
	text(w, "expected", x->expected);
	text(w, "seen_pre", x->seen[0]);
	text(w, "seen_post", x->seen[1]);
	text(w, "meaning", x->meaning);
	vt_jsonw__line(w, 6);
	vt_jsonw__bool(w, "suppressed", x->suppressed);
	vt_jsonw__bool(w, "known", x->known);
	u64(w, "count", x->count);
	strings(w, "also", (const char *const *)x->also, x->nr_also);
	vt_jsonw__line(w, 6);
	evidence(w, x);
	if (o->sources)
		sources(w, j, o, x);
	vt_jsonw__end(w);
}

static void finding_list(struct vt_jsonw *w, const struct vt_judgement *j, const struct vt_report_opts *o, const char *name, bool notes)
{
	vt_jsonw__line(w, 2);
	vt_jsonw__rows(w, name, 4);
	for (size_t i = 0; i < j->nr_findings; i++) {
		if ((j->findings[i].severity == VT_NOTE) == notes)
			one_finding(w, j, o, &j->findings[i], notes);
	}
	vt_jsonw__end_line(w, 2);
}

/* Where a rule has doubts: how many files it judged all the same, and which it could not. */
static void open_files(struct vt_jsonw *w, const struct vt_row *r)
{
	u64(w, "files_judged", r->judged);
	u64(w, "files_open", r->nr_open + r->more_open);
	vt_jsonw__array(w, "open");
	for (size_t i = 0; i < r->nr_open && i < OPEN_LISTED; i++)
		who(w, NULL, &r->open[i]);
	vt_jsonw__end(w);
}

static void rules(struct vt_jsonw *w, const struct vt_judgement *j)
{
	vt_jsonw__line(w, 2);
	vt_jsonw__rows(w, "rules", 4);
	for (size_t i = 0; i < vt_nr_rules; i++) {
		const struct vt_row *r = &j->rows[i];

		vt_jsonw__object(w, NULL);
		vt_jsonw__str(w, "id", r->rule->id);
		vt_jsonw__str(w, "name", r->rule->name);
		vt_jsonw__str(w, "status", vt_status_name(r->status));
		u64(w, "judged", r->subjects);
		vt_jsonw__str(w, "unit", r->rule->judges.many);
		strings(w, "why", (const char *const *)r->why, r->nr_why);
		if (vt_row_doubtful(r))
			open_files(w, r);
		vt_jsonw__end(w);
	}
	vt_jsonw__end_line(w, 2);
}

static void members(struct vt_jsonw *w, const struct vt_field_table *t)
{
	static const char *const words[] = { "equal", "by design", "differs", "not judged" };

	vt_jsonw__rows(w, "members", 6);
	for (size_t k = 0; k < t->nr; k++) {
		const struct vt_field_row *r = &t->rows[k];

		vt_jsonw__object(w, NULL);
		vt_jsonw__str(w, "name", r->name);
		vt_jsonw__str(w, "verdict", words[r->same]);
		vt_jsonw__str(w, "preserved", r->pre);
		vt_jsonw__str(w, "retrieved", r->post);
		vt_jsonw__str(w, "reason", r->reason);
		vt_jsonw__end(w);
	}
	vt_jsonw__end_line(w, 4);
}

static void tables(struct vt_jsonw *w, const struct vt_judgement *j)
{
	vt_jsonw__line(w, 2);
	vt_jsonw__rows(w, "fields", 4);
	for (size_t i = 0; i < j->nr_tables; i++) {
		const struct vt_field_table *t = &j->tables[i];

		vt_jsonw__object(w, NULL);
		who(w, "who", &t->who);
		vt_jsonw__str(w, "from_side", t->side[0]->label);
		vt_jsonw__str(w, "from_point", t->pt[0]);
		vt_jsonw__str(w, "to_side", t->side[1]->label);
		vt_jsonw__str(w, "to_point", t->pt[1]);
		u64(w, "others", t->others);
		members(w, t);
		vt_jsonw__end(w);
	}
	vt_jsonw__end_line(w, 2);
}

/* Which files say where call sites are, and for which sides: only when some were given. */
static void debuginfo(struct vt_jsonw *w, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	char buf[256];

	vt_jsonw__line(w, 2);
	vt_jsonw__rows(w, "debuginfo", 4);
	for (size_t i = 0; i < vt_sources__nr(o->sources); i++) {
		vt_jsonw__object(w, NULL);
		vt_jsonw__str(w, "file", vt_sources__path(o->sources, i));
		vt_jsonw__array(w, "sides");
		for (size_t k = 0; k < j->nr_sides; k++) {
			struct vt_source_kernel kernel = vt_trace_kernel(j->side[k]->trace);

			if (!vt_sources__refused(o->sources, i, &kernel, buf, sizeof(buf)))
				vt_jsonw__str(w, NULL, j->side[k]->label);
		}
		vt_jsonw__end(w);
		vt_jsonw__end(w);
	}
	vt_jsonw__end_line(w, 2);
}

static void head(struct vt_jsonw *w, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	char id[17];

	vt_jsonw__line(w, 2);
	u64(w, "schema", SCHEMA_VERSION);
	vt_jsonw__line(w, 2);
	vt_jsonw__str(w, "tool", "vfiotrace");
	vt_jsonw__str(w, "version", VFIOTRACE_VERSION);
	vt_jsonw__line(w, 2);
	vt_jsonw__str(w, "update", vt_update_id(j, id));
	vt_jsonw__str(w, "host", o->host);
	vt_jsonw__str(w, "name", o->name);
	vt_jsonw__line(w, 2);
	vt_jsonw__str(w, "command", o->command);
	vt_jsonw__line(w, 2);
	vt_jsonw__str(w, "verdict", vt_verdict(j));
	u64(w, "exit", j->exit);
	vt_jsonw__line(w, 2);
	vt_jsonw__str(w, "nothing", j->nothing);
	vt_jsonw__line(w, 2);
	u64(w, "errors", j->errors);
	u64(w, "warnings", j->warnings);
	u64(w, "notes", j->notes);
	u64(w, "suppressed", j->suppressed);
	u64(w, "known", j->known);
}

static void report(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o, enum vt_jsonw_style style)
{
	struct vt_jsonw w;

	vt_jsonw__begin(&w, f, style);
	vt_jsonw__object(&w, NULL);
	head(&w, j, o);
	sides(&w, j);
	if (o->sources)
		debuginfo(&w, j, o);
	finding_list(&w, j, o, "findings", false);
	finding_list(&w, j, o, "remarks", true);
	vt_jsonw__line(&w, 2);
	strings(&w, "unknown", (const char *const *)j->doubts, j->nr_doubts);
	rules(&w, j);
	files(&w, j);
	tables(&w, j);
	if (!strcmp(o->command, "gate")) {
		vt_jsonw__line(&w, 2);
		strings(&w, "unused_suppressions", o->unused, o->nr_unused);
		vt_jsonw__line(&w, 2);
		strings(&w, "demands_not_met", o->demands, o->nr_demands);
	}
	vt_jsonw__end_line(&w, 0);
	fputc('\n', f);
}

void vt_report_json(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	report(f, j, o, VT_JSONW_SPACED);
}

void vt_report_jsonl(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	report(f, j, o, VT_JSONW_ONE_LINE);
}
