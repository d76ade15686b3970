/* SPDX-License-Identifier: GPL-2.0 */
/* What the process that records has for itself: files, priority, CPU, threads. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "capture/record/bell.h"
#include "capture/record/private.h"
#include "capture/record/status.h"
#include "capture/record/syncer.h"
#include "capture/record/urgent.h"

#define FILES_WANTED 65536
#define FILES_AT_ONCE 2048
#define SYNC_GAP_NS 100000000ULL	/* with a tick, 150 ms: what a machine that dies takes with it */

static void more_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= FILES_WANTED)
		return;
	if (l.rlim_max < FILES_WANTED)
		l.rlim_max = FILES_WANTED;
	l.rlim_cur = l.rlim_max;
	if (!setrlimit(RLIMIT_NOFILE, &l) || getrlimit(RLIMIT_NOFILE, &l))
		return;
	/* The upper limit is not ours to raise. */
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
}

/*
 * The table of files is made as large as it gets while it has one user. To grow it under threads the kernel waits for
 * a grace period of RCU, and where we hold the only CPU nobody brings that about (seen: the hold ran out).
 */
static void room_for_files(const struct recorder *r)
{
	int fd = -1;

	for (int at = FILES_AT_ONCE - 1; fd < 0 && at > r->sigfd; at /= 2)
		fd = fcntl(r->sigfd, F_DUPFD_CLOEXEC, at);
	if (fd >= 0)
		close(fd);
}

void process__more_files(struct recorder *r)
{
	more_files();
	room_for_files(r);
}

/*
 * A task that waits for the recorder inside a BPF program keeps its CPU to
 * itself, and a recorder that was last there would be woken there (seen: the
 * wait ran out and the freeze was lost). So it stays on one CPU that the
 * program can tell from its own: the last, as the jump is made from the first.
 * From a task that waits on that one all the same it is fetched (bell.h).
 * Returns that CPU, -1 when it could not be had.
 */
static int stay_on_one_cpu(struct recorder *r)
{
	int err = cpus__allowed(&r->cpus), cpu = err ? -1 : cpus__last(&r->cpus);

	return cpu < 0 || cpus__only(0, cpu) ? -1 : cpu;
}

static bool ask_for_priority(void)
{
	struct sched_param p = { .sched_priority = 2 };

	return !sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p);
}

/* So that the recorder runs at once when it is woken inside reboot(2). Children start without it. */
void process__begin(struct recorder *r)
{
	if (r->opt->realtime && ask_for_priority())
		object__control(r->obj)->recorder_cpu = stay_on_one_cpu(r);
}

/* In a child, which has the CPU and not the priority. Without that it does not stay on a CPU that it may not get. */
static void stay_realtime(struct recorder *r)
{
	struct vt_control *c = object__control(r->obj);

	if (ask_for_priority() || c->recorder_cpu < 0)
		return;
	c->recorder_cpu = -1;
	cpus__any(0, &r->cpus);
}

/* A trace in memory needs no syncer. */
void process__start_threads(struct recorder *r)
{
	r->bell = bell__new(object__control(r->obj), &r->cpus, object__map_fd(r->obj, "bell"), r->one_cpu);
	if (!r->carry)
		r->syncer = syncer__new(vt_writer__dup(r->w), SYNC_GAP_NS);
}

void process__pause(struct recorder *r)
{
	int err = syncer__error(r->syncer);

	if (err)
		vt_writer__fail(r->w, err);
	syncer__free(r->syncer);
	bell__free(r->bell);
	r->syncer = NULL;
	r->bell = NULL;
}

/* The number under which this process is known to the programs comes with any of them that it runs. */
void process__resume(struct recorder *r)
{
	room_for_files(r);
	if (r->opt->realtime)
		stay_realtime(r);
	object__self(r->obj);
	process__start_threads(r);
	if (r->syncer)
		syncer__want(r->syncer);
	status__moved(r);
}
