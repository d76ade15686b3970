/* SPDX-License-Identifier: GPL-2.0 */
/* The page that the programs and the recorder share (struct vt_control). */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/kernel/clock.h"
#include "capture/object/private.h"

int control__map(struct object *o, int fd)
{
	long page = sysconf(_SC_PAGESIZE);

	o->ctl_len = (sizeof(struct vt_control) + page - 1) & ~(page - 1);
	o->ctl = mmap(NULL, o->ctl_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (o->ctl == MAP_FAILED) {
		o->ctl = NULL;
		return -errno;
	}
	o->ctl->wake_bytes = o->opt.ring_bytes / 4;
	o->ctl->recorder_cpu = -1;
	o->ctl->page_shift = __builtin_ctzl(page);
	o->ctl->wait_ns = o->opt.jump_wait_ns;
	o->ctl->runs_told = o->opt.all_blocks ? UINT32_MAX : VT_RUNS_TOLD;
	o->ctl->module_wait_ns = o->opt.module_wait_ns;
	return 0;
}

void control__unmap(struct object *o)
{
	if (o->ctl)
		munmap(o->ctl, o->ctl_len);
}

void object__gate(struct object *o, bool open)
{
	if (open)
		o->ctl->gate_ns = clock__now();
	__atomic_store_n(&o->ctl->gate, open, __ATOMIC_RELEASE);
}

void object__stored(struct object *o, uint64_t records, uint64_t losses)
{
	__atomic_store_n(&o->ctl->losses_synced, losses, __ATOMIC_RELEASE);
	__atomic_store_n(&o->ctl->synced, records, __ATOMIC_RELEASE);
}
