// SPDX-License-Identifier: GPL-2.0
/* What went into the jump, and what came out of it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rules/facts.h"

#define NR(t) (sizeof(t) / sizeof((t)[0]))

/* ---- arrival ---- */

/* Whether the new kernel's trace can say anything about what arrived. */
static bool looked_at(struct vt_ctx *c)
{
	const struct vt_side *pre = c->j->side[0], *post = c->j->side[1];

	if (!pre->jumped) {
		if (vt_side_incoming(post))
			vt_doubt(c, "%s: it does not reach the jump, so what went into it is not known", pre->label);
		return false;
	}
	if (post->deserialized || vt_side_incoming(post))
		return true;
	if (vt_side_outgoing(pre))
		vt_doubt(c, "%s: nobody opened /dev/liveupdate while it was recorded, so what arrived is not known", post->label);
	return false;
}

static const struct vt_session *incoming_session(const struct vt_side *s, const char *name)
{
	for (const struct vt_session *v = s->sessions; v; v = v->next) {
		if (v->dir == VT_INCOMING && !strcmp(v->name, name))
			return v;
	}
	return NULL;
}

static void lost_file(struct vt_ctx *c, const struct vt_life *l)
{
	struct vt_who who = vt_who_of(l);
	struct vt_finding *f = vt_find(c, VT_ERROR, 1, &who, "%s", l->compatible ? l->compatible : "");

	if (!f)
		return;
	f->func = "luo_file_deserialize";
	vt_text(c, &f->title, "a preserved file does not arrive in the new kernel");
	vt_text(c, &f->expected, "every file that was frozen is on its session's list after deserialize");
	vt_text(c, &f->seen[0], "preserved%s", l->at[VT_STEP_FREEZE].type ? " and frozen" : "");
	vt_text(c, &f->seen[1], "its session is %s, without this token", incoming_session(c->j->side[1], l->session->name) ? "there" : "missing");
	vt_proof(c, f, 0, &l->at[VT_STEP_PRESERVE], "preserves the file");
	vt_proof(c, f, 0, &l->at[VT_STEP_FREEZE], "freezes it");
	vt_proof(c, f, 0, &c->j->side[0]->reboot, "the old kernel is about to jump");
	vt_proof(c, f, 1, &c->j->side[1]->deserialize_at, "the new kernel has read what arrived");
	vt_text(c, &f->meaning, "What the file stood for is lost: the guest's device or memory does not survive the update.");
}

static void arrival(struct vt_ctx *c)
{
	const struct vt_side *pre = c->j->side[0], *post = c->j->side[1];

	/* After a failed deserialize all is held until reboot: the rule leftover says so. */
	if (!looked_at(c) || (post->deserialized && post->deserialize_ret < 0) || c->cut[1])
		return;
	for (const struct vt_session *v = pre->sessions; v; v = v->next) {
		const struct vt_session *in = incoming_session(post, v->name);
		uint64_t listed = in && in->deserialize.type ? in->deserialize.ts_ns : post->deserialize_at.ts_ns;

		if (in && in->deserialize_ret < 0)
			continue;
		/* Only a list that was seen can lack something. */
		if (in ? !in->deserialized : !post->deserialized)
			continue;
		for (const struct vt_life *l = v->lives; l && vt_clear(c, 1, 0, listed); l = l->next) {
			if (vt_crossed(c->j, l) && !vt_life_torn(c, 0, l) && !vt_side__life(post, VT_INCOMING, v->name, l->token))
				lost_file(c, l);
		}
	}
}

const struct vt_rule vt_rule_arrival = {
	.id = "arrival", .name = "preserved file lost", .severity = VT_ERROR, .subject = VT_ABOUT_PAIR, .by_call = VT_LUO_CALLS,
	.needs = { { VT_EV_LUO_PRESERVE, VT_OUT }, { VT_EV_SESSION_DESERIALIZE, VT_IN }, { VT_EV_LUO_DESERIALIZE, VT_IN }, { VT_EV_LUO_FILE, VT_IN } },
	.run = arrival,
};

/* ---- identity ---- */

static void changed(struct vt_ctx *c, const struct vt_life *out, const struct vt_life *in, const char *what, const char *was, const char *is,
		    const struct vt_at *seen, const char *meaning)
{
	struct vt_who who = vt_who_of(out);
	struct vt_finding *f = vt_find(c, VT_ERROR, 1, &who, "%s|%s", what, out->compatible ? out->compatible : "");

	if (!f)
		return;
	f->func = vt_at_func(seen);
	vt_text(c, &f->title, "the %s of a preserved file is another one after the update", what);
	vt_text(c, &f->expected, "%s, as in the old kernel", was);
	vt_text(c, &f->seen[0], "%s", was);
	vt_text(c, &f->seen[1], "%s", is);
	vt_proof(c, f, 0, &out->at[VT_STEP_PRESERVE], "preserves %s", was);
	vt_proof(c, f, 1, seen, "has %s", is);
	vt_text(c, &f->meaning, "%s", meaning);
}

static void same_identity(struct vt_ctx *c, const struct vt_life *out, const struct vt_life *in)
{
	const struct vt_at *arrived = in->at[VT_STEP_DESERIALIZE].type ? &in->at[VT_STEP_DESERIALIZE] : &in->at[VT_STEP_RETRIEVE];
	char was[32], is[32];

	if (out->compatible && in->compatible && strcmp(out->compatible, in->compatible))
		changed(c, out, in, "compatible string", out->compatible, in->compatible, arrived,
			"Another handler reads the state than wrote it.");
	if (out->bdf && in->bdf && strcmp(out->bdf, in->bdf))
		changed(c, out, in, "PCI address", out->bdf, in->bdf, &in->at[VT_STEP_RETRIEVE],
			"The guest gets somebody else's device.");
	if (!out->has_data || !in->has_data || out->data == in->data)
		return;
	snprintf(was, sizeof(was), "serialized_data 0x%" PRIx64, out->data);
	snprintf(is, sizeof(is), "serialized_data 0x%" PRIx64, in->data);
	changed(c, out, in, "serialized_data", was, is, arrived, "The handler follows a handle that nobody gave it.");
}

static void tell_data(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "within|");

	if (!f)
		return;
	vt_text(c, &f->title, "serialized_data changes within one kernel");
	vt_text(c, &f->expected, "0x%" PRIx64 ": only freeze may change it", (uint64_t)x->num[0]);
	vt_text(c, &f->seen[i], "0x%" PRIx64, (uint64_t)x->num[1]);
	vt_proof(c, f, i, &x->at[0], "is given another handle");
	vt_text(c, &f->meaning, "The handler follows a handle that it did not give.");
}

static const struct vt_telling data_changed[] = {
	{ .kind = VT_FACT_DATA_CHANGED, .tell = tell_data },
};

static void identity(struct vt_ctx *c)
{
	if (!vt_pair_fits(c))
		return;
	for (const struct vt_session *v = c->j->side[0]->sessions; v; v = v->next) {
		for (const struct vt_life *l = v->lives; l; l = l->next) {
			const struct vt_life *in = vt_crossed(c->j, l) ? vt_side__life(c->j->side[1], VT_INCOMING, v->name, l->token) : NULL;

			if (in && !vt_life_torn(c, 0, l) && !vt_life_torn(c, 1, in))
				same_identity(c, l, in);
		}
	}
}

const struct vt_rule vt_rule_identity = {
	.id = "identity", .name = "another file than was preserved", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.needs = { { VT_EV_OP_PRESERVE, VT_OUT }, { VT_EV_OP_FREEZE, VT_OUT }, { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_FILE_SNAP, VT_ANY } },
	.also = { VT_EV_VFIO_FIND, VT_EV_VFIO_LU_OPEN, VT_EV_VFIO_OPEN_COMMON },
	VT_TELLS(data_changed),
	.run = identity,
};

/* ---- memory ---- */

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
	for (const struct vt_session *v = s->sessions; v; v = v->next) {
		for (const struct vt_life *l = v->lives; l && v->dir == VT_INCOMING; l = l->next) {
			if (l->state != VT_LIFE_FINISHED)
				return false;
		}
	}
	return vt_side_incoming(s);
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
			if (k->session && !k->session->ended && all && pre->jumped && incoming_session(post, k->session->name))
				never_restored(c, k, NULL, &incoming_session(post, k->session->name)->finish, "every session");
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
	if (vt_pair_fits(c) && vt_clear(c, 1, 0, UINT64_MAX))
		across(c);
}

const struct vt_rule vt_rule_kho_leak = {
	.id = "kho-leak", .name = "preserved memory lost", .severity = VT_ERROR, .subject = VT_ABOUT_KHO,
	.by_call = VT_LUO_CALLS, .lasts = true,
	.needs = { { VT_EV_KHO_ALLOC_PRESERVE, VT_OUT }, { VT_EV_KHO_UNPRESERVE_FREE, VT_OUT }, { VT_EV_KHO_PRESERVE_FOLIO, VT_OUT },
		   { VT_EV_KHO_UNPRESERVE_FOLIO, VT_OUT }, { VT_EV_KHO_PRESERVE_PAGES, VT_OUT }, { VT_EV_KHO_UNPRESERVE_PAGES, VT_OUT },
		   { VT_EV_KHO_PRESERVE_VMALLOC, VT_OUT }, { VT_EV_KHO_UNPRESERVE_VMALLOC, VT_OUT }, { VT_EV_KHO_RESTORE_FREE, VT_IN },
		   { VT_EV_KHO_RESTORE_FOLIO, VT_IN }, { VT_EV_KHO_RESTORE_PAGES, VT_IN }, { VT_EV_KHO_RESTORE_VMALLOC, VT_IN },
		   { VT_EV_OP_FINISH, VT_IN } },
	.also = { VT_EV_SESSION_CREATE },
	VT_TELLS(kho_left),
	.run = kho_leak,
};

static void tell_restore_twice(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "");

	if (!f)
		return;
	vt_text(c, &f->title, "preserved memory is restored twice");
	vt_text(c, &f->expected, "one restore per physical address");
	vt_text(c, &f->seen[i], "physical 0x%" PRIx64, (uint64_t)x->num[0]);
	vt_proof(c, f, i, &x->at[1], "first restore");
	vt_proof(c, f, i, &x->at[0], "second restore of the same address");
	vt_text(c, &f->meaning, "The first owner may have freed the page: the second one takes memory that belongs to somebody else.");
}

static const struct vt_telling restore_twice[] = {
	/* Between the two this kernel may have freed it, and given it to KHO again. */
	{ .kind = VT_FACT_KHO_TWICE, .absence = true, .tell = tell_restore_twice },
};

const struct vt_rule vt_rule_kho_restore_twice = {
	.id = "kho-restore-twice", .name = "memory restored twice", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.needs = { { VT_EV_KHO_RESTORE_FREE, VT_IN }, { VT_EV_KHO_RESTORE_FOLIO, VT_IN }, { VT_EV_KHO_RESTORE_PAGES, VT_IN },
		   { VT_EV_KHO_RESTORE_VMALLOC, VT_IN }, { VT_EV_KHO_ALLOC_PRESERVE, VT_OUT }, { VT_EV_KHO_PRESERVE_FOLIO, VT_OUT },
		   { VT_EV_KHO_PRESERVE_PAGES, VT_OUT }, { VT_EV_KHO_PRESERVE_VMALLOC, VT_OUT } },
	VT_TELLS(restore_twice),
};

static void tell_unbalanced(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "");

	if (!f)
		return;
	vt_text(c, &f->title, "preserve takes memory back from KHO that it did not give");
	vt_text(c, &f->expected, "the unwind of a failing preserve undoes what it did, once");
	vt_text(c, &f->seen[i], "physical 0x%" PRIx64, (uint64_t)x->num[0]);
	vt_proof(c, f, i, &x->at[1], "preserve begins");
	vt_proof(c, f, i, &x->at[0], "unpreserves memory that is not preserved");
	vt_text(c, &f->meaning, "Somebody else's memory is taken out of the handover, or the loop runs off its table.");
}

/* A preserve that was not seen would look like one that was not made. */
static const struct vt_telling unbalanced[] = {
	{ .kind = VT_FACT_KHO_UNPRESERVE_UNKNOWN, .absence = true, .tell = tell_unbalanced },
};

const struct vt_rule vt_rule_kho_unbalanced = {
	.id = "kho-unbalanced", .name = "more unpreserved than preserved", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.by_call = VT_LUO_CALLS,
	.needs = { { VT_EV_KHO_ALLOC_PRESERVE, VT_OUT }, { VT_EV_KHO_PRESERVE_FOLIO, VT_OUT }, { VT_EV_KHO_PRESERVE_PAGES, VT_OUT }, { VT_EV_KHO_PRESERVE_VMALLOC, VT_OUT } },
	.also = { VT_EV_KHO_UNPRESERVE_FREE, VT_EV_KHO_UNPRESERVE_FOLIO, VT_EV_KHO_UNPRESERVE_PAGES, VT_EV_KHO_UNPRESERVE_VMALLOC },
	VT_TELLS(unbalanced),
};

/* ---- accepted leftovers ---- */

static void note(struct vt_ctx *c, size_t i, const struct vt_who *who, const struct vt_at *at, const char *key, const char *title, const char *meaning)
{
	struct vt_finding *f = vt_find(c, VT_NOTE, i, who, "%s", key);

	if (!f)
		return;
	vt_text(c, &f->title, "%s", title);
	vt_text(c, &f->expected, "allowed");
	vt_text(c, &f->meaning, "%s", meaning);
	vt_proof(c, f, i, at, "here");
}

/* Blocks that the old kernel preserved for this file and that nobody has restored. */
static uint64_t blocks_held(const struct vt_ctx *c, const struct vt_life *in)
{
	const struct vt_life *out = vt_pair_fits(c) ? vt_side__life(c->j->side[0], VT_OUTGOING, in->session->name, in->token) : NULL;
	uint64_t n = 0;

	for (const struct vt_kho *k = out ? out->kho : NULL; k; k = k->next)
		n += !vt_side__restored(c->j->side[1], k->phys);
	return n;
}

static void notes_of_life(struct vt_ctx *c, size_t i, const struct vt_session *v, const struct vt_life *l)
{
	struct vt_who who = vt_who_of(l);
	char title[240], err[32];
	uint64_t held;
	int used;

	if (l->state == VT_LIFE_FAILED || (l->state == VT_LIFE_FINISHED && l->at[VT_STEP_RETRIEVE].has_ret && l->at[VT_STEP_RETRIEVE].ret < 0)) {
		held = blocks_held(c, l);
		used = snprintf(title, sizeof(title), "retrieve failed with %s: it is not tried again, a second RETRIEVE_FD gets the same error",
				vt_errno_str(l->at[VT_STEP_RETRIEVE].ret, err, sizeof(err)));
		if (held)
			snprintf(title + used, sizeof(title) - used, "; %" PRIu64 " block%s of its memory %s held until %sreboot", held,
				 held == 1 ? "" : "s", held == 1 ? "is" : "are", l->state == VT_LIFE_FINISHED ? "" : "finish or ");
		note(c, i, &who, &l->at[VT_STEP_RETRIEVE], "retrieve-failed", title, "Accepted: luo_retrieve_file() never retries on state that is half consumed.");
		return;
	}
	/* What follows says that something did not happen: only where nothing that happened can have been missed. */
	if (!vt_clear(c, i, l->since_ns, UINT64_MAX))
		return;
	if (l->state == VT_LIFE_INCOMING && !v->finished) {
		note(c, i, &who, &l->at[VT_STEP_DESERIALIZE], v->retrieved ? "not-retrieved" : "session-not-retrieved",
		     v->retrieved ? "a file was not retrieved: held until its session is finished" :
		     "a session was not retrieved: held until the next live update, which drops it",
		     "Accepted: nobody asked for it.");
	} else if (l->state == VT_LIFE_INCOMING || (l->state == VT_LIFE_FINISHED && !l->at[VT_STEP_RETRIEVE].type && !l->early)) {
		note(c, i, &who, &l->at[VT_STEP_FINISH], "finished-unretrieved", "a file was finished without having been retrieved: its state is dropped", "Accepted: the agent did not ask for it.");
	} else if (l->state == VT_LIFE_RETRIEVED) {
		note(c, i, &who, &l->at[VT_STEP_RETRIEVE], "not-finished", v->finish.type && v->finish_ret < 0 ?
		     "FINISH was refused: LUO keeps the file" : "retrieved, and not finished when the trace ends", "Accepted: LUO holds the file until FINISH.");
	}
}

static void leftover(struct vt_ctx *c)
{
	char title[200], err[32];

	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		if (s->own_events)
			note(c, i, NULL, &s->own_at, "own-trace", "session " VT_OWN_SESSION " carries a trace through the live update and is not judged",
			     "The tool's own file, preserved by record --carry and taken out by fetch. The name is reserved for it.");
		if (s->deserialized && s->deserialize_ret < 0) {
			snprintf(title, sizeof(title), "deserialize failed with %s: everything that arrived is held until reboot",
				 vt_errno_str(s->deserialize_ret, err, sizeof(err)));
			note(c, i, NULL, &s->deserialize_at, "deserialize-failed", title,
			     "Accepted: luo_session_deserialize() does not undo what is half built. The usual cause is a handler that is not loaded yet.");
			continue;
		}
		for (const struct vt_session *v = s->sessions; v; v = v->next) {
			for (const struct vt_life *l = v->lives; l && v->dir == VT_INCOMING && !c->cut[i]; l = l->next)
				notes_of_life(c, i, v, l);
		}
		if (s->nr_aborts) {
			snprintf(title, sizeof(title), "%" PRIu64 " live update%s aborted before the jump", s->nr_aborts, s->nr_aborts == 1 ? " was" : "s were");
			note(c, i, NULL, &s->reboot, "aborted", title, "Accepted: reboot(2) returned an error and this kernel went on.");
		}
	}
}

const struct vt_rule vt_rule_leftover = {
	.id = "leftover", .name = "accepted leftover", .severity = VT_NOTE, .subject = VT_ABOUT_LUO,
	.needs = { { VT_EV_LUO_RETRIEVE, VT_IN } },
	.run = leftover,
};
