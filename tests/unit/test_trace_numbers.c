// SPDX-License-Identifier: GPL-2.0
/* The numbers of records: what never came, what came late or twice, and what others tell of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "trace/frame.h"
#include "trace/numbers.h"
#include "trace/tables.h"

static struct vt_numbers n;
static uint64_t pos;

/* Numbers of CPU, 0 ends the list; each a microsecond after the one before. */
static void see(uint16_t cpu, const uint64_t *seq)
{
	struct vt_event e = { .cpu = cpu };

	for (; *seq; seq++) {
		pos += 100;
		e.seq = *seq;
		e.ts_ns = pos * 10;
		vt_numbers__see(&n, &e, pos);
	}
}
#define SEE(cpu, ...) see(cpu, (const uint64_t[]){ __VA_ARGS__, 0 })

static void end(struct vt_loss *rows, size_t nr, struct vt_damage *damage)
{
	struct vt_tables told = { .loss = rows, .nr_loss = nr };
	struct vt_damages damages = { .list = damage, .nr = damage ? 1 : 0 };

	vt_numbers__end(&n, &told, &damages);
	assert_int_equal(n.err, 0);
}

static void assert_gap(size_t i, uint16_t cpu, uint64_t first, uint64_t last, uint64_t count)
{
	const struct vt_unsaid *u = &n.gaps[i].pub;

	assert_true(i < n.nr_gaps);
	assert_true(u->cpu == cpu && u->first == first && u->last == last && u->count == count);
}

static int fresh(void **state)
{
	vt_numbers__free(&n);
	pos = 0;
	return 0;
}

static void nothing_missing(void **state)
{
	SEE(0, 1, 2, 3);
	SEE(7, 1, 2);
	SEE(0, 4, 5);
	end(NULL, 0, NULL);
	assert_int_equal(n.nr_gaps, 0);
}

static void missing(void **state)
{
	SEE(1, 1, 2, 10);
	SEE(0, 4);
	end(NULL, 0, NULL);
	assert_int_equal(n.nr_gaps, 2);
	assert_gap(0, 1, 3, 9, 7);
	assert_true(n.gaps[0].pub.from_ns == 2000 && n.gaps[0].pub.to_ns == 3000);
	assert_gap(1, 0, 1, 3, 3);
	assert_true(n.gaps[1].pub.from_ns == 0 && n.gaps[1].pub.to_ns == 4000);
}

static void stopped(const char *numbers)
{
	const struct vt_place place = { .field = VT_F_NUMBERS, .kind = VT_STR };
	const struct vt_known at[VT_F_MAX] = { [VT_F_NUMBERS] = { .place = 1, .kind = VT_STR } };
	struct vt_event e = { .type = VT_EV_REC_STOP, .ts_ns = 1000000, .nr = 1, .place = &place, .at = at, .strings = numbers, .bits = &(uint64_t){ 0 } };

	vt_numbers__see(&n, &e, 100000);
}

/* Behind the last record of a CPU, and of one that shows none. */
static void lost_at_the_end(void **state)
{
	SEE(0, 1, 2, 3);
	SEE(2, 1, 2);
	stopped("0:3 2:4 5:1");
	end(NULL, 0, NULL);
	assert_int_equal(n.nr_gaps, 2);
	assert_gap(0, 2, 3, 4, 2);
	assert_gap(1, 5, 1, 1, 1);
	assert_true(n.gaps[0].pub.to_ns == 1000000);
}

static void nothing_lost_at_the_end(void **state)
{
	static const char *const odd[] = { "", "0:3 2:2", "0:1", "x", "0", "0:", "70000:5", "0:18446744073709551615", "1:" };

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		fresh(NULL);
		SEE(0, 1, 2, 3);
		SEE(2, 1, 2);
		stopped(odd[i]);
		end(NULL, 0, NULL);
		assert_int_equal(n.nr_gaps, 0);
	}
}

static void late_and_twice(void **state)
{
	SEE(0, 2, 1, 3, 3, 7, 5, 4, 6, 2, 8);
	end(NULL, 0, NULL);
	assert_int_equal(n.nr_gaps, 0);
}

static void late_in_the_middle(void **state)
{
	SEE(0, 1, 9, 5);
	SEE(1, 1, 2, 3, 4);
	SEE(0, 4);
	end(NULL, 0, NULL);
	assert_int_equal(n.nr_gaps, 2);
	assert_gap(0, 0, 2, 3, 2);
	assert_gap(1, 0, 6, 8, 3);
}

static void told(void **state)
{
	struct vt_loss rows[] = {
		{ .event = "luo.freeze", .why = VT_LOSS_RING, .count = 2, .from_ns = 2500, .to_ns = 2600 },
		{ .event = "luo.freeze", .why = VT_LOSS_RING, .count = 9, .from_ns = 9000, .to_ns = 9900 },
		{ .event = "luo.freeze", .why = VT_LOSS_SPARED, .count = 9, .to_ns = UINT64_MAX },
	};

	SEE(0, 1, 2, 6);
	end(rows, 3, NULL);
	assert_int_equal(n.nr_gaps, 1);
	assert_gap(0, 0, 3, 5, 1);
	rows[1].from_ns = 0;
	end(rows, 2, NULL);
	assert_int_equal(n.nr_gaps, 0);
}

/* Too few for two gaps: each of them may be the one that nobody told of. */
static void told_of_one(void **state)
{
	struct vt_loss rows[] = {
		{ .event = "flb.finish", .why = VT_LOSS_RING, .count = 1, .to_ns = UINT64_MAX },
		{ .event = "vfio.df_alloc", .why = VT_LOSS_RING, .count = 1, .from_ns = 3500, .to_ns = 3600 },
	};

	SEE(0, 1, 3);
	SEE(0, 4, 6);
	end(rows, 1, NULL);
	assert_int_equal(n.nr_gaps, 2);
	assert_gap(0, 0, 2, 2, 1);
	assert_gap(1, 0, 5, 5, 1);
	end(rows, 2, NULL);
	assert_int_equal(n.nr_gaps, 0);
}

static void damaged(void **state)
{
	struct vt_damage d = { .offset = 150, .length = 20, .events = 2 };

	SEE(0, 1, 5);
	SEE(1, 1, 9);
	end(NULL, 0, &d);
	assert_int_equal(n.nr_gaps, 2);
	assert_gap(0, 0, 2, 4, 1);
	assert_gap(1, 1, 2, 8, 7);	/* it lies elsewhere */
	d.events = 0;
	end(NULL, 0, &d);
	assert_int_equal(n.nr_gaps, 1);
}

/* However many: none is forgotten, and the list ends. */
static void many(void **state)
{
	uint64_t sum = 0;

	for (uint64_t i = 1; i < 5000; i++)
		SEE(65535, 3 * i);
	SEE(0, UINT64_MAX);
	end(NULL, 0, NULL);
	assert_true(n.nr_gaps <= 1024);
	for (size_t i = 0; i < n.nr_gaps; i++)
		sum = n.gaps[i].pub.count > UINT64_MAX - sum ? UINT64_MAX : sum + n.gaps[i].pub.count;
	assert_true(sum == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_missing, fresh), cmocka_unit_test_setup(missing, fresh),
		cmocka_unit_test_setup(lost_at_the_end, fresh), cmocka_unit_test_setup(nothing_lost_at_the_end, fresh),
		cmocka_unit_test_setup(late_and_twice, fresh), cmocka_unit_test_setup(late_in_the_middle, fresh),
		cmocka_unit_test_setup(told, fresh), cmocka_unit_test_setup(told_of_one, fresh), cmocka_unit_test_setup(damaged, fresh), cmocka_unit_test_setup_teardown(many, fresh, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, fresh);
}
