/* SPDX-License-Identifier: GPL-2.0 */
/* While the kernel waits for us: what it waits for comes first. */
#include "capture/record/private.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>

#include "capture/domain/list.h"
#include "capture/kernel/klog.h"
#include "capture/record/cpuhog.h"

#define HELD_TRIES 100

bool jump__near(const struct recorder *r)
{
	return r->jumping || __atomic_load_n(&object__control(r->obj)->will_jump, __ATOMIC_ACQUIRE);
}

/* Known once the kernel has gone on, which it does at once. */
static void tell_held(struct recorder *r)
{
	uint64_t held = 0;
	char text[32];

	for (int i = 0; !held && i < HELD_TRIES; i++) {
		held = __atomic_load_n(&object__control(r->obj)->waited_ns, __ATOMIC_ACQUIRE);
		if (!held)
			sched_yield();
	}
	if (!held)
		return;
	snprintf(text, sizeof(text), "%" PRIu64, held);
	vt_writer__meta(r->w, "jump.held_ns", text);
}

/* What was written goes to stable storage: all records that were taken. */
static void sync_all(struct recorder *r)
{
	if (!output__store(r, true))
		object__stored(r->obj, r->consumed, r->losses_seen);
	r->saved = r->consumed;
	r->dirty = false;
}

/*
 * Every record, and what is known to be lost, is written, then the hooks as they
 * are known, which asks the kernel nothing; all goes to stable storage at once,
 * and the kernel is let go. A sync may take longer than the kernel waits, so
 * nothing that is needed comes after it.
 */
static void save_awaited(struct recorder *r)
{
	output__losses(r);
	output__mark(r, VT_EV_REC_DRAINED, NULL, NULL);
	if (!r->planned) {
		vt_writer__flush(r->w, false);
		output__plan(r);
		r->planned = true;
	}
	sync_all(r);
}

/*
 * The old kernel is about to jump and may wait for us in device_shutdown(): what
 * it waits for comes first, if that is not stored already. Its own record is not
 * waited for, nor are the counters of the kernel: they take the longer the more
 * CPUs there may be, and may be too late for the storage.
 */
void jump__save(struct recorder *r)
{
	const struct vt_control *c = object__control(r->obj);

	if (r->awaited > r->saved || __atomic_load_n(&c->losses, __ATOMIC_ACQUIRE) != c->losses_synced)
		save_awaited(r);
	if (r->shut_down && !r->counted) {
		r->counted = true;
		tell_held(r);
		sync_all(r);
		output__probes(r);
		r->dirty = true;
	}
	if (r->dirty || r->saved != r->consumed)
		sync_all(r);
}

/*
 * One that comes late is why sessions were lost when a file of its kind was there before it. Which one
 * that was only the kernel's log says: it is looked at until it does.
 */
static void note_missing(struct recorder *r)
{
	char compatible[KLOG_COMPATIBLE];

	if (r->told_missing || !klog__no_handler(compatible))
		return;
	vt_writer__meta(r->w, "luo.no_handler", compatible);
	r->told_missing = true;
}

/* A module that matters has come, or a handler that none of them brought: attach to it, then let its loader go on. */
void jump__newcomers(struct recorder *r)
{
	struct vt_control *c = object__control(r->obj);
	uint32_t late = __atomic_load_n(&c->handlers_late, __ATOMIC_ACQUIRE);
	uint64_t seen = __atomic_load_n(&c->modules_seen, __ATOMIC_ACQUIRE);
	struct cpuhog *hold;
	int64_t ret;

	if (!r->new_module && late == r->handlers_late)
		return;
	hold = r->one_cpu ? cpuhog__begin(r->opt->module_wait_ns) : NULL;
	ret = domains__catch_up(r->d);
	output__mark(r, VT_EV_REC_MODULE, ret < 0 ? "attaching failed" : "attached", &ret);
	vt_writer__meta(r->w, "handlers", domains__handlers(r->d));
	note_missing(r);
	__atomic_store_n(&c->modules_done, seen, __ATOMIC_RELEASE);
	cpuhog__end(hold);
	output__plan(r);
	r->dirty = true;
	r->new_module = false;
	r->handlers_late = late;
}
