/* SPDX-License-Identifier: GPL-2.0 */
/* What a side is about, and which of its files went from one kernel to the next. */
#ifndef VT_RULES_CROSSING_H
#define VT_RULES_CROSSING_H

#include "rules/finding.h"

bool vt_side_outgoing(const struct vt_side *s);
bool vt_side_incoming(const struct vt_side *s);
bool vt_side_has_files(const struct vt_side *s);	/* either */
bool vt_side_vfio(const struct vt_side *s);
/* Its kernel has no Live Update Orchestrator: the recorder said so. */
bool vt_side_no_luo(const struct vt_side *s);

/* Something that PRE held at its end is in POST: proves the jump where a recording that was cut short lacks it. */
bool vt_arrived(const struct vt_side *pre, const struct vt_side *post);
/* Both traces belong to one jump: the first reaches it, or what it held at its torn end arrives in the second. */
bool vt_pair_fits(const struct vt_ctx *c);
/* L went from one kernel to the next. */
bool vt_crossed(const struct vt_judgement *j, const struct vt_life *l);
/* Any file did. */
bool vt_any_crossed(const struct vt_judgement *j);
/* The session of that name that came to S, or NULL. */
const struct vt_session *vt_incoming_session(const struct vt_side *s, const char *name);

#endif
