/* SPDX-License-Identifier: GPL-2.0 */
/* A program of its own on the entry or the exit of a function. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "capture/attach/method.h"
#include "capture/kernel/tracefs.h"
#include "capture/object/link.h"
#include "capture/object/template.h"
#include "capture/plan/count.h"

static bool can(struct attach *a, const struct plan_row *r, const struct attach_job *jobs, size_t nr)
{
	return method__on_function(r) && !r->only_kprobe && !plan__asks_for_kprobe(a->plan, r->func);
}

static int load(struct attach *a, const struct attach_job *j)
{
	const struct plan_row *r = j->row[0];

	return template__load(a->obj, r->prog, r->exit ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY, r->btf_id, j->btf_fd);
}

/* ftrace lists what it can hook, and the row's function is not there. */
static bool unlisted(struct attach *a, const struct plan_row *r)
{
	if (!a->tracefs_asked)
		tracefs__open(&a->tracefs);
	a->tracefs_asked = true;
	return a->tracefs && !tracefs__lists(a->tracefs, r->func, r->module);
}

void fentry__free(struct attach *a)
{
	tracefs__free(a->tracefs);
}

/* Loaded but not to be attached: ftrace's list tells what would come of it. */
static int would_attach(struct attach *a, struct plan_row *r)
{
	if (!unlisted(a, r))
		return 0;
	snprintf(r->reason, sizeof(r->reason), "ftrace cannot hook it (not in available_filter_functions)");
	return -EOPNOTSUPP;
}

static int really_attach(struct attach *a, struct plan_row *r)
{
	int link = link__trace(r->prog_fd);

	if (link >= 0) {
		method__attached(r, link);
		return 0;
	}
	snprintf(r->reason, sizeof(r->reason), "%s: %s%s", plan__method_name(r), strerror(-link),
		 unlisted(a, r) ? " (not in available_filter_functions)" : "");
	return link;
}

static void attach(struct attach *a, struct attach_job *j)
{
	struct plan_row *r = j->row[0];

	if (j->prog_fd < 0) {
		plan__give_up(r, "the kernel refused to load the program", j->prog_fd);
		return;
	}
	r->prog_fd = j->prog_fd;
	if (a->dry ? would_attach(a, r) : really_attach(a, r))
		plan__shut(&r->prog_fd);
}

static void count(struct plan_row *r)
{
	r->recursion_misses = count__recursion_misses(r->prog_fd, &r->hits);
}

const struct attach_method method_fentry = {
	.id = PLAN_FENTRY,
	.typed = true,
	.can = can,
	.load = load,
	.attach = attach,
	.count = count,
};
