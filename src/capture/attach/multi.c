/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks whose work one program does (vfiotrace/hooks.h, bpf/multi.bpf.c). It is
 * loaded once and attached to nothing: what is attached are programs that only
 * jump there.
 *
 * The kernel runs no program on a CPU where a preempted task is inside of it,
 * and of one that many functions share that is a miss for any of them. Where a
 * task can be preempted there at all, what is shared has a deputy. That is of no
 * use where it is as soon as another is due, as one is preempted in the deputy
 * as well soon: there each exit has a jump of its own, and entries, which are
 * short, share one that has none, those of a domain. Sharing is for functions of
 * one module. It is done because each link is a walk of ftrace through all
 * functions that can be traced.
 *
 * What cannot be had that way is left as it was, to be attached on its own.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/attach/method.h"
#include "capture/object/object.h"
#include "capture/object/template.h"
#include "capture/plan/count.h"

/* include/uapi/linux/bpf.h since 7.2: libbpf's own copy is older. */
#define TRACE_FENTRY_MULTI 59
#define TRACE_FEXIT_MULTI 60

struct multi_link {
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t ids, cookies;
	uint32_t cnt, pad;
};

/* ---- which rows ---- */

/* The program that all hooks share for that end of a call. */
static const char *program_at(bool exit)
{
	return exit ? "all_x" : "all_e";
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

	if (a->dry || !method__on_function(r) || r->only_kprobe || !r->btf_id || plan__asks_for_kprobe(a->plan, r->func))
		return false;
	return h && h->shared && !twice(jobs, nr, r) && can_link(a) && template__exists(a->obj, program_at(r->exit));
}

static enum preempt preempted(struct attach *a)
{
	if (!a->preempt_asked)
		a->preempt = preempt__inside(a->k, object__reader, a->obj);
	a->preempt_asked = true;
	return a->preempt;
}

/* What is shared is missed by others while a task is preempted within, and a deputy does that. */
static bool has_deputy(struct attach *a, const struct attach_job *j)
{
	return preempted(a) == PREEMPT_LATER && !plan__hook(j->row[0]->prog)->wide;
}

static bool joins(struct attach *a, const struct attach_job *j, const struct plan_row *r)
{
	const struct plan_row *first = j->row[0];
	const struct hook *one = plan__hook(first->prog), *other = plan__hook(r->prog);

	if (first->exit != r->exit || strcmp(first->module, r->module))
		return false;
	if (one->hot || other->hot)
		return false;
	return preempted(a) != PREEMPT_AT_ONCE || (!r->exit && !strcmp(one->domain, other->domain));
}

/* ---- the programs ---- */

static int load_at(struct attach *a, const char *prog, bool exit, int btf_fd)
{
	return template__load(a->obj, prog, exit ? TRACE_FEXIT_MULTI : TRACE_FENTRY_MULTI, 0, btf_fd);
}

/* Puts it where jumps to it find it. */
static int put_for_jumps(struct attach *a, const char *prog, int fd)
{
	uint32_t zero = 0;
	char map[32];
	int at;

	snprintf(map, sizeof(map), "%s_at", prog);
	at = object__map_fd(a->obj, map);
	return at < 0 ? at : bpf_map_update_elem(at, &zero, &fd, BPF_ANY);
}

static void *load_shared(void *arg)
{
	struct multi_shared *s = arg;
	const char *prog = program_at(s->exit);
	int err;

	s->fd = load_at(s->a, prog, s->exit, 0);
	err = s->fd < 0 ? 0 : put_for_jumps(s->a, prog, s->fd);
	if (err) {
		close(s->fd);
		s->fd = err;
	}
	return NULL;
}

/*
 * What all jump to is begun with the first that does, and nobody waits for it before the end: the kernel verifies it for
 * as long as it takes to attach all that jump there. Until it comes they jump nowhere, and the gate is closed.
 */
static int begin_shared(struct attach *a, bool exit)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct multi_shared *s = &a->shared[exit];

	pthread_mutex_lock(&lock);
	if (!s->begun) {
		*s = (struct multi_shared){ .a = a, .exit = exit, .begun = true };
		s->threaded = !pthread_create(&s->thread, NULL, load_shared, s);
		if (!s->threaded)
			load_shared(s);
	}
	pthread_mutex_unlock(&lock);
	return s->threaded ? 0 : s->fd;
}

/* The program that jumps to the shared one: of a hook that is hot, or for all others; where there are two, AS which of them. */
static int load_jump(struct attach *a, const struct attach_job *j, const char *as)
{
	const struct plan_row *r = j->row[0];
	const struct hook *h = plan__hook(r->prog);
	char jump[64];

	snprintf(jump, sizeof(jump), "%s_%s%s", program_at(r->exit), h->hot ? h->prog : "far", as);
	return load_at(a, jump, r->exit, j->btf_fd);
}

static int load(struct attach *a, const struct attach_job *j)
{
	int err = begin_shared(a, j->row[0]->exit);

	return err < 0 ? err : load_jump(a, j, has_deputy(a, j) ? "_first" : "");
}

/* What jumps to a program that the kernel refused sees nothing. */
static void detach_all(struct attach *a, bool exit)
{
	for (size_t i = 0; i < a->plan->nr; i++) {
		struct plan_row *r = &a->plan->rows[i];

		if (r->method != PLAN_MULTI || r->exit != exit || !r->attached)
			continue;
		plan__detach(r);
		r->attached = false;
		r->attach_ns = 0;
	}
}

static void wait_for(struct multi_shared *s)
{
	if (s->threaded)
		pthread_join(s->thread, NULL);
	s->threaded = false;
}

static bool settle(struct attach *a)
{
	bool lost = false;

	for (int exit = 0; exit < 2; exit++) {
		struct multi_shared *s = &a->shared[exit];

		if (!s->threaded)
			continue;
		wait_for(s);
		if (s->fd < 0)
			detach_all(a, exit);
		lost |= s->fd < 0;
	}
	return lost;
}

void multi__free(struct attach *a)
{
	for (int exit = 0; exit < 2; exit++) {
		struct multi_shared *s = &a->shared[exit];

		wait_for(s);
		if (s->begun && s->fd >= 0)
			close(s->fd);
	}
}

/* ---- links ---- */

/* Part of a job: rows that one link is made for, or a link and the deputy's. */
struct part {
	struct attach_job *job;
	size_t from, nr;
	int prog_fd;	/* no other part has it: what it misses is counted */
};

static int link_part(const struct part *p, int prog_fd, unsigned int deputy)
{
	const struct attach_job *j = p->job;
	uint64_t cookie[JOB_ROWS_MAX];
	uint32_t id[JOB_ROWS_MAX];
	char attr[256] = "";
	struct multi_link link = {
		.prog_fd = prog_fd, .attach_type = j->row[0]->exit ? TRACE_FEXIT_MULTI : TRACE_FENTRY_MULTI,
		.ids = (uintptr_t)id, .cookies = (uintptr_t)cookie, .cnt = p->nr,
	};
	int fd;

	for (size_t i = 0; i < p->nr; i++) {
		const struct plan_row *r = j->row[p->from + i];

		id[i] = r->btf_id;
		cookie[i] = VT_COOKIE(plan__hook(r->prog) - plan_hooks, deputy);
	}
	memcpy(attr, &link, sizeof(link));
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

/* Each row holds the link and the program: both go with the last of them. */
static void attached(const struct part *p, int link_fd)
{
	for (size_t i = p->from; i < p->from + p->nr; i++) {
		struct plan_row *r = p->job->row[i];

		r->prog_fd = dup(p->prog_fd);
		method__attached(r, dup(link_fd));
	}
	close(link_fd);
}

/* ---- deputies ---- */

/* A number that no attached row has: modules come and go. 0: there is none. */
static unsigned int free_deputy(const struct plan *p)
{
	bool used[VT_DEPUTIES] = { false };

	for (size_t i = 0; i < p->nr; i++)
		if (p->rows[i].attached)
			used[p->rows[i].deputy] = true;
	for (unsigned int n = 1; n < VT_DEPUTIES; n++)
		if (!used[n])
			return n;
	return 0;
}

/* What it did while it was alone is in nobody's place. */
static void is_deputy(struct attach *a, const struct part *p, unsigned int number, int link_fd)
{
	const struct vt_control *c = object__control(a->obj);
	uint64_t alone = __atomic_load_n(&c->deputized[number], __ATOMIC_ACQUIRE);

	for (size_t i = p->from; i < p->from + p->nr; i++) {
		struct plan_row *r = p->job->row[i];

		r->aux_fd = dup(link_fd);
		r->deputy = number;
		r->control = c;
		r->deputized = alone;
	}
	close(link_fd);
}

/* The kernel runs programs on a function in the reverse of the order in which they came: the deputy is first here, and last there. */
static int link_pair(struct attach *a, const struct part *p)
{
	unsigned int number = free_deputy(a->plan);
	int prog_fd, deputy_fd, fd;

	if (!number)
		return -ENOSPC;
	prog_fd = load_jump(a, p->job, "_deputy");
	if (prog_fd < 0)
		return prog_fd;
	deputy_fd = link_part(p, prog_fd, number);
	close(prog_fd);
	if (deputy_fd < 0)
		return deputy_fd;
	fd = link_part(p, p->prog_fd, 0);
	if (fd < 0)
		close(deputy_fd);
	else
		is_deputy(a, p, number, deputy_fd);
	return fd;
}

/* ---- attaching ---- */

static void attach_half(struct attach *a, const struct part *p, size_t from, size_t nr);

/* The kernel takes all or none: a function that it refuses is found by halves, and left for a program of its own. */
static void attach_part(struct attach *a, const struct part *p)
{
	int fd = has_deputy(a, p->job) ? link_pair(a, p) : link_part(p, p->prog_fd, 0);

	if (fd >= 0) {
		attached(p, fd);
	} else if (p->nr > 1) {
		attach_half(a, p, p->from, p->nr / 2);
		attach_half(a, p, p->from + p->nr / 2, p->nr - p->nr / 2);
	}
}

static void attach_half(struct attach *a, const struct part *p, size_t from, size_t nr)
{
	int fd = load(a, p->job);

	if (fd < 0)
		return;
	attach_part(a, &(struct part){ p->job, from, nr, fd });
	close(fd);
}

static void attach(struct attach *a, struct attach_job *j)
{
	if (j->prog_fd < 0)
		return;	/* the kernel cannot do it, or its verifier will not */
	attach_part(a, &(struct part){ j, 0, j->nr, j->prog_fd });
	close(j->prog_fd);
}

/*
 * Each row tells the misses of its jump, as it may be the one, but for those that its deputy made good; it is asked first, or
 * what happens in between would make one look like none. If it did more than was missed, the two do not work as they should.
 * Hits are each row's own.
 */
static void count(struct plan_row *r)
{
	uint64_t done = r->deputy ? __atomic_load_n(&r->control->deputized[r->deputy], __ATOMIC_ACQUIRE) - r->deputized : 0;
	uint64_t missed = count__recursion_misses(r->prog_fd, NULL);

	r->recursion_misses = missed > done ? missed - done : done - missed;
	if (r->deputy)
		r->recursion_misses += __atomic_load_n(&r->control->crowded, __ATOMIC_ACQUIRE);
}

const struct attach_method method_multi = {
	.id = PLAN_MULTI,
	.typed = true,
	.can = can,
	.joins = joins,
	.load = load,
	.attach = attach,
	.settle = settle,
	.count = count,
};
