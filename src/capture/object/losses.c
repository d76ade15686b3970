/* SPDX-License-Identifier: GPL-2.0 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/object/private.h"

_Static_assert(sizeof(struct vt_wire_cpu) % 8 == 0, "per-CPU values are padded to 8 bytes by the kernel");

static void add_loss(struct vt_wire_loss *sum, const struct vt_wire_loss *l)
{
	if (!l->count)
		return;
	if (!sum->count || l->first_ns < sum->first_ns)
		sum->first_ns = l->first_ns;
	if (l->last_ns > sum->last_ns)
		sum->last_ns = l->last_ns;
	sum->count += l->count;
}

int object__losses(const struct object *o, struct object_losses *out)
{
	int cpus = libbpf_num_possible_cpus();
	struct vt_wire_cpu *buf = cpus > 0 ? calloc(cpus, sizeof(*buf)) : NULL;
	uint32_t zero = 0;
	int err = 0;

	memset(out, 0, sizeof(*out));
	if (!buf)
		return -ENOMEM;
	if (bpf_map_lookup_elem(o->cpus_fd, &zero, buf))
		err = -errno;
	for (int i = 0; !err && i < cpus; i++) {
		for (int t = 0; t < VT_EV_MAX; t++) {
			add_loss(&out->ring[t], &buf[i].loss[t]);
			add_loss(&out->spared[t], &buf[i].spared[t]);
			add_loss(&out->half[t], &buf[i].half[t]);
		}
		for (int cls = 0; cls < VT_C_MAX; cls++)
			add_loss(&out->unknown[cls], &buf[i].unknown[cls]);
	}
	free(buf);
	return err;
}
