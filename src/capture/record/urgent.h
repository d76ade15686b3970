/* SPDX-License-Identifier: GPL-2.0 */
/* Threads of a recorder with a real-time priority: its own do not inherit it (SCHED_RESET_ON_FORK). */
#ifndef VT_CAPTURE_RECORD_URGENT_H
#define VT_CAPTURE_RECORD_URGENT_H

#include <pthread.h>
#include <sched.h>

/* Not in every sched.h. */
#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

/* The priority of the thread that calls, 0: an ordinary one. */
int urgent__priority(void);
/* With PRIORITY, of which 0 is an ordinary one: 0 or an errno. */
int urgent__thread(pthread_t *t, int priority, void *(*work)(void *arg), void *arg);
/* The thread that calls gets the priority below its own, still a real-time one: 0 or an errno. */
int urgent__less(void);

#endif
