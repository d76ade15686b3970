/* SPDX-License-Identifier: GPL-2.0 */
/* Rows of the plan that fentry cannot serve, by kprobe. */
#include "capture/engine_private.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/kernel.h"
#include "capture/kprobe.h"
#include "capture/sites.h"
#include "capture/tracefs.h"

/* ---- what ftrace can hook ---- */

bool fallback__asked_for(const struct engine *e, const char *func)
{
	const char *at = e->opt.force_kprobe;
	size_t len = strlen(func);

	for (; at && *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == len && !strncmp(at, func, len))
			return true;
	return false;
}

bool fallback__unlisted(struct engine *e, const struct plan_row *r)
{
	if (!e->tracefs_asked)
		e->tracefs_err = tracefs__open(&e->tracefs);
	e->tracefs_asked = true;
	return e->tracefs && !tracefs__lists(e->tracefs, r->func, r->module);
}

/* ---- the program ---- */

/* Places of functions in the program move behind the prologue; the main one begins with it. */
static void *shifted_func_info(const struct template *t, int by)
{
	char *copy = malloc(t->func_info_cnt * t->func_info_rec_size + 1);

	if (!copy)
		return NULL;
	memcpy(copy, t->func_info, t->func_info_cnt * t->func_info_rec_size);
	for (uint32_t i = 1; i < t->func_info_cnt; i++) {
		uint32_t *insn_off = (uint32_t *)(copy + i * t->func_info_rec_size);

		*insn_off += by;
	}
	return copy;
}

static int load_behind(const struct template *t, const struct bpf_insn *body, size_t nr, const struct kprobe_shape *shape, const char *name)
{
	struct bpf_insn prologue[KPROBE_PROLOGUE_MAX], *insns;
	int len = kprobe__prologue(shape, kprobe__stack_used(body, nr), prologue), fd;
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	void *info;

	if (len < 0)
		return len;
	if (t->sleepable)
		return -EOPNOTSUPP;
	insns = malloc((len + nr) * sizeof(*insns));
	info = shifted_func_info(t, len);
	if (!insns || !info) {
		free(insns);
		free(info);
		return -ENOMEM;
	}
	memcpy(insns, prologue, len * sizeof(*insns));
	memcpy(insns + len, body, nr * sizeof(*insns));
	opts.prog_btf_fd = t->btf_fd;
	opts.func_info = info;
	opts.func_info_cnt = t->func_info_cnt;
	opts.func_info_rec_size = t->func_info_rec_size;
	fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, name, "GPL", insns, len + nr, &opts);
	free(insns);
	free(info);
	return fd;
}

static int load_kprobe(struct engine *e, struct plan_row *r, uint32_t id)
{
	const struct template *t = load__template(e, r->prog);
	struct kprobe_shape shape = {
		.args = r->args, .exit = r->exit, .id = id,
		.saved_fd = bpf_map__fd(bpf_object__find_map_by_name(e->obj, "saved_args")),
	};

	if (!t)
		return -ENOENT;
	return load_behind(t, t->insns, t->nr, &shape, r->prog);
}

/* ---- attaching ---- */

static int attach(struct engine *e, struct plan_row *r, uint32_t id)
{
	uint64_t addr = r->addr ? r->addr : kernel__addr(e->k, r->func, r->module);
	int save_fd = bpf_program__fd(bpf_object__find_program_by_name(e->obj, "save_args"));

	if (!addr)
		return -ENOENT;
	if (r->exit) {
		r->aux_fd = sites__attach(save_fd, addr, id, false);
		if (r->aux_fd < 0)
			return r->aux_fd;
	}
	r->link_fd = sites__attach(r->prog_fd, addr, 0, r->exit);
	return r->link_fd < 0 ? r->link_fd : 0;
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

bool fallback__attach(struct engine *e, struct plan_row *r, const char *why)
{
	char because[sizeof(r->reason)];
	uint32_t id = ++e->nr_kprobes;
	int err;

	snprintf(because, sizeof(because), "%s", why);
	r->method = r->exit ? "kretprobe" : "kprobe";
	plan__shut(&r->prog_fd);
	r->prog_fd = load_kprobe(e, r, id);
	tell(r, because, r->prog_fd == -EOPNOTSUPP ? "this hook's program sleeps, which a kprobe must not" :
	     "the kernel refused to load the program", r->prog_fd < 0 ? r->prog_fd : 0);
	if (r->prog_fd < 0 || e->opt.dry)
		return false;
	err = attach(e, r, id);
	tell(r, because, "attaching failed", err);
	if (err) {
		plan__shut(&r->aux_fd);
		plan__shut(&r->link_fd);
		return false;
	}
	r->attached = true;
	r->attach_ns = engine__now();
	return true;
}
