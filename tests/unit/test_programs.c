// SPDX-License-Identifier: GPL-2.0
/*
 * BPF programs as functions of the host: what they keep, count and tell. Their maps, the ring and the clock are played
 * here, libbpf's headers are those of programs/. The kernel's structs are the programs' own, with their first members
 * somewhere else than at the beginning (tests/host.mk): what is read without asking where it is, is not there.
 */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmlinux.h"
#include "vfiotrace/wire.h"

#include "file.bpf.c"
#include "kho.bpf.c"
#include "luo.bpf.c"
#include "memory.bpf.c"
#include "reboot.bpf.c"
#include "kprobe.bpf.c"
#include "lib/deputy.bpf.h"

/* ---- the kernel ---- */

#define THREADS 16
#define ENTRIES 512
#define RECORDS 256

struct entry {
	const void *map;
	u32 cpu;
	char key[16];
	void *value;
};

static struct {
	struct task_struct thread[THREADS];
	void *storage[THREADS];
	struct entry entry[ENTRIES];	/* the oldest first */
	size_t nr;
	const void *small;	/* a map that has room for ROOM entries, whatever it says */
	size_t room;
	const void *broken;	/* a map that takes nothing more */
	struct vt_wire *record[RECORDS];	/* with room for the largest */
	size_t nr_records;
	u64 now;
	void (*as_time_passes)(void);
	void (*as_it_looks)(void);	/* whatever map it looks into */
} sim;

static void *host_kernel(const void *p, u32 btf_id)
{
	static char nothing[8192];

	return (u64)p < 4096 ? nothing + (u64)p : (void *)p;
}

static long host_read(void *to, u32 size, const void *from)
{
	if ((u64)from < 4096)
		return -EFAULT;
	memcpy(to, from, size);
	return 0;
}

static u32 place_of(struct host_map m)
{
	return m.type == BPF_MAP_TYPE_PERCPU_ARRAY ? m.cpu : 0;
}

static struct entry *find(struct host_map m, const void *key)
{
	for (size_t i = 0; i < sim.nr; i++)
		if (sim.entry[i].map == m.map && sim.entry[i].cpu == place_of(m) && !memcmp(sim.entry[i].key, key, m.key))
			return &sim.entry[i];
	return NULL;
}

static void drop(struct entry *e)
{
	size_t behind = --sim.nr - (e - sim.entry);

	free(e->value);
	memmove(e, e + 1, behind * sizeof(*e));
}

static struct entry *put(struct host_map m, const void *key)
{
	struct entry *e = &sim.entry[sim.nr++];

	assert_true(sim.nr <= ENTRIES);
	e->map = m.map;
	e->cpu = place_of(m);
	memcpy(e->key, key, m.key);
	e->value = calloc(1, m.value);
	return e;
}

static bool is_array(struct host_map m)
{
	return m.type == BPF_MAP_TYPE_ARRAY || m.type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static void *host_lookup(struct host_map m, const void *key)
{
	struct entry *e;

	if (sim.as_it_looks)
		sim.as_it_looks();
	e = find(m, key);
	if (!e && is_array(m) && *(const u32 *)key < m.max)
		e = put(m, key);
	return e ? e->value : NULL;
}

static struct entry *oldest(struct host_map m, size_t *nr)
{
	struct entry *first = NULL;

	*nr = 0;
	for (size_t i = sim.nr; i-- > 0;)
		if (sim.entry[i].map == m.map) {
			first = &sim.entry[i];
			++*nr;
		}
	return first;
}

static long host_update(struct host_map m, const void *key, const void *from, u64 flags)
{
	size_t room = sim.small == m.map ? sim.room : m.max, nr;
	struct entry *e = find(m, key), *old = oldest(m, &nr);

	if (sim.broken == m.map)
		return -ENOMEM;
	if (e && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!e && nr >= room) {
		if (m.type != BPF_MAP_TYPE_LRU_HASH)
			return -E2BIG;
		drop(old);
	}
	memcpy((e ? e : put(m, key))->value, from, m.value);
	return 0;
}

static long host_delete(struct host_map m, const void *key)
{
	struct entry *e = find(m, key);

	if (!e)
		return -ENOENT;
	drop(e);
	return 0;
}

static void *host_storage(u32 size, u64 flags)
{
	void **at = &sim.storage[host_thread.task - sim.thread];

	if (!*at && flags)
		*at = calloc(1, size);
	return *at;
}

static void *host_reserve(u32 size)
{
	assert_true(size <= sizeof(struct vt_wire_pair));
	return calloc(1, sizeof(struct vt_wire_pair));
}

static void host_submit(void *record, u64 flags)
{
	assert_true(sim.nr_records < RECORDS);
	sim.record[sim.nr_records++] = record;
}

static u64 host_now(void)
{
	sim.now += 1000000;
	if (sim.as_time_passes)
		sim.as_time_passes();
	return sim.now;
}

/* ---- what all tests do ---- */

static void run_as(int thread)
{
	host_thread.task = &sim.thread[thread];
}

static void forget_records(void)
{
	while (sim.nr_records)
		free(sim.record[--sim.nr_records]);
}

static int begin(void **state)
{
	memset(&sim, 0, sizeof(sim));
	memset(&control, 0, sizeof(control));
	for (int i = 0; i < THREADS; i++) {
		sim.thread[i].tgid = 100;
		sim.thread[i].pid = 101 + i;
	}
	control.gate = 1;
	control.recorder_cpu = -1;
	host_thread.cpu = 0;
	run_as(0);
	return 0;
}

static int end(void **state)
{
	forget_records();
	while (sim.nr)
		drop(&sim.entry[0]);
	for (int i = 0; i < THREADS; i++)
		free(sim.storage[i]);
	return 0;
}

/* Calls of TYPE that were lost. */
static u64 lost(u32 type)
{
	u32 zero = 0;
	struct vt_wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);

	return cpu->loss[type].count;
}

/* How many records of TYPE there are; LAST: the newest. */
static size_t told(u32 type, struct vt_wire **last)
{
	size_t nr = 0;

	for (size_t i = 0; i < sim.nr_records; i++)
		if (sim.record[i]->type == type) {
			nr++;
			if (last)
				*last = sim.record[i];
		}
	return nr;
}

#define CALL(prog, ...) prog((u64[]){ __VA_ARGS__ })

/* ---- loaders of modules ---- */

static void loads(int thread, const char *name)
{
	struct module mod = { 0 };

	strcpy(mod.name, name);
	run_as(thread);
	CALL(x_module_init, (u64)&mod, 0);
}

/* The thread's system call ends. Whether it was held for it. */
static bool held(int thread, int (*ends)(void *))
{
	u64 before = sim.now;

	run_as(thread);
	ends((u64[]){ 0, 0 });
	return sim.now != before;
}

static void loaders_at_the_same_time(void **state)
{
	struct vt_wire *w = NULL;

	control.module_wait_ns = 20000000;
	loads(1, "vfio");
	control.handlers_pending = 1;
	loads(2, "labstate");
	assert_int_equal(told(VT_EV_REC_MODULE, &w), 2);
	assert_string_equal(w->text, "labstate");
	assert_int_equal(control.modules_seen, 2);
	assert_true(held(1, x_finit_module));
	assert_true(held(2, x_init_module));
	/* Once, and nobody else. */
	assert_false(held(1, x_finit_module));
	assert_false(held(3, x_finit_module));
}

static void modules_that_do_not_matter(void **state)
{
	struct module mod = { .name = "vfio" };

	control.module_wait_ns = 20000000;
	loads(1, "vfio_pci");
	loads(2, "ext4");
	run_as(3);
	CALL(x_module_init, (u64)&mod, (u64)-ENOMEM);
	assert_int_equal(sim.nr_records, 0);
	for (int i = 1; i <= 3; i++)
		assert_false(held(i, x_finit_module));
}

static void more_loaders_than_there_is_room_for(void **state)
{
	control.module_wait_ns = 20000000;
	for (int i = 0; i <= VT_LOADERS; i++)
		loads(i, "vfio");
	assert_false(held(VT_LOADERS, x_finit_module));
	for (int i = 0; i < VT_LOADERS; i++)
		assert_true(held(i, x_finit_module));
	loads(VT_LOADERS, "vfio");
	assert_true(held(VT_LOADERS, x_finit_module));
}

static void recorder_attaches(void)
{
	if (sim.now > 50000000)
		control.modules_done = 2;
}

static void let_go_when_all_is_attached(void **state)
{
	control.module_wait_ns = 1000000000;
	loads(1, "vfio");
	loads(2, "vfio");
	sim.as_time_passes = recorder_attaches;
	assert_true(held(1, x_finit_module));
	assert_in_range(sim.now, 50000000, 60000000);
	assert_true(held(2, x_finit_module));
	assert_in_range(sim.now, 50000000, 70000000);
}

/* ---- tables that are full ---- */

static void calls_at(u32 site, struct vt_site s, u64 first, u64 second, u64 result)
{
	struct pt_regs regs = { .di = first, .si = second, .ax = result };

	bpf_map_update_elem(&sites, &site, &s, BPF_ANY);
	host_thread.cookie = site;
	at_site(&regs);
}

static void descriptors_installed(void **state)
{
	const struct vt_site s = { .kind = VT_SITE_FD_INSTALL };
	struct file files[2] = { 0 };
	struct vt_wire *w = NULL;

	sim.small = &installed;
	sim.room = 1;
	run_as(1);
	calls_at(7, s, 5, (u64)&files[0], 0);
	assert_int_equal(lost(VT_EV_LUO_IOCTL), 0);
	run_as(2);
	calls_at(7, s, 6, (u64)&files[1], 0);
	assert_int_equal(lost(VT_EV_LUO_IOCTL), 1);
	assert_int_equal(told(VT_EV_FD_INSTALL, NULL), 2);
	/* Both ioctls fail: one is told, of the other it is known that it may not be. */
	CALL(x_device_ioctl, 0, 0, 0, (u64)-EFAULT);
	assert_int_equal(told(VT_EV_LUO_IOCTL, NULL), 0);
	run_as(1);
	CALL(x_device_ioctl, 0, 0, 0, (u64)-EFAULT);
	assert_int_equal(told(VT_EV_LUO_IOCTL, &w), 1);
	assert_int_equal(w->slot[VT_S_FD], 5);
}

static void sessions_marked(void **state)
{
	struct file file = { 0 }, *filep = &file;
	char name[64] = "vm0";

	sim.broken = &installed;
	CALL(e_session_retrieve, (u64)name, (u64)&filep);
	CALL(x_session_retrieve, (u64)name, (u64)&filep, 0);
	assert_int_equal(lost(VT_EV_LUO_IOCTL), 1);
}

static void arguments_saved(void **state)
{
	struct pt_regs regs = { .di = 1 };

	sim.small = &saved_args;
	sim.room = 1;
	host_thread.cookie = VT_EV_LUO_RETRIEVE << 16 | 3;
	save_args(&regs);
	assert_int_equal(lost(VT_EV_LUO_RETRIEVE), 0);
	/* Another call within it. */
	host_thread.cookie = VT_EV_OP_RETRIEVE << 16 | 4;
	save_args(&regs);
	assert_int_equal(lost(VT_EV_OP_RETRIEVE), 1);
	assert_int_equal(lost(VT_EV_LUO_RETRIEVE), 0);
	/* While nothing is recorded there is nothing to lose. */
	control.gate = 0;
	save_args(&regs);
	assert_int_equal(lost(VT_EV_OP_RETRIEVE), 1);
}

static const struct vt_site call = { .kind = VT_SITE_OBJ_CALL };
static const struct vt_site result = { .kind = VT_SITE_OBJ_ALLOC, .cls = VT_C_DF, .joined = 1 };

/* Those that never came to where their result is tested do not keep others from it. */
static void allocators_asked(void **state)
{
	struct vt_wire *w = NULL;

	sim.small = &allocating;
	sim.room = 2;
	for (int i = 1; i < 8; i++) {
		run_as(i);
		calls_at(7, call, 0, 0, 0);
	}
	calls_at(8, result, 0, 0, 0x1000);
	assert_int_equal(told(VT_EV_OBJ_ALLOC, &w), 1);
	assert_int_equal(w->slot[VT_S_OBJ], 0x1000);
	/* Once for each call, and for that call. */
	calls_at(8, result, 0, 0, 0x2000);
	calls_at(7, call, 0, 0, 0);
	calls_at(10, result, 0, 0, 0x3000);
	assert_int_equal(told(VT_EV_OBJ_ALLOC, NULL), 1);
	assert_int_equal(lost(VT_EV_OBJ_ALLOC), 0);
}

static void allocators_that_nobody_remembers(void **state)
{
	sim.broken = &allocating;
	calls_at(7, call, 0, 0, 0);
	calls_at(8, result, 0, 0, 0x1000);
	assert_int_equal(told(VT_EV_OBJ_ALLOC, NULL), 0);
	assert_int_equal(lost(VT_EV_OBJ_ALLOC), 1);
}

/* ---- names of sessions ---- */

static void is_of_session(u32 type)
{
	struct vt_wire *w = NULL;

	assert_int_equal(told(type, &w), 1);
	assert_true(w->has_session);
	assert_string_equal(w->session, "vm0");
	forget_records();
}

static void names_of_sessions(void **state)
{
	struct luo_session s = { .name = "vm0", .file_set = { .count = 3 } };
	struct file file = { .private_data = &s };

	s.file_set.files_list = (struct list_head){ &s.file_set.files_list, &s.file_set.files_list };
	CALL(e_session_release, 0, (u64)&file);
	is_of_session(VT_EV_SESSION_RELEASE);
	CALL(x_session_release, 0, (u64)&file, 0);
	forget_records();

	control.peek_addr = (u64)&s;
	session_there(NULL);
	is_of_session(VT_EV_SESSION_THERE);

	/* By the call around. */
	CALL(e_luo_finish, (u64)&s.file_set);
	is_of_session(VT_EV_LUO_FINISH);
	CALL(x_luo_finish, (u64)&s.file_set, 0);
	is_of_session(VT_EV_LUO_FINISH);

	/* A call that cannot take back what it did. */
	CALL(x_session_ioctl, (u64)&file, 0, 0, (u64)-EFAULT);
	is_of_session(VT_EV_LUO_IOCTL);
}

/* ---- blocks side by side ---- */

static struct page pages[64];

/* Within a callback that does. */
static void preserving(void)
{
	control.vmemmap = (u64)pages;
	control.page_shift = 12;
	control.page_offset = 4096;
	control.runs_told = VT_RUNS_TOLD;
	frame_push(VT_EV_OP_PRESERVE, 0, false, 0);
}

static void preserves(int page)
{
	CALL(x_kho_preserve_folio, (u64)&pages[page], 0);
}

/* Goes on with a run, by a look at the CPU's place alone: most of a million do. */
static bool preserves_next(int page)
{
	return quick_kho_preserve_folio(&(struct x_kho_preserve_folio){ .folio = (struct folio *)&pages[page] });
}

/* What KHO's own calls give by the way is no part of a run, though it lies behind it. */
static void runs_pause_within_calls_of_kho(void **state)
{
	struct vt_wire *w = NULL;

	preserving();
	preserves(0);
	assert_true(preserves_next(1));
	CALL(e_kho_alloc_preserve, 4096);
	preserves(2);
	CALL(e_kho_alloc_preserve, 4096);
	preserves(2);
	CALL(x_kho_alloc_preserve, 4096, 4096);
	preserves(2);
	CALL(x_kho_alloc_preserve, 4096, 8192);
	/* It is this task's alone, */
	run_as(1);
	assert_false(preserves_next(2));
	frame_push(VT_EV_OP_PRESERVE, 0, false, 0);
	preserves(2);
	memory_over(task_get());
	assert_int_equal(told(VT_EV_KHO_MEMORY, &w), 1);
	assert_int_equal(w->slot[VT_S_COUNT], 1);
	forget_records();
	/* and here it goes on. */
	run_as(0);
	assert_true(preserves_next(2));
	memory_over(task_get());
	assert_int_equal(told(VT_EV_KHO_MEMORY, &w), 1);
	assert_int_equal(w->slot[VT_S_COUNT], 3);
	assert_int_equal(told(VT_EV_KHO_PRESERVE_FOLIO, &w), 1);
	assert_int_equal(w->slot[VT_S_PHYS], 4096);
	assert_int_equal(w->slot[VT_S_COUNT], 2);
}

/* Of a memory with holes, or one that several CPUs filled: each goes on with its own. */
static void runs_that_take_turns(void **state)
{
	struct vt_wire *w = NULL;

	preserving();
	preserves(0);
	preserves(8);
	for (int i = 1; i < 4; i++) {
		assert_true(preserves_next(i));
		assert_true(preserves_next(8 + i));
	}
	assert_false(preserves_next(6));
	assert_false(preserves_next(3));
	memory_over(task_get());
	/* A block that begins a run, and the run behind it, each twice. */
	assert_int_equal(told(VT_EV_KHO_PRESERVE_FOLIO, &w), 4);
	assert_int_equal(w->slot[VT_S_COUNT], 3);
	assert_int_equal(told(VT_EV_KHO_MEMORY, &w), 1);
	assert_int_equal(w->slot[VT_S_COUNT], 8);
	assert_int_equal(w->slot[VT_S_PAGES], 8);
}

/* Strays do not drive out those that go on. */
static void runs_that_go_on_stay(void **state)
{
	struct vt_wire *w = NULL;

	preserving();
	preserves(0);
	preserves(16);
	for (int i = 1; i < 12; i++) {
		assert_true(preserves_next(i));
		assert_true(preserves_next(16 + i));
		assert_false(preserves_next(32 + 2 * i));
		preserves(32 + 2 * i);
	}
	memory_over(task_get());
	/* Two and what went on behind them, and eleven strays. */
	assert_int_equal(told(VT_EV_KHO_PRESERVE_FOLIO, &w), 15);
	assert_int_equal(told(VT_EV_KHO_MEMORY, &w), 1);
	assert_int_equal(w->slot[VT_S_COUNT], 35);
}

/* What one of KHO's own calls restored has a record in any case, and is in the sum of that call alone. */
static void runs_within_calls_of_kho(void **state)
{
	struct vt_wire *w = NULL;

	preserving();
	control.runs_told = 0;
	CALL(e_kho_restore_free, 4096);
	CALL(x_kho_restore_pages, 4096 * 8, 2, (u64)&pages[8]);
	CALL(x_kho_restore_free, 4096);
	memory_over(task_get());
	assert_int_equal(told(VT_EV_KHO_RESTORE_PAGES, &w), 1);
	assert_int_equal(w->slot[VT_S_DEPTH], 1);
	assert_int_equal(w->slot[VT_S_PAGES], 2);
	assert_int_equal(told(VT_EV_KHO_MEMORY, &w), 0);
}

/* A task may be moved to another CPU at any block: what is open goes along, unless another task's is there. */
static void runs_move_with_their_task(void **state)
{
	struct vt_wire *w = NULL;

	preserving();
	preserves(0);
	assert_true(preserves_next(1));
	host_thread.cpu = 1;
	assert_false(preserves_next(2));
	preserves(2);
	assert_true(preserves_next(3));
	/* Nobody's is left behind. */
	host_thread.cpu = 0;
	run_as(1);
	frame_push(VT_EV_OP_PRESERVE, 0, false, 0);
	preserves(32);
	assert_true(preserves_next(33));
	run_as(0);
	preserves(4);
	assert_false(preserves_next(5));
	preserves(5);
	/* When it is free again they are there. */
	run_as(1);
	memory_over(task_get());
	run_as(0);
	forget_records();
	preserves(6);
	assert_true(preserves_next(7));
	memory_over(task_get());
	assert_int_equal(told(VT_EV_KHO_MEMORY, &w), 1);
	assert_int_equal(w->slot[VT_S_COUNT], 8);
	assert_int_equal(told(VT_EV_KHO_PRESERVE_FOLIO, &w), 1);
	assert_int_equal(w->slot[VT_S_COUNT], 7);
}

/* More pieces than will be told: from there on a block costs no look at the task, and is in the sum all the same. */
static void pieces_that_have_no_record(void **state)
{
	static const int at[] = { 0, 8, 16, 24, 40, 41, 42, 1, 56 };
	struct vt_wire *w = NULL;
	u64 digest = 0;

	preserving();
	control.runs_told = 2;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		digest += vt_blocks_digest(at[i], 0, 1);
		if (i < 3)
			preserves(at[i]);
		else
			assert_true(preserves_next(at[i]));
	}
	memory_over(task_get());
	assert_int_equal(told(VT_EV_KHO_PRESERVE_FOLIO, &w), 2);
	assert_int_equal(told(VT_EV_KHO_MEMORY, &w), 1);
	assert_int_equal(w->slot[VT_S_COUNT], 9);
	assert_int_equal(w->slot[VT_S_PAGES], 9);
	assert_int_equal(w->slot[VT_S_UNTOLD], 7);
	assert_int_equal(w->slot[VT_S_DIGEST], digest);
	assert_int_equal(task_get()->kho_given, 9);
	/* The next call begins anew. */
	forget_records();
	assert_false(preserves_next(60));
	preserves(60);
	memory_over(task_get());
	assert_int_equal(told(VT_EV_KHO_PRESERVE_FOLIO, &w), 1);
	assert_int_equal(told(VT_EV_KHO_MEMORY, &w), 1);
	assert_int_equal(w->slot[VT_S_COUNT], 1);
	assert_int_equal(w->slot[VT_S_UNTOLD], 0);
}

/* The sum is of one task's blocks, of one type and order, and not of what KHO's own calls give by the way. */
static void pieces_of_somebody_else(void **state)
{
	struct vt_wire *w = NULL;

	preserving();
	control.runs_told = 1;
	for (int i = 0; i < 3; i++)
		preserves(8 * i);
	assert_true(preserves_next(24));
	run_as(1);
	assert_false(preserves_next(32));
	run_as(0);
	CALL(e_kho_alloc_preserve, 4096);
	assert_false(preserves_next(32));
	CALL(x_kho_alloc_preserve, 4096, 4096);
	/* Larger ones have a sum of their own. */
	((struct folio *)&pages[40])->flags.f = 1ul << PG_head;
	((struct folio *)&pages[40])->_flags_1 = 2;
	assert_false(preserves_next(40));
	preserves(40);
	/* What a preserve takes back is looked at one by one: a loop that runs off its table is known by that. */
	CALL(x_kho_unpreserve_folio, (u64)&pages[24]);
	CALL(x_kho_unpreserve_folio, (u64)&pages[16]);
	assert_int_equal(task_get()->kho_taken, 2);
	memory_over(task_get());
	assert_int_equal(told(VT_EV_KHO_MEMORY, &w), 3);
	memset(pages, 0, sizeof(pages));
}

/* What a retrieve restores is looked at when it has failed, with a record of its own or without. */
static void pieces_that_are_watched(void **state)
{
	struct vt_wire *w = NULL;

	preserving();
	control.runs_told = 1;
	task_get()->folio_watch = 1;
	for (int i = 0; i < 8; i++) {
		pages[8 * i].lru.next = &pages[8 * i].lru;
		pages[8 * i]._refcount.counter = i < 6;
		CALL(x_kho_restore_folio, 4096 * 8 * i, (u64)&pages[8 * i]);
	}
	memory_over(task_get());
	forget_records();
	folios_settle(true);
	assert_int_equal(told(VT_EV_KHO_FOLIOS, &w), 1);
	assert_int_equal(w->slot[VT_S_COUNT], 8);
	assert_int_equal(w->slot[VT_S_HELD], 6);
	assert_int_equal(w->slot[VT_S_FREED], 2);
	assert_int_equal(w->slot[VT_S_UNTOLD], 0);
	memset(pages, 0, sizeof(pages));
}

/*
 * Tasks that restore memory of theirs, which lies side by side, on two CPUs: each may be moved between two calls, and be
 * preempted in the middle of a program by others, which come as far as the next of their calls then.
 */
#define RESTORERS 4
#define FOLIOS_EACH 16
#define STEPS (FOLIOS_EACH + 6)

static struct {
	struct page folio[RESTORERS * FOLIOS_EACH], table[RESTORERS * 2];
} memory;

static struct {
	int step[RESTORERS];
	bool inside[RESTORERS];
	int nested;
	u32 seed;
} turn;

static u32 chance(u32 of)
{
	turn.seed = turn.seed * 1664525 + 1013904223;
	return (turn.seed >> 8) % of;
}

static u64 phys_at(const struct page *page)
{
	return (u64)(page - (struct page *)&memory) << 12;
}

static void restores_folio(struct page *folio)
{
	CALL(x_kho_restore_folio, phys_at(folio), (u64)folio);
}

static void restores_pages(struct page *page)
{
	CALL(x_kho_restore_pages, phys_at(page), 1, (u64)page);
}

static void restores(int task, int step)
{
	if (step == 0)
		frame_push(VT_EV_OP_RETRIEVE, 0, false, 0);
	else if (step == 1)
		CALL(e_kho_restore_free, 4096);
	else if (step < 4)
		restores_pages(&memory.table[task * 2 + step - 2]);
	else if (step == 4)
		CALL(x_kho_restore_free, 4096);
	else if (step < STEPS - 1)
		restores_folio(&memory.folio[task * FOLIOS_EACH + step - 5]);
	else
		memory_over(task_get());
}

static void another(void);

static void goes_on(int task)
{
	turn.inside[task] = true;
	run_as(task);
	restores(task, turn.step[task]++);
	turn.inside[task] = false;
}

/* Whoever is not in the middle of something, on the CPU at hand. */
static void another(void)
{
	struct task_struct *me = host_thread.task;
	int task = chance(RESTORERS);

	if (turn.nested > 2 || chance(6) || turn.inside[task] || turn.step[task] == STEPS)
		return;
	turn.nested++;
	goes_on(task);
	turn.nested--;
	host_thread.task = me;
}

static void told_all(int task)
{
	const struct page *first = &memory.folio[task * FOLIOS_EACH];
	u64 blocks = 0;
	int sums = 0;

	for (size_t i = 0; i < sim.nr_records; i++) {
		const struct vt_wire *w = sim.record[i];

		if (w->tid != (u32)sim.thread[task].pid)
			continue;
		if (w->type == VT_EV_KHO_RESTORE_FOLIO) {
			assert_in_range(w->slot[VT_S_PHYS], phys_at(first), phys_at(first + FOLIOS_EACH - 1));
			blocks += w->slot[VT_S_COUNT];
		} else if (w->type == VT_EV_KHO_MEMORY) {
			sums++;
			assert_int_equal(w->slot[VT_S_DIGEST], vt_blocks_digest(phys_at(first) >> 12, 0, FOLIOS_EACH));
		}
	}
	assert_int_equal(sums, 1);
	assert_int_equal(blocks, FOLIOS_EACH);
}

static void runs_of_tasks_that_are_preempted(void **state)
{
	memset(&memory, 0, sizeof(memory));
	for (turn.seed = 1; turn.seed < 3000; turn.seed++) {
		u32 seed = turn.seed;
		int left;

		end(NULL);
		begin(NULL);
		control.vmemmap = (u64)&memory;
		control.page_shift = 12;
		control.runs_told = VT_RUNS_TOLD;
		memset(turn.step, 0, sizeof(turn.step));
		sim.as_time_passes = sim.as_it_looks = another;
		do {
			int task = chance(RESTORERS);

			host_thread.cpu = chance(2);
			if (turn.step[task] < STEPS)
				goes_on(task);
			left = 0;
			for (int i = 0; i < RESTORERS; i++)
				left += STEPS - turn.step[i];
		} while (left);
		sim.as_time_passes = sim.as_it_looks = NULL;
		for (int i = 0; i < RESTORERS; i++)
			told_all(i);
		turn.seed = seed;
	}
}

/* ---- objects ---- */

#define CROWD 10

/* Addresses that fall on one place. */
static void crowd(u64 *ptr)
{
	size_t nr = 0;

	for (u64 at = 4096; nr < CROWD; at += 64)
		if (place_in_sieve(at) == place_in_sieve(4096))
			ptr[nr++] = at;
}

static void objects_near_and_far(void **state)
{
	u64 ptr[CROWD];
	u32 *nr = sieve_at(&control, 4096);

	crowd(ptr);
	for (int twice = 0; twice < 2; twice++)
		for (int i = 0; i < CROWD; i++)
			track(ptr[i], VT_C_FILE);
	assert_int_equal(*nr, CROWD);
	assert_int_equal(near_at(place_in_sieve(4096))->far, CROWD - 7);
	for (int i = 0; i < CROWD; i++) {
		assert_true(tracked(ptr[i], VT_C_FILE));
		assert_false(tracked(ptr[i], VT_C_DF));
	}
	/* Those that came first leave room: the others are where they were. */
	for (int i = 0; i < CROWD; i++) {
		assert_true(tracked(ptr[i], VT_C_FILE));
		assert_true(untrack(ptr[i], VT_C_FILE));
		assert_false(untrack(ptr[i], VT_C_FILE));
		track(ptr[CROWD - 1], VT_C_FILE);
		assert_int_equal(*nr, i < CROWD - 1 ? CROWD - 1 - i : 1);
	}
	assert_true(untrack(ptr[CROWD - 1], VT_C_FILE));
	assert_int_equal(*nr, 0);
	assert_int_equal(near_at(place_in_sieve(4096))->far, 0);
	assert_int_equal(control.untracked, CROWD + 1);
}

static void objects_that_there_is_no_room_for(void **state)
{
	u64 ptr[CROWD];
	u32 zero = 0;
	struct vt_wire_cpu *cpu = bpf_map_lookup_elem(&cpus, &zero);

	sim.small = &objects;
	sim.room = 1;
	crowd(ptr);
	for (int i = 0; i < CROWD; i++)
		track(ptr[i], VT_C_FILE);
	assert_int_equal(cpu->unknown[VT_C_FILE].count, CROWD - 8);
	assert_true(tracked(ptr[7], VT_C_FILE));
	assert_false(tracked(ptr[8], VT_C_FILE));
	assert_int_equal(*sieve_at(&control, 4096), 8);
	assert_int_equal(near_at(place_in_sieve(4096))->far, 1);
}

/* Of two CPUs that put the same object one takes it back. */
static void objects_met_at_the_same_time(void **state)
{
	struct vt_near *n = near_at(5);

	n->key[2] = n->key[4] = 4097;
	assert_false(near_settle(n, 4, 4097));
	assert_int_equal(n->key[4], 0);
	assert_true(near_settle(n, 2, 4097));
	assert_int_equal(n->key[2], 4097);
}

/* ---- deputies ---- */

static u64 stack[1 << 18];

/* The next behind PLACE whose words fall where its own do. */
static u64 *falls_with(u64 *place)
{
	u64 *other = place + 1;

	while (words_of(other, true) != words_of(place, true))
		assert_true(++other < stack + sizeof(stack) / sizeof(stack[0]));
	return other;
}

static void deputies_do_what_was_missed(void **state)
{
	u64 *place = stack, *other = falls_with(place);

	host_thread.cookie = VT_COOKIE(VT_HOOK_cdev_open, 3);
	assert_false(leave_word(place, true));
	assert_false(word_was_left(other, true));
	assert_int_equal(control.deputized[3], 1);
	assert_true(word_was_left(place, true));
	assert_false(word_was_left(place, true));	/* the next hit there */
	assert_int_equal(control.deputized[3], 2);
	assert_false(leave_word(place, false));
	assert_false(word_was_left(place, true));	/* of the other end */
	assert_int_equal(control.deputized[3], 3);
	assert_true(word_was_left(place, false));
}

/* Tasks that lose the CPU between the two, at places that fall together. */
static void words_of_many(void **state)
{
	u64 *place[3] = { stack };

	for (int i = 1; i < 3; i++)
		place[i] = falls_with(place[i - 1]);
	for (int i = 0; i < 2; i++)
		leave_word(place[i], true);
	leave_word(place[1], true);	/* what was left there is its own */
	for (int i = 0; i < 2; i++)
		assert_true(word_was_left(place[i], true));
	assert_int_equal(control.crowded, 0);
	for (int i = 0; i < 3; i++)
		leave_word(place[i], true);
	assert_int_equal(control.crowded, 1);
	assert_true(word_was_left(place[2], true));
	assert_int_equal(control.deputized[0], 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(loaders_at_the_same_time),
		T(modules_that_do_not_matter),
		T(more_loaders_than_there_is_room_for),
		T(let_go_when_all_is_attached),
		T(descriptors_installed),
		T(sessions_marked),
		T(arguments_saved),
		T(allocators_asked),
		T(allocators_that_nobody_remembers),
		T(names_of_sessions),
		T(runs_pause_within_calls_of_kho),
		T(runs_that_take_turns),
		T(runs_that_go_on_stay),
		T(runs_within_calls_of_kho),
		T(runs_move_with_their_task),
		T(pieces_that_have_no_record),
		T(pieces_of_somebody_else),
		T(pieces_that_are_watched),
		T(runs_of_tasks_that_are_preempted),
		T(objects_near_and_far),
		T(objects_that_there_is_no_room_for),
		T(objects_met_at_the_same_time),
		T(deputies_do_what_was_missed),
		T(words_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
