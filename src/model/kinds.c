// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "model/kinds.h"

const struct kind kinds[VT_EV_MAX] = {
#define X(id, name, area, flags, doc) [VT_EV_##id] = { VT_AREA_##area, flags },
	VT_EVENTS(X)
#undef X
};

/* The usual one first: freeze undoes on its own what it did. */
static const struct {
	uint16_t flag, luo;
} makers[] = {
	{ VT_K_BY_PRESERVE, VT_EV_LUO_PRESERVE }, { VT_K_BY_UNPRESERVE, VT_EV_LUO_UNPRESERVE },
	{ VT_K_BY_FREEZE, VT_EV_LUO_FREEZE }, { VT_K_BY_UNFREEZE, VT_EV_LUO_UNFREEZE },
	{ VT_K_BY_RETRIEVE, VT_EV_LUO_RETRIEVE }, { VT_K_BY_FINISH, VT_EV_LUO_FINISH },
};
#define NR_MAKERS (sizeof(makers) / sizeof(makers[0]))

enum vt_event_type kind_maker(uint16_t op)
{
	for (size_t i = 0; i < NR_MAKERS; i++) {
		if (kind_is(op, makers[i].flag))
			return makers[i].luo;
	}
	return VT_EV_UNKNOWN;
}

enum vt_event_type kind_callback(uint16_t luo)
{
	return luo == VT_EV_LUO_RETRIEVE ? VT_EV_OP_RETRIEVE : luo == VT_EV_LUO_PRESERVE ? VT_EV_OP_PRESERVE : VT_EV_UNKNOWN;
}

bool kind_may_make(uint16_t luo, uint16_t op)
{
	for (size_t i = 0; i < NR_MAKERS; i++) {
		if (kind_is(op, makers[i].flag) && makers[i].luo == luo)
			return true;
	}
	return false;
}
