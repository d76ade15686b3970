// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab's knob for breaking vfio on purpose: see linux/vfio_seed_bug.h.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/vfio_seed_bug.h>

/*
 * The one list of what can be broken. The ids (B01, ...) are those of the
 * catalogue of real bugs that the lab works from.
 */
static const char * const vfio_seed_names[VFIO_SEED_COUNT] = {
	[VFIO_SEED_NONE]			= "",
	/* B01: the open error path frees df with kvfree() */
	[VFIO_SEED_DF_KVFREE]			= "df-kvfree",
	/* B07: a retrieved file keeps the anonymous inode's f_mapping */
	[VFIO_SEED_FMAPPING_MISSING]		= "fmapping-missing",
	/* B08: a retrieved file lacks FMODE_PREAD and FMODE_PWRITE */
	[VFIO_SEED_FMODE_MISSING]		= "fmode-missing",
	/* B10: finish forgets the preserved memory */
	[VFIO_SEED_FINISH_NO_RESTORE_FREE]	= "finish-no-restore-free",
	/* B06: the open error path forgets the registration */
	[VFIO_SEED_REGISTRATION_LEAK_OPEN]	= "registration-leak-open",
	/* B09: a preserved device can be opened before it was finished */
	[VFIO_SEED_EBUSY_MISSING]		= "ebusy-missing",
	/* class of B01: the open error path forgets df */
	[VFIO_SEED_DF_LEAK]			= "df-leak",
	/* class of B01: the open error path frees df by way of RCU */
	[VFIO_SEED_DF_KFREE_RCU]		= "df-kfree-rcu",
	/* class of B06: release forgets the registration */
	[VFIO_SEED_RELEASE_NO_PUT]		= "release-no-put",
	/* class of B05: looking up a device keeps its struct device */
	[VFIO_SEED_KREF_LEAK]			= "kref-leak",
	/* class of B03: retrieve keeps a reference of the file it made */
	[VFIO_SEED_FILE_REF_LEAK]		= "file-ref-leak",
	/* B02: the file exists before its df does */
	[VFIO_SEED_EARLY_FILE]			= "early-file",
	/* identity: retrieve hands out another device than was preserved */
	[VFIO_SEED_SERIALIZED_CHANGED]		= "serialized-changed",
	/* B03: retrieve restores the folio, and does not put it when it fails */
	[VFIO_SEED_FOLIO_NOT_PUT]		= "folio-not-put",
	/* B04: the file owns df, both are freed, and one registration put too many */
	[VFIO_SEED_DF_DOUBLE_FREE]		= "df-double-free",
	/* B05: the lookup pins the struct device and not the registration */
	[VFIO_SEED_LOOKUP_UNPINNED]		= "lookup-unpinned",
	/* class of B04: release puts the registration twice */
	[VFIO_SEED_RELEASE_PUT_TWICE]		= "release-put-twice",
	/* class of B05: looking up a device puts its struct device twice */
	[VFIO_SEED_KREF_PUT_TWICE]		= "kref-put-twice",
	/* class of B04: finish puts the reference that LUO puts, too */
	[VFIO_SEED_FINISH_PUTS_FILE]		= "finish-puts-file",
	/* B07: a retrieved file gets the mapping of another device */
	[VFIO_SEED_FMAPPING_OTHER]		= "fmapping-other",
	/* identity: preserve hands over the address of another device */
	[VFIO_SEED_OTHER_DEVICE_SAVED]		= "other-device-saved",
	/* class of B10: unpreserve forgets the preserved memory */
	[VFIO_SEED_UNPRESERVE_NO_FREE]		= "unpreserve-no-free",
	/* class of B09: a device cannot be opened after it was finished either */
	[VFIO_SEED_STILL_BUSY]			= "still-busy",
	/* class of B02: the file exists before its df does, and is lost on the error path */
	[VFIO_SEED_EARLY_FILE_LOST]		= "early-file-lost",
	/* the first lookup of a boot keeps its hold on the registration */
	[VFIO_SEED_LOOKUP_KEPT]			= "lookup-kept",
	/* right: a retrieve looks its device up twice, and lets go of both */
	[VFIO_SEED_LOOKUP_TWICE]		= "lookup-twice",
	/* release does not unbind the device from its iommufd */
	[VFIO_SEED_DF_LEFT_OPEN]		= "df-left-open",
	/* freeze zaps the BAR mappings, and there is no unfreeze */
	[VFIO_SEED_FREEZE_ZAPS]			= "freeze-zaps",
	/* right: the same with an unfreeze, after which a fault maps them again */
	[VFIO_SEED_FREEZE_ZAPS_RIGHT]		= "freeze-zaps-right",
	/* right: opened under the names of the first two posted versions */
	[VFIO_SEED_NAMES_V1]			= "names-v1",
	/* own: the last close does not unbind the device from its iommufd */
	[VFIO_SEED_IOMMUFD_LEFT]		= "iommufd-left",
	/* no bug: the driver fails to open the device */
	[VFIO_SEED_OPEN_FAILS]			= "open-fails",
	/* own: the driver fails to open the device, which stays bound */
	[VFIO_SEED_OPEN_FAILS_BOUND]		= "open-fails-bound",
};

static enum vfio_seed_bug vfio_seed_bug;

bool vfio_seeded(enum vfio_seed_bug bug)
{
	return unlikely(READ_ONCE(vfio_seed_bug) == bug);
}
EXPORT_SYMBOL_GPL(vfio_seeded);

static int vfio_seed_bug_set(const char *val, const struct kernel_param *kp)
{
	int i;

	for (i = 0; i < VFIO_SEED_COUNT; i++) {
		if (sysfs_streq(val, vfio_seed_names[i])) {
			WRITE_ONCE(vfio_seed_bug, i);
			return 0;
		}
	}
	return -EINVAL;
}

static int vfio_seed_bug_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", vfio_seed_names[vfio_seed_bug]);
}

static const struct kernel_param_ops vfio_seed_bug_ops = {
	.set = vfio_seed_bug_set,
	.get = vfio_seed_bug_get,
};
module_param_cb(seed_bug, &vfio_seed_bug_ops, NULL, 0644);
MODULE_PARM_DESC(seed_bug, "Name of the one bug to switch on (default: none)");
