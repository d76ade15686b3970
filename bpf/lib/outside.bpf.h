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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, VT_OUTSIDE);
	__type(key, u32);
	__type(value, u64);
} outside VT_MAP_ATTR;

static __always_inline void outside_keep(struct vt_control *c, u64 folio)
{
	u32 i = __sync_fetch_and_add(&c->outside, 1);
	u64 *p = i < VT_OUTSIDE ? bpf_map_lookup_elem(&outside, &i) : NULL;

	if (p)
		*p = folio;
}

/* One that was taken back and then freed is told too: the reader knows. */
static long outside_visit(u32 i, struct vt_control **c)
{
	u64 *p = bpf_map_lookup_elem(&outside, &i);
	struct folio_seen s = { .state = FOLIO_FREE };
	struct vt_folio f = {};

	if (!p || !*p)
		return 0;
	s.refs = READ((struct page *)*p, _refcount.counter);
	if (s.refs)
		return 0;
	f.page = *p;
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
