/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/klog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum klog_result klog__search(klog_told_fn told, void *arg)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool first = true, whole = true, found = false;
	char record[8192];
	ssize_t n;

	if (fd < 0)
		return KLOG_UNKNOWN;
	while (!found && ((n = read(fd, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE))) {
		unsigned long long seq = 1;

		record[n > 0 ? n : 0] = 0;
		if (first)
			whole = sscanf(record, "%*u,%llu", &seq) == 1 && !seq;
		whole &= n > 0;
		first = false;
		found = told(record, arg);
	}
	close(fd);
	return found ? KLOG_TOLD : whole && !first ? KLOG_NOT_TOLD : KLOG_UNKNOWN;
}

/* Whatever user space writes there has a facility of its own: the number in front is 8 or more. */
bool klog__told_no_handler(const char *record, void *compatible)
{
	char name[KLOG_COMPATIBLE];
	int end = 0;

	if (sscanf(record, "%*1[0-7],%*[^;];luo: No registered handler for compatible '%48[^'\n]'%n", name, &end) != 1 || !end)
		return false;
	snprintf(compatible, KLOG_COMPATIBLE, "%s", name);
	return true;
}

bool klog__no_handler(char compatible[KLOG_COMPATIBLE])
{
	return klog__search(klog__told_no_handler, compatible) == KLOG_TOLD;
}
