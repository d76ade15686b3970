/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The recording goes on in a process of its own, and whoever called the
 * recorder gets CMD's exit code and goes on as well.
 *
 * Until then there is one process, which ends with whatever ends the one that
 * the caller knows. What does not pass on by fork(2) is made anew
 * (process__resume()): threads, the real-time priority, the number in the
 * status file. All else is shared: what is attached, the ring, the file and its
 * lock, LUO's session. So the one that leaves closes and flushes nothing.
 */
#ifndef VT_CAPTURE_RECORD_BEHIND_H
#define VT_CAPTURE_RECORD_BEHIND_H

#include <stdbool.h>

struct recorder;
struct recorder_options;

/* The caller asks for that, or would take all of us for gone. */
bool behind__refused(const struct recorder_options *o);
/* Comes back in the process that goes on: that is still this one where the time is not good, or it cannot be had. */
void behind__go(struct recorder *r);

#endif
