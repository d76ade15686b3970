/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/recorder.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/say.h"
#include "capture/domain/list.h"
#include "capture/kernel/clock.h"
#include "capture/kernel/kernel.h"
#include "capture/kernel/phase.h"
#include "capture/plan/plan.h"
#include "capture/record/carry.h"
#include "capture/record/convert.h"
#include "capture/record/cpuhog.h"
#include "capture/record/private.h"
#include "capture/record/privilege.h"
#include "capture/record/status.h"
#include "capture/record/syncer.h"

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

#define TICK_MS 50
#define FILES_WANTED 65536
#define FILES_AT_ONCE 2048
#define SYNC_GAP_NS 100000000ULL	/* with a tick, 150 ms: what a machine that dies takes with it */

/* ---- signals and priority ---- */

static int open_signals(struct recorder *r)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &r->was_blocked);
	sigaction(SIGPIPE, &(struct sigaction){ .sa_handler = SIG_IGN }, &r->was_pipe);
	sigaction(SIGXFSZ, &(struct sigaction){ .sa_handler = SIG_IGN }, &r->was_xfsz);
	r->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return r->sigfd < 0 ? -errno : 0;
}

/* ANYBODYS: they do what they did before we came. Else they are ours to read. */
static void hear_signals(struct recorder *r, bool anybodys)
{
	sigset_t set = r->was_blocked;

	if (!anybodys) {
		sigaddset(&set, SIGINT);
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGHUP);
		sigaddset(&set, SIGCHLD);
	}
	sigprocmask(SIG_SETMASK, &set, NULL);
}

/* Each hook takes two or three descriptors, and a shell gives 1024. CMD, which is forked by now, keeps its limit. */
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

static void on_signal(struct recorder *r)
{
	struct signalfd_siginfo si;

	while (read(r->sigfd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD) {
			child__reap(r);
			continue;
		}
		child__stop(r, &si);
	}
}

/*
 * A task that waits for the recorder inside a BPF program keeps its CPU to
 * itself, and a recorder that was last there would be woken there (seen: the
 * wait ran out and the freeze was lost). So it stays on one CPU that the
 * program can tell from its own: the last, as the jump is made from the first.
 * Returns that CPU, -1 when it could not be had.
 */
static int stay_on_one_cpu(void)
{
	int nr = libbpf_num_possible_cpus(), cpu = -1;
	size_t size = CPU_ALLOC_SIZE(nr > CPU_SETSIZE ? nr : CPU_SETSIZE);
	cpu_set_t *set = calloc(1, size);

	if (set && !sched_getaffinity(0, size, set))
		for (size_t i = 0; i < 8 * size; i++)
			if (CPU_ISSET_S(i, size, set))
				cpu = i;
	if (cpu >= 0) {
		CPU_ZERO_S(size, set);
		CPU_SET_S(cpu, size, set);
		cpu = sched_setaffinity(0, size, set) ? -1 : cpu;
	}
	free(set);
	return cpu;
}

/* So that the recorder runs at once when it is woken inside reboot(2). Children start without it. */
static void go_realtime(struct recorder *r)
{
	struct sched_param p = { .sched_priority = 2 };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p))
		return;
	object__control(r->obj)->recorder_cpu = stay_on_one_cpu();
}

/* ---- start and end ---- */

static int explain_open_failure(int err, const char *why)
{
	if (err == -EPERM || err == -EACCES)
		return vt_fail(VT_EXIT_PERMISSION, "no permission to trace: %s", why);
	return vt_fail(VT_EXIT_UNSUPPORTED, "cannot trace this kernel: %s", why);
}

static int arm(struct recorder *r)
{
	/* Where waiting inside the kernel would only keep us off the one CPU there is, we hold it ourselves. */
	struct domains_options o = {
		.ring_bytes = r->opt->ring_bytes,
		.fail_section = r->opt->fail_section,
		.fail_nth = r->opt->fail_nth,
		.force_kprobe = r->opt->force_kprobe,
		.jump_wait_ns = r->opt->jump_wait_ns, .all_blocks = r->opt->all_blocks,
		.module_wait_ns = r->one_cpu ? 0 : r->opt->module_wait_ns,
	};
	const char *why;
	int err;

	err = privilege__check(&why);
	if (err)
		return explain_open_failure(err, why);
	err = kernel__open(&r->k, &why);
	if (err)
		return explain_open_failure(err, why);
	if (!kernel__addr(r->k, "liveupdate_reboot", NULL))
		return vt_fail(VT_EXIT_NOTHING, "this kernel (%s) has no Live Update Orchestrator: it needs CONFIG_LIVEUPDATE=y",
			       kernel__release(r->k));
	if (kernel__luo_is_off())
		return vt_fail(VT_EXIT_NOTHING, "live update is off in this kernel: boot it with liveupdate=on kho=on");
	err = domains__open(&r->d, r->k, &o, &why);
	if (err)
		return explain_open_failure(err, why);
	r->obj = domains__object(r->d);
	return 0;
}

/* After privileges went, as threads have their own. A trace in memory needs none. */
static void start_syncer(struct recorder *r)
{
	if (!r->carry)
		r->syncer = syncer__new(vt_writer__dup(r->w), SYNC_GAP_NS);
}

static void say_armed(const struct recorder *r, uint64_t started)
{
	const struct plan *p = domains__plan(r->d);
	char phases[1024];

	if (r->opt->quiet)
		return;
	vt_say("armed in %llu ms: %zu probes of %zu; handlers: %s; recording to %s",
	       (unsigned long long)(clock__now() - started) / 1000000, plan__attached(p), p->nr,
	       *domains__handlers(r->d) ? domains__handlers(r->d) : "none", r->carry ? "a memory file that goes into the next kernel" : r->opt->output);
	if (!r->opt->verbose)
		return;
	phase__print(phases, sizeof(phases));
	vt_say("arming: %s", phases);
}

static int start(struct recorder *r)
{
	uint64_t started = clock__now();
	int code, err;

	r->one_cpu = cpuhog__needed();
	err = open_signals(r);
	if (err)
		return vt_fail(VT_EXIT_IO, "signals: %s", strerror(-err));
	err = child__open_exit(r);
	if (err)
		return vt_fail(VT_EXIT_IO, "cannot write %s: %s", r->opt->cmd_exit, strerror(-err));
	err = child__hold(r);
	if (err)
		return vt_fail(VT_EXIT_IO, "cannot fork: %s", strerror(-err));
	err = status__open(r);
	if (err == -EBUSY)
		return vt_fail(VT_EXIT_IO, "%s: a recorder that lives has this file", r->opt->status);
	if (err)
		return vt_fail(VT_EXIT_IO, "cannot write %s: %s", r->opt->status, strerror(-err));
	more_files();
	room_for_files(r);
	phase__begin("start");
	/* Nothing is written yet, and what is attached ends with us: signals may end us as they do anybody. */
	hear_signals(r, true);
	code = arm(r);
	hear_signals(r, false);
	phase__begin("output");
	if (code)
		return code;
	code = output__open(r);
	if (code)
		return code;
	err = convert__new(&r->conv, r->d, r->k, r->w);
	if (err)
		return vt_fail(VT_EXIT_UNSUPPORTED, "struct file is not in this kernel's BTF");
	/* What arming took, and gave back. */
	malloc_trim(0);
	err = ring__open(r);
	if (err)
		return vt_fail(VT_EXIT_IO, "cannot map the ring: %s", strerror(-err));
	if (r->opt->realtime)
		go_realtime(r);
	privilege__drop(r->carry);
	start_syncer(r);
	output__meta(r);
	output__probes(r);
	output__mark(r, VT_EV_REC_ARMED, NULL, NULL);
	err = output__store(r, true);
	if (err)
		return vt_fail(VT_EXIT_IO, "cannot write %s: %s", r->opt->output, strerror(-err));
	object__gate(r->obj, 1);
	say_armed(r, started);
	status__armed(r);
	child__release(r);
	return 0;
}

/* Counters of what hooks missed, when events have come and a second has passed. */
static void look_after_misses(struct recorder *r, uint64_t *at, uint64_t *events)
{
	uint64_t now = clock__now();

	if (now < *at || *events == r->consumed || r->jumping)
		return;
	output__misses(r);
	*events = r->consumed;
	*at = now + 1000000000ULL;
}

/* A record that somebody is still filling in holds back those behind it, and the kernel may wait for them: look again soon. */
static int patience(const struct recorder *r, bool more)
{
	return more ? 0 : r->jumping || __atomic_load_n(&object__control(r->obj)->will_jump, __ATOMIC_RELAXED) ? 1 : TICK_MS;
}

/* A record that comes just before the sleep wakes nobody: the next ones do, and no sleep is longer than TICK_MS. */
static void awake(struct recorder *r, bool yes)
{
	__atomic_store_n(&object__control(r->obj)->awake, yes, __ATOMIC_RELEASE);
}

static void loop(struct recorder *r)
{
	uint64_t misses_at = clock__now() + 1000000000ULL, misses_events = 0;
	bool more = false;

	uint64_t end = r->opt->seconds > 0 ? clock__now() + (uint64_t)(r->opt->seconds * 1e9) : UINT64_MAX;
	struct pollfd fds[2] = {
		{ .fd = r->ring.epoll, .events = POLLIN },
		{ .fd = r->sigfd, .events = POLLIN },
	};

	while (!r->stop) {
		awake(r, false);
		poll(fds, 2, patience(r, more));
		awake(r, true);
		more = ring__drain(r);
		on_signal(r);
		heirs__check(r);
		child__check_grace(r);
		status__update(r);
		look_after_misses(r, &misses_at, &misses_events);
		if (!r->stop && clock__now() >= end) {
			r->stop = true;
			r->why = "time limit";
		}
	}
}

static int finish(struct recorder *r)
{
	int err;

	object__gate(r->obj, 0);
	/* A program past the gate test may still be writing its record. */
	usleep(1000);
	while (ring__drain(r))
		;
	object__last_look(r->obj);
	while (ring__drain(r))
		;
	output__stop(r);
	if (r->bad) {
		struct vt_loss l = { .event = "", .why = VT_LOSS_MALFORMED, .count = r->bad, .to_ns = UINT64_MAX };

		vt_writer__loss(r->w, &l);
	}
	output__losses(r);
	output__probes(r);
	err = vt_writer__finish(r->w, r->why);
	carry__stored(r->carry, vt_writer__bytes(r->w));
	if (!err)
		err = vt_writer__error(r->w);
	/* There was no jump: the trace goes where it would have gone without being carried. */
	if (r->carry) {
		int lost = carry__copy(r->carry, r->opt->output);

		if (lost)
			return vt_fail(VT_EXIT_IO, "cannot write %s: %s", r->opt->output, strerror(-lost));
	}
	if (err) {
		output__check(r);
		return VT_EXIT_IO;
	}
	ring__tell_lost(r);
	if (r->opt->verbose)
		vt_say("%llu events, %llu bytes in %s (%s); %llu lost, the ring was at most %llu %% full", (unsigned long long)convert__events(r->conv),
		       (unsigned long long)vt_writer__bytes(r->w), r->opt->output, r->why, (unsigned long long)r->fill.lost,
		       100ULL * r->fill.peak / r->opt->ring_bytes);
	return child__exit(r);
}

int recorder__run(const struct recorder_options *o)
{
	struct recorder r = { .opt = o, .ring.epoll = -1, .sigfd = -1, .child_go = -1, .cmd_exit = -1, .status.fd = -1, .why = "stopped" };
	int code = start(&r);

	if (!code) {
		loop(&r);
		code = finish(&r);
	}
	if (r.child_go >= 0)
		close(r.child_go);
	if (r.child && !r.child_gone && r.child_go >= 0)
		waitpid(r.child, NULL, 0);
	ring__close(&r);
	sessions__free(&r.sessions);
	syncer__free(r.syncer);
	convert__free(r.conv);
	domains__free(r.d);
	vt_writer__free(r.w);
	carry__free(r.carry);
	kernel__free(r.k);
	status__close(&r);
	if (r.cmd_exit >= 0)
		close(r.cmd_exit);
	if (r.sigfd >= 0)
		close(r.sigfd);
	return code;
}
