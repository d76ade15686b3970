// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/show.h"

static int by_tid(const void *a, const void *b)
{
	const struct vt_task *x = a, *y = b;

	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

struct vt_task *vt_tasks__get(struct vt_tasks *tasks, const struct vt_event *e)
{
	struct vt_task key = { .tid = e->tid }, *task;
	void **at = tfind(&key, &tasks->root, by_tid);

	if (at)
		return *at;
	task = calloc(1, sizeof(*task));
	if (!task)
		return NULL;
	task->tid = e->tid;
	if (tsearch(task, &tasks->root, by_tid))
		return task;
	free(task);
	return NULL;
}

bool vt_task__enter(struct vt_task *task, const struct vt_event *e, void *data)
{
	if (task->depth == VT_CALLS_MAX)
		return false;
	task->calls[task->depth++] = (struct vt_call){ .type = e->type_name, .ts_ns = e->ts_ns, .index = e->index, .data = data };
	return true;
}

unsigned int vt_task__match(const struct vt_task *task, const struct vt_event *e)
{
	unsigned int i = task->depth;

	/* Exits in between may have been lost, so look further than the innermost. */
	while (i && task->calls[i - 1].type != e->type_name)
		i--;
	return i;
}

static int note_open(struct vt_glance *g, uint64_t index)
{
	if (g->nr_open == g->room_open) {
		size_t room = g->room_open ? 2 * g->room_open : 64;
		uint64_t *grown = realloc(g->open, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		g->open = grown;
		g->room_open = room;
	}
	g->open[g->nr_open++] = index;
	return 0;
}

int vt_tasks__glance(struct vt_tasks *tasks, const struct vt_event *e, struct vt_glance *g)
{
	struct vt_task *task = vt_tasks__get(tasks, e);
	unsigned int call = task && e->phase == VT_EXIT ? vt_task__match(task, e) : 0;
	int err = task ? 0 : -ENOMEM;

	if (!err && e->phase == VT_ENTER) {
		/* Too deep to be true: the outermost was never left. */
		if (task->depth == VT_CALLS_MAX) {
			err = note_open(g, task->calls[0].index);
			memmove(&task->calls[0], &task->calls[1], --task->depth * sizeof(task->calls[0]));
		}
		vt_task__enter(task, e, NULL);
	}
	while (call && !err && task->depth > call)
		err = note_open(g, task->calls[--task->depth].index);
	if (call)
		task->depth = call - 1;
	return err;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

struct ending {
	struct vt_glance *g;
	int err;
};

static void end_task(const void *node, VISIT visit, void *arg)
{
	const struct vt_task *task = *(struct vt_task *const *)node;
	struct ending *e = arg;

	for (unsigned int i = 0; (visit == postorder || visit == leaf) && i < task->depth && !e->err; i++)
		e->err = note_open(e->g, task->calls[i].index);
}

int vt_tasks__glance_end(struct vt_tasks *tasks, struct vt_glance *g)
{
	struct ending e = { .g = g };

	twalk_r(tasks->root, end_task, &e);
	if (g->nr_open)
		qsort(g->open, g->nr_open, sizeof(*g->open), by_number);
	return e.err;
}

void vt_tasks__free(struct vt_tasks *tasks)
{
	tdestroy(tasks->root, free);
	tasks->root = NULL;
}
