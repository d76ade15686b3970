// SPDX-License-Identifier: GPL-2.0
/* struct luo_file and struct luo_session that are freed again. */
#include "rules/facts.h"
#include "rules/families.h"
#include "rules/finding.h"

static void tell_twice(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, vt_memory_of(x->num[0]));

	if (!f)
		return;
	vt_text(c, &f->title, "%s is freed twice", vt_memory_of(x->num[0]));
	vt_text(c, &f->expected, "one free");
	vt_text(c, &f->seen[i], "freed at %s and again at %s", vt_name(x->str[1], "?"), vt_name(x->str[0], "?"));
	vt_proof(c, f, i, &x->at[2], "allocates it");
	vt_proof(c, f, i, &x->at[1], "first free, at %s", vt_name(x->str[1], "?"));
	vt_proof(c, f, i, &x->at[0], "second free, at %s", vt_name(x->str[0], "?"));
	vt_text(c, &f->meaning, "The allocator's lists are corrupted: a crash, or memory that two owners write to.");
}

/* An allocation that was not seen in between would make two lives look like one. */
static const struct vt_telling twice[] = {
	{ .kind = VT_FACT_MEM_TWICE, .absence = true, .tell = tell_twice },
};

const struct vt_rule vt_rule_object_double_free = {
	.id = "object-double-free", .name = "LUO's own object freed twice", .severity = VT_ERROR, .subject = VT_ABOUT_MEMORY,
	.judges = { "freed object", "freed objects", .type = { VT_EV_OBJ_FREE } },
	.needs = { { VT_EV_OBJ_ALLOC, VT_ANY }, { VT_EV_OBJ_FREE, VT_ANY } },
	VT_TELLS(twice),
};
