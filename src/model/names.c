// SPDX-License-Identifier: GPL-2.0
/* What the enums of the model are called. */
#include "vfiotrace/model.h"

#define NAME2(id, name) name,
static const char *const step_names[] = { VT_STEPS(NAME2) };
static const char *const pt_names[] = { VT_PTS(NAME2) };

const char *vt_step_name(enum vt_step s)
{
	return s < VT_STEP_MAX ? step_names[s] : "?";
}

const char *vt_pt_name(enum vt_pt p)
{
	return p < VT_PT_MAX ? pt_names[p] : "?";
}

const char *vt_life_state_name(enum vt_life_state s)
{
	static const char *const names[] = {
		[VT_LIFE_TRYING] = "being preserved", [VT_LIFE_PRESERVED] = "preserved", [VT_LIFE_FROZEN] = "frozen",
		[VT_LIFE_UNPRESERVED] = "unpreserved", [VT_LIFE_INCOMING] = "not retrieved",
		[VT_LIFE_FAILED] = "retrieve failed", [VT_LIFE_RETRIEVED] = "retrieved", [VT_LIFE_FINISHED] = "finished",
	};

	return s <= VT_LIFE_FINISHED ? names[s] : "?";
}

const char *vt_phase_name(enum vt_phase_kind p)
{
	static const char *const names[] = { "preserve", "freeze", "serialize", "reboot", "deserialize", "retrieve", "finish" };

	return p < VT_PH_MAX ? names[p] : "?";
}
