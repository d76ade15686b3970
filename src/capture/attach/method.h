/* SPDX-License-Identifier: GPL-2.0 */
/* A way to attach, for the files of this room. None knows another; attach.c has the table. */
#ifndef VT_CAPTURE_METHOD_H
#define VT_CAPTURE_METHOD_H

#include <pthread.h>

#include "capture/attach/attach.h"
#include "capture/kernel/clock.h"
#include "capture/kernel/preempt.h"

struct tracefs;

struct known_site {
	enum vt_site_kind kind;
	struct site told;
};

/* multi.c: the program that hooks share at one end of a call. */
struct multi_shared {
	struct attach *a;
	bool exit;
	bool begun, threaded;	/* by THREAD, which was not waited for yet */
	pthread_t thread;
	int fd;			/* once it was waited for: or -errno */
};

struct attach {
	struct kernel *k;
	struct object *obj;
	struct plan *plan;
	bool dry;
	uint32_t nr_jobs;	/* so far */
	/* multi.c: whether such links can be made: 1 yes, -1 no, 0 not asked yet */
	signed char multi;
	bool preempt_asked;
	enum preempt preempt;	/* inside of programs, once it was asked for */
	struct multi_shared shared[2];	/* for enter and for exit */
	/* fentry.c: what ftrace can hook, once it was asked for */
	struct tracefs *tracefs;
	bool tracefs_asked;
	/* site.c */
	struct known_site *sites;
	size_t nr_sites;
	int site_fd;		/* the program, 0 = not looked up yet */
};

#define JOB_ROWS_MAX 64

/* What is loaded and attached in one go. */
struct attach_job {
	const struct attach_method *method;
	uint32_t id;		/* no other job has it */
	size_t nr;
	struct plan_row *row[JOB_ROWS_MAX];
	int btf_fd;		/* of the rows' module, 0 = vmlinux */
	int prog_fd;
	bool loaded;		/* or refused: prog_fd < 0 */
};

struct attach_method {
	enum plan_method id;
	bool typed;	/* needs the types of the row's module */
	/* Whether the row may be attached this way, beside the NR jobs of this round. */
	bool (*can)(struct attach *a, const struct plan_row *r, const struct attach_job *jobs, size_t nr);
	/* Whether R may be part of J; NULL: one row, one job. */
	bool (*joins)(struct attach *a, const struct attach_job *j, const struct plan_row *r);
	/* The job's program: its fd, or -errno. Any thread. NULL: there is nothing to load. */
	int (*load)(struct attach *a, const struct attach_job *j);
	/* Takes over the job's program. A row that is possible and has none afterwards is offered to the methods behind this one. */
	void (*attach)(struct attach *a, struct attach_job *j);
	/* Waits for what load() has left to others. Rows that cannot be had without it are detached: whether there were some. NULL: it leaves nothing. */
	bool (*settle)(struct attach *a);
	/* Reads from the kernel what the row has missed. */
	void (*count)(struct plan_row *r);
};

extern const struct attach_method method_multi, method_fentry, method_kprobe, method_site, method_fmod_ret;

static inline void method__attached(struct plan_row *r, int link_fd)
{
	r->link_fd = link_fd;
	r->attached = true;
	r->attach_ns = clock__now();
}

/* Hooks; not call sites and not injectors, which have ways of their own. */
static inline bool method__on_function(const struct plan_row *r)
{
	return r->group != PLAN_SITE && r->group != PLAN_INJECT;
}

/* ---- site.c, for the driver: rows of call sites are made when they are found ---- */
int site__plan(struct attach *a, const struct call *c, const struct site_use *use, struct plan_row **row);
int site__plan_none(struct attach *a, const struct site_use *use, const char *func, const char *why, int err);
/* ---- multi.c ---- */
void multi__free(struct attach *a);
/* ---- fentry.c ---- */
void fentry__free(struct attach *a);

#endif
