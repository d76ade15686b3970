/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lab's knob for breaking LUO and memfd on purpose, one bug at a time: what
 * linux/vfio_seed_bug.h is to vfio.
 *
 * Chosen on the command line or at run time by the parameter luo_seed.bug=<name>;
 * the empty name, the default, leaves the code as it is in the kernel's sources.
 */
#ifndef _LINUX_LUO_SEED_BUG_H
#define _LINUX_LUO_SEED_BUG_H

#include <linux/types.h>

enum luo_seed_bug {
	LUO_SEED_NONE,
	LUO_SEED_RETRIEVE_FORGOTTEN,
	LUO_SEED_RETRIEVE_UNLOCKED,
	LUO_SEED_PRESERVE_TWICE,
	LUO_SEED_INSTALL_EARLY,
	LUO_SEED_LEFT_IN_CACHE,
	LUO_SEED_RESTORED_TWICE,
	LUO_SEED_UNWIND_TOO_FAR,
	LUO_SEED_FLB_LEAK,
	LUO_SEED_FLB_PUT_TWICE,
	LUO_SEED_MODULE_LEAK,
	LUO_SEED_PRESERVE_FILE_LEAK,
	LUO_SEED_UNPRESERVE_FILE_LEAK,
	LUO_SEED_UNFREEZE_MISSING,
	LUO_SEED_DATA_SWAPPED,
	LUO_SEED_FINISH_UNASKED,
	LUO_SEED_FINISH_FORGETS,
	LUO_SEED_FINISH_TWICE,
	LUO_SEED_FILE_LOST,
	LUO_SEED_SESSION_LOST,
	LUO_SEED_UNPRESERVE_RETRIEVED,
	LUO_SEED_FILE_KVFREE,
	LUO_SEED_FILE_KEPT,
	LUO_SEED_FILE_FREED_TWICE,
	LUO_SEED_SESSION_KEPT,
	LUO_SEED_FOLIOS_KFREE,
	LUO_SEED_DESERIALIZE_SWALLOWED,
	LUO_SEED_DESERIALIZE_FORGOTTEN,
	LUO_SEED_PRESERVE_DENIED,
	LUO_SEED_FINISH_DENIED,
	LUO_SEED_STILL_PRESERVED,
	LUO_SEED_SESSION_OTHER,
	LUO_SEED_SESSION_FILE_LEAK,
	LUO_SEED_MODULE_KEPT,
	LUO_SEED_MODULE_PUT_EARLY,
	LUO_SEED_FLB_OWNER_KEPT,
	LUO_SEED_SEALS_LOST,
	LUO_SEED_SIZE_ROUNDED,
	LUO_SEED_COUNT
};

bool luo_seeded(enum luo_seed_bug bug);

struct file;
struct luo_file_set;

/*
 * What the posted liveupdate_get_file_incoming() does, for a handler that needs another
 * file of the session in its own retrieve. LUO tells which session that is: the lab
 * retrieves in one at a time.
 */
void luo_lab_retrieving(struct luo_file_set *file_set);
int luo_lab_get_incoming(u64 token, struct file **filep);

/* Keeps for good what was just freed twice, so that nobody else is given it twice. */
void luo_seed_take_back(size_t size);

#endif /* _LINUX_LUO_SEED_BUG_H */
