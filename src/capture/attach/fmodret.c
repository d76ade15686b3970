/* SPDX-License-Identifier: GPL-2.0 */
/* A program that may change what a function returns: fault injection. Loaded with the object. */
#include <errno.h>
#include <unistd.h>

#include "capture/attach/method.h"
#include "capture/object/link.h"
#include "capture/object/object.h"
#include "capture/plan/count.h"

static bool can(struct attach *a, const struct plan_row *r, const struct attach_job *jobs, size_t nr)
{
	return r->group == PLAN_INJECT;
}

static int load(struct attach *a, const struct attach_job *j)
{
	int fd = dup(object__program_fd(a->obj, j->row[0]->prog));

	return fd < 0 ? -errno : fd;
}

static void attach(struct attach *a, struct attach_job *j)
{
	struct plan_row *r = j->row[0];
	int link;

	r->prog_fd = j->prog_fd < 0 ? -1 : j->prog_fd;
	if (a->dry)
		return;
	link = j->prog_fd < 0 ? j->prog_fd : link__trace(j->prog_fd);
	if (link >= 0) {
		method__attached(r, link);
		return;
	}
	plan__shut(&r->prog_fd);
	plan__give_up(r, plan__method_name(r), link);
}

static void count(struct plan_row *r)
{
	r->recursion_misses = count__recursion_misses(r->prog_fd, &r->hits);
}

const struct attach_method method_fmod_ret = {
	.id = PLAN_FMOD_RET,
	.can = can,
	.load = load,
	.attach = attach,
	.count = count,
};
