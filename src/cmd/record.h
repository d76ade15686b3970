/* SPDX-License-Identifier: GPL-2.0 */
/* What sweep shares with record. */
#ifndef VT_CMD_RECORD_H
#define VT_CMD_RECORD_H

#include <stdint.h>

/* "retrieve:3" or "retrieve": the call's event type, and which allocation fails (0 = ladder). -EINVAL when it is neither. */
int record__parse_section(const char *text, int *section, uint32_t *nth);

#endif
