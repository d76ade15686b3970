/* SPDX-License-Identifier: GPL-2.0 */
/* While the kernel waits for us: what it waits for comes first. */
#include "capture/record/private.h"

#include "capture/domain/list.h"
#include "capture/kernel/klog.h"
#include "capture/record/cpuhog.h"

/*
 * The old kernel is about to jump and may wait for us in device_shutdown(): every
 * record, and what is known to be lost, is written, then the hooks as they are
 * known, which asks the kernel nothing; all goes to stable storage at once, and
 * the kernel is let go. A sync may take longer than the kernel waits, so nothing
 * that is needed comes after it. Only the counters of the kernel do: they take
 * the longer the more CPUs there may be, and may be too late for the storage.
 */
void jump__save(struct recorder *r)
{
	struct cpuhog *hold = cpuhog__begin(r->opt->jump_wait_ns);
	uint64_t upto = r->consumed;

	output__losses(r);
	output__mark(r, VT_EV_REC_DRAINED, NULL, NULL);
	if (!r->planned) {
		vt_writer__flush(r->w, false);
		output__plan(r);
		r->planned = true;
	}
	if (!output__store(r, true))
		__atomic_store_n(&object__control(r->obj)->synced, upto, __ATOMIC_RELEASE);
	cpuhog__end(hold);
	r->saved = upto;
	if (r->shut_down && !r->counted) {
		r->counted = true;
		output__probes(r);
		output__store(r, true);
	}
	r->dirty = false;
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
