/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/syncer.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "capture/kernel/clock.h"
#include "capture/record/urgent.h"
#include "trace/out.h"

struct syncer {
	int fd;
	uint64_t gap_ns;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool wanted, busy, stop;
	int error;
};

/* With the lock held, as is what it returns with; the clock is that of the condition. */
static void pause_until(struct syncer *s, uint64_t at)
{
	struct timespec ts = { .tv_sec = at / 1000000000, .tv_nsec = at % 1000000000 };

	while (!s->stop && clock__read(CLOCK_MONOTONIC) < at)
		pthread_cond_timedwait(&s->changed, &s->lock, &ts);
}

static void *work(void *arg)
{
	struct syncer *s = arg;
	int err;

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		if (!s->wanted) {
			pthread_cond_wait(&s->changed, &s->lock);
			continue;
		}
		s->wanted = false;
		s->busy = true;
		pthread_mutex_unlock(&s->lock);
		err = vt_out__sync_fd(s->fd);
		pthread_mutex_lock(&s->lock);
		s->busy = false;
		if (err && !s->error)
			s->error = err;
		/* From its end on: slow storage is not kept busy. */
		pause_until(s, clock__read(CLOCK_MONOTONIC) + s->gap_ns);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct syncer *syncer__new(int fd, uint64_t gap_ns)
{
	struct syncer *s = fd < 0 ? NULL : calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	s->fd = fd;
	s->gap_ns = gap_ns;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (!urgent__thread(&s->thread, urgent__priority(), work, s))
		return s;
	close(fd);
	free(s);
	return NULL;
}

void syncer__want(struct syncer *s)
{
	pthread_mutex_lock(&s->lock);
	s->wanted = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

int syncer__error(struct syncer *s)
{
	int err;

	if (!s)
		return 0;
	pthread_mutex_lock(&s->lock);
	err = s->error;
	pthread_mutex_unlock(&s->lock);
	return err;
}

bool syncer__busy(struct syncer *s)
{
	bool busy;

	if (!s)
		return false;
	pthread_mutex_lock(&s->lock);
	busy = s->busy;
	pthread_mutex_unlock(&s->lock);
	return busy;
}

void syncer__free(struct syncer *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	close(s->fd);
	free(s);
}
