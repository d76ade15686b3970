/* SPDX-License-Identifier: GPL-2.0 */
/* Whether two traces can be of one live update. */
#ifndef VT_RULES_UPDATE_H
#define VT_RULES_UPDATE_H

#include <stdbool.h>
#include <stddef.h>

#include "vfiotrace/model.h"

/* They cannot, and WHY: no sentence of its own, it follows a colon. */
bool vt_two_updates(const struct vt_side *pre, const struct vt_side *post, char *why, size_t size);

#endif
