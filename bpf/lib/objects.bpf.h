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
static __always_inline u32 *sieve_at(struct vt_control *c, u64 ptr)
{
	return &c->sieve[(low_half(ptr) >> 6) * 0x9E3779B1u >> (32 - VT_SIEVE_BITS)];
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

#define EEXIST 17
__noinline int track(u64 ptr, u32 cls)
{
	u64 key = ptr + cls;
	u8 yes = 1;
	u32 *nr;
	long err;

	if (!ptr)
		return 0;
	/* Counted before it can be found, so that nobody finds less than there is. */
	nr = sieve_at(&control, ptr);
	__sync_fetch_and_add(nr, 1);
	err = bpf_map_update_elem(&objects, &key, &yes, BPF_NOEXIST);
	if (!err)
		return 0;
	__sync_fetch_and_add(nr, -1);
	if (err != -EEXIST)
		untold(cls);
	return 0;
}

static __always_inline bool tracked(u64 ptr, u32 cls)
{
	u64 key = ptr + cls;

	return *sieve_at(&control, ptr) && bpf_map_lookup_elem(&objects, &key);
}

/* Whether it was there. */
static __always_inline bool untrack(u64 ptr, u32 cls)
{
	u32 *nr = sieve_at(&control, ptr);
	u64 key = ptr + cls;

	if (!*nr || bpf_map_delete_elem(&objects, &key))
		return false;
	__sync_fetch_and_add(&control.untracked, 1);
	__sync_fetch_and_add(nr, -1);
	return true;
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
	u32 zero = 0, at = (u32)(ptr >> 6) * 0x9E3779B1u >> (32 - VT_KNOWN_BITS);
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
