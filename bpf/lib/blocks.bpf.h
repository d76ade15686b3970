/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Folios and pages on their way through KHO. A VM has millions of them, so
 * what one call does to blocks of one order that lie side by side is one
 * record. It is made when too many others did not go on there, and at the
 * latest when the callback, or the call of LUO, begins another or is over. The
 * block that begins a run has a record of its own, at once: others may race for
 * it, and what came first must come first.
 *
 * Memory in too many pieces even for that (VT_RUNS_TOLD) is told up to there,
 * and from there on no run is looked for: a block is added to the sum where it is
 * met, which is much less than to begin a run and to end it.
 * What a call did to blocks of one order is told as a sum at its end in any
 * case, with a digest of the set that does not depend on the order: what was
 * preserved and what is restored can be compared whole.
 *
 * A million of them must cost next to nothing each. Open runs are kept at the
 * CPU, where the next block finds them without a look at the task: they belong
 * to the task that OWNER says, and nobody else touches them. A task that finds
 * the place taken keeps its runs with itself. While the task is inside a call of
 * KHO's own that gives blocks by the way, OWNER is nobody that asks (VT_PAUSED):
 * such a block is none of the run that it may happen to lie behind.
 */
#ifndef VFIOTRACE_BLOCKS_BPF_H
#define VFIOTRACE_BLOCKS_BPF_H

#include "lib/wire.bpf.h"

#define RUNS_HERE (~0u)
#define VT_PAUSED 1ull	/* no struct task_struct is at an odd address */
#define VT_FOLIOS 8192		/* power of two: of restored folios the newest runs are kept, all tasks' */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct vt_runs);
} runs VT_MAP_ATTR;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VT_FOLIOS);
	__type(key, u32);
	__type(value, struct vt_folio);
} folios VT_MAP_ATTR;

/* A kernel that no longer keeps these in struct page is not looked at: `untold` says so. */
static __always_inline bool folios_readable(void)
{
	return bpf_core_field_exists(struct page, lru) && bpf_core_field_exists(struct page, mapping) &&
	       bpf_core_field_exists(struct page, _refcount);
}

static __always_inline u32 order_of_folio(u64 folio)
{
	const struct folio *f = KERNEL((const struct folio *)folio);

	if (!(f->flags.f >> bpf_core_enum_value(enum pageflags, PG_head) & 1))
		return 0;
	return f->_flags_1 & 0xff;
}

/* lru.next of a folio that was just restored; 0: its own address, which is how the boot leaves it. */
static __always_inline u64 lru_of_folio(u64 folio)
{
	u64 at = folio + bpf_core_field_offset(struct page, lru), next;

	if (!bpf_core_field_exists(struct page, lru))
		return 0;
	next = (u64)READ((struct page *)folio, lru.next);
	return next == at ? 0 : next;
}

/* NR folios in a row; the place that they got. */
static __always_inline u64 folios_keep(struct vt_control *c, u64 page, u64 step, u64 lru, u32 nr)
{
	u64 at = __sync_fetch_and_add(&c->folios_next, 1);
	u32 i = at & (VT_FOLIOS - 1);
	struct vt_folio *f = bpf_map_lookup_elem(&folios, &i);

	if (!f || !folios_readable())
		return at;
	f->page = page;
	f->step = step;
	f->lru = lru;
	f->nr = nr;
	f->tid = (u32)bpf_get_current_pid_tgid();
	return at;
}

/* What becomes of them is looked at when the call is over (folio.bpf.h). */
static __always_inline void folios_remember(struct vt_control *c, struct vt_task *t, const struct vt_run *r)
{
	u64 at;

	if (!t->folio_watch || r->type != VT_EV_KHO_RESTORE_FOLIO || r->depth)
		return;
	at = folios_keep(c, r->first, r->step, r->lru, r->blocks);
	if (!t->folios.nr)
		t->folios.first = at;
	t->folios.nr += r->blocks;
}

static __always_inline struct vt_run *run_at(struct vt_runs *all, u32 i)
{
	i &= VT_RUNS_OPEN - 1;
	barrier_var(i);
	return &all->run[i];
}

/* One that goes on is kept from the end of the row, where the next new run falls out. */
static __always_inline void run_forward(struct vt_runs *all, u32 i)
{
	struct vt_run *r = run_at(all, i), *ahead = run_at(all, i - VT_RUNS_OPEN / 2), mine = *r;

	*r = *ahead;
	*ahead = mine;
}

/* The folio goes on where the run ends, and all else is as there. */
static __always_inline bool run_grow(const struct vt_runs *all, struct vt_run *r, u32 type, u64 folio)
{
	if (r->next != folio || r->type != type || (type == VT_EV_KHO_RESTORE_FOLIO && (r->lru || lru_of_folio(folio))) ||
	    all->owner != bpf_get_current_task() || order_of_folio(folio) != r->order)
		return false;
	if (!r->blocks++)
		r->first = r->next;
	r->next += r->step;
	return true;
}

/* One of the rest, if it is like those before. */
static __always_inline bool rest_add(struct vt_runs *all, u32 type, u64 folio)
{
	struct vt_rest *rest = &all->rest;

	if (rest->type != type || all->owner != bpf_get_current_task() || order_of_folio(folio) != rest->order ||
	    (type == VT_EV_KHO_RESTORE_FOLIO && lru_of_folio(folio)))
		return false;
	rest->count++;
	rest->digest += vt_blocks_digest(pfn_of_page(&control, folio), rest->order, 1);
	if (rest->watched)
		folios_keep(&control, folio, 0, 0, 1);
	return true;
}

/*
 * A folio that goes on with an open run, mostly with the newest. A memory that several CPUs filled, or that has holes,
 * takes folios from one run and another in turn.
 */
static __always_inline bool block_next(u32 type, u64 folio)
{
	u32 zero = 0, i = 1;
	struct vt_runs *all = bpf_map_lookup_elem(&runs, &zero);

	if (!all)
		return false;
	if (rest_add(all, type, folio))
		return true;
	if (all->run[0].next == folio)
		return run_grow(all, &all->run[0], type, folio);
#pragma unroll
	for (; i < VT_RUNS_OPEN - 1; i++) {
		if (all->run[i].next == folio)
			break;
	}
	if (!run_grow(all, run_at(all, i), type, folio))
		return false;
	if (i >= VT_RUNS_OPEN / 2)
		run_forward(all, i);
	return true;
}

static __always_inline u32 way_of(u32 type)
{
	if (type == VT_EV_KHO_PRESERVE_FOLIO || type == VT_EV_KHO_PRESERVE_PAGES)
		return VT_GIVEN;
	return type == VT_EV_KHO_UNPRESERVE_FOLIO || type == VT_EV_KHO_UNPRESERVE_PAGES ? VT_TAKEN_BACK : VT_RESTORED;
}

static __always_inline struct vt_sum *sum_at(struct vt_task *t, u32 i)
{
	i &= VT_SUMS - 1;
	barrier_var(i);
	return &t->sum[i];
}

static __always_inline struct vt_runs *runs_of(struct vt_task *t)
{
	u32 zero = 0;

	return t->runs_at == RUNS_HERE ? &t->runs : t->runs_at ? bpf_map_lookup_percpu_elem(&runs, &zero, t->runs_at - 1) : NULL;
}

static __always_inline void runs_pause(struct vt_task *t)
{
	struct vt_runs *all = t->runs_at ? runs_of(t) : NULL;

	if (all)
		all->owner |= VT_PAUSED;
}

static __always_inline void runs_resume(struct vt_task *t)
{
	struct vt_runs *all = t->runs_at ? runs_of(t) : NULL;

	if (all)
		all->owner &= ~VT_PAUSED;
}

/* A place for them: at this CPU, if no other task has its own there. */
static __always_inline struct vt_runs *runs_begin(struct vt_task *t)
{
	u64 me = bpf_get_current_task();
	u32 zero = 0;
	struct vt_runs *all = bpf_map_lookup_elem(&runs, &zero);

	if (all && !__sync_val_compare_and_swap(&all->owner, 0, me)) {
		t->runs_at = bpf_get_smp_processor_id() + 1;
	} else {
		t->runs_at = RUNS_HERE;
		all = &t->runs;
		all->owner = me;
	}
	for (u32 i = 0; i < VT_RUNS_OPEN; i++)
		all->run[i].step = all->run[i].blocks = all->run[i].next = 0;
	__builtin_memset(&all->rest, 0, sizeof(all->rest));
	if (!t->nr_sums)
		t->runs_depth = t->depth;
	return all;
}

/* NR blocks of one order more, without records of their own if they are UNTOLD. */
static __always_inline void sum_add(struct vt_task *t, u32 type, u32 order, u32 nr, u64 pages, u64 digest, bool untold)
{
	u32 i = way_of(type) * VT_ORDERS + order, n = t->nr_sums & (VT_SUMS - 1);
	struct vt_sum *s = sum_at(t, i);

	if (!s->count) {
		barrier_var(n);
		t->used[n] = i;
		t->nr_sums++;
	}
	s->count += nr;
	s->pages += pages;
	s->digest += digest;
	if (untold)
		s->untold += nr;
}

/* The rest is done with: what was added up goes where the sums of its call are. */
static __always_inline void rest_end(struct vt_task *t, struct vt_runs *all)
{
	struct vt_rest *rest = &all->rest;

	if (rest->count) {
		sum_add(t, rest->type, rest->order, rest->count, (u64)rest->count << (rest->order & 31), rest->digest, true);
		if (way_of(rest->type) == VT_GIVEN)
			t->kho_given += rest->count;
		if (rest->watched)
			t->folios.nr += rest->count;
	}
	__builtin_memset(rest, 0, sizeof(*rest));
}

/*
 * Nothing that is like B will have a record any more. What is taken back within a preserve has to pass spare(), one by
 * one, and the first that are to be remembered are so by their runs.
 */
static __always_inline void rest_begin(struct vt_task *t, struct vt_runs *all, const struct vt_run *b)
{
	bool watched = t->folio_watch && b->type == VT_EV_KHO_RESTORE_FOLIO;
	struct vt_frame *f = frame_top(t);

	if (t->nr_runs < control.runs_told || b->depth || b->order == VT_NO_ORDER || b->lru)
		return;
	if ((all->rest.type == b->type && all->rest.order == b->order) || (watched && !t->folios.nr))
		return;
	if (way_of(b->type) == VT_TAKEN_BACK && (!f || f->type == VT_EV_OP_PRESERVE))
		return;
	rest_end(t, all);
	all->rest.type = b->type;
	all->rest.order = b->order;
	all->rest.watched = watched;
}

/* A task that was moved to another CPU takes what is open along, if there is a place: the next block looks there. */
static __always_inline struct vt_runs *runs_here(struct vt_task *t, struct vt_runs *all)
{
	u32 here = bpf_get_smp_processor_id() + 1, zero = 0;
	struct vt_runs *place;

	if (t->runs_at == here)
		return all;
	place = bpf_map_lookup_elem(&runs, &zero);
	if (!place || __sync_val_compare_and_swap(&place->owner, 0, bpf_get_current_task()))
		return all;
	*place = *all;
	all->owner = 0;
	t->runs_at = here;
	return place;
}

/* What call of KHO's own it was part of, if any, has the sum of it. Whether it has a record as well. */
static __always_inline bool run_sum(struct vt_task *t, const struct vt_run *r, u64 pfn, u64 pages)
{
	bool is_folio = r->order != VT_NO_ORDER, told = r->depth || t->nr_runs < control.runs_told;
	u32 nr = is_folio ? r->blocks : pages;

	if (!r->depth)
		sum_add(t, r->type, r->order, nr, pages, vt_blocks_digest(pfn, is_folio ? r->order : 0, nr), !told);
	return told;
}

static __always_inline void run_tell(struct vt_control *c, struct vt_task *t, const struct vt_run *r, u64 phys, u64 pages)
{
	struct vt_wire *w = wire_reserve(t, sizeof(*w), r->type, VT_EXIT);

	t->nr_runs++;
	if (!w)
		return;
	slot(w, VT_S_PHYS, phys);
	slot(w, VT_S_PAGES, pages);
	slot(w, VT_S_DEPTH, r->depth);
	if (r->order < VT_NO_ORDER) {
		slot(w, VT_S_ORDER, r->order);
		slot(w, VT_S_COUNT, r->blocks);
	}
	if (way_of(r->type) != VT_TAKEN_BACK)
		slot(w, VT_S_RET, 0);
	wire_send(c, w);
}

__noinline int run_end(struct vt_task *t, struct vt_run *r)
{
	struct vt_control *c = ctl_open();
	u64 pages;

	if (!r || !c || !t || !r->blocks)
		return 0;
	pages = (r->next - r->first) / bpf_core_type_size(struct page);
	if (way_of(r->type) == VT_GIVEN && !r->depth)
		t->kho_given += r->blocks;
	folios_remember(c, t, r);
	if (run_sum(t, r, pfn_of_page(c, r->first), pages))
		run_tell(c, t, r, phys_of_page(c, r->first), pages);
	r->blocks = 0;
	return 0;
}

static __always_inline void sum_name(struct vt_wire *w, u32 way)
{
	if (way == VT_GIVEN)
		__builtin_memcpy(w->text, "preserved", 10);
	else if (way == VT_TAKEN_BACK)
		__builtin_memcpy(w->text, "unpreserved", 12);
	else
		__builtin_memcpy(w->text, "restored", 9);
	w->text_is = VT_TEXT_NAME;
}

static __always_inline u32 sum_used(struct vt_task *t, u32 n)
{
	n &= VT_SUMS - 1;
	barrier_var(n);
	return t->used[n];
}

static long sum_tell(u32 n, struct vt_task **task)
{
	struct vt_control *c = ctl_get();
	struct vt_task *t = *task;
	u32 i = sum_used(t, n);
	struct vt_sum *s = sum_at(t, i);
	struct vt_wire *w;

	if (!s->count)
		return 0;
	w = wire_reserve(t, sizeof(*w), VT_EV_KHO_MEMORY, VT_POINT);
	if (w) {
		sum_name(w, i / VT_ORDERS);
		if (i % VT_ORDERS != VT_NO_ORDER)
			slot(w, VT_S_ORDER, i % VT_ORDERS);
		slot(w, VT_S_COUNT, s->count);
		slot(w, VT_S_PAGES, s->pages);
		slot(w, VT_S_DIGEST, s->digest);
		slot(w, VT_S_UNTOLD, s->untold);
		wire_send(c, w);
	}
	__builtin_memset(s, 0, sizeof(*s));
	return 0;
}

static long sum_drop(u32 n, struct vt_task **task)
{
	__builtin_memset(sum_at(*task, sum_used(*task, n)), 0, sizeof(struct vt_sum));
	return 0;
}

/* The end of their call was not seen: whose they are is not known any more. */
static __always_inline void blocks_drop(struct vt_task *t)
{
	loss_count(VT_EV_KHO_MEMORY);
	bpf_loop(t->nr_sums, sum_drop, &t, 0);
	t->nr_sums = t->nr_runs = 0;
}

/* Open runs are told, the newest last, and, when the call is OVER, its sums. */
__noinline int blocks_settle(struct vt_task *t, bool over)
{
	struct vt_runs *all;
	bool ours;

	if (!t || !ctl_open())
		return 0;
	all = runs_of(t);
	ours = t->depth && t->runs_depth == t->depth;
	t->runs_at = 0;
	if (all) {
		if (ours)
			rest_end(t, all);
		for (u32 i = VT_RUNS_OPEN; ours && i-- > 0;) {
			if (all->run[i].blocks)
				run_end(t, &all->run[i]);
			all->run[i].next = 0;
		}
		all->owner = 0;
	}
	if (!ours) {
		blocks_drop(t);
		return 0;
	}
	if (!over)
		return 0;
	t->nr_runs = 0;
	bpf_loop(t->nr_sums, sum_tell, &t, 0);
	t->nr_sums = 0;
	return 0;
}

static __always_inline bool run_goes_on(struct vt_run *r, const struct vt_run *b)
{
	if (!r->step || r->lru || b->lru || r->type != b->type || r->order != b->order || r->depth != b->depth)
		return false;
	if (b->first == r->next) {
		if (!r->blocks)
			r->first = r->next;
		r->next = b->next;
	} else if (b->next == r->first) {
		if (!r->blocks)
			r->next = r->first;
		r->first = b->first;
	} else {
		return false;
	}
	r->blocks++;
	return true;
}

/* The open runs, tried one by one: B goes on in the run FOUND - 1, or begins another. */
struct runs_walk {
	struct vt_runs *all;
	struct vt_run b;
	u32 found, at;
};

static long run_try(u32 i, struct runs_walk *k)
{
	struct vt_run *r = run_at(k->all, i);

	if (!run_goes_on(r, &k->b))
		return 0;
	k->b = *r;
	k->found = i + 1;
	k->at = i;
	return 1;
}

/* Makes room in front. */
static long run_back(u32 n, struct runs_walk *k)
{
	*run_at(k->all, k->at - n) = *run_at(k->all, k->at - n - 1);
	return 0;
}

/* One block within a traced call, NR_PAGES pages from PAGE on. ORDER: VT_NO_ORDER when it is no folio. LRU: as in struct vt_run. */
__noinline int block_add(u32 type, u64 page, u32 order, u64 nr_pages, u64 lru)
{
	u64 size = nr_pages * bpf_core_type_size(struct page);
	struct runs_walk k = {
		.b = { .first = page, .next = page + size, .step = size, .lru = lru, .blocks = 1, .type = type, .order = order },
		.at = VT_RUNS_OPEN - 1,
	};
	struct vt_task *t = task_get();

	if (!t)
		return 0;
	if ((t->runs_at || t->nr_sums) && t->runs_depth != t->depth)
		blocks_settle(t, false);
	k.b.depth = t->kho_depth;
	k.all = runs_of(t);
	k.all = k.all ? runs_here(t, k.all) : runs_begin(t);
	if (rest_add(k.all, type, page))
		return 0;
	bpf_loop(VT_RUNS_OPEN, run_try, &k, 0);
	if (!k.found && run_at(k.all, VT_RUNS_OPEN - 1)->blocks)
		run_end(t, run_at(k.all, VT_RUNS_OPEN - 1));
	bpf_loop(k.at, run_back, &k, 0);
	k.all->run[0] = k.b;
	if (!k.found)
		run_end(t, &k.all->run[0]);
	rest_begin(t, k.all, &k.b);
	return 0;
}

/* Where calls begin and end within which memory is preserved or restored: those of LUO, and callbacks. */
static __always_inline void memory_over(struct vt_task *t)
{
	if (t && (t->runs_at || t->nr_sums))
		blocks_settle(t, true);
}

#endif
