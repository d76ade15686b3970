/* SPDX-License-Identifier: GPL-2.0 */
/* The file: opened, told about itself, pushed out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/say.h"
#include "capture/attach/attach.h"
#include "capture/domain/domain.h"
#include "capture/kernel/clock.h"
#include "capture/kernel/kernel.h"
#include "capture/kernel/origin.h"
#include "capture/kernel/slurp.h"
#include "capture/kernel/phase.h"
#include "capture/record/carry.h"
#include "capture/record/private.h"
#include "capture/record/syncer.h"

/* ---- what it says about itself ---- */

/* By what two traces are known to be of one update. */
static void meta_update(struct recorder *r)
{
	struct kernel_origin o = origin__of(r->k, object__reader, r->obj);
	char text[64], machine[32];

	slurp__line("/proc/sys/kernel/random/boot_id", text, sizeof(text));
	vt_writer__meta(r->w, "boot_id", text);
	slurp__line("/sys/class/dmi/id/product_uuid", text, sizeof(text));
	origin__machine(text, machine, sizeof(machine));
	if (*machine)
		vt_writer__meta(r->w, "machine.id", machine);
	if (o.count != ORIGIN_UNKNOWN) {
		snprintf(text, sizeof(text), "%ld", o.count);
		vt_writer__meta(r->w, "kho.count", text);
	}
	if (*o.previous)
		vt_writer__meta(r->w, "kho.previous", o.previous);
}

/*
 * Whether the page cache can hold folios of several pages (CONFIG_XARRAY_MULTI): these functions exist for that only, and are
 * exported, so that no compiler does without them.
 */
static const char *large_folios(const struct kernel *k)
{
	static const char *const multi[] = { "xas_split", "xas_split_alloc", "xas_try_split" };

	if (!kernel__addr(k, "xas_load", "vmlinux") || !kernel__addr(k, "xas_store", "vmlinux"))
		return NULL;
	for (size_t i = 0; i < sizeof(multi) / sizeof(multi[0]); i++) {
		if (kernel__addr(k, multi[i], "vmlinux"))
			return "yes";
	}
	return "no";
}

void output__meta(struct recorder *r)
{
	char page[32], cmdline[512], started[32], phases[1024];
	struct utsname u;
	time_t t = time(NULL);
	struct tm tm;

	uname(&u);
	gmtime_r(&t, &tm);
	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", &tm);
	snprintf(page, sizeof(page), "%ld", sysconf(_SC_PAGESIZE));
	slurp__line("/proc/cmdline", cmdline, sizeof(cmdline));
	vt_writer__meta(r->w, "tool.version", VFIOTRACE_VERSION);
	vt_writer__meta(r->w, "command", r->opt->command_line);
	vt_writer__meta(r->w, "kernel.release", u.release);
	vt_writer__meta(r->w, "kernel.version", u.version);
	vt_writer__meta(r->w, "kernel.build_id", kernel__build_id(r->k));
	vt_writer__meta(r->w, "kernel.cmdline", cmdline);
	vt_writer__meta(r->w, "machine", u.machine);
	vt_writer__meta(r->w, "page_size", page);
	if (large_folios(r->k))
		vt_writer__meta(r->w, "large_folios", large_folios(r->k));
	meta_update(r);
	vt_writer__meta(r->w, "clock", "CLOCK_BOOTTIME ns");
	vt_writer__meta(r->w, "started", started);
	vt_writer__meta(r->w, "luo", kernel__has_luo(r->k) ? "yes" : "no");
	vt_writer__meta(r->w, "handlers", domains__handlers(r->d));
	phase__begin(NULL);
	phase__print(phases, sizeof(phases));
	vt_writer__meta(r->w, "arming", phases);
	if (r->carry)
		vt_writer__meta(r->w, "carried", "session " VT_OWN_SESSION);
}

void output__plan(struct recorder *r)
{
	struct plan *p = domains__plan(r->d);
	struct vt_probe *probes = plan__probes(p);

	if (probes)
		vt_writer__probes(r->w, probes, p->nr);
	free(probes);
}

void output__probes(struct recorder *r)
{
	attach__count(domains__attach(r->d));
	output__plan(r);
}

void output__misses(struct recorder *r)
{
	struct plan *p = domains__plan(r->d);
	uint64_t misses = 0;

	attach__count(domains__attach(r->d));
	for (size_t i = 0; i < p->nr; i++)
		misses += p->rows[i].misses + p->rows[i].recursion_misses;
	if (misses == r->misses_told)
		return;
	r->misses_told = misses;
	output__plan(r);
}

/* Only what is new since the last time: readers add the rows up. */
static void write_loss(struct recorder *r, enum vt_event_type type, const char *why, const struct vt_wire_loss *now,
		       const struct vt_wire_loss *told, uint64_t to_ns)
{
	struct vt_loss l = { .event = vt_event_name(type), .why = why, .to_ns = to_ns };

	if (now->count == told->count)
		return;
	l.count = now->count - told->count;
	r->dirty = true;
	l.from_ns = told->count ? told->last_ns : now->first_ns;
	vt_writer__loss(r->w, &l);
}

void output__losses(struct recorder *r)
{
	uint64_t seen = __atomic_load_n(&object__control(r->obj)->losses, __ATOMIC_ACQUIRE);
	struct object_losses now;

	if (seen == r->losses_seen || object__losses(r->obj, &now))
		return;
	r->losses_seen = seen;
	for (int t = 1; t < VT_EV_MAX; t++) {
		r->fill.lost += now.ring[t].count - r->told.ring[t].count;
		write_loss(r, t, VT_LOSS_RING, &now.ring[t], &r->told.ring[t], now.ring[t].last_ns);
		write_loss(r, t, VT_LOSS_SPARED, &now.spared[t], &r->told.spared[t], now.spared[t].last_ns);
		write_loss(r, t, "one end of a call alone was seen", &now.half[t], &r->told.half[t], now.half[t].last_ns);
	}
	for (const struct domain *const *d = domain_list; *d; d++)
		for (const struct domain_memory *m = (*d)->remembered; m && m->type; m++)
			write_loss(r, m->type, VT_LOSS_OBJECTS, &now.unknown[m->cls], &r->told.unknown[m->cls], UINT64_MAX);
	r->sessions.unsure |= now.ring[VT_EV_SESSION_RELEASE].count;
	r->told = now;
}

static void begin_mark(struct recorder *r, enum vt_event_type type)
{
	/* In a pid namespace getpid() is another number than the records of ours have. */
	uint32_t self = object__control(r->obj)->peek_tgid;
	struct vt_stamp stamp = { .ts_ns = clock__now(), .tgid = self, .tid = self, .comm = "vfiotrace" };

	vt_writer__begin(r->w, type, VT_POINT, &stamp);
}

/* Nobody writes records any more, and all are read: what a CPU numbered and is not in the file is lost, whatever is told of it. */
void output__stop(struct recorder *r)
{
	static char numbers[32 << 10];

	begin_mark(r, VT_EV_REC_STOP);
	vt_writer__str(r->w, VT_F_NAME, r->why);
	if (*object__numbers(r->obj, numbers, sizeof(numbers)))
		vt_writer__str(r->w, VT_F_NUMBERS, numbers);
	vt_writer__end(r->w);
	r->dirty = true;
}

void output__mark(struct recorder *r, enum vt_event_type type, const char *name, const int64_t *ret)
{
	begin_mark(r, type);
	if (name)
		vt_writer__str(r->w, VT_F_NAME, name);
	if (ret)
		vt_writer__s64(r->w, VT_F_RET, *ret);
	vt_writer__end(r->w);
	r->dirty = true;
}

/* ---- pushing it out ---- */

/* What was pushed out is what the next kernel may take, where the trace is carried over. */
int output__store(struct recorder *r, bool sync)
{
	int err = syncer__error(r->syncer);

	if (err)
		vt_writer__fail(r->w, err);
	err = vt_writer__flush(r->w, sync);
	if (r->syncer && !sync)
		syncer__want(r->syncer);
	carry__stored(r->carry, vt_writer__bytes(r->w));
	return err;
}

void output__check(struct recorder *r)
{
	int err = vt_writer__error(r->w);

	if (!err || r->storage_told)
		return;
	vt_say("%s: %s; what was written so far stays readable", r->carry ? "the carried trace" : r->opt->output, strerror(-err));
	r->storage_told = true;
}

/* ---- opening ---- */

static int open_file(struct recorder *r)
{
	int err = vt_writer__open(r->opt->output, &r->w);

	if (!err)
		return 0;
	return vt_fail(err == -EACCES || err == -EPERM ? VT_EXIT_PERMISSION : VT_EXIT_IO, "cannot create %s: %s%s",
		       r->opt->output, strerror(-err), err == -ELOOP ? " (symbolic links are not followed)" : "");
}

/* What others sent through the live update is rebuilt under the gate, the tool's own preservation is not recorded. */
static int open_carried(struct recorder *r)
{
	const char *why = "cannot write to the memory file";
	int err, fd;

	object__gate(r->obj, 1);
	err = carry__first_open();
	object__gate(r->obj, 0);
	if (err) {
		/* All that arrived is lost, and a trace that shows it is wanted most here. */
		vt_say("LUO has failed in this kernel (%s), and carries nothing into the next: the trace goes to %s", strerror(-err), r->opt->output);
		return open_file(r);
	}
	err = carry__open(r->opt->carry_bytes, &r->carry, &why);
	if (!err) {
		fd = carry__writer_fd(r->carry);
		err = fd < 0 ? fd : vt_writer__fdopen(fd, &r->w);
	}
	if (!err)
		return 0;
	return vt_fail(err == -EACCES || err == -EPERM ? VT_EXIT_PERMISSION : VT_EXIT_UNSUPPORTED,
		       "cannot carry the trace over: %s: %s", why, strerror(-err));
}

int output__open(struct recorder *r)
{
	return r->opt->carry_bytes ? open_carried(r) : open_file(r);
}
