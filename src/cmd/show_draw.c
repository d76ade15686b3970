// SPDX-License-Identifier: GPL-2.0
/* What a viewer of timelines gets of one trace or two, whatever its format. */
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <string.h>

#include "cmd/show_perfetto.h"

#define OTHER_KERNEL 10000000u

struct drawer {
	const struct vt_drawing *d;
	struct vt_tasks tasks;
	const struct vt_shown *of;	/* the trace that is being drawn */
	uint32_t shift;			/* of its processes */
	int64_t later_ns;		/* of its clock */
	bool both;
};

static struct vt_mark mark(const struct drawer *p, uint64_t ts_ns, uint32_t tgid, uint32_t tid)
{
	return (struct vt_mark){ .ts_ns = ts_ns + (uint64_t)p->later_ns, .tgid = tgid + p->shift, .tid = tid + p->shift };
}

static void name_thread(struct drawer *p, struct vt_task *task, const struct vt_event *e, const struct vt_mark *at)
{
	const char *label = p->of->g.label;
	char name[128];

	if (!strncmp(task->comm, e->comm, sizeof(task->comm) - 1))
		return;
	strncpy(task->comm, e->comm, sizeof(task->comm) - 1);
	snprintf(name, sizeof(name), "%s%s%s", label ? label : "", label ? ": " : "", e->comm);
	p->d->name(p->d->to, at, name);
}

/* An arrow from the call that preserves a file to the one that retrieves it: what both ends call it, or NULL. */
static const char *flow(const struct drawer *p, const struct vt_event *e, char *buf, size_t size)
{
	const char *session = vt_ev_str(e, VT_F_SESSION);
	uint64_t token;

	if (!p->both || (e->type != VT_EV_LUO_PRESERVE && e->type != VT_EV_LUO_RETRIEVE) || !session || !vt_ev_u64(e, VT_F_TOKEN, &token))
		return NULL;
	snprintf(buf, size, "%s/0x%" PRIx64, session, token);
	return buf;
}

/* Calls that go into the jump end with the kernel. */
static bool lasts(const struct vt_event *e)
{
	return !strncmp(e->type_name, "reboot", 6);
}

/*
 * Begin and end must pair per thread. An end without a begin is an instant, and
 * so is a begin without an end; what a lost end left open is closed with what
 * is around it.
 */
static int one_event(struct drawer *p, const struct vt_event *e)
{
	struct vt_task *task = vt_tasks__get(&p->tasks, e);
	struct vt_mark at = mark(p, e->ts_ns, e->tgid, e->tid);
	const struct vt_drawing *d = p->d;
	unsigned int call;
	char id[300];

	if (!task)
		return -ENOMEM;
	name_thread(p, task, e, &at);
	if (e->phase == VT_ENTER && (lasts(e) || !vt_show__open(&p->of->g, e)) && vt_task__enter(task, e, (void *)(uintptr_t)e->tgid)) {
		d->begin(d->to, &at, e->type_name, p->of->t, e, flow(p, e, id, sizeof(id)), e->type == VT_EV_LUO_PRESERVE);
		return 0;
	}
	call = e->phase == VT_EXIT ? vt_task__match(task, e) : 0;
	if (!call) {
		d->instant(d->to, &at, e->type_name, p->of->t, e);
		return 0;
	}
	while (task->depth > call)
		d->end(d->to, &at, task->calls[--task->depth].type, p->of->t, NULL);
	task->depth--;
	d->end(d->to, &at, e->type_name, p->of->t, e);
	return 0;
}

static void end_task(const void *node, VISIT visit, void *arg)
{
	const struct vt_task *task = *(struct vt_task *const *)node;
	struct drawer *p = arg;

	for (unsigned int i = visit == postorder || visit == leaf ? task->depth : 0; i; i--) {
		struct vt_mark at = mark(p, p->of->g.last_ns, (uint32_t)(uintptr_t)task->calls[i - 1].data, task->tid);

		p->d->end(p->d->to, &at, task->calls[i - 1].type, p->of->t, NULL);
	}
}

static int one_trace(struct drawer *p, struct vt_shown *s, FILE *f)
{
	struct vt_event e;
	int ret = 0;

	p->of = s;
	while (!ferror(f) && (ret = vt_show__next(s, &e)) > 0) {
		ret = one_event(p, &e);
		if (ret)
			break;
	}
	twalk_r(p->tasks.root, end_task, p);
	vt_tasks__free(&p->tasks);
	return ret;
}

/* Where the second kernel's clock stands on the first one's: by the wall clock where that is told and possible, else a second behind. */
static int64_t jump_ns(const struct vt_glance *pre, const struct vt_glance *post)
{
	int64_t at = (int64_t)pre->first_ns + post->utc_ns - pre->utc_ns;

	if (!pre->utc_ns || !post->utc_ns || at <= (int64_t)pre->last_ns)
		at = (int64_t)pre->last_ns + 1000000000;
	return at - (int64_t)post->first_ns;
}

int vt_show__draw(FILE *f, struct vt_shown *s, size_t nr, const struct vt_drawing *d)
{
	struct drawer p = { .d = d, .both = nr == 2 };
	int ret = one_trace(&p, &s[0], f);

	if (nr != 2 || ret)
		return ret;
	p.later_ns = jump_ns(&s[0].g, &s[1].g);
	d->jump(d->to, s[0].g.last_ns, s[1].g.first_ns + (uint64_t)p.later_ns);
	p.shift = OTHER_KERNEL;
	return one_trace(&p, &s[1], f);
}
