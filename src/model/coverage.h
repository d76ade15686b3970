/* SPDX-License-Identifier: GPL-2.0 */
/* What the trace can vouch for: hooks that were there, records that were lost, damage. */
#ifndef VT_MODEL_COVERAGE_H
#define VT_MODEL_COVERAGE_H

#include "model/spans.h"
#include "vfiotrace/model.h"

struct vt_build;

/* The block of events being read. */
struct vt_block_at {
	uint64_t offset, first_ns;
};

/* Records that were lost. */
struct lost {
	bool any;			/* of whatever type */
	uint16_t type;
	uint64_t from_ns, to_ns, count;
	const char *event, *why;
	/* with the first of its kind: all of that kind */
	uint32_t parts;
	uint64_t total, all_from, all_to;
};
#define VT_LOSS_GROUPS 256

struct coverage {
	struct probed {
		uint16_t type;		/* enum vt_event_type */
		bool half;		/* not attached, where another of the same function is */
		uint64_t whole_ns;	/* since when all of the function's are */
		uint32_t next;		/* the next one of its type, as in FIRST */
	} *probes;			/* of the trace, in its order */
	uint32_t first[VT_EV_MAX];	/* of each type, by place + 1; 0: none */
	struct lost *lost;
	size_t nr_lost;
	struct tear {
		uint64_t to_ns;
		bool vfio_only;
	} *tears;			/* ends of losses that tear calls, in order */
	size_t nr_tears, tear_at;	/* the next one */
	struct vt_spans lossy;		/* when records of whatever type were lost */
};

int coverage_begin(struct vt_build *b);
/* Damage before the block at TO, the first event of which is of TO_NS: true when there is some. */
bool coverage_damage(struct vt_build *b, const struct vt_block_at *before, uint64_t to, uint64_t to_ns);
/* Records of any type were lost in that time. */
bool coverage_lossy(const struct vt_build *b, uint64_t from_ns, uint64_t to_ns);
/* No hook of TYPE lacks its other half, none came after BY_NS, and none missed anything. */
bool coverage_whole(const struct vt_build *b, uint16_t type, uint64_t by_ns);
void coverage_finalize(struct vt_build *b);
void coverage_free(struct vt_build *b);

#endif
