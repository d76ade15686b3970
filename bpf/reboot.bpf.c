// SPDX-License-Identifier: GPL-2.0
/*
 * The last instructions of the old kernel (kernel_kexec()): liveupdate_reboot()
 * freezes, then kernel_restart_prepare() runs the notifiers and
 * device_shutdown(), then machine_shutdown() stops the other CPUs.
 *
 * device_shutdown() is the last moment at which storage surely works, so here
 * the kernel waits, bounded, until the recorder has put all records on stable
 * storage. LUO's own locks are not made to wait any longer than they would:
 * the serialize rwsem is held until the jump in any case. A freeze that fails
 * returns from reboot(2) without passing here.
 */
#define HOOKS "vfiotrace/hooks/reboot.def"
#include "lib/hooks.bpf.h"
#include "lib/outside.bpf.h"
#include "lib/wait.bpf.h"
#include "lib/wire.bpf.h"

/*
 * Bytes that may wait to be written when the freeze begins: a millisecond of
 * the recorder's work. It is woken for more, to write while LUO freezes, and
 * not for less: that takes longer than a few records do.
 */
#define BACKLOG (64 << 10)

ENTER(reboot)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t;
	struct vt_wire *w;

	if (!c)
		return;
	c->will_jump = 0;
	t = task_store(VT_EV_REBOOT);
	w = wire_new_in(t, REBOOT, ENTER);
	if (w)
		wire_submit(c, w, ring_waits(BACKLOG) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
	frame_push_in(t, VT_EV_REBOOT, 0, false, 0);
}

/* What is jumped into: kernel_kexec() holds it. An image that kexec_load(2) loaded was never told of KHO. */
static __always_inline void handover_look(struct vt_control *c, struct vt_wire *w)
{
	struct kimage *image;

	if (!c->kexec_image || !bpf_core_field_exists(struct kimage, kho.fdt))
		return;
	image = (struct kimage *)read_u64(c->kexec_image);
	if (image)
		slot(w, VT_S_HANDOVER, READ(image, kho.fdt) != 0);
}

EXIT(reboot)
{
	struct vt_control *c = ctl_open();
	struct vt_task *t = task_stored(0);
	struct vt_wire *w;

	if (!c)
		return;
	frame_pop(t, VT_EV_REBOOT);
	w = wire_new_in(t, REBOOT, EXIT);
	if (w) {
		slot(w, VT_S_RET, (s64)in->ret);
		if (!in->ret) {
			handover_look(c, w);
			outside_look(c);
		}
		/* No hurry where there is no jump. */
		wire_submit(c, w, in->ret ? BPF_RB_NO_WAKEUP : BPF_RB_FORCE_WAKEUP);
	}
	if (in->ret)
		return;
	c->jumper = (u32)bpf_get_current_pid_tgid();
	c->will_jump = 1;
	if (c->bell == VT_BELL_HOLDS)
		ring_bell(c);
}

ENTER(serialize)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c || !(w = wire_new(SERIALIZE, ENTER)))
		return;
	wire_send(c, w);
}

EXIT(serialize)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c || !(w = wire_new(SERIALIZE, EXIT)))
		return;
	slot(w, VT_S_RET, (s64)in->ret);
	wire_send(c, w);
}

ENTER(device_shutdown)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;
	u64 want;

	if (!c || !c->will_jump)
		return;
	/* What tells of this moment alone is nothing to wait for: a recorder that has stored all before would have to do it again. */
	want = c->produced;
	w = wire_new(SHUTDOWN, ENTER);
	if (w)
		wire_submit(c, w, BPF_RB_FORCE_WAKEUP);
	/* Losses that are not told yet are, with the record. */
	if (c->losses != c->losses_synced)
		want = c->produced;
	/* On the only CPU this thread does not get here before all is stored, or the time over (src/capture/record/cpuhog.h). */
	if (c->synced >= want || make_way(c))
		c->waited_ns = c->held_ns + wait_until(&c->synced, want, c->wait_ns);
}

ENTER(machine_shutdown)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w;

	if (!c || !c->will_jump || !(w = wire_new(JUMP, ENTER)))
		return;
	wire_submit(c, w, BPF_RB_FORCE_WAKEUP);
}

/* More of them than there is room for go on unheld. */
static __always_inline void note_loader(struct vt_control *c)
{
	for (u32 i = 0; i < VT_LOADERS; i++)
		if (!__sync_val_compare_and_swap(&c->loader[i], 0, (u32)bpf_get_current_pid_tgid()))
			return;
}

static __always_inline bool is_loader(struct vt_control *c)
{
	for (u32 i = 0; i < VT_LOADERS; i++) {
		if (c->loader[i] != (u32)bpf_get_current_pid_tgid())
			continue;
		c->loader[i] = 0;
		return true;
	}
	return false;
}

/*
 * A module that matters has run its init: nothing of it can have been used
 * yet, as the loader is still inside the system call.
 */
EXIT(module_init)
{
	u64 at = (u64)in->mod + bpf_core_field_offset(struct module, name);
	struct vt_control *c = ctl_get();
	char name[8] = {};
	struct vt_wire *w;
	bool vfio;

	if (in->ret)
		return;
	bpf_probe_read_kernel_str(name, sizeof(name), (void *)at);
	vfio = name[0] == 'v' && name[1] == 'f' && name[2] == 'i' && name[3] == 'o' && !name[4];
	if (!vfio && !c->handlers_pending)
		return;
	w = wire_new(REC_MODULE, POINT);
	if (!w)
		return;
	text_str(w, VT_TEXT_NAME, (void *)at);
	note_loader(c);
	__sync_fetch_and_add(&c->modules_seen, 1);
	wire_submit(c, w, BPF_RB_FORCE_WAKEUP);
}

/*
 * The loader waits here, bounded, until the recorder has attached to what it
 * loaded. Sleepable programs, because those do not hold rcu_read_lock():
 * attaching may need a grace period (seen: with the wait in do_init_module()
 * it lasted until its limit).
 */
static __always_inline void hold_loader(void)
{
	struct vt_control *c = ctl_get();

	if (!is_loader(c) || !make_way(c))
		return;
	wait_until(&c->modules_done, c->modules_seen, c->module_wait_ns);
}

EXIT(finit_module)
{
	hold_loader();
}

EXIT(init_module)
{
	hold_loader();
}

#include "lib/programs.bpf.h"
