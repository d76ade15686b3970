/* SPDX-License-Identifier: GPL-2.0 */
/* In place of libbpf's: programs that run in a unit test, test_programs.c, which is the kernel to them. */
#ifndef VT_TESTS_BPF_HELPERS_H
#define VT_TESTS_BPF_HELPERS_H

#define SEC(name)
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#define __weak __attribute__((weak))
#define __uint(name, val) int (*name)[val]
#define __type(name, val) typeof(val) *name
#define barrier_var(var) asm volatile("" : "+r"(var))

/* What can be read of P. */
static void *host_kernel(const void *p, u32 btf_id);
#undef VT_RDONLY_CAST
#define VT_RDONLY_CAST host_kernel

struct host_map {
	const void *map;
	u32 type, max, key, value;
	u32 cpu;	/* whose place is meant, of a map that has one for each */
};
#define HOST_MAP_OF(m, n) ((struct host_map){ m, sizeof(*(m)->type) / sizeof(int), sizeof(*(m)->max_entries) / sizeof(int), sizeof(*(m)->key), sizeof(*(m)->value), n })
#define HOST_MAP(m) HOST_MAP_OF(m, host_thread.cpu)

static void *host_lookup(struct host_map m, const void *key);
static long host_update(struct host_map m, const void *key, const void *from, u64 flags);
static long host_delete(struct host_map m, const void *key);
static void *host_storage(u32 size, u64 flags);
static void *host_reserve(u32 size);
static void host_submit(void *record, u64 flags);
static u64 host_now(void);
static long host_read(void *to, u32 size, const void *from);

/* The thread that runs, and where. */
static struct {
	struct task_struct *task;
	u32 cpu;
	u64 cookie;
} host_thread;

#define bpf_map_lookup_elem(m, k) host_lookup(HOST_MAP(m), k)
#define bpf_map_lookup_percpu_elem(m, k, n) host_lookup(HOST_MAP_OF(m, n), k)
#define bpf_map_update_elem(m, k, from, flags) host_update(HOST_MAP(m), k, from, flags)
#define bpf_map_delete_elem(m, k) host_delete(HOST_MAP(m), k)
#define bpf_task_storage_get(m, task, init, flags) host_storage(sizeof(*(m)->value), flags)
#define bpf_ringbuf_reserve(r, size, flags) host_reserve(size)
#define bpf_ringbuf_submit(record, flags) host_submit(record, flags)
#define bpf_ringbuf_query(r, what) 0
#define bpf_ringbuf_output(r, data, size, flags)
#define bpf_get_current_task_btf() host_thread.task
#define bpf_get_current_task() ((u64)host_thread.task)
#define bpf_get_current_pid_tgid() ((u64)host_thread.task->tgid << 32 | host_thread.task->pid)
#define bpf_get_smp_processor_id() host_thread.cpu
#define bpf_get_attach_cookie(ctx) host_thread.cookie
#define bpf_get_task_stack(task, buf, size, flags) (-1)
#define bpf_ktime_get_boot_ns() host_now()
#define bpf_probe_read_kernel(to, size, from) host_read(to, size, from)
#define bpf_probe_read_kernel_str(to, size, from) (host_read(to, size, from) ? -1 : (long)(size))

static inline long bpf_loop(u32 nr, void *turn, void *arg, u64 flags)
{
	for (u32 i = 0; i < nr; i++)
		if (((long (*)(u32, void *))turn)(i, arg))
			return i + 1;
	return nr;
}

#endif
