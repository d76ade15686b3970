// SPDX-License-Identifier: GPL-2.0
/* Machines with more CPUs than cpu_set_t has room for, and the one at hand. */
#include <errno.h>

#include "capture/record/cpus.h"
#include "unit.h"

static void beyond_1024(void **state)
{
	struct cpus c = { 0 };

	assert_int_equal(cpus__last(&c), -1);
	CPU_SET_S(3, sizeof(c.set), c.set);
	assert_int_equal(cpus__last(&c), 3);
	CPU_SET_S(8191, sizeof(c.set), c.set);
	assert_int_equal(cpus__last(&c), 8191);
}

static void here(void **state)
{
	struct cpus before, now;
	int last;

	assert_int_equal(cpus__allowed(&before), 0);
	last = cpus__last(&before);
	assert_true(last >= 0);
	assert_int_equal(cpus__only(0, last), 0);
	assert_int_equal(sched_getcpu(), last);
	assert_int_equal(cpus__allowed(&now), 0);
	assert_int_equal(CPU_COUNT_S(sizeof(now.set), now.set), 1);
	assert_true(CPU_ISSET_S(last, sizeof(now.set), now.set));
	/* From there to all others, of which there may be none. */
	if (CPU_COUNT_S(sizeof(before.set), before.set) > 1) {
		assert_int_equal(cpus__but(0, &before, last), 0);
		assert_int_not_equal(sched_getcpu(), last);
	} else {
		assert_int_equal(cpus__but(0, &before, last), -EINVAL);
	}
	assert_int_equal(sched_setaffinity(0, sizeof(before.set), before.set), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(beyond_1024),
		cmocka_unit_test(here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
