/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vfiotrace sweep: walk the error paths of one kernel call. The first, second,
 * ... N-th allocation inside it is made to fail, one run of CMD each, until a
 * run has no N-th; every run is recorded and judged.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/recorder.h"
#include "cmd/cmd.h"
#include "cmd/judge.h"
#include "cmd/record.h"
#include "rules/rules.h"
#include "vfiotrace/trace.h"

static const char *section = "open", *directory = "sweep", *max = "64";

/* What one run showed. */
struct run {
	bool fired;
	char site[128];		/* who asked for the allocation */
	char what[64];		/* slab cache, or page order */
	bool returned;
	int64_t ret;		/* of the section's call */
	enum vt_exit verdict;
	size_t findings;
	char rules[128];
};

static void note_injection(struct run *r, const struct vt_event *ev)
{
	const char *site = vt_ev_str(ev, VT_F_SITE), *cache = vt_ev_str(ev, VT_F_NAME);
	uint64_t order = 0;

	r->fired = true;
	snprintf(r->site, sizeof(r->site), "%s", site ? site : "?");
	vt_ev_u64(ev, VT_F_ORDER, &order);
	if (cache)
		snprintf(r->what, sizeof(r->what), "%s", cache);
	else
		snprintf(r->what, sizeof(r->what), "pages, order %llu", (unsigned long long)order);
}

/* The injection, and how the call around it ended. */
static int read_run(struct run *r, const char *path, int event)
{
	static struct vt_event ev;
	struct vt_trace *t;
	char *why = NULL;
	uint32_t tid = 0;
	int err = vt_trace__open(path, &t, &why);

	if (err) {
		vt_say("sweep: %s: %s", path, why ? why : strerror(-err));
		free(why);
		return err;
	}
	while ((err = vt_trace__next(t, &ev)) == 1) {
		if (ev.type == VT_EV_INJECT && !r->fired) {
			tid = ev.tid;
			note_injection(r, &ev);
		} else if (r->fired && !r->returned && ev.type == event && ev.phase == VT_EXIT && ev.tid == tid) {
			r->returned = vt_ev_s64(&ev, VT_F_RET, &r->ret);
		}
	}
	vt_trace__free(t);
	return err;
}

static int judge_run(struct run *r, const char *path)
{
	struct vt_case c;
	int code = vt_case__open(&c, "sweep", path, NULL);
	size_t used = 0;

	if (code)
		return code;
	r->verdict = c.j->exit;
	for (size_t i = 0; i < c.j->nr_findings; i++) {
		const struct vt_finding *f = &c.j->findings[i];

		if (f->severity == VT_NOTE)
			continue;
		r->findings++;
		if (used < sizeof(r->rules))
			used += snprintf(r->rules + used, sizeof(r->rules) - used, "%s%s", used ? ", " : "", f->rule->id);
	}
	vt_case__close(&c);
	return 0;
}

/* The recorder owns its process's signals and priority, so each run gets a process. Returns its exit code. */
static int record_run(const struct recorder_options *o)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(recorder__run(o));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static const char *verdict_word(const struct run *r)
{
	switch (r->verdict) {
	case VT_EXIT_CLEAN:
	case VT_EXIT_NOTHING:
		return "as before";
	case VT_EXIT_FINDINGS:
		return r->rules;
	default:
		return "inconclusive";
	}
}

static void print_run(unsigned int n, const struct run *r)
{
	char ret[32] = "?";

	if (r->returned && r->ret < 0)
		vt_errno_str(r->ret, ret, sizeof(ret));
	else if (r->returned)
		snprintf(ret, sizeof(ret), "absorbed");
	printf("%3u  %-52s %-24s %-10s %s\n", n, r->site, r->what, ret, verdict_word(r));
	fflush(stdout);
}

/* Worst first: a finding outranks doubt, doubt outranks clean. */
static enum vt_exit worse(enum vt_exit a, enum vt_exit b)
{
	if (a == VT_EXIT_FINDINGS || b == VT_EXIT_FINDINGS)
		return VT_EXIT_FINDINGS;
	return b == VT_EXIT_NOTHING || b == VT_EXIT_CLEAN ? a : b;
}

static int sweep(struct recorder_options *o, unsigned int limit)
{
	enum vt_exit total = VT_EXIT_CLEAN;
	unsigned int n;

	printf("%3s  %-52s %-24s %-10s %s\n", "N", "SITE", "ALLOCATION", "RETURNED", "VERDICT");
	for (n = 1; n <= limit; n++) {
		struct run r = { 0 };
		char path[512];
		int code;

		snprintf(path, sizeof(path), "%s/%s-%u.vft", directory, section, n);
		o->output = path;
		o->fail_nth = n;
		code = record_run(o);
		if (code < 0)
			return vt_fail(VT_EXIT_IO, "sweep: cannot fork: %s", strerror(-code));
		if (access(path, R_OK))
			return code;	/* the recorder has said why */
		if (read_run(&r, path, o->fail_section))
			return VT_EXIT_BAD_TRACE;
		code = judge_run(&r, path);
		if (code)
			return code;
		total = worse(total, r.verdict);
		if (!r.fired)
			break;
		print_run(n, &r);
	}
	if (n > limit) {
		printf("stopped at %u: there are more allocations in this section\n", limit);
		return worse(VT_EXIT_INCONCLUSIVE, total);
	}
	printf("\n%u allocations in section %s, each made to fail once\n", n - 1, section);
	if (n == 1) {
		vt_say("sweep: CMD never came into section %s, or it allocates nothing", section);
		return VT_EXIT_NOTHING;
	}
	return total;
}

static int run(int argc, char **argv)
{
	struct recorder_options o = {
		.cmd = argv, .command_line = "vfiotrace sweep", .ring_bytes = 4 << 20, .realtime = true,
		.jump_wait_ns = 20000000, .module_wait_ns = 1000000000,
	};
	char *end;
	unsigned long limit = strtoul(max, &end, 10);

	(void)argc;
	if (*end || !limit || limit > 100000)
		return vt_fail(VT_EXIT_USAGE, "sweep: --max takes a number from 1 to 100000, not '%s'", max);
	if (strchr(section, ':') || record__parse_section(section, &o.fail_section, &o.fail_nth))
		return vt_fail(VT_EXIT_USAGE, "sweep: no section '%s'; there are open, preserve, retrieve, finish, create, retrieve-session", section);
	if (mkdir(directory, 0700) && errno != EEXIST)
		return vt_fail(VT_EXIT_IO, "sweep: cannot make %s: %s", directory, strerror(errno));
	return sweep(&o, limit);
}

static const struct vt_opt opts[] = {
	{ "section", 's', "NAME", "open (default), preserve, retrieve, finish, create or retrieve-session", &section, NULL },
	{ "directory", 'o', "DIR", "where the traces of the runs go (default: sweep)", &directory, NULL },
	{ "max", 0, "N", "stop after N runs (default 64)", &max, NULL },
	{ .name = NULL },
};

const struct vt_cmd vt_cmd_sweep = {
	.name = "sweep",
	.args = "-- CMD...",
	.summary = "Make every allocation inside one kernel call fail, one run of CMD each, and judge each run",
	.details =
	"CMD needs no part in it: the kernel's fault-injection points are answered by BPF.\n"
	"Each run fails the first call that gets as far as the N-th allocation, once. For\n"
	"what happens only once in a boot, like a retrieve, use record --fail SECTION in the\n"
	"new kernel and let its k-th call fail at its k-th allocation.",
	.opts = opts,
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
