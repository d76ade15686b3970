// SPDX-License-Identifier: GPL-2.0
/* Stretches of time, against the plain way to ask them. */
#include "unit.h"

#include <stdlib.h>

#include "model/spans.h"

static bool plainly(const struct vt_span *s, size_t nr, uint64_t from, uint64_t to)
{
	for (size_t i = 0; i < nr; i++) {
		if (s[i].from_ns <= to && s[i].to_ns >= from)
			return true;
	}
	return false;
}

static void none(void **state)
{
	struct vt_spans l = {};

	vt_spans__join(&l);
	assert_false(vt_spans__reach(&l, 0, UINT64_MAX));
	vt_spans__free(&l);
	vt_spans__free(&l);
}

static void ends_count(void **state)
{
	struct vt_spans l = {};

	assert_int_equal(vt_spans__add(&l, 10, 20), 0);
	assert_int_equal(vt_spans__add(&l, 30, UINT64_MAX), 0);
	vt_spans__join(&l);
	assert_false(vt_spans__reach(&l, 0, 9));
	assert_true(vt_spans__reach(&l, 0, 10));
	assert_true(vt_spans__reach(&l, 20, 25));
	assert_false(vt_spans__reach(&l, 21, 29));
	assert_true(vt_spans__reach(&l, UINT64_MAX, UINT64_MAX));
	vt_spans__free(&l);
}

static void as_asked_plainly(void **state)
{
	srand(1);
	for (int round = 0; round < 2000; round++) {
		struct vt_spans l = {};
		struct vt_span s[24];
		size_t nr = (size_t)rand() % ARRAY_SIZE(s);

		for (size_t i = 0; i < nr; i++) {
			s[i].from_ns = (uint64_t)rand() % 100;
			s[i].to_ns = s[i].from_ns + (uint64_t)rand() % 15;
			assert_int_equal(vt_spans__add(&l, s[i].from_ns, s[i].to_ns), 0);
		}
		vt_spans__join(&l);
		for (size_t i = 1; i < l.nr; i++)
			assert_true(l.s[i - 1].to_ns < l.s[i].from_ns);
		for (uint64_t from = 0; from < 120; from += 3) {
			for (uint64_t to = from; to < 120; to += 7)
				assert_int_equal(vt_spans__reach(&l, from, to), plainly(s, nr, from, to));
		}
		vt_spans__free(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(none), cmocka_unit_test(ends_count), cmocka_unit_test(as_asked_plainly) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
