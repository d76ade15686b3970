/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Folios that a retrieve or a finish took out of KHO, and what became of them.
 *
 * folio_put() is inline and ends in functions that all memory passes: no hook
 * is put there. Instead folios are remembered as they are restored
 * (blocks.bpf.h), and looked at when the call is over: free, in a page cache, or
 * held by a reference that nobody will drop. Those not free are looked at again
 * when the recording ends.
 *
 * A page that was freed may be somebody else's by then. Its list head tells:
 * memory that KHO hands over was never on a free list (its lru is as the boot
 * left it), and every page that was has been through list_del() since.
 */
#ifndef VFIOTRACE_FOLIO_BPF_H
#define VFIOTRACE_FOLIO_BPF_H

#include "lib/blocks.bpf.h"
#include "lib/file.bpf.h"

#define VT_FOLIOS_TOLD 64	/* held folios that one call tells one by one */

/* To be looked at again; one in a page cache together with that file's identity, as both may have new owners by then. */
struct vt_suspect {
	struct vt_folio folio;
	u64 mapping, ino;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VT_SUSPECTS);
	__type(key, u32);
	__type(value, struct vt_suspect);
} suspects VT_MAP_ATTR;

enum folio_state { FOLIO_FREE, FOLIO_HELD, FOLIO_CACHED, FOLIO_REUSED };

struct folio_seen {
	enum folio_state state;
	bool untouched;		/* the lru is what it was: never freed, never on a list */
	s64 refs;
	u64 mapping;
};

static __always_inline void folio_look(const struct vt_folio *f, struct folio_seen *s)
{
	struct page *p = (struct page *)f->page;

	s->refs = READ(p, _refcount.counter);
	s->mapping = (u64)READ(p, mapping);
	s->untouched = (u64)READ(p, lru.next) == (f->lru ? f->lru : f->page + bpf_core_field_offset(struct page, lru));
	/* The low bits of a mapping mark what is no page cache (PAGE_MAPPING_ANON and its kin). */
	if (s->refs <= 0 || s->mapping & 3)
		s->state = FOLIO_FREE;
	else if (s->mapping)
		s->state = FOLIO_CACHED;
	else
		s->state = s->untouched ? FOLIO_HELD : FOLIO_FREE;
}

/* Pages in the page cache, and how many of them the file pays for: shmem keeps the latter itself. */
static __always_inline void slot_mapping(struct vt_wire *w, u64 mapping)
{
	struct address_space *m = (struct address_space *)mapping;
	struct inode *host = READ(m, host);
	struct shmem_inode_info *info;

	slot(w, VT_S_CACHED, READ(m, nrpages));
	if (!bpf_core_field_exists(struct shmem_inode_info, alloced) || READ(READ(host, i_sb), s_magic) != TMPFS_MAGIC)
		return;
	info = (struct shmem_inode_info *)((u64)host - bpf_core_field_offset(struct shmem_inode_info, vfs_inode));
	slot(w, VT_S_ACCOUNTED, READ(info, alloced));
}

static __always_inline void folio_tell(struct vt_control *c, const struct vt_folio *f, const struct folio_seen *s)
{
	struct vt_wire *w = wire_new(KHO_FOLIO, POINT);

	if (!w)
		return;
	slot_page(c, w, f->page);
	slot(w, VT_S_FOLIO_REF, s->refs);
	if (s->state == FOLIO_HELD)
		__builtin_memcpy(w->text, "held", 5);
	else if (s->state == FOLIO_CACHED)
		__builtin_memcpy(w->text, "cached", 7);
	else if (s->state == FOLIO_REUSED)
		__builtin_memcpy(w->text, "reused", 7);
	else
		__builtin_memcpy(w->text, "free", 5);
	w->text_is = VT_TEXT_NAME;
	if (s->state == FOLIO_CACHED)
		slot_mapping(w, s->mapping);
	wire_send(c, w);
}

static __always_inline u64 mapping_ino(u64 mapping)
{
	return READ(READ((struct address_space *)mapping, host), i_ino);
}

static __always_inline void folio_suspect(struct vt_control *c, const struct vt_folio *f, const struct folio_seen *s)
{
	u32 i = __sync_fetch_and_add(&c->suspects, 1);
	struct vt_suspect *p = i < VT_SUSPECTS ? bpf_map_lookup_elem(&suspects, &i) : NULL;

	if (!p)
		return;
	p->folio = *f;
	p->mapping = s->mapping;
	p->ino = s->mapping ? mapping_ino(s->mapping) : 0;
}

struct folio_walk {
	struct vt_control *c;
	struct vt_task *t;
	struct vt_folio run;
	u64 first;
	u32 tid;
};

static long folio_visit(u32 n, struct folio_walk *k)
{
	struct vt_folios *all = &k->t->folios;
	struct vt_folio f = k->run;
	struct folio_seen s = {};

	f.page += n * f.step;
	f.nr = 1;
	folio_look(&f, &s);
	all->seen++;
	if (s.state == FOLIO_FREE) {
		all->freed++;
	} else if (s.state == FOLIO_CACHED) {
		all->cached++;
		if (s.untouched)
			all->last = f;
	} else if (all->held++ < VT_FOLIOS_TOLD) {
		folio_tell(k->c, &f, &s);
		folio_suspect(k->c, &f, &s);
	}
	return 0;
}

static long folios_visit(u32 n, struct folio_walk *k)
{
	u32 i = (k->first + n) & (VT_FOLIOS - 1);
	struct vt_folio *f = bpf_map_lookup_elem(&folios, &i);

	if (!f || f->tid != k->tid || !f->page)
		return 0;
	k->run = *f;
	f->tid = 0;
	bpf_loop(k->run.nr, folio_visit, k, 0);
	return 0;
}

static __always_inline void folios_look(struct vt_control *c, struct vt_task *t)
{
	struct folio_walk k = { .c = c, .t = t, .first = t->folios.first, .tid = (u32)bpf_get_current_pid_tgid() };
	u64 next = c->folios_next, nr = next - k.first;
	struct folio_seen s = {};

	if (!folios_readable())
		return;
	if (nr > VT_FOLIOS) {
		k.first = next - VT_FOLIOS;
		nr = VT_FOLIOS;
	}
	bpf_loop(nr, folios_visit, &k, 0);
	if (!t->folios.last.page)
		return;
	folio_look(&t->folios.last, &s);
	folio_tell(c, &t->folios.last, &s);
	folio_suspect(c, &t->folios.last, &s);
}

/* The call that restored them is over: looked at are those of a retrieve that failed, and of any finish. */
__noinline int folios_settle(bool look)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_get();
	struct vt_wire *w;

	if (!c || !t)
		return 0;
	t->folio_watch = 0;
	if (!t->folios.nr)
		return 0;
	if (look) {
		folios_look(c, t);
		w = wire_new(KHO_FOLIOS, POINT);
		if (w) {
			slot(w, VT_S_COUNT, t->folios.nr);
			slot(w, VT_S_FREED, t->folios.freed);
			slot(w, VT_S_HELD, t->folios.held);
			slot(w, VT_S_CACHED, t->folios.cached);
			slot(w, VT_S_UNTOLD, t->folios.nr - t->folios.seen);
			wire_send(c, w);
		}
	}
	__builtin_memset(&t->folios, 0, sizeof(t->folios));
	return 0;
}

#endif
