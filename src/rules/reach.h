/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How far the evidence reaches. A rule needs events; where they may be missing
 * it is blind, where calls were lost they are torn, and every such place is a
 * doubt of the rule.
 */
#ifndef VT_RULES_REACH_H
#define VT_RULES_REACH_H

#include "rules/finding.h"

/* Nothing that the rule needs is missing on SIDE in that time, nor can an event have been taken for another call's. */
bool vt_clear(const struct vt_ctx *c, size_t side, uint64_t from_ns, uint64_t to_ns);
/* An event of that time may have been taken for another call's. */
bool vt_torn(const struct vt_ctx *c, size_t side, uint64_t from_ns, uint64_t to_ns);
/* The same for all that LUO did with L on SIDE. */
bool vt_life_torn(const struct vt_ctx *c, size_t side, const struct vt_life *l);

/* Of a pair that is none. */
#define VT_NO_JUMP "PRE: no jump was recorded, so these traces show no live update"
#define VT_STRANGERS "PRE and POST: nothing shows that they are of one live update: no file arrives with the handle that it was given, nor memory where it was"

#define VT_NOTHING_REBUILT "%s: no session was rebuilt while it was recorded, so what arrived is not known"

/* L may be what R is about. */
bool vt_concerns(const struct vt_rule *r, const struct vt_life *l);

/* ---- before and after a rule runs ---- */

/* The traces hold what the rule is about, or may have lost it; else WHY says what is not there. */
bool vt_applies(const struct vt_ctx *c, char *why, size_t size);
/* Events of TYPE on SIDE are what the rule is about: not where it needs them of the other side only. */
bool vt_needed_on(const struct vt_ctx *c, size_t side, uint16_t type);
/* Fills blind, torn and cut, and doubts for each reason. */
void vt_check_needs(struct vt_ctx *c);
/* Where the rule has doubts: the files that it judges all the same, and those left open. */
void vt_count_files(struct vt_ctx *c);

#endif
