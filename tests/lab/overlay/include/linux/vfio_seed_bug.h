/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lab's knob for breaking vfio on purpose, one bug at a time.
 *
 * A tracer that claims to find lifecycle bugs has to be shown some. Each entry
 * is a bug that reviewers found in posted live update code, or one of the same
 * class, and is made to disturb nothing but the balance it is about: a seeded
 * kernel leaks or mismatches and may warn, it does not crash. The knob for LUO
 * and memfd is linux/luo_seed_bug.h.
 *
 * Chosen at run time with the module parameter vfio.seed_bug=<name>; the empty
 * name, the default, means that the code is correct. It is with some other names
 * too: those are what comes close to a bug and is none.
 */
#ifndef _LINUX_VFIO_SEED_BUG_H
#define _LINUX_VFIO_SEED_BUG_H

#include <linux/types.h>

enum vfio_seed_bug {
	VFIO_SEED_NONE,
	VFIO_SEED_DF_KVFREE,
	VFIO_SEED_FMAPPING_MISSING,
	VFIO_SEED_FMODE_MISSING,
	VFIO_SEED_FINISH_NO_RESTORE_FREE,
	VFIO_SEED_REGISTRATION_LEAK_OPEN,
	VFIO_SEED_EBUSY_MISSING,
	VFIO_SEED_DF_LEAK,
	VFIO_SEED_DF_KFREE_RCU,
	VFIO_SEED_RELEASE_NO_PUT,
	VFIO_SEED_KREF_LEAK,
	VFIO_SEED_FILE_REF_LEAK,
	VFIO_SEED_EARLY_FILE,
	VFIO_SEED_SERIALIZED_CHANGED,
	VFIO_SEED_FOLIO_NOT_PUT,
	VFIO_SEED_DF_DOUBLE_FREE,
	VFIO_SEED_LOOKUP_UNPINNED,
	VFIO_SEED_RELEASE_PUT_TWICE,
	VFIO_SEED_KREF_PUT_TWICE,
	VFIO_SEED_FINISH_PUTS_FILE,
	VFIO_SEED_FMAPPING_OTHER,
	VFIO_SEED_OTHER_DEVICE_SAVED,
	VFIO_SEED_UNPRESERVE_NO_FREE,
	VFIO_SEED_STILL_BUSY,
	VFIO_SEED_EARLY_FILE_LOST,
	VFIO_SEED_LOOKUP_KEPT,
	VFIO_SEED_LOOKUP_TWICE,
	VFIO_SEED_DF_LEFT_OPEN,
	VFIO_SEED_FREEZE_ZAPS,
	VFIO_SEED_FREEZE_ZAPS_RIGHT,
	VFIO_SEED_NAMES_V1,
	VFIO_SEED_IOMMUFD_LEFT,
	VFIO_SEED_OPEN_FAILS,
	VFIO_SEED_OPEN_FAILS_BOUND,
	VFIO_SEED_COUNT
};

bool vfio_seeded(enum vfio_seed_bug bug);

#endif /* _LINUX_VFIO_SEED_BUG_H */
