/* SPDX-License-Identifier: GPL-2.0 */
/* Kprobes on the call instructions that a part has found: on which function, and what came of it. */
#include "capture/engine_private.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/kernel.h"

static struct plan_row *site_row(struct engine *e, const struct site_use *use)
{
	struct plan_row *r = plan__add(&e->plan);

	if (!r)
		return NULL;
	r->group = PLAN_SITE;
	r->event = use->event;
	r->method = "site";
	snprintf(r->module, sizeof(r->module), "%s", use->module);
	snprintf(r->prog, sizeof(r->prog), "%s", use->kind == VT_SITE_FREE ? "site_free" : "site_luo");
	return r;
}

int callsites__attach(struct engine *e, const struct found_site *f, const struct site_use *use)
{
	struct vt_site entry = { .kind = use->kind, .reg = f->callee->arg, .df_only = use->df_only };
	uint32_t index = e->nr_sites;
	struct plan_row *r;
	struct site *grown;
	int err;

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

	r->key = f->addr;
	snprintf(r->func, sizeof(r->func), "%.*s", (int)strcspn(grown[index].where, " "), grown[index].where);
	err = bpf_map_update_elem(e->map_fd[MAP_SITES], &index, &entry, BPF_ANY);
	if (e->opt.dry && !err) {
		r->possible = true;
		return 0;
	}
	if (!err)
		err = sites__attach(use->kind == VT_SITE_FREE ? e->site_fd : e->luo_site_fd, f->addr, index);
	if (err < 0) {
		load__give_up(r, "kprobe refused", err);
		return 0;
	}
	r->link_fd = err;
	r->attached = r->possible = true;
	r->attach_ns = engine__now();
	return 1;
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
