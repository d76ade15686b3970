// SPDX-License-Identifier: GPL-2.0
/* Policy, suppression and baseline files: any bytes, by the first one. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gate/gate.h"

/* Something to be suppressed, known, compared and limited. */
static struct vt_side side = {
	.label = "PRE",
	.phase = { [VT_PH_FREEZE] = { .count = 2, .total_ns = 3000000, .max_ns = 2000000 } },
};
static struct vt_field_row members[] = {
	{ "f_mode", "0x1", "0x2", VT_DIFFERS, NULL }, { "f_op", "a", "a", VT_SAME, NULL },
	{ "f_flags", "0x2", "0x0", VT_BY_DESIGN, "why" }, { "f_cred", "set", "set", VT_UNJUDGED, "why" },
};
static struct vt_field_table table = {
	.who = { .compatible = "vfio-pci-v1" }, .rows = members, .nr = sizeof(members) / sizeof(members[0]),
};

static void fill(struct vt_judgement *j, struct vt_finding found[2])
{
	j->side[0] = &side;
	j->nr_sides = 1;
	j->tables = &table;
	j->nr_tables = 1;
	j->findings = found;
	j->nr_findings = 2;
	for (size_t i = 0; i < 2; i++) {
		found[i] = (struct vt_finding){ .rule = vt_rules[i], .severity = i ? VT_NOTE : VT_ERROR,
			.title = (char *)"a df is lost", .func = "vfio_df_open", .fingerprint = "0123456789abcdef", .side = &side };
	}
	for (size_t i = 0; i < vt_nr_rules; i++)
		j->rows[i].status = i % 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vt_judgement *j = calloc(1, sizeof(*j));
	struct vt_baseline *b = NULL, *own = NULL;
	struct vt_policy *p = NULL;
	struct vt_finding found[2];
	struct vt_lines l[3] = {};
	char *why = NULL, *text;
	int err;

	if (!size || !j) {
		free(j);
		return 0;
	}
	j->rows = calloc(vt_nr_rules, sizeof(*j->rows));
	if (!j->rows)
		abort();
	fill(j, found);
	if (data[0] & 1) {
		err = vt_policy__parse((const char *)data + 1, size - 1, &p, &why);
		assert(!err == (p != NULL));
		vt_policy__suppress(p, j, "2026-06-01", &l[0]);
		vt_policy__limits(p, j, &l[1]);
	} else {
		err = vt_baseline__parse((const char *)data + 1, size - 1, &b, &why);
		assert(!err == (b != NULL));
		if (b)
			vt_baseline__compare(b, j, &l[0], &l[1], &l[2]);
	}
	assert(!err || why);	/* a refusal says why */
	text = vt_baseline__of(j);
	/* What we write ourselves is read without complaint. */
	assert(text && !vt_baseline__parse(text, strlen(text), &own, NULL));
	vt_baseline__free(own);
	free(text);
	free(why);
	vt_policy__free(p);
	vt_baseline__free(b);
	for (int i = 0; i < 3; i++)
		vt_lines__free(&l[i]);
	free(j->rows);
	free(j);
	return 0;
}
