// SPDX-License-Identifier: GPL-2.0
/* Memory given to KHO: taken back in the old kernel, or restored in the new one. */
#include <inttypes.h>
#include <stdio.h>

#include "rules/cover.h"
#include "rules/crossing.h"
#include "rules/facts.h"
#include "rules/finding.h"
#include "rules/reach.h"

static void left_behind(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "left|");

	if (!f)
		return;
	vt_text(c, &f->title, "%s returns and leaves memory preserved that it had given to KHO", f->func);
	if (x->who.has_token)
		vt_text(c, &f->expected, x->at[0].type == VT_EV_OP_FREEZE ? "a freeze that fails takes back what it gave" :
			"a preserve that fails, and an unpreserve, take back all that the callbacks gave");
	else
		vt_text(c, &f->expected, "a call that fails takes back what it gave");
	if (x->num[3]) {
		vt_text(c, &f->seen[i], "%" PRId64 " block%s still preserved (%s), by the sums of its calls", x->num[1], x->num[1] == 1 ? "" : "s", vt_kho_kind_name(x->num[2]));
		vt_proof(c, f, i, &x->at[1], "sums up what it gave to KHO");
	} else {
		vt_text(c, &f->seen[i], "%" PRId64 " block%s still preserved, the first %s at physical 0x%" PRIx64, x->num[1], x->num[1] == 1 ? "" : "s",
			vt_kho_kind_name(x->num[2]), (uint64_t)x->num[0]);
		vt_proof(c, f, i, &x->at[1], "gives it to KHO");
	}
	vt_proof(c, f, i, &x->at[0], "returns%s", x->at[0].has_ret && x->at[0].ret < 0 ? " with an error" : "");
	vt_text(c, &f->meaning, "The memory is lost to this kernel, and the next one finds pages reserved for nobody.");
}

static void left_to_others(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "outside|%s", x->str[0] ? x->str[0] : "");

	if (!f)
		return;
	f->func = vt_at_func(&x->at[1]);
	vt_text(c, &f->title, "memory that was given to KHO outside of LUO has been freed and is still preserved");
	vt_text(c, &f->expected, "whoever gives memory to KHO takes it back before it is freed: kho_unpreserve_folio()");
	if (x->num[1])
		vt_text(c, &f->seen[i], "physical 0x%" PRIx64 " is not this folio any more when the kernel is about to jump: somebody else has it", (uint64_t)x->num[0]);
	else
		vt_text(c, &f->seen[i], "physical 0x%" PRIx64 " has no reference when the kernel is about to jump", (uint64_t)x->num[0]);
	vt_proof(c, f, i, &x->at[1], x->str[0] ? "gives it to KHO, called from %s" : "gives it to KHO", x->str[0]);
	vt_proof(c, f, i, &x->at[0], x->num[1] ? "is another's" : "is free");
	vt_text(c, &f->meaning, "The next kernel reserves pages that nobody asks for, and until then they belong to whoever allocates them.");
}

static void in_pages(char *buf, size_t size, const struct vt_kho *k)
{
	if (k->count > 1)
		snprintf(buf, size, "%" PRIu64 " folios of %" PRIu64 " page%s", k->count, k->pages / k->count, k->pages == k->count ? "" : "s");
	else if (k->pages > 1)
		snprintf(buf, size, "%" PRIu64 " pages", k->pages);
	else
		snprintf(buf, size, "%s", vt_kho_kind_name(k->kind));
}

static void never_restored(struct vt_ctx *c, const struct vt_kho *k, const struct vt_life *out, const struct vt_at *end, const char *by)
{
	struct vt_who who = out ? vt_who_of(out) : (struct vt_who){ .session = k->session ? k->session->name : NULL };
	struct vt_finding *f;
	char what[64];

	f = vt_find(c, VT_ERROR, 1, &who, "lost|%s|%s", vt_at_func(&k->at), out && out->compatible ? out->compatible : "");
	if (!f)
		return;
	f->func = vt_at_func(end);
	vt_text(c, &f->title, "memory that was preserved is never restored, although %s is finished", by);
	vt_text(c, &f->expected, "every preserved block is restored by physical address: in retrieve, or at the latest in finish");
	in_pages(what, sizeof(what), k);
	vt_text(c, &f->seen[0], "%s at physical 0x%" PRIx64 " preserved", k->count > 1 ? what : vt_kho_kind_name(k->kind), k->phys);
	vt_text(c, &f->seen[1], "no restore of 0x%" PRIx64 "%s", k->phys, k->count > 1 ? ", nor of what follows" : "");
	vt_proof(c, f, 0, &k->at, "gives 0x%" PRIx64 " to KHO", k->phys);
	vt_proof(c, f, 1, end, "is the last that knows it");
	vt_text(c, &f->meaning, "The pages stay reserved until the next reboot: every live update loses some more memory.");
}

/* Some of it came back, and what did not nobody can ask for any more. */
static void restored_in_part(struct vt_ctx *c, const struct vt_kho *k, const struct vt_cover *v, const struct vt_life *out, const struct vt_at *end)
{
	struct vt_who who = out ? vt_who_of(out) : (struct vt_who){ .session = k->session ? k->session->name : NULL };
	const char *as = v->other_kind ? vt_kho_kind_name(v->first->how) : "pages";
	struct vt_finding *f;
	char was[64];

	f = vt_find(c, VT_ERROR, 1, &who, "part|%s|%s|%s", vt_at_func(&k->at), vt_at_func(&v->first->at), out && out->compatible ? out->compatible : "");
	if (!f)
		return;
	f->func = vt_at_func(&v->first->at);
	in_pages(was, sizeof(was), k);
	if (v->other_kind)
		vt_text(c, &f->title, "%s that %s preserved %s restored as %s, and not all of it", was, k->pages > 1 ? "were" : "was", k->pages > 1 ? "are" : "is", as);
	else
		vt_text(c, &f->title, "%s were preserved and only %" PRIu64 "%s of them %s restored", was, v->pages, k->count > 1 ? " pages" : "",
			v->pages == 1 ? "is" : "are");
	vt_text(c, &f->expected, "what was preserved together is restored as the same: %s, by %s()", was, vt_kho_restorer(k->kind));
	vt_text(c, &f->seen[0], "%s at physical 0x%" PRIx64 " preserved", was, k->phys);
	if (v->pages)
		vt_text(c, &f->seen[1], "%" PRIu64 " page%s of it restored, as %s", v->pages, v->pages == 1 ? "" : "s", as);
	else
		vt_text(c, &f->seen[1], "restored as %s", as);
	vt_proof(c, f, 0, &k->at, "gives %s at 0x%" PRIx64 " to KHO", was, k->phys);
	vt_proof(c, f, 1, &v->first->at, "restores 0x%" PRIx64 "%s%s", v->first->phys, v->other_kind ? " as " : "", v->other_kind ? as : "");
	vt_proof(c, f, 1, end, "is the last that knows it");
	vt_text(c, &f->meaning, "The rest stays reserved until the next reboot, and whoever works with what was restored takes it for the whole.");
}

static bool all_finished(const struct vt_side *s)
{
	bool any = false;

	for (const struct vt_session *v = s->sessions; v; v = v->next) {
		for (const struct vt_life *l = v->lives; l && v->dir == VT_INCOMING; l = l->next) {
			if (l->state != VT_LIFE_FINISHED)
				return false;
			any = true;
		}
	}
	return any;
}

static void not_all(struct vt_ctx *c, const struct vt_kho *k, const struct vt_cover *v, const struct vt_life *out, const struct vt_at *end, const char *by)
{
	if (v->any)
		restored_in_part(c, k, v, out, end);
	else
		never_restored(c, k, out, end, by);
}

/* ---- memory in too many pieces to be told one by one: by sums ---- */

struct net {
	uint64_t count, digest;
	const struct vt_sum *of;
};

/* What went into the jump. */
static struct net given(const struct vt_life *out, uint8_t order)
{
	struct net n = { 0 };

	for (const struct vt_sum *s = out->sums; s; s = s->next) {
		if (s->order != order || s->way == VT_RESTORED)
			continue;
		n.count += s->way == VT_GIVEN ? s->count : -s->count;
		n.digest += s->way == VT_GIVEN ? s->digest : -s->digest;
		n.of = s->way == VT_GIVEN || !n.of ? s : n.of;
	}
	return n;
}

static struct net taken(const struct vt_life *in, uint8_t order)
{
	struct net n = { 0 };

	for (const struct vt_sum *s = in->sums; s; s = s->next)
		if (s->order == order && s->way == VT_RESTORED)
			n = (struct net){ s->count, s->digest, s };
	return n;
}

static void size_named(char *buf, size_t len, uint8_t order)
{
	if (order == VT_NO_FOLIO)
		snprintf(buf, len, "pages");
	else
		snprintf(buf, len, "folios of %llu page%s", 1ull << (order & 63), order ? "s" : "");
}

static void sums_differ(struct vt_ctx *c, const struct vt_life *out, const struct vt_life *in, uint8_t order, const struct net *was, const struct net *is)
{
	const struct vt_at *end = is->of ? &is->of->at : &in->at[VT_STEP_FINISH];
	struct vt_who who = vt_who_of(out);
	struct vt_finding *f;
	char what[64];

	f = vt_find(c, VT_ERROR, 1, &who, "sum|%s|%s", was->count == is->count ? "set" : "count", out->compatible ? out->compatible : "");
	if (!f)
		return;
	f->func = vt_at_func(&in->at[VT_STEP_FINISH]);
	size_named(what, sizeof(what), order);
	if (was->count == is->count)
		vt_text(c, &f->title, "as many %s are restored as were preserved, but they are not the same ones", what);
	else
		vt_text(c, &f->title, "%" PRIu64 " %s were preserved and %" PRIu64 " are restored, although the file is finished", was->count, what, is->count);
	vt_text(c, &f->expected, "every preserved block is restored as what it was: in retrieve, or at the latest in finish");
	vt_text(c, &f->seen[0], "%" PRIu64 " preserved, digest 0x%" PRIx64, was->count, was->digest);
	vt_text(c, &f->seen[1], "%" PRIu64 " restored, digest 0x%" PRIx64, is->count, is->digest);
	vt_proof(c, f, 0, &was->of->at, "sums up what it gave");
	vt_proof(c, f, 1, end, is->of ? "sums up what it took out" : "ends the file");
	vt_text(c, &f->meaning, "A part of the file's memory is not what it was, or stays reserved until the next reboot. The memory is in more pieces than were recorded one by one: record --all-blocks names them.");
}

static void sums_across(struct vt_ctx *c, const struct vt_life *out, const struct vt_life *in)
{
	if (!in->sums && c->j->side[1]->kho_restored) {
		vt_doubt(c, "%s: the memory of session %s token 0x%" PRIx64 " is in too many pieces to be told one by one, and what was restored of it was not summed up",
			 c->j->side[1]->label, out->session->name, out->token);
		return;
	}
	for (const struct vt_sum *s = out->sums; s; s = s->next) {
		struct net was = given(out, s->order), is = taken(in, s->order);

		if (was.of == s && (was.count != is.count || was.digest != is.digest)) {
			sums_differ(c, out, in, s->order, &was, &is);
			return;
		}
	}
}

static const struct vt_life *finished_in(struct vt_ctx *c, const struct vt_life *out)
{
	const struct vt_life *in = vt_crossed(c->j, out) ? vt_side__life(c->j->side[1], VT_INCOMING, out->session->name, out->token) : NULL;

	if (!in || in->state != VT_LIFE_FINISHED || vt_life_torn(c, 0, out))
		return NULL;
	/* A retrieve that failed keeps what it could not consume: the rule leftover tells. */
	return in->at[VT_STEP_RETRIEVE].has_ret && in->at[VT_STEP_RETRIEVE].ret < 0 ? NULL : in;
}

static bool only_sums(const struct vt_life *out, const struct vt_life *in)
{
	return vt_life__untold(out) || vt_life__untold(in);
}

static void across_by_sums(struct vt_ctx *c)
{
	for (const struct vt_session *v = c->j->side[0]->sessions; v; v = v->next) {
		for (const struct vt_life *l = v->dir == VT_OUTGOING ? v->lives : NULL; l; l = l->next) {
			const struct vt_life *in = finished_in(c, l);

			if (in && only_sums(l, in) && vt_clear(c, 0, l->since_ns, UINT64_MAX))
				sums_across(c, l, in);
		}
	}
}

static void across(struct vt_ctx *c)
{
	const struct vt_side *pre = c->j->side[0], *post = c->j->side[1];
	bool all = all_finished(post);

	for (size_t n = 0; n < pre->nr_kho; n++) {
		const struct vt_kho *k = pre->kho[n];
		struct vt_cover v = vt_cover(post, k);
		const struct vt_life *in;

		if (v.all || !vt_clear(c, 0, k->at.ts_ns, UINT64_MAX))
			continue;
		if (!k->life) {
			/* LUO's own tables, and data that several files share: due when everything is finished. */
			if (k->session && !k->session->ended && all && pre->jumped && vt_clear(c, 0, 0, UINT64_MAX) && vt_incoming_session(post, k->session->name))
				not_all(c, k, &v, NULL, &vt_incoming_session(post, k->session->name)->finish, "every session");
			continue;
		}
		in = finished_in(c, k->life);
		if (!in || (only_sums(k->life, in) && (k->kind == VT_KHO_FOLIO || k->kind == VT_KHO_PAGES)))
			continue;
		not_all(c, k, &v, k->life, &in->at[VT_STEP_FINISH], "the file");
	}
}

static const struct vt_telling kho_left[] = {
	{ .kind = VT_FACT_KHO_LEFT, .absence = true, .tell = left_behind },
	{ .kind = VT_FACT_KHO_FREED, .absence = true, .tell = left_to_others },
};

static void kho_leak(struct vt_ctx *c)
{
	/* After a recording that was cut short more may have been given, and taken back. */
	if (vt_pair_fits(c) && !c->cut[0] && !c->cut[1] && vt_clear(c, 1, 0, UINT64_MAX)) {
		across(c);
		across_by_sums(c);
	}
}

const struct vt_rule vt_rule_kho_leak = {
	.id = "kho-leak", .name = "preserved memory lost", .severity = VT_ERROR, .subject = VT_ABOUT_KHO,
	.by_call = VT_LUO_CALLS, .lasts = true,
	.judges = { "block", "blocks", VT_COUNTED(kho_preserved) },
	.needs = { { VT_EV_KHO_ALLOC_PRESERVE, VT_OUT }, { VT_EV_KHO_UNPRESERVE_FREE, VT_OUT }, { VT_EV_KHO_PRESERVE_FOLIO, VT_OUT },
		   { VT_EV_KHO_UNPRESERVE_FOLIO, VT_OUT }, { VT_EV_KHO_PRESERVE_PAGES, VT_OUT }, { VT_EV_KHO_UNPRESERVE_PAGES, VT_OUT },
		   { VT_EV_KHO_PRESERVE_VMALLOC, VT_OUT }, { VT_EV_KHO_UNPRESERVE_VMALLOC, VT_OUT }, { VT_EV_KHO_RESTORE_FREE, VT_IN },
		   { VT_EV_KHO_RESTORE_FOLIO, VT_IN }, { VT_EV_KHO_RESTORE_PAGES, VT_IN }, { VT_EV_KHO_RESTORE_VMALLOC, VT_IN },
		   { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_OP_FINISH, VT_IN }, { VT_EV_OP_PRESERVE, VT_OUT } },
	.also = { VT_EV_SESSION_CREATE, VT_EV_KHO_MEMORY },
	VT_TELLS(kho_left),
	.run = kho_leak,
};
