// SPDX-License-Identifier: GPL-2.0
/* Policy, suppression and baseline files: any bytes, by the first one. */
#include <assert.h>
#include <stdlib.h>

#include "rules/gate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vt_judgement *j = calloc(1, sizeof(*j));
	struct vt_baseline *b = NULL;
	struct vt_policy *p = NULL;
	struct vt_lines l[3] = {};
	char *why = NULL;
	int err;

	if (!size || !j) {
		free(j);
		return 0;
	}
	j->rows = calloc(vt_nr_rules, sizeof(*j->rows));
	if (!j->rows)
		abort();
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
	free(why);
	vt_policy__free(p);
	vt_baseline__free(b);
	for (int i = 0; i < 3; i++)
		vt_lines__free(&l[i]);
	free(j->rows);
	free(j);
	return 0;
}
