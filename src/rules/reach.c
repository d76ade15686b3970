// SPDX-License-Identifier: GPL-2.0
/* How far the evidence reaches: where a rule is blind, what it can judge all the same. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/kinds.h"
#include "rules/crossing.h"
#include "rules/reach.h"

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

/* ---- does the rule apply, and where ---- */

/* Some events of TYPE happened, as far as anybody knows, and are not here: records were lost, or a hook was not there all the time. */
static bool some_missing(const struct vt_side *s, enum vt_event_type type)
{
	struct vt_gap g;
	size_t at = 0;

	while (vt_side__next_gap(s, type, &at, &g)) {
		if (g.lost || g.torn)
			return true;
	}
	return false;
}

static bool any_gap(const struct vt_side *s, enum vt_event_type type)
{
	char ignored[400];

	return vt_side__gap(s, type, ignored, sizeof(ignored));
}

/* Something may have arrived that is not here, */
static bool arrival_missing(const struct vt_side *s)
{
	return some_missing(s, VT_EV_SESSION_DESERIALIZE) || some_missing(s, VT_EV_LUO_DESERIALIZE) || some_missing(s, VT_EV_LUO_FILE) ||
	       any_gap(s, VT_EV_LUO_RETRIEVE);
}

/* or have been preserved. */
static bool preserve_missing(const struct vt_side *s)
{
	return any_gap(s, VT_EV_LUO_PRESERVE);
}

/* What the rule is about may have been there, and nothing else shows it. */
static bool subject_missing(const struct vt_rule *r, const struct vt_side *s)
{
	bool missing = false;

	switch (r->subject) {
	case VT_ABOUT_VFIO:
		for (int t = 1; t < VT_EV_MAX; t++)
			missing |= kind_is_vfio(t) && some_missing(s, t);
		return missing;
	case VT_ABOUT_MODULE:
		return !s->nr_holes && (some_missing(s, VT_EV_MODULE_GET) || some_missing(s, VT_EV_MODULE_PUT) ||
					some_missing(s, VT_EV_FLB_PIN) || some_missing(s, VT_EV_FLB_UNPIN));
	case VT_ABOUT_MEMORY:
		missing = some_missing(s, VT_EV_OBJ_ALLOC);
		/* fallthrough */
	default:
		return missing || arrival_missing(s) || preserve_missing(s);
	}
}

/* The other half of the pair, or the same side where there is none. */
static const struct vt_side *other_of(const struct vt_ctx *c, size_t i)
{
	return c->j->side[c->j->nr_sides == 2 ? !i : i];
}

static bool due(const struct vt_ctx *c, size_t i, const struct vt_need *need)
{
	const struct vt_side *s = c->j->side[i];
	enum vt_where where = need->where;

	if (c->rule->subject == VT_ABOUT_VFIO && !vt_side_vfio(s) && !subject_missing(c->rule, s) && !vt_side_vfio(other_of(c, i)))
		return false;
	/* What was there before the recording may be either. */
	if (s->early)
		return true;
	/* What became of sessions that had arrived before. */
	if (need->type == VT_EV_SESSION_RETRIEVE && s->nr_waiting)
		return true;
	/* A preserve that nobody saw is a preserve, and so for a file that arrived. */
	if ((where == VT_OUT && preserve_missing(s)) || (where == VT_IN && arrival_missing(s)))
		return true;
	/* What arrived may be taken back, as if it had been preserved here: that is a bug, and not what its rules are blind to. */
	if (where == VT_OUT)
		return vt_side_outgoing(s) || s->seen_type[VT_EV_LUO_UNPRESERVE] || s->seen_type[VT_EV_OP_UNPRESERVE] || (s->kho_preserved && (c->rule->subject == VT_ABOUT_KHO || kind_area(need->type) == VT_AREA_KHO)) ||
		       (c->j->nr_sides == 2 && i == 0 && vt_side_incoming(c->j->side[1]));
	if (where == VT_IN)
		return vt_side_incoming(s) || (c->j->nr_sides == 2 && i == 1 && c->j->side[0]->jumped);
	return vt_side_has_files(s) || preserve_missing(s) || arrival_missing(s) || c->rule->subject == VT_ABOUT_VFIO ||
	       (c->rule->subject == VT_ABOUT_MEMORY && (s->mem_allocated || some_missing(s, VT_EV_OBJ_ALLOC)));
}

bool vt_needed_on(const struct vt_ctx *c, size_t side, uint16_t type)
{
	bool any = false;

	for (const struct vt_need *n = c->rule->needs; n->type; n++) {
		if (n->type != type)
			continue;
		any = true;
		if (due(c, side, n))
			return true;
	}
	return !any;
}

static bool about(const struct vt_ctx *c, const struct vt_side *s)
{
	char ignored[400];

	switch (c->rule->subject) {
	case VT_ABOUT_VFIO:
		return vt_side_vfio(s);
	case VT_ABOUT_MODULE:	/* callbacks show whose module it is */
		return s->saw_module || (vt_side_has_files(s) && s->seen_type[VT_EV_MODULE_GET] && vt_side__gap(s, VT_EV_OP_PRESERVE, ignored, sizeof(ignored)));
	case VT_ABOUT_KHO:
		return vt_side_has_files(s) || s->kho_preserved;
	case VT_ABOUT_MEMORY:
		return vt_side_has_files(s) || s->mem_allocated;
	default:
		return vt_side_has_files(s);
	}
}

/* A rule's first need is what it is about. */
static bool looked_for(const struct vt_ctx *c, char *why, size_t size)
{
	const struct vt_need *n = c->rule->needs;

	VT_EACH_SIDE(c, i) {
		if (!n->type || !due(c, i, n) || !vt_side__unlooked(c->j->side[i], n->type))
			continue;
		snprintf(why, size, "%s: recorded by a version that does not look for %s", c->j->side[i]->label, vt_event_name(n->type));
		return false;
	}
	return true;
}

/* There was a time after the recording in which what the rule is about may have been. */
static bool unseen_part(const struct vt_side *s)
{
	char ignored[400];

	return vt_side__cut(s, ignored, sizeof(ignored)) || vt_side__open(s, ignored, sizeof(ignored));
}

/* Two traces without a jump between them: what went into it was not recorded. */
static bool unseen_jump(const struct vt_judgement *j)
{
	return j->nr_sides == 2 && !j->pair && !(vt_side_no_luo(j->side[0]) && vt_side_no_luo(j->side[1]));
}

/* Files crossed, or records of that were lost, and the second trace shows none of them: nor whether they are a module's. */
static bool nothing_rebuilt(const struct vt_judgement *j)
{
	const struct vt_side *pre = j->side[0], *post = j->side[j->nr_sides - 1];
	bool crossed = vt_any_crossed(j) || some_missing(pre, VT_EV_LUO_PRESERVE) || some_missing(pre, VT_EV_LUO_FREEZE) || some_missing(pre, VT_EV_REBOOT);

	return j->pair && crossed && !post->deserialized && !vt_side_incoming(post);
}

bool vt_applies(const struct vt_ctx *c, char *why, size_t size)
{
	bool any = unseen_jump(c->j) || (c->rule->subject == VT_ABOUT_MODULE && nothing_rebuilt(c->j));

	if (c->rule->subject == VT_ABOUT_PAIR && c->j->nr_sides < 2) {
		snprintf(why, size, "needs the traces of both kernels");
		return false;
	}
	VT_EACH_SIDE(c, i)
		any |= about(c, c->j->side[i]) || subject_missing(c->rule, c->j->side[i]) || unseen_part(c->j->side[i]);
	snprintf(why, size, "%s", c->rule->subject == VT_ABOUT_VFIO ? "no vfio device was at work" :
		 c->rule->subject == VT_ABOUT_MODULE ? "no file of a handler that lives in a module was preserved" : "no file was preserved");
	return any && looked_for(c, why, size);
}

/* ---- where the evidence has holes ---- */

enum which {
	ALL_GAPS,
	WHERE_TORN,	/* where a hook saw some: they were lost on the way to the file, or it did not see all */
};

/* What may be missing of TYPE, with the reason. */
static void doubt_type(struct vt_ctx *c, size_t i, enum vt_event_type type, enum which which, struct vt_spans *to)
{
	struct vt_gap g;
	size_t at = 0;

	while (vt_side__next_gap(c->j->side[i], type, &at, &g)) {
		if (which != ALL_GAPS && !g.lost && !g.torn)
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
			doubt_type(c, i, type, WHERE_TORN, &c->torn[i]);
	}
}

/* With it comes how many files a session has: the only sign of those whose own records are missing. */
static bool counts_files(enum vt_event_type type)
{
	return type == VT_EV_LUO_FREEZE || type == VT_EV_LUO_FINISH;
}

/*
 * From LUO's own calls is known what any rule rests on: that the recording began
 * early enough, and what was left to come when it ended. Where one of them is
 * missing, that is not known: no finding is less for it, and no rule is sure.
 */
static void doubt_frame(struct vt_ctx *c, size_t i)
{
	struct vt_spans ignored = { 0 };

	for (int type = 1; type < VT_EV_MAX; type++) {
		if (kind_area(type) == VT_AREA_SESSION || kind_is_luo_call(type))
			doubt_type(c, i, type, counts_files(type) ? ALL_GAPS : WHERE_TORN, &ignored);
	}
	vt_spans__free(&ignored);
}

/* A file arrives, and the old kernel's trace does not show it: then that lacks more. */
static void doubt_origin(struct vt_ctx *c)
{
	const struct vt_judgement *j = c->j;

	for (const struct vt_session *v = j->nr_sides == 2 ? j->side[1]->sessions : NULL; v; v = v->next) {
		for (const struct vt_life *l = v->lives; l && v->dir == VT_INCOMING; l = l->next) {
			if (vt_side__life(j->side[0], VT_OUTGOING, v->name, l->token))
				continue;
			vt_doubt(c, "%s: nothing shows how session %s token 0x%" PRIx64 " was preserved, which arrives", j->side[0]->label, v->name, l->token);
			return;
		}
	}
}

/* What the two of a pair have to show of the jump between them. */
static void doubt_jump(struct vt_ctx *c)
{
	const struct vt_side *post = c->j->side[c->j->nr_sides - 1];

	if (unseen_jump(c->j))
		vt_doubt(c, "%s", c->j->strangers ? VT_STRANGERS : VT_NO_JUMP);
	else if (nothing_rebuilt(c->j))
		vt_doubt(c, VT_NOTHING_REBUILT, post->label);
}

void vt_check_needs(struct vt_ctx *c)
{
	char buf[400];

	doubt_origin(c);
	doubt_jump(c);
	VT_EACH_SIDE(c, i) {
		bool concerned = false;

		for (const struct vt_need *n = c->rule->needs; n->type; n++) {
			if (!due(c, i, n) || vt_side__unlooked(c->j->side[i], n->type))
				continue;
			concerned = true;
			doubt_type(c, i, n->type, ALL_GAPS, &c->blind[i]);
		}
		for (const uint16_t *t = c->rule->also; concerned && *t; t++)
			doubt_type(c, i, *t, WHERE_TORN, &c->blind[i]);
		if (concerned && c->rule->by_call)
			check_calls(c, i);
		vt_spans__join(&c->blind[i]);
		vt_spans__join(&c->torn[i]);
		c->cut[i] = vt_side__cut(c->j->side[i], buf, sizeof(buf));
		doubt_frame(c, i);
		/* What the rule is about may have come then: also where nothing of it was seen. */
		if (c->cut[i])
			vt_doubt(c, "%s", buf);
		if (vt_side__open(c->j->side[i], buf, sizeof(buf)))
			vt_doubt(c, "%s", buf);
		if (vt_side__late(c->j->side[i], buf, sizeof(buf)))
			vt_doubt(c, "%s", buf);
	}
}

/* ---- which files a rule can judge all the same ---- */

bool vt_concerns(const struct vt_rule *r, const struct vt_life *l)
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

	if (!vt_concerns(c->rule, l))
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

		while (due(c, i, n) && vt_side__next_gap(c->j->side[i], n->type, &at, &g)) {
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

void vt_count_files(struct vt_ctx *c)
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
