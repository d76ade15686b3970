// SPDX-License-Identifier: GPL-2.0
/* What the recorder keeps of its capabilities. The kernel's part is played here: capget(2), capset(2) and prctl(2). */
#include "unit.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "capture/record/privilege.h"

#define BIT(cap) (1ull << (cap))
#define KEPT (BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_SYS_ADMIN) | BIT(CAP_SYSLOG) | BIT(CAP_SYS_NICE) | BIT(CAP_KILL))

static struct {
	uint64_t effective, permitted, inheritable, bounding;
	int last;		/* the kernel knows these and no more */
	bool no_new_privs;
} task;

static uint64_t whole(const struct __user_cap_data_struct data[2], size_t member)
{
	const char *at = (const char *)data + member;
	const uint32_t *low = (const uint32_t *)at, *high = (const uint32_t *)(at + sizeof(*data));

	return *low | (uint64_t)*high << 32;
}

#define MEMBER(data, m) whole(data, offsetof(struct __user_cap_data_struct, m))

long __wrap_syscall(long nr, ...);
int __wrap_prctl(int option, ...);

long __wrap_syscall(long nr, ...)
{
	struct __user_cap_data_struct *data;
	va_list ap;

	va_start(ap, nr);
	va_arg(ap, struct __user_cap_header_struct *);
	data = va_arg(ap, struct __user_cap_data_struct *);
	va_end(ap);
	if (nr == SYS_capset) {
		task.effective = MEMBER(data, effective);
		task.permitted = MEMBER(data, permitted);
		task.inheritable = MEMBER(data, inheritable);
		return 0;
	}
	assert_int_equal(nr, SYS_capget);
	for (int i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct){ task.effective >> 32 * i, task.permitted >> 32 * i, task.inheritable >> 32 * i };
	return 0;
}

int __wrap_prctl(int option, ...)
{
	unsigned long arg;
	va_list ap;

	va_start(ap, option);
	arg = va_arg(ap, int);
	va_end(ap);
	if (option == PR_SET_NO_NEW_PRIVS) {
		task.no_new_privs = arg;
		return 0;
	}
	assert_int_equal(option, PR_CAPBSET_DROP);
	if (!(task.effective & BIT(CAP_SETPCAP)) || arg > (unsigned long)task.last) {
		errno = arg > (unsigned long)task.last ? EINVAL : EPERM;
		return -1;
	}
	task.bounding &= ~BIT(arg);
	return 0;
}

static void begin(int last)
{
	task.last = last;
	task.effective = task.permitted = task.inheritable = task.bounding = (BIT(last) << 1) - 1;
	task.no_new_privs = false;
}

static void all_sets(void **state)
{
	/* As kernels are, and with what may come. */
	for (int last = CAP_LAST_CAP; last < 63; last += 11) {
		begin(last);
		privilege__drop(false);
		assert_int_equal(task.effective, KEPT);
		assert_int_equal(task.permitted, KEPT);
		assert_int_equal(task.inheritable, 0);
		assert_int_equal(task.bounding, KEPT);
		assert_true(task.no_new_privs);
	}
}

static void opens_files(void **state)
{
	begin(CAP_LAST_CAP);
	privilege__drop(true);
	assert_int_equal(task.permitted, KEPT | BIT(CAP_DAC_OVERRIDE));
	assert_int_equal(task.bounding, KEPT | BIT(CAP_DAC_OVERRIDE));
}

/* A service that was given those few. */
static void few_to_begin_with(void **state)
{
	begin(CAP_LAST_CAP);
	task.effective = task.permitted = BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_CHOWN);
	privilege__drop(false);
	assert_int_equal(task.permitted, BIT(CAP_BPF) | BIT(CAP_PERFMON));
	assert_int_equal(task.effective, BIT(CAP_BPF) | BIT(CAP_PERFMON));
	assert_true(task.no_new_privs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_sets),
		cmocka_unit_test(opens_files),
		cmocka_unit_test(few_to_begin_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
