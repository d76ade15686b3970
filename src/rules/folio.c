// SPDX-License-Identifier: GPL-2.0
/* Folios that a failed retrieve, or the finish of a file that nobody had, took out of KHO and left behind. */
#include <inttypes.h>

#include "rules/facts.h"
#include "rules/finding.h"
#include "rules/reach.h"

/* Whether anybody was left who could have put it: the handler's finish, unless that has run. */
static bool nobody_left(const struct vt_side *s, const struct vt_folio *o)
{
	const struct vt_life *l = o->who.session && o->who.has_token ? vt_side__life(s, VT_INCOMING, o->who.session, o->who.token) : NULL;

	return !o->in_retrieve || (l && l->state == VT_LIFE_FINISHED);
}

static struct vt_finding *folio_finding(struct vt_ctx *c, size_t i, const struct vt_folio *o, enum vt_severity sev, const char *what)
{
	const char *func = o->in_retrieve ? "retrieve" : "finish";
	struct vt_finding *f = vt_find(c, sev, i, &o->who, "%s|%s|%s", what, func, o->who.compatible ? o->who.compatible : "");

	if (!f)
		return NULL;
	f->func = vt_at_func(&o->restored);
	vt_proof(c, f, i, &o->restored, "restores the folio at physical 0x%" PRIx64, o->phys);
	return f;
}

static void not_put(struct vt_ctx *c, size_t i, const struct vt_folio *o)
{
	bool over = nobody_left(c->j->side[i], o);
	const char *call = o->in_retrieve ? "retrieve failed" : "finish returned";
	struct vt_finding *f = folio_finding(c, i, o, over ? VT_ERROR : VT_WARNING, "held");

	if (!f)
		return;
	vt_text(c, &f->title, "a folio restored from KHO is never put after %s", call);
	vt_text(c, &f->expected, "what a callback restores and does not hand on, it puts: the reference that kho_restore_folio() gave is dropped");
	vt_text(c, &f->seen[i], "physical 0x%" PRIx64 ": %" PRId64 " reference%s and in no page cache when the %s, and still when the recording ended%s; "
		"the call restored %" PRIu64 " folio%s and left %" PRIu64 " held", o->phys, o->refs, o->refs == 1 ? "" : "s", call,
		!o->in_retrieve ? "" : over ? ", after FINISH" : " (FINISH was not asked for)", o->of, o->of == 1 ? "" : "s", o->held);
	vt_proof(c, f, i, &o->left, "%" PRId64 " reference%s, no page cache", o->refs, o->refs == 1 ? "" : "s");
	vt_proof(c, f, i, &o->last, "still %" PRId64 " reference%s", o->refs_now, o->refs_now == 1 ? "" : "s");
	vt_text(c, &f->meaning, "%s", over ? "Nobody knows the folio any more: it is lost until reboot, and the next failing retrieve loses more." :
		"Only the handler's finish could still put it.");
}

static void doubt_unseen(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	char who[256];

	vt_doubt(c, "%s: retrieve of %s restored %" PRId64 " folio%s and failed; what became of them was not recorded", c->j->side[i]->label,
		 vt_who_str(&x->who, who, sizeof(who)), x->num[1], x->num[1] == 1 ? "" : "s");
}

static void doubt_untold(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	char who[256];

	vt_doubt(c, "%s: %" PRId64 " of %" PRId64 " folios of %s were too many to be looked at", c->j->side[i]->label, x->num[0], x->num[1],
		 vt_who_str(&x->who, who, sizeof(who)));
}

static const struct vt_telling doubts[] = {
	{ .kind = VT_FACT_FOLIO_NOT_PUT, .tell = doubt_unseen },
	{ .kind = VT_FACT_FOLIO_UNTOLD, .tell = doubt_untold },
};

static void doubt_kept(struct vt_ctx *c, const struct vt_side *s)
{
	if (s->nr_folios >= VT_FOLIOS_KEPT)
		vt_doubt(c, "%s: more than %d folios were left; the rest were not looked at", s->label, VT_FOLIOS_KEPT);
}

static void no_last_look(struct vt_ctx *c, const struct vt_side *s, const struct vt_folio *o)
{
	char who[256];

	vt_doubt(c, "%s: folios of %s were not free when the call returned, and were not looked at again when the recording ended", s->label,
		 vt_who_str(&o->who, who, sizeof(who)));
}

typedef void folio_fn(struct vt_ctx *c, size_t i, const struct vt_folio *o);

/* Folios of which THEN became: AT_CALL looks at the call (may be NULL), LATER at what is still so when the recording ends. */
static void each_folio(struct vt_ctx *c, enum vt_folio_state then, folio_fn *at_call, folio_fn *later)
{
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		doubt_kept(c, s);
		for (size_t k = 0; k < s->nr_folios; k++) {
			const struct vt_folio *o = &s->folios[k];

			if (o->then != then || vt_torn(c, i, o->who.since_ns, UINT64_MAX))
				continue;
			if (at_call)
				at_call(c, i, o);
			if (!o->last.type)
				no_last_look(c, s, o);
			else if (o->now == then)
				later(c, i, o);
		}
	}
}

#define NEEDS { { VT_EV_LUO_RETRIEVE, VT_IN }, { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_LUO_FINISH, VT_IN }, { VT_EV_OP_FINISH, VT_IN }, \
		{ VT_EV_KHO_RESTORE_FOLIO, VT_IN }, { VT_EV_KHO_FOLIOS, VT_IN }, { VT_EV_KHO_FOLIO, VT_IN } }

static void folio_put(struct vt_ctx *c)
{
	each_folio(c, VT_FOLIO_HELD, NULL, not_put);
}

const struct vt_rule vt_rule_folio_put = {
	.id = "folio-put", .name = "restored folio not put", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.by_call = VT_LUO_CALLS, .lasts = true,
	.judges = { "failed retrieve or finish", "failed retrieves and finishes", .type = { VT_EV_KHO_FOLIOS } },
	.needs = NEEDS,
	VT_TELLS(doubts), .run = folio_put,
};

static void unaccounted(struct vt_ctx *c, size_t i, const struct vt_folio *o)
{
	struct vt_finding *f;

	if (!o->has_accounted || o->cached <= o->accounted)
		return;
	f = folio_finding(c, i, o, VT_ERROR, "unaccounted");
	if (!f)
		return;
	vt_text(c, &f->title, "a failing retrieve leaves a folio in the page cache that its file does not account for");
	vt_text(c, &f->expected, "a folio that cannot be accounted for is taken out of the page cache again before it is put");
	vt_text(c, &f->seen[i], "%" PRIu64 " pages in the page cache, %" PRIu64 " accounted for; the last is at physical 0x%" PRIx64, o->cached, o->accounted, o->phys);
	vt_proof(c, f, i, &o->left, "it is in the page cache of the file that nobody gets");
	vt_text(c, &f->meaning, "The file's block count is off: memory is used that no limit covers, and the counters underflow when the file goes.");
}

static void outlives(struct vt_ctx *c, size_t i, const struct vt_folio *o)
{
	struct vt_finding *f = folio_finding(c, i, o, VT_ERROR, "outlives");

	if (!f)
		return;
	vt_text(c, &f->title, "the file of a retrieve that failed still holds memory when the recording ends");
	vt_text(c, &f->expected, "the file that a failing retrieve made is released, and its pages with it");
	vt_text(c, &f->seen[i], "physical 0x%" PRIx64 " is still in the same file's page cache", o->phys);
	vt_proof(c, f, i, &o->left, "it is in the page cache of the file that nobody gets");
	vt_proof(c, f, i, &o->last, "it still is");
	vt_text(c, &f->meaning, "Nobody can reach the file: its memory is lost until reboot.");
}

static void folio_cache(struct vt_ctx *c)
{
	each_folio(c, VT_FOLIO_CACHED, unaccounted, outlives);
}

const struct vt_rule vt_rule_folio_cache = {
	.id = "folio-cache", .name = "folio left in the page cache", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.by_call = VT_LUO_CALLS, .lasts = true,
	.judges = { "failed retrieve or finish", "failed retrieves and finishes", .type = { VT_EV_KHO_FOLIOS } },
	.needs = NEEDS,
	VT_TELLS(doubts), .run = folio_cache,
};
