/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/urgent.h"

#include <errno.h>
#include <sched.h>

/* From the kernel: what pthread_getschedparam() remembers is that of the process before a fork(). */
int urgent__priority(void)
{
	struct sched_param p;

	if ((sched_getscheduler(0) & ~SCHED_RESET_ON_FORK) != SCHED_FIFO || sched_getparam(0, &p))
		return 0;
	return p.sched_priority;
}

int urgent__thread(pthread_t *t, int priority, void *(*work)(void *arg), void *arg)
{
	struct sched_param p = { .sched_priority = priority };
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	if (priority) {
		pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
		pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
		pthread_attr_setschedparam(&attr, &p);
	}
	err = pthread_create(t, &attr, work, arg);
	pthread_attr_destroy(&attr);
	return err;
}

int urgent__less(void)
{
	struct sched_param p = { .sched_priority = urgent__priority() - 1 };

	if (p.sched_priority < 1)
		return EPERM;
	return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p) ? errno : 0;
}
