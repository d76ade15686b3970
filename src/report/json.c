// SPDX-License-Identifier: GPL-2.0
/* The report as one JSON object: docs/report.schema.json. "rule" names the rule of a finding and stands nowhere else. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"
#include "trace/print.h"

#define SCHEMA_VERSION 2

#define OPEN_LISTED 256	/* of the files that a rule leaves open */

static void key(FILE *f, const char *k, const char *v, const char *after)
{
	fprintf(f, "\"%s\": ", k);
	vt_put_json(f, v);
	fputs(after, f);
}

static void boolean(FILE *f, const char *k, bool v, const char *after)
{
	fprintf(f, "\"%s\": %s%s", k, v ? "true" : "false", after);
}

static void number(FILE *f, const char *k, uint64_t v, const char *after)
{
	fprintf(f, "\"%s\": ", k);
	vt_json__u64(f, v);
	fputs(after, f);
}

static void hex(FILE *f, const char *k, bool has, uint64_t v, const char *after)
{
	if (has)
		fprintf(f, "\"%s\": \"0x%" PRIx64 "\"%s", k, v, after);
	else
		fprintf(f, "\"%s\": null%s", k, after);
}

static void who(FILE *f, const struct vt_who *w)
{
	fputs("{ ", f);
	key(f, "session", w->session, ", ");
	hex(f, "token", w->has_token, w->token, ", ");
	key(f, "compatible", w->compatible, ", ");
	key(f, "bdf", w->bdf, " }");
}

static void at(FILE *f, const char *side, const struct vt_at *a)
{
	fputs("{ ", f);
	if (side)
		key(f, "side", side, ", ");
	number(f, "index", a->index, ", \"ts_ns\": ");
	vt_json__ns(f, a->ts_ns);
	fprintf(f, ", \"tgid\": %u, \"tid\": %u, ", a->tgid, a->tid);
	key(f, "comm", a->comm, ", ");
	key(f, "event", vt_event_name(a->type), ", ");
	key(f, "phase", a->phase == VT_ENTER ? "enter" : a->phase == VT_EXIT ? "exit" : "point", ", ");
	key(f, "func", a->func, ", ");
	fputs("\"ret\": ", f);
	if (a->has_ret)
		vt_json__s64(f, a->ret);
	else
		fputs("null", f);
}

static void strings(FILE *f, const char *k, char *const *s, size_t nr, const char *after)
{
	fprintf(f, "\"%s\": [", k);
	for (size_t i = 0; i < nr; i++) {
		fputs(i ? ", " : "", f);
		vt_put_json(f, s[i]);
	}
	fprintf(f, "]%s", after);
}

static void sides(FILE *f, const struct vt_judgement *j)
{
	fputs("  \"sides\": [", f);
	for (size_t i = 0; i < j->nr_sides; i++) {
		const struct vt_side *s = j->side[i];
		bool first = true;

		fprintf(f, "%s\n    { ", i ? "," : "");
		key(f, "side", s->label, ", ");
		key(f, "file", strrchr(s->path, '/') ? strrchr(s->path, '/') + 1 : s->path, ", ");
		key(f, "kernel", vt_trace__meta(s->trace, "kernel.release"), ", ");
		key(f, "boot_id", vt_trace__meta(s->trace, "boot_id"), ", ");
		key(f, "ending", s->ending == VT_END_JUMP ? "jump" : s->ending == VT_END_STOPPED ? "stopped" : "cut", ", ");
		boolean(f, "damaged", s->damaged, ", ");
		boolean(f, "truncated", s->truncated, ", ");
		number(f, "events", s->events, ", ");
		number(f, "folded_files", s->folded_lives, ",\n      \"phases\": {");
		for (int p = 0; p < VT_PH_MAX; p++) {
			const struct vt_phase_time *t = &s->phase[p];

			if (!t->count)
				continue;
			fprintf(f, "%s \"%s\": { ", first ? "" : ",", vt_phase_name((enum vt_phase_kind)p));
			number(f, "count", t->count, ", ");
			number(f, "total_ns", t->total_ns, ", ");
			number(f, "max_ns", t->max_ns, " }");
			first = false;
		}
		fputs(" },\n      \"frees\": [", f);
		for (size_t k = 0; k < s->nr_free_paths; k++) {
			const struct vt_free_path *p = &s->free_paths[k];

			fputs(k ? ", { " : "{ ", f);
			key(f, "allocated_by", p->callee, ", ");
			key(f, "family", p->family, ", ");
			key(f, "allocated_at", p->example->site, ", ");
			key(f, "freed_by", p->free_callee, ", ");
			key(f, "freed_at", p->example->free_site[0], ", ");
			boolean(f, "normal_release", p->in_release, ", ");
			number(f, "count", p->count, " }");
		}
		fputs("] }", f);
	}
	fputs("\n  ],\n", f);
}

static void half(FILE *f, const struct vt_judgement *j, const char *name, const struct vt_life *l, const char *after)
{
	bool first = true;

	fprintf(f, "\n      \"%s\": ", name);
	if (!l) {
		fprintf(f, "null%s", after);
		return;
	}
	fputs("{ ", f);
	key(f, "state", vt_life_state_name(l->state), ", ");
	boolean(f, "jumped", vt_crossed(j, l), ", ");
	hex(f, "serialized_data", l->has_data, l->data, ", ");
	fputs("\"steps\": [", f);
	for (int k = 0; k < VT_STEP_MAX; k++) {
		if (!l->at[k].type)
			continue;
		fprintf(f, "%s{ \"step\": \"%s\", \"runs\": %u, ", first ? "" : ", ", vt_step_name((enum vt_step)k), l->n[k]);
		number(f, "ns", l->ns[k], ", \"last\": ");
		at(f, NULL, &l->at[k]);
		fputs(" } }", f);
		first = false;
	}
	fputs("], \"file_ref\": {", f);
	first = true;
	for (int p = 0; p < VT_PT_MAX; p++) {
		if (!l->ref[p].seen)
			continue;
		fprintf(f, "%s \"%s\": ", first ? "" : ",", vt_pt_name((enum vt_pt)p));
		vt_json__s64(f, l->ref[p].count);
		first = false;
	}
	fprintf(f, " }, \"f_mapping_linked\": %s }%s", !l->snap || !l->snap->is_vfio || !l->snap->has_mapping || !l->snap->has_dev_mapping ? "null" :
		l->snap->mapping == l->snap->dev_mapping ? "true" : "false", after);
}

static void files(FILE *f, const struct vt_judgement *j)
{
	struct vt_pair *p;
	size_t nr;

	p = vt_pairs(j, &nr);
	fputs("  \"files\": [", f);
	for (size_t i = 0; p && i < nr; i++) {
		struct vt_who w = vt_who_of(p[i].out ? p[i].out : p[i].in);

		fprintf(f, "%s\n    { \"who\": ", i ? "," : "");
		who(f, &w);
		fputc(',', f);
		half(f, j, "old", p[i].out, ",");
		half(f, j, "new", p[i].in, " }");
	}
	fputs("\n  ],\n", f);
	free(p);
}

static void one_finding(FILE *f, const struct vt_finding *x, bool note)
{
	fputs("    { ", f);
	key(f, note ? "about" : "rule", note ? x->key : x->rule->id, ", ");
	key(f, "severity", vt_severity_name(x->severity), ", ");
	key(f, "fingerprint", x->fingerprint, ",\n      ");
	key(f, "title", x->title, ",\n      \"object\": ");
	who(f, &x->who);
	fputs(",\n      ", f);
	key(f, "side", x->side->label, ", ");
	key(f, "function", x->func, ",\n      ");
	key(f, "expected", x->expected, ",\n      ");
	key(f, "seen_pre", x->seen[0], ",\n      ");
	key(f, "seen_post", x->seen[1], ",\n      ");
	key(f, "meaning", x->meaning, ",\n      ");
	boolean(f, "suppressed", x->suppressed, ", ");
	boolean(f, "known", x->known, ", ");
	number(f, "count", x->count, ", ");
	strings(f, "also", x->also, x->nr_also, ",\n      \"evidence\": [");
	for (size_t i = 0; i < x->nr_ev; i++) {
		fprintf(f, "%s\n        ", i ? "," : "");
		at(f, x->ev[i].side->label, &x->ev[i].at);
		fputs(", ", f);
		key(f, "what", x->ev[i].what, " }");
	}
	fputs("\n      ] }", f);
}

static void finding_list(FILE *f, const struct vt_judgement *j, const char *name, bool notes)
{
	bool first = true;

	fprintf(f, "  \"%s\": [", name);
	for (size_t i = 0; i < j->nr_findings; i++) {
		if ((j->findings[i].severity == VT_NOTE) != notes)
			continue;
		fputs(first ? "\n" : ",\n", f);
		one_finding(f, &j->findings[i], notes);
		first = false;
	}
	fputs("\n  ],\n", f);
}

/* Where a rule has doubts: how many files it judged all the same, and which it could not. */
static void open_files(FILE *f, const struct vt_row *r)
{
	fputs(", ", f);
	number(f, "files_judged", r->judged, ", ");
	number(f, "files_open", r->nr_open + r->more_open, ", ");
	fputs("\"open\": [", f);
	for (size_t i = 0; i < r->nr_open && i < OPEN_LISTED; i++) {
		fputs(i ? ", " : "", f);
		who(f, &r->open[i]);
	}
	fputs("]", f);
}

static void rules(FILE *f, const struct vt_judgement *j)
{
	fputs("  \"rules\": [", f);
	for (size_t i = 0; i < vt_nr_rules; i++) {
		const struct vt_row *r = &j->rows[i];

		fprintf(f, "%s\n    { ", i ? "," : "");
		key(f, "id", r->rule->id, ", ");
		key(f, "name", r->rule->name, ", ");
		key(f, "status", vt_status_name(r->status), ", ");
		strings(f, "why", r->why, r->nr_why, "");
		if (vt_row_doubtful(r))
			open_files(f, r);
		fputs(" }", f);
	}
	fputs("\n  ],\n", f);
}

static void tables(FILE *f, const struct vt_judgement *j)
{
	static const char *const words[] = { "equal", "by design", "differs", "not judged" };

	fputs("  \"fields\": [", f);
	for (size_t i = 0; i < j->nr_tables; i++) {
		const struct vt_field_table *t = &j->tables[i];

		fprintf(f, "%s\n    { \"who\": ", i ? "," : "");
		who(f, &t->who);
		fputs(", ", f);
		key(f, "from_side", t->side[0]->label, ", ");
		key(f, "from_point", t->pt[0], ", ");
		key(f, "to_side", t->side[1]->label, ", ");
		key(f, "to_point", t->pt[1], ", ");
		fprintf(f, "\"others\": %u, \"members\": [", t->others);
		for (size_t k = 0; k < t->nr; k++) {
			const struct vt_field_row *r = &t->rows[k];

			fprintf(f, "%s\n      { ", k ? "," : "");
			key(f, "name", r->name, ", ");
			key(f, "verdict", words[r->same], ", ");
			key(f, "preserved", r->pre, ", ");
			key(f, "retrieved", r->post, ", ");
			key(f, "reason", r->reason, " }");
		}
		fputs("\n    ] }", f);
	}
	fputs("\n  ]", f);
}

static void list(FILE *f, const char *name, const char *const *s, size_t nr)
{
	fprintf(f, ",\n  \"%s\": [", name);
	for (size_t i = 0; i < nr; i++) {
		fputs(i ? ", " : "", f);
		vt_put_json(f, s[i]);
	}
	fputc(']', f);
}

void vt_report_json(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	fprintf(f, "{\n  \"schema\": %d,\n  ", SCHEMA_VERSION);
	key(f, "tool", "vfiotrace " VFIOTRACE_VERSION, ",\n  ");
	key(f, "command", o->command, ",\n  ");
	key(f, "verdict", vt_verdict(j), ", ");
	fprintf(f, "\"exit\": %d,\n  ", (int)j->exit);
	key(f, "nothing", j->nothing, ",\n  ");
	fprintf(f, "\"errors\": %zu, \"warnings\": %zu, \"notes\": %zu, \"suppressed\": %zu, \"known\": %zu,\n", j->errors, j->warnings, j->notes,
		j->suppressed, j->known);
	sides(f, j);
	finding_list(f, j, "findings", false);
	finding_list(f, j, "remarks", true);
	fputs("  ", f);
	strings(f, "unknown", j->doubts, j->nr_doubts, ",\n");
	rules(f, j);
	files(f, j);
	tables(f, j);
	if (!strcmp(o->command, "gate")) {
		list(f, "unused_suppressions", o->unused, o->nr_unused);
		list(f, "demands_not_met", o->demands, o->nr_demands);
	}
	fputs("\n}\n", f);
}
