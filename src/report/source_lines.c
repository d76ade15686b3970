// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/source_lines.h"

struct vt_source_kernel vt_trace_kernel(const struct vt_trace *t)
{
	return (struct vt_source_kernel){ .release = vt_trace__told(t, "kernel.release"), .build_id = vt_trace__told(t, "kernel.build_id") };
}

const char *vt_source_str(const struct vt_source_line *l, bool with_side, char *buf, size_t size)
{
	const char *function = l->at->function;

	snprintf(buf, size, "%s%s%s is %s:%u%s%s%s", with_side ? l->side->label : "", with_side ? ": " : "", l->site, l->at->file, l->at->line,
		 function ? " (" : "", function ? function : "", function ? "())" : "");
	return buf;
}

struct lines {
	struct vt_source_line *l;
	size_t nr;
	struct vt_sources *sources;
};

static void add(struct lines *to, const struct vt_side *side, const char *site, size_t len)
{
	struct vt_source_kernel k = vt_trace_kernel(side->trace);
	struct vt_source_line one = { .side = side }, *grown;

	if (len >= sizeof(one.site))
		return;
	memcpy(one.site, site, len);
	for (size_t i = 0; i < to->nr; i++) {
		if (to->l[i].side == side && !strcmp(to->l[i].site, one.site))
			return;
	}
	one.at = vt_sources__find(to->sources, &k, one.site);
	grown = one.at ? realloc(to->l, (to->nr + 1) * sizeof(*grown)) : NULL;
	if (!grown)
		return;
	to->l = grown;
	to->l[to->nr++] = one;
}

/* All sites in TEXT; with WITHIN only those of that function. */
static void add_text(struct lines *to, const struct vt_side *side, const char *text, const char *within)
{
	size_t len = 0, name = within ? strcspn(within, "+ ") : 0;
	const char *at = text;

	for (; at && (len = vt_site_in(at, &at)); at += len) {
		if (!within || (!strncmp(at, within, name) && at[name] == '+'))
			add(to, side, at, len);
	}
}

static void add_all(struct lines *to, const struct vt_finding *x, const struct vt_judgement *j, const char *within)
{
	for (size_t i = 0; i < j->nr_sides; i++)
		add_text(to, j->side[i], x->seen[i], within);
	for (size_t i = 0; i < x->nr_ev; i++) {
		add_text(to, x->ev[i].side, x->ev[i].at.func, within);
		add_text(to, x->ev[i].side, x->ev[i].what, within);
	}
	add_text(to, x->side, x->expected, within);
	add_text(to, x->side, x->title, within);
}

struct vt_source_line *vt_source_lines(const struct vt_finding *x, const struct vt_judgement *j, const struct vt_report_opts *o, size_t *nr)
{
	struct lines to = { .sources = o->sources };

	/* A call in the function that is to blame, else that function, then the others. */
	if (o->sources && x->func)
		add_all(&to, x, j, x->func);
	if (o->sources && x->func && !to.nr)
		add(&to, x->side, x->func, strlen(x->func));
	if (o->sources)
		add_all(&to, x, j, NULL);
	*nr = to.nr;
	return to.l;
}

const struct vt_source *vt_evidence_source(const struct vt_evidence *e, const struct vt_report_opts *o)
{
	struct vt_source_kernel k = vt_trace_kernel(e->side->trace);
	char site[200];
	const char *at;
	size_t len = o->sources && e->what ? vt_site_in(e->what, &at) : 0;

	if (!o->sources)
		return NULL;
	if (!len || len >= sizeof(site))
		return vt_sources__find(o->sources, &k, e->at.func);
	memcpy(site, at, len);
	site[len] = 0;
	return vt_sources__find(o->sources, &k, site);
}
