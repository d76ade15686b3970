/* SPDX-License-Identifier: GPL-2.0 */
/* A pager on a terminal, as git has it: PAGER or less, with LESS=FRX where the user set none. */
#ifndef VT_CMD_PAGER_H
#define VT_CMD_PAGER_H

#include <stdbool.h>

/* From here on stdout goes through it, if it is a terminal. OFF: not wanted. */
void vt_pager__begin(bool off);
/* It does. */
bool vt_pager__on(void);
/* Waits for the reader. A reader that left early is no error. */
void vt_pager__end(void);

#endif
