/* SPDX-License-Identifier: GPL-2.0 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
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

/* All of them, to be freed; *ERR where that is NULL. */
static struct vt_wire_cpu *read_cpus(const struct object *o, int *nr, int *err)
{
	struct vt_wire_cpu *buf;
	uint32_t zero = 0;

	*nr = libbpf_num_possible_cpus();
	buf = *nr > 0 ? calloc(*nr, sizeof(*buf)) : NULL;
	*err = buf ? 0 : -ENOMEM;
	if (buf && bpf_map_lookup_elem(o->cpus_fd, &zero, buf)) {
		*err = -errno;
		free(buf);
		return NULL;
	}
	return buf;
}

int object__losses(const struct object *o, struct object_losses *out)
{
	int cpus, err;
	struct vt_wire_cpu *buf = read_cpus(o, &cpus, &err);

	memset(out, 0, sizeof(*out));
	for (int i = 0; buf && i < cpus; i++) {
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

const char *object__numbers(const struct object *o, char *buf, size_t size)
{
	int cpus, err;
	struct vt_wire_cpu *cpu = read_cpus(o, &cpus, &err);
	size_t n = 0;

	buf[0] = 0;
	for (int i = 0; cpu && i < cpus; i++) {
		if (cpu[i].seq)
			n += (size_t)snprintf(buf + n, size - n, "%s%d:%llu", n ? " " : "", i, cpu[i].seq);
		if (n >= size) {
			buf[0] = 0;
			break;
		}
	}
	free(cpu);
	return buf;
}
