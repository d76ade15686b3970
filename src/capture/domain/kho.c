/* SPDX-License-Identifier: GPL-2.0 */
/* Kexec handover: memory that is kept for the next kernel, told by its physical address. */
#include "capture/domain/domain.h"
#include "capture/kernel/kernel.h"
#include "capture/object/object.h"

static void layout(struct domains *d, void *state)
{
	struct kernel_memory m = kernel__memory(d->k, object__reader, d->obj);
	struct vt_control *c = object__control(d->obj);

	c->page_offset = m.page_offset;
	c->vmemmap = m.vmemmap;
}

const struct domain domain_kho = {
	.layout = layout,
};
