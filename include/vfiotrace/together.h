/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hooks that share a program, where the kernel can attach one program to many
 * functions at a time (BPF_TRACE_FENTRY_MULTI, since 7.2): what they all need
 * is then verified and compiled once, and ftrace walks its functions once for
 * all of them. The link's cookie says which hook it is. Shared by bpf/ and
 * src/capture/.
 *
 * Not among them: hooks that hold their task for a while and hooks that the
 * whole machine passes. While a program runs the kernel does not run it again on
 * the same CPU, so hooks that share one can miss each other's calls there
 * when a task is preempted within; the kernel counts that.
 */
#ifndef VFIOTRACE_TOGETHER_H
#define VFIOTRACE_TOGETHER_H

/* Hooks of a family, by their programs' names: H(NAME) for e_NAME and x_NAME, X(NAME) for x_NAME alone. */
#define VT_TOGETHER_luo(H, X) \
	H(session_create) H(session_retrieve) H(session_release) X(session_deserialize) \
	H(luo_preserve) H(luo_retrieve) H(luo_freeze) H(luo_unfreeze) H(luo_unpreserve) H(luo_finish) H(luo_deserialize) \
	H(flb_preserve) X(flb_unpreserve) X(flb_finish) X(flb_get_out) X(flb_get_in) X(flb_put_out) X(flb_put_in) \
	X(session_ioctl) X(device_ioctl) X(register_handler)

#define VT_TOGETHER_kho(H, X) \
	H(kho_alloc_preserve) H(kho_unpreserve_free) H(kho_restore_free) \
	H(kho_preserve_folio) H(kho_unpreserve_folio) H(kho_restore_folio) \
	H(kho_preserve_pages) H(kho_unpreserve_pages) H(kho_restore_pages) \
	H(kho_preserve_vmalloc) H(kho_unpreserve_vmalloc) H(kho_restore_vmalloc)

#define VT_TOGETHER_vfio(H, X) \
	H(cdev_open) H(open_common) H(lu_open) H(group_open) H(release) H(unregister) \
	X(df_alloc) X(get_reg) X(put_reg) X(find) X(register) X(bind) X(df_open) X(df_close) X(mmap)

#define VT_TOGETHER_op(H, X) \
	H(op_can_preserve) H(op_preserve) H(op_unpreserve) H(op_freeze) H(op_unfreeze) H(op_retrieve) H(op_can_finish) H(op_finish)

/* F(FAMILY) */
#define VT_FAMILIES(F) F(luo) F(kho) F(vfio) F(op)

/* One type for each family, so that the compiler tells which hook a program has forgotten. */
#define VT_HOOK_(name) VT_HOOK_##name,
#define VT_HOOKS_OF(family) enum vt_##family##_hook { VT_TOGETHER_##family(VT_HOOK_, VT_HOOK_) };
VT_FAMILIES(VT_HOOKS_OF)

/* The cookie: which hook, and the type of its events (enum vt_event_type). */
#define VT_COOKIE(hook, event) ((hook) | (event) << 16)
#define VT_COOKIE_HOOK(cookie) ((cookie) & 0xffff)
#define VT_COOKIE_EVENT(cookie) ((cookie) >> 16 & 0xffff)

#endif
