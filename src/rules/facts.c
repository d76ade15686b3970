// SPDX-License-Identifier: GPL-2.0
#include "rules/facts.h"

static void tell(struct vt_ctx *c, size_t side, const struct vt_telling *t, const struct vt_fact *x)
{
	struct vt_finding *f;

	f = vt_find(c, t->severity, side, &x->who, "%s|%s|%s", t->key, x->who.compatible ? x->who.compatible : "",
		    t->func ? t->func : vt_at_func(&x->at[0]));
	if (!f)
		return;
	f->func = t->func ? t->func : vt_at_func(&x->at[0]);
	vt_text(c, &f->title, "%s", t->title);
	vt_text(c, &f->expected, "%s", t->expected);
	vt_text(c, &f->seen[side], "%s", t->seen);
	vt_text(c, &f->meaning, "%s", t->meaning);
	for (int i = 2; i >= 0; i--) {
		if (t->ev[i])
			vt_proof(c, f, side, &x->at[i], "%s", t->ev[i]);
	}
}

void vt_tell_facts(struct vt_ctx *c, const struct vt_telling *t, size_t nr)
{
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		for (size_t k = 0; k < s->nr_facts; k++) {
			for (size_t r = 0; r < nr; r++) {
				if (t[r].kind == s->facts[k].kind && !(t[r].absence && c->blind[i]))
					tell(c, i, &t[r], &s->facts[k]);
			}
		}
	}
}
