/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/recorder.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/carry.h"
#include "capture/convert.h"
#include "capture/engine.h"
#include "capture/hold.h"
#include "capture/kernel.h"
#include "capture/phase.h"
#include "capture/privilege.h"
#include "cmd/cmd.h"

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

#define TICK_MS 50
#define CHILD_GRACE_S 5

struct recorder {
	const struct recorder_options *opt;
	struct kernel *k;
	struct engine *e;
	struct vt_writer *w;
	struct carry *carry;
	struct convert *conv;
	struct ring_buffer *rb;
	struct engine_losses told;	/* losses already in the file */
	uint64_t consumed;	/* records of the ring: some are two events */
	uint64_t bad;
	bool dirty;		/* events since the last flush */
	bool jumping;		/* liveupdate_reboot() succeeded: storage now */
	bool new_module, new_handler;
	uint64_t modules_asked;
	int sigfd, child_go;
	pid_t child;
	bool child_gone;
	int child_status;
	bool stop;
	uint64_t grace_end;	/* told to stop: CMD may take until then, 0 = not told */
	const char *why;
	bool storage_told;
	bool one_cpu;
};

/* ---- what the file says about itself ---- */

static void first_line(const char *path, char *buf, size_t len)
{
	FILE *f = fopen(path, "re");

	buf[0] = 0;
	if (!f)
		return;
	if (fgets(buf, len, f))
		buf[strcspn(buf, "\n")] = 0;
	fclose(f);
}

static void write_meta(struct recorder *r)
{
	char boot_id[64], cmdline[512], started[32], phases[1024];
	struct utsname u;
	time_t t = time(NULL);
	struct tm tm;

	uname(&u);
	gmtime_r(&t, &tm);
	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", &tm);
	first_line("/proc/sys/kernel/random/boot_id", boot_id, sizeof(boot_id));
	first_line("/proc/cmdline", cmdline, sizeof(cmdline));
	vt_writer__meta(r->w, "tool.version", VFIOTRACE_VERSION);
	vt_writer__meta(r->w, "command", r->opt->command_line);
	vt_writer__meta(r->w, "kernel.release", u.release);
	vt_writer__meta(r->w, "kernel.version", u.version);
	vt_writer__meta(r->w, "kernel.build_id", kernel__build_id(r->k));
	vt_writer__meta(r->w, "kernel.cmdline", cmdline);
	vt_writer__meta(r->w, "machine", u.machine);
	vt_writer__meta(r->w, "boot_id", boot_id);
	vt_writer__meta(r->w, "clock", "CLOCK_BOOTTIME ns");
	vt_writer__meta(r->w, "started", started);
	vt_writer__meta(r->w, "luo", engine__has_luo(r->e) ? "yes" : "no");
	vt_writer__meta(r->w, "handlers", engine__handlers(r->e));
	phase__begin(NULL);
	phase__print(phases, sizeof(phases));
	vt_writer__meta(r->w, "arming", phases);
	if (r->carry)
		vt_writer__meta(r->w, "carried", "session " VT_OWN_SESSION);
}

static void write_probes(struct recorder *r)
{
	struct plan *p = engine__plan(r->e);
	struct vt_probe *probes;

	plan__count(p);
	probes = plan__probes(p);
	if (probes)
		vt_writer__probes(r->w, probes, p->nr);
	free(probes);
}

/* Only what is new since the last time: readers add the rows up. */
static void write_loss(struct recorder *r, enum vt_event_type type, const char *why, const struct vt_wire_loss *now,
		       const struct vt_wire_loss *told, uint64_t to_ns)
{
	struct vt_loss l = { .event = vt_event_name(type), .why = why, .to_ns = to_ns };

	if (now->count == told->count)
		return;
	l.count = now->count - told->count;
	l.from_ns = told->count ? told->last_ns : now->first_ns;
	vt_writer__loss(r->w, &l);
}

/* What of an object is seen only because it was remembered: where it ends, and that may be any time after. */
static const struct { enum vt_class cls; enum vt_event_type type; } remembered[] = {
	{ VT_C_FILE, VT_EV_FILE_FPUT },
	{ VT_C_FILE, VT_EV_FILE_LET_GO },
	{ VT_C_DF, VT_EV_MEM_FREE },
	{ VT_C_MAPPING, VT_EV_VFIO_ZAP },
	{ VT_C_LUO_FILE, VT_EV_OBJ_FREE },
	{ VT_C_SESSION, VT_EV_OBJ_FREE },
};

static void write_losses(struct recorder *r)
{
	struct engine_losses now;

	if (engine__losses(r->e, &now))
		return;
	for (int t = 1; t < VT_EV_MAX; t++) {
		write_loss(r, t, "ring full", &now.ring[t], &r->told.ring[t], now.ring[t].last_ns);
		write_loss(r, t, "a loop of them, counted only", &now.spared[t], &r->told.spared[t], now.spared[t].last_ns);
		write_loss(r, t, "one end of a call alone was seen", &now.half[t], &r->told.half[t], now.half[t].last_ns);
	}
	for (size_t i = 0; i < sizeof(remembered) / sizeof(remembered[0]); i++) {
		enum vt_class cls = remembered[i].cls;

		write_loss(r, remembered[i].type, "more objects than there is room for", &now.unknown[cls], &r->told.unknown[cls], UINT64_MAX);
	}
	r->told = now;
}

static void mark(struct recorder *r, enum vt_event_type type, const char *name, const int64_t *ret)
{
	struct vt_stamp stamp = { .ts_ns = engine__now(), .tgid = getpid(), .tid = getpid(), .comm = "vfiotrace" };

	vt_writer__begin(r->w, type, VT_POINT, &stamp);
	if (name)
		vt_writer__str(r->w, VT_F_NAME, name);
	if (ret)
		vt_writer__s64(r->w, VT_F_RET, *ret);
	vt_writer__end(r->w);
	r->dirty = true;
}

/* What was pushed out is what the next kernel may take, where the trace is carried over. */
static int store(struct recorder *r, bool sync)
{
	int err = vt_writer__flush(r->w, sync);

	carry__stored(r->carry, vt_writer__bytes(r->w));
	return err;
}

/* ---- the ring ---- */

static int on_record(void *arg, void *data, size_t len)
{
	struct recorder *r = arg;
	const struct vt_wire *w = data;

	if (convert__record(r->conv, data, len) == -EINVAL)
		r->bad++;
	r->consumed++;
	r->dirty = true;
	if (w->type == VT_EV_REBOOT && w->phase == VT_EXIT)
		r->jumping = !w->slot[VT_S_RET];
	if (w->type == VT_EV_SHUTDOWN || w->type == VT_EV_JUMP)
		r->jumping = true;
	if (w->type == VT_EV_REC_MODULE)
		r->new_module = true;
	if (w->type == VT_EV_REC_HANDLER)
		r->new_handler = true;
	return 0;
}

/*
 * The old kernel is about to jump and waits for us in device_shutdown():
 * counters, losses and every record go to stable storage, then it is let go.
 */
static void save_before_jump(struct recorder *r)
{
	struct hold *hold = hold__begin(r->opt->jump_wait_ns);
	uint64_t upto = r->consumed;

	write_probes(r);
	write_losses(r);
	mark(r, VT_EV_REC_DRAINED, NULL, NULL);
	if (!store(r, true))
		__atomic_store_n(&engine__control(r->e)->synced, upto, __ATOMIC_RELEASE);
	hold__end(hold);
	r->jumping = false;
	r->dirty = false;
}

/* A module that matters has come: attach to it, then let its loader go on. */
static void catch_up(struct recorder *r)
{
	struct vt_control *c = engine__control(r->e);
	uint64_t seen = __atomic_load_n(&c->modules_seen, __ATOMIC_ACQUIRE);
	struct hold *hold = r->one_cpu ? hold__begin(r->opt->module_wait_ns) : NULL;
	int64_t ret = engine__catch_up(r->e);

	mark(r, VT_EV_REC_MODULE, ret < 0 ? "attaching failed" : "attached", &ret);
	vt_writer__meta(r->w, "handlers", engine__handlers(r->e));
	__atomic_store_n(&c->modules_done, seen, __ATOMIC_RELEASE);
	hold__end(hold);
	r->new_module = false;
}

static void check_storage(struct recorder *r)
{
	int err = vt_writer__error(r->w);

	if (!err || r->storage_told)
		return;
	vt_say("%s: %s; what was written so far stays readable", r->carry ? "the carried trace" : r->opt->output, strerror(-err));
	r->storage_told = true;
}

static void drain(struct recorder *r)
{
	ring_buffer__consume(r->rb);
	if (r->jumping)
		save_before_jump(r);
	if (r->new_module)
		catch_up(r);
	if (r->dirty) {
		write_losses(r);
		store(r, false);
		r->dirty = false;
	}
	check_storage(r);
}

/* ---- CMD ---- */

/* Forked before privileges go, held on a pipe until everything is armed. */
static int hold_child(struct recorder *r)
{
	int go[2];
	char c;

	if (!r->opt->cmd)
		return 0;
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	r->child = fork();
	if (r->child < 0)
		return -errno;
	if (!r->child) {
		sigset_t none;

		close(go[1]);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (read(go[0], &c, 1) != 1)
			_exit(VT_EXIT_UNSUPPORTED);	/* arming failed: CMD is not run */
		execvp(r->opt->cmd[0], r->opt->cmd);
		fprintf(stderr, "vfiotrace: cannot run %s: %s\n", r->opt->cmd[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(go[0]);
	r->child_go = go[1];
	return 0;
}

static void release_child(struct recorder *r)
{
	if (!r->child)
		return;
	if (write(r->child_go, "g", 1) != 1)
		vt_say("cannot start %s", r->opt->cmd[0]);
	close(r->child_go);
	r->child_go = -1;
	mark(r, VT_EV_REC_CHILD, r->opt->cmd[0], NULL);
}

static void reap(struct recorder *r)
{
	int status;
	int64_t ret;

	if (!r->child || r->child_gone || waitpid(r->child, &status, WNOHANG) != r->child)
		return;
	r->child_gone = true;
	r->child_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	ret = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	mark(r, VT_EV_REC_CHILD_EXIT, r->opt->cmd[0], &ret);
	r->stop = true;
	if (!r->grace_end)
		r->why = "command ended";
}

static void told_to_stop(struct recorder *r, const struct signalfd_siginfo *si)
{
	bool again = r->grace_end != 0;

	r->why = si->ssi_signo == SIGINT ? "SIGINT" : si->ssi_signo == SIGTERM ? "SIGTERM" : "SIGHUP";
	if (!r->child || r->child_gone || again) {
		r->stop = true;
		return;
	}
	/* What the terminal sends goes to CMD as well (drivers/tty: isig()); from elsewhere it is passed on. */
	if (si->ssi_code != SI_KERNEL)
		kill(r->child, si->ssi_signo);
	r->grace_end = engine__now() + CHILD_GRACE_S * 1000000000ULL;
}

static void on_signal(struct recorder *r)
{
	struct signalfd_siginfo si;

	while (read(r->sigfd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGCHLD) {
			reap(r);
			continue;
		}
		told_to_stop(r, &si);
	}
}

/* CMD is given some time to end, so that the file has its end. */
static void check_grace(struct recorder *r)
{
	if (!r->grace_end || r->stop || engine__now() < r->grace_end)
		return;
	vt_say("%s did not end within %d s of %s: the recording ends without it", r->opt->cmd[0], CHILD_GRACE_S, r->why);
	r->stop = true;
}

/* ---- start and end ---- */

static int open_signals(struct recorder *r)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	r->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return r->sigfd < 0 ? -errno : 0;
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
	engine__control(r->e)->recorder_cpu = stay_on_one_cpu();
}

static int explain_open_failure(int err, const char *why)
{
	if (err == -EPERM || err == -EACCES)
		return vt_fail(VT_EXIT_PERMISSION, "no permission to trace: %s", why);
	return vt_fail(VT_EXIT_UNSUPPORTED, "cannot trace this kernel: %s", why);
}

static int arm(struct recorder *r)
{
	/* Where waiting inside the kernel would only keep us off the one CPU there is, we hold it ourselves. */
	struct engine_options eo = {
		.ring_bytes = r->opt->ring_bytes,
		.fail_section = r->opt->fail_section,
		.fail_nth = r->opt->fail_nth,
		.force_kprobe = r->opt->force_kprobe,
		.jump_wait_ns = r->opt->jump_wait_ns,
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
	err = engine__open(&r->e, r->k, &eo, &why);
	if (err)
		return explain_open_failure(err, why);
	return 0;
}

static void set_gate(struct recorder *r, int open)
{
	__atomic_store_n(&engine__control(r->e)->gate, open, __ATOMIC_RELEASE);
}

/* What others sent through the live update is rebuilt under the gate, the tool's own preservation is not recorded. */
static int open_carried(struct recorder *r)
{
	const char *why = "cannot write to the memory file";
	int err, fd;

	set_gate(r, 1);
	carry__first_open();
	set_gate(r, 0);
	err = carry__open(r->opt->carry_bytes, &r->carry, &why);
	if (!err) {
		fd = carry__writer_fd(r->carry);
		err = fd < 0 ? fd : vt_writer__fdopen(fd, &r->w);
	}
	if (!err)
		return 0;
	return vt_fail(err == -EACCES || err == -EPERM ? VT_EXIT_PERMISSION : VT_EXIT_UNSUPPORTED,
		       "cannot carry the trace over: %s: %s", why, strerror(-err));
}

static int open_output(struct recorder *r)
{
	int err;

	if (r->opt->carry_bytes)
		return open_carried(r);
	err = vt_writer__open(r->opt->output, &r->w);
	if (!err)
		return 0;
	return vt_fail(err == -EACCES || err == -EPERM ? VT_EXIT_PERMISSION : VT_EXIT_IO, "cannot create %s: %s%s",
		       r->opt->output, strerror(-err), err == -ELOOP ? " (symbolic links are not followed)" : "");
}

static void say_armed(const struct recorder *r, uint64_t started)
{
	const struct plan *p = engine__plan(r->e);
	size_t attached = 0;
	char phases[1024];

	if (!r->opt->verbose)
		return;
	for (size_t i = 0; i < p->nr; i++)
		attached += p->rows[i].attached;
	vt_say("armed in %llu ms: %zu probes of %zu; handlers: %s; recording to %s",
	       (unsigned long long)(engine__now() - started) / 1000000, attached, p->nr,
	       *engine__handlers(r->e) ? engine__handlers(r->e) : "none", r->opt->output);
	phase__print(phases, sizeof(phases));
	vt_say("arming: %s", phases);
}

static int start(struct recorder *r)
{
	uint64_t started = engine__now();
	int code, err;

	r->one_cpu = hold__needed();
	err = open_signals(r);
	if (err)
		return vt_fail(VT_EXIT_IO, "signals: %s", strerror(-err));
	err = hold_child(r);
	if (err)
		return vt_fail(VT_EXIT_IO, "cannot fork: %s", strerror(-err));
	phase__begin("start");
	code = arm(r);
	phase__begin("output");
	if (code)
		return code;
	code = open_output(r);
	if (code)
		return code;
	err = convert__new(&r->conv, r->e, r->k, r->w);
	if (err)
		return vt_fail(VT_EXIT_UNSUPPORTED, "struct file is not in this kernel's BTF");
	r->rb = ring_buffer__new(engine__ring_fd(r->e), on_record, r, NULL);
	if (!r->rb)
		return vt_fail(VT_EXIT_IO, "cannot map the ring: %s", strerror(errno));
	if (r->opt->realtime)
		go_realtime(r);
	privilege__drop();
	write_meta(r);
	write_probes(r);
	mark(r, VT_EV_REC_ARMED, NULL, NULL);
	err = store(r, true);
	if (err)
		return vt_fail(VT_EXIT_IO, "cannot write %s: %s", r->opt->output, strerror(-err));
	set_gate(r, 1);
	say_armed(r, started);
	release_child(r);
	return 0;
}

static void loop(struct recorder *r)
{
	uint64_t end = r->opt->seconds > 0 ? engine__now() + (uint64_t)(r->opt->seconds * 1e9) : UINT64_MAX;
	struct pollfd fds[2] = {
		{ .fd = ring_buffer__epoll_fd(r->rb), .events = POLLIN },
		{ .fd = r->sigfd, .events = POLLIN },
	};

	while (!r->stop) {
		poll(fds, 2, TICK_MS);
		drain(r);
		on_signal(r);
		check_grace(r);
		if (!r->stop && engine__now() >= end) {
			r->stop = true;
			r->why = "time limit";
		}
	}
}

static int finish(struct recorder *r)
{
	int err;

	set_gate(r, 0);
	/* A program past the gate test may still be writing its record. */
	usleep(1000);
	drain(r);
	engine__last_look(r->e);
	drain(r);
	mark(r, VT_EV_REC_STOP, r->why, NULL);
	if (r->bad) {
		struct vt_loss l = { .event = "", .why = "malformed record", .count = r->bad, .to_ns = UINT64_MAX };

		vt_writer__loss(r->w, &l);
	}
	write_losses(r);
	write_probes(r);
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
		check_storage(r);
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
	engine__free(r.e);
	vt_writer__free(r.w);
	carry__free(r.carry);
	kernel__free(r.k);
	if (r.sigfd >= 0)
		close(r.sigfd);
	return code;
}
