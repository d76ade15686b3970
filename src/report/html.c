// SPDX-License-Identifier: GPL-2.0
/*
 * The report as one page: nothing is fetched, nothing is run. Both kernels stand
 * on one axis. Names come from traces: all text goes through vt_put_xml().
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/put.h"
#include "base/span.h"
#include "report/format.h"
#include "report/identity.h"
#include "report/pairs.h"
#include "report/source_lines.h"

#define LANES_OPEN 64		/* further ones are behind a fold */
#define LABEL_W 170.0
#define JUMP_W 60.0
#define WIDTH 1100.0
#define LANE_H 58.0
#define TOP 44.0
#define NAME_W 58.0		/* of a step's name */

/* Moments of one kernel, and where they are drawn. */
struct axis {
	uint64_t *ts;
	double *x;
	size_t nr, room;
};

struct page {
	FILE *f;
	const struct vt_judgement *j;
	struct vt_pair *pair;
	size_t nr_pairs;
	struct axis axis[2];
};

/* ---- text ---- */

static void esc(FILE *f, const char *s)
{
	if (s)
		vt_put_xml(f, s);
}

static void __attribute__((format(printf, 2, 3))) put(FILE *f, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	esc(f, s);
	free(s);
}

static void element(FILE *f, const char *tag, const char *text)
{
	fprintf(f, "<%s>", tag);
	esc(f, text);
	fprintf(f, "</%s>", tag);
}

static void row(FILE *f, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	element(f, "dt", name);
	element(f, "dd", value);
	fputc('\n', f);
}

static void put_seconds(FILE *f, uint64_t ns)
{
	fprintf(f, "%" PRIu64 ".%06" PRIu64, ns / 1000000000, ns / 1000 % 1000000);
}

/* ---- the axis ---- */

static void moment(struct axis *a, uint64_t ts)
{
	if (!ts || ts == UINT64_MAX)
		return;
	if (a->nr == a->room) {
		size_t room = a->room ? 2 * a->room : 256;
		uint64_t *grown = realloc(a->ts, room * sizeof(*grown));

		if (!grown)
			return;
		a->ts = grown;
		a->room = room;
	}
	a->ts[a->nr++] = ts;
}

static void moments_of(struct axis *a, const struct vt_life *l)
{
	for (int k = 0; l && k < VT_STEP_MAX; k++) {
		if (l->enter[k].type)
			moment(a, l->enter[k].ts_ns);
		if (l->at[k].type)
			moment(a, l->at[k].ts_ns);
	}
	for (int p = 0; l && p < VT_PT_MAX; p++) {
		if (l->ref[p].seen)
			moment(a, l->ref[p].at.ts_ns);
	}
}

static int by_time(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Times between moments are squeezed: what takes a thousand times as long is drawn some times as wide. Its length. */
static double squeeze(struct axis *a)
{
	size_t n = 0;
	double at = 0;

	if (!a->nr)
		return 0;
	qsort(a->ts, a->nr, sizeof(*a->ts), by_time);
	for (size_t i = 0; i < a->nr; i++) {
		if (!n || a->ts[n - 1] != a->ts[i])
			a->ts[n++] = a->ts[i];
	}
	a->nr = n;
	a->x = calloc(n, sizeof(*a->x));
	if (!a->x) {
		a->nr = 0;
		return 0;
	}
	for (size_t i = 1; i < n; i++) {
		at += 0.3 + log2(1 + (double)(a->ts[i] - a->ts[i - 1]) / 2000);
		a->x[i] = at;
	}
	return at;
}

static void stretch(struct axis *a, double from, double width, double length)
{
	for (size_t i = 0; i < a->nr; i++)
		a->x[i] = from + (length > 0 ? a->x[i] / length * width : 0);
}

/* Where TS is drawn: at its moment, or the last one before it. */
static double x_of(const struct axis *a, uint64_t ts)
{
	size_t lo = 0, hi = a->nr;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (a->ts[mid] <= ts)
			lo = mid;
		else
			hi = mid;
	}
	return a->nr ? a->x[lo] : LABEL_W;
}

static void make_axes(struct page *p)
{
	double length[2] = { 0, 0 }, all, room = WIDTH - LABEL_W - 20;

	for (size_t i = 0; i < p->j->nr_sides; i++) {
		moment(&p->axis[i], p->j->side[i]->first_ns);
		moment(&p->axis[i], p->j->side[i]->last_ns);
	}
	for (size_t i = 0; i < p->nr_pairs; i++) {
		moments_of(&p->axis[p->pair[i].out_side], p->pair[i].out);
		moments_of(&p->axis[p->pair[i].in_side], p->pair[i].in);
	}
	for (size_t i = 0; i < p->j->nr_findings; i++) {
		const struct vt_finding *x = &p->j->findings[i];

		for (size_t k = 0; k < x->nr_ev; k++)
			moment(&p->axis[x->ev[k].side == p->j->side[0] ? 0 : 1], x->ev[k].at.ts_ns);
	}
	for (size_t i = 0; i < p->j->nr_sides; i++)
		length[i] = squeeze(&p->axis[i]);
	if (p->j->nr_sides == 1) {
		stretch(&p->axis[0], LABEL_W, room, length[0]);
		return;
	}
	all = length[0] + length[1];
	/* Neither kernel gets less than a third. */
	length[0] = all > 0 ? fmin(fmax(length[0] / all, 1.0 / 3), 2.0 / 3) : 0.5;
	room -= JUMP_W;
	for (size_t i = 0; i < 2; i++) {
		const struct axis *a = &p->axis[i];

		stretch(&p->axis[i], i ? LABEL_W + JUMP_W + room * length[0] : LABEL_W, room * (i ? 1 - length[0] : length[0]), a->nr ? a->x[a->nr - 1] : 0);
	}
}

/* ---- lanes ---- */

static bool failed(const struct vt_at *at)
{
	return at->has_ret && at->ret < 0;
}

static void step_title(FILE *f, const struct vt_side *s, const struct vt_life *l, int k)
{
	const struct vt_at *at = &l->at[k];
	char buf[32];

	fputs("<title>", f);
	put(f, "%s %s, #%" PRIu64 " at ", s->label, vt_step_name((enum vt_step)k), at->index);
	put_seconds(f, at->ts_ns);
	if (l->ns[k])
		put(f, ", %s", vt_span_str(l->ns[k], buf, sizeof(buf)));
	if (at->has_ret)
		put(f, ", returns %s", vt_errno_str(at->ret, buf, sizeof(buf)));
	fputs("</title>", f);
}

static void steps(struct page *p, size_t side, const struct vt_life *l, double y)
{
	const struct axis *a = &p->axis[side];
	double name_end = 0;

	for (int k = 0; l && k < VT_STEP_MAX; k++) {
		const struct vt_at *at = &l->at[k], *in = &l->enter[k];
		double to = x_of(a, at->ts_ns), from = in->type && in->ts_ns <= at->ts_ns ? x_of(a, in->ts_ns) : to;

		if (!at->type)
			continue;
		fprintf(p->f, "<g class=\"s%d%s\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"12\" rx=\"2\"/>", k, failed(at) ? " bad" : "", from, y + 16,
			fmax(to - from, 3));
		step_title(p->f, p->j->side[side], l, k);
		if (from >= name_end) {
			fprintf(p->f, "<text x=\"%.1f\" y=\"%.1f\" class=\"n\">%s</text>", from, y + 12, vt_step_name((enum vt_step)k));
			name_end = from + NAME_W;
		}
		fputs("</g>\n", p->f);
	}
}

struct ref {
	const struct vt_ref *r;
	enum vt_pt pt;
	double x;
};

static int by_place(const void *a, const void *b)
{
	const struct ref *x = a, *y = b;

	return x->x < y->x ? -1 : x->x > y->x ? 1 : x->r->at.index < y->r->at.index ? -1 : 1;
}

static double ref_y(const struct ref *r, double y, int64_t most)
{
	return y + 54 - 12.0 * (double)(r->r->count > 0 ? r->r->count : 0) / (double)most;
}

/* References of struct file, as steps: a number where it changes. */
static void refs(struct page *p, size_t side, const struct vt_life *l, double y)
{
	struct ref r[VT_PT_MAX];
	int64_t most = 1;
	size_t n = 0;

	for (int k = 0; l && k < VT_PT_MAX; k++) {
		if (!l->ref[k].seen)
			continue;
		r[n++] = (struct ref){ &l->ref[k], (enum vt_pt)k, x_of(&p->axis[side], l->ref[k].at.ts_ns) };
		most = l->ref[k].count > most ? l->ref[k].count : most;
	}
	if (!n)
		return;
	qsort(r, n, sizeof(*r), by_place);
	fputs("<g class=\"ref\"><title>references of struct file:", p->f);
	for (size_t i = 0; i < n; i++)
		put(p->f, " %s %" PRId64 "%s", vt_pt_name(r[i].pt), r[i].r->count, i + 1 < n ? "," : "");
	fprintf(p->f, "</title><path d=\"M%.1f %.1f", r[0].x, ref_y(&r[0], y, most));
	for (size_t i = 1; i < n; i++)
		fprintf(p->f, "H%.1fV%.1f", r[i].x, ref_y(&r[i], y, most));
	fprintf(p->f, "H%.1f\"/>", r[n - 1].x + 8);
	for (size_t i = 0; i < n; i++) {
		if (!i || r[i].r->count != r[i - 1].r->count)
			fprintf(p->f, "<text x=\"%.1f\" y=\"%.1f\">%" PRId64 "</text>", r[i].x + 2, ref_y(&r[i], y, most) - 2, r[i].r->count);
	}
	fputs("</g>\n", p->f);
}

static bool is_about(const struct vt_finding *x, const struct vt_life *l)
{
	return l && x->who.session && x->who.has_token && x->who.token == l->token && !strcmp(x->who.session, l->session->name);
}

static void pin(struct page *p, const struct vt_finding *x, const struct vt_evidence *e, size_t nr, double y)
{
	double at = x_of(&p->axis[e->side == p->j->side[0] ? 0 : 1], e->at.ts_ns);

	fprintf(p->f, "<a href=\"#f%zu\"><g class=\"pin %s\"><title>", nr, vt_severity_name(x->severity));
	put(p->f, "%s #%" PRIu64 ": %s", e->side->label, e->at.index, e->what);
	fprintf(p->f, "</title><circle cx=\"%.1f\" cy=\"%.1f\" r=\"7\"/><text x=\"%.1f\" y=\"%.1f\">%zu</text></g></a>\n", at, y + 36, at, y + 39.5, nr);
}

/* Findings are numbered as in the list; notes are not pinned. LIFE NULL: those that are about no lane. */
static void pins(struct page *p, const struct vt_pair *of, double y)
{
	for (size_t i = 0; i < p->j->nr_findings; i++) {
		const struct vt_finding *x = &p->j->findings[i];
		bool here = of && (is_about(x, of->out) || is_about(x, of->in));

		for (size_t k = 0; !of && k < p->nr_pairs; k++)
			here |= is_about(x, p->pair[k].out) || is_about(x, p->pair[k].in);
		if (x->severity == VT_NOTE || (of ? !here : here))
			continue;
		for (size_t k = 0; k < x->nr_ev; k++)
			pin(p, x, &x->ev[k], i + 1, y);
	}
}

static void lane(struct page *p, const struct vt_pair *of, double y)
{
	const struct vt_life *any = of->out ? of->out : of->in;
	const char *kind = any->compatible ? any->compatible : of->in ? of->in->compatible : NULL;

	fprintf(p->f, "<line class=\"lane\" x1=\"0\" x2=\"%.0f\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"4\" y=\"%.1f\" class=\"who\">", WIDTH, y + LANE_H - 2,
		y + LANE_H - 2, y + 26);
	put(p->f, "%.16s 0x%" PRIx64, any->session->name, any->token);
	fprintf(p->f, "<title>");
	esc(p->f, any->session->name);
	fprintf(p->f, "</title></text><text x=\"4\" y=\"%.1f\" class=\"n\">", y + 40);
	put(p->f, "%.16s %s", kind ? kind : "", any->bdf ? any->bdf : "");
	fputs("</text>\n", p->f);
	steps(p, of->out_side, of->out, y);
	steps(p, of->in_side, of->in, y);
	refs(p, of->out_side, of->out, y);
	refs(p, of->in_side, of->in, y);
	pins(p, of, y);
}

static void times(struct page *p, size_t side, double height)
{
	const struct axis *a = &p->axis[side];
	double last = -1000, end = a->nr ? a->x[a->nr - 1] : 0;

	for (size_t i = 0; i < a->nr; i++) {
		if (a->x[i] - last < 110 || (i + 1 < a->nr && end - a->x[i] < 90))
			continue;
		last = a->x[i];
		fprintf(p->f, "<line class=\"tick\" x1=\"%.1f\" x2=\"%.1f\" y1=\"28\" y2=\"%.0f\"/><text x=\"%.1f\" y=\"38\" class=\"n%s\">", last, last, height, last,
			i + 1 == a->nr ? " end" : "");
		put_seconds(p->f, a->ts[i]);
		fputs("</text>\n", p->f);
	}
}

static void axis_head(struct page *p, double height)
{
	for (size_t i = 0; i < p->j->nr_sides; i++) {
		const struct axis *a = &p->axis[i];
		const char *release = vt_trace__told(p->j->side[i]->trace, "kernel.release");

		if (!a->nr)
			continue;
		fprintf(p->f, "<text x=\"%.1f\" y=\"18\" class=\"who\">", a->x[0]);
		put(p->f, "%s: kernel %s", p->j->side[i]->label, release ? release : "unknown");
		fputs("</text>\n", p->f);
		times(p, i, height);
	}
	if (p->j->nr_sides == 2 && p->axis[0].nr) {
		double x = p->axis[0].x[p->axis[0].nr - 1];

		fprintf(p->f, "<rect class=\"jump\" x=\"%.1f\" y=\"4\" width=\"%.0f\" height=\"%.0f\"/><text x=\"%.1f\" y=\"18\" class=\"mid\">jump</text>\n", x + 6,
			JUMP_W - 12, height - 4, x + JUMP_W / 2);
	}
}

static void lanes(struct page *p, size_t from, size_t to, bool with_others)
{
	double height = TOP + LANE_H * (double)(to - from + with_others), y = TOP;

	fprintf(p->f, "<div class=\"scroll\"><svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"preserved files over both kernels\">\n", WIDTH, height);
	axis_head(p, height);
	for (size_t i = from; i < to; i++, y += LANE_H)
		lane(p, &p->pair[i], y);
	if (with_others) {
		fprintf(p->f, "<text x=\"4\" y=\"%.1f\" class=\"who\">other findings</text>\n", y + 40);
		pins(p, NULL, y);
	}
	fputs("</svg></div>\n", p->f);
}

static bool other_findings(const struct page *p)
{
	for (size_t i = 0; i < p->j->nr_findings; i++) {
		bool lane_has = p->j->findings[i].severity == VT_NOTE;

		for (size_t k = 0; k < p->nr_pairs; k++)
			lane_has |= is_about(&p->j->findings[i], p->pair[k].out) || is_about(&p->j->findings[i], p->pair[k].in);
		if (!lane_has)
			return true;
	}
	return false;
}

static void timeline(struct page *p)
{
	size_t first = p->nr_pairs < LANES_OPEN ? p->nr_pairs : LANES_OPEN;

	if (!p->nr_pairs)
		return;
	fputs("<section><h2>Files over the update</h2>\n<p class=\"key\">", p->f);
	for (int k = 0; k < VT_STEP_MAX; k++)
		fprintf(p->f, "<span class=\"s%d\"><b></b>%s</span> ", k, vt_step_name((enum vt_step)k));
	fputs("<span class=\"bad\"><b></b>failed</span> <span class=\"ref\"><i></i>references of struct file</span>. "
	      "Times are seconds of each kernel's boot clock; stretches without an event are squeezed.</p>\n", p->f);
	lanes(p, 0, first, other_findings(p));
	if (first < p->nr_pairs) {
		fprintf(p->f, "<details><summary>%zu more files</summary>\n", p->nr_pairs - first);
		lanes(p, first, p->nr_pairs, false);
		fputs("</details>\n", p->f);
	}
	fputs("</section>\n", p->f);
}

/* ---- findings ---- */

static void evidence(FILE *f, const struct vt_finding *x)
{
	char err[32];

	if (!x->nr_ev)
		return;
	fputs("<div class=\"scroll\"><table class=\"proof\"><thead><tr><th>kernel<th>event<th>time<th>task<th>function<th>what</tr></thead>\n", f);
	for (size_t i = 0; i < x->nr_ev; i++) {
		const struct vt_at *at = &x->ev[i].at;

		fprintf(f, "<tr><td>%s<td>#%" PRIu64 "<td>", x->ev[i].side->label, at->index);
		put_seconds(f, at->ts_ns);
		fputs("<td>", f);
		put(f, "%s[%u]", at->comm, at->tid);
		fputs("<td><code>", f);
		esc(f, vt_at_func(at));
		if (at->has_ret && at->phase != VT_ENTER)
			put(f, " = %s", vt_errno_str(at->ret, err, sizeof(err)));
		fputs("</code><td>", f);
		esc(f, x->ev[i].what);
		fputs("</tr>\n", f);
	}
	fputs("</table></div>\n", f);
}

static void sources(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o, const struct vt_finding *x)
{
	size_t nr;
	struct vt_source_line *l = vt_source_lines(x, j, o, &nr);

	for (size_t i = 0; i < nr; i++) {
		char buf[5000];	/* the path of a file, and some */

		row(f, "source", vt_source_str(&l[i], true, buf, sizeof(buf)));
	}
	free(l);
}

static void finding(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o, const struct vt_finding *x, size_t nr)
{
	char buf[256];

	fprintf(f, "<article id=\"f%zu\" class=\"%s\"><h3>%zu. ", nr, vt_severity_name(x->severity), nr);
	put(f, "%s %s: %s", vt_severity_name(x->severity), x->rule->id, x->title);
	fputs("</h3>\n<dl>", f);
	if (x->suppressed || x->known)
		row(f, x->suppressed ? "suppressed" : "known", x->suppressed ? x->why_suppressed : "it is in the baseline");
	row(f, "object", vt_who_str(&x->who, buf, sizeof(buf)));
	row(f, "in", x->func);
	row(f, "expected", x->expected);
	for (size_t i = 0; i < j->nr_sides; i++) {
		snprintf(buf, sizeof(buf), "seen in %s", j->side[i]->label);
		row(f, buf, x->seen[i]);
	}
	row(f, "meaning", x->meaning);
	sources(f, j, o, x);
	row(f, "fingerprint", x->fingerprint);
	if (x->count > 1) {
		fputs("<dt>also</dt><dd>", f);
		fprintf(f, "%" PRIu64 " times in all", x->count);
		for (size_t i = 0; i < x->nr_also; i++) {
			fputs(i ? "; " : ": ", f);
			esc(f, x->also[i]);
		}
		fputs("</dd>", f);
	}
	fputs("</dl>\n", f);
	evidence(f, x);
	fputs("</article>\n", f);
}

static void findings(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	fputs("<section><h2>Findings</h2>\n", f);
	if (j->errors + j->warnings + j->suppressed + j->known == 0)
		fputs("<p>None.</p>\n", f);
	for (size_t i = 0; i < j->nr_findings; i++) {
		if (j->findings[i].severity != VT_NOTE)
			finding(f, j, o, &j->findings[i], i + 1);
	}
	fputs("</section>\n", f);
}

static void list(FILE *f, const char *head, const char *intro, const char *const *s, size_t nr)
{
	if (!nr)
		return;
	fprintf(f, "<section><h2>%s</h2>\n<p>%s</p><ul>\n", head, intro);
	for (size_t i = 0; i < nr; i++)
		element(f, "li", s[i]);
	fputs("</ul></section>\n", f);
}

static void notes(FILE *f, const struct vt_judgement *j)
{
	char buf[256];

	if (!j->notes)
		return;
	fputs("<section><h2>Notes</h2>\n<p>Allowed, and worth knowing.</p><ul>\n", f);
	for (size_t i = 0; i < j->nr_findings; i++) {
		const struct vt_finding *x = &j->findings[i];

		if (x->severity != VT_NOTE)
			continue;
		fputs("<li>", f);
		put(f, "%s%s%s", x->who.session ? vt_who_str(&x->who, buf, sizeof(buf)) : "", x->who.session ? ": " : "", x->title);
		fputs("</li>\n", f);
	}
	fputs("</ul></section>\n", f);
}

/* ---- tables ---- */

static void field_table(FILE *f, const struct vt_field_table *t)
{
	static const char *const words[] = { "equal", "by design", "DIFFERS", "not judged" };
	char buf[256];

	fputs("<details open><summary>", f);
	put(f, "%s: %s at %s against %s at %s", vt_who_str(&t->who, buf, sizeof(buf)), t->side[0]->label, t->pt[0], t->side[1]->label, t->pt[1]);
	if (t->others)
		put(f, "; %u more files say the same", t->others);
	fputs("</summary><div class=\"scroll\"><table><thead><tr><th>member<th>verdict<th>preserved<th>retrieved<th>why</tr></thead>\n", f);
	for (size_t i = 0; i < t->nr; i++) {
		const struct vt_field_row *r = &t->rows[i];

		fprintf(f, "<tr%s><td><code>", r->same == VT_DIFFERS ? " class=\"bad\"" : "");
		esc(f, r->name);
		fprintf(f, "</code><td>%s<td>", words[r->same]);
		esc(f, r->pre);
		fputs("<td>", f);
		esc(f, r->post);
		fputs("<td>", f);
		esc(f, r->reason);
		fputs("</tr>\n", f);
	}
	fputs("</table></div></details>\n", f);
}

static void phases(FILE *f, const struct vt_judgement *j)
{
	char a[32], b[32];

	fputs("<section><h2>Time per phase</h2>\n<div class=\"scroll\"><table><thead><tr><th>kernel<th>phase<th>calls<th>time<th>longest</tr></thead>\n", f);
	for (size_t i = 0; i < j->nr_sides; i++) {
		for (int p = 0; p < VT_PH_MAX; p++) {
			const struct vt_phase_time *t = &j->side[i]->phase[p];

			if (t->count)
				fprintf(f, "<tr><td>%s<td>%s<td>%" PRIu64 "<td>%s<td>%s</tr>\n", j->side[i]->label, vt_phase_name((enum vt_phase_kind)p), t->count,
					vt_span_str(t->total_ns, a, sizeof(a)), vt_span_str(t->max_ns, b, sizeof(b)));
		}
	}
	fputs("</table></div></section>\n", f);
}

static void rules(FILE *f, const struct vt_judgement *j)
{
	char buf[100];

	fputs("<section><h2>Rules</h2>\n<div class=\"scroll\"><table><thead><tr><th>rule<th>status<th>judged<th>why</tr></thead>\n", f);
	for (size_t i = 0; i < vt_nr_rules; i++) {
		const struct vt_row *r = &j->rows[i];

		fprintf(f, "<tr><td>%s<td>%s<td>%s<td>", r->rule->id, vt_status_name(r->status), vt_subjects_str(r, buf, sizeof(buf)));
		for (size_t k = 0; k < r->nr_why; k++) {
			fputs(k ? "; " : "", f);
			esc(f, r->why[k]);
		}
		fputs("</tr>\n", f);
	}
	fputs("</table></div></section>\n", f);
}

/* ---- the page ---- */

static const char style[] =
	":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#5b6470;--line:#d5dae0;--box:#f4f6f8;--err:#b3261e;--warn:#8a5a00;--ok:#1a7f37;--ref:#6639ba}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#14171b;--fg:#e4e7eb;--dim:#9aa4b0;--line:#343b44;--box:#1d2126;--err:#ff8a80;--warn:#f0b35a;--ok:#5bd67a;--ref:#c5a6ff}}\n"
	"body{margin:0 auto;padding:1rem;max-width:72rem;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,sans-serif}\n"
	"h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}h3{font-size:1rem;margin:.2rem 0}\n"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}\n"
	"code,dd{font-variant-ligatures:none}code{font-family:ui-monospace,monospace;font-size:.9em}\n"
	"article{border-left:4px solid var(--warn);background:var(--box);padding:.5rem .8rem;margin:.6rem 0}article.error{border-color:var(--err)}\n"
	".error>h3,h1.findings{color:var(--err)}.warning>h3,h1.unknown{color:var(--warn)}h1.clean{color:var(--ok)}\n"
	".scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.88rem}td,th{text-align:left;vertical-align:top;padding:.15rem .6rem .15rem 0;border-bottom:1px solid var(--line)}\n"
	"tr.bad td{color:var(--err);font-weight:600}summary{cursor:pointer;margin:.3rem 0}\n"
	"svg{display:block;width:100%;min-width:46rem;height:auto}svg text{fill:var(--fg);font:11px system-ui,sans-serif}svg .n{fill:var(--dim);font-size:10px}svg .who{font-weight:600}\n"
	"svg .end{text-anchor:end}svg .mid{text-anchor:middle}.lane,.tick{stroke:var(--line)}.tick{stroke-dasharray:2 4}.jump{fill:var(--box);stroke:var(--line)}\n"
	".ref path{fill:none;stroke:var(--ref);stroke-width:1.5}svg .ref text{fill:var(--ref);font-size:9px}\n"
	".pin circle{fill:var(--warn)}.pin.error circle{fill:var(--err)}svg .pin text{fill:var(--bg);font-weight:700;font-size:10px;text-anchor:middle}\n"
	".key span{white-space:nowrap;margin-right:.6rem}.key b{display:inline-block;width:.8em;height:.8em;margin-right:.3em;background:currentColor;border-radius:2px}\n"
	".key i{display:inline-block;width:1.2em;border-top:2px solid;margin:0 .3em .2em 0}.key .ref{color:var(--ref)}\n"
	".s0{fill:#2f81f7;color:#2f81f7}.s1{fill:#0aa2c0;color:#0aa2c0}.s2{fill:#7a8290;color:#7a8290}.s3{fill:#9a6700;color:#b07d1a}"
	".s4{fill:#8250df;color:#9a70ea}.s5{fill:#1f9d4d;color:#1f9d4d}.s6{fill:#86a313;color:#86a313}.s7{fill:#d4569a;color:#d4569a}"
	".bad{fill:#e5352b;color:#e5352b}\n"
	"footer{margin-top:2rem;color:var(--dim);font-size:.85rem}\n"
	"@media print{:root{--bg:#fff;--fg:#000}body{max-width:none;font-size:11px}article,tr,svg{break-inside:avoid}h2,h3{break-after:avoid}table{font-size:9.5px}td{overflow-wrap:anywhere}.scroll{overflow:visible}svg{min-width:0}details::details-content{content-visibility:visible;block-size:auto}}\n"
	"@media(max-width:40rem){body{padding:.6rem;font-size:14px}dl{grid-template-columns:1fr;gap:0}dd{margin:0 0 .3rem}"
	".proof thead{display:none}.proof tr{display:block;padding:.3rem 0;border-bottom:1px solid var(--line)}.proof td{display:inline;border:0;padding-right:.5rem;overflow-wrap:anywhere}.proof td:last-child{display:block}}\n";

static void head(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	char id[17];

	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>", f);
	put(f, "vfiotrace: %s%s%s", vt_verdict(j), o->name ? ", " : "", o->name ? o->name : "");
	fprintf(f, "</title>\n<style>\n%s</style></head><body>\n<header><h1 class=\"%s\">", style,
		j->exit == VT_EXIT_CLEAN ? "clean" : j->exit == VT_EXIT_FINDINGS ? "findings" : "unknown");
	put(f, "vfiotrace %s: %s", o->command, vt_verdict(j));
	if (j->errors + j->warnings)
		put(f, ", %zu error%s, %zu warning%s", j->errors, j->errors == 1 ? "" : "s", j->warnings, j->warnings == 1 ? "" : "s");
	fputs("</h1>\n<dl>", f);
	row(f, "nothing to judge", j->nothing);
	row(f, "scenario", o->name);
	row(f, "host", o->host);
	row(f, "update", vt_update_id(j, id));
}

static void summary(FILE *f, const struct vt_judgement *j)
{
	struct vt_files_told n = vt_files_told(j);
	size_t status[VT_STATUSES] = { 0 };

	for (size_t i = 0; i < j->nr_sides; i++) {
		const struct vt_side *s = j->side[i];
		const char *release = vt_trace__told(s->trace, "kernel.release"), *machine = vt_trace__told(s->trace, "machine"), *started = vt_trace__told(s->trace, "started"),
			   *build = vt_trace__told(s->trace, "kernel.build_id");

		element(f, "dt", s->label);
		fputs("<dd>", f);
		put(f, "%s: kernel %s %s, recorded from %s, %" PRIu64 " events, %s%s%s", vt_side_file(s), release ? release : "unknown", machine ? machine : "",
		    started ? started : "an unknown time", s->events, vt_ending_str(s), build ? ", build id " : "", build ? build : "");
		fputs("</dd>\n", f);
	}
	row(f, "handlers", vt_trace__told(j->side[j->nr_sides - 1]->trace, "handlers"));
	for (size_t i = 0; i < vt_nr_rules; i++)
		status[j->rows[i].status]++;
	fprintf(f, "<dt>files</dt><dd>%" PRIu64 " preserved, %" PRIu64 " into the jump, %" PRIu64 " retrieved, %" PRIu64 " finished</dd>\n"
		"<dt>rules</dt><dd>%zu passed, %zu with findings, %zu unknown, %zu with nothing to judge, %zu not applicable</dd>\n</dl></header>\n",
		n.preserved, n.crossed, n.retrieved, n.finished, status[VT_PASS], status[VT_FOUND], status[VT_UNKNOWN], status[VT_NOTHING], status[VT_NOT_APPLICABLE]);
}

void vt_report_html(FILE *f, const struct vt_judgement *j, const struct vt_report_opts *o)
{
	struct page p = { .f = f, .j = j };

	p.pair = vt_pairs(j, &p.nr_pairs);
	make_axes(&p);
	head(f, j, o);
	summary(f, j);
	list(f, "Demands not met", "Asked for by the policy or the baseline.", o->demands, o->nr_demands);
	findings(f, j, o);
	list(f, "Unknown", "Where the evidence does not reach.", (const char *const *)j->doubts, j->nr_doubts);
	timeline(&p);
	notes(f, j);
	if (j->nr_tables)
		fputs("<section><h2>struct file, member by member</h2>\n", f);
	for (size_t i = 0; i < j->nr_tables; i++)
		field_table(f, &j->tables[i]);
	if (j->nr_tables)
		fputs("</section>\n", f);
	phases(f, j);
	rules(f, j);
	fputs("<footer>vfiotrace " VFIOTRACE_VERSION ". Numbers and times of events are those of vfiotrace show.</footer>\n</body></html>\n", f);
	for (size_t i = 0; i < 2; i++) {
		free(p.axis[i].ts);
		free(p.axis[i].x);
	}
	free(p.pair);
}
