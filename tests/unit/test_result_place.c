// SPDX-License-Identifier: GPL-2.0
/* Where a call's result is read: byte sequences as gcc makes them of LUO and memfd, and what must end the walk. */
#include "unit.h"

#include <errno.h>

#include "capture/arch/arch.h"

#define CALL 0xe8, 0x11, 0x22, 0x33, 0x44

#define PLACE(text, call, out) arch__result_place(text, sizeof(text), call, out)

static void tested_at_once(void **state)
{
	/* test %rax,%rax; je, far and near */
	static const unsigned char far[] = { CALL, 0x48, 0x85, 0xc0, 0x0f, 0x84, 0x05, 0x01, 0x00, 0x00 };
	static const unsigned char near[] = { 0x90, CALL, 0x48, 0x85, 0xc0, 0x74, 0x39 };
	struct arch_result b;

	assert_int_equal(PLACE(far, 0, &b), 0);
	assert_int_equal(b.at, 8);
	assert_false(b.joined);
	assert_int_equal(PLACE(near, 1, &b), 0);
	assert_int_equal(b.at, 9);
}

static void kept_first(void **state)
{
	/* mov %rax,%r13; mov %eax,%r14d; cmp $-4096,%rax; ja */
	static const unsigned char error[] = { CALL, 0x49, 0x89, 0xc5, 0x41, 0x89, 0xc6, 0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff, 0x0f, 0x87, 0, 1, 0, 0 };
	/* mov 0x8(%rsp),%r8; test %rax,%rax; mov %rax,(%rsp); je */
	static const unsigned char stack[] = { CALL, 0x4c, 0x8b, 0x44, 0x24, 0x08, 0x48, 0x85, 0xc0, 0x48, 0x89, 0x04, 0x24, 0x0f, 0x84, 0, 1, 0, 0 };
	/* mov %rax,0x1234(%rip); lea 0x28(%rbx),%rdi; movl $7,0x40(%rbx); call */
	static const unsigned char untested[] = { CALL, 0x48, 0x89, 0x05, 0x34, 0x12, 0, 0, 0x48, 0x8d, 0x7b, 0x28,
						  0xc7, 0x43, 0x40, 7, 0, 0, 0, CALL };
	struct arch_result b;

	assert_int_equal(PLACE(error, 0, &b), 0);
	assert_int_equal(b.at, 17);
	assert_int_equal(PLACE(stack, 0, &b), 0);
	assert_int_equal(b.at, 17);
	assert_int_equal(PLACE(untested, 0, &b), 0);
	assert_int_equal(b.at, 23);
}

static void overwritten(void **state)
{
	static const unsigned char load[] = { CALL, 0x48, 0x89, 0xc7, 0x48, 0x8b, 0x43, 0x08, 0x74, 0x10 };	/* mov 8(%rbx),%rax */
	static const unsigned char copy[] = { CALL, 0x48, 0x89, 0xd8, 0x74, 0x10 };				/* mov %rbx,%rax */
	static const unsigned char add[] = { CALL, 0x48, 0x83, 0xc0, 0x10, 0x74, 0x10 };			/* add $16,%rax */
	static const unsigned char zero[] = { CALL, 0x31, 0xc0, 0xeb, 0x10 };					/* xor %eax,%eax */
	static const unsigned char byte[] = { CALL, 0x0f, 0x94, 0xc0, 0x74, 0x10 };				/* sete %al */
	static const unsigned char number[] = { CALL, 0xb8, 1, 0, 0, 0, 0x74, 0x10 };				/* mov $1,%eax */
	static const unsigned char popped[] = { CALL, 0x58, 0x74, 0x10 };
	/* cmp $0,%rax and mov $1,%r8d write nothing of it */
	static const unsigned char fine[] = { CALL, 0x48, 0x83, 0xf8, 0x00, 0x41, 0xb8, 1, 0, 0, 0, 0x74, 0x10 };
	struct arch_result b;

	assert_int_equal(PLACE(load, 0, &b), -ENOENT);
	assert_int_equal(PLACE(copy, 0, &b), -ENOENT);
	assert_int_equal(PLACE(add, 0, &b), -ENOENT);
	assert_int_equal(PLACE(zero, 0, &b), -ENOENT);
	assert_int_equal(PLACE(byte, 0, &b), -ENOENT);
	assert_int_equal(PLACE(number, 0, &b), -ENOENT);
	assert_int_equal(PLACE(popped, 0, &b), -ENOENT);
	assert_int_equal(PLACE(fine, 0, &b), 0);
	assert_int_equal(b.at, 15);
}

static void walk_ends(void **state)
{
	static const unsigned char returns[] = { CALL, 0x48, 0x89, 0xc3, 0xc3, 0x74, 0x10 };
	static const unsigned char unknown[] = { CALL, 0xc5, 0xf8, 0x77, 0x74, 0x10 };
	static const unsigned char probed[] = { CALL, 0x48, 0x85, 0xc0, 0xcc, 0x10 };
	static const unsigned char cut[] = { CALL, 0x48, 0x89 };
	static const unsigned char last[] = { CALL };
	struct arch_result b;

	assert_int_equal(PLACE(returns, 0, &b), -ENOENT);
	assert_int_equal(PLACE(unknown, 0, &b), -ENOENT);
	assert_int_equal(PLACE(probed, 0, &b), -EBUSY);
	assert_int_equal(PLACE(cut, 0, &b), -ENOENT);
	assert_int_equal(PLACE(last, 0, &b), -ENOENT);
}

/* p = known ? old : alloc(); if (!p): the test is not the call's alone. */
static void joined(void **state)
{
	static const unsigned char skips[] = { 0xeb, 0x05, CALL, 0x48, 0x85, 0xc0, 0x74, 0x10 };
	static const unsigned char back[] = { CALL, 0x48, 0x85, 0xc0, 0x0f, 0x84, 0, 1, 0, 0, 0xe9, 0xf5, 0xff, 0xff, 0xff };
	static const unsigned char to_jump[] = { 0x0f, 0x85, 0x08, 0, 0, 0, CALL, 0x48, 0x85, 0xc0, 0x74, 0x10 };
	static const unsigned char elsewhere[] = { 0xeb, 0x0a, CALL, 0x48, 0x85, 0xc0, 0x74, 0x10 };
	struct arch_result b;

	assert_int_equal(PLACE(skips, 2, &b), 0);
	assert_true(b.joined);
	assert_int_equal(PLACE(back, 0, &b), 0);
	assert_true(b.joined);
	assert_int_equal(PLACE(to_jump, 6, &b), 0);
	assert_true(b.joined);
	assert_int_equal(PLACE(elsewhere, 2, &b), 0);
	assert_false(b.joined);
}

/* The N-th address of TEXT at 0xffffffff81000000 that is TARGET. */
static bool names(const unsigned char *text, size_t len, uint64_t target)
{
	uint64_t at;

	for (size_t n = 0; arch__next_address(text, len, 0xffffffff81000000, &n, &at); n++)
		if (at == target)
			return true;
	return false;
}

static void addresses_in_text(void **state)
{
	/* mov 0x1234(%rip),%rax; mov $0xffffffff82001000,%rdi; the last bytes are too few for one */
	static const unsigned char text[] = { 0x48, 0x8b, 0x05, 0x34, 0x12, 0x00, 0x00, 0x48, 0xc7, 0xc7, 0x00, 0x10, 0x00, 0x82, 0x90, 0x90 };

	assert_true(names(text, sizeof(text), 0xffffffff81000000 + 7 + 0x1234));
	assert_true(names(text, sizeof(text), 0xffffffff82001000));
	assert_false(names(text, 6, 0xffffffff81000000 + 7 + 0x1234));
	assert_false(names(text, sizeof(text), 0xffffffff82001008));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tested_at_once), cmocka_unit_test(kept_first), cmocka_unit_test(overwritten),
		cmocka_unit_test(walk_ends), cmocka_unit_test(joined), cmocka_unit_test(addresses_in_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
