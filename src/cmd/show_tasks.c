// SPDX-License-Identifier: GPL-2.0
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
	task->calls[task->depth++] = (struct vt_call){ .type = e->type_name, .ts_ns = e->ts_ns, .data = data };
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

void vt_tasks__free(struct vt_tasks *tasks)
{
	tdestroy(tasks->root, free);
	tasks->root = NULL;
}
