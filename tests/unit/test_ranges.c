// SPDX-License-Identifier: GPL-2.0
/* Ranges in a tree, against an array of pages; and digests of blocks, against one block after the other. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "model/ranges.h"
#include "vfiotrace/blocks.h"

#define PAGES 512
#define STEPS 3000

struct world {
	struct vt_ranges t;
	struct vt_range taking;
	unsigned char page[PAGES];	/* whether it is in some range */
	unsigned char seen[PAGES];
	uint64_t last;
};

static void put(struct world *w, uint64_t start, uint64_t end)
{
	struct vt_range *r = malloc(sizeof(*r));

	*r = (struct vt_range){ .start = start, .end = end };
	vt_ranges__add(&w->t, r);
}

static void cut(void *arg, struct vt_range *r)
{
	struct vt_range was = *r;
	struct world *w = arg;

	vt_ranges__del(&w->t, r);
	free(r);
	if (was.start < w->taking.start)
		put(w, was.start, w->taking.start);
	if (was.end > w->taking.end)
		put(w, w->taking.end, was.end);
}

static void note(void *arg, struct vt_range *r)
{
	struct world *w = arg;

	assert_true(r->start >= w->last);
	w->last = r->end;
	for (uint64_t i = r->start; i < r->end; i++)
		w->seen[i] = 1;
}

static void as_pages(void **state)
{
	struct world w = {};

	srand(1);
	for (int i = 0; i < STEPS; i++) {
		uint64_t start = rand() % PAGES, end = start + 1 + rand() % 40;

		if (end > PAGES)
			end = PAGES;
		w.taking = (struct vt_range){ .start = start, .end = end };
		vt_ranges__each(&w.t, start, end, cut, &w);
		if (rand() % 3)
			put(&w, start, end);
		memset(w.page + start, 0, end - start);
		if (vt_ranges__find(&w.t, start, end))
			memset(w.page + start, 1, end - start);
		w.last = 0;
		memset(w.seen, 0, sizeof(w.seen));
		vt_ranges__each(&w.t, 0, UINT64_MAX, note, &w);
		assert_memory_equal(w.seen, w.page, sizeof(w.page));
	}
	vt_ranges__free(&w.t, free);
	assert_null(vt_ranges__find(&w.t, 0, UINT64_MAX));
}

static void digest_of_a_run(void **state)
{
	srand(2);
	for (int i = 0; i < 200; i++) {
		uint64_t pfn = (uint64_t)rand() << 20 ^ rand(), sum = 0;
		unsigned int order = rand() % VT_NO_ORDER, count = 1 + rand() % 300;

		for (unsigned int n = 0; n < count; n++)
			sum += vt_blocks_digest(pfn + ((uint64_t)n << order), order, 1);
		assert_int_equal(sum, vt_blocks_digest(pfn, order, count));
	}
	assert_int_equal(vt_blocks_digest(77, 3, 0), 0);
}

/* What a mistake makes: a block too few, one for another, two exchanged. */
static void digests_differ(void **state)
{
	uint64_t whole = vt_blocks_digest(0x1000, 0, 4096);

	for (unsigned int i = 0; i < 4096; i++) {
		assert_int_not_equal(whole - vt_blocks_digest(0x1000 + i, 0, 1), whole);
		assert_int_not_equal(whole - vt_blocks_digest(0x1000 + i, 0, 1) + vt_blocks_digest(0x9000, 0, 1), whole);
		assert_int_not_equal(whole - vt_blocks_digest(0x1000 + i, 0, 1) - vt_blocks_digest(0x1001 + i, 0, 1) +
				     vt_blocks_digest(0xfff + i, 0, 1) + vt_blocks_digest(0x1002 + i, 0, 1), whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_pages),
		cmocka_unit_test(digest_of_a_run),
		cmocka_unit_test(digests_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
