/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks that share a program (vfiotrace/hooks.h): one program for all that a
 * domain has in one module, attached to all their functions by one link. What
 * cannot be had that way is left as it was, to be attached on its own.
 */
#include "capture/engine_private.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/bpf.h since 7.2: libbpf's own copy is older. */
#define TRACE_FENTRY_MULTI 59
#define TRACE_FEXIT_MULTI 60

struct multi_link {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t ids, cookies;
	uint32_t cnt, pad;
};

bool together__is_program(const char *name)
{
	return !strncmp(name, "all_", 4);
}

static bool fits(const struct batch *b, const struct plan_row *r, const char *prog)
{
	return b->nr < BATCH_MAX && !strcmp(b->prog, prog) && !strcmp(b->module, r->module);
}

/* Of two rows on one function the second may not go with others. */
static bool twice(const struct batch *b, size_t nr, const struct plan_row *r)
{
	for (size_t i = 0; i < nr; i++)
		for (size_t n = 0; n < b[i].nr; n++)
			if (b[i].row[n]->btf_id == r->btf_id && b[i].exit == r->exit && !strcmp(b[i].module, r->module))
				return true;
	return false;
}

bool together__take(struct engine *e, struct batch *b, size_t *nr, struct plan_row *r)
{
	const struct hook *h = plan__hook(r->prog);
	char prog[24];
	size_t i;

	if (e->opt.dry || !h || !h->shared || r->only_kprobe || !r->btf_id || fallback__asked_for(e, r->func) || twice(b, *nr, r))
		return false;
	snprintf(prog, sizeof(prog), "all_%c_%s", *r->prog, h->domain);
	if (!load__template(e, prog))
		return false;
	for (i = 0; i < *nr && !fits(&b[i], r, prog); i++)
		;
	if (i == BATCHES_MAX)
		return false;
	if (i == *nr) {
		b[i] = (struct batch){ .module = r->module, .exit = r->exit };
		snprintf(b[i].prog, sizeof(b[i].prog), "%s", prog);
		(*nr)++;
	}
	b[i].cookie[b[i].nr] = h - plan_hooks;
	b[i].row[b[i].nr++] = r;
	return true;
}

static int load_for(struct engine *e, const char *prog, bool exit, int btf_fd)
{
	return load__again(e, prog, exit ? TRACE_FEXIT_MULTI : TRACE_FENTRY_MULTI, 0, btf_fd);
}

/* Puts the batch's program where jumps to it find it, once. */
static int fill_far(struct engine *e, const struct batch *b)
{
	struct bpf_map *map;
	uint32_t zero = 0;
	char name[32];
	int fd, err;

	if (e->far_filled[b->exit])
		return 0;
	snprintf(name, sizeof(name), "%s_at", b->prog);
	map = bpf_object__find_map_by_name(e->obj, name);
	fd = map ? load_for(e, b->prog, b->exit, 0) : -ENOENT;
	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(bpf_map__fd(map), &zero, &fd, BPF_ANY);
	close(fd);
	e->far_filled[b->exit] = !err;
	return err;
}

/* One family has such programs, so that there is one of them to enter and one to exit. */
static int load_far(struct engine *e, const struct batch *b, int btf_fd)
{
	static pthread_mutex_t lock[2] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
	char name[32];
	int err;

	snprintf(name, sizeof(name), "%s_far", b->prog);
	if (!load__template(e, name))
		return -ENOENT;
	pthread_mutex_lock(&lock[b->exit]);
	err = fill_far(e, b);
	pthread_mutex_unlock(&lock[b->exit]);
	return err ? err : load_for(e, name, b->exit, btf_fd);
}

int together__load(struct engine *e, const struct batch *b, int btf_fd)
{
	int fd = load_far(e, b, btf_fd);

	return fd >= 0 ? fd : load_for(e, b->prog, b->exit, btf_fd);
}

static int link_rows(int prog_fd, const struct batch *b, size_t from, size_t nr)
{
	uint32_t id[BATCH_MAX];
	char attr[256] = "";
	struct multi_link link = {
		.prog_fd = prog_fd, .attach_type = b->exit ? TRACE_FEXIT_MULTI : TRACE_FENTRY_MULTI,
		.ids = (uintptr_t)id, .cookies = (uintptr_t)&b->cookie[from], .cnt = nr,
	};
	int fd;

	for (size_t i = 0; i < nr; i++)
		id[i] = b->row[from + i]->btf_id;
	memcpy(attr, &link, sizeof(link));
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

/* Each row holds the link and the program: both go with the last of them. */
static void attached(struct batch *b, size_t from, size_t nr, int prog_fd, int link_fd)
{
	for (size_t i = from; i < from + nr; i++) {
		struct plan_row *r = b->row[i];

		r->prog_fd = dup(prog_fd);
		r->link_fd = dup(link_fd);
		r->attached = true;
		r->attach_ns = engine__now();
	}
	close(link_fd);
}

/* The kernel takes all or none: a function that it refuses is found by halves, and left for a program of its own. */
static void attach_some(struct batch *b, int prog_fd, size_t from, size_t nr)
{
	int fd = link_rows(prog_fd, b, from, nr);

	if (fd >= 0) {
		attached(b, from, nr, prog_fd, fd);
	} else if (nr > 1) {
		attach_some(b, prog_fd, from, nr / 2);
		attach_some(b, prog_fd, from + nr / 2, nr - nr / 2);
	}
}

void together__attach(struct batch *b, int prog_fd)
{
	if (prog_fd < 0)
		return;	/* the kernel cannot do it, or its verifier will not */
	attach_some(b, prog_fd, 0, b->nr);
	close(prog_fd);
}
