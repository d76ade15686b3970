// SPDX-License-Identifier: GPL-2.0
/* Devices that vfio binds to an iommufd (drivers/iommu/iommufd/device.c). What it makes of them is private to iommufd: a number here. */
#define HOOKS "vfiotrace/hooks/iommufd.def"
#include "lib/hooks.bpf.h"
#include "lib/device.bpf.h"

EXIT(iommufd_bind)
{
	struct vt_control *c = ctl_open();
	u64 idev = (u64)in->ret;
	struct vt_wire *w = c ? wire_new(IOMMUFD_BIND, EXIT) : NULL;

	if (!w)
		return;
	text_bdf(w, (u64)READ(in->dev, kobj.name));
	slot(w, VT_S_RET, IS_ERR_VALUE(idev) ? idev : 0);
	if (!IS_ERR_VALUE(idev))
		slot(w, VT_S_IDEV, idev);
	wire_send(c, w);
}

/* On return it is freed. */
ENTER(iommufd_unbind)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_new(IOMMUFD_UNBIND, ENTER) : NULL;

	if (!w)
		return;
	slot(w, VT_S_IDEV, (u64)in->idev);
	wire_send(c, w);
}

/* Of a page table, for one address space of the device. */
static __always_inline void pasid_exit(u16 type, u64 idev, u32 pasid, bool has_ret, s64 ret)
{
	struct vt_control *c = ctl_open();
	struct vt_wire *w = c ? wire_make(task_stored(0), type, VT_EXIT) : NULL;

	if (!w)
		return;
	slot(w, VT_S_IDEV, idev);
	slot(w, VT_S_PASID, pasid);
	if (has_ret)
		slot(w, VT_S_RET, ret);
	wire_send(c, w);
}

EXIT(iommufd_attach)
{
	pasid_exit(VT_EV_IOMMUFD_ATTACH, (u64)in->idev, in->pasid, true, in->ret);
}
EXIT(iommufd_detach)
{
	pasid_exit(VT_EV_IOMMUFD_DETACH, (u64)in->idev, in->pasid, false, 0);
}

#include "lib/programs.bpf.h"
