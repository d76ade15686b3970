// SPDX-License-Identifier: GPL-2.0
/* f_mapping of a vfio file: the address space in which a reset looks for BAR mappings. */
#include <inttypes.h>
#include <string.h>

#include "rules/finding.h"

/* A mapping made through a file that is not linked is that file's doing. */
static const struct vt_fact *first_fact(const struct vt_side *s, enum vt_fact_kind kind, const char *bdf)
{
	for (size_t k = 0; k < s->nr_facts; k++) {
		const struct vt_fact *x = &s->facts[k];

		if (x->kind == kind && x->who.bdf && bdf && !strcmp(x->who.bdf, bdf))
			return x;
	}
	return NULL;
}

static bool unlinked_file(const struct vt_side *s, const char *bdf)
{
	return first_fact(s, VT_FACT_MAPPING, bdf) != NULL;
}

/* A zap that was seen passing the VMA by. */
static void tell_zap(struct vt_ctx *c, struct vt_finding *f, size_t side, const struct vt_fact *astray)
{
	if (astray->num[1] < 0)
		vt_proof(c, f, side, &astray->at[1], "zaps the device's own address space, in which that BAR's VMA is not");
	else
		vt_proof(c, f, side, &astray->at[1], "zaps the device's own address space: %" PRId64 " VMA%s, and that BAR's is not among them",
			 astray->num[1], astray->num[1] == 1 ? "" : "s");
}

static void mapping(struct vt_ctx *c)
{
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		for (size_t k = 0; k < s->nr_facts; k++) {
			const struct vt_fact *x = &s->facts[k];
			bool mmap = x->kind == VT_FACT_MMAP_MAPPING;
			const struct vt_fact *astray;
			struct vt_finding *f;

			if ((x->kind != VT_FACT_MAPPING && !mmap) || (mmap && unlinked_file(s, x->who.bdf)))
				continue;
			f = vt_find(c, VT_ERROR, i, &x->who, "%s|%s", x->who.compatible ? x->who.compatible : "",
				    mmap ? "mmap" : x->str[1]);
			if (!f) {
				continue;
			}
			f->func = mmap ? "vfio_device_fops_mmap" : x->who.session ? "vfio_device_cdev_open" : "vfio_device_fops_cdev_open";
			vt_text(c, &f->title, mmap ? "a BAR is mapped through an address space that is not the device's" :
				"the vfio file's f_mapping is not the mapping of its device's inode");
			vt_text(c, &f->expected, "f_mapping == device->inode->i_mapping");
			vt_text(c, &f->seen[i], mmap ? "vma->vm_file->f_mapping is another mapping" : "f_mapping is %s (at %s)", x->str[1], x->str[0]);
			vt_proof(c, f, i, &x->at[0], mmap ? "the mapping is made" : "f_mapping is %s", x->str[1]);
			astray = first_fact(s, VT_FACT_MMAP_MAPPING, x->who.bdf);
			if (!mmap && astray)
				vt_proof(c, f, i, &astray->at[0], "maps a BAR through it");
			if (astray)
				tell_zap(c, f, i, astray);
			vt_text(c, &f->meaning, "A reset or power-down zaps BAR mappings through device->inode->i_mapping (vfio_pci_zap_bars()). Mappings of this file are not found: user space keeps touching a device that is in reset. Nothing fails until then.");
		}
	}
}

const struct vt_rule vt_rule_f_mapping = {
	.id = "f-mapping", .name = "f_mapping not linked to the device", .severity = VT_ERROR, .subject = VT_ABOUT_VFIO,
	.judges = { "mapping", "mappings", VT_COUNTED(mappings_compared) },
	.needs = { { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_VFIO_CDEV_OPEN, VT_OUT }, { VT_EV_FILE_SNAP, VT_ANY }, { VT_EV_VFIO_MMAP, VT_ANY } },
	.run = mapping,
};
