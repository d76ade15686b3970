// SPDX-License-Identifier: GPL-2.0
/* Asking an event for a known field. */
#include "vfiotrace/trace.h"

static const struct vt_value *readable(const struct vt_event *e, enum vt_field f)
{
	const struct vt_value *v;

	if (!vt_ev_has(e, f))
		return NULL;
	v = &e->v[e->at[f] - 1];
	return v->err ? NULL : v;
}

bool vt_ev_has(const struct vt_event *e, enum vt_field f)
{
	return f > VT_F_NONE && f < VT_F_MAX && e->at[f];
}

bool vt_ev_u64(const struct vt_event *e, enum vt_field f, uint64_t *out)
{
	const struct vt_value *v = readable(e, f);

	if (!v || v->kind == VT_STR || v->kind == VT_OBJ || (v->kind == VT_S64 && v->s < 0))
		return false;
	*out = v->u;
	return true;
}

bool vt_ev_s64(const struct vt_event *e, enum vt_field f, int64_t *out)
{
	const struct vt_value *v = readable(e, f);

	if (!v || v->kind == VT_STR || v->kind == VT_OBJ || (v->kind != VT_S64 && v->u > INT64_MAX))
		return false;
	*out = v->s;
	return true;
}

const char *vt_ev_str(const struct vt_event *e, enum vt_field f)
{
	const struct vt_value *v = readable(e, f);

	return v && v->kind == VT_STR ? v->str : NULL;
}

uint64_t vt_ev_obj(const struct vt_event *e, enum vt_field f)
{
	const struct vt_value *v = readable(e, f);

	return v && v->kind == VT_OBJ ? v->u : 0;
}
