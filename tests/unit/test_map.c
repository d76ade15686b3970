// SPDX-License-Identifier: GPL-2.0
/* The hash map, against an array; and keys that share a place. */
#include "unit.h"

#include <stdlib.h>

#include "model/map.h"

#define KEYS 512

static size_t count(const struct vt_map *m)
{
	size_t n = 0, i = 0;

	while (vt_map__next(m, &i))
		n++;
	return n;
}

static void walk(const uint64_t *key, int steps)
{
	static char cell[KEYS];
	void *there[KEYS] = {};
	struct vt_map m = {};
	size_t live = 0;

	for (int i = 0; i < steps; i++) {
		size_t k = (size_t)rand() % KEYS;

		if (rand() % 2) {
			live += !there[k];
			there[k] = &cell[(size_t)rand() % KEYS];
			assert_int_equal(vt_map__put(&m, key[k], there[k]), 0);
		} else {
			assert_ptr_equal(vt_map__del(&m, key[k]), there[k]);
			live -= there[k] != NULL;
			there[k] = NULL;
		}
		k = (size_t)rand() % KEYS;
		assert_ptr_equal(vt_map__get(&m, key[k]), there[k]);
		assert_int_equal(m.live, live);
	}
	for (size_t k = 0; k < KEYS; k++)
		assert_ptr_equal(vt_map__get(&m, key[k]), there[k]);
	assert_int_equal(count(&m), live);
	/* It grows with what lives in it, not with what has come and gone. */
	assert_true(m.size <= 4096);
	vt_map__free(&m);
}

static void random_keys(void **state)
{
	uint64_t key[KEYS];

	srand(1);
	for (size_t i = 0; i < KEYS; i++)
		key[i] = (uint64_t)i * i * i * 0x10001;
	walk(key, 200000);
}

/* All in the first place of a small table: hashed alike in the low bits. */
static void colliding_keys(void **state)
{
	uint64_t key[KEYS], k = 1;

	srand(2);
	for (size_t i = 0; i < KEYS; k++) {
		if (!(vt_hash_mix(k, 0) & 0x3ff))
			key[i++] = k;
	}
	walk(key, 50000);
}

static void empty(void **state)
{
	struct vt_map m = {};
	size_t i = 0;

	assert_null(vt_map__get(&m, 0));
	assert_null(vt_map__del(&m, 0));
	assert_null(vt_map__next(&m, &i));
	assert_int_equal(vt_map__put(&m, 0, &m), 0);
	assert_ptr_equal(vt_map__get(&m, 0), &m);
	vt_map__free(&m);
	assert_null(vt_map__get(&m, 0));
}

/* The published values of FNV-1a. */
static void hash(void **state)
{
	assert_true(vt_hash_str("") == 0xcbf29ce484222325ULL);
	assert_true(vt_hash_str("a") == 0xaf63dc4c8601ec8cULL);
	assert_true(vt_hash_str("foobar") == 0x85944171f73967e8ULL);
	assert_true(vt_hash_str("\xff") != vt_hash_str("\x7f"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_keys), cmocka_unit_test(colliding_keys), cmocka_unit_test(empty), cmocka_unit_test(hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
