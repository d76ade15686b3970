/* SPDX-License-Identifier: GPL-2.0 */
/* The driver: offers rows to the methods in the order of the table, and loads by several threads. */
#include "capture/attach/attach.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "capture/attach/method.h"
#include "capture/kernel/calls.h"
#include "capture/kernel/kernel.h"

/* In order: what one refuses is offered to the next that can. */
static const struct attach_method *const methods[] = {
	&method_multi, &method_fentry, &method_kprobe, &method_site, &method_fmod_ret,
};
#define NR_METHODS (sizeof(methods) / sizeof(methods[0]))

/* ---- a round: jobs, loaded by threads and attached by the caller ---- */

/*
 * The verifier works on several programs at a time, so threads load, each
 * taking the next job; attaching is serialized in the kernel, so the caller
 * alone attaches, in the order of the jobs.
 */
struct round {
	struct attach *a;
	struct attach_job *jobs;
	size_t nr, next;
	pthread_mutex_t lock;
	pthread_cond_t one_loaded;
};

/* Loads what comes next; false when there is nothing left. */
static bool load_next(struct round *r)
{
	size_t i = __atomic_fetch_add(&r->next, 1, __ATOMIC_RELAXED);
	struct attach_job *j = &r->jobs[i];
	int fd;

	if (i >= r->nr)
		return false;
	fd = j->method->load ? j->method->load(r->a, j) : -1;
	pthread_mutex_lock(&r->lock);
	j->prog_fd = fd;
	j->loaded = true;
	pthread_cond_signal(&r->one_loaded);
	pthread_mutex_unlock(&r->lock);
	return true;
}

static void *load_thread(void *arg)
{
	while (load_next(arg))
		;
	return NULL;
}

static bool is_loaded(struct round *r, const struct attach_job *j, bool wait)
{
	bool loaded;

	pthread_mutex_lock(&r->lock);
	while (wait && !j->loaded)
		pthread_cond_wait(&r->one_loaded, &r->lock);
	loaded = j->loaded;
	pthread_mutex_unlock(&r->lock);
	return loaded;
}

static void attach_job(struct round *r, struct attach_job *j)
{
	/* What is not loaded yet is waited for when the threads have all that is left. */
	while (!is_loaded(r, j, false) && load_next(r))
		;
	is_loaded(r, j, true);
	j->method->attach(r->a, j);
}

#define THREADS_MAX 8

/*
 * Threads beside the caller. A recorder that runs already has a real-time
 * priority and one CPU, where threads would starve behind it: it works alone.
 */
static size_t nr_threads(size_t jobs)
{
	cpu_set_t set;
	size_t nr = 0;

	if (sched_getscheduler(0) == SCHED_OTHER && !sched_getaffinity(0, sizeof(set), &set))
		nr = CPU_COUNT(&set) - 1;
	if (nr > THREADS_MAX)
		nr = THREADS_MAX;
	return nr < jobs ? nr : jobs;
}

static void run(struct round *r)
{
	pthread_t thread[THREADS_MAX];
	size_t nr = nr_threads(r->nr), started = 0;

	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->one_loaded, NULL);
	while (started < nr && !pthread_create(&thread[started], NULL, load_thread, r))
		started++;
	for (size_t i = 0; i < r->nr; i++)
		attach_job(r, &r->jobs[i]);
	while (started)
		pthread_join(thread[--started], NULL);
	pthread_cond_destroy(&r->one_loaded);
	pthread_mutex_destroy(&r->lock);
}

/* ---- which row goes which way ---- */

/* Of each row of the plan: the methods before FROM have had their try. */
struct offer {
	unsigned char from;
	bool taken;	/* in this round */
};

static bool wanted(const struct plan_row *r, enum plan_group group, uint64_t key)
{
	return r->group == group && r->key == key && r->possible && !r->attached && r->prog_fd < 0;
}

static struct attach_job *job_for(struct round *r, const struct attach_method *m, const struct plan_row *row)
{
	for (size_t i = 0; m->joins && i < r->nr; i++)
		if (r->jobs[i].method == m && r->jobs[i].nr < JOB_ROWS_MAX && m->joins(r->a, &r->jobs[i], row))
			return &r->jobs[i];
	r->jobs[r->nr] = (struct attach_job){ .method = m, .id = ++r->a->nr_jobs };
	return &r->jobs[r->nr++];
}

static void take(struct round *r, const struct attach_method *m, struct plan_row *row)
{
	int fd = m->typed ? kernel__btf_fd(r->a->k, row->module) : 0;
	struct attach_job *j;

	if (fd < 0) {
		plan__give_up(row, "the types of the module cannot be had", fd);
		return;
	}
	j = job_for(r, m, row);
	j->btf_fd = fd;
	j->row[j->nr++] = row;
	row->method = m->id;
}

static void offer_to(struct round *r, size_t m, struct plan_row *row, struct offer *o)
{
	if (o->taken || o->from > m || !methods[m]->can(r->a, row, r->jobs, r->nr))
		return;
	take(r, methods[m], row);
	*o = (struct offer){ .from = m + 1, .taken = true };
}

/*
 * Method by method, so that what is dearest to load, the programs for many rows, is begun first. Exits before entries: the
 * second program on a function costs ftrace two walks through all functions where the first costs one, and entries, which
 * may go together, make those walks together.
 */
static void collect(struct round *r, struct offer *offers, enum plan_group group, uint64_t key)
{
	struct plan *p = r->a->plan;

	r->nr = r->next = 0;
	for (size_t i = 0; i < p->nr; i++)
		offers[i].taken = false;
	for (size_t n = 0; n < NR_METHODS * 2; n++)
		for (size_t i = 0; i < p->nr; i++)
			if (p->rows[i].exit == !(n % 2) && wanted(&p->rows[i], group, key))
				offer_to(r, n / 2, &p->rows[i], &offers[i]);
}

int attach__group(struct attach *a, enum plan_group group, uint64_t key)
{
	size_t before = plan__attached(a->plan), nr = a->plan->nr;
	struct round r = { .a = a, .jobs = calloc(nr + 1, sizeof(*r.jobs)) };
	struct offer *offers = calloc(nr + 1, sizeof(*offers));
	int err = r.jobs && offers ? 0 : -ENOMEM;

	while (!err) {
		collect(&r, offers, group, key);
		if (!r.nr)
			break;
		run(&r);
	}
	free(r.jobs);
	free(offers);
	return err ? err : (int)(plan__attached(a->plan) - before);
}

int attach__settle(struct attach *a)
{
	size_t before;
	bool lost = false;
	int ret = 0;

	for (size_t m = 0; m < NR_METHODS; m++)
		lost |= methods[m]->settle && methods[m]->settle(a);
	before = plan__attached(a->plan);
	for (size_t i = 0; lost && ret >= 0 && i < a->plan->nr; i++) {
		const struct plan_row *r = &a->plan->rows[i];

		if (method__on_function(r) && wanted(r, r->group, r->key))
			ret = attach__group(a, r->group, r->key);
	}
	return ret < 0 ? ret : (int)(plan__attached(a->plan) - before);
}

/* ---- call sites ---- */

/* They have one way only, and there are many of them, found one by one: no round for each. */
int attach__call(struct attach *a, const struct call *c, const struct site_use *use)
{
	struct attach_job j = { .method = &method_site, .nr = 1, .prog_fd = -1 };
	int err = site__plan(a, c, use, &j.row[0]);

	if (!err && j.row[0]->possible)
		method_site.attach(a, &j);
	return err ? err : j.row[0]->attached;
}

/* Our own probes are told of where they were put. A function begins with no call. */
static bool is_ours(const struct attach *a, const struct call *c)
{
	uint64_t off = 0;

	for (size_t i = 0; i < a->plan->nr; i++)
		if (a->plan->rows[i].group == PLAN_SITE && a->plan->rows[i].attached && a->plan->rows[i].key == c->addr)
			return true;
	return kernel__sym(a->k, c->addr, &off, NULL) && !off;
}

static int hidden(struct attach *a, const struct call *c, const struct site_use *use)
{
	struct site s;

	if (is_ours(a, c))
		return 0;
	s = site__describe(a, c);
	s.where[strcspn(s.where, " ")] = 0;
	return attach__no_call(a, use, s.where, "another probe stands there, and hides what is called", 0);
}

int attach__calls(struct attach *a, struct call *found, int nr, const struct site_use *use, attach_call_fn one, void *arg)
{
	int attached = 0;

	for (int i = 0; i < nr && attached >= 0; i++) {
		int ret = found[i].callee == &calls_hidden ? hidden(a, &found[i], use) : one(arg, &found[i], use);

		attached = ret < 0 ? ret : attached + ret;
	}
	free(found);
	return attached;
}

int attach__no_call(struct attach *a, const struct site_use *use, const char *func, const char *why, int err)
{
	return site__plan_none(a, use, func, why, err);
}

/* ---- the whole ---- */

void attach__count(struct attach *a)
{
	for (size_t i = 0; i < a->plan->nr; i++)
		for (size_t m = 0; m < NR_METHODS; m++)
			if (methods[m]->id == a->plan->rows[i].method)
				methods[m]->count(&a->plan->rows[i]);
}

int attach__new(struct attach **out, struct kernel *k, struct object *o, struct plan *p, bool dry)
{
	struct attach *a = calloc(1, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->k = k;
	a->obj = o;
	a->plan = p;
	a->dry = dry;
	*out = a;
	return 0;
}

void attach__free(struct attach *a)
{
	if (!a)
		return;
	multi__free(a);
	fentry__free(a);
	free(a->sites);
	free(a);
}
