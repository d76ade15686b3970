// SPDX-License-Identifier: GPL-2.0
/* Memory given to KHO: taken back in the old kernel, or restored in the new one. */
#include <inttypes.h>

#include "rules/crossing.h"
#include "rules/facts.h"
#include "rules/finding.h"
#include "rules/reach.h"

static const char *kind_name(int64_t k)
{
	return k == VT_KHO_ALLOC ? "memory from kho_alloc_preserve()" : k == VT_KHO_FOLIO ? "a folio" : k == VT_KHO_PAGES ? "pages" : "a vmalloc area";
}

static void left_behind(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "left|");

	if (!f)
		return;
	vt_text(c, &f->title, "%s returns and leaves memory preserved that it had given to KHO", f->func);
	if (x->who.has_token)
		vt_text(c, &f->expected, "a preserve that fails, and an unpreserve, take back all that preserve gave");
	else
		vt_text(c, &f->expected, "a call that fails takes back what it gave");
	vt_text(c, &f->seen[i], "%" PRId64 " block%s still preserved, the first %s at physical 0x%" PRIx64, x->num[1], x->num[1] == 1 ? "" : "s",
		kind_name(x->num[2]), (uint64_t)x->num[0]);
	vt_proof(c, f, i, &x->at[1], "gives it to KHO");
	vt_proof(c, f, i, &x->at[0], "returns%s", x->at[0].has_ret && x->at[0].ret < 0 ? " with an error" : "");
	vt_text(c, &f->meaning, "The memory is lost to this kernel, and the next one finds pages reserved for nobody.");
}

static void never_restored(struct vt_ctx *c, const struct vt_kho *k, const struct vt_life *out, const struct vt_at *end, const char *by)
{
	struct vt_who who = out ? vt_who_of(out) : (struct vt_who){ .session = k->session ? k->session->name : NULL };
	struct vt_finding *f;

	f = vt_find(c, VT_ERROR, 1, &who, "lost|%s|%s", vt_at_func(&k->at), out && out->compatible ? out->compatible : "");
	if (!f)
		return;
	f->func = vt_at_func(end);
	vt_text(c, &f->title, "memory that was preserved is never restored, although %s is finished", by);
	vt_text(c, &f->expected, "every preserved block is restored by physical address: in retrieve, or at the latest in finish");
	vt_text(c, &f->seen[0], "%s at physical 0x%" PRIx64 " preserved", kind_name(k->kind), k->phys);
	vt_text(c, &f->seen[1], "no restore of 0x%" PRIx64, k->phys);
	vt_proof(c, f, 0, &k->at, "gives 0x%" PRIx64 " to KHO", k->phys);
	vt_proof(c, f, 1, end, "is the last that knows it");
	vt_text(c, &f->meaning, "The pages stay reserved until the next reboot: every live update loses some more memory.");
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

static void across(struct vt_ctx *c)
{
	const struct vt_side *pre = c->j->side[0], *post = c->j->side[1];
	bool all = all_finished(post);

	for (size_t n = 0; n < pre->nr_kho; n++) {
		const struct vt_kho *k = pre->kho[n];
		const struct vt_life *in;

		if (vt_side__restored(post, k->phys) || !vt_clear(c, 0, k->at.ts_ns, UINT64_MAX))
			continue;
		if (!k->life) {
			/* LUO's own tables, and data that several files share: due when everything is finished. */
			if (k->session && !k->session->ended && all && pre->jumped && vt_clear(c, 0, 0, UINT64_MAX) && vt_incoming_session(post, k->session->name))
				never_restored(c, k, NULL, &vt_incoming_session(post, k->session->name)->finish, "every session");
			continue;
		}
		in = vt_crossed(c->j, k->life) ? vt_side__life(post, VT_INCOMING, k->life->session->name, k->life->token) : NULL;
		if (!in || in->state != VT_LIFE_FINISHED || vt_life_torn(c, 0, k->life))
			continue;
		/* A retrieve that failed keeps what it could not consume: the rule leftover tells. */
		if (in->at[VT_STEP_RETRIEVE].has_ret && in->at[VT_STEP_RETRIEVE].ret < 0)
			continue;
		never_restored(c, k, k->life, &in->at[VT_STEP_FINISH], "the file");
	}
}

static const struct vt_telling kho_left[] = {
	{ .kind = VT_FACT_KHO_LEFT, .absence = true, .tell = left_behind },
};

static void kho_leak(struct vt_ctx *c)
{
	if (vt_pair_fits(c) && !c->cut[1] && vt_clear(c, 1, 0, UINT64_MAX))
		across(c);
}

const struct vt_rule vt_rule_kho_leak = {
	.id = "kho-leak", .name = "preserved memory lost", .severity = VT_ERROR, .subject = VT_ABOUT_KHO,
	.by_call = VT_LUO_CALLS, .lasts = true,
	.needs = { { VT_EV_KHO_ALLOC_PRESERVE, VT_OUT }, { VT_EV_KHO_UNPRESERVE_FREE, VT_OUT }, { VT_EV_KHO_PRESERVE_FOLIO, VT_OUT },
		   { VT_EV_KHO_UNPRESERVE_FOLIO, VT_OUT }, { VT_EV_KHO_PRESERVE_PAGES, VT_OUT }, { VT_EV_KHO_UNPRESERVE_PAGES, VT_OUT },
		   { VT_EV_KHO_PRESERVE_VMALLOC, VT_OUT }, { VT_EV_KHO_UNPRESERVE_VMALLOC, VT_OUT }, { VT_EV_KHO_RESTORE_FREE, VT_IN },
		   { VT_EV_KHO_RESTORE_FOLIO, VT_IN }, { VT_EV_KHO_RESTORE_PAGES, VT_IN }, { VT_EV_KHO_RESTORE_VMALLOC, VT_IN },
		   { VT_EV_OP_FINISH, VT_IN }, { VT_EV_OP_PRESERVE, VT_OUT } },
	.also = { VT_EV_SESSION_CREATE },
	VT_TELLS(kho_left),
	.run = kho_leak,
};
