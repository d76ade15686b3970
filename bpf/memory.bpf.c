// SPDX-License-Identifier: GPL-2.0
/*
 * Who frees what with which function, without a program on anybody's kfree():
 * the recorder finds the call instructions to free functions in the text of
 * the modules that matter and puts a kprobe on each. A kprobe costs only where
 * it stands. It also tells kvfree() from kfree(), which the kmem:kfree
 * tracepoint cannot: kvfree() ends in a jump to kfree().
 */
#include "lib/file.bpf.h"
#include "lib/folio.bpf.h"

/* Both are read, and then one is chosen: the verifier wants no other offset from the context than a constant. */
static __always_inline u64 argument(struct pt_regs *ctx, u32 n)
{
	u64 first = PT_REGS_PARM1(ctx), second = PT_REGS_PARM2(ctx);

	barrier_var(first);
	barrier_var(second);
	return n ? second : first;
}

__noinline int object_at(u32 type, u32 site, u32 cls, u64 ptr)
{
	struct vt_wire *w = wire_make(task_stored(0), type, VT_POINT);

	if (!w)
		return 0;
	w->site = site;
	if (cls == VT_C_DF)
		slot(w, VT_S_OBJ, ptr);
	else if (cls == VT_C_LUO_FILE)
		slot(w, VT_S_OBJ_LUO_FILE, ptr);
	else if (cls == VT_C_SESSION)
		slot(w, VT_S_OBJ_SESSION, ptr);
	else
		slot(w, VT_S_OBJ_OTHER, ptr);
	wire_send(ctl_get(), w);
	return 0;
}

/* Where nothing but a df is freed, an object we no longer hold is a second free. */
static __always_inline void df_freed(const struct vt_site *site, u32 i, u64 ptr)
{
	if (untrack(ptr, VT_C_DF) || (site->df_only && ptr))
		object_at(VT_EV_MEM_FREE, i, VT_C_DF, ptr);
}

static __always_inline void object_made(u32 i, u32 cls, u64 ptr)
{
	if (!ptr || IS_ERR_VALUE(ptr))
		return;
	if (cls == VT_C_OTHER)
		bpf_map_update_elem(&privates, &ptr, &cls, BPF_ANY);
	else
		track(ptr, cls);
	object_at(VT_EV_OBJ_ALLOC, i, cls, ptr);
}

/* ONLY: the class of all that is freed at this place: such an object that we no longer hold is a second free. */
static __always_inline void object_freed(u32 i, u32 only, u64 ptr)
{
	u32 cls;

	if (untrack(ptr, VT_C_LUO_FILE))
		cls = VT_C_LUO_FILE;
	else if (untrack(ptr, VT_C_SESSION))
		cls = VT_C_SESSION;
	else if (!bpf_map_delete_elem(&privates, &ptr))
		cls = VT_C_OTHER;
	else
		cls = only;
	if (cls && ptr)
		object_at(VT_EV_OBJ_FREE, i, cls, ptr);
}

/*
 * Calls of allocators whose result is tested at a place that other code jumps
 * to: the site, by thread. Where it is not tested there the entry stays, so old ones go.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, u32);
} allocating SEC(".maps");

static __always_inline void object_asked(u32 site)
{
	u32 tid = (u32)bpf_get_current_pid_tgid();

	if (bpf_map_update_elem(&allocating, &tid, &site, BPF_ANY))
		loss_count(VT_EV_OBJ_ALLOC);
}

static __always_inline bool comes_from_call(u32 site)
{
	u32 tid = (u32)bpf_get_current_pid_tgid();
	u32 *call = bpf_map_lookup_elem(&allocating, &tid);
	bool here = call && *call + 1 == site;

	if (here)
		bpf_map_delete_elem(&allocating, &tid);
	return here;
}

/* try_module_get() refuses a module that is on its way out. */
static __always_inline bool module_leaves(u64 mod)
{
	struct module *m = KERNEL((struct module *)mod);

	return m->state == MODULE_STATE_GOING || !m->refcnt.counter;
}

__noinline int module_ref(u32 type, u32 site, u64 mod)
{
	struct vt_wire *w;

	/* A handler that is built in has no module. */
	if (!mod || ((type == VT_EV_MODULE_GET || type == VT_EV_FLB_PIN) && module_leaves(mod)))
		return 0;
	w = wire_make(task_stored(0), type, VT_POINT);
	if (!w)
		return 0;
	w->site = site;
	text_str(w, VT_TEXT_NAME, (void *)(mod + bpf_core_field_offset(struct module, name)));
	slot_read(w, VT_S_MOD_REF, mod + bpf_core_field_offset(struct module, refcnt), 4);
	wire_send(ctl_get(), w);
	return 0;
}

__noinline int fd_install_at(u32 site, u64 fd, u64 file)
{
	u32 tid = (u32)bpf_get_current_pid_tgid();
	struct vt_installed i = { .fd = (u32)fd, .file = file };
	struct vt_wire *w = wire_new(FD_INSTALL, POINT);

	if (installed_put(tid, &i))
		loss_count(VT_EV_LUO_IOCTL);
	if (!w)
		return 0;
	w->site = site;
	slot(w, VT_S_FD, i.fd);
	slot_file(w, (struct file *)file);
	wire_send(ctl_get(), w);
	return 0;
}

/*
 * At the call of a function, or where its result is tested; the cookie is the
 * site's number. What LUO itself calls and everybody else does too is seen where
 * LUO calls it: try_module_get() and module_put() run on every open and close
 * of the machine, fd_install() on every open.
 */
SEC("kprobe") int at_site(struct pt_regs *ctx)
{
	u32 i = (u32)bpf_get_attach_cookie(ctx);
	struct vt_site *site = ctl_open() ? bpf_map_lookup_elem(&sites, &i) : NULL;

	if (!site)
		return 0;
	switch (site->kind) {
	case VT_SITE_FREE:
		df_freed(site, i, argument(ctx, site->reg));
		break;
	case VT_SITE_OBJ_FREE:
		object_freed(i, site->cls, argument(ctx, site->reg));
		break;
	case VT_SITE_OBJ_CALL:
		object_asked(i);
		break;
	case VT_SITE_OBJ_ALLOC:
		if (!site->joined || comes_from_call(i))
			object_made(i, site->cls, PT_REGS_RC(ctx));
		break;
	case VT_SITE_FD_INSTALL:
		fd_install_at(i, PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx));
		break;
	case VT_SITE_MODULE_GET:
		module_ref(VT_EV_MODULE_GET, i, PT_REGS_PARM1(ctx));
		break;
	case VT_SITE_MODULE_PUT:
		module_ref(VT_EV_MODULE_PUT, i, PT_REGS_PARM1(ctx));
		break;
	case VT_SITE_FLB_PIN:
		module_ref(VT_EV_FLB_PIN, i, PT_REGS_PARM1(ctx));
		break;
	case VT_SITE_FLB_UNPIN:
		module_ref(VT_EV_FLB_UNPIN, i, PT_REGS_PARM1(ctx));
		break;
	}
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
	c->peek_task = bpf_get_current_task();
	c->peek_tgid = bpf_get_current_pid_tgid() >> 32;
	c->peek_err = bpf_probe_read_kernel(c->peek, len, (void *)c->peek_addr);
	return 0;
}

static long suspect_visit(u32 i, struct vt_control **c)
{
	struct vt_suspect *p = bpf_map_lookup_elem(&suspects, &i);
	struct folio_seen s = {};

	if (!p || !p->folio.page)
		return 0;
	folio_look(&p->folio, &s);
	if (s.state == FOLIO_CACHED && (s.mapping != p->mapping || mapping_ino(s.mapping) != p->ino))
		s.state = FOLIO_FREE;
	folio_tell(*c, &p->folio, &s);
	return 0;
}

/* The recording ends: what is held now is held by nobody who could still drop it. Runs as peek does. */
SEC("syscall") int last_look(void *ctx)
{
	struct vt_control *c = ctl_get();
	u32 nr;

	if (!c || !folios_readable())
		return 0;
	nr = c->suspects;
	bpf_loop(nr < VT_SUSPECTS ? nr : VT_SUSPECTS, suspect_visit, &c, 0);
	return 0;
}
