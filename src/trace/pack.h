/* SPDX-License-Identifier: GPL-2.0 */
/* Writing the events of a VTF_PACKED block: what is in it so far, and each event as what is new in it. */
#ifndef VT_TRACE_PACK_H
#define VT_TRACE_PACK_H

#include <stdbool.h>

#include "trace/format.h"
#include "trace/pool.h"

#define VT_PACK_SLOTS	(2 * VTF_PACKED_LIST)	/* a power of two, and never more than half full */

struct vt_pack_shape {
	uint16_t type;
	uint8_t phase, nr;
	uint16_t slot;
	uint32_t first;		/* of its ids and values */
};

struct vt_pack_thread {
	uint32_t tgid, tid, comm;
	uint16_t slot;
};

struct vt_pack_cpu {
	uint64_t seq;		/* the last one but 0 */
	uint16_t cpu;
};

/* Entries are numbered from 1, as in the block. */
struct vt_pack {
	uint64_t ts_ns;
	uint32_t thread, cpu;		/* of the last event */
	uint32_t nr_shapes, nr_threads, nr_cpus, nr_values;
	struct vt_pack_shape shapes[VTF_PACKED_LIST + 1];
	struct vt_pack_thread threads[VTF_PACKED_LIST + 1];
	struct vt_pack_cpu cpus[VTF_PACKED_LIST + 1];
	uint16_t ids[VTF_PACKED_FIELDS];
	uint64_t values[VTF_PACKED_FIELDS];	/* of the last event of the shape */
	/* Where to find an entry; 0: there is none. */
	uint16_t shape_at[VT_PACK_SLOTS], thread_at[VT_PACK_SLOTS];
	uint16_t cpu_at[UINT16_MAX + 1];
	uint32_t field_at[VTF_FIELD_IDS];	/* its value in the newest shape that has it, + 1 */
};

/* A block begins. P is all zeros, or one that was begun before. */
void vt_pack__reset(struct vt_pack *p);
/* E, its IDS and VALUES (as behind it in VTF_EVENTS), at the end of OUT. -ENOMEM leaves both as they are. */
int vt_pack__event(struct vt_pack *p, struct vt_buf *out, const struct vtf_event *e, const uint16_t *ids, const uint64_t *values);
/* The next event may need more than a block can have. */
bool vt_pack__full(const struct vt_pack *p);

#endif
