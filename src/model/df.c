// SPDX-License-Identifier: GPL-2.0
/* struct vfio_device_file (df): which allocation is freed by which function, where, and how often. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

#define DEAD_DFS 256		/* freed dfs remembered, so that a second free is known as one */
#define FREE_PATHS 512

struct df_part {
	struct vt_map dfs;		/* df object -> vt_df */
	struct vt_df *dead[DEAD_DFS];
	uint32_t dead_at;
	size_t cap_paths;
};

static struct vt_df *df_new(struct vt_build *b, uint64_t obj)
{
	struct vt_df *df = malloc(sizeof(*df));

	if (!df || vt_map__put(&part_own(b, df)->dfs, obj, df)) {
		free(df);
		b->err = -ENOMEM;
		return NULL;
	}
	*df = (struct vt_df){ .obj = obj };
	return df;
}

static void df_alloc(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	uint64_t obj = vt_ev_obj(e, VT_F_DF);
	struct frame *f = frame_top(t);
	struct vt_df *df;
	struct device *d;

	if (!obj || is_err(e) || e->phase == VT_ENTER || vt_map__get(&part_own(b, df)->dfs, obj))
		return;
	df = df_new(b, obj);
	if (!df)
		return;
	d = device_get(b, e);
	df->device = vt_ev_obj(e, VT_F_DEVICE);
	df->bdf = d ? d->pub.bdf : NULL;
	df->who = who_task(b, t, e);
	if (!df->who.bdf)
		df->who.bdf = df->bdf;
	df->family = intern_event(b, vt_ev_str(e, VT_F_FAMILY));
	df->callee = intern_event(b, vt_ev_str(e, VT_F_CALLEE));
	df->site = intern_event(b, vt_ev_str(e, VT_F_SITE));
	at_set(b, &df->alloc, e);
	if (f)
		df->call = f->enter;
	b->side->dfs_allocated++;
	frame_made(t, obj);
}

static void df_failed(struct vt_build *b, uint64_t obj, const struct vt_at *exit)
{
	struct vt_df *df = vt_map__get(&part_own(b, df)->dfs, obj);

	if (df && !df->failed.type)
		df->failed = *exit;
}

/*
 * Through its group a device is opened by vfio_device_open_file(), which
 * compilers inline into the ioctl: no hook. Its df is allocated in no call that
 * we know, and vfio_df_open() opens it at once; that of a cdev comes with BIND.
 */
static void group_open(struct vt_build *b, const struct vt_event *e, const struct vt_df *df)
{
	struct device *d = device_get(b, e);

	if (!d || df->call.type || b->side->seen_type[VT_EV_VFIO_GROUP_OPEN])
		return;
	device_opened(b, d, e);
}

/* "vfio_device_fops_release+0x5c [vfio]" -> "vfio_device_fops_release [vfio]" */
static const char *site_func(struct vt_build *b, const char *site)
{
	const char *plus = site ? strchr(site, '+') : NULL, *rest;
	char buf[160];

	if (!plus)
		return site;
	rest = strchr(plus, ' ');
	if ((size_t)(plus - site) + (rest ? strlen(rest) : 0) >= sizeof(buf))
		return site;
	memcpy(buf, site, (size_t)(plus - site));
	strcpy(buf + (plus - site), rest ? rest : "");
	return intern(b, buf);
}

/* All these names are interned: equal is identical. */
static struct vt_free_path *free_path(struct vt_build *b, const struct vt_df *df)
{
	struct vt_side *s = b->side;
	const char *func = site_func(b, df->free_site[0]);
	bool rel = df->free_call.type == VT_EV_VFIO_RELEASE;
	struct vt_free_path *p;

	for (size_t i = 0; i < s->nr_free_paths; i++) {
		p = &s->free_paths[i];
		if (p->family == df->family && p->free_callee == df->free_callee[0] && p->free_func == func &&
		    p->callee == df->callee && p->in_release == rel)
			return p;
	}
	if (s->nr_free_paths >= FREE_PATHS || !grow(b, &s->free_paths, &part_own(b, df)->cap_paths, s->nr_free_paths, sizeof(*p)))
		return NULL;
	p = &s->free_paths[s->nr_free_paths++];
	*p = (struct vt_free_path){ .family = df->family, .callee = df->callee, .free_callee = df->free_callee[0],
				    .free_func = func, .in_release = rel };
	return p;
}

static bool is_example(const struct vt_side *s, const struct vt_df *df)
{
	for (size_t i = 0; i < s->nr_free_paths; i++) {
		if (s->free_paths[i].example == df)
			return true;
	}
	return false;
}

/* Freed dfs are remembered for a while: a second free must find the first. */
static void bury(struct vt_build *b, struct vt_df *df)
{
	struct df_part *own = part_own(b, df);
	struct vt_df *old = own->dead[own->dead_at];

	own->dead[own->dead_at] = df;
	own->dead_at = (own->dead_at + 1) % DEAD_DFS;
	if (!old || old->nr_freed > 1 || is_example(b->side, old))
		return;
	vt_map__del(&own->dfs, old->obj);
	free(old);
}

static void df_free(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	uint64_t obj = vt_ev_obj(e, VT_F_OBJ);
	struct vt_df *df = vt_map__get(&part_own(b, df)->dfs, obj);
	struct frame *f = frame_top(t);
	struct vt_free_path *p;
	struct vt_fact *x;
	uint32_t i;

	if (vt_obj_class(obj) != VT_C_DF || !df)
		return;		/* allocated before the recorder was armed */
	i = df->nr_freed < 2 ? df->nr_freed : 1;
	at_set(b, &df->freed[i], e);
	df->free_callee[i] = intern_event(b, vt_ev_str(e, VT_F_CALLEE));
	df->free_site[i] = intern_event(b, vt_ev_str(e, VT_F_SITE));
	df->free_in[i] = intern_event(b, vt_ev_str(e, VT_F_WITHIN));
	if (df->nr_freed++) {
		x = fact(b, VT_FACT_DF_TWICE, df->who, &df->freed[1]);
		x->at[1] = df->freed[0];
		x->at[2] = df->alloc;
		x->str[0] = df->free_site[1];
		x->str[1] = df->free_site[0];
		if (!x->who.bdf)
			x->who.bdf = df->bdf;
		return;
	}
	if (f)
		df->free_call = f->enter;
	df->free_who = who_task(b, t, e);
	if (df->opened.type && frame_of(t, VT_EV_VFIO_RELEASE)) {
		x = fact(b, VT_FACT_DF_LEFT_OPEN, df->who, &df->freed[0]);
		x->at[1] = df->opened;
		x->at[2] = df->release;
		if (df->opened.ts_ns < x->from_ns)
			x->from_ns = df->opened.ts_ns;
		if (!x->who.bdf)
			x->who.bdf = df->bdf;
	}
	b->side->dfs_freed++;
	p = free_path(b, df);
	if (p && !p->count++)
		p->example = df;
	if (p && !p->in_release && p->nr_who < sizeof(p->who) / sizeof(p->who[0]))
		p->who[p->nr_who++] = df->who;
	bury(b, df);
}

static void df_enter(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct vt_df *df;

	if (e->type != VT_EV_VFIO_RELEASE)
		return;
	df = vt_map__get(&part_own(b, df)->dfs, vt_ev_obj(e, VT_F_DF));
	if (!df)
		return;
	df->released = true;
	at_set(b, &df->release, e);
}

/* A device is opened through a df once, and closed at the latest as its file is released. */
static void opened(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct vt_df *df = vt_map__get(&part_own(b, df)->dfs, vt_ev_obj(e, VT_F_DF));

	if (e->phase == VT_ENTER || is_err(e) || !df)
		return;
	group_open(b, e, df);
	at_set(b, &df->opened, e);
}

static void closed(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct vt_df *df = vt_map__get(&part_own(b, df)->dfs, vt_ev_obj(e, VT_F_DF));

	if (df && e->phase != VT_ENTER)
		df->opened.type = 0;
}

static const struct heard df_points[] = {
	{ VT_EV_MEM_FREE, df_free }, { VT_EV_VFIO_DF_ALLOC, df_alloc }, { VT_EV_VFIO_DF_OPEN, opened }, { VT_EV_VFIO_DF_CLOSE, closed }, { 0 },
};

static int df_cmp(const void *a, const void *b)
{
	const struct vt_df *x = *(struct vt_df *const *)a, *y = *(struct vt_df *const *)b;

	return x->alloc.index < y->alloc.index ? -1 : x->alloc.index > y->alloc.index;
}

static void df_finalize(struct vt_build *b)
{
	struct vt_map *dfs = &part_own(b, df)->dfs;
	struct vt_side *s = b->side;
	struct vt_df *df;
	size_t i = 0;

	s->dfs = calloc(dfs->live + 1, sizeof(*s->dfs));
	if (!s->dfs) {
		b->err = -ENOMEM;
		return;
	}
	while ((df = vt_map__next(dfs, &i))) {
		if (df->nr_freed != 1)
			s->dfs[s->nr_dfs++] = df;
	}
	qsort(s->dfs, s->nr_dfs, sizeof(*s->dfs), df_cmp);
}

static void df_end(struct vt_build *b)
{
	vt_map__free_all(&part_own(b, df)->dfs);
	free(b->side->dfs);
	free(b->side->free_paths);
}

const struct part part_df = {
	.size = sizeof(struct df_part),
	.areas = AREA(VFIO),
	.enter = df_enter, .points = df_points, .made_failed = df_failed, .finalize = df_finalize, .free = df_end,
};
