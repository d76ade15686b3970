// SPDX-License-Identifier: GPL-2.0
/* What vfio_df_device_first_open() bound to an iommufd is unbound when the opening fails, or with the last close. */
#include "rules/facts.h"
#include "rules/finding.h"

#define BUSY "The device keeps its IOMMU group for that iommufd, and a reference on the iommufd, until a reboot: to bind it again fails with -EBUSY."

static const struct vt_telling left[] = {
	{ .kind = VT_FACT_IOMMUFD_FAILED, .key = "failed", .absence = true,
	  .title = "an opening of a vfio device fails and leaves the device bound",
	  .expected = "iommufd_device_unbind() for what iommufd_device_bind() bound, before the error is returned",
	  .seen = "the opening returns an error, and the device is still bound to its iommufd",
	  .meaning = BUSY,
	  .ev = { "the opening fails", "binds the device to its iommufd" } },
	{ .kind = VT_FACT_IOMMUFD_LEFT, .key = "closed", .absence = true,
	  .title = "a vfio device is closed for the last time and stays bound",
	  .expected = "iommufd_device_unbind() within the last vfio_df_close()",
	  .seen = "nobody has the device open, and it is still bound to its iommufd",
	  .meaning = BUSY,
	  .ev = { "the last close", "binds the device to its iommufd" } },
	{ .kind = VT_FACT_IOMMUFD_ATTACHED, .key = "attached", .absence = true,
	  .title = "a vfio device is unbound from its iommufd with a page table attached",
	  .expected = "iommufd_device_detach() for each iommufd_device_attach(), before iommufd_device_unbind()",
	  .seen = "it is unbound, and a page table of it was never detached",
	  .meaning = "The page table stays busy and is never freed, and the device can go on to reach the memory that it maps.",
	  .ev = { "unbinds the device", "binds it", "attaches a page table" } },
};

const struct vt_rule vt_rule_iommufd_left = {
	.id = "iommufd-left", .name = "device left in an iommufd", .severity = VT_ERROR, .subject = VT_ABOUT_VFIO,
	.judges = { "call", "calls", .type = { VT_EV_IOMMUFD_BIND, VT_EV_IOMMUFD_UNBIND } },
	.needs = { { VT_EV_IOMMUFD_BIND, VT_ANY }, { VT_EV_IOMMUFD_UNBIND, VT_ANY }, { VT_EV_IOMMUFD_ATTACH, VT_ANY }, { VT_EV_IOMMUFD_DETACH, VT_ANY },
		   { VT_EV_VFIO_DF_OPEN, VT_ANY }, { VT_EV_VFIO_DF_CLOSE, VT_ANY } },
	VT_TELLS(left),
};
