/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/cpuhog.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/kernel/clock.h"
#include "capture/record/urgent.h"

#define PAUSE_US 100

bool cpuhog__needed(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) == 1;
}

/* ---- one task, while others work ---- */

struct held {
	pid_t tid;		/* 0: nobody is let by */
	int policy;		/* as it was */
	struct sched_param param;
	int load, stat;		/* /proc/loadavg, /proc/TID/stat */
};

static ssize_t read_text(int fd, char *buf, size_t size)
{
	ssize_t len = pread(fd, buf, size - 1, 0);

	buf[len > 0 ? len : 0] = '\0';
	return len;
}

/* Of a deadline its parameters could not be given back. */
static void make_least(struct held *h, pid_t tid)
{
	static const struct sched_param none;
	char path[32];

	*h = (struct held){ .load = -1, .stat = -1 };
	if (!tid)
		return;
	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	h->load = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	h->stat = open(path, O_RDONLY | O_CLOEXEC);
	h->policy = sched_getscheduler(tid);
	if (h->load < 0 || h->stat < 0 || h->policy < 0 || (h->policy & ~SCHED_RESET_ON_FORK) == SCHED_DEADLINE || sched_getparam(tid, &h->param))
		return;
	if (!sched_setscheduler(tid, SCHED_IDLE | (h->policy & SCHED_RESET_ON_FORK), &none))
		h->tid = tid;
}

static void give_back(struct held *h)
{
	if (h->tid)
		sched_setscheduler(h->tid, h->policy, &h->param);
	if (h->load >= 0)
		close(h->load);
	if (h->stat >= 0)
		close(h->stat);
}

/* Its state is the first field behind its name, which may have any characters. */
static bool wants_to_run(const struct held *h)
{
	char stat[256], *end;

	if (read_text(h->stat, stat, sizeof(stat)) <= 0)
		return false;
	end = strrchr(stat, ')');
	return end && !strncmp(end, ") R", 3);
}

/* Of the tasks that want the CPU one is this thread, and one may be the held one. */
static bool others_wait(const struct held *h)
{
	char load[128];
	int running;

	if (!h->tid || read_text(h->load, load, sizeof(load)) <= 0 || sscanf(load, "%*s %*s %*s %d/", &running) != 1)
		return false;
	return running > 1 + wants_to_run(h);
}

uint64_t cpuhog__hold(pid_t tid, uint64_t limit_ns, bool (*over)(void *arg), void *arg)
{
	uint64_t begin = clock__read(CLOCK_MONOTONIC), now = begin;
	struct held h;

	if (!limit_ns)
		return 0;
	make_least(&h, tid);
	while (!over(arg) && now < begin + limit_ns) {
		if (others_wait(&h))
			usleep(PAUSE_US);
		now = clock__read(CLOCK_MONOTONIC);
	}
	give_back(&h);
	return now - begin;
}

/* ---- all ordinary tasks, while the caller works ---- */

struct cpuhog {
	pthread_t thread;
	uint64_t limit_ns;
	bool done;
};

static bool is_done(void *arg)
{
	return __atomic_load_n(&((struct cpuhog *)arg)->done, __ATOMIC_ACQUIRE);
}

static void *burn(void *arg)
{
	struct cpuhog *h = arg;

	cpuhog__hold(0, h->limit_ns, is_done, h);
	return NULL;
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
	h->limit_ns = limit_ns;
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
