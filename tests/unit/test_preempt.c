// SPDX-License-Identifier: GPL-2.0
/* Where the kernel preempts: by its version and a variable. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "capture/kernel/preempt.h"

/* ---- the kernel that is asked ---- */

#define MODE 0x1000

static const char *version;
static bool has_symbol, readable;
static int32_t mode;

const char *kernel__version(const struct kernel *k)
{
	return version;
}

uint64_t kernel__addr(const struct kernel *k, const char *name, const char *module)
{
	return has_symbol && !strcmp(name, "preempt_dynamic_mode") ? MODE : 0;
}

static int read_memory(void *arg, uint64_t addr, void *buf, size_t len)
{
	if (addr != MODE || len != sizeof(mode) || !readable)
		return -EFAULT;
	memcpy(buf, &mode, len);
	return 0;
}

static bool at_once(const char *is, int32_t dynamic)
{
	version = is;
	mode = dynamic;
	return preempt__at_once(NULL, read_memory, NULL);
}

static void by_version(void **state)
{
	has_symbol = false;
	assert_true(at_once("#1 SMP PREEMPT_RT Debian 7.3.4-1", 3));
	assert_false(at_once("#1 SMP PREEMPT Debian 7.3.4-1", 2));
	assert_false(at_once("#1 SMP", 2));
}

/* preempt_dynamic_mode: none 0, voluntary 1, full 2, lazy 3; -1 before it is set. */
static void by_variable(void **state)
{
	has_symbol = readable = true;
	for (int is = -1; is < 5; is++)
		assert_int_equal(at_once("#1 SMP PREEMPT_DYNAMIC", is), is != 0 && is != 1 && is != 3);
	assert_true(at_once("#1 SMP PREEMPT_RT", 3));
}

static void not_to_be_told(void **state)
{
	has_symbol = true;
	readable = false;
	assert_true(at_once("#1 SMP PREEMPT_DYNAMIC", 3));
	has_symbol = false;
	assert_true(at_once("#1 SMP PREEMPT_DYNAMIC", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_version),
		cmocka_unit_test(by_variable),
		cmocka_unit_test(not_to_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
