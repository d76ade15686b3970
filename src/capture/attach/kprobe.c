/* SPDX-License-Identifier: GPL-2.0 */
/* What fentry cannot serve, by kprobe: the same program behind a prologue. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/attach/method.h"
#include "capture/kernel/kernel.h"
#include "capture/object/link.h"
#include "capture/object/object.h"
#include "capture/object/template.h"
#include "capture/plan/count.h"

static bool can(struct attach *a, const struct plan_row *r, const struct attach_job *jobs, size_t nr)
{
	return method__on_function(r);
}

/* Under which an entry leaves the arguments for the exit: save_args() counts what it cannot store by the event's type. */
static uint32_t saved_id(const struct plan_row *r, uint32_t id)
{
	return (uint32_t)r->event << 16 | (id & 0xffff);
}

static int load(struct attach *a, const struct attach_job *j)
{
	const struct plan_row *r = j->row[0];
	struct kprobe_shape shape = {
		.args = r->args, .exit = r->exit, .id = saved_id(r, j->id),
		.saved_fd = object__map_fd(a->obj, "saved_args"),
	};

	return template__load_kprobe(a->obj, r->prog, &shape);
}

/* On the return, and before it on the entry, where the arguments are saved. */
static int put_links(struct attach *a, struct plan_row *r, uint32_t id)
{
	uint64_t addr = r->addr ? r->addr : kernel__addr(a->k, r->func, r->module);
	int link;

	if (!addr)
		return -ENOENT;
	if (r->exit) {
		r->aux_fd = link__kprobe(object__program_fd(a->obj, "save_args"), addr, saved_id(r, id), false);
		if (r->aux_fd < 0)
			return r->aux_fd;
	}
	link = link__kprobe(r->prog_fd, addr, 0, r->exit);
	if (link < 0) {
		plan__shut(&r->aux_fd);
		return link;
	}
	method__attached(r, link);
	return 0;
}

/* Why not fentry stays in the reason, whether or not the kprobe works. */
static void tell(struct plan_row *r, const char *why, const char *what, int err)
{
	if (err)
		snprintf(r->reason, sizeof(r->reason), "%s; no kprobe either: %s: %s", why, what, strerror(-err));
	else
		snprintf(r->reason, sizeof(r->reason), "%s", why);
	r->possible = !err;
}

static void attach(struct attach *a, struct attach_job *j)
{
	struct plan_row *r = j->row[0];
	bool asked = !r->only_kprobe && plan__asks_for_kprobe(a->plan, r->func);
	char because[sizeof(r->reason)];
	int err;

	snprintf(because, sizeof(because), "%s", asked ? "a kprobe was asked for" : r->reason);
	if (j->prog_fd < 0) {
		tell(r, because, j->prog_fd == -EOPNOTSUPP ? "this hook's program sleeps, which a kprobe must not" :
		     "the kernel refused to load the program", j->prog_fd);
		return;
	}
	r->prog_fd = j->prog_fd;
	err = a->dry ? 0 : put_links(a, r, j->id);
	tell(r, because, "attaching failed", err);
}

static void count(struct plan_row *r)
{
	r->recursion_misses = count__recursion_misses(r->prog_fd, &r->hits);
	r->misses = count__kprobe_misses(r->link_fd) + count__kprobe_misses(r->aux_fd);
}

const struct attach_method method_kprobe = {
	.id = PLAN_KPROBE,
	.can = can,
	.load = load,
	.attach = attach,
	.count = count,
};
