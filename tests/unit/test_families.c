// SPDX-License-Identifier: GPL-2.0
/* Which function may free which memory (mm/slab_common.c, mm/vmalloc.c, mm/util.c, kernel/liveupdate/kexec_handover.c). */
#include "unit.h"

#include "rules/families.h"

static void legal(void **state)
{
	static const char *const pairs[][2] = {
		{ "kmalloc", "kfree" }, { "kmalloc", "kfree_sensitive" }, { "kmalloc", "kvfree" }, { "kmalloc", "kvfree_call_rcu" },
		{ "kmem_cache", "kmem_cache_free" }, { "kmem_cache", "kfree" },	/* since 6.4 kfree() takes what a cache gave */
		{ "vmalloc", "vfree" }, { "vmalloc", "kvfree" },
		{ "kvmalloc", "kvfree" }, { "kvmalloc", "kvfree_sensitive" },
		{ "kho", "kho_unpreserve_free" }, { "kho", "kho_restore_free" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_int_equal(vt_pair_verdict(pairs[i][0], pairs[i][1]), VT_FAMILY_LEGAL);
}

static void illegal(void **state)
{
	static const char *const pairs[][2] = {
		{ "kmalloc", "vfree" }, { "kmalloc", "kmem_cache_free" }, { "kmalloc", "kho_restore_free" },
		{ "kmem_cache", "vfree" }, { "vmalloc", "kfree" }, { "vmalloc", "kmem_cache_free" },
		{ "kvmalloc", "kfree" }, { "kvmalloc", "vfree" },	/* it may have come from the other one */
		{ "kho", "kfree" }, { "kho", "kvfree" },
		/* a word is a word: no part of one, and no more than one */
		{ "kmalloc", "free" }, { "kmalloc", "kfre" }, { "kmalloc", "kfree_" }, { "kmalloc", "" }, { "kmalloc", "kfree " },
		{ "kmalloc", "kfree_of_a_name_that_is_longer_than_any_function_of_the_kernel_has" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_int_equal(vt_pair_verdict(pairs[i][0], pairs[i][1]), VT_FAMILY_ILLEGAL);
}

static void unknown(void **state)
{
	assert_int_equal(vt_pair_verdict(NULL, "kfree"), VT_FAMILY_UNKNOWN);
	assert_int_equal(vt_pair_verdict("kmalloc", NULL), VT_FAMILY_UNKNOWN);
	assert_int_equal(vt_pair_verdict(NULL, NULL), VT_FAMILY_UNKNOWN);
	assert_int_equal(vt_pair_verdict("percpu", "kfree"), VT_FAMILY_UNKNOWN);
	assert_int_equal(vt_pair_verdict("kmalloc ", "kfree"), VT_FAMILY_UNKNOWN);
}

static void kvfree(void **state)
{
	assert_true(vt_is_kvfree("kvfree"));
	assert_true(vt_is_kvfree("kvfree_sensitive"));
	assert_false(vt_is_kvfree("kvfree_call_rcu"));
	assert_false(vt_is_kvfree("kfree"));
	assert_false(vt_is_kvfree("vfree"));
	assert_false(vt_is_kvfree(NULL));
}

static void names(void **state)
{
	assert_string_equal(vt_memory_of(VT_C_LUO_FILE), "struct luo_file");
	assert_string_equal(vt_memory_of(VT_C_SESSION), "struct luo_session");
	assert_string_equal(vt_memory_of(VT_C_OTHER), "memory of a handler's callback");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(legal), cmocka_unit_test(illegal), cmocka_unit_test(unknown), cmocka_unit_test(kvfree), cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
