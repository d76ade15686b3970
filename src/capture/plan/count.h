/* SPDX-License-Identifier: GPL-2.0 */
/* How often the kernel could not run a program that was due. */
#ifndef VT_CAPTURE_COUNT_H
#define VT_CAPTURE_COUNT_H

#include <stdint.h>

/* Calls that found the program running on their CPU. *HITS: how often it ran, where the kernel counts that; may be NULL. */
uint64_t count__recursion_misses(int prog_fd, uint64_t *hits);
/* Of a kprobe's link, 0 for others and for fd -1. */
uint64_t count__kprobe_misses(int link_fd);

#endif
