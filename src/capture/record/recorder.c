/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/recorder.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

#define TICK_MS 50

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
	cpu_set_t set;
	int cpu = -1;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	for (int i = 0; i < CPU_SETSIZE; i++)
		if (CPU_ISSET(i, &set))
			cpu = i;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return cpu < 0 || sched_setaffinity(0, sizeof(set), &set) ? -1 : cpu;
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
	if (access("/sys/class/misc/liveupdate", F_OK) && !access("/sys/class/misc", F_OK))
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

	if (!r->opt->verbose)
		return;
	vt_say("armed in %llu ms: %zu probes of %zu; handlers: %s; recording to %s",
	       (unsigned long long)(clock__now() - started) / 1000000, plan__attached(p), p->nr,
	       *domains__handlers(r->d) ? domains__handlers(r->d) : "none", r->opt->output);
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
	err = child__hold(r);
	if (err)
		return vt_fail(VT_EXIT_IO, "cannot fork: %s", strerror(-err));
	phase__begin("start");
	code = arm(r);
	phase__begin("output");
	if (code)
		return code;
	code = output__open(r);
	if (code)
		return code;
	err = convert__new(&r->conv, r->d, r->k, r->w);
	if (err)
		return vt_fail(VT_EXIT_UNSUPPORTED, "struct file is not in this kernel's BTF");
	err = ring__open(r);
	if (err)
		return vt_fail(VT_EXIT_IO, "cannot map the ring: %s", strerror(-err));
	if (r->opt->realtime)
		go_realtime(r);
	privilege__drop();
	output__meta(r);
	output__probes(r);
	output__mark(r, VT_EV_REC_ARMED, NULL, NULL);
	err = output__store(r, true);
	if (err)
		return vt_fail(VT_EXIT_IO, "cannot write %s: %s", r->opt->output, strerror(-err));
	object__gate(r->obj, 1);
	say_armed(r, started);
	child__release(r);
	return 0;
}

static void loop(struct recorder *r)
{
	uint64_t end = r->opt->seconds > 0 ? clock__now() + (uint64_t)(r->opt->seconds * 1e9) : UINT64_MAX;
	struct pollfd fds[2] = {
		{ .fd = ring_buffer__epoll_fd(r->rb), .events = POLLIN },
		{ .fd = r->sigfd, .events = POLLIN },
	};

	while (!r->stop) {
		poll(fds, 2, TICK_MS);
		ring__drain(r);
		on_signal(r);
		child__check_grace(r);
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
	ring__drain(r);
	object__last_look(r->obj);
	ring__drain(r);
	output__mark(r, VT_EV_REC_STOP, r->why, NULL);
	if (r->bad) {
		struct vt_loss l = { .event = "", .why = "malformed record", .count = r->bad, .to_ns = UINT64_MAX };

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
	if (r->opt->verbose)
		vt_say("%llu events, %llu bytes in %s (%s)", (unsigned long long)convert__events(r->conv),
		       (unsigned long long)vt_writer__bytes(r->w), r->opt->output, r->why);
	return r->child_gone ? r->child_status : VT_EXIT_CLEAN;
}

int recorder__run(const struct recorder_options *o)
{
	struct recorder r = { .opt = o, .sigfd = -1, .child_go = -1, .why = "stopped" };
	int code = start(&r);

	if (!code) {
		loop(&r);
		code = finish(&r);
	}
	if (r.child_go >= 0)
		close(r.child_go);
	if (r.child && !r.child_gone && r.child_go >= 0)
		waitpid(r.child, NULL, 0);
	ring_buffer__free(r.rb);
	convert__free(r.conv);
	domains__free(r.d);
	vt_writer__free(r.w);
	carry__free(r.carry);
	kernel__free(r.k);
	if (r.sigfd >= 0)
		close(r.sigfd);
	return code;
}
