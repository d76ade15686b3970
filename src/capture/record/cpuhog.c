/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/cpuhog.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/kernel/clock.h"

struct cpuhog {
	pthread_t thread;
	uint64_t deadline;
	bool done;
};

static void *burn(void *arg)
{
	struct cpuhog *h = arg;

	while (!__atomic_load_n(&h->done, __ATOMIC_ACQUIRE) && clock__read(CLOCK_MONOTONIC) < h->deadline)
		;
	return NULL;
}

bool cpuhog__needed(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) == 1;
}

/* The burner gets the priority below the recorder's own. */
struct cpuhog *cpuhog__begin(uint64_t limit_ns)
{
	struct sched_param p;
	struct cpuhog *h;
	pthread_attr_t attr;
	int policy, err;

	if (!limit_ns || pthread_getschedparam(pthread_self(), &policy, &p) ||
	    (policy & ~0x40000000) != SCHED_FIFO || p.sched_priority < 2)
		return NULL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->deadline = clock__read(CLOCK_MONOTONIC) + limit_ns;
	p.sched_priority--;
	pthread_attr_init(&attr);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &p);
	err = pthread_create(&h->thread, &attr, burn, h);
	pthread_attr_destroy(&attr);
	if (err) {
		free(h);
		return NULL;
	}
	return h;
}

void cpuhog__end(struct cpuhog *h)
{
	if (!h)
		return;
	__atomic_store_n(&h->done, true, __ATOMIC_RELEASE);
	pthread_join(h->thread, NULL);
	free(h);
}
