/* SPDX-License-Identifier: GPL-2.0 */
/* A kprobe on a call instruction: which program, and what came of it. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/attach/method.h"
#include "capture/kernel/calls.h"
#include "capture/kernel/kernel.h"
#include "capture/object/link.h"
#include "capture/object/object.h"
#include "capture/plan/count.h"

/* One for all of them. */
static const char program[] = "at_site";

/* ---- the row ---- */

static struct plan_row *site_row(struct attach *a, const struct site_use *use)
{
	struct plan_row *r = plan__add(a->plan);

	if (!r)
		return NULL;
	r->group = PLAN_SITE;
	r->event = use->event;
	r->method = PLAN_CALL_SITE;
	snprintf(r->module, sizeof(r->module), "%s", use->module);
	snprintf(r->prog, sizeof(r->prog), "%s", program);
	return r;
}

struct site site__describe(const struct attach *a, const struct call *c)
{
	struct site s = { .addr = c->addr, .callee = c->callee->name, .family = c->callee->family };

	kernel__site(a->k, c->addr, s.where, sizeof(s.where));
	return s;
}

const struct site *site__get(const struct attach *a, uint32_t number)
{
	return number < a->nr_sites ? &a->sites[number].told : NULL;
}

/* The programs are told by number: 0, or -errno. */
static int tell_programs(struct attach *a, uint32_t number, const struct call *c, const struct site_use *use)
{
	struct vt_site entry = { .kind = use->kind, .reg = c->callee->arg, .df_only = use->df_only, .cls = use->cls, .joined = c->joined };

	return bpf_map_update_elem(object__map_fd(a->obj, "sites"), &number, &entry, BPF_ANY);
}

int site__plan(struct attach *a, const struct call *c, const struct site_use *use, struct plan_row **row)
{
	uint32_t number = a->nr_sites;
	struct known_site *grown;
	struct plan_row *r;
	int err;

	if (number >= VT_SITES_MAX)
		return -ENOSPC;
	grown = realloc(a->sites, (number + 1) * sizeof(*grown));
	r = site_row(a, use);
	if (!grown || !r)
		return -ENOMEM;
	a->sites = grown;
	a->nr_sites++;
	grown[number] = (struct known_site){ .kind = use->kind, .told = site__describe(a, c) };
	r->site = number;
	r->key = use->kind == VT_SITE_OBJ_ALLOC ? c->result : c->addr;
	grown[number].told.probe = r->key;
	r->possible = true;
	snprintf(r->func, sizeof(r->func), "%.*s", (int)strcspn(grown[number].told.where, " "), grown[number].told.where);
	err = tell_programs(a, number, c, use);
	if (err)
		plan__give_up(r, "kprobe refused", err);
	*row = r;
	return 0;
}

int site__plan_none(struct attach *a, const struct site_use *use, const char *func, const char *why, int err)
{
	struct plan_row *r = site_row(a, use);

	if (!r)
		return -ENOMEM;
	snprintf(r->func, sizeof(r->func), "%s", func);
	plan__give_up(r, why, err);
	return 0;
}

/* ---- attaching ---- */

static bool can(struct attach *a, const struct plan_row *r, const struct attach_job *jobs, size_t nr)
{
	return r->group == PLAN_SITE;
}

/* Looked up once: there are many sites, and libbpf goes by the name. */
static int program_fd(struct attach *a)
{
	if (!a->site_fd)
		a->site_fd = object__program_fd(a->obj, program);
	return a->site_fd;
}

/* All sites share their program: the first attached row holds it, for its counters. */
static int hold_program(struct attach *a, const struct plan_row *r, int fd)
{
	for (size_t i = 0; i < a->plan->nr; i++) {
		const struct plan_row *o = &a->plan->rows[i];

		if (o->group == PLAN_SITE && o->prog_fd >= 0 && !strcmp(o->prog, r->prog))
			return -1;
	}
	return dup(fd);
}

static void attach(struct attach *a, struct attach_job *j)
{
	struct plan_row *r = j->row[0];
	int prog_fd, link;

	if (a->dry)
		return;
	prog_fd = program_fd(a);
	link = link__kprobe(prog_fd, r->key, r->site, false);
	if (link < 0) {
		plan__give_up(r, "kprobe refused", link);
		return;
	}
	r->prog_fd = hold_program(a, r, prog_fd);
	method__attached(r, link);
}

static void count(struct plan_row *r)
{
	r->recursion_misses = count__recursion_misses(r->prog_fd, NULL);
	r->misses = count__kprobe_misses(r->link_fd);
}

const struct attach_method method_site = {
	.id = PLAN_CALL_SITE,
	.can = can,
	.attach = attach,
	.count = count,
};
