// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update of vfio-pci device files, for the lab of vfiotrace.
 *
 * What travels is the identity of a device, not its state: the next kernel
 * finds the device at the same address, opens it for user space, and until
 * then keeps everybody else from opening it. That is enough to exercise the
 * whole life of a preserved file.
 *
 * Two things are handed over. Each file has a page with the identity of its
 * device. All files together have a list of those identities (an FLB), since
 * vfio-pci has to know that a device arrived preserved when it binds to it,
 * which is before any session is looked at.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/kexec_handover.h>
#include <linux/liveupdate.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>
#include <linux/vfio_seed_bug.h>

#include "vfio_pci_priv.h"

#define VFIO_PCI_FH_COMPATIBLE	"vfio-pci-v1"
#define VFIO_PCI_FLB_COMPATIBLE	"vfio-pci-devices-v1"

/* Handed over: which device this is. */
struct vfio_pci_device_ser {
	u32 domain;
	u16 bdf;
	u16 vendor;
	u16 device;
	u16 reserved[3];
} __packed;

/* Handed over: every device of this update. */
struct vfio_pci_list_ser {
	u32 count;
	u32 reserved;
	struct vfio_pci_device_ser devices[];
} __packed;

#define VFIO_PCI_LIST_MAX						\
	((PAGE_SIZE - sizeof(struct vfio_pci_list_ser)) /		\
	 sizeof(struct vfio_pci_device_ser))

/* Guards the entries of both lists, outgoing and incoming. */
static DEFINE_MUTEX(vfio_pci_list_lock);

static void vfio_pci_ser_fill(struct vfio_pci_device_ser *ser,
			      struct pci_dev *pdev)
{
	ser->domain = pci_domain_nr(pdev->bus);
	ser->bdf = pci_dev_id(pdev);
	ser->vendor = pdev->vendor;
	ser->device = pdev->device;
}

static bool vfio_pci_ser_same(const struct vfio_pci_device_ser *a,
			      const struct vfio_pci_device_ser *b)
{
	return a->domain == b->domain && a->bdf == b->bdf &&
	       a->vendor == b->vendor && a->device == b->device;
}

static struct vfio_pci_device_ser *
vfio_pci_list_find(struct vfio_pci_list_ser *list,
		   const struct vfio_pci_device_ser *ser)
{
	u32 i;

	for (i = 0; i < list->count; i++)
		if (vfio_pci_ser_same(&list->devices[i], ser))
			return &list->devices[i];
	return NULL;
}

/*
 * The list of all preserved devices
 */
static int vfio_pci_liveupdate_flb_preserve(struct liveupdate_flb_op_args *args)
{
	struct vfio_pci_list_ser *list = kho_alloc_preserve(PAGE_SIZE);

	if (IS_ERR(list))
		return PTR_ERR(list);

	args->obj = list;
	args->data = virt_to_phys(list);
	return 0;
}

static void vfio_pci_liveupdate_flb_unpreserve(struct liveupdate_flb_op_args *args)
{
	kho_unpreserve_free(args->obj);
}

static int vfio_pci_liveupdate_flb_retrieve(struct liveupdate_flb_op_args *args)
{
	struct vfio_pci_list_ser *list = phys_to_virt(args->data);

	if (list->count > VFIO_PCI_LIST_MAX)
		return -EINVAL;

	args->obj = list;
	return 0;
}

static void vfio_pci_liveupdate_flb_finish(struct liveupdate_flb_op_args *args)
{
	kho_restore_free(args->obj);
}

static const struct liveupdate_flb_ops vfio_pci_liveupdate_flb_ops = {
	.preserve	= vfio_pci_liveupdate_flb_preserve,
	.unpreserve	= vfio_pci_liveupdate_flb_unpreserve,
	.retrieve	= vfio_pci_liveupdate_flb_retrieve,
	.finish		= vfio_pci_liveupdate_flb_finish,
	.owner		= THIS_MODULE,
};

static struct liveupdate_flb vfio_pci_liveupdate_flb = {
	.ops		= &vfio_pci_liveupdate_flb_ops,
	.compatible	= VFIO_PCI_FLB_COMPATIBLE,
};

static int vfio_pci_list_add(const struct vfio_pci_device_ser *ser)
{
	struct vfio_pci_list_ser *list;
	void *obj;
	int ret;

	ret = liveupdate_flb_get_outgoing(&vfio_pci_liveupdate_flb, &obj);
	if (ret)
		return ret;

	list = obj;
	scoped_guard(mutex, &vfio_pci_list_lock) {
		if (list->count < VFIO_PCI_LIST_MAX)
			list->devices[list->count++] = *ser;
		else
			ret = -ENOSPC;
	}

	liveupdate_flb_put_outgoing(&vfio_pci_liveupdate_flb);
	return ret;
}

static void vfio_pci_list_remove(struct vfio_pci_list_ser *list,
				 const struct vfio_pci_device_ser *ser)
{
	struct vfio_pci_device_ser *entry;

	guard(mutex)(&vfio_pci_list_lock);
	entry = vfio_pci_list_find(list, ser);
	if (entry)
		*entry = list->devices[--list->count];
}

static void vfio_pci_list_remove_outgoing(const struct vfio_pci_device_ser *ser)
{
	void *obj;

	if (liveupdate_flb_get_outgoing(&vfio_pci_liveupdate_flb, &obj))
		return;
	vfio_pci_list_remove(obj, ser);
	liveupdate_flb_put_outgoing(&vfio_pci_liveupdate_flb);
}

static void vfio_pci_list_remove_incoming(const struct vfio_pci_device_ser *ser)
{
	void *obj;

	if (liveupdate_flb_get_incoming(&vfio_pci_liveupdate_flb, &obj))
		return;
	vfio_pci_list_remove(obj, ser);
	liveupdate_flb_put_incoming(&vfio_pci_liveupdate_flb);
}

/* Called before the device is registered, so that nobody can be faster. */
void vfio_pci_liveupdate_mark_incoming(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_device_ser ser = {};
	void *obj;

	/* Not booted by a live update, or none of it was ours, is no error. */
	if (liveupdate_flb_get_incoming(&vfio_pci_liveupdate_flb, &obj))
		return;

	vfio_pci_ser_fill(&ser, vdev->pdev);
	scoped_guard(mutex, &vfio_pci_list_lock)
		vdev->vdev.liveupdate_incoming = vfio_pci_list_find(obj, &ser);

	liveupdate_flb_put_incoming(&vfio_pci_liveupdate_flb);
}

/*
 * One preserved file
 */
static struct vfio_pci_core_device *
vfio_pci_liveupdate_vdev(struct vfio_device *device)
{
	return container_of(device, struct vfio_pci_core_device, vdev);
}

static bool vfio_pci_liveupdate_same(struct device *dev,
				     const struct vfio_pci_device_ser *ser)
{
	struct vfio_device *device =
		container_of(dev, struct vfio_device, device);
	struct vfio_pci_device_ser found = {};

	vfio_pci_ser_fill(&found, vfio_pci_liveupdate_vdev(device)->pdev);
	return vfio_pci_ser_same(&found, ser);
}

static bool vfio_pci_liveupdate_ours(struct device *dev)
{
	return vfio_pci_is_ours(container_of(dev, struct vfio_device, device));
}

static int match_device(struct device *dev, const void *data)
{
	return vfio_pci_liveupdate_ours(dev) &&
	       vfio_pci_liveupdate_same(dev, data);
}

/* Only ever used by seeded bugs. */
static int match_other_device(struct device *dev, const void *data)
{
	return vfio_pci_liveupdate_ours(dev) &&
	       !vfio_pci_liveupdate_same(dev, data);
}

/* Drops what vfio_find_device() pinned. */
static void vfio_pci_put_found(struct vfio_device *device)
{
	if (vfio_seeded(VFIO_SEED_LOOKUP_UNPINNED))
		put_device(&device->device);
	else
		vfio_device_put_registration(device);
}

/*
 * VFIO_SEED_LOOKUP_UNPINNED: gives whoever takes the driver away right now the time
 * to be through with it, so that the race has a known end.
 */
static void vfio_pci_lose_race(struct vfio_device *device)
{
	unsigned int count;

	read_poll_timeout(refcount_read, count, !count, 10 * USEC_PER_MSEC,
			  3 * USEC_PER_SEC, false, &device->refcount);
	msleep(100);
}

/* Only ever used by VFIO_SEED_OTHER_DEVICE_SAVED. */
static void vfio_pci_ser_fill_other(struct vfio_pci_device_ser *ser)
{
	struct vfio_device *other = vfio_find_device(ser, match_other_device);

	if (!other)
		return;
	vfio_pci_ser_fill(ser, vfio_pci_liveupdate_vdev(other)->pdev);
	vfio_pci_put_found(other);
}

/* VFIO_SEED_LOOKUP_KEPT: only the first one in a boot is, so each count differs from the next. */
static bool vfio_pci_lookup_kept(void)
{
	static atomic_t lookups = ATOMIC_INIT(0);

	return vfio_seeded(VFIO_SEED_LOOKUP_KEPT) && atomic_inc_return(&lookups) == 1;
}

/* Only ever used by VFIO_SEED_LOOKUP_TWICE. */
static void vfio_pci_look_up_again(const struct vfio_pci_device_ser *ser)
{
	struct vfio_device *device = vfio_find_device(ser, match_device);

	if (device)
		vfio_pci_put_found(device);
}

static bool vfio_pci_liveupdate_can_preserve(struct liveupdate_file_handler *handler,
					     struct file *file)
{
	struct vfio_device *device = vfio_device_bound_from_file(file);

	return device && vfio_pci_is_ours(device);
}

static int vfio_pci_liveupdate_preserve(struct liveupdate_file_op_args *args)
{
	struct vfio_device *device = vfio_device_bound_from_file(args->file);
	struct vfio_pci_device_ser *ser;
	int ret;

	if (!device)
		return -EINVAL;

	ser = kho_alloc_preserve(sizeof(*ser));
	if (IS_ERR(ser))
		return PTR_ERR(ser);

	vfio_pci_ser_fill(ser, vfio_pci_liveupdate_vdev(device)->pdev);
	if (vfio_seeded(VFIO_SEED_OTHER_DEVICE_SAVED))
		vfio_pci_ser_fill_other(ser);
	ret = vfio_pci_list_add(ser);
	if (ret) {
		kho_unpreserve_free(ser);
		return ret;
	}

	args->serialized_data = virt_to_phys(ser);
	return 0;
}

static void vfio_pci_liveupdate_unpreserve(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_device_ser *ser = phys_to_virt(args->serialized_data);

	vfio_pci_list_remove_outgoing(ser);
	if (!vfio_seeded(VFIO_SEED_UNPRESERVE_NO_FREE))
		kho_unpreserve_free(ser);
}

/* What vfio_pci_zap_bars() does. */
static void vfio_pci_liveupdate_zap(struct vfio_device *device)
{
	loff_t start = VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR0_REGION_INDEX);
	loff_t end = VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_ROM_REGION_INDEX);

	unmap_mapping_range(device->inode->i_mapping, start, end - start, true);
}

/*
 * The jump must not be interrupted by a device that nobody listens to any more,
 * and turning interrupts off is the business of who turned them on. The bus
 * master bit goes in the PCI core's shutdown.
 */
static int vfio_pci_liveupdate_freeze(struct liveupdate_file_op_args *args)
{
	struct vfio_device *device = vfio_device_bound_from_file(args->file);
	struct vfio_pci_core_device *vdev;

	if (!device)
		return -EINVAL;

	vdev = vfio_pci_liveupdate_vdev(device);
	guard(mutex)(&vdev->igate);
	if (vdev->irq_type != VFIO_PCI_NUM_IRQS)
		return -EBUSY;
	if (vfio_seeded(VFIO_SEED_FREEZE_ZAPS) || vfio_seeded(VFIO_SEED_FREEZE_ZAPS_RIGHT))
		vfio_pci_liveupdate_zap(device);
	return 0;
}

/* Only LUO's with VFIO_SEED_FREEZE_ZAPS_RIGHT. The next access faults, and maps again. */
static void vfio_pci_liveupdate_unfreeze(struct liveupdate_file_op_args *args)
{
}

static int vfio_pci_liveupdate_retrieve(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_device_ser *ser = phys_to_virt(args->serialized_data);
	struct vfio_device *device;
	struct file *file;

	/* As the first posted version did. finish puts the folio of a success. */
	if (vfio_seeded(VFIO_SEED_FOLIO_NOT_PUT))
		kho_restore_folio(args->serialized_data);

	device = vfio_find_device(ser, vfio_seeded(VFIO_SEED_SERIALIZED_CHANGED) ?
				  match_other_device : match_device);
	if (!device)
		return -ENODEV;

	if (vfio_seeded(VFIO_SEED_LOOKUP_UNPINNED))
		vfio_pci_lose_race(device);
	if (vfio_seeded(VFIO_SEED_LOOKUP_TWICE))
		vfio_pci_look_up_again(ser);

	file = vfio_device_liveupdate_cdev_open(device);
	if (!vfio_pci_lookup_kept())
		vfio_pci_put_found(device);
	if (IS_ERR(file))
		return PTR_ERR(file);

	if (vfio_seeded(VFIO_SEED_FILE_REF_LEAK))
		get_file(file);

	args->file = file;
	return 0;
}

/*
 * A retrieved device must have a new owner before the old state goes. One that
 * was not asked for, or could not be had, never will have: let it go.
 */
static bool vfio_pci_liveupdate_can_finish(struct liveupdate_file_op_args *args)
{
	if (args->retrieve_status <= 0)
		return true;
	return vfio_device_bound_from_file(args->file);
}

static void vfio_pci_liveupdate_free_ser(struct liveupdate_file_op_args *args,
					 struct vfio_pci_device_ser *ser)
{
	if (vfio_seeded(VFIO_SEED_FINISH_NO_RESTORE_FREE))
		return;

	if (!vfio_seeded(VFIO_SEED_FOLIO_NOT_PUT) || !args->retrieve_status)
		kho_restore_free(ser);
	else if (args->retrieve_status > 0)
		folio_put(virt_to_folio(ser));
}

/* Anybody may open the device from now on. A file that was retrieved knows its own. */
static void vfio_pci_liveupdate_let_go(struct liveupdate_file_op_args *args,
				       const struct vfio_pci_device_ser *ser)
{
	struct vfio_device *device, *found = NULL;

	device = args->file ? vfio_device_retrieved_from_file(args->file) : NULL;
	if (!device)
		device = found = vfio_find_device(ser, match_device);
	if (device && !vfio_seeded(VFIO_SEED_STILL_BUSY))
		WRITE_ONCE(device->liveupdate_incoming, false);
	if (found)
		vfio_pci_put_found(found);
}

static void vfio_pci_liveupdate_finish(struct liveupdate_file_op_args *args)
{
	struct vfio_pci_device_ser *ser = phys_to_virt(args->serialized_data);

	vfio_pci_list_remove_incoming(ser);
	vfio_pci_liveupdate_let_go(args, ser);

	if (vfio_seeded(VFIO_SEED_FINISH_PUTS_FILE) && args->file)
		fput(args->file);

	vfio_pci_liveupdate_free_ser(args, ser);
}

static struct liveupdate_file_ops vfio_pci_liveupdate_file_ops = {
	.can_preserve	= vfio_pci_liveupdate_can_preserve,
	.preserve	= vfio_pci_liveupdate_preserve,
	.unpreserve	= vfio_pci_liveupdate_unpreserve,
	.freeze		= vfio_pci_liveupdate_freeze,
	.retrieve	= vfio_pci_liveupdate_retrieve,
	.can_finish	= vfio_pci_liveupdate_can_finish,
	.finish		= vfio_pci_liveupdate_finish,
	.owner		= THIS_MODULE,
};

static struct liveupdate_file_handler vfio_pci_liveupdate_fh = {
	.ops		= &vfio_pci_liveupdate_file_ops,
	.compatible	= VFIO_PCI_FH_COMPATIBLE,
};

int __init vfio_pci_liveupdate_init(void)
{
	int ret;

	/* A kernel told to do without live update still has vfio-pci. */
	if (!liveupdate_enabled())
		return 0;

	if (vfio_seeded(VFIO_SEED_FREEZE_ZAPS_RIGHT))
		vfio_pci_liveupdate_file_ops.unfreeze = vfio_pci_liveupdate_unfreeze;
	ret = liveupdate_register_file_handler(&vfio_pci_liveupdate_fh);
	if (ret)
		return ret;

	ret = liveupdate_register_flb(&vfio_pci_liveupdate_fh,
				      &vfio_pci_liveupdate_flb);
	if (ret)
		liveupdate_unregister_file_handler(&vfio_pci_liveupdate_fh);
	return ret;
}

void vfio_pci_liveupdate_cleanup(void)
{
	if (!liveupdate_enabled())
		return;

	liveupdate_unregister_flb(&vfio_pci_liveupdate_fh,
				  &vfio_pci_liveupdate_flb);
	liveupdate_unregister_file_handler(&vfio_pci_liveupdate_fh);
}
