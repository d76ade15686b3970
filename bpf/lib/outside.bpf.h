/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Folios that somebody other than LUO and its handlers gave to KHO. No session
 * and no file tells when they are to be taken back: whether they are still in
 * use is looked at when the kernel is about to jump.
 */
#ifndef VFIOTRACE_OUTSIDE_BPF_H
#define VFIOTRACE_OUTSIDE_BPF_H

#include "lib/folio.bpf.h"

#define VT_OUTSIDE 64		/* of them are looked at: more has nobody been seen to give */

struct vt_outside {
	u64 folio;
	u32 order, pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VT_OUTSIDE);
	__type(key, u32);
	__type(value, struct vt_outside);
} outside VT_MAP_ATTR;

static __always_inline void outside_keep(struct vt_control *c, u64 folio)
{
	u32 i = __sync_fetch_and_add(&c->outside, 1);
	struct vt_outside *p = i < VT_OUTSIDE ? bpf_map_lookup_elem(&outside, &i) : NULL;

	if (!p)
		return;
	p->order = order_of_folio(folio);
	p->folio = folio;
}

/*
 * One that was taken back and then freed is told too: the reader knows. Memory
 * that is in use again, and not as the folio that it was, has been free.
 */
static long outside_visit(u32 i, struct vt_control **c)
{
	struct vt_outside *p = bpf_map_lookup_elem(&outside, &i);
	struct folio_seen s = { .state = FOLIO_FREE };
	struct vt_folio f = {};

	if (!p || !p->folio)
		return 0;
	s.refs = READ((struct page *)p->folio, _refcount.counter);
	if (s.refs && order_of_folio(p->folio) == p->order)
		return 0;
	if (s.refs)
		s.state = FOLIO_REUSED;
	f.page = p->folio;
	folio_tell(*c, &f, &s);
	return 0;
}

static __always_inline void outside_look(struct vt_control *c)
{
	u32 nr = c->outside;

	if (nr && folios_readable())
		bpf_loop(nr < VT_OUTSIDE ? nr : VT_OUTSIDE, outside_visit, &c, 0);
}

#endif
