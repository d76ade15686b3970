// SPDX-License-Identifier: GPL-2.0
/* Runs every rule over one or two sides and adds up what they say. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/kinds.h"
#include "rules/facts.h"

const char *vt_severity_name(enum vt_severity s)
{
	return s == VT_ERROR ? "error" : s == VT_WARNING ? "warning" : "note";
}

const char *vt_status_name(enum vt_status s)
{
	static const char *const names[] = { "pass", "finding", "unknown", "not applicable" };

	return names[s];
}

const struct vt_rule *vt_rule__by_id(const char *id)
{
	for (size_t i = 0; i < vt_nr_rules; i++) {
		if (!strcmp(vt_rules[i]->id, id))
			return vt_rules[i];
	}
	return NULL;
}

/* ---- small text ---- */

static char *vformat(const char *fmt, va_list ap)
{
	char *s;

	return vasprintf(&s, fmt, ap) < 0 ? NULL : s;
}

void vt_text(struct vt_ctx *c, char **to, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	free(*to);
	*to = vformat(fmt, ap);
	va_end(ap);
	if (!*to)
		c->err = -ENOMEM;
}

const char *vt_who_str(const struct vt_who *w, char *buf, size_t size)
{
	int n = 0;

	buf[0] = 0;
	if (w->session)
		n = snprintf(buf, size, "session %s", w->session);
	if (w->has_token && n >= 0 && (size_t)n < size)
		n += snprintf(buf + n, size - n, "%stoken 0x%" PRIx64, n ? " " : "", w->token);
	if ((w->compatible || w->bdf) && n >= 0 && (size_t)n < size) {
		n += snprintf(buf + n, size - n, n ? " (%s%s%s)" : "%s%s%s", w->compatible ? w->compatible : "",
			      w->compatible && w->bdf ? ", " : "", w->bdf ? w->bdf : "");
	}
	if (!buf[0])
		snprintf(buf, size, "no session");
	return buf;
}

struct vt_who vt_who_of(const struct vt_life *l)
{
	return (struct vt_who){ .session = l->session->name, .token = l->token, .has_token = true,
				.compatible = l->compatible, .bdf = l->bdf, .since_ns = l->since_ns };
}

const char *vt_at_func(const struct vt_at *at)
{
	return at->func && *at->func ? at->func : vt_event_name(at->type);
}

const char *vt_errno_str(int64_t ret, char *buf, size_t size)
{
	const char *name = ret < 0 && ret > -4096 ? strerrorname_np((int)-ret) : NULL;

	if (name)
		snprintf(buf, size, "-%s", name);
	else
		snprintf(buf, size, "%" PRId64, ret);
	return buf;
}

/* ---- findings ---- */

static uint64_t fnv(const char *s, uint64_t h)
{
	while (*s)
		h = (h ^ (unsigned char)*s++) * 0x100000001b3ULL;
	return h * 0x100000001b3ULL;	/* ends the part */
}

void vt_also(struct vt_finding *f, const struct vt_who *who)
{
	char buf[256];

	char own[256];

	f->count++;
	if (f->nr_also >= VT_ALSO_MAX || !who)
		return;
	vt_who_str(who, buf, sizeof(buf));
	if (!strcmp(buf, vt_who_str(&f->who, own, sizeof(own))))
		return;
	for (size_t i = 0; i < f->nr_also; i++) {
		if (!strcmp(f->also[i], buf))
			return;
	}
	f->also[f->nr_also] = strdup(buf);
	if (f->also[f->nr_also])
		f->nr_also++;
}

/* ---- where the evidence has holes ---- */

bool vt_torn(const struct vt_ctx *c, size_t side, uint64_t from_ns, uint64_t to_ns)
{
	return vt_spans__reach(&c->torn[side], from_ns, to_ns);
}

bool vt_clear(const struct vt_ctx *c, size_t side, uint64_t from_ns, uint64_t to_ns)
{
	return !vt_spans__reach(&c->blind[side], from_ns, to_ns) && !vt_torn(c, side, from_ns, to_ns);
}

bool vt_life_torn(const struct vt_ctx *c, size_t side, const struct vt_life *l)
{
	return vt_torn(c, side, l->since_ns, l->until_ns);
}

struct vt_finding *vt_find(struct vt_ctx *c, enum vt_severity sev, size_t side, const struct vt_who *who,
			   const char *key, ...)
{
	struct vt_judgement *j = c->j;
	struct vt_finding *f, *grown;
	va_list ap;
	char *k;

	va_start(ap, key);
	k = vformat(key, ap);
	va_end(ap);
	if (!k) {
		c->err = -ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < j->nr_findings; i++) {
		if (j->findings[i].rule == c->rule && !strcmp(j->findings[i].key, k)) {
			vt_also(&j->findings[i], who);
			free(k);
			return NULL;
		}
	}
	grown = realloc(j->findings, (j->nr_findings + 1) * sizeof(*grown));
	if (!grown) {
		free(k);
		c->err = -ENOMEM;
		return NULL;
	}
	j->findings = grown;
	f = &grown[j->nr_findings++];
	memset(f, 0, sizeof(*f));
	f->rule = c->rule;
	f->severity = sev;
	f->side = j->side[side];
	f->key = k;
	f->count = 1;
	if (who)
		f->who = *who;
	snprintf(f->fingerprint, sizeof(f->fingerprint), "%016" PRIx64, fnv(k, fnv(c->rule->id, 0xcbf29ce484222325ULL)));
	if (sev != VT_NOTE)
		c->row->findings++;
	return f;
}

void vt_proof(struct vt_ctx *c, struct vt_finding *f, size_t side, const struct vt_at *at, const char *fmt, ...)
{
	struct vt_evidence *e;
	va_list ap;

	if (!at->type || f->nr_ev == VT_EVIDENCE_MAX)
		return;
	e = &f->ev[f->nr_ev++];
	e->side = c->j->side[side];
	e->at = *at;
	va_start(ap, fmt);
	e->what = vformat(fmt, ap);
	va_end(ap);
	if (!e->what)
		c->err = -ENOMEM;
}

static void add_line(struct vt_ctx *c, char ***list, size_t *nr, const char *line)
{
	char **grown;

	for (size_t i = 0; i < *nr; i++) {
		if (!strcmp((*list)[i], line))
			return;
	}
	grown = realloc(*list, (*nr + 1) * sizeof(*grown));
	if (grown)
		*list = grown;
	if (!grown || !(grown[*nr] = strdup(line))) {
		c->err = -ENOMEM;
		return;
	}
	(*nr)++;
}

void vt_doubt(struct vt_ctx *c, const char *fmt, ...)
{
	char buf[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	add_line(c, &c->row->why, &c->row->nr_why, buf);
	add_line(c, &c->j->doubts, &c->j->nr_doubts, buf);
}

/* ---- what a side is about ---- */

bool vt_side_outgoing(const struct vt_side *s)
{
	if (s->folded_lives || s->failed_preserves)
		return true;
	for (const struct vt_session *v = s->sessions; v; v = v->next) {
		if (v->dir == VT_OUTGOING && v->lives)
			return true;
	}
	return false;
}

bool vt_side_incoming(const struct vt_side *s)
{
	for (const struct vt_session *v = s->sessions; v; v = v->next) {
		if (v->dir == VT_INCOMING && v->lives)
			return true;
	}
	return false;
}

bool vt_side_vfio(const struct vt_side *s)
{
	if (s->saw_vfio)
		return true;
	for (const struct vt_session *v = s->sessions; v; v = v->next) {
		for (const struct vt_life *l = v->lives; l; l = l->next) {
			if (l->is_vfio || (l->compatible && strstr(l->compatible, "vfio")))
				return true;
		}
	}
	return false;
}

bool vt_pair_fits(const struct vt_ctx *c)
{
	return c->j->pair;
}

bool vt_crossed(const struct vt_judgement *j, const struct vt_life *l)
{
	return l->held_at_end && (j->side[0]->jumped || j->pair);
}

/* The jump itself may be missing from a recording that was cut short; what arrived proves it all the same. */
static bool arrived(const struct vt_side *pre, const struct vt_side *post)
{
	for (const struct vt_session *v = pre->sessions; v; v = v->next) {
		for (const struct vt_life *l = v->lives; l; l = l->next) {
			const struct vt_life *in = l->held_at_end ? vt_side__life(post, VT_INCOMING, v->name, l->token) : NULL;

			if (in && l->has_data && in->has_data && l->data && l->data == in->data)
				return true;
		}
	}
	return false;
}

/* ---- running ---- */

/* Records of what the rule is about were lost: it may have been there, and nothing else shows it. */
static bool subject_lost(const struct vt_rule *r, const struct vt_side *s)
{
	bool lost = false;

	switch (r->subject) {
	case VT_ABOUT_VFIO:
		for (int t = 1; t < VT_EV_MAX; t++)
			lost |= kind_is_vfio(t) && vt_side__lost(s, t);
		return lost;
	case VT_ABOUT_MODULE:
		return !s->nr_holes && (vt_side__lost(s, VT_EV_MODULE_GET) || vt_side__lost(s, VT_EV_MODULE_PUT));
	case VT_ABOUT_MEMORY:
		lost = vt_side__lost(s, VT_EV_OBJ_ALLOC);
		/* fallthrough */
	default:
		return lost || vt_side__lost(s, VT_EV_LUO_PRESERVE) || vt_side__lost(s, VT_EV_LUO_FILE) || vt_side__lost(s, VT_EV_LUO_RETRIEVE);
	}
}

static bool has_files(const struct vt_side *s)
{
	return vt_side_outgoing(s) || vt_side_incoming(s);
}

static bool due(const struct vt_ctx *c, size_t i, enum vt_where where)
{
	const struct vt_side *s = c->j->side[i];

	if (c->rule->subject == VT_ABOUT_VFIO && !vt_side_vfio(s) && !subject_lost(c->rule, s))
		return false;
	/* A preserve whose record was lost is a preserve, and so for a file that arrived. */
	if (where == VT_OUT && vt_side__lost(s, VT_EV_LUO_PRESERVE))
		return true;
	if (where == VT_IN && (vt_side__lost(s, VT_EV_LUO_FILE) || vt_side__lost(s, VT_EV_LUO_RETRIEVE)))
		return true;
	if (where == VT_OUT)
		return vt_side_outgoing(s) || (c->rule->subject == VT_ABOUT_KHO && s->kho_preserved);
	if (where == VT_IN)
		return vt_side_incoming(s) || (c->j->nr_sides == 2 && i == 1 && c->j->side[0]->jumped);
	return has_files(s) || c->rule->subject == VT_ABOUT_VFIO ||
	       (c->rule->subject == VT_ABOUT_MEMORY && s->mem_allocated);
}

static bool about(const struct vt_ctx *c, const struct vt_side *s)
{
	switch (c->rule->subject) {
	case VT_ABOUT_VFIO:
		return vt_side_vfio(s);
	case VT_ABOUT_MODULE:
		return s->saw_module;
	case VT_ABOUT_KHO:
		return has_files(s) || s->kho_preserved;
	case VT_ABOUT_MEMORY:
		return has_files(s) || s->mem_allocated;
	default:
		return has_files(s);
	}
}

/* A rule's first need is what it is about. */
static bool looked_for(const struct vt_ctx *c, char *why, size_t size)
{
	const struct vt_need *n = c->rule->needs;

	VT_EACH_SIDE(c, i) {
		if (!n->type || !due(c, i, n->where) || !vt_side__unlooked(c->j->side[i], n->type))
			continue;
		snprintf(why, size, "%s: recorded by a version that does not look for %s", c->j->side[i]->label, vt_event_name(n->type));
		return false;
	}
	return true;
}

static bool applies(const struct vt_ctx *c, char *why, size_t size)
{
	bool any = false;

	if (c->rule->subject == VT_ABOUT_PAIR && c->j->nr_sides < 2) {
		snprintf(why, size, "needs the traces of both kernels");
		return false;
	}
	VT_EACH_SIDE(c, i)
		any |= about(c, c->j->side[i]) || subject_lost(c->rule, c->j->side[i]);
	snprintf(why, size, "%s", c->rule->subject == VT_ABOUT_VFIO ? "no vfio device was at work" :
		 c->rule->subject == VT_ABOUT_MODULE ? "no file of a handler that lives in a module was preserved" : "no file was preserved");
	return any && looked_for(c, why, size);
}

/* What may be missing of TYPE, with the reason; LOST: only what was lost on the way to the file. */
static void doubt_type(struct vt_ctx *c, size_t i, enum vt_event_type type, bool lost, struct vt_spans *to)
{
	struct vt_gap g;
	size_t at = 0;

	while (vt_side__next_gap(c->j->side[i], type, &at, &g)) {
		if (lost && !g.lost)
			continue;
		if (vt_spans__add(to, g.from_ns, g.to_ns))
			c->err = -ENOMEM;
		if (g.text[0])
			vt_doubt(c, "%s", g.text);
	}
}

static void check_calls(struct vt_ctx *c, size_t i)
{
	for (int type = 1; type < VT_EV_MAX; type++) {
		enum vt_calls of = kind_is_vfio(type) ? VT_VFIO_CALLS : VT_LUO_CALLS;

		if (kind_is(type, VT_K_TEARS) && c->rule->by_call & of)
			doubt_type(c, i, type, true, &c->torn[i]);
	}
}

static void check_needs(struct vt_ctx *c)
{
	char buf[400];

	VT_EACH_SIDE(c, i) {
		bool concerned = false;

		for (const struct vt_need *n = c->rule->needs; n->type; n++) {
			if (!due(c, i, n->where) || vt_side__unlooked(c->j->side[i], n->type))
				continue;
			concerned = true;
			doubt_type(c, i, n->type, false, &c->blind[i]);
		}
		for (const uint16_t *t = c->rule->also; concerned && *t; t++)
			doubt_type(c, i, *t, true, &c->blind[i]);
		if (concerned && c->rule->by_call)
			check_calls(c, i);
		vt_spans__join(&c->blind[i]);
		vt_spans__join(&c->torn[i]);
		c->cut[i] = c->j->side[i]->ending == VT_END_CUT;
		if (concerned && vt_side__cut(c->j->side[i], buf, sizeof(buf)))
			vt_doubt(c, "%s", buf);
	}
}

/* ---- which files a rule can judge all the same ---- */

static bool concerns(const struct vt_rule *r, const struct vt_life *l)
{
	return r->subject != VT_ABOUT_VFIO || l->is_vfio || !l->compatible || strstr(l->compatible, "vfio");
}

/* Nothing is missing on side I of what the rule has to know of L. */
static bool whole(const struct vt_ctx *c, size_t i, const struct vt_life *l)
{
	uint64_t to = c->rule->lasts ? UINT64_MAX : l->until_ns;

	if (c->cut[i] && to >= c->j->side[i]->last_ns)
		return false;
	return vt_clear(c, i, c->rule->sums ? 0 : l->since_ns, to);
}

static void count_file(struct vt_ctx *c, size_t i, const struct vt_life *l)
{
	const struct vt_life *in = NULL;
	struct vt_row *r = c->row;
	struct vt_who *grown;
	bool ok;

	if (!concerns(c->rule, l))
		return;
	ok = whole(c, i, l);
	if (i == 0 && c->j->nr_sides == 2 && vt_crossed(c->j, l)) {
		in = vt_side__life(c->j->side[1], VT_INCOMING, l->session->name, l->token);
		/* One that was not seen arriving may lie in any gap. */
		ok = ok && (in ? whole(c, 1, in) : vt_clear(c, 1, 0, UINT64_MAX));
	}
	if (ok) {
		r->judged++;
		return;
	}
	grown = realloc(r->open, (r->nr_open + 1) * sizeof(*grown));
	if (!grown) {
		c->err = -ENOMEM;
		return;
	}
	r->open = grown;
	grown[r->nr_open] = vt_who_of(l);
	if (!grown[r->nr_open].compatible && in)
		grown[r->nr_open].compatible = in->compatible;
	r->nr_open++;
}

/* Every hook that the rule needs was there from then on. */
static bool hooked_since(const struct vt_ctx *c, size_t i, uint64_t from_ns)
{
	for (const struct vt_need *n = c->rule->needs; n->type; n++) {
		struct vt_gap g;
		size_t at = 0;

		while (due(c, i, n->where) && vt_side__next_gap(c->j->side[i], n->type, &at, &g)) {
			if (!g.lost && g.to_ns >= from_ns)
				return false;
		}
	}
	return true;
}

/* What was folded is known by number only: lost records concern what lived meanwhile, a hook that came late the first of them. */
static void count_folded(struct vt_ctx *c, size_t i)
{
	const struct vt_side *s = c->j->side[i];
	uint64_t open = 0;

	if (c->rule->subject == VT_ABOUT_VFIO || !s->folded_lives)
		return;
	if (!vt_clear(c, i, s->folded_since_ns, UINT64_MAX))
		open = c->rule->sums || c->rule->lasts || !hooked_since(c, i, s->folded_since_ns) ? s->folded_lives : s->folded_lossy;
	c->row->more_open += open;
	c->row->judged += s->folded_lives - open;
}

static bool came_from(const struct vt_ctx *c, const struct vt_life *in)
{
	const struct vt_life *out = vt_side__life(c->j->side[0], VT_OUTGOING, in->session->name, in->token);

	return out && vt_crossed(c->j, out);
}

static void count_files(struct vt_ctx *c)
{
	VT_EACH_SIDE(c, i) {
		count_folded(c, i);
		for (const struct vt_session *v = c->j->side[i]->sessions; v; v = v->next) {
			for (const struct vt_life *l = v->lives; l; l = l->next) {
				if (i == 0 || l->dir == VT_OUTGOING || !came_from(c, l))
					count_file(c, i, l);
			}
		}
	}
}

static void run_rule(struct vt_ctx *c)
{
	char why[200];

	if (!applies(c, why, sizeof(why))) {
		c->row->status = VT_NOT_APPLICABLE;
		add_line(c, &c->row->why, &c->row->nr_why, why);
		return;
	}
	check_needs(c);
	vt_tell_facts(c);
	if (c->rule->run)
		c->rule->run(c);
	c->row->status = c->row->findings ? VT_FOUND : c->row->nr_why ? VT_UNKNOWN : VT_PASS;
	if (c->row->nr_why)
		count_files(c);
	VT_EACH_SIDE(c, i) {
		vt_spans__free(&c->blind[i]);
		vt_spans__free(&c->torn[i]);
	}
}

static int by_weight(const void *a, const void *b)
{
	const struct vt_finding *x = a, *y = b;
	size_t i, j;

	if (x->severity != y->severity)
		return (int)y->severity - (int)x->severity;
	for (i = 0; i < vt_nr_rules && vt_rules[i] != x->rule; i++)
		;
	for (j = 0; j < vt_nr_rules && vt_rules[j] != y->rule; j++)
		;
	if (i != j)
		return i < j ? -1 : 1;
	return strcmp(x->key, y->key);
}

/* Evidence reads in the order in which it happened: the old kernel first. */
static void order_evidence(struct vt_judgement *j)
{
	for (size_t i = 0; i < j->nr_findings; i++) {
		struct vt_finding *f = &j->findings[i];

		for (size_t a = 1; a < f->nr_ev; a++) {
			struct vt_evidence e = f->ev[a];
			size_t b = a;

			for (; b > 0 && (f->ev[b - 1].side == e.side ? f->ev[b - 1].at.index > e.at.index : e.side == j->side[0]); b--)
				f->ev[b] = f->ev[b - 1];
			f->ev[b] = e;
		}
	}
}

/* Nothing was preserved and nothing arrived: is that sure, and whose doing? */
static void judge_empty(struct vt_ctx *c)
{
	struct vt_judgement *j = c->j;
	bool no_luo = true;
	char buf[400];

	VT_EACH_SIDE(c, i) {
		const char *luo = vt_trace__meta(j->side[i]->trace, "luo");

		if (has_files(j->side[i]))
			return;
		no_luo &= luo && !strncmp(luo, "no", 2);
	}
	j->nothing = no_luo ? "this kernel has no Live Update Orchestrator" : "no file was preserved and none arrived";
	if (no_luo)
		return;
	VT_EACH_SIDE(c, i) {
		if (vt_side__cut(j->side[i], buf, sizeof(buf)))
			add_line(c, &j->doubts, &j->nr_doubts, buf);
		if (vt_side__gap(j->side[i], i ? VT_EV_LUO_RETRIEVE : VT_EV_LUO_PRESERVE, buf, sizeof(buf)))
			add_line(c, &j->doubts, &j->nr_doubts, buf);
	}
}

void vt_judgement__settle(struct vt_judgement *j)
{
	bool damaged = false;

	j->errors = j->warnings = j->notes = j->suppressed = j->known = 0;
	for (size_t i = 0; i < j->nr_findings; i++) {
		const struct vt_finding *f = &j->findings[i];

		if (f->severity == VT_NOTE)
			j->notes++;
		else if (f->suppressed)
			j->suppressed++;
		else if (f->known)
			j->known++;
		else if (f->severity == VT_ERROR)
			j->errors++;
		else
			j->warnings++;
	}
	for (size_t i = 0; i < j->nr_sides; i++)
		damaged |= j->side[i]->damaged;
	if (j->errors + j->warnings)
		j->exit = VT_EXIT_FINDINGS;
	else if (j->nr_doubts)
		j->exit = VT_EXIT_INCONCLUSIVE;
	else if (damaged)
		j->exit = VT_EXIT_BAD_TRACE;
	else if (j->nothing)
		j->exit = VT_EXIT_NOTHING;
	else
		j->exit = VT_EXIT_CLEAN;
}

int vt_judge(const struct vt_side *a, const struct vt_side *b, struct vt_judgement **out)
{
	struct vt_judgement *j = calloc(1, sizeof(*j));
	struct vt_ctx c = { .j = j };

	if (!j)
		return -ENOMEM;
	j->side[0] = a;
	j->side[1] = b;
	j->nr_sides = b ? 2 : 1;
	j->pair = b && (a->jumped || (a->ending == VT_END_CUT && arrived(a, b)));
	j->rows = calloc(vt_nr_rules, sizeof(*j->rows));
	if (!j->rows) {
		free(j);
		return -ENOMEM;
	}
	for (size_t i = 0; i < vt_nr_rules; i++) {
		struct vt_ctx r = { .j = j, .rule = vt_rules[i], .row = &j->rows[i] };

		j->rows[i].rule = vt_rules[i];
		run_rule(&r);
		c.err = c.err ? c.err : r.err;
	}
	judge_empty(&c);
	order_evidence(j);
	if (j->nr_findings)
		qsort(j->findings, j->nr_findings, sizeof(*j->findings), by_weight);
	vt_judgement__settle(j);
	if (c.err) {
		vt_judgement__free(j);
		return c.err;
	}
	*out = j;
	return 0;
}

static void free_lines(char **l, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(l[i]);
	free(l);
}

void vt_judgement__free(struct vt_judgement *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->nr_findings; i++) {
		struct vt_finding *f = &j->findings[i];

		for (size_t k = 0; k < f->nr_ev; k++)
			free(f->ev[k].what);
		for (size_t k = 0; k < f->nr_also; k++)
			free(f->also[k]);
		free(f->title);
		free(f->expected);
		free(f->seen[0]);
		free(f->seen[1]);
		free(f->meaning);
		free(f->key);
	}
	free(j->findings);
	for (size_t i = 0; j->rows && i < vt_nr_rules; i++) {
		free_lines(j->rows[i].why, j->rows[i].nr_why);
		free(j->rows[i].open);
	}
	free(j->rows);
	for (size_t i = 0; i < j->nr_tables; i++) {
		for (size_t k = 0; k < j->tables[i].nr; k++) {
			free(j->tables[i].rows[k].pre);
			free(j->tables[i].rows[k].post);
		}
		free(j->tables[i].rows);
	}
	free(j->tables);
	free_lines(j->doubts, j->nr_doubts);
	free(j);
}
