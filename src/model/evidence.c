// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

const char *intern(struct vt_build *b, const char *s)
{
	return s ? vt_strings__get(&b->evidence.strings, s) : NULL;
}

static __attribute__((noinline)) void learn_names(struct vt_build *b, const struct vt_event *e, const char *func)
{
	vt_strings__get_of(&b->evidence.comms, e->comm);
	if (func)
		vt_strings__get_of(&b->evidence.strings, func);
}

void at_set(struct vt_build *b, struct vt_at *at, const struct vt_event *e)
{
	/* Where a free is, no function is entered: the call instruction says where. */
	const char *site = e->type == VT_EV_MEM_FREE ? vt_ev_str(e, VT_F_SITE) : NULL, *func = site ? site : vt_ev_str(e, VT_F_FUNC);

	const char *comm = vt_strings__known(&b->evidence.comms, e->comm), *known = func ? vt_strings__known(&b->evidence.strings, func) : "";

	/* Mostly both are: then nothing is called from here. */
	if (!comm || !known) {
		learn_names(b, e, func);
		at_set(b, at, e);
		return;
	}
	at->ts_ns = e->ts_ns;
	at->index = e->index;
	at->tgid = e->tgid;
	at->tid = e->tid;
	at->type = e->type;
	at->phase = e->phase;
	at->comm = comm;
	at->func = known;
	at->ret = 0;
	at->has_ret = vt_ev_s64(e, VT_F_RET, &at->ret);
	if (*known)
		b->evidence.func[e->type] = known;
}

bool grow(struct vt_build *b, void *array, size_t *cap, size_t nr, size_t size)
{
	void **p = array, *n;
	size_t want;

	if (nr < *cap)
		return true;
	want = *cap ? *cap * 2 : 16;
	n = realloc(*p, want * size);
	if (!n) {
		b->err = -ENOMEM;
		return false;
	}
	*p = n;
	*cap = want;
	return true;
}

struct vt_who who_life(struct vt_build *b, const struct vt_life *l)
{
	struct vt_who w = {};

	if (!l)
		return w;
	if (!l->session->told)
		l->session->told = intern(b, l->session->name);
	w.session = l->session->told;
	w.token = l->token;
	w.has_token = true;
	w.compatible = l->compatible;
	w.bdf = l->bdf;
	w.since_ns = l->since_ns;
	return w;
}

struct vt_who who_session(struct vt_build *b, const struct vt_session *s)
{
	return (struct vt_who){ .session = s ? intern(b, s->name) : NULL, .since_ns = s ? s->since_ns : 0 };
}

/*
 * Of how many facts is kept one by one what they are is up to their number; that
 * there was one of this kind, of this handler, at this function is kept always:
 * a flood of one known bug hides no other. NULL where that is too much, too.
 */
static struct fact_run *run_of(struct vt_build *b, enum vt_fact_kind k, const struct vt_who *who, const struct vt_at *at, uint64_t what)
{
	struct evidence *v = &b->evidence;
	uint64_t key = vt_hash_mix(vt_hash_mix(k + 1, what), vt_hash_mix((uintptr_t)who->compatible, (uintptr_t)(at ? at->func : NULL)));
	struct fact_run *r = vt_map__get(&v->runs, key);

	if (r || v->runs.live >= VT_FACT_RUNS)
		return r;
	r = calloc(1, sizeof(*r));
	if (!r || vt_map__put(&v->runs, key, r)) {
		free(r);
		b->err = -ENOMEM;
		return NULL;
	}
	return r;
}

struct vt_fact *fact_of(struct vt_build *b, enum vt_fact_kind k, struct vt_who who, const struct vt_at *at, uint64_t what)
{
	struct vt_side *s = b->side;
	struct fact_run *r = run_of(b, k, &who, at, what);
	struct vt_fact *f;

	memset(&b->evidence.sink, 0, sizeof(b->evidence.sink));
	s->facts_untold |= !r;
	if (r && r->kept && s->fact_count[k] >= VT_FACTS_KEPT)
		s->facts[r->first].more++;
	if (!r || (r->kept && s->fact_count[k] >= VT_FACTS_KEPT) || !grow(b, &s->facts, &b->evidence.cap_facts, s->nr_facts, sizeof(*s->facts)))
		return &b->evidence.sink;
	s->fact_count[k]++;
	if (!r->kept++)
		r->first = s->nr_facts;
	f = &s->facts[s->nr_facts++];
	memset(f, 0, sizeof(*f));
	f->kind = k;
	f->who = who;
	f->from_ns = who.since_ns;
	if (at)
		f->at[0] = *at;
	return f;
}

struct vt_fact *fact(struct vt_build *b, enum vt_fact_kind k, struct vt_who who, const struct vt_at *at)
{
	return fact_of(b, k, who, at, 0);
}

void evidence_free(struct vt_build *b)
{
	vt_map__free_all(&b->evidence.runs);
	vt_strings__free(&b->evidence.strings);
	vt_strings__free(&b->evidence.comms);
	free(b->side->facts);
}
