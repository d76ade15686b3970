/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/recorder.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/say.h"
#include "capture/domain/list.h"
#include "capture/kernel/clock.h"
#include "capture/kernel/kernel.h"
#include "capture/kernel/phase.h"
#include "capture/plan/plan.h"
#include "capture/record/behind.h"
#include "capture/record/bell.h"
#include "capture/record/carry.h"
#include "capture/record/convert.h"
#include "capture/record/cpuhog.h"
#include "capture/record/private.h"
#include "capture/record/privilege.h"
#include "capture/record/status.h"
#include "capture/record/syncer.h"

#define TICK_MS 50
#define COUNT_NS 1000000000ULL		/* from count to count of misses while records come, */
#define COUNT_IDLE_NS 200000000ULL	/* and when none came for a tick */

/* ---- signals ---- */

static int open_signals(struct recorder *r)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
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
	}
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void on_signal(struct recorder *r)
{
	struct signalfd_siginfo si;

	while (read(r->sigfd, &si, sizeof(si)) == sizeof(si))
		child__stop(r, &si);
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
	r->stays = behind__refused(r->opt);
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
	process__more_files(r);
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
	process__begin(r);
	privilege__drop(r->carry);
	process__start_threads(r);
	output__meta(r);
	output__probes(r);
	output__mark(r, VT_EV_REC_ARMED, NULL, NULL);
	err = output__store(r, true);
	if (err)
		return vt_fail(VT_EXIT_IO, "cannot write %s: %s", r->opt->output, strerror(-err));
	object__gate(r->obj, 1);
	domains__begin(r->d);
	say_armed(r, started);
	status__armed(r);
	child__release(r);
	return 0;
}

/* Of hooks, asked for now and then. */
struct misses_look {
	uint64_t at, events;	/* when they were counted, and after how many records */
};

/*
 * Counters of what hooks missed, when records have come since. A pause is used for it: what comes next may be the jump,
 * which does not wait for them, and what was missed before it would not be told.
 */
static void look_after_misses(struct recorder *r, struct misses_look *last, bool idle)
{
	uint64_t now = clock__now();

	if (last->events == r->consumed || jump__near(r))
		return;
	if (now < last->at + (idle ? COUNT_IDLE_NS : COUNT_NS))
		return;
	output__misses(r);
	*last = (struct misses_look){ now, r->consumed };
}

/* A record that somebody is still filling in holds back those behind it, and the kernel may wait for them: look again soon. */
static int patience(const struct recorder *r, bool more)
{
	return more ? 0 : jump__near(r) ? 1 : TICK_MS;
}

/* A record that comes just before the sleep wakes nobody: the next ones do, and no sleep is longer than TICK_MS. */
static void awake(struct recorder *r, bool yes)
{
	__atomic_store_n(&object__control(r->obj)->awake, yes, __ATOMIC_RELEASE);
}

static void loop(struct recorder *r)
{
	struct misses_look misses = { .at = clock__now() };
	bool more = false, idle;

	uint64_t end = r->opt->seconds > 0 ? clock__now() + (uint64_t)(r->opt->seconds * 1e9) : UINT64_MAX;
	struct pollfd fds[3] = {
		{ .fd = r->ring.epoll, .events = POLLIN },
		{ .fd = r->sigfd, .events = POLLIN },
	};

	while (!r->stop) {
		fds[2] = (struct pollfd){ .fd = r->keeper.news, .events = POLLIN };
		awake(r, false);
		idle = !poll(fds, 3, patience(r, more)) && !more;
		awake(r, true);
		more = ring__drain(r);
		on_signal(r);
		child__hear(r);
		if (heirs__check(r))
			behind__go(r);
		child__check_grace(r);
		status__update(r);
		look_after_misses(r, &misses, idle);
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
	struct recorder r = { .opt = o, .ring.epoll = -1, .sigfd = -1, .child_go = -1, .keeper = { .cmd_fd = -1, .news = -1 },
			      .cmd_exit = -1, .status.fd = -1, .why = "stopped" };
	int code = start(&r);

	if (!code) {
		loop(&r);
		code = finish(&r);
	}
	if (r.child_go >= 0) {
		close(r.child_go);
		keeper__wait(&r.keeper);
	}
	keeper__free(&r.keeper);
	ring__close(&r);
	sessions__free(&r.sessions);
	syncer__free(r.syncer);
	bell__free(r.bell);
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
