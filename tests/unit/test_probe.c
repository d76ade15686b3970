// SPDX-License-Identifier: GPL-2.0
/* What a row of the attach plan says, by its method and in the words of older recorders. */
#include "unit.h"
#include "vfiotrace/trace.h"

#define NO_FUNCTION "this kernel has no such function (or it was inlined)"

static void states(void **state)
{
	static const struct { struct vt_probe p; enum vt_probe_state want; } rows[] = {
		{ { .method = "fentry", .reason = "", .attached = true }, VT_PROBE_ATTACHED },
		/* why it is not the best method */
		{ { .method = "kprobe", .reason = NO_FUNCTION, .attached = true }, VT_PROBE_ATTACHED },
		{ { .method = "absent", .reason = "handler memfd-v1 has no such op" }, VT_PROBE_ABSENT },
		{ { .method = "absent", .reason = "" }, VT_PROBE_ABSENT },
		{ { .method = "none", .reason = "handler memfd-v1 has no such op" }, VT_PROBE_ABSENT },
		{ { .method = "none", .reason = NO_FUNCTION }, VT_PROBE_NO_FUNCTION },
		{ { .method = "none", .reason = "module vfio is not loaded" }, VT_PROBE_NO_FUNCTION },
		{ { .method = "none", .reason = "Operation not permitted" }, VT_PROBE_MISSING },
		{ { .method = "fentry", .reason = "" }, VT_PROBE_MISSING },
		{ { .method = NULL, .reason = NULL }, VT_PROBE_MISSING },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (vt_probe__state(&rows[i].p) != rows[i].want)
			fail_msg("row %zu is %d", i, vt_probe__state(&rows[i].p));
	}
}

static void whose_op_is_absent(void **state)
{
	struct vt_probe p = { .method = "absent", .reason = "handler memfd-v1 has no such op" };

	assert_true(vt_probe__absent_from(&p, "memfd-v1"));
	assert_false(vt_probe__absent_from(&p, "memfd"));
	assert_false(vt_probe__absent_from(&p, "memfd-v10"));
	assert_false(vt_probe__absent_from(&p, ""));
	p.method = "none";
	assert_true(vt_probe__absent_from(&p, "memfd-v1"));
	p.attached = true;
	assert_false(vt_probe__absent_from(&p, "memfd-v1"));
	p = (struct vt_probe){ .method = "absent", .reason = "no such op" };
	assert_false(vt_probe__absent_from(&p, "memfd-v1"));
	p = (struct vt_probe){ .method = "absent", .reason = "hand" };
	assert_false(vt_probe__absent_from(&p, "memfd-v1"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = { cmocka_unit_test(states), cmocka_unit_test(whose_op_is_absent) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
