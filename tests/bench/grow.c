// SPDX-License-Identifier: GPL-2.0
/*
 * grow FROM TO EVENTS TYPE: a long trace out of a short one that was recorded.
 *
 * What lies between the first and the second entry of TYPE in FROM is a cycle
 * that ends as it began (tests/lab/scenarios/rounds.scn). It is repeated until
 * the trace has EVENTS events, each time later and with objects of its own;
 * then the rest of FROM follows. Nothing in TO was not recorded by a kernel.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfiotrace/trace.h"

#define CPUS	4096
#define FIELDS	8192
#define OBJECTS	1024	/* in one class of FROM */

/* An event, and values whose strings stay. */
struct kept {
	struct vt_event e;
	struct vt_value v[];
};

struct grow {
	struct vt_trace *t;
	struct vt_writer *w;
	int field[FIELDS];		/* of the file read: id in the file written + 1 */
	uint64_t seq[CPUS];
	uint64_t written;
	/* objects of each class that there were before the cycle, and after it; those that outlive it */
	uint64_t before[VT_C_MAX], after[VT_C_MAX];
	bool lasts[VT_C_MAX][OBJECTS];
	uint64_t start_ns, end_ns;	/* of the cycle */
	uint64_t from, to;		/* its first event, and the first behind it */
	uint64_t round;
	struct kept **ev;
	size_t nr;
};

static void die(const char *what, int err)
{
	fprintf(stderr, "grow: %s: %s\n", what, strerror(-err));
	exit(1);
}

static int field_of(struct grow *g, const struct vt_value *v)
{
	int *id = &g->field[v->field % FIELDS];

	if (!*id)
		*id = 1 + (v->field < VT_F_MAX ? v->field : vt_writer__dyn_field(g->w, vt_trace__field_name(g->t, v->field), v->kind));
	return *id - 1;
}

/* Objects of the cycle are new ones each time; those that come after it move up. */
static uint64_t object(const struct grow *g, uint64_t obj, uint64_t index)
{
	enum vt_class c = vt_obj_class(obj);
	uint64_t nr = vt_obj_nr(obj), step;

	if (!obj || c >= VT_C_MAX || nr <= g->before[c])
		return obj;
	step = g->after[c] - g->before[c];
	if (nr <= g->after[c] && (g->lasts[c][nr % OBJECTS] || index >= g->to))
		return obj;
	return vt_obj(c, nr + step * g->round);
}

static void put_value(struct grow *g, const struct vt_value *v, uint64_t index)
{
	int id = field_of(g, v);

	if (v->err)
		vt_writer__err(g->w, id, v->err);
	else if (v->kind == VT_STR)
		vt_writer__str(g->w, id, v->str);
	else if (v->kind == VT_S64)
		vt_writer__s64(g->w, id, v->s);
	else
		vt_writer__u64(g->w, id, v->kind == VT_OBJ ? object(g, v->u, index) : v->u);
}

static void put_event(struct grow *g, const struct kept *k)
{
	const struct vt_event *e = &k->e;
	uint64_t later = e->index < g->from ? 0 : g->round * (g->end_ns - g->start_ns);
	struct vt_stamp s = {
		.ts_ns = e->ts_ns + later, .seq = e->seq ? ++g->seq[e->cpu % CPUS] : 0,
		.tgid = e->tgid, .tid = e->tid, .cpu = e->cpu, .comm = e->comm,
	};
	int ret;

	vt_writer__begin(g->w, e->type, e->phase, &s);
	for (uint32_t i = 0; i < e->nr; i++)
		put_value(g, &k->v[i], e->index);
	ret = vt_writer__end(g->w);
	if (ret)
		die("write", ret);
	g->written++;
}

/* A copy that outlives the next event. */
static struct kept *keep(const struct vt_event *e)
{
	struct kept *k = malloc(sizeof(*k) + e->nr * sizeof(k->v[0]));

	if (!k)
		die("read", -ENOMEM);
	k->e = *e;
	k->e.comm = strdup(e->comm);
	for (uint32_t i = 0; i < e->nr; i++) {
		k->v[i] = vt_ev_at(e, i);
		if (k->v[i].kind == VT_STR && !k->v[i].err)
			k->v[i].str = strdup(k->v[i].str);
	}
	return k;
}

/* The whole of FROM in memory. */
static void load(struct grow *g)
{
	static struct vt_event e;

	while (vt_trace__next(g->t, &e) > 0) {
		struct kept **grown = reallocarray(g->ev, g->nr + 1, sizeof(*grown));

		if (!grown)
			die("read", -ENOMEM);
		g->ev = grown;
		g->ev[g->nr++] = keep(&e);
	}
}

static uint64_t object_in(const struct kept *k, uint32_t i)
{
	return k->v[i].kind == VT_OBJ && !k->v[i].err ? k->v[i].u : 0;
}

static void mark_lasting(struct grow *g)
{
	for (size_t k = g->to; k < g->nr; k++) {
		for (uint32_t i = 0; i < g->ev[k]->e.nr; i++) {
			uint64_t o = object_in(g->ev[k], i);

			if (vt_obj_class(o) < VT_C_MAX)
				g->lasts[vt_obj_class(o)][vt_obj_nr(o) % OBJECTS] = true;
		}
	}
}

/* Finds the cycle, and the objects that live at both ends of it. */
static void survey(struct grow *g, enum vt_event_type type)
{
	uint64_t seen[VT_C_MAX] = { 0 };
	int entries = 0;

	for (size_t k = 0; k < g->nr && entries < 2; k++) {
		const struct vt_event *e = &g->ev[k]->e;

		if (e->type == type && e->phase == VT_ENTER) {
			memcpy(entries ? g->after : g->before, seen, sizeof(seen));
			*(entries ? &g->to : &g->from) = k;
			*(entries ? &g->end_ns : &g->start_ns) = e->ts_ns;
			entries++;
		}
		for (uint32_t i = 0; i < e->nr; i++) {
			uint64_t o = object_in(g->ev[k], i);

			if (vt_obj_class(o) < VT_C_MAX && vt_obj_nr(o) > seen[vt_obj_class(o)])
				seen[vt_obj_class(o)] = vt_obj_nr(o);
		}
	}
	if (entries == 2) {
		mark_lasting(g);
		return;
	}
	fprintf(stderr, "grow: the trace enters %s less than twice\n", vt_event_name(type));
	exit(1);
}

static void copy_tables(struct grow *g)
{
	struct vt_probe *p = calloc(vt_trace__probe_nr(g->t) + 1, sizeof(*p));

	for (size_t i = 0; i < vt_trace__meta_nr(g->t); i++) {
		const char *key, *value;

		vt_trace__meta_at(g->t, i, &key, &value);
		vt_writer__meta(g->w, key, value);
	}
	for (size_t i = 0; p && i < vt_trace__probe_nr(g->t); i++)
		p[i] = *vt_trace__probe(g->t, i);
	if (!p || vt_writer__probes(g->w, p, vt_trace__probe_nr(g->t)))
		die("probes", -ENOMEM);
	free(p);
}

static void copy_events(struct grow *g, uint64_t want)
{
	for (size_t k = 0; k < g->from; k++)
		put_event(g, g->ev[k]);
	for (; g->written + (g->nr - g->from) < want; g->round++)
		for (size_t k = g->from; k < g->to; k++)
			put_event(g, g->ev[k]);
	for (size_t k = g->from; k < g->nr; k++)
		put_event(g, g->ev[k]);
}

int main(int argc, char **argv)
{
	static struct grow g;
	char *why = NULL;
	int ret;

	if (argc != 5) {
		fprintf(stderr, "usage: grow FROM TO EVENTS TYPE\n");
		return 64;
	}
	ret = vt_trace__open(argv[1], &g.t, &why);
	if (ret)
		die(why ? why : argv[1], ret);
	ret = vt_writer__open(argv[2], &g.w);
	if (ret)
		die(argv[2], ret);
	load(&g);
	survey(&g, vt_event_by_name(argv[4]));
	copy_tables(&g);
	copy_events(&g, strtoull(argv[3], NULL, 0));
	copy_tables(&g);
	ret = vt_trace__ended(g.t) ? vt_writer__finish(g.w, vt_trace__ended(g.t)) : vt_writer__flush(g.w, true);
	if (ret)
		die(argv[2], ret);
	printf("%" PRIu64 "\n", g.written);
	vt_writer__free(g.w);
	vt_trace__free(g.t);
	return 0;
}
