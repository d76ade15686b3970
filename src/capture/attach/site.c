/* SPDX-License-Identifier: GPL-2.0 */
/* Kprobes on the call instructions that a part has found: on which function, and what came of it. */
#include "capture/attach/method.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/kernel/kernel.h"

static const char *program_of(enum vt_site_kind kind)
{
	switch (kind) {
	case VT_SITE_FREE: return "site_free";
	case VT_SITE_OBJ_CALL: case VT_SITE_OBJ_ALLOC: case VT_SITE_OBJ_FREE: return "site_obj";
	default: return "site_luo";
	}
}

/* Looked up once: there are many sites, and libbpf goes by the name. */
static int program_fd(struct engine *e, enum vt_site_kind kind)
{
	int *fd = &e->site_fd[kind];

	if (!*fd)
		*fd = bpf_program__fd(bpf_object__find_program_by_name(e->obj, program_of(kind)));
	return *fd;
}

static struct plan_row *site_row(struct engine *e, const struct site_use *use)
{
	struct plan_row *r = plan__add(&e->plan);

	if (!r)
		return NULL;
	r->group = PLAN_SITE;
	r->event = use->event;
	r->method = "site";
	snprintf(r->module, sizeof(r->module), "%s", use->module);
	snprintf(r->prog, sizeof(r->prog), "%s", program_of(use->kind));
	return r;
}

/* All sites of a kind share their program: the first attached row holds it, for its counters. */
static int hold_program(struct engine *e, const struct plan_row *r, int fd)
{
	for (size_t i = 0; i < e->plan.nr; i++) {
		const struct plan_row *o = &e->plan.rows[i];

		if (o->group == PLAN_SITE && o->prog_fd >= 0 && !strcmp(o->prog, r->prog))
			return -1;
	}
	return dup(fd);
}

int callsites__attach(struct engine *e, struct found_site *f, const struct site_use *use)
{
	struct vt_site entry = { .kind = use->kind, .reg = f->callee->arg, .df_only = use->df_only, .cls = use->cls, .joined = f->joined };
	uint64_t addr = use->kind == VT_SITE_OBJ_ALLOC ? f->result : f->addr;
	uint32_t index = e->nr_sites;
	struct plan_row *r;
	struct site *grown;
	int err, prog_fd;

	if (index >= VT_SITES_MAX)
		return -ENOSPC;
	grown = realloc(e->sites, (index + 1) * sizeof(*grown));
	r = site_row(e, use);
	if (!grown || !r)
		return -ENOMEM;
	e->sites = grown;
	e->nr_sites++;
	grown[index] = (struct site){ .addr = f->addr, .callee = f->callee->name, .family = f->callee->family };
	kernel__site(e->k, f->addr, grown[index].where, sizeof(grown[index].where));

	r->key = addr;
	snprintf(r->func, sizeof(r->func), "%.*s", (int)strcspn(grown[index].where, " "), grown[index].where);
	err = bpf_map_update_elem(e->map_fd[MAP_SITES], &index, &entry, BPF_ANY);
	if (e->opt.dry && !err) {
		r->possible = true;
		return 0;
	}
	prog_fd = program_fd(e, use->kind);
	if (!err)
		err = sites__attach(prog_fd, addr, index, false);
	if (err < 0) {
		load__give_up(r, "kprobe refused", err);
		return 0;
	}
	r->link_fd = err;
	r->prog_fd = hold_program(e, r, prog_fd);
	r->attached = r->possible = true;
	r->attach_ns = engine__now();
	return 1;
}

int callsites__attach_all(struct engine *e, struct found_site *found, int nr, const struct site_use *use, callsites_fn one)
{
	int attached = 0;

	for (int i = 0; i < nr && attached >= 0; i++) {
		int ret = one(e, &found[i], use);

		attached = ret < 0 ? ret : attached + ret;
	}
	free(found);
	return attached;
}

int callsites__none(struct engine *e, const struct site_use *use, const char *func, const char *why, int err)
{
	struct plan_row *r = site_row(e, use);

	if (!r)
		return -ENOMEM;
	snprintf(r->func, sizeof(r->func), "%s", func);
	load__give_up(r, why, err);
	return 0;
}
