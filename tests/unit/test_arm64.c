// SPDX-License-Identifier: GPL-2.0
/* arm64's calls, veneers, addresses and places of results, on instructions as gcc makes them. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/arch/arch.h"
#include "capture/kernel/calls.h"

#define TEXT 0xffff800080010000ull
#define KFREE (TEXT + 0x200)
#define FAR (TEXT + 0x40000000)	/* out of a branch's reach: 128 MiB */
#define VENEER (TEXT + 0x100)
#define BRK 0xd4200080		/* a kprobe's */
#define NOP 0xd503201f
#define ADRP_X0 0xb0000000	/* adrp x0, the next page */

static uint32_t text[0x100];

static uint32_t bl(unsigned int at, uint64_t to)
{
	return 0x94000000 | ((int64_t)(to - (TEXT + at * 4)) / 4 & 0x3ffffff);
}

static void clean(void)
{
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		text[i] = NOP;
}

/* ---- the kernel of the test ---- */

uint64_t kernel__addr(const struct kernel *k, const char *name, const char *module)
{
	return !strcmp(name, "f") ? TEXT : !strcmp(name, "kfree") ? KFREE : !strcmp(name, "kvfree") ? FAR : 0;
}

const char *kernel__sym(const struct kernel *k, uint64_t addr, uint64_t *off, const char **module)
{
	if (addr - TEXT >= 0x200 && addr != FAR)
		return NULL;
	if (off)
		*off = addr == FAR ? 0 : addr - TEXT;
	return addr == FAR ? "kvfree" : "f";
}

uint64_t kernel__sym_size(const struct kernel *k, uint64_t addr)
{
	return addr == TEXT ? 0x80 : 0;
}

void kernel__each_text(const struct kernel *k, const char *module, void (*fn)(void *arg, const char *name, uint64_t addr, uint64_t size), void *arg)
{
}

void kernel__each_part(const struct kernel *k, const char *name, const char *module,
		       void (*fn)(void *arg, const char *name, uint64_t addr, uint64_t size), void *arg)
{
}

static int read_text(void *arg, uint64_t addr, void *buf, size_t len)
{
	memcpy(buf, (char *)text + (addr - TEXT), len);
	return 0;
}

static int find(struct call **found)
{
	static const char *const names[] = { "f", NULL };

	return calls__in_functions(NULL, names, CALLS_OF_FREE, read_text, NULL, found);
}

/* ---- calls ---- */

static void called(void **state)
{
	struct call *found;

	clean();
	text[2] = bl(2, KFREE);
	text[5] = bl(5, KFREE) & ~0x80000000u;	/* b: a tail jump */
	text[7] = bl(7, KFREE + 4);
	text[9] = bl(9, TEXT - 0x1000);		/* back */
	assert_int_equal(find(&found), 2);
	assert_true(found[0].addr == TEXT + 8 && found[1].addr == TEXT + 20);
	assert_string_equal(found[0].callee->name, "kfree");
	free(found);
}

/* adrp x16, 0x40000000 on; add x16, x16, #0; br x16 */
static void through_a_veneer(void **state)
{
	struct call *found;
	uint64_t to = 0;

	clean();
	text[3] = bl(3, VENEER);
	text[64] = 0x90000010 | (0x40000000 >> 14) << 5;
	text[65] = 0x91000210;
	text[66] = 0xd61f0200;
	assert_true(arch__veneer((unsigned char *)&text[64], VENEER, &to));
	assert_true(to == FAR);
	assert_int_equal(find(&found), 1);
	assert_string_equal(found[0].callee->name, "kvfree");
	free(found);
	text[66] = 0xd61f0220;	/* br x17 */
	assert_false(arch__veneer((unsigned char *)&text[64], VENEER, &to));
	assert_int_equal(find(&found), 0);
}

/* Nothing of a call is left below a kprobe. */
static void hidden(void **state)
{
	struct call *found;

	clean();
	text[4] = BRK;
	text[6] = bl(6, KFREE);
	assert_int_equal(find(&found), 2);
	assert_ptr_equal(found[0].callee, &calls_hidden);
	assert_true(found[0].addr == TEXT + 16);
	assert_string_equal(found[1].callee->name, "kfree");
	free(found);
}

/* ---- where a result is ---- */

static int place(unsigned int call, struct arch_result *out)
{
	return arch__result_place((unsigned char *)text, 0x80, call * 4, out);
}

static void behind_the_call(void **state)
{
	struct arch_result r;

	clean();
	text[2] = bl(2, KFREE);
	text[3] = 0xb4000080;	/* cbz x0, 4 on */
	assert_int_equal(place(2, &r), 0);
	assert_int_equal(r.at, 12);
	assert_false(r.joined);
	text[3] = BRK;		/* of others: theirs and ours go together */
	assert_int_equal(place(2, &r), 0);
	assert_false(r.joined);
	text[31] = bl(31, KFREE);
	assert_int_equal(place(31, &r), -ENOENT);	/* it does not return */
	text[2] = bl(2, KFREE) & ~0x80000000u;
	assert_int_equal(place(2, &r), -ENOENT);	/* nor does a tail jump */
}

static void joined(void **state)
{
	static const struct { unsigned int at; uint32_t insn; } jumps[] = {
		{ 1, 0x14000002 },	/* b, 2 on */
		{ 9, 0x17fffffa },	/* b, 6 back */
		{ 1, 0x54000040 },	/* b.eq, 2 on */
		{ 9, 0x35ffff41 },	/* cbnz w1, 6 back */
		{ 1, 0x36180041 },	/* tbz w1, #3, 2 on */
		{ 9, 0xb71fff41 },	/* tbnz x1, #35, 6 back */
		{ 9, BRK },		/* may hide one */
	};
	struct arch_result r;

	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		clean();
		text[2] = bl(2, KFREE);
		text[jumps[i].at] = jumps[i].insn;
		assert_int_equal(place(2, &r), 0);
		assert_true(r.joined);
		text[jumps[i].at] += jumps[i].insn == BRK ? 1 << 5 : 0;	/* brk #5 is no kprobe's */
		text[jumps[i].at] ^= jumps[i].insn == BRK ? 0 : 1 << (jumps[i].insn >> 26 == 5 ? 1 : 6);	/* elsewhere */
		assert_int_equal(place(2, &r), 0);
		assert_false(r.joined);
	}
}

/* ---- registers ---- */

/* struct user_pt_regs begins with x0 to x30; the ABI passes eight in x0 to x7, and the result in x0. */
static void registers(void **state)
{
	assert_int_equal(arch.nr_args, 8);
	for (int i = 0; i < arch.nr_args; i++)
		assert_int_equal(arch.arg_at[i], 8 * i);
	assert_int_equal(arch.ret_at, 0);
	assert_string_equal(arch.syscall_prefix, "__arm64_");
}

/* ---- addresses ---- */

static bool names(uint64_t target)
{
	uint64_t at;

	for (size_t n = 0; arch__next_address((unsigned char *)text, 0x80, TEXT, &n, &at); n++)
		if (at == target)
			return true;
	return false;
}

static void addresses_in_text(void **state)
{
	clean();
	text[1] = ADRP_X0;
	text[2] = 0x91048c01;	/* add x1, x0, #0x123 */
	text[4] = 0xf9400823;	/* ldr x3, [x1, #16] */
	text[5] = 0xb9000c23;	/* str w3, [x1, #12] */
	text[6] = 0xa9410c22;	/* ldp x2, x3, [x1, #16] */
	text[7] = 0x30000084;	/* adr x4, 17 on */
	text[8] = 0xf94008a3;	/* ldr x3, [x5, #16]: x5 is not known */
	text[9] = 0xb4000080;	/* cbz x0, 4 on */
	assert_true(names(TEXT + 36 + 16));
	assert_true(names(TEXT + 0x1000));
	assert_true(names(TEXT + 0x1000 + 0x123));
	assert_true(names(TEXT + 0x1000 + 0x123 + 16));
	assert_true(names(TEXT + 0x1000 + 0x123 + 12));
	assert_true(names(TEXT + 28 + 17));
	assert_false(names(16));
	text[1] = NOP;
	assert_false(names(TEXT + 0x1000 + 0x123));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(called), cmocka_unit_test(through_a_veneer), cmocka_unit_test(hidden), cmocka_unit_test(behind_the_call),
		cmocka_unit_test(joined), cmocka_unit_test(registers), cmocka_unit_test(addresses_in_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
