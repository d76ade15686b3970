// SPDX-License-Identifier: GPL-2.0
/*
 * One story per preserved file. An event belongs to the (session, token) it
 * names; else to that of the traced call around it; else to that of the file
 * or luo_file it names, if an earlier event joined the two.
 */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/show.h"
#include "base/span.h"
#include "trace/print.h"

struct group {
	char *session;		/* "" for events outside of any */
	uint64_t token;
	bool has_token;
	uint64_t events;
	const char *side;	/* label of the trace that its last line is from */
	FILE *f;		/* its lines so far */
	char *text;
	size_t len;
	struct group *next;	/* in order of appearance */
};

/* An object of the trace, and the story it is part of. */
struct link {
	uint64_t obj;
	struct group *group;
};

struct timeline {
	const struct vt_trace *t;
	const struct vt_glance *g;
	struct vt_tasks tasks;
	void *groups, *links;	/* trees */
	struct group *first, **last;
};

static int by_identity(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->has_token != y->has_token)
		return x->has_token ? 1 : -1;
	if (x->token != y->token)
		return x->token < y->token ? -1 : 1;
	return strcmp(x->session, y->session);
}

static int by_obj(const void *a, const void *b)
{
	const struct link *x = a, *y = b;

	return x->obj < y->obj ? -1 : x->obj > y->obj;
}

static struct group *new_group(const struct group *key)
{
	struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->session = strdup(key->session);
	g->token = key->token;
	g->has_token = key->has_token;
	g->f = open_memstream(&g->text, &g->len);
	if (g->session && g->f)
		return g;
	free(g->session);
	free(g);
	return NULL;
}

static struct group *get_group(struct timeline *tl, const char *session, bool has_token, uint64_t token)
{
	struct group key = { .session = (char *)session, .has_token = has_token, .token = token }, *g;
	void **at = tfind(&key, &tl->groups, by_identity);

	if (at)
		return *at;
	g = new_group(&key);
	if (!g)
		return NULL;
	*tl->last = g;
	tl->last = &g->next;
	return tsearch(g, &tl->groups, by_identity) ? g : NULL;
}

static void link_obj(struct timeline *tl, uint64_t obj, struct group *g)
{
	struct link key = { .obj = obj }, *l;
	void **at;

	if (!obj)
		return;
	at = tfind(&key, &tl->links, by_obj);
	if (at) {
		(*(struct link **)at)->group = g;
		return;
	}
	l = malloc(sizeof(*l));
	if (!l)
		return;
	*l = (struct link){ .obj = obj, .group = g };
	if (!tsearch(l, &tl->links, by_obj))
		free(l);
}

static struct group *linked(const struct timeline *tl, uint64_t obj)
{
	struct link key = { .obj = obj };
	void **at = obj ? tfind(&key, (void *const *)&tl->links, by_obj) : NULL;

	return at ? (*(struct link **)at)->group : NULL;
}

static struct group *group_of(struct timeline *tl, const struct vt_task *task, const struct vt_event *e)
{
	struct group *around = task->depth ? task->calls[task->depth - 1].data : NULL, *g;
	const char *session = vt_ev_str(e, VT_F_SESSION);
	uint64_t token;

	if (vt_ev_u64(e, VT_F_TOKEN, &token))
		return get_group(tl, session ? session : around ? around->session : "", true, token);
	if (around && around->has_token && (!session || !strcmp(session, around->session)))
		return around;
	g = linked(tl, vt_ev_obj(e, VT_F_LUO_FILE));
	if (!g)
		g = linked(tl, vt_ev_obj(e, VT_F_FILE));
	if (g && (!session || !strcmp(session, g->session)))
		return g;
	if (session)
		return get_group(tl, session, false, 0);
	return around ? around : get_group(tl, "", false, 0);
}

static void put_line(const struct timeline *tl, struct group *g, const struct vt_event *e, unsigned int depth,
		     const struct vt_call *left)
{
	char span[32];

	if (tl->g->label && g->side && g->side != tl->g->label)
		fputs("  ---- jump ----\n", g->f);
	g->side = tl->g->label;
	fprintf(g->f, "  %s%s#%-5" PRIu64 " ", g->side ? g->side : "", g->side ? "\t" : "", e->index);
	vt_show__time(g->f, tl->g, e->ts_ns);
	fprintf(g->f, "  %*s%s ", (int)depth * 2, "", vt_show__arrow(e));
	vt_text__str(g->f, e->type_name);
	vt_show__fields(g->f, tl->t, e);
	if (left && e->ts_ns >= left->ts_ns)
		fprintf(g->f, "  [%s]", vt_span_str(e->ts_ns - left->ts_ns, span, sizeof(span)));
	fputs("  ", g->f);
	vt_text__word(g->f, e->comm);
	fprintf(g->f, "/%" PRIu32 "\n", e->tid);
	g->events++;
}

static int add_event(struct timeline *tl, const struct vt_event *e)
{
	struct vt_task *task = vt_tasks__get(&tl->tasks, e);
	unsigned int call = task && e->phase == VT_EXIT ? vt_task__match(task, e) : 0;
	struct group *g;

	if (!task)
		return -ENOMEM;
	if (call)
		task->depth = call - 1;
	/* An exit tells the story of its entry, whatever else it names. */
	g = call ? task->calls[call - 1].data : group_of(tl, task, e);
	if (!g)
		return -ENOMEM;
	put_line(tl, g, e, task->depth, call ? &task->calls[call - 1] : NULL);
	if (e->phase == VT_ENTER && !vt_show__open(tl->g, e))
		vt_task__enter(task, e, g);
	if (g->has_token) {
		link_obj(tl, vt_ev_obj(e, VT_F_LUO_FILE), g);
		link_obj(tl, vt_ev_obj(e, VT_F_FILE), g);
	}
	return 0;
}

static void put_group(FILE *f, struct group *g)
{
	fclose(g->f);
	g->f = NULL;
	if (*g->session) {
		fputs("session ", f);
		vt_text__word(f, g->session);
	} else {
		fputs(g->has_token ? "no session" : "outside of any session", f);
	}
	if (g->has_token)
		fprintf(f, ", token 0x%" PRIx64, g->token);
	fprintf(f, ": %" PRIu64 " event%s\n", g->events, g->events == 1 ? "" : "s");
	fwrite(g->text, 1, g->len, f);
	fputc('\n', f);
}

static bool asked_for(const struct vt_filter *f, const struct group *g)
{
	return (!f->session || !fnmatch(f->session, g->session, 0)) && (!f->has_token || (g->has_token && g->token == f->token));
}

static void free_group(struct group *g)
{
	if (g->f)
		fclose(g->f);
	free(g->text);
	free(g->session);
	free(g);
}

static void leave(void *p) {}

/* One trace more in the stories. Objects and tasks are of one kernel. */
static int add_trace(struct timeline *tl, struct vt_shown *s)
{
	/* Which file an event is about comes out only here: that is asked of the story. */
	struct vt_filter events = *s->g.filter;
	struct vt_event e;
	int ret;

	tl->t = s->t;
	tl->g = &s->g;
	events.session = NULL;
	events.has_token = false;
	s->g.filter = &events;
	while ((ret = vt_show__next(s, &e)) > 0) {
		ret = add_event(tl, &e);
		if (ret)
			break;
	}
	s->g.filter = NULL;
	tdestroy(tl->links, free);
	tl->links = NULL;
	vt_tasks__free(&tl->tasks);
	return ret;
}

int vt_show__timeline(FILE *f, struct vt_shown *s, size_t nr)
{
	struct timeline tl = { .last = &tl.first };
	const struct vt_filter *filter = s->g.filter;
	struct group *next;
	int ret = 0;

	for (size_t i = 0; i < nr && !ret; i++)
		ret = add_trace(&tl, &s[i]);
	for (struct group *one = tl.first; one; one = next) {
		next = one->next;
		if (!ret && !ferror(f) && asked_for(filter, one))
			put_group(f, one);
		free_group(one);
	}
	tdestroy(tl.groups, leave);
	return ret;
}
