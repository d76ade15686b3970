/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/bell.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/record/cpuhog.h"
#include "capture/record/urgent.h"

struct bell {
	struct vt_control *ctl;
	const struct cpus *allowed;
	bool alone;
	int map, stop;
	bool stopping;
	int threads;		/* directory of the recorder's threads */
	long page;
	unsigned long *consumer;	/* positions in the map, which is a ring */
	const unsigned long *producer;
	pthread_t thread;
};

/* ---- another CPU ---- */

/* Each but this one: whoever syncs or has a lock comes along. Without malloc(), whose lock one of them may have. */
static void move_threads(const struct bell *b, int cpu)
{
	char buf[1024];
	ssize_t len;

	lseek(b->threads, 0, SEEK_SET);
	while ((len = getdents64(b->threads, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < len; at += ((struct dirent64 *)(buf + at))->d_reclen) {
			pid_t tid = atoi(((struct dirent64 *)(buf + at))->d_name);

			if (tid > 0 && tid != gettid())
				cpus__only(tid, cpu);
		}
	}
}

/* On the CPU that this thread has: there nobody spins. */
static void fetch_recorder(struct bell *b)
{
	int cpu = sched_getcpu();

	if (cpu < 0 || cpu == b->ctl->recorder_cpu)
		return;
	move_threads(b, cpu);
	__atomic_store_n(&b->ctl->recorder_cpu, cpu, __ATOMIC_RELEASE);
	cpus__but(0, b->allowed, cpu);
}

/* ---- the only one ---- */

struct stored {
	const struct bell *b;
	uint64_t want;
};

/* Who has to stop does not go on holding. */
static bool is_stored(void *arg)
{
	const struct stored *s = arg;
	const struct vt_control *c = s->b->ctl;

	return __atomic_load_n(&s->b->stopping, __ATOMIC_ACQUIRE) || (__atomic_load_n(&c->synced, __ATOMIC_ACQUIRE) >= s->want &&
		__atomic_load_n(&c->losses, __ATOMIC_ACQUIRE) == __atomic_load_n(&c->losses_synced, __ATOMIC_ACQUIRE));
}

/*
 * In a pid namespace the number of the task that jumps is another than records have, and of a task of another
 * machine's CPUs nothing is known by what waits for one: there whoever is less urgent is held.
 */
static void hold_jump(struct bell *b)
{
	struct vt_control *c = b->ctl;
	struct stored s = { .b = b, .want = __atomic_load_n(&c->produced, __ATOMIC_ACQUIRE) };
	bool known = b->alone && c->peek_tgid == (uint32_t)getpid();

	c->held_ns = cpuhog__hold(known ? (pid_t)c->jumper : 0, c->wait_ns, is_stored, &s);
}

/* ---- the thread ---- */

static void answer(struct bell *b, void (*what)(struct bell *b))
{
	struct pollfd fds[2] = { { .fd = b->map, .events = POLLIN }, { .fd = b->stop, .events = POLLIN } };

	while (!fds[1].revents && (poll(fds, 2, -1) >= 0 || errno == EINTR)) {
		if (!fds[0].revents)
			continue;
		__atomic_store_n(b->consumer, __atomic_load_n(b->producer, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
		what(b);
	}
}

static void *work(void *arg)
{
	struct bell *b = arg;

	if (!cpus__but(0, b->allowed, b->ctl->recorder_cpu)) {
		__atomic_store_n(&b->ctl->bell, VT_BELL_FETCHES, __ATOMIC_RELEASE);
		answer(b, fetch_recorder);
	} else if (!urgent__less()) {
		__atomic_store_n(&b->ctl->bell, VT_BELL_HOLDS, __ATOMIC_RELEASE);
		answer(b, hold_jump);
	}
	return NULL;
}

static int open_map(struct bell *b)
{
	void *at = mmap(NULL, b->page, PROT_READ | PROT_WRITE, MAP_SHARED, b->map, 0);

	if (at == MAP_FAILED)
		return -errno;
	b->consumer = at;
	at = mmap(NULL, b->page, PROT_READ, MAP_SHARED, b->map, b->page);
	if (at == MAP_FAILED)
		return -errno;
	b->producer = at;
	b->stop = eventfd(0, EFD_CLOEXEC);
	b->threads = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return b->stop < 0 || b->threads < 0 ? -errno : 0;
}

static void close_map(struct bell *b)
{
	if (b->consumer)
		munmap(b->consumer, b->page);
	if (b->producer)
		munmap((void *)b->producer, b->page);
	if (b->stop >= 0)
		close(b->stop);
	if (b->threads >= 0)
		close(b->threads);
	free(b);
}

struct bell *bell__new(struct vt_control *ctl, const struct cpus *allowed, int map, bool alone)
{
	struct bell *b = ctl->recorder_cpu < 0 || map < 0 ? NULL : calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	*b = (struct bell){ .ctl = ctl, .allowed = allowed, .alone = alone, .map = map, .stop = -1, .threads = -1, .page = sysconf(_SC_PAGESIZE) };
	if (!open_map(b) && !urgent__thread(&b->thread, urgent__priority(), work, b))
		return b;
	close_map(b);
	return NULL;
}

void bell__free(struct bell *b)
{
	if (!b)
		return;
	b->ctl->bell = VT_BELL_NOBODY;
	__atomic_store_n(&b->stopping, true, __ATOMIC_RELEASE);
	eventfd_write(b->stop, 1);
	pthread_join(b->thread, NULL);
	close_map(b);
}
