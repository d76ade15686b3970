/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs as libbpf relocated them, to be loaded again for each function that
 * they go on: their fd, or -errno. Several threads may load at a time. One
 * that nobody thought would be needed is fetched.
 */
#ifndef VT_CAPTURE_TEMPLATE_H
#define VT_CAPTURE_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/object/prologue.h"

struct object;

bool template__exists(struct object *o, const char *prog);
/* PROG for the function BTF_ID of the module behind BTF_FD, 0: for many functions. */
int template__load(struct object *o, const char *prog, unsigned int attach_type, uint32_t btf_id, int btf_fd);
/* PROG as a kprobe program. -EOPNOTSUPP: it sleeps. */
int template__load_kprobe(struct object *o, const char *prog, const struct kprobe_shape *shape);

#endif
