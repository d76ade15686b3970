/* SPDX-License-Identifier: GPL-2.0 */
#include <bpf/libbpf.h>
#include <errno.h>

#include "capture/record/convert.h"
#include "capture/record/private.h"

static int on_record(void *arg, void *data, size_t len)
{
	struct recorder *r = arg;
	const struct vt_wire *w = data;

	if (convert__record(r->conv, data, len) == -EINVAL)
		r->bad++;
	r->consumed++;
	r->dirty = true;
	if (w->type == VT_EV_REBOOT && w->phase == VT_EXIT)
		r->jumping = !w->slot[VT_S_RET];
	if (w->type == VT_EV_SHUTDOWN || w->type == VT_EV_JUMP)
		r->jumping = true;
	if (w->type == VT_EV_REC_MODULE)
		r->new_module = true;
	return 0;
}

int ring__open(struct recorder *r)
{
	r->rb = ring_buffer__new(object__map_fd(r->obj, "ring"), on_record, r, NULL);
	return r->rb ? 0 : -errno;
}

void ring__drain(struct recorder *r)
{
	ring_buffer__consume(r->rb);
	if (r->jumping)
		jump__save(r);
	jump__newcomers(r);
	if (r->dirty) {
		output__losses(r);
		output__store(r, false);
		r->dirty = false;
	}
	output__check(r);
}
