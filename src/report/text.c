// SPDX-License-Identifier: GPL-2.0
/* The report for people: summary, lifecycles, findings, field table, doubts. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"
#include "report/identity.h"
#include "report/pairs.h"
#include "report/source_lines.h"
#include "base/put.h"
#include "base/span.h"

#define LIVES_SHOWN 64
#define OPEN_SHOWN 16
#define SUMMARY_AT 12

static const char *paint(const struct vt_report_opts *o, const char *code)
{
	return o->color ? code : "";
}
#define BOLD(o) paint(o, "\033[1m")
#define RED(o) paint(o, "\033[31m")
#define YELLOW(o) paint(o, "\033[33m")
#define GREEN(o) paint(o, "\033[32m")
#define DIM(o) paint(o, "\033[2m")
#define OFF(o) paint(o, "\033[0m")

/* TEXT after LABEL at column IN, wrapped to the width; further lines start at column AT. */
static void para(FILE *f, const struct vt_report_opts *o, unsigned int in, const char *label, unsigned int at, const char *text)
{
	unsigned int col;

	fprintf(f, "%*s%s", (int)in, "", label);
	col = in + (unsigned int)strlen(label);
	if (col < at)
		fprintf(f, "%*s", (int)(at - col), "");
	col = at;
	while (*text) {
		size_t n = strcspn(text, " \n");
		char word[256];

		if (col > at && col + 1 + n > o->width) {
			fprintf(f, "\n%*s", (int)at, "");
			col = at;
		} else if (col > at) {
			fputc(' ', f);
			col++;
		}
		while (n) {
			size_t part = n < sizeof(word) - 1 ? n : sizeof(word) - 1;

			memcpy(word, text, part);
			word[part] = 0;
			vt_put_plain(f, word);
			col += (unsigned int)part;
			text += part;
			n -= part;
		}
		while (*text == ' ' || *text == '\n')
			text++;
	}
	fputc('\n', f);
}

static void __attribute__((format(printf, 6, 7)))
line(FILE *f, const struct vt_report_opts *o, unsigned int in, const char *label, unsigned int at, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	para(f, o, in, label, at, s ? s : "(out of memory)");
	free(s);
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* ---- summary ---- */

/* Between two releases nothing changes that a reader of the report would look for. */
static bool other_release(const char *by)
{
	size_t len = strcspn(VFIOTRACE_VERSION, "-");

	return by && (strcspn(by, "-") != len || strncmp(by, VFIOTRACE_VERSION, len));
}

static void summary_side(FILE *f, const struct vt_report_opts *o, const struct vt_side *s)
{
	const char *release = vt_trace__told(s->trace, "kernel.release"), *machine = vt_trace__told(s->trace, "machine"), *build = vt_trace__told(s->trace, "kernel.build_id"),
		   *started = vt_trace__told(s->trace, "started"), *by = vt_trace__told(s->trace, "tool.version");

	line(f, o, 2, s->label, SUMMARY_AT, "%s: %" PRIu64 " events, %s%s%s%s%s", s->path, s->events, vt_ending_str(s), s->truncated ? ", last block torn off" : "", s->damaged ? ", DAMAGED" : "",
	     other_release(by) ? ", recorded by vfiotrace " : "", other_release(by) ? by : "");
	line(f, o, 2, "", SUMMARY_AT, "kernel %s%s%s%s%s", release ? release : "unknown", machine ? " " : "", machine ? machine : "",
	     started ? ", recorded from " : "", started ? started : "");
	if (build)
		line(f, o, 2, "", SUMMARY_AT, "build id %s", build);
}

/* Those of both kernels, once each. */
static void summary_handlers(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	const char *told[2] = { NULL, NULL };

	for (size_t i = 0; i < j->nr_sides; i++)
		told[i] = vt_trace__told(j->side[i]->trace, "handlers");
	if (told[0] && told[1] && strcmp(told[0], told[1]))
		line(f, o, 2, "Handlers", SUMMARY_AT, "%s; after the jump: %s", told[0], told[1]);
	else if (told[0] || told[1])
		para(f, o, 2, "Handlers", SUMMARY_AT, told[0] ? told[0] : told[1]);
}

static void verdict_line(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	const char *color = j->exit == VT_EXIT_CLEAN ? GREEN(o) : j->exit == VT_EXIT_FINDINGS && j->errors ? RED(o) : YELLOW(o);

	fprintf(f, "%s%svfiotrace %s: %s%s", BOLD(o), color, o->command, vt_verdict(j), OFF(o));
	if (j->errors + j->warnings)
		fprintf(f, " (%zu error%s, %zu warning%s)", j->errors, plural(j->errors), j->warnings, plural(j->warnings));
	if (j->suppressed + j->known)
		fprintf(f, ", %zu known, %zu suppressed", j->known, j->suppressed);
	fprintf(f, "\n");
	if (j->nothing)
		para(f, o, 2, "", 2, j->nothing);
}

static void summary(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	struct vt_files_told files = vt_files_told(j);
	size_t n[VT_STATUSES] = { 0 };
	char id[17];

	verdict_line(f, j, o);
	line(f, o, 2, "Update", SUMMARY_AT, "%s%s%s%s%s, vfiotrace " VFIOTRACE_VERSION, vt_update_id(j, id), o->name ? ", " : "", o->name ? o->name : "",
	     o->host ? ", host " : "", o->host ? o->host : "");
	for (size_t i = 0; i < j->nr_sides; i++)
		summary_side(f, o, j->side[i]);
	summary_handlers(f, j, o);
	line(f, o, 2, "Files", SUMMARY_AT, "%" PRIu64 " preserved, %" PRIu64 " into the jump, %" PRIu64 " retrieved, %" PRIu64 " finished", files.preserved,
	     files.crossed, files.retrieved, files.finished);
	for (size_t i = 0; i < vt_nr_rules; i++)
		n[j->rows[i].status]++;
	line(f, o, 2, "Rules", SUMMARY_AT, "%zu passed, %zu with findings, %zu unknown, %zu with nothing to judge, %zu not applicable; %zu note%s", n[VT_PASS],
	     n[VT_FOUND], n[VT_UNKNOWN], n[VT_NOTHING], n[VT_NOT_APPLICABLE], j->notes, plural(j->notes));
}

/* ---- lifecycles ---- */

static void step(char **s, const struct vt_life *l, enum vt_step which)
{
	const struct vt_at *at = &l->at[which];
	char buf[64], err[32], times[24] = "", *grown;

	if (!at->type && !l->n[which])
		return;
	if (!at->type)
		snprintf(buf, sizeof(buf), " (never returned)");
	else if (at->has_ret && at->ret < 0)
		snprintf(buf, sizeof(buf), " %s", vt_errno_str(at->ret, err, sizeof(err)));
	else if (l->ns[which])
		snprintf(buf, sizeof(buf), " %s", vt_span_str(l->ns[which], err, sizeof(err)));
	else
		buf[0] = 0;
	if (which == VT_STEP_CAN_FINISH)
		snprintf(buf, sizeof(buf), l->finish_ok ? "" : " no");
	/* One that is asked for again: a freeze after an update that was aborted. */
	if (l->n[which] > 1 && which != VT_STEP_CAN_FINISH)
		snprintf(times, sizeof(times), " %u times", l->n[which]);
	if (asprintf(&grown, "%s%s%s%s%s", *s ? *s : "", *s ? " -> " : "", vt_step_name(which), times, buf) < 0)
		return;
	free(*s);
	*s = grown;
}

static void add_with(char **s, const char *between, const char *what)
{
	char *grown;

	if (asprintf(&grown, "%s%s%s", *s ? *s : "", *s ? between : "", what) < 0)
		return;
	free(*s);
	*s = grown;
}

static void add(char **s, const char *what)
{
	add_with(s, " -> ", what);
}

static char *steps(const struct vt_judgement *j, const struct vt_life *l)
{
	char *s = NULL;

	if (l->early)
		add(&s, "(begins before the trace)");
	for (int k = 0; k < VT_STEP_MAX; k++) {
		/* In the order of the last of each: an unfreeze lies between two freezes. */
		if (k == VT_STEP_FREEZE && l->at[VT_STEP_UNFREEZE].type && l->at[VT_STEP_UNFREEZE].index < l->at[VT_STEP_FREEZE].index) {
			add(&s, vt_step_name(VT_STEP_FREEZE));
			step(&s, l, VT_STEP_UNFREEZE);
			step(&s, l, VT_STEP_FREEZE);
			k = VT_STEP_UNFREEZE;
			continue;
		}
		step(&s, l, (enum vt_step)k);
	}
	if (vt_crossed(j, l))
		add(&s, "jump");
	if (l->state == VT_LIFE_INCOMING || l->state == VT_LIFE_FAILED)
		add(&s, vt_life_state_name(l->state));
	return s;
}

static void refs(char **s, const struct vt_life *l)
{
	char buf[64];

	for (int p = 0; l && p < VT_PT_MAX; p++) {
		char *grown;

		if (!l->ref[p].seen)
			continue;
		snprintf(buf, sizeof(buf), "%s %" PRId64, vt_pt_name((enum vt_pt)p), l->ref[p].count);
		if (asprintf(&grown, "%s%s%s", *s ? *s : "", *s ? ", " : "", buf) < 0)
			return;
		free(*s);
		*s = grown;
	}
}

static const char *link_of(const struct vt_snap *s)
{
	if (!s || !s->is_vfio || !s->has_mapping)
		return NULL;
	if (!s->has_dev_mapping)
		return "the device's mapping could not be read";
	if (s->mapping == s->dev_mapping)
		return "linked to the device's inode";
	return s->mapping == s->inode_mapping ? "NOT LINKED: its own inode's mapping" : "NOT LINKED: another mapping";
}

static void one_life(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o, const struct vt_pair *p)
{
	const struct vt_life *any = p->out ? p->out : p->in;
	const char *lout = p->out ? link_of(p->out->snap) : NULL, *lin = p->in ? link_of(p->in->snap) : NULL;
	struct vt_who who = vt_who_of(any);
	char buf[256], *s = NULL;

	if (!who.compatible && p->in)
		who.compatible = p->in->compatible;
	fprintf(f, "  %s", BOLD(o));
	vt_put_plain(f, vt_who_str(&who, buf, sizeof(buf)));
	fprintf(f, "%s\n", OFF(o));
	if (p->out) {
		s = steps(j, p->out);
		para(f, o, 4, j->side[p->out_side]->label, 16, s ? s : "nothing seen");
		free(s);
	}
	if (p->in) {
		s = steps(j, p->in);
		para(f, o, 4, j->side[p->in_side]->label, 16, s ? s : "nothing seen");
		free(s);
	}
	s = NULL;
	refs(&s, p->out);
	if (s && p->in)
		add(&s, "jump");
	refs(&s, p->in);
	if (s)
		para(f, o, 4, "references", 16, s);
	free(s);
	if (lout && lin && !strcmp(lout, lin))
		line(f, o, 4, "f_mapping", 16, "%s, before and after", lout);
	else if (lout || lin)
		line(f, o, 4, "f_mapping", 16, "%s%s%s", lout ? lout : "", lout && lin ? "; after: " : "", lin ? lin : "");
}

static void lifecycles(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	uint64_t folded = 0;
	struct vt_pair *p;
	size_t nr;

	p = vt_pairs(j, &nr);
	for (size_t i = 0; i < j->nr_sides; i++)
		folded += j->side[i]->folded_lives;
	if (!nr && !folded) {
		free(p);
		return;
	}
	fprintf(f, "\n%sLifecycles%s\n", BOLD(o), OFF(o));
	for (size_t i = 0; p && i < nr && i < LIVES_SHOWN; i++)
		one_life(f, j, o, &p[i]);
	if (nr > LIVES_SHOWN)
		fprintf(f, "  and %zu more\n", nr - LIVES_SHOWN);
	if (folded)
		fprintf(f, "  and %" PRIu64 " preserved and taken back in order\n", folded);
	free(p);
}

/* ---- how dfs came and went ---- */

static void allocations(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	bool head = false;

	for (size_t i = 0; i < j->nr_sides; i++) {
		const struct vt_side *s = j->side[i];

		for (size_t k = 0; k < s->nr_free_paths; k++) {
			const struct vt_free_path *p = &s->free_paths[k];

			if (!head)
				fprintf(f, "\n%sstruct vfio_device_file, allocated and freed%s\n", BOLD(o), OFF(o));
			head = true;
			line(f, o, 2, s->label, 10, "%s at %s -> %s at %s (%s), %" PRIu64 " time%s", p->callee ? p->callee : "?",
			     p->example->site ? p->example->site : "?", p->free_callee ? p->free_callee : "?",
			     p->example->free_site[0] ? p->example->free_site[0] : "?", p->in_release ? "normal release" : "not in release",
			     p->count, plural(p->count));
		}
	}
}

/* ---- findings ---- */

static void evidence(FILE *f, const struct vt_report_opts *o, const struct vt_evidence *e)
{
	char head[200], what[256], ret[64];
	const struct vt_at *at = &e->at;

	vt_ret_str(at, ret, sizeof(ret));
	snprintf(head, sizeof(head), "%-5s #%-4" PRIu64 " %5" PRIu64 ".%06" PRIu64 "  %s[%u]", e->side->label, at->index, at->ts_ns / 1000000000, at->ts_ns / 1000 % 1000000, at->comm, at->tid);
	snprintf(what, sizeof(what), "%s%s%s", vt_at_func(at), at->phase == VT_ENTER ? " entered" : at->phase == VT_EXIT ? " returns" : "", ret);
	fputs("      ", f);
	vt_put_plain(f, head);
	if (6 + strlen(head) + 2 + strlen(what) > o->width) {
		fputc('\n', f);
		para(f, o, 12, "", 12, what);
	} else {
		fputs("  ", f);
		vt_put_plain(f, what);
		fputc('\n', f);
	}
	para(f, o, 12, "", 12, e->what);
}

static void sources(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o, const struct vt_finding *x)
{
	size_t nr;
	struct vt_source_line *l = vt_source_lines(x, j, o, &nr);

	for (size_t i = 0; i < nr; i++) {
		char buf[5000];	/* the path of a file, and some */

		line(f, o, 3, i ? "" : "source", 15, "%s", vt_source_str(&l[i], j->nr_sides == 2, buf, sizeof(buf)));
	}
	free(l);
}

/* The head runs into the text; further lines start under it. */
static void title(FILE *f, const struct vt_report_opts *o, const char *head, const char *text)
{
	char *s;

	if (asprintf(&s, "%s%s", head, text ? text : "") < 0)
		return;
	para(f, o, 0, "", 0, s);
	free(s);
}

static void finding(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o, const struct vt_finding *x, size_t nr)
{
	const char *color = x->severity == VT_ERROR ? RED(o) : YELLOW(o);
	char head[128], buf[256];

	snprintf(head, sizeof(head), "%zu. %s %s: ", nr, vt_severity_name(x->severity), x->rule->id);
	fprintf(f, "\n%s%s", BOLD(o), color);
	title(f, o, head, x->title);
	fprintf(f, "%s", OFF(o));
	if (x->suppressed || x->known)
		line(f, o, 3, x->suppressed ? "suppressed" : "known", 15, "%s", x->suppressed ? x->why_suppressed : "it is in the baseline");
	para(f, o, 3, "object", 15, vt_who_str(&x->who, buf, sizeof(buf)));
	if (x->func)
		para(f, o, 3, "in", 15, x->func);
	para(f, o, 3, "expected", 15, x->expected ? x->expected : "");
	for (size_t i = 0; i < j->nr_sides; i++) {
		if (x->seen[i])
			line(f, o, 3, "seen", 15, "%s%s%s", j->nr_sides == 2 ? j->side[i]->label : "", j->nr_sides == 2 ? ": " : "", x->seen[i]);
	}
	para(f, o, 3, "meaning", 15, x->meaning ? x->meaning : "");
	if (x->nr_ev)
		fprintf(f, "   evidence\n");
	for (size_t i = 0; i < x->nr_ev; i++)
		evidence(f, o, &x->ev[i]);
	sources(f, j, o, x);
	if (x->count > 1) {
		line(f, o, 3, "also", 15, "%" PRIu64 " times in all%s", x->count, x->nr_also ? ":" : "");
		for (size_t i = 0; i < x->nr_also; i++)
			para(f, o, 15, "", 15, x->also[i]);
	}
	fputs(DIM(o), f);
	line(f, o, 3, "fingerprint", 15, "%s; more: vfiotrace explain %s", x->fingerprint, x->rule->id);
	fputs(OFF(o), f);
}

static void findings(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	size_t nr = 0;

	for (size_t i = 0; i < j->nr_findings; i++) {
		if (j->findings[i].severity == VT_NOTE)
			continue;
		if (!nr)
			fprintf(f, "\n%sFindings%s\n", BOLD(o), OFF(o));
		finding(f, j, o, &j->findings[i], ++nr);
	}
}

static void notes(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	char buf[256];
	bool head = false;

	for (size_t i = 0; i < j->nr_findings; i++) {
		const struct vt_finding *x = &j->findings[i];

		if (x->severity != VT_NOTE)
			continue;
		if (!head)
			fprintf(f, "\n%sNotes%s: allowed, and worth knowing\n", BOLD(o), OFF(o));
		head = true;
		if (x->who.session)
			line(f, o, 2, "-", 4, "%s: %s", vt_who_str(&x->who, buf, sizeof(buf)), x->title);
		else
			line(f, o, 2, "-", 4, "%s", x->title);
		for (size_t k = 0; k < x->nr_also; k++)
			line(f, o, 4, "", 4, "also %s", x->also[k]);
	}
}

/* ---- the field table ---- */

static const char *same_word(enum vt_same s)
{
	static const char *const words[] = { "equal", "by design", "DIFFERS", "not judged" };

	return words[s];
}

static void clip(FILE *f, const char *s, int width)
{
	char buf[64];

	snprintf(buf, sizeof(buf), "%.*s", width, s ? s : "");
	if (s && (int)strlen(s) > width)
		memcpy(buf + width - 2, "..", 3);
	vt_put_plain(f, buf);
	fprintf(f, "%*s", width > (int)strlen(buf) ? width - (int)strlen(buf) : 0, "");
}

/* Side by side where they fit, else one below the other: nothing is cut off. */
static void both_values(FILE *f, const struct vt_report_opts *o, const struct vt_field_row *r, int w)
{
	const char *pre = r->pre ? r->pre : "", *post = r->post ? r->post : "";

	if ((int)strlen(pre) <= w && (int)strlen(post) <= w) {
		clip(f, pre, w);
		fputs(" | ", f);
		vt_put_plain(f, post);
		fputc('\n', f);
		return;
	}
	fputc('\n', f);
	para(f, o, 24, "", 24, pre);
	para(f, o, 22, "| ", 24, post);
}

/* What is equal is told in one go: it is the most, and the least to read. */
static void equal_members(FILE *f, const struct vt_report_opts *o, const struct vt_field_table *t)
{
	char *s = NULL;

	for (size_t i = 0; i < t->nr; i++) {
		const struct vt_field_row *r = &t->rows[i];

		if (r->same != VT_SAME)
			continue;
		add_with(&s, "; ", r->name);
		add_with(&s, " = ", r->pre ? r->pre : "");
	}
	if (s)
		para(f, o, 2, "equal", 24, s);
	free(s);
}

static void table(FILE *f, const struct vt_report_opts *o, const struct vt_field_table *t)
{
	int w = (int)(o->width - 2 - 22 - 11 - 3) / 2;
	size_t n[4] = { 0 };
	char buf[256];

	w = w > 40 ? 40 : w < 4 ? 4 : w;
	for (size_t i = 0; i < t->nr; i++)
		n[t->rows[i].same]++;
	vt_who_str(&t->who, buf, sizeof(buf));
	fprintf(f, "\n%sstruct file, field by field%s:%s", BOLD(o), OFF(o), strlen("struct file, field by field: ") + strlen(buf) > (size_t)o->width ? "\n  " : " ");
	vt_put_plain(f, buf);
	fprintf(f, "\n");
	line(f, o, 2, "", 2, "%s at \"%s\" against %s at \"%s\": %zu equal, %zu differ by design, %zu differ, %zu not judged", t->side[0]->label, t->pt[0],
	     t->side[1]->label, t->pt[1], n[VT_SAME], n[VT_BY_DESIGN], n[VT_DIFFERS], n[VT_UNJUDGED]);
	for (int pass = VT_DIFFERS; pass > VT_SAME; pass--) {
		for (size_t i = 0; i < t->nr; i++) {
			const struct vt_field_row *r = &t->rows[i];

			if ((int)(r->same == VT_UNJUDGED ? VT_BY_DESIGN : r->same) != pass)
				continue;
			fputs("  ", f);
			clip(f, r->name, 21);
			fprintf(f, " %s%-10s%s ", r->same == VT_DIFFERS ? RED(o) : "", same_word(r->same), OFF(o));
			both_values(f, o, r, w);
			if (r->reason)
				para(f, o, 35, "", 35, r->reason);
		}
	}
	equal_members(f, o, t);
	if (t->others)
		line(f, o, 2, "", 2, "%u more file%s of this handler compared in the same way.", t->others, plural(t->others));
}

/* ---- doubts ---- */

static bool same_open(const struct vt_row *a, const struct vt_row *b)
{
	if (a->judged != b->judged || a->nr_open != b->nr_open || a->more_open != b->more_open)
		return false;
	for (size_t i = 0; i < a->nr_open; i++) {
		if (a->open[i].session != b->open[i].session || a->open[i].token != b->open[i].token)
			return false;
	}
	return true;
}

/* Doubtful for some files only, and the first of the rows that say the same. */
static bool opens_group(const struct vt_judgement *j, size_t i)
{
	if (!j->rows[i].judged || !vt_row_doubtful(&j->rows[i]))
		return false;
	for (size_t k = 0; k < i; k++) {
		if (vt_row_doubtful(&j->rows[k]) && same_open(&j->rows[k], &j->rows[i]))
			return false;
	}
	return true;
}

static char *open_files(const struct vt_row *r)
{
	char *s = NULL, more[64], buf[256];
	size_t more_open = r->more_open;

	for (size_t i = 0; i < r->nr_open && i < OPEN_SHOWN; i++)
		add_with(&s, "; ", vt_who_str(&r->open[i], buf, sizeof(buf)));
	if (r->nr_open > OPEN_SHOWN)
		more_open += r->nr_open - OPEN_SHOWN;
	snprintf(more, sizeof(more), "%zu more", more_open);
	if (more_open)
		add_with(&s, "; ", more);
	return s;
}

/* Files that lie outside of all gaps are judged as ever. */
static void judged_still(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o, size_t first)
{
	const struct vt_row *r = &j->rows[first];
	char *open = open_files(r), *rules = NULL;
	size_t all = r->judged + r->nr_open + r->more_open;

	for (size_t i = first; i < vt_nr_rules; i++) {
		if (vt_row_doubtful(&j->rows[i]) && same_open(&j->rows[i], r))
			add_with(&rules, ", ", j->rows[i].rule->id);
	}
	line(f, o, 2, "-", 4, "%zu of %zu file%s judged all the same by: %s", r->judged, all, all == 1 ? " is" : "s are", rules ? rules : "");
	if (open)
		line(f, o, 4, "", 4, "open: %s", open);
	free(open);
	free(rules);
}

static void doubts(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	if (!j->nr_doubts)
		return;
	fprintf(f, "\n%sUnknown%s: where the evidence does not reach\n", BOLD(o), OFF(o));
	for (size_t d = 0; d < j->nr_doubts; d++) {
		char *rules = vt_leaves_open(j, j->doubts[d]);

		para(f, o, 2, "-", 4, j->doubts[d]);
		if (rules)
			line(f, o, 4, "", 4, "leaves open: %s", rules);
		free(rules);
	}
	for (size_t i = 0; i < vt_nr_rules; i++) {
		if (opens_group(j, i))
			judged_still(f, j, o, i);
	}
}

static void phases(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	bool head = false;
	char a[32], b[32];

	for (size_t i = 0; i < j->nr_sides; i++) {
		for (int p = 0; p < VT_PH_MAX; p++) {
			const struct vt_phase_time *t = &j->side[i]->phase[p];

			if (!t->count)
				continue;
			if (!head)
				fprintf(f, "\n%sTime per phase%s\n", BOLD(o), OFF(o));
			head = true;
			fprintf(f, "  %-6s %-12s %10s in %" PRIu64 " call%s, longest %s\n", j->side[i]->label, vt_phase_name((enum vt_phase_kind)p),
				vt_span_str(t->total_ns, a, sizeof(a)), t->count, plural(t->count), vt_span_str(t->max_ns, b, sizeof(b)));
		}
	}
}

/* How much stands behind each "passed"; why something is unknown is told above. */
static void rules(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	static const char *const words[VT_STATUSES] = { "passed", "finding", "unknown", "nothing", "n/a" };
	char buf[100], label[64];

	fprintf(f, "\n%sRules%s: what each of them looked at\n", BOLD(o), OFF(o));
	for (size_t i = 0; i < vt_nr_rules; i++) {
		const struct vt_row *r = &j->rows[i];
		bool told = r->status == VT_NOTHING || r->status == VT_NOT_APPLICABLE;

		snprintf(label, sizeof(label), "%-18s %s", r->rule->id, words[r->status]);
		para(f, o, 2, label, 30, told ? r->why[0] : vt_subjects_str(r, buf, sizeof(buf)));
	}
}

static void gate_part(FILE *f, const struct vt_report_opts *o)
{
	if (o->nr_demands)
		fprintf(f, "\n%sDemands not met%s\n", BOLD(o), OFF(o));
	for (size_t i = 0; i < o->nr_demands; i++)
		para(f, o, 2, "-", 4, o->demands[i]);
	if (o->nr_unused)
		fprintf(f, "\n%sUnused suppressions%s\n", BOLD(o), OFF(o));
	for (size_t i = 0; i < o->nr_unused; i++)
		para(f, o, 2, "-", 4, o->unused[i]);
}

/* What -v adds, for who looks for it. */
static void more(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	fprintf(f, "\n%s", DIM(o));
	line(f, o, 2, "", 2, "-v adds: %zu note%s, each file's life, %sstruct file member by member, time per phase, what each rule looked at", j->notes, plural(j->notes),
	     j->side[0]->nr_free_paths + (j->nr_sides == 2 ? j->side[1]->nr_free_paths : 0) ? "how memory was freed, " : "");
	fputs(OFF(o), f);
}

void vt_report_text(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	summary(f, j, o);
	gate_part(f, o);
	findings(f, j, o);
	doubts(f, j, o);
	if (!o->verbose) {
		more(f, j, o);
		return;
	}
	notes(f, j, o);
	lifecycles(f, j, o);
	allocations(f, j, o);
	for (size_t i = 0; i < j->nr_tables; i++)
		table(f, o, &j->tables[i]);
	phases(f, j, o);
	rules(f, j, o);
}
