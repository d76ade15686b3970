// SPDX-License-Identifier: GPL-2.0
/* struct vfio_device_file that is freed again. */
#include "rules/facts.h"
#include "rules/finding.h"

static void tell_twice(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "%s|%s", vt_event_name(x->at[1].type), vt_fact_handler(x));
	const char *second = vt_name(x->str[0], "?"), *first = vt_name(x->str[1], "?");

	if (!f)
		return;
	f->func = "vfio_device_fops_release";
	vt_text(c, &f->title, "struct vfio_device_file is freed twice");
	vt_text(c, &f->expected, "one free");
	vt_text(c, &f->seen[i], "freed at %s and again at %s", first, second);
	vt_proof(c, f, i, &x->at[2], "allocates the df");
	vt_proof(c, f, i, &x->at[1], "first free, at %s", first);
	vt_proof(c, f, i, &x->at[0], "second free, at %s", second);
	vt_text(c, &f->meaning, "The allocator's lists are corrupted: a crash, or memory that two owners write to.");
}

/* An allocation that was not seen in between would make two lives look like one. */
static const struct vt_telling twice[] = {
	{ .kind = VT_FACT_DF_TWICE, .absence = true, .tell = tell_twice },
};

const struct vt_rule vt_rule_df_double_free = {
	.id = "df-double-free", .name = "df freed twice", .severity = VT_ERROR, .subject = VT_ABOUT_VFIO,
	.judges = { "freed df", "freed dfs", VT_COUNTED(dfs_freed) },
	.needs = { { VT_EV_VFIO_DF_ALLOC, VT_ANY }, { VT_EV_MEM_FREE, VT_ANY } },
	VT_TELLS(twice),
};
