/* SPDX-License-Identifier: GPL-2.0 */
/* struct file: those that a traced call makes, until __fput(). */
#include "capture/domain/domain.h"

static const struct domain_life births[] = {
	{ VT_EV_FILE_ANON, VT_S_FILE, 0 },
	{ 0 },
};

static const struct domain_life deaths[] = {
	{ VT_EV_FILE_FPUT, VT_S_FILE, 0 },
	{ 0 },
};

/* Release comes after __fput()'s entry. */
static const struct domain_parting parting[] = {
	{ VT_EV_FILE_FPUT, VT_P_NONE },
	{ VT_EV_FILE_SNAP, VT_P_RELEASE },
	{ 0 },
};

static const struct domain_memory remembered[] = {
	{ VT_C_FILE, VT_EV_FILE_FPUT },
	{ VT_C_FILE, VT_EV_FILE_LET_GO },
	{ 0 },
};

const struct domain domain_file = {
	.births = births,
	.deaths = deaths,
	.parting = parting,
	.remembered = remembered,
};
