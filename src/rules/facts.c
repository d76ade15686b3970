// SPDX-License-Identifier: GPL-2.0
#include "rules/facts.h"
#include "rules/reach.h"

const char *vt_fact_handler(const struct vt_fact *x)
{
	return x->who.compatible ? x->who.compatible : "";
}

struct vt_finding *vt_find_fact(struct vt_ctx *c, size_t side, const struct vt_fact *x, const char *key)
{
	const char *func = vt_at_func(&x->at[0]);
	struct vt_finding *f = vt_find(c, VT_ERROR, side, &x->who, "%s%s|%s", key, func, vt_fact_handler(x));

	if (f)
		f->func = func;
	return f;
}

static void tell(struct vt_ctx *c, size_t side, const struct vt_telling *t, const struct vt_fact *x)
{
	const char *func = t->func ? t->func : vt_at_func(&x->at[0]);
	struct vt_finding *f = vt_find(c, c->rule->severity, side, &x->who, "%s|%s|%s", t->key, vt_fact_handler(x), func);

	if (!f)
		return;
	f->func = func;
	vt_text(c, &f->title, "%s", t->title);
	vt_text(c, &f->expected, "%s", t->expected);
	vt_text(c, &f->seen[side], "%s", t->seen);
	vt_text(c, &f->meaning, "%s", t->meaning);
	for (int i = 2; i >= 0; i--) {
		if (t->ev[i])
			vt_proof(c, f, side, &x->at[i], "%s", t->ev[i]);
	}
}

/* unfreeze is optional: of a handler without one nothing is to be seen, nor of one whose hook came too late. */
bool vt_never_thaws(const struct vt_side *s, const struct vt_fact *x)
{
	return !vt_side__thaws(s, x->who.compatible) && !vt_side__op_hooked(s, VT_EV_OP_UNFREEZE, x->who.compatible, x->at[0].ts_ns);
}

/* When what the fact rests on began. */
static uint64_t earliest(const struct vt_fact *x)
{
	uint64_t from = x->from_ns;

	for (int i = 0; i < VT_FACT_ATS; i++) {
		if (x->at[i].type && x->at[i].ts_ns < from)
			from = x->at[i].ts_ns;
	}
	return from;
}

/* Nothing is missing from the time that the fact rests on. */
static bool stands(const struct vt_ctx *c, size_t side, const struct vt_telling *t, const struct vt_fact *x)
{
	uint64_t to = t->to_end ? UINT64_MAX : x->from_ns;

	for (int i = 0; i < VT_FACT_ATS; i++) {
		if (x->at[i].type && x->at[i].ts_ns > to)
			to = x->at[i].ts_ns;
	}
	if (t->absence)
		return vt_clear(c, side, earliest(x), to);
	return !vt_torn(c, side, earliest(x), to);
}

void vt_tell_facts(struct vt_ctx *c)
{
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		for (size_t k = 0; k < s->nr_facts; k++) {
			const struct vt_fact *x = &s->facts[k];

			for (size_t n = 0; n < c->rule->nr_tells; n++) {
				const struct vt_telling *t = &c->rule->tells[n];

				if (t->kind != x->kind || (t->moot && t->moot(s, x)) || !stands(c, i, t, x))
					continue;
				c->told = 0;
				if (t->tell)
					t->tell(c, i, x);
				else
					tell(c, i, t, x);
				if (c->told)
					c->j->findings[c->told - 1].count += x->more;
			}
		}
		if (s->facts_untold && c->rule->nr_tells)
			vt_doubt(c, "%s: more went wrong, of more handlers and functions, than is kept", s->label);
	}
}
