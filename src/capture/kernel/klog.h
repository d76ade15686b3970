/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's log, for what the kernel says nowhere else. */
#ifndef VT_CAPTURE_KLOG_H
#define VT_CAPTURE_KLOG_H

#include <stdbool.h>
#include <stddef.h>

/* One record of /dev/kmsg: true ends the search. */
typedef bool (*klog_told_fn)(const char *record, void *arg);

enum klog_result {
	KLOG_TOLD,
	KLOG_NOT_TOLD,	/* the log is whole, from the first record of this boot on */
	KLOG_UNKNOWN,
};

enum klog_result klog__search(klog_told_fn told, void *arg);

/* LUO has no handler for a file that arrived: says of which kind, in a record and in the whole log. */
#define KLOG_COMPATIBLE 49
bool klog__told_no_handler(const char *record, void *compatible);
bool klog__no_handler(char compatible[KLOG_COMPATIBLE]);

#endif
