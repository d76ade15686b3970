/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/preempt.h"

#include <string.h>

/* Of preempt_dynamic_mode, kernel/sched/core.c. */
enum { DYNAMIC_NONE, DYNAMIC_VOLUNTARY, DYNAMIC_FULL, DYNAMIC_LAZY };

/* Only there a task remembers where it was blocked within. */
static bool rcu_lets_none_in(const struct kernel *k)
{
	return kernel__offset(k, NULL, "task_struct", "pid") >= 0 && kernel__offset(k, NULL, "task_struct", "rcu_blocked_node") < 0;
}

static bool at_once(const struct kernel *k, kernel_read_fn read, void *arg)
{
	const char *version = kernel__version(k);
	int32_t mode;
	uint64_t at;

	if (strstr(version, "PREEMPT_RT"))
		return true;
	if (!strstr(version, "PREEMPT_DYNAMIC"))
		return false;	/* x86, which alone comes here, builds lazy ones unless it is told otherwise */
	at = kernel__addr(k, "preempt_dynamic_mode", "vmlinux");
	if (!at || read(arg, at, &mode, sizeof(mode)))
		return true;
	return mode != DYNAMIC_NONE && mode != DYNAMIC_VOLUNTARY && mode != DYNAMIC_LAZY;
}

enum preempt preempt__inside(const struct kernel *k, kernel_read_fn read, void *arg)
{
	if (rcu_lets_none_in(k))
		return PREEMPT_NEVER;
	return at_once(k, read, arg) ? PREEMPT_AT_ONCE : PREEMPT_LATER;
}
