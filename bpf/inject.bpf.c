// SPDX-License-Identifier: GPL-2.0
/*
 * Making one allocation fail inside a chosen call, with no help from the
 * traced program: fmod_ret on the kernel's own fault-injection points
 * (mm/failslab.c, mm/fail_page_alloc.c). Attached only when injection was
 * asked for; outside of the chosen section it answers what the kernel would.
 */
#include "lib/wire.bpf.h"

#define NOMEM 12

/*
 * Slab and page allocations of the section are counted together. Fixed mode:
 * the NTH of the first call that gets so far fails, once. Ladder: in the k-th
 * call of the section the k-th fails.
 */
static __always_inline bool its_turn(struct vt_control *c, struct vt_task *t, u32 *nth)
{
	*nth = ++t->section_allocs;
	if (!c->inject_nth)
		return *nth == t->section_call;
	if (*nth != c->inject_nth || c->inject_done)
		return false;
	c->inject_done = 1;
	return true;
}

static __always_inline struct vt_task *in_section(struct vt_control *c, u32 gfp)
{
	struct vt_task *t;

	if (!c || !c->inject_section || gfp & c->inject_nofail)
		return NULL;
	t = task_get();
	return t && t->in_section ? t : NULL;
}

static __always_inline void tell(struct vt_control *c, struct vt_task *t, void *ctx, u32 nth, const void *cache, u32 order)
{
	struct vt_wire_stack *s = wire_reserve(t, sizeof(*s), VT_EV_INJECT, VT_POINT);

	if (!s)
		return;
	slot(&s->w, VT_S_COUNT, nth);
	slot(&s->w, VT_S_ORDER, order);
	if (cache)
		text_str(&s->w, VT_TEXT_NAME, (void *)BPF_CORE_READ((struct kmem_cache *)cache, name));
	s->depth = bpf_get_stack(ctx, s->ip, sizeof(s->ip), 0);
	wire_send(c, s);
}

SEC("fmod_ret") int BPF_PROG(fail_slab, struct kmem_cache *cache, u32 gfp, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = in_section(c, gfp);
	u32 nth;

	if (!t || !its_turn(c, t, &nth))
		return ret;
	tell(c, t, ctx, nth, cache, 0);
	return -NOMEM;
}

SEC("fmod_ret") int BPF_PROG(fail_page, u32 gfp, u32 order, int ret)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = in_section(c, gfp);
	u32 nth;

	if (!t || !its_turn(c, t, &nth))
		return ret;
	tell(c, t, ctx, nth, NULL, order);
	return 1;
}
