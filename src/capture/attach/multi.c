/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks that share a program (vfiotrace/hooks.h): one program for all that a
 * domain has in one module, attached to all their functions by one link. What
 * cannot be had that way is left as it was, to be attached on its own.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/attach/method.h"
#include "capture/object/object.h"
#include "capture/object/template.h"
#include "capture/plan/count.h"

#define PROG_LEN 24

/* include/uapi/linux/bpf.h since 7.2: libbpf's own copy is older. */
#define TRACE_FENTRY_MULTI 59
#define TRACE_FEXIT_MULTI 60

struct multi_link {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t ids, cookies;
	uint32_t cnt, pad;
};

/* ---- which rows ---- */

/* The program that the domain of the row's hook has for all of its hooks. */
static void program_of(const struct plan_row *r, char *prog, size_t len)
{
	snprintf(prog, len, "all_%c_%s", *r->prog, plan__hook(r->prog)->domain);
}

/* Of two rows on one function the second may not go with others. */
static bool twice(const struct attach_job *jobs, size_t nr, const struct plan_row *r)
{
	for (size_t i = 0; i < nr; i++)
		for (size_t n = 0; n < jobs[i].nr; n++) {
			const struct plan_row *o = jobs[i].row[n];

			if (o->btf_id == r->btf_id && o->exit == r->exit && !strcmp(o->module, r->module))
				return true;
		}
	return false;
}

/*
 * Programs for many functions load since 7.2 everywhere, and attach where ftrace has
 * HAVE_SINGLE_FTRACE_DIRECT_OPS: x86 alone, at first. A link to no function
 * is refused in any case, and how tells which it is.
 */
static bool can_link(struct attach *a)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 }, { .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = TRACE_FENTRY_MULTI);
	struct multi_link link = { .attach_type = TRACE_FENTRY_MULTI };
	char attr[256] = "";
	int fd;

	if (a->multi)
		return a->multi > 0;
	a->multi = -1;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "multi", "GPL", nothing, sizeof(nothing) / sizeof(nothing[0]), &opts);
	if (fd < 0)
		return false;
	link.prog_fd = fd;
	memcpy(attr, &link, sizeof(link));
	if (syscall(SYS_bpf, BPF_LINK_CREATE, attr, sizeof(attr)) >= 0 || errno != EOPNOTSUPP)
		a->multi = 1;
	close(fd);
	return a->multi > 0;
}

static bool can(struct attach *a, const struct plan_row *r, const struct attach_job *jobs, size_t nr)
{
	const struct hook *h = plan__hook(r->prog);
	char prog[PROG_LEN];

	if (a->dry || !method__on_function(r) || r->only_kprobe || !r->btf_id || plan__asks_for_kprobe(a->plan, r->func))
		return false;
	if (!h || !h->shared || twice(jobs, nr, r) || !can_link(a))
		return false;
	program_of(r, prog, sizeof(prog));
	return template__exists(a->obj, prog);
}

static bool joins(const struct attach_job *j, const struct plan_row *r)
{
	char there[PROG_LEN], here[PROG_LEN];

	program_of(j->row[0], there, sizeof(there));
	program_of(r, here, sizeof(here));
	return !strcmp(there, here) && !strcmp(j->row[0]->module, r->module);
}

/* ---- the program ---- */

static int load_at(struct attach *a, const char *prog, bool exit, int btf_fd)
{
	return template__load(a->obj, prog, exit ? TRACE_FEXIT_MULTI : TRACE_FENTRY_MULTI, 0, btf_fd);
}

/* Puts the domain's program where jumps to it find it, once. */
static int fill_far(struct attach *a, const char *prog, bool exit)
{
	uint32_t zero = 0;
	char name[32];
	int map, fd, err;

	if (a->far_filled[exit])
		return 0;
	snprintf(name, sizeof(name), "%s_at", prog);
	map = object__map_fd(a->obj, name);
	fd = map < 0 ? map : load_at(a, prog, exit, 0);
	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(map, &zero, &fd, BPF_ANY);
	close(fd);
	a->far_filled[exit] = !err;
	return err;
}

/* One domain has such programs, so that there is one of them to enter and one to exit. */
static int load_far(struct attach *a, const char *prog, bool exit, int btf_fd)
{
	static pthread_mutex_t lock[2] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
	char name[32];
	int err;

	snprintf(name, sizeof(name), "%s_far", prog);
	if (!template__exists(a->obj, name))
		return -ENOENT;
	pthread_mutex_lock(&lock[exit]);
	err = fill_far(a, prog, exit);
	pthread_mutex_unlock(&lock[exit]);
	return err ? err : load_at(a, name, exit, btf_fd);
}

static int load(struct attach *a, const struct attach_job *j)
{
	bool exit = j->row[0]->exit;
	char prog[PROG_LEN];
	int fd;

	program_of(j->row[0], prog, sizeof(prog));
	fd = load_far(a, prog, exit, j->btf_fd);
	return fd >= 0 ? fd : load_at(a, prog, exit, j->btf_fd);
}

/* ---- attaching ---- */

static int link_rows(const struct attach_job *j, size_t from, size_t nr)
{
	uint64_t cookie[JOB_ROWS_MAX];
	uint32_t id[JOB_ROWS_MAX];
	char attr[256] = "";
	struct multi_link link = {
		.prog_fd = j->prog_fd, .attach_type = j->row[0]->exit ? TRACE_FEXIT_MULTI : TRACE_FENTRY_MULTI,
		.ids = (uintptr_t)id, .cookies = (uintptr_t)cookie, .cnt = nr,
	};
	int fd;

	for (size_t i = 0; i < nr; i++) {
		const struct plan_row *r = j->row[from + i];

		id[i] = r->btf_id;
		cookie[i] = plan__hook(r->prog) - plan_hooks;
	}
	memcpy(attr, &link, sizeof(link));
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

/* Each row holds the link and the program: both go with the last of them. */
static void attached(struct attach_job *j, size_t from, size_t nr, int link_fd)
{
	for (size_t i = from; i < from + nr; i++) {
		j->row[i]->prog_fd = dup(j->prog_fd);
		method__attached(j->row[i], dup(link_fd));
	}
	close(link_fd);
}

/* The kernel takes all or none: a function that it refuses is found by halves, and left for a program of its own. */
static void attach_some(struct attach_job *j, size_t from, size_t nr)
{
	int fd = link_rows(j, from, nr);

	if (fd >= 0) {
		attached(j, from, nr, fd);
	} else if (nr > 1) {
		attach_some(j, from, nr / 2);
		attach_some(j, from + nr / 2, nr - nr / 2);
	}
}

static void attach(struct attach *a, struct attach_job *j)
{
	if (j->prog_fd < 0)
		return;	/* the kernel cannot do it, or its verifier will not */
	attach_some(j, 0, j->nr);
	close(j->prog_fd);
}

/* Each row tells the misses of the shared program, as it may be the one. Hits are each row's own. */
static void count(struct plan_row *r)
{
	r->recursion_misses = count__recursion_misses(r->prog_fd, NULL);
}

const struct attach_method method_multi = {
	.id = PLAN_MULTI,
	.typed = true,
	.can = can,
	.joins = joins,
	.load = load,
	.attach = attach,
	.count = count,
};
