/* SPDX-License-Identifier: GPL-2.0 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/say.h"
#include "capture/kernel/clock.h"
#include "capture/record/convert.h"
#include "capture/record/private.h"

/*
 * Records that are taken in one go. In between they are stored and losses are
 * looked at: where events come as fast as they are taken there is no other
 * moment, and a recorder that is killed then must not leave a trace that says
 * that nothing was lost.
 */
#define SLICE 2048
#define QUIET_NS 10000000000ULL	/* between two lines about the ring */

static int on_record(void *arg, void *data, size_t len)
{
	struct recorder *r = arg;
	const struct vt_wire *w = data;

	if (convert__record(r->conv, data, len) == -EINVAL)
		r->bad++;
	r->consumed++;
	r->dirty = true;
	if (w->type == VT_EV_REBOOT) {
		r->jumping = w->phase == VT_EXIT && !w->slot[VT_S_RET];
		r->planned = false;
	}
	if (w->type == VT_EV_SHUTDOWN || w->type == VT_EV_JUMP)
		r->jumping = r->shut_down = true;
	if (w->type == VT_EV_REC_MODULE)
		r->new_module = true;
	sessions__note(&r->sessions, w);
	return --r->fill.slice ? 0 : -EAGAIN;
}

/* ---- how full it is ---- */

static void map_positions(struct recorder *r)
{
	void *pos = mmap(NULL, 2 * sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED, object__map_fd(r->obj, "ring"), 0);

	r->fill.pos = pos == MAP_FAILED ? NULL : pos;
}

static uint32_t waiting(const struct recorder *r)
{
	size_t page = sysconf(_SC_PAGESIZE) / sizeof(*r->fill.pos);

	return r->fill.pos ? r->fill.pos[page] - r->fill.pos[0] : 0;
}

static const char *size_text(uint64_t bytes, char *buf, size_t len)
{
	snprintf(buf, len, bytes >> 20 ? "%lluM" : "%lluk", (unsigned long long)(bytes >> 20 ? bytes >> 20 : bytes >> 10));
	return buf;
}

static uint64_t larger_ring(const struct recorder *r)
{
	return r->opt->ring_bytes < 1u << 28 ? 4ULL * r->opt->ring_bytes : 1u << 30;
}

static void tell_lost(struct recorder *r)
{
	char has[16], wants[16];

	vt_say("%llu events lost so far: they come faster than they are stored, and the ring (%s) was full; record with --ring %s",
	       (unsigned long long)r->fill.lost, size_text(r->opt->ring_bytes, has, sizeof(has)),
	       size_text(larger_ring(r), wants, sizeof(wants)));
	r->fill.lost_told = r->fill.lost;
}

static void tell_full(const struct recorder *r, uint32_t bytes)
{
	char has[16], wants[16];

	vt_say("the ring (%s) is %llu %% full: events come faster than they are stored; --ring %s has more room",
	       size_text(r->opt->ring_bytes, has, sizeof(has)), 100ULL * bytes / r->opt->ring_bytes,
	       size_text(larger_ring(r), wants, sizeof(wants)));
}

/* While the kernel waits for us is no time to talk. */
static void tell(struct recorder *r, uint32_t bytes)
{
	uint64_t now;

	if (r->jumping || (r->fill.lost == r->fill.lost_told && (bytes < r->opt->ring_bytes / 4 * 3 || r->opt->quiet)))
		return;
	now = clock__now();
	if (now < r->fill.quiet_until)
		return;
	r->fill.quiet_until = now + QUIET_NS;
	if (r->fill.lost != r->fill.lost_told)
		tell_lost(r);
	else
		tell_full(r, bytes);
}

void ring__tell_lost(struct recorder *r)
{
	if (r->fill.lost != r->fill.lost_told)
		tell_lost(r);
}

/* ---- opening, taking ---- */

int ring__open(struct recorder *r)
{
	r->rb = ring_buffer__new(object__map_fd(r->obj, "ring"), on_record, r, NULL);
	if (!r->rb)
		return -errno;
	map_positions(r);
	return 0;
}

void ring__close(struct recorder *r)
{
	if (r->fill.pos)
		munmap((void *)r->fill.pos, 2 * sysconf(_SC_PAGESIZE));
	ring_buffer__free(r->rb);
}

bool ring__drain(struct recorder *r)
{
	uint32_t bytes = waiting(r);
	bool more;

	if (bytes > r->fill.peak)
		r->fill.peak = bytes;
	r->fill.slice = SLICE;
	more = ring_buffer__consume(r->rb) == -EAGAIN;
	if (r->jumping && r->consumed != r->saved)
		jump__save(r);
	jump__newcomers(r);
	output__losses(r);
	if (r->dirty)
		output__store(r, false);
	r->dirty = false;
	output__check(r);
	tell(r, bytes);
	return more;
}
