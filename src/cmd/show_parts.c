// SPDX-License-Identifier: GPL-2.0
/* What the views of show have in common. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "cmd/show.h"
#include "report/source_lines.h"
#include "source/sources.h"

int vt_show__next(struct vt_shown *s, struct vt_event *e)
{
	int ret;

	do {
		ret = vt_trace__next(s->t, e);
	} while (ret > 0 && s->g.filter && !vt_filter__takes(s->g.filter, e));
	return ret;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

bool vt_show__open(const struct vt_glance *g, const struct vt_event *e)
{
	return g->nr_open && bsearch(&e->index, g->open, g->nr_open, sizeof(*g->open), by_number);
}

static void put_utc(FILE *f, const struct vt_glance *g, uint64_t ts_ns)
{
	int64_t ns = g->utc_ns + (int64_t)(ts_ns - g->first_ns);
	time_t s = ns / 1000000000;
	struct tm tm;
	char text[32] = "?";

	if (gmtime_r(&s, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(f, "%s.%06" PRId64 "Z", text, ns % 1000000000 / 1000);
}

void vt_show__time(FILE *f, const struct vt_glance *g, uint64_t ts_ns)
{
	bool before = ts_ns < g->first_ns;
	uint64_t ns = before ? g->first_ns - ts_ns : ts_ns - g->first_ns;

	if (g->clock == VT_CLOCK_BOOT) {
		fprintf(f, "%" PRIu64 ".%09" PRIu64, ts_ns / 1000000000, ts_ns % 1000000000);
		return;
	}
	if (g->clock == VT_CLOCK_UTC) {
		put_utc(f, g, ts_ns);
		return;
	}
	fprintf(f, "%c%" PRIu64 ".%09" PRIu64, before ? '-' : '+', ns / 1000000000, ns % 1000000000);
}

const char *vt_show__arrow(const struct vt_event *e)
{
	return e->phase == VT_ENTER ? "->" : e->phase == VT_EXIT ? "<-" : "--";
}

/* ret=-12 says more as ret=-12(ENOMEM); an exit status is no errno. */
static void put_ret_name(FILE *f, const struct vt_event *e, const struct vt_value *v)
{
	const char *name;

	if (v->field != VT_F_RET || v->kind != VT_S64 || v->err || e->type == VT_EV_REC_CHILD_EXIT)
		return;
	name = v->s < 0 && v->s >= -4095 ? vt_errno_name((int)-v->s) : NULL;
	if (name)
		fprintf(f, "(%s)", name);
}

/* All but func, which has its place in the line. */
void vt_show__fields(FILE *f, const struct vt_trace *t, const struct vt_event *e)
{
	for (uint32_t i = 0; i < e->nr; i++) {
		const struct vt_value v = vt_ev_at(e, i);

		if (v.field == VT_F_FUNC && !v.err && v.kind == VT_STR)
			continue;
		fputc(' ', f);
		vt_text__word(f, vt_trace__field_name(t, v.field));
		fputc('=', f);
		vt_text__value(f, t, &v);
		put_ret_name(f, e, &v);
	}
}

const struct vt_source *vt_show__source(const struct vt_glance *g, const struct vt_trace *t, const struct vt_event *e)
{
	const char *site = g->sources ? vt_ev_str(e, VT_F_SITE) : NULL;
	struct vt_source_kernel k;

	if (!site)
		return NULL;
	k = vt_trace_kernel(t);
	return vt_sources__find(g->sources, &k, site);
}

/* ---- in JSON ---- */

void vt_show__json_meta(struct vt_jsonw *w, const char *key, const struct vt_trace *t)
{
	vt_jsonw__object(w, key);
	for (size_t i = 0; i < vt_trace__meta_nr(t); i++) {
		const char *name, *value;

		vt_trace__meta_at(t, i, &name, &value);
		vt_jsonw__str(w, name, value);
	}
	vt_jsonw__end(w);
}

void vt_show__json_fields(struct vt_jsonw *w, const char *key, const struct vt_trace *t, const struct vt_event *e)
{
	vt_jsonw__object(w, key);
	for (uint32_t i = 0; i < e->nr; i++) {
		const struct vt_value v = vt_ev_at(e, i);

		vt_json__value(vt_jsonw__value(w, vt_trace__field_name(t, v.field)), t, &v);
	}
	vt_jsonw__end(w);
}

const struct vt_loss *vt_show__unsaid(const struct vt_unsaid *u, struct vt_unsaid_text *to)
{
	snprintf(to->why, sizeof(to->why), "nobody told: numbers %" PRIu64 " to %" PRIu64 " of cpu%u are missing", u->first, u->last, u->cpu);
	to->loss = (struct vt_loss){ .event = "", .why = to->why, .count = u->count, .from_ns = u->from_ns, .to_ns = u->to_ns };
	return &to->loss;
}
