// SPDX-License-Identifier: GPL-2.0
/* struct luo_file and struct luo_session that nobody frees. */
#include <string.h>

#include "rules/facts.h"
#include "rules/families.h"
#include "rules/finding.h"

/*
 * Whether a free that FUNC makes would have been seen: a call of a free
 * function was found in its text, or in that of LUO's own helper.
 */
static bool frees_are_seen(const struct vt_side *s, const char *func)
{
	size_t len = strlen(func);

	for (size_t i = 0; i < vt_trace__probe_nr(s->trace); i++) {
		const struct vt_probe *p = vt_trace__probe(s->trace, i);
		bool inside = p->func && !strncmp(p->func, func, len) && (p->func[len] == '+' || p->func[len] == '.');
		bool helper = p->func && !strncmp(func, "luo_session_", 12) && !strncmp(p->func, "luo_session_free+", 17);

		if (p->attached && p->event && !strcmp(p->event, vt_event_name(VT_EV_OBJ_FREE)) && (inside || helper))
			return true;
	}
	return false;
}

static void tell_left(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f;

	if (c->cut[i] && !x->at[0].has_ret)
		return;
	if (!frees_are_seen(c->j->side[i], vt_at_func(&x->at[0]))) {
		vt_doubt(c, "%s: no call of a free function was found in %s: where %s is freed is not known", c->j->side[i]->label,
			 vt_at_func(&x->at[0]), vt_memory_of(x->num[0]));
		return;
	}
	f = vt_find_fact(c, i, x, vt_memory_of(x->num[0]));
	if (!f)
		return;
	vt_text(c, &f->title, "%s is not freed when %s returns", vt_memory_of(x->num[0]), vt_at_func(&x->at[0]));
	vt_text(c, &f->expected, "a failing call frees what it allocated; unpreserve, finish and the release of a session free what they end");
	vt_text(c, &f->seen[i], "allocated by %s at %s, no free by then", vt_name(x->str[1], "?"), vt_name(x->str[0], "?"));
	vt_proof(c, f, i, &x->at[1], "allocates it at %s", vt_name(x->str[0], "?"));
	vt_proof(c, f, i, &x->at[0], "returns; from here on nobody knows it");
	vt_text(c, &f->meaning, "Kernel memory is lost each time this happens; whoever can make the call fail can repeat it.");
}

/* A free that was not seen would look like one that was not made. */
static const struct vt_telling left[] = {
	{ .kind = VT_FACT_MEM_LEFT, .absence = true, .tell = tell_left },
};

const struct vt_rule vt_rule_object_leak = {
	.id = "object-leak", .name = "LUO's own object never freed", .severity = VT_ERROR, .subject = VT_ABOUT_MEMORY,
	.by_call = VT_LUO_CALLS,
	.judges = { "object", "objects", VT_COUNTED(mem_allocated) },
	.needs = { { VT_EV_OBJ_ALLOC, VT_ANY }, { VT_EV_OBJ_FREE, VT_ANY }, { VT_EV_LUO_PRESERVE, VT_OUT },
		   { VT_EV_LUO_UNPRESERVE, VT_OUT }, { VT_EV_LUO_FINISH, VT_IN }, { VT_EV_SESSION_RELEASE, VT_ANY } },
	.also = { VT_EV_LUO_FILE, VT_EV_SESSION_CREATE },
	VT_TELLS(left),
};
