// SPDX-License-Identifier: GPL-2.0
/* Where the kernel preempts: by its types, its version and a variable. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "capture/kernel/preempt.h"

/* ---- the kernel that is asked ---- */

#define MODE 0x1000

static const char *version;
static bool has_symbol, readable, has_types = true, has_node = true;
static int32_t mode;

const char *kernel__version(const struct kernel *k)
{
	return version;
}

uint64_t kernel__addr(const struct kernel *k, const char *name, const char *module)
{
	return has_symbol && !strcmp(name, "preempt_dynamic_mode") ? MODE : 0;
}

int kernel__offset(const struct kernel *k, const struct btf *btf, const char *type, const char *member)
{
	if (strcmp(type, "task_struct"))
		return -1;
	if (!strcmp(member, "pid"))
		return has_types ? 1200 : -1;
	return has_types && has_node && !strcmp(member, "rcu_blocked_node") ? 800 : -1;
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
	enum preempt inside;

	version = is;
	mode = dynamic;
	inside = preempt__inside(NULL, read_memory, NULL);
	assert_int_not_equal(inside, PREEMPT_NEVER);
	return inside == PREEMPT_AT_ONCE;
}

/* With PREEMPT_RCU alone a task can be blocked inside of rcu_read_lock(), and remembers where. */
static void by_types(void **state)
{
	has_symbol = readable = true;
	mode = 2;
	version = "#1 SMP PREEMPT_DYNAMIC";
	has_node = false;
	assert_int_equal(preempt__inside(NULL, read_memory, NULL), PREEMPT_NEVER);
	has_types = false;
	assert_int_equal(preempt__inside(NULL, read_memory, NULL), PREEMPT_AT_ONCE);
	has_types = has_node = true;
	assert_int_equal(preempt__inside(NULL, read_memory, NULL), PREEMPT_AT_ONCE);
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
		cmocka_unit_test(by_types),
		cmocka_unit_test(by_version),
		cmocka_unit_test(by_variable),
		cmocka_unit_test(not_to_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
