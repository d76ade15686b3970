/* SPDX-License-Identifier: GPL-2.0 */
/* The builder: what parts share while (and as long as) a side lives. */
#ifndef VT_MODEL_BUILD_H
#define VT_MODEL_BUILD_H

#include "model/calls.h"
#include "model/coverage.h"
#include "model/evidence.h"
#include "model/kinds.h"
#include "model/part.h"
#include "model/reg_devices.h"
#include "model/reg_files.h"
#include "model/reg_sessions.h"
#include "vfiotrace/model.h"

struct vt_build {
	struct vt_side pub;		/* first: the public face, see build_of() */
	struct vt_side *side;		/* the same */
	uint64_t now_ns;		/* time of the event at hand */
	const char *other_session;	/* a name in this block that is not VT_OWN_SESSION */
	int err;
	struct evidence evidence;
	struct coverage coverage;
	struct calls calls;
	struct reg_sessions sessions;
	struct reg_files files;
	struct reg_devices devices;
	struct audience audience;
	void *own[NR_PARTS];
};

/* As intern(), quicker, for a string of the event at hand, or one that is interned. */
static inline const char *intern_event(struct vt_build *b, const char *s)
{
	return s ? vt_strings__get_of(&b->evidence.strings, s) : NULL;
}

/* The side that rules hold is a builder's. */
static inline struct vt_build *build_of(const struct vt_side *s)
{
	return (struct vt_build *)s;
}

#endif
