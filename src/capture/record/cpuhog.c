/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/cpuhog.h"

#include <stdlib.h>
#include <unistd.h>

#include "capture/kernel/clock.h"
#include "capture/record/urgent.h"

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
	int priority = urgent__priority() - 1;
	struct cpuhog *h;

	if (!limit_ns || priority < 1)
		return NULL;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->deadline = clock__read(CLOCK_MONOTONIC) + limit_ns;
	if (!urgent__thread(&h->thread, priority, burn, h))
		return h;
	free(h);
	return NULL;
}

void cpuhog__end(struct cpuhog *h)
{
	if (!h)
		return;
	__atomic_store_n(&h->done, true, __ATOMIC_RELEASE);
	pthread_join(h->thread, NULL);
	free(h);
}
