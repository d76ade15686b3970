/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/mover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/record/urgent.h"

struct mover {
	struct vt_control *ctl;
	const struct cpus *allowed;
	int bell, stop;
	int threads;		/* directory of the recorder's threads */
	long page;
	unsigned long *consumer;	/* positions in the bell, which is a ring */
	const unsigned long *producer;
	pthread_t thread;
};

/* Each but this one: whoever syncs or has a lock comes along. Without malloc(), whose lock one of them may have. */
static void move_threads(const struct mover *m, int cpu)
{
	char buf[1024];
	ssize_t len;

	lseek(m->threads, 0, SEEK_SET);
	while ((len = getdents64(m->threads, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < len; at += ((struct dirent64 *)(buf + at))->d_reclen) {
			pid_t tid = atoi(((struct dirent64 *)(buf + at))->d_name);

			if (tid > 0 && tid != gettid())
				cpus__only(tid, cpu);
		}
	}
}

/* On the CPU that this thread has: there nobody spins. */
static void fetch_recorder(struct mover *m)
{
	int cpu = sched_getcpu();

	if (cpu < 0 || cpu == m->ctl->recorder_cpu)
		return;
	move_threads(m, cpu);
	__atomic_store_n(&m->ctl->recorder_cpu, cpu, __ATOMIC_RELEASE);
	cpus__but(0, m->allowed, cpu);
}

static void *work(void *arg)
{
	struct mover *m = arg;
	struct pollfd fds[2] = { { .fd = m->bell, .events = POLLIN }, { .fd = m->stop, .events = POLLIN } };

	/* There is no other CPU. */
	if (cpus__but(0, m->allowed, m->ctl->recorder_cpu))
		return NULL;
	__atomic_store_n(&m->ctl->mover, 1, __ATOMIC_RELEASE);
	while (!fds[1].revents && (poll(fds, 2, -1) >= 0 || errno == EINTR)) {
		if (!fds[0].revents)
			continue;
		__atomic_store_n(m->consumer, __atomic_load_n(m->producer, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
		fetch_recorder(m);
	}
	return NULL;
}

static int open_bell(struct mover *m)
{
	void *at = mmap(NULL, m->page, PROT_READ | PROT_WRITE, MAP_SHARED, m->bell, 0);

	if (at == MAP_FAILED)
		return -errno;
	m->consumer = at;
	at = mmap(NULL, m->page, PROT_READ, MAP_SHARED, m->bell, m->page);
	if (at == MAP_FAILED)
		return -errno;
	m->producer = at;
	m->stop = eventfd(0, EFD_CLOEXEC);
	m->threads = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return m->stop < 0 || m->threads < 0 ? -errno : 0;
}

static void close_bell(struct mover *m)
{
	if (m->consumer)
		munmap(m->consumer, m->page);
	if (m->producer)
		munmap((void *)m->producer, m->page);
	if (m->stop >= 0)
		close(m->stop);
	if (m->threads >= 0)
		close(m->threads);
	free(m);
}

struct mover *mover__new(struct vt_control *ctl, const struct cpus *allowed, int bell)
{
	struct mover *m = ctl->recorder_cpu < 0 || bell < 0 ? NULL : calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	*m = (struct mover){ .ctl = ctl, .allowed = allowed, .bell = bell, .stop = -1, .threads = -1, .page = sysconf(_SC_PAGESIZE) };
	if (!open_bell(m) && !urgent__thread(&m->thread, urgent__priority(), work, m))
		return m;
	close_bell(m);
	return NULL;
}

void mover__free(struct mover *m)
{
	if (!m)
		return;
	m->ctl->mover = 0;
	eventfd_write(m->stop, 1);
	pthread_join(m->thread, NULL);
	close_bell(m);
}
