/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is written reaches stable storage a moment later, whatever becomes of
 * the machine. A thread does that: a disk may take seconds, in which the ring
 * would fill up. It runs with the priority and on the CPU of the recorder that
 * made it, so that nothing which holds the CPU against others stands between
 * the recorder and a lock of the file that this thread has.
 */
#ifndef VT_CAPTURE_SYNCER_H
#define VT_CAPTURE_SYNCER_H

#include <stdbool.h>
#include <stdint.h>

struct syncer;

/* For the file behind FD, which is taken over; syncs begin GAP_NS apart at least. NULL: it cannot be had. */
struct syncer *syncer__new(int fd, uint64_t gap_ns);
/* Something was written: it is synced at once, or GAP_NS after the last time. */
void syncer__want(struct syncer *s);
/* The first error met, 0 when none. NULL is fine. */
int syncer__error(struct syncer *s);
/* One is under way: to free it would be to wait for that. NULL is fine. */
bool syncer__busy(struct syncer *s);
/* Waits for a sync that is under way. NULL is fine. */
void syncer__free(struct syncer *s);

#endif
