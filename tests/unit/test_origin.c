// SPDX-License-Identifier: GPL-2.0
/* Where the kernel says that it came from: the variable, the log, the firmware. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "capture/kernel/origin.h"

/* ---- the kernel that is asked ---- */

#define KHO_IN 0x1000	/* where it keeps it; see the offsets below */

static bool has_symbol;
static unsigned char memory[128];

uint64_t kernel__addr(const struct kernel *k, const char *name, const char *module)
{
	return has_symbol && !strcmp(name, "kho_in") ? KHO_IN : 0;
}

int kernel__offset(const struct kernel *k, const struct btf *btf, const char *type, const char *member)
{
	assert_string_equal(type, "kho_in");
	return !strcmp(member, "kexec_count") ? 84 : !strcmp(member, "previous_release") ? 16 : -1;
}

static int read_memory(void *arg, uint64_t addr, void *buf, size_t len)
{
	if (addr < KHO_IN || addr + len > KHO_IN + sizeof(memory))
		return -EFAULT;
	memcpy(buf, memory + addr - KHO_IN, len);
	return 0;
}

static void variable(void **state)
{
	struct kernel_origin o;

	has_symbol = true;
	memory[84] = 3;
	strcpy((char *)memory + 16, "7.2.13");
	o = origin__of(NULL, read_memory, NULL);
	assert_int_equal(o.count, 3);
	assert_string_equal(o.previous, "7.2.13");
	memset(memory, 0, sizeof(memory));
	o = origin__of(NULL, read_memory, NULL);
	assert_int_equal(o.count, 0);
	assert_string_equal(o.previous, "");
}

static void log_line(void **state)
{
	struct kernel_origin o = { .count = ORIGIN_UNKNOWN };

	assert_true(origin__told("6,211,402133,-;KHO: exec from: 7.3.4-1~bpo13+1 (count 12)\n", &o));
	assert_int_equal(o.count, 12);
	assert_string_equal(o.previous, "7.3.4-1~bpo13+1");
	/* What somebody else says of it is no evidence. */
	assert_false(origin__told("12,300,1,-;agent: KHO: exec from: 9.9 (count 1)\n", &o));
	assert_false(origin__told("6,211,402133,-;KHO: exec from: 7.3.4\n", &o));
	assert_false(origin__told("6,211,402133,-;KHO: exec from: 7.3.4 (count -2)\n", &o));
	assert_false(origin__told("", &o));
	assert_int_equal(o.count, 12);
}

static void machine(void **state)
{
	char a[32], b[32];

	origin__machine("4c4c4544-0042-3510-8054-b7c04f4d3332", a, sizeof(a));
	origin__machine("4C4C4544-0042-3510-8054-B7C04F4D3332", b, sizeof(b));
	assert_int_equal(strlen(a), 16);
	assert_string_equal(a, b);
	origin__machine("4c4c4544-0042-3510-8054-b7c04f4d3333", b, sizeof(b));
	assert_string_not_equal(a, b);
	/* Firmware without one. */
	origin__machine("00000000-0000-0000-0000-000000000000", a, sizeof(a));
	assert_string_equal(a, "");
	origin__machine("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", a, sizeof(a));
	assert_string_equal(a, "");
	origin__machine("", a, sizeof(a));
	assert_string_equal(a, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(variable), cmocka_unit_test(log_line), cmocka_unit_test(machine) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
