/* SPDX-License-Identifier: GPL-2.0 */
/* iommufd.ko: the devices that vfio binds to it. */
#include "capture/domain/domain.h"

#include "capture/kernel/kernel.h"

static const struct plan_scope functions = { .group = PLAN_IOMMUFD, .module = "iommufd", .witness = "iommufd_device_bind" };

static bool present(const struct domains *d)
{
	return kernel__addr(d->k, functions.witness, NULL) != 0;
}

static const struct domain_life births[] = {
	{ VT_EV_IOMMUFD_BIND, VT_S_IDEV, LIFE_IF_OK },
	{ 0 },
};

static const struct domain_life deaths[] = {
	{ VT_EV_IOMMUFD_UNBIND, VT_S_IDEV, 0 },
	{ 0 },
};

const struct domain domain_iommufd = {
	.phase = "attach iommufd",
	.functions = &functions,
	.present = present,
	.births = births,
	.deaths = deaths,
};
