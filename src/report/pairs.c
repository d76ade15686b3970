// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include "report/pairs.h"

static size_t count_lives(const struct vt_side *s)
{
	size_t n = 0;

	for (const struct vt_session *v = s ? s->sessions : NULL; v; v = v->next)
		n += v->nr_lives;
	return n;
}

struct vt_pair *vt_pairs(const struct vt_judgement *j, size_t *nr)
{
	struct vt_pair *p = calloc(count_lives(j->side[0]) + count_lives(j->side[1]) + 1, sizeof(*p));
	bool fits = j->pair;

	*nr = 0;
	if (!p)
		return NULL;
	for (size_t i = 0; i < j->nr_sides; i++) {
		for (const struct vt_session *v = j->side[i]->sessions; v; v = v->next) {
			for (const struct vt_life *l = v->lives; l; l = l->next) {
				const struct vt_life *o = NULL;

				if (l->dir == VT_OUTGOING) {
					if (i == 0 && fits && vt_crossed(j, l))
						o = vt_side__life(j->side[1], VT_INCOMING, v->name, l->token);
					p[(*nr)++] = (struct vt_pair){ .out = l, .in = o, .out_side = i, .in_side = 1 };
					continue;
				}
				if (i == 1 && fits) {
					o = vt_side__life(j->side[0], VT_OUTGOING, v->name, l->token);
					if (o && vt_crossed(j, o) && vt_side__life(j->side[1], VT_INCOMING, v->name, l->token) == l)
						continue;	/* told with its old half */
				}
				p[(*nr)++] = (struct vt_pair){ .in = l, .in_side = i };
			}
		}
	}
	return p;
}
