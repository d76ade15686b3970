// SPDX-License-Identifier: GPL-2.0
/*
 * Who frees what with which function, without a program on anybody's kfree():
 * the recorder finds the call instructions to free functions in the text of
 * the modules that matter and puts a kprobe on each. A kprobe costs only where
 * it stands. It also tells kvfree() from kfree(), which the kmem:kfree
 * tracepoint cannot: kvfree() ends in a jump to kfree().
 */
#include "vfiotrace.bpf.h"

SEC("kprobe") int site_free(struct pt_regs *ctx)
{
	struct vt_control *c = ctl_open();
	struct vt_site *site;
	struct vt_wire *w;
	u32 i, cls;
	u64 ptr;

	if (!c)
		return 0;
	i = (u32)bpf_get_attach_cookie(ctx);
	site = bpf_map_lookup_elem(&sites, &i);
	if (!site)
		return 0;
	ptr = site->reg ? ctx->si : ctx->di;
	cls = tracked(ptr);
	/* Where nothing but a df is freed, an object we no longer hold is a second free. */
	if (cls != VT_C_DF && !(site->df_only && ptr))
		return 0;
	if (cls == VT_C_DF)
		untrack(ptr);
	w = wire_new(MEM_FREE, POINT);
	if (!w)
		return 0;
	w->site = i;
	slot(w, VT_S_OBJ, ptr);
	wire_send(c, w);
	return 0;
}

/* Kernel memory for the recorder: handler lists, function text. Runs in the recorder, by BPF_PROG_TEST_RUN. */
SEC("syscall") int peek(void *ctx)
{
	struct vt_control *c = ctl_get();
	u32 len;

	if (!c)
		return 0;
	len = c->peek_len;
	if (len > VT_PEEK_MAX)
		len = VT_PEEK_MAX;
	c->peek_err = bpf_probe_read_kernel(c->peek, len, (void *)c->peek_addr);
	return 0;
}

