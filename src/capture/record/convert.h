/* SPDX-License-Identifier: GPL-2.0 */
/* One record from the ring becomes one event of the trace, or two. */
#ifndef VT_CAPTURE_CONVERT_H
#define VT_CAPTURE_CONVERT_H

#include <stddef.h>

#include "vfiotrace/trace.h"
#include "vfiotrace/wire.h"

struct convert;
struct domains;
struct kernel;

int convert__new(struct convert **out, struct domains *d, struct kernel *k, struct vt_writer *w);
void convert__free(struct convert *c);
/* LEN is what the ring says. Returns 0, or -EINVAL for a record that cannot be one of ours. */
int convert__record(struct convert *c, const void *data, size_t len);
/* Events so far. */
uint64_t convert__events(const struct convert *c);

#endif
