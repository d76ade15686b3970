/* SPDX-License-Identifier: GPL-2.0 */
/* Rows of the plan, loaded and attached: together where they can be, the rest one by one, by several threads. */
#include "capture/attach/method.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes over PROG_FD. */
void crew__attach_row(struct engine *e, struct plan_row *r, int prog_fd)
{
	char why[128];
	int fd;

	r->prog_fd = prog_fd;
	if (fallback__asked_for(e, r->func)) {
		fallback__attach(e, r, "a kprobe was asked for");
		return;
	}
	if (e->opt.dry) {
		if (fallback__unlisted(e, r))
			fallback__attach(e, r, "ftrace cannot hook it (not in available_filter_functions)");
		return;
	}
	fd = bpf_raw_tracepoint_open(NULL, prog_fd);
	if (fd < 0) {
		snprintf(why, sizeof(why), "%s: %s%s", r->method, strerror(errno),
			 fallback__unlisted(e, r) ? " (not in available_filter_functions)" : "");
		fallback__attach(e, r, why);
		return;
	}
	r->link_fd = fd;
	r->attached = true;
	r->attach_ns = engine__now();
}

/*
 * Rows, or batches of them, to load and attach. The verifier works on several programs at a time, so
 * the threads of a crew load, each taking the next row; attaching is serialized
 * in the kernel, so the caller alone attaches, in the order of the plan.
 */
struct crew {
	struct engine *e;
	struct job {
		struct plan_row *row;
		struct batch *batch;	/* instead of a row */
		int btf_fd;
		int prog_fd;
		bool loaded;	/* or refused: prog_fd < 0 */
	} *jobs;
	size_t nr, next;
	pthread_mutex_t lock;
	pthread_cond_t one_loaded;
};

static int load_job(struct crew *c, const struct job *j)
{
	if (j->batch)
		return together__load(c->e, j->batch, j->btf_fd);
	return j->row->only_kprobe ? -ENOENT :
	       load__again(c->e, j->row->prog, j->row->exit ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY, j->row->btf_id, j->btf_fd);
}

/* Loads what comes next; false when there is nothing left. */
static bool crew_load_next(struct crew *c)
{
	size_t i = __atomic_fetch_add(&c->next, 1, __ATOMIC_RELAXED);
	struct job *j = &c->jobs[i];
	int fd;

	if (i >= c->nr)
		return false;
	fd = load_job(c, j);
	pthread_mutex_lock(&c->lock);
	j->prog_fd = fd;
	j->loaded = true;
	pthread_cond_signal(&c->one_loaded);
	pthread_mutex_unlock(&c->lock);
	return true;
}

static void *crew_thread(void *arg)
{
	while (crew_load_next(arg))
		;
	return NULL;
}

static bool crew_loaded(struct crew *c, const struct job *j, bool wait)
{
	bool loaded;

	pthread_mutex_lock(&c->lock);
	while (wait && !j->loaded)
		pthread_cond_wait(&c->one_loaded, &c->lock);
	loaded = j->loaded;
	pthread_mutex_unlock(&c->lock);
	return loaded;
}

static void crew_attach(struct crew *c, struct job *j)
{
	/* What is not loaded yet is waited for when the threads have all that is left. */
	while (!crew_loaded(c, j, false) && crew_load_next(c))
		;
	crew_loaded(c, j, true);
	if (j->batch)
		together__attach(j->batch, j->prog_fd);
	else if (j->row->only_kprobe)
		fallback__attach(c->e, j->row, j->row->reason);
	else if (j->prog_fd < 0)
		load__give_up(j->row, "the kernel refused to load the program", j->prog_fd);
	else
		crew__attach_row(c->e, j->row, j->prog_fd);
}

#define CREW_MAX 8

/*
 * Threads beside the caller. A recorder that runs already has a real-time
 * priority and one CPU, where threads would starve behind it: it works alone.
 */
static size_t crew_size(size_t jobs)
{
	cpu_set_t set;
	size_t nr = 0;

	if (sched_getscheduler(0) == SCHED_OTHER && !sched_getaffinity(0, sizeof(set), &set))
		nr = CPU_COUNT(&set) - 1;
	if (nr > CREW_MAX)
		nr = CREW_MAX;
	return nr < jobs ? nr : jobs;
}

static void crew_run(struct crew *c)
{
	pthread_t thread[CREW_MAX];
	size_t nr = crew_size(c->nr), started = 0;

	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->one_loaded, NULL);
	while (started < nr && !pthread_create(&thread[started], NULL, crew_thread, c))
		started++;
	for (size_t i = 0; i < c->nr; i++)
		crew_attach(c, &c->jobs[i]);
	while (started)
		pthread_join(thread[--started], NULL);
	pthread_cond_destroy(&c->one_loaded);
	pthread_mutex_destroy(&c->lock);
}

static bool wanted(const struct plan_row *r, enum plan_group group, uint64_t key)
{
	return r->group == group && r->key == key && r->possible && r->prog_fd < 0;
}

static void add_row(struct crew *c, struct plan_row *r)
{
	/* A kprobe needs no types. */
	int fd = r->only_kprobe ? 0 : load__btf_fd(c->e, r->module);

	if (fd < 0)
		load__give_up(r, "the types of the module cannot be had", fd);
	else
		c->jobs[c->nr++] = (struct job){ .row = r, .btf_fd = fd };
}

static void add_batches(struct crew *c, struct batch *b, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		int fd = load__btf_fd(c->e, b[i].module);

		if (fd >= 0)
			c->jobs[c->nr++] = (struct job){ .batch = &b[i], .btf_fd = fd };
	}
}

/* What goes with others, and at the same time what cannot. */
static void run_together(struct crew *c, enum plan_group group, uint64_t key)
{
	struct batch batches[BATCHES_MAX];
	struct plan *p = &c->e->plan;
	size_t nr = 0;

	for (size_t i = 0; i < p->nr; i++)
		if (wanted(&p->rows[i], group, key))
			p->rows[i].shared = together__take(c->e, batches, &nr, &p->rows[i]);
	add_batches(c, batches, nr);
	for (size_t i = 0; i < p->nr; i++)
		if (wanted(&p->rows[i], group, key) && !p->rows[i].shared)
			add_row(c, &p->rows[i]);
	crew_run(c);
}

/* What was refused among others gets a program of its own. */
static void run_alone(struct crew *c, enum plan_group group, uint64_t key)
{
	struct plan *p = &c->e->plan;

	c->nr = c->next = 0;
	for (size_t i = 0; i < p->nr; i++) {
		struct plan_row *r = &p->rows[i];

		if (!wanted(r, group, key) || !r->shared)
			continue;
		r->shared = false;
		add_row(c, r);
	}
	crew_run(c);
}

int crew__attach_group(struct engine *e, enum plan_group group, uint64_t key)
{
	struct crew c = { .e = e, .jobs = calloc(e->plan.nr + BATCHES_MAX, sizeof(*c.jobs)) };
	int attached = 0;

	if (!c.jobs)
		return -ENOMEM;
	for (size_t i = 0; i < e->plan.nr; i++)
		attached -= e->plan.rows[i].attached;
	run_together(&c, group, key);
	run_alone(&c, group, key);
	for (size_t i = 0; i < e->plan.nr; i++)
		attached += e->plan.rows[i].attached;
	free(c.jobs);
	return attached;
}
