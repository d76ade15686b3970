/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an event type is: the questions to the columns of VT_EVENTS. Nobody
 * else may tell types apart by their numbers, so that a new one has one place.
 */
#ifndef VT_MODEL_KINDS_H
#define VT_MODEL_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include "vfiotrace/vocab.h"

/* By enum vt_event_type; VT_EV_UNKNOWN has no area and no flag. */
struct kind {
	uint8_t area;		/* enum vt_area */
	uint16_t flags;		/* VT_K_* */
};
extern const struct kind kinds[VT_EV_MAX];

static inline enum vt_area kind_area(uint16_t type)
{
	return kinds[type].area;
}

static inline bool kind_is(uint16_t type, uint16_t flag)
{
	return kinds[type].flags & flag;
}

/* It comes as a pair, and others happen inside of it. */
static inline bool kind_is_call(uint16_t type)
{
	return kind_is(type, VT_K_CALL);
}

static inline bool kind_is_op(uint16_t type)
{
	return kind_area(type) == VT_AREA_OP;
}

static inline bool kind_is_vfio(uint16_t type)
{
	return kind_area(type) == VT_AREA_VFIO;
}

/* A call of LUO on the files of a session: what callbacks run in. */
static inline bool kind_is_luo_call(uint16_t type)
{
	return kind_area(type) == VT_AREA_LUO && kind_is_call(type);
}

/* The call of LUO that a callback usually runs in. */
enum vt_event_type kind_maker(uint16_t op);
/* The callback that is what the call LUO is for, or VT_EV_UNKNOWN. */
enum vt_event_type kind_callback(uint16_t luo);
/* Whether LUO, one of its calls, may make the callback OP. */
bool kind_may_make(uint16_t luo, uint16_t op);

#endif
