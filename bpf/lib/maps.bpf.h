/* SPDX-License-Identifier: GPL-2.0 */
/* What all programs share: the ring, the control page, the tables. And what is counted when something does not fit. */
#ifndef VFIOTRACE_MAPS_BPF_H
#define VFIOTRACE_MAPS_BPF_H

#include "lib/load.bpf.h"
#include "vfiotrace/vocab.h"
#include "vfiotrace/wire.h"

/* Static, as every domain brings one and the linker folds the sections. */
static char LICENSE[] SEC("license") __attribute__((used)) = "GPL";

#define MAX_ERRNO 4095
#define IS_ERR_VALUE(x) ((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)

#define VT_MAP_ATTR SEC(".maps") __weak

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} ring VT_MAP_ATTR;

/* Wakes a thread of the recorder's (src/capture/record/bell.h): what is in it says nothing. As large as the kernel lets it be small. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} bell VT_MAP_ATTR;

/* A variable, not an entry that is looked up: programs have its address. All that is in .bss, which libbpf fills with nothing. */
struct vt_control control;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct vt_wire_cpu);
} cpus VT_MAP_ATTR;

/* Objects worth a look at places that everybody passes: the key is the address + enum vt_class, as these are aligned. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, VT_OBJECTS);
	__type(key, u64);
	__type(value, u8);
} objects VT_MAP_ATTR;

/* The first of them, as many as fit into a line of the cache where their addresses fall: objects.bpf.h. */
struct vt_near {
	u64 key[7];
	u64 far;	/* how many of this place are among the objects above */
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << VT_SIEVE_BITS);
	__type(key, u32);
	__type(value, struct vt_near);
} nearby VT_MAP_ATTR;

/* What handlers' callbacks allocate for themselves; some of it is freed where nobody looks, so old entries go. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, u32);
} privates VT_MAP_ATTR;

/* Call sites of functions of interest: what the recorder found in the text. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VT_SITES_MAX);
	__type(key, u32);
	__type(value, struct vt_site);
} sites VT_MAP_ATTR;

/*
 * What an ioctl of this thread cannot take back if it fails: a file descriptor
 * that it installed, or, with NO_FD, a session that it marked retrieved.
 */
#define NO_FD (~0ull)
struct vt_installed {
	u64 fd, file;
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, struct vt_installed);
} installed VT_MAP_ATTR;

static __always_inline struct vt_control *ctl_get(void)
{
	return &control;
}

/* The control page while the gate is open, NULL otherwise. */
static __always_inline struct vt_control *ctl_open(void)
{
	return *(volatile unsigned int *)&control.gate ? &control : NULL;
}

/* Each of its ioctls asks: an entry that takes the place of another is counted twice, and then more are looked for than there are. */
static __always_inline long installed_put(u32 tid, const struct vt_installed *i)
{
	__sync_fetch_and_add(&control.installed, 1);
	return bpf_map_update_elem(&installed, &tid, i, BPF_ANY);
}

static __always_inline struct vt_installed *installed_get(u32 tid)
{
	return *(volatile unsigned int *)&control.installed ? bpf_map_lookup_elem(&installed, &tid) : NULL;
}

static __always_inline void installed_drop(u32 tid)
{
	if (!bpf_map_delete_elem(&installed, &tid))
		__sync_fetch_and_add(&control.installed, -1);
}

static __always_inline void loss_add(struct vt_wire_loss *l)
{
	u64 now = bpf_ktime_get_boot_ns();

	if (!__sync_fetch_and_add(&l->count, 1))
		l->first_ns = now;
	l->last_ns = now;
	/* Last: who sees it move finds the rest. */
	__sync_fetch_and_add(&control.losses, 1);
}

static __always_inline void loss_of(struct vt_wire_cpu *cpu, u32 type)
{
	/* Tested and used in one register, or the verifier does not see that it was. */
	barrier_var(type);
	if (type < VT_EV_MAX)
		loss_add(&cpu->loss[type]);
}

/*
 * The next number of this CPU. Programs stay on their CPU and can be preempted
 * there, by an interrupt or another task: without one instruction for all of it
 * two records get one number, and the loss of either leaves no gap.
 */
static __always_inline u64 seq_next(struct vt_wire_cpu *cpu)
{
	return __sync_fetch_and_add(&cpu->seq, 1) + 1;
}

/* A record of TYPE that there could not be, or no room for: it takes a number. */
__noinline int loss_count(u32 type)
{
	u32 zero = 0;
	struct vt_wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);

	if (!cpu)
		return 0;
	seq_next(cpu);
	loss_of(cpu, type);
	return 0;
}

/* A call of TYPE of which one end alone was seen. */
__noinline int half_count(u32 type)
{
	u32 zero = 0;
	struct vt_wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);

	barrier_var(type);	/* as in loss_of() */
	if (cpu && type < VT_EV_MAX)
		loss_add(&cpu->half[type]);
	return 0;
}

#endif
