/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attaching: rows of the plan become programs on kernel functions. The ways to
 * do it stand in one table (attach.c), each in a file of its own; a row that
 * one of them refuses goes on to the next.
 */
#ifndef VT_CAPTURE_ATTACH_H
#define VT_CAPTURE_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/plan/plan.h"
#include "vfiotrace/wire.h"

struct attach;
struct call;
struct kernel;
struct object;

/* DRY: load, so that the verifier has its say, but attach nothing. */
int attach__new(struct attach **out, struct kernel *k, struct object *o, struct plan *p, bool dry);
/* What is attached stays so, see plan__detach(). */
void attach__free(struct attach *a);

/* Loads and attaches the resolved rows of GROUP and KEY; the number attached, or -errno. */
int attach__group(struct attach *a, enum plan_group group, uint64_t key);
/*
 * Behind the groups, before the gate is opened: waits for programs that are loaded beside all else, and attaches in another
 * way what they turn out not to do. The number of those, or -errno.
 */
int attach__settle(struct attach *a);
/* Reads misses and recursion misses of all rows from the kernel. */
void attach__count(struct attach *a);

/* ---- call sites ---- */

/* What a call site is for. */
struct site_use {
	enum vt_site_kind kind;
	enum vt_event_type event;
	const char *module;
	bool df_only;		/* see struct vt_site */
	enum vt_class cls;	/* the same */
};

/* As the trace tells it. */
struct site {
	uint64_t addr;		/* the call */
	uint64_t probe;		/* where its kprobe stands, by which its row is known: there, or where the result is tested */
	char where[112];	/* symbol+0xoff [module] */
	const char *callee, *family;
};

/* Puts a kprobe on a call: 1, 0 (the plan says why not), or -errno. */
int attach__call(struct attach *a, const struct call *c, const struct site_use *use);
/* ONE for each of FOUND, which is freed: how many kprobes there are now, or -errno. */
typedef int (*attach_call_fn)(void *arg, struct call *c, const struct site_use *use);
int attach__calls(struct attach *a, struct call *found, int nr, const struct site_use *use, attach_call_fn one, void *arg);
/* The plan says that calls of FUNC cannot be seen, and WHY. 0 or -errno. */
int attach__no_call(struct attach *a, const struct site_use *use, const char *func, const char *why, int err);
/* The call site that a record names; NULL when there is none of that number. */
const struct site *site__get(const struct attach *a, uint32_t number);
/* C in the trace's words. */
struct site site__describe(const struct attach *a, const struct call *c);

#endif
