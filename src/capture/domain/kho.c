/* SPDX-License-Identifier: GPL-2.0 */
/* Kexec handover: memory that is kept for the next kernel, told by its physical address. */
#include <string.h>

#include "capture/domain/domain.h"
#include "capture/kernel/kernel.h"
#include "capture/object/object.h"

/* Blocks without an address meet no other: better not to have seen them than to have seen that none is left over. */
static void give_up(struct domains *d)
{
	for (size_t i = 0; i < d->plan.nr; i++) {
		struct plan_row *r = &d->plan.rows[i];
		const struct hook *h = plan__hook(r->prog);

		if (h && !strcmp(h->domain, "kho") && r->possible)
			plan__give_up(r, "where this kernel has its memory cannot be told, and so no physical address", 0);
	}
}

static void layout(struct domains *d, void *state)
{
	struct kernel_memory m = kernel__memory(d->k, object__reader, d->obj, object__self(d->obj));
	struct vt_control *c = object__control(d->obj);

	c->page_offset = m.page_offset;
	c->vmemmap = m.vmemmap;
	c->kexec_image = kernel__addr(d->k, "kexec_image", NULL);
	if (!m.page_offset || !m.vmemmap)
		give_up(d);
}

const struct domain domain_kho = {
	.layout = layout,
};
