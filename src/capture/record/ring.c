/* SPDX-License-Identifier: GPL-2.0 */
#include <assert.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/epoll.h>
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

static void on_record(struct recorder *r, const void *data, size_t len)
{
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
	if (!r->shut_down)
		r->awaited = r->consumed;
	if (w->type == VT_EV_REC_MODULE)
		r->new_module = true;
	sessions__note(&r->sessions, w);
}

/* Takes records up to the first one that is still being written. True: there are more, the slice is over. */
static bool take_slice(struct recorder *r)
{
	struct ring *g = &r->ring;
	unsigned long at = *g->consumer;

	while (at < __atomic_load_n(g->producer, __ATOMIC_ACQUIRE)) {
		const uint32_t *head = (const uint32_t *)(g->data + (at & (g->size - 1)));
		uint32_t len = __atomic_load_n(head, __ATOMIC_ACQUIRE);
		bool dropped = len & BPF_RINGBUF_DISCARD_BIT;

		if (len & BPF_RINGBUF_BUSY_BIT)
			return false;
		len &= ~BPF_RINGBUF_DISCARD_BIT;
		if (!dropped)
			on_record(r, (const char *)head + BPF_RINGBUF_HDR_SZ, len);
		at += (len + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
		__atomic_store_n(g->consumer, at, __ATOMIC_RELEASE);
		if (!dropped && !--r->fill.slice)
			return true;
	}
	return false;
}

/* ---- how full it is ---- */

static uint32_t waiting(const struct recorder *r)
{
	return __atomic_load_n(r->ring.producer, __ATOMIC_RELAXED) - *r->ring.consumer;
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

static_assert(sizeof(struct vt_wire_pair) + BPF_RINGBUF_HDR_SZ <= 4096, "a record that begins at the ring's end has room in the page behind");

/*
 * Not by libbpf, which maps all of the data twice: what is mapped counts as the
 * recorder's memory, and one page of the second time is enough.
 */
int ring__open(struct recorder *r)
{
	struct epoll_event readable = { .events = EPOLLIN };
	int fd = object__map_fd(r->obj, "ring");
	struct ring *g = &r->ring;
	char *rest;

	g->page = sysconf(_SC_PAGESIZE);
	g->size = r->opt->ring_bytes;
	g->consumer = mmap(NULL, g->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (g->consumer == MAP_FAILED) {
		g->consumer = NULL;
		return -errno;
	}
	rest = mmap(NULL, g->page + g->size + g->page, PROT_READ, MAP_SHARED, fd, g->page);
	if (rest == MAP_FAILED)
		return -errno;
	g->producer = (const unsigned long *)rest;
	g->data = rest + g->page;
	g->epoll = epoll_create1(EPOLL_CLOEXEC);
	return g->epoll < 0 || epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &readable) ? -errno : 0;
}

void ring__close(struct recorder *r)
{
	struct ring *g = &r->ring;

	if (g->epoll >= 0)
		close(g->epoll);
	if (g->producer)
		munmap((void *)g->producer, g->page + g->size + g->page);
	if (g->consumer)
		munmap(g->consumer, g->page);
}

bool ring__drain(struct recorder *r)
{
	uint32_t bytes = waiting(r);
	bool more;

	if (bytes > r->fill.peak)
		r->fill.peak = bytes;
	r->fill.slice = SLICE;
	more = take_slice(r);
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
