// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab's knob for breaking LUO and memfd on purpose: see linux/luo_seed_bug.h.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/luo_seed_bug.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "luo_internal.h"

/*
 * The one list of what can be broken. The ids (B11, ...) are those of the
 * catalogue of real bugs that the lab works from.
 */
static const char * const luo_seed_names[LUO_SEED_COUNT] = {
	[LUO_SEED_NONE]			= "",
	/* B11: that a retrieve failed is not remembered */
	[LUO_SEED_RETRIEVE_FORGOTTEN]	= "retrieve-forgotten",
	/* B12: a file is found not retrieved, and retrieved, without a lock */
	[LUO_SEED_RETRIEVE_UNLOCKED]	= "retrieve-unlocked",
	/* B13: one file is preserved under two tokens */
	[LUO_SEED_PRESERVE_TWICE]	= "preserve-twice",
	/* B14: the fd is installed before the reply is copied */
	[LUO_SEED_INSTALL_EARLY]	= "install-early",
	/* B15: memfd leaves a folio in the page cache when accounting fails */
	[LUO_SEED_LEFT_IN_CACHE]	= "left-in-cache",
	/* B16: memfd restores in finish what retrieve restored */
	[LUO_SEED_RESTORED_TWICE]	= "restored-twice",
	/* B17: memfd unpreserves more than it preserved */
	[LUO_SEED_UNWIND_TOO_FAR]	= "unwind-too-far",
	/* a failing preserve keeps its count of the FLB */
	[LUO_SEED_FLB_LEAK]		= "flb-leak",
	/* finishing a file drops the FLB's count twice */
	[LUO_SEED_FLB_PUT_TWICE]	= "flb-put-twice",
	/* a failing preserve keeps the handler's module */
	[LUO_SEED_MODULE_LEAK]		= "module-leak",
	/* a failing preserve keeps its reference of the file */
	[LUO_SEED_PRESERVE_FILE_LEAK]	= "preserve-file-leak",
	/* a session that is closed keeps its references of the files */
	[LUO_SEED_UNPRESERVE_FILE_LEAK]	= "unpreserve-file-leak",
	/* a failing freeze leaves those before it frozen */
	[LUO_SEED_UNFREEZE_MISSING]	= "unfreeze-missing",
	/* two files of one handler arrive with each other's data */
	[LUO_SEED_DATA_SWAPPED]		= "data-swapped",
	/* a file is finished although its handler forbids it */
	[LUO_SEED_FINISH_UNASKED]	= "finish-unasked",
	/* the first file of a session is not finished */
	[LUO_SEED_FINISH_FORGETS]	= "finish-forgets",
	/* every file is finished twice */
	[LUO_SEED_FINISH_TWICE]		= "finish-twice",
	/* the last file of a session does not arrive */
	[LUO_SEED_FILE_LOST]		= "file-lost",
	/* the first session does not arrive */
	[LUO_SEED_SESSION_LOST]		= "session-lost",
	/* closing a session unpreserves what was retrieved */
	[LUO_SEED_UNPRESERVE_RETRIEVED]	= "unpreserve-retrieved",
	/* class of B01: a failing preserve frees struct luo_file with kvfree() */
	[LUO_SEED_FILE_KVFREE]		= "file-kvfree",
	/* unpreserving a file forgets its struct luo_file */
	[LUO_SEED_FILE_KEPT]		= "file-kept",
	/* class of B04: finishing a file frees its struct luo_file twice */
	[LUO_SEED_FILE_FREED_TWICE]	= "file-freed-twice",
	/* the release of a session forgets its struct luo_session */
	[LUO_SEED_SESSION_KEPT]		= "session-kept",
	/* class of B01: memfd frees with kfree() what kvmalloc() gave */
	[LUO_SEED_FOLIOS_KFREE]		= "folios-kfree",
	/* files of a session could not be read, and nobody is told */
	[LUO_SEED_DESERIALIZE_SWALLOWED] = "deserialize-swallowed",
	/* that the sessions could not be read is not remembered */
	[LUO_SEED_DESERIALIZE_FORGOTTEN] = "deserialize-forgotten",
	/* a file is preserved, and the ioctl says that it is not */
	[LUO_SEED_PRESERVE_DENIED]	= "preserve-denied",
	/* a session is finished, and the ioctl says that it is not */
	[LUO_SEED_FINISH_DENIED]	= "finish-denied",
	/* a file that was unpreserved cannot be preserved again */
	[LUO_SEED_STILL_PRESERVED]	= "still-preserved",
	/* another session is handed out than was asked for */
	[LUO_SEED_SESSION_OTHER]	= "session-other",
	/* the file of a session has a reference too many */
	[LUO_SEED_SESSION_FILE_LEAK]	= "session-file-leak",
	/* finishing a file keeps the handler's module */
	[LUO_SEED_MODULE_KEPT]		= "module-kept",
	/* the handler's module is let go before its finish is called */
	[LUO_SEED_MODULE_PUT_EARLY]	= "module-put-early",
	/* the end of an FLB keeps the module of its owner */
	[LUO_SEED_FLB_OWNER_KEPT]	= "flb-owner-kept",
	/* memfd does not put the seals back */
	[LUO_SEED_SEALS_LOST]		= "seals-lost",
	/* memfd makes a file larger, up to a page */
	[LUO_SEED_SIZE_ROUNDED]		= "size-rounded",
};

static enum luo_seed_bug luo_seed_bug;

bool luo_seeded(enum luo_seed_bug bug)
{
	return unlikely(READ_ONCE(luo_seed_bug) == bug);
}
EXPORT_SYMBOL_GPL(luo_seeded);

static struct luo_file_set *luo_retrieving;

void luo_lab_retrieving(struct luo_file_set *file_set)
{
	WRITE_ONCE(luo_retrieving, file_set);
}

int luo_lab_get_incoming(u64 token, struct file **filep)
{
	return luo_retrieve_file(READ_ONCE(luo_retrieving), token, filep);
}
EXPORT_SYMBOL_GPL(luo_lab_get_incoming);

/* What was freed last is given out first, and here twice. */
void luo_seed_take_back(size_t size)
{
	static void *kept[2];

	kept[0] = kmalloc(size, GFP_KERNEL);
	kept[1] = kmalloc(size, GFP_KERNEL);
	if (kept[0] != kept[1])
		pr_warn("luo_seed: what was freed twice went to somebody else\n");
}

static int luo_seed_bug_set(const char *val, const struct kernel_param *kp)
{
	int i;

	for (i = 0; i < LUO_SEED_COUNT; i++) {
		if (sysfs_streq(val, luo_seed_names[i])) {
			WRITE_ONCE(luo_seed_bug, i);
			return 0;
		}
	}
	return -EINVAL;
}

static int luo_seed_bug_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", luo_seed_names[luo_seed_bug]);
}

static const struct kernel_param_ops luo_seed_bug_ops = {
	.set = luo_seed_bug_set,
	.get = luo_seed_bug_get,
};
module_param_cb(bug, &luo_seed_bug_ops, NULL, 0644);
MODULE_PARM_DESC(bug, "Name of the one bug to switch on (default: none)");
