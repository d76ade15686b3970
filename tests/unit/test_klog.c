// SPDX-License-Identifier: GPL-2.0
/* What the kernel's log says of handlers. */
#include "unit.h"

#include <string.h>

#include "capture/kernel/klog.h"

static void no_handler(void **state)
{
	char name[KLOG_COMPATIBLE] = "";

	assert_true(klog__told_no_handler("4,611,402133,-;luo: No registered handler for compatible 'vfio-pci-v1'\n", name));
	assert_string_equal(name, "vfio-pci-v1");
	assert_true(klog__told_no_handler("4,611,402133,c,extra=1;luo: No registered handler for compatible "
					  "'012345678901234567890123456789012345678901234567'\n SUBSYSTEM=x\n", name));
	assert_int_equal(strlen(name), 48);
	/* What is not the kernel's own, or not whole, is no evidence. */
	strcpy(name, "as it was");
	assert_false(klog__told_no_handler("12,611,402133,-;luo: No registered handler for compatible 'vfio-pci-v1'\n", name));
	assert_false(klog__told_no_handler("4,611,402133,-;agent: luo: No registered handler for compatible 'vfio-pci-v1'\n", name));
	assert_false(klog__told_no_handler("4,611,402133,-;luo: No registered handler for compatible 'vfio-pci-v1\n", name));
	assert_false(klog__told_no_handler("4,611,402133,-;luo: No registered handler for compatible ''\n", name));
	assert_false(klog__told_no_handler("4,611,402133,-;luo: something else\n", name));
	assert_false(klog__told_no_handler("", name));
	assert_string_equal(name, "as it was");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_handler) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
