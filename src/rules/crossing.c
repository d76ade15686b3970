// SPDX-License-Identifier: GPL-2.0
/* What a side is about, and which of its files went from one kernel to the next. */
#include <string.h>

#include "rules/crossing.h"

bool vt_side_outgoing(const struct vt_side *s)
{
	if (s->folded_lives || s->failed_preserves || s->unseen[VT_OUTGOING].files)
		return true;
	for (const struct vt_session *v = s->sessions; v; v = v->next) {
		if (v->dir == VT_OUTGOING && v->lives)
			return true;
	}
	return false;
}

bool vt_side_incoming(const struct vt_side *s)
{
	/* Something was there to be read, where reading it failed. */
	if (s->unseen[VT_INCOMING].files || (s->deserialized && s->deserialize_ret < 0))
		return true;
	for (const struct vt_session *v = s->sessions; v; v = v->next) {
		if (v->dir == VT_INCOMING && (v->lives || v->deserialize_ret < 0))
			return true;
	}
	return false;
}

bool vt_side_has_files(const struct vt_side *s)
{
	return vt_side_outgoing(s) || vt_side_incoming(s);
}

bool vt_side_no_luo(const struct vt_side *s)
{
	const char *luo = vt_trace__meta(s->trace, "luo");

	return luo && !strncmp(luo, "no", 2);
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
	return l->held_at_end && !j->strangers && (j->side[0]->jumped || j->pair);
}

bool vt_arrived(const struct vt_side *pre, const struct vt_side *post)
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

bool vt_any_crossed(const struct vt_judgement *j)
{
	for (const struct vt_session *v = j->side[0]->sessions; v; v = v->next) {
		for (const struct vt_life *l = v->lives; l; l = l->next) {
			if (vt_crossed(j, l))
				return true;
		}
	}
	return j->side[0]->unseen[VT_OUTGOING].files;
}

const struct vt_session *vt_incoming_session(const struct vt_side *s, const char *name)
{
	for (const struct vt_session *v = s->sessions; v; v = v->next) {
		if (v->dir == VT_INCOMING && !strcmp(v->name, name))
			return v;
	}
	return NULL;
}
