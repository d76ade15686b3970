/* SPDX-License-Identifier: GPL-2.0 */
/* Whether two traces are of one live update. */
#ifndef VT_RULES_UPDATE_H
#define VT_RULES_UPDATE_H

#include <stddef.h>

#include "vfiotrace/model.h"

enum vt_kin {
	VT_KIN_ONE,	/* something that both know, or that arrived, shows that they are */
	VT_KIN_OPEN,	/* nothing does, and nothing speaks against it */
	VT_KIN_TWO,	/* they cannot be */
};
/* WHY, of VT_KIN_TWO: no sentence of its own, it follows a colon. */
enum vt_kin vt_kin(const struct vt_side *pre, const struct vt_side *post, char *why, size_t size);

#endif
