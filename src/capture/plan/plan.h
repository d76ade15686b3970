/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The attach plan: which program goes on which kernel function, and what came
 * of it. Rows are made from the hook table (plan.c), from the handlers found
 * at run time and from the call sites found in module text.
 */
#ifndef VT_CAPTURE_PLAN_H
#define VT_CAPTURE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfiotrace/hooks.h"
#include "vfiotrace/trace.h"

struct kernel;
struct func_info;
struct plan_row;
struct vt_control;

/* When a hook's functions are there to be attached to. */
enum plan_group { PLAN_CORE, PLAN_VFIO, PLAN_IOMMUFD, PLAN_HANDLER, PLAN_SITE, PLAN_INJECT };

/* A line of vfiotrace/hooks/: see vfiotrace/hooks.h. */
struct hook {
	enum plan_group group;
	const char *domain;
	const char *prog;	/* programs e_<prog> and x_<prog> */
	bool enter, exit;
	enum vt_event_type event;
	const char *funcs;	/* candidates, "a|b": the first that exists is taken */
	bool shared;		/* may be served by all_e and all_x (bpf/multi.bpf.c) */
	bool hot;		/* and the jump there is one of its own, all_e_<prog> or all_x_<prog>, not all_e_far or all_x_far */
	bool wide;		/* and has no deputy */
	unsigned int flags;	/* enum vt_hook_flag */
	const char *shape;	/* of the function, see shape__fits() */
};

extern const struct hook plan_hooks[VT_HOOKS];
/* The hook of a program of that name, e_<prog> or x_<prog>; NULL when it is no hook's. */
const struct hook *plan__hook(const char *prog);
/* FUNC's shape and name become the row's, with method and reason: whether, and how, it can be hooked. */
void plan__aim(struct plan_row *r, const struct hook *h, const struct func_info *fi);

/* Ways to attach, in the order in which they are tried; each is a file of src/capture/attach/. */
enum plan_method {
	PLAN_ABSENT,	/* there is nothing to attach to, and nothing is missed */
	PLAN_MULTI,	/* fentry and fexit, by a program that other hooks share */
	PLAN_FENTRY,
	PLAN_KPROBE,
	PLAN_CALL_SITE,
	PLAN_FMOD_RET,
};

struct plan_row {
	enum plan_group group;
	enum vt_event_type event;
	char prog[48];		/* BPF program name */
	char func[96];		/* kernel function, or symbol+0xoff for a site */
	char module[64];	/* "vmlinux" or a module */
	char compatible[64];	/* handler rows */
	uint32_t btf_id;	/* of func in the module's BTF */
	uint64_t key;		/* handler address or site address */
	uint32_t site;		/* number of a call site */
	uint64_t addr;		/* of func, where the plan knows it; 0 = by its name */
	int args;		/* of func */
	enum plan_method method;	/* by which it is attached, or was tried last */
	bool only_kprobe;	/* no BTF: fentry is out of the question */
	bool exit;
	bool possible;		/* resolved; attaching may still fail */
	bool attached;
	char reason[160];
	uint64_t attach_ns;
	uint64_t hits, misses, recursion_misses;
	int prog_fd, link_fd, aux_fd;	/* -1 = none; aux: saves the arguments for a kretprobe, or the deputy's */
	unsigned int deputy;		/* multi.c: its number, 0 = there is none; and what it had done */
	uint64_t deputized;		/* when the program that it stands in for was attached */
	const struct vt_control *control;	/* which has what it has done so far */
	uint32_t next;		/* row of the same event, counted from 1 */
};

struct plan {
	struct plan_row *rows;
	size_t nr, cap;
	uint32_t first[VT_EV_MAX];	/* row of each event, counted from 1: every record asks */
	bool indexed;			/* false since rows came or went */
	const char *force_kprobe;	/* functions, "a,b", that are hooked by kprobe although fentry would do; NULL = none */
};

/* Where the functions of a group are: in a module, which may be built in. WITNESS is a function that it cannot do without. */
struct plan_scope {
	enum plan_group group;
	const char *module, *witness;	/* NULL: in vmlinux */
};

/* Rows of the scope's group resolved against the running kernel. */
int plan__resolve(struct plan *p, struct kernel *k, const struct plan_scope *s);
struct plan_row *plan__add(struct plan *p);
/*
 * The attached row that made a record of this type. Of an enter and an exit
 * row EXIT picks one, among handlers KEY, among several functions that feed
 * one type VARIANT (their order in the plan). NULL when there is none.
 */
struct plan_row *plan__source(struct plan *p, enum vt_event_type event, bool exit, uint64_t key, unsigned int variant);
struct plan_row *plan__by_prog(struct plan *p, enum plan_group group, uint64_t key, const char *prog);
/* The row will not be attached, and why. ERR 0: WHAT says it all. */
void plan__give_up(struct plan_row *r, const char *what, int err);
/* Rows of GROUP and KEY are taken out of the plan, detached if need be. */
void plan__drop_rows(struct plan *p, enum plan_group group, uint64_t key);
/* FUNC is to be hooked by a kprobe, because an option says so. */
bool plan__asks_for_kprobe(const struct plan *p, const char *func);
/* How many rows are attached. */
size_t plan__attached(const struct plan *p);
/* "fentry", "fexit", "kprobe", ... as the trace tells it. */
const char *plan__method_name(const struct plan_row *r);
/* The plan as the trace stores it; freed by the caller. */
struct vt_probe *plan__probes(const struct plan *p);
/* Gives the row's descriptors back: nothing is attached any more. */
void plan__detach(struct plan_row *r);
/* Closes *FD if it is open, and forgets it. */
void plan__shut(int *fd);
void plan__clear(struct plan *p);

#endif
