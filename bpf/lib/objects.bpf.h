/* SPDX-License-Identifier: GPL-2.0 */
/* Objects that are looked for at places that everybody passes. */
#ifndef VFIOTRACE_OBJECTS_BPF_H
#define VFIOTRACE_OBJECTS_BPF_H

#include "lib/maps.bpf.h"

/*
 * How many of the objects fall on PTR's place in the sieve: where none do, the
 * object is not one of them, which is what nearly all that comes by needs to
 * be told. A function's argument is no number to the verifier, but half of it
 * is one.
 */
static __always_inline u32 place_in_sieve(u64 ptr)
{
	return hash_place(low_half(ptr) >> 6, VT_SIEVE_BITS);
}

static __always_inline u32 *sieve_at(struct vt_control *c, u64 ptr)
{
	return &c->sieve[place_in_sieve(ptr)];
}

/* An object that is not known where it ends: what would have been told of it then is lost, from now on. */
static __always_inline void untold(u32 cls)
{
	u32 zero = 0;
	struct vt_wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);

	barrier_var(cls);	/* as in loss_of() */
	if (cpu && cls < VT_C_MAX)
		loss_add(&cpu->unknown[cls]);
}

/*
 * Objects are put where their address falls, while there is room, which costs a
 * tenth of what a hash table's own memory does; the rest goes to such a table.
 * None when PLACE has no such line: all are in the table then.
 */
static __always_inline struct vt_near *near_at(u32 place)
{
	return bpf_map_lookup_elem(&nearby, &place);
}

#define NEAR (sizeof(((struct vt_near *)0)->key) / sizeof(u64))
#define NOT_NEAR NEAR

__noinline u32 near_find(struct vt_near *n, u64 key)
{
#pragma unroll
	for (u32 i = 0; n && i < NEAR; i++)
		if (*(volatile u64 *)&n->key[i] == key)
			return i;
	return NOT_NEAR;
}

static __always_inline bool near_swap(struct vt_near *n, u32 i, u64 is, u64 becomes)
{
	return i < NEAR && __sync_val_compare_and_swap(&n->key[i], is, becomes) == is;
}

/* Two CPUs that met the object at one time have both put it: the first of its places counts. Whether it is now by this call. */
static __always_inline bool near_settle(struct vt_near *n, u32 at, u64 key)
{
	return near_find(n, key) == at || !near_swap(n, at, key, 0);
}

#define EEXIST 17
/* 0, or -errno: what bpf_map_update_elem() says where it is among the far. */
static __always_inline long far_track(struct vt_near *n, u64 key)
{
	u8 yes = 1;
	long err;

	/* Counted before it can be found, so that nobody finds less than there is. */
	if (n)
		__sync_fetch_and_add(&n->far, 1);
	err = bpf_map_update_elem(&objects, &key, &yes, BPF_NOEXIST);
	if (err && n)
		__sync_fetch_and_add(&n->far, -1);
	return err;
}

static __always_inline bool is_far(struct vt_near *n, u64 key)
{
	return (!n || *(volatile u64 *)&n->far) && bpf_map_lookup_elem(&objects, &key);
}

static __always_inline long track_at(struct vt_near *n, u64 key)
{
	u32 at;

	if (!n)
		return far_track(n, key);
	if (near_find(n, key) != NOT_NEAR || is_far(n, key))
		return -EEXIST;
	at = near_find(n, 0);
	if (at == NOT_NEAR || !near_swap(n, at, 0, key))
		return far_track(n, key);
	return near_settle(n, at, key) ? 0 : -EEXIST;
}

__noinline int track(u64 ptr, u32 cls)
{
	u32 *nr;
	long err;

	if (!ptr)
		return 0;
	nr = sieve_at(&control, ptr);
	__sync_fetch_and_add(nr, 1);
	err = track_at(near_at(place_in_sieve(ptr)), ptr + cls);
	if (!err)
		return 0;
	__sync_fetch_and_add(nr, -1);
	if (err != -EEXIST)
		untold(cls);
	return 0;
}

__noinline bool tracked_at(u64 ptr, u32 cls)
{
	struct vt_near *n = near_at(place_in_sieve(ptr));

	return near_find(n, ptr + cls) != NOT_NEAR || is_far(n, ptr + cls);
}

/* None of the objects is there, or nobody asks: for places that everybody passes. */
static __always_inline bool nothing_at(u64 ptr)
{
	struct vt_control *c = ctl_open();

	return !c || !*sieve_at(c, ptr);
}

static __always_inline bool tracked(u64 ptr, u32 cls)
{
	return *sieve_at(&control, ptr) && tracked_at(ptr, cls);
}

static __always_inline bool far_untrack(struct vt_near *n, u64 key)
{
	if (!is_far(n, key) || bpf_map_delete_elem(&objects, &key))
		return false;
	if (n)
		__sync_fetch_and_add(&n->far, -1);
	return true;
}

__noinline bool untrack_at(u64 ptr, u32 cls)
{
	struct vt_near *n = near_at(place_in_sieve(ptr));
	u64 key = ptr + cls;

	if (!(n && near_swap(n, near_find(n, key), key, 0)) && !far_untrack(n, key))
		return false;
	__sync_fetch_and_add(&control.untracked, 1);
	__sync_fetch_and_add(sieve_at(&control, ptr), -1);
	return true;
}

/* Whether it was there. */
static __always_inline bool untrack(u64 ptr, u32 cls)
{
	return *sieve_at(&control, ptr) && untrack_at(ptr, cls);
}

/*
 * Most records of a call tell of the same file, and those of an update of the same few. That one is known holds until an object ends: its address, of which the
 * low bits are none, and how many have ended are one number, so that nobody sees half of it.
 */
#define ENDED_BITS 22
static __always_inline u64 known_as(u64 ptr)
{
	u64 now = *(volatile unsigned long long *)&control.untracked;

	return ptr >> 6 << ENDED_BITS | (now & ((1 << ENDED_BITS) - 1));
}

/* One of several, in turn. */
__noinline int known_among(u64 ptr, u32 cls)
{
	u32 zero = 0, at = hash_place(ptr >> 6, VT_KNOWN_BITS);
	struct vt_wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);
	u64 is = known_as(ptr);

	if (!cpu || at >= 1 << VT_KNOWN_BITS || cpu->known[at] == is)
		return 0;
	if (!tracked(ptr, cls))
		track(ptr, cls);
	cpu->known[at] = is;
	return 0;
}

static __always_inline void file_known(u64 file)
{
	u32 zero = 0;
	struct vt_wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);
	u64 is = known_as(file);

	if (!cpu || cpu->last_file == is)
		return;
	known_among(file, VT_C_FILE);
	cpu->last_file = is;
}

#endif
