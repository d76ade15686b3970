/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vfiotrace sweep: walk the error paths of one kernel call. The first, second,
 * ... N-th allocation inside it is made to fail, one run of CMD each, until a
 * run has no N-th; every run is recorded and judged. What happens once in a boot
 * is recorded with record --fail instead, and the table is made of that trace.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/record/recorder.h"
#include "cmd/cmd.h"
#include "cmd/judge.h"
#include "cmd/record.h"
#include "rules/finding.h"
#include "vfiotrace/trace.h"

static const char *section, *directory = "sweep", *max = "64", *trace, *pre_trace;

/* One allocation that was made to fail. */
struct run {
	bool fired;
	uint32_t tid;
	char site[128];		/* who asked for the allocation */
	char what[64];		/* slab cache, or page order */
	char who[128];		/* whose call it was, as findings name it */
	uint64_t from, to;	/* the events from the fault to the return */
	bool returned;
	int64_t ret;		/* of the section's call */
	enum vt_exit verdict;
	char rules[128];	/* that have findings about it */
	char notes[128];	/* what is allowed, and yet not as before */
};

/* A place in the kernel's text that asks for memory: reached inside of the section, and made to fail or not. */
struct site {
	char name[128];
	bool failed;
};

struct sites {
	struct site *s;
	size_t nr, cap;
};

struct runs {
	struct run *r;
	size_t nr, cap;
	struct sites *sites;	/* of all runs */
	uint32_t inside[64];	/* tasks that are in the section */
	size_t nr_inside;
	char spared[200];	/* allocations that this kernel cannot make fail, and why */
};

/* What is not in the table must be said: a kernel may be built for one kind of allocation only. */
static void note_spared(struct runs *all, const struct vt_trace *t)
{
	size_t used = 0;

	for (size_t i = 0; i < vt_trace__probe_nr(t); i++) {
		const struct vt_probe *p = vt_trace__probe(t, i);

		if (p->attached || strcmp(p->event, vt_event_name(VT_EV_INJECT)) || used >= sizeof(all->spared))
			continue;
		used += snprintf(all->spared + used, sizeof(all->spared) - used, "%s allocations were not made to fail: %s\n",
				 !strcmp(p->func, "should_failslab") ? "Slab" : "Page", p->reason);
	}
}

/* Without the module's name, which is not told everywhere. Out of memory it is left out. */
static void note_site(struct sites *all, const char *name, bool failed)
{
	size_t len = name ? strcspn(name, " ") : 0, i;

	if (!len || len >= sizeof(all->s->name))
		return;
	for (i = 0; i < all->nr; i++) {
		if (!strncmp(all->s[i].name, name, len) && !all->s[i].name[len])
			break;
	}
	if (i == all->nr) {
		if (all->nr == all->cap) {
			size_t cap = all->cap ? all->cap * 2 : 32;
			struct site *grown = realloc(all->s, cap * sizeof(*grown));

			if (!grown)
				return;
			all->s = grown;
			all->cap = cap;
		}
		all->s[all->nr] = (struct site){ .failed = false };
		memcpy(all->s[all->nr++].name, name, len);
	}
	all->s[i].failed |= failed;
}

/*
 * Of an injection the stack is known, and so where the call returns to; of an allocation that worked, where the call stands.
 * They are one place: the compiler calls allocators directly, by an instruction whose length the machine tells.
 */
static void note_failed(struct sites *all, const char *returns_to, const char *machine)
{
	unsigned long long len = machine && !strcmp(machine, "aarch64") ? 4 : 5, off;
	const char *plus = returns_to ? strrchr(returns_to, '+') : NULL;
	char site[128];

	if (!plus || sscanf(plus, "+0x%llx", &off) != 1 || off < len) {
		note_site(all, returns_to, true);
		return;
	}
	snprintf(site, sizeof(site), "%.*s+0x%llx", (int)(plus - returns_to), returns_to, off - len);
	note_site(all, site, true);
}

/* Who is in the section, of those calls of which the beginning is told. */
static void note_inside(struct runs *all, const struct vt_event *ev)
{
	size_t i = 0;

	while (i < all->nr_inside && all->inside[i] != ev->tid)
		i++;
	if (ev->phase == VT_ENTER && i == all->nr_inside && i < sizeof(all->inside) / sizeof(all->inside[0]))
		all->inside[all->nr_inside++] = ev->tid;
	else if (ev->phase == VT_EXIT && i < all->nr_inside)
		all->inside[i] = all->inside[--all->nr_inside];
}

/* An allocation that worked, in the section: the place is known. */
static void note_allocation(struct runs *all, const struct vt_event *ev, int event)
{
	const char *within = vt_ev_str(ev, VT_F_WITHIN);
	bool inside = within && !strcmp(within, vt_event_name((enum vt_event_type)event));

	for (size_t i = 0; i < all->nr_inside && !inside; i++)
		inside = all->inside[i] == ev->tid;
	if (inside)
		note_site(all->sites, vt_ev_str(ev, VT_F_SITE), false);
}

static void print_sites(const struct sites *all)
{
	size_t failed = 0;

	for (size_t i = 0; i < all->nr; i++)
		failed += all->s[i].failed;
	printf("%zu site%s failed", failed, failed == 1 ? "" : "s");
	if (failed == all->nr) {
		printf("\n");
		return;
	}
	printf("; reached, and never made to fail:");
	for (size_t i = 0; i < all->nr; i++) {
		if (!all->s[i].failed)
			printf(" %s", all->s[i].name);
	}
	printf("\n");
}

/* The section that TRACE was recorded with, in BUF: record's --fail stands in its command line. */
static const char *section_of(const char *path, char *buf, size_t size)
{
	const char *command, *at;
	struct vt_trace *t;
	char *why = NULL;

	buf[0] = 0;
	if (vt_trace__open(path, &t, &why)) {
		free(why);	/* whoever reads it will say */
		return NULL;
	}
	command = vt_trace__meta(t, "command");
	at = command ? strstr(command, "--fail") : NULL;
	if (at && (at[6] == ' ' || at[6] == '='))
		snprintf(buf, size, "%.*s", (int)strcspn(at + 7, " :"), at + 7);
	vt_trace__free(t);
	return buf[0] ? buf : NULL;
}

static void note_injection(struct run *r, const struct vt_event *ev)
{
	const char *site = vt_ev_str(ev, VT_F_SITE), *cache = vt_ev_str(ev, VT_F_NAME);
	struct vt_who who = { .session = vt_ev_str(ev, VT_F_SESSION) };
	uint64_t order = 0;

	memset(r, 0, sizeof(*r));
	r->fired = true;
	r->tid = ev->tid;
	r->from = ev->index;
	r->to = UINT64_MAX;
	snprintf(r->site, sizeof(r->site), "%s", site ? site : "?");
	vt_ev_u64(ev, VT_F_ORDER, &order);
	if (cache)
		snprintf(r->what, sizeof(r->what), "%s", cache);
	else
		snprintf(r->what, sizeof(r->what), "pages, order %" PRIu64, order);
	who.has_token = vt_ev_u64(ev, VT_F_TOKEN, &who.token);
	if (who.session)
		vt_who_str(&who, r->who, sizeof(r->who));
}

static struct run *run_add(struct runs *all)
{
	if (all->nr == all->cap) {
		size_t cap = all->cap ? all->cap * 2 : 16;
		struct run *r = realloc(all->r, cap * sizeof(*r));

		if (!r)
			return NULL;
		all->r = r;
		all->cap = cap;
	}
	return &all->r[all->nr++];
}

static void note_return(struct runs *all, const struct vt_event *ev)
{
	for (size_t i = all->nr; i-- > 0;) {
		struct run *r = &all->r[i];

		if (r->tid != ev->tid)
			continue;
		if (!r->returned && r->to == UINT64_MAX) {
			r->returned = vt_ev_s64(ev, VT_F_RET, &r->ret);
			r->to = ev->index;
		}
		return;
	}
}

/* The injections in the trace at PATH, and how the calls around them ended. */
static int read_runs(struct runs *all, const char *path, int event)
{
	static struct vt_event ev;
	struct vt_trace *t;
	char *why = NULL;
	int err = vt_trace__open(path, &t, &why);

	if (err) {
		vt_say("sweep: %s: %s", path, why ? why : strerror(-err));
		free(why);
		return err;
	}
	while ((err = vt_trace__next(t, &ev)) == 1) {
		if (ev.type == VT_EV_INJECT) {
			struct run *r = run_add(all);

			if (!r) {
				err = -ENOMEM;
				break;
			}
			note_injection(r, &ev);
			note_failed(all->sites, vt_ev_str(&ev, VT_F_SITE), vt_trace__meta(t, "machine"));
		} else if (ev.type == VT_EV_OBJ_ALLOC || ev.type == VT_EV_VFIO_DF_ALLOC) {
			note_allocation(all, &ev, event);
		}
		if (ev.type == event)
			note_inside(all, &ev);
		if (ev.type == event && ev.phase == VT_EXIT)
			note_return(all, &ev);
	}
	note_spared(all, t);
	vt_trace__free(t);
	return err;
}

/* NAME is all of WHO, or WHO goes on after it. */
static bool names(const char *name, const char *who)
{
	size_t len = strlen(name);

	return len && !strncmp(who, name, len) && (!who[len] || who[len] == ' ');
}

static bool is_about(const struct vt_finding *f, const struct run *r)
{
	char who[256];

	for (size_t i = 0; i < f->nr_ev; i++) {
		if (f->ev[i].side == f->side && f->ev[i].at.index >= r->from && f->ev[i].at.index <= r->to)
			return true;
	}
	if (names(r->who, vt_who_str(&f->who, who, sizeof(who))))
		return true;
	for (size_t i = 0; i < f->nr_also; i++)
		if (names(r->who, f->also[i]))
			return true;
	return false;
}

static void add_finding(struct run *r, const struct vt_finding *f)
{
	bool note = f->severity == VT_NOTE;
	char *list = note ? r->notes : r->rules;
	const char *id = note ? f->key : f->rule->id;
	size_t used = strlen(list);

	if (!strstr(list, id))
		snprintf(list + used, sizeof(r->rules) - used, "%s%s", used ? ", " : "", id);
}

static int judge_run(struct run *r, const char *path)
{
	struct vt_case c;
	int code = vt_case__open(&c, "sweep", path, NULL);

	if (code)
		return code;
	r->verdict = c.j->exit;
	for (size_t i = 0; i < c.j->nr_findings; i++)
		add_finding(r, &c.j->findings[i]);
	vt_case__close(&c);
	return 0;
}

/* All runs are in one trace: each gets the findings that are about it. The number that no run got, or minus an exit code. */
static int judge_runs(struct runs *all, const char *pre, const char *path, enum vt_exit *verdict)
{
	struct vt_case c;
	int code = vt_case__open(&c, "sweep", pre ? pre : path, pre ? path : NULL), strays = 0;

	if (code)
		return -code;
	*verdict = c.j->exit;
	for (size_t k = 0; k < all->nr; k++)
		all->r[k].verdict = c.j->exit == VT_EXIT_FINDINGS ? VT_EXIT_CLEAN : c.j->exit;
	for (size_t i = 0; i < c.j->nr_findings; i++) {
		const struct vt_finding *f = &c.j->findings[i];
		bool taken = false;

		for (size_t k = 0; k < all->nr; k++) {
			if (!is_about(f, &all->r[k]))
				continue;
			taken = true;
			add_finding(&all->r[k], f);
			if (f->severity != VT_NOTE)
				all->r[k].verdict = VT_EXIT_FINDINGS;
		}
		strays += !taken && f->severity != VT_NOTE;
	}
	vt_case__close(&c);
	return strays;
}

/* The recorder owns its process's signals and priority, so each run gets a process. Returns its exit code. */
static int record_run(const struct recorder_options *o)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid) {
		/* What CMD prints is not part of the table. */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		_exit(recorder__run(o));
	}
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
		return *r->notes ? "allowed: " : "as before";
	case VT_EXIT_FINDINGS:
		return r->rules;
	default:
		return "inconclusive";
	}
}

static void print_head(void)
{
	printf("%3s  %-52s %-24s %-10s %s\n", "N", "SITE", "ALLOCATION", "RETURNED", "VERDICT");
}

static void print_run(unsigned int n, const struct run *r)
{
	const char *word = verdict_word(r);
	char ret[32] = "?";

	if (r->returned && r->ret < 0)
		vt_errno_str(r->ret, ret, sizeof(ret));
	else if (r->to != UINT64_MAX)
		snprintf(ret, sizeof(ret), "absorbed");
	printf("%3u  %-52s %-24s %-10s %s%s\n", n, r->site, r->what, ret, word, *word && word[strlen(word) - 1] == ' ' ? r->notes : "");
	fflush(stdout);
}

/* Worst first: a finding outranks doubt, doubt outranks clean. */
static enum vt_exit worse(enum vt_exit a, enum vt_exit b)
{
	if (a == VT_EXIT_FINDINGS || b == VT_EXIT_FINDINGS)
		return VT_EXIT_FINDINGS;
	return b == VT_EXIT_NOTHING || b == VT_EXIT_CLEAN ? a : b;
}

/* Records run N into PATH. 0, or the code to end with: said why. */
static int record_nth(struct recorder_options *o, unsigned int n, char *path, size_t size)
{
	int code;

	if (snprintf(path, size, "%s/%s-%u.vft", directory, section, n) >= (int)size)
		return vt_fail(VT_EXIT_USAGE, "sweep: the name of directory %s is too long", directory);
	/* A trace of an earlier sweep must not be taken for this run's. */
	if (unlink(path) && errno != ENOENT)
		return vt_fail(VT_EXIT_IO, "sweep: cannot replace %s: %s", path, strerror(errno));
	o->output = path;
	o->fail_nth = n;
	code = record_run(o);
	if (code < 0)
		return vt_fail(VT_EXIT_IO, "sweep: cannot fork: %s", strerror(-code));
	if (!access(path, R_OK))
		return 0;
	/* Without a trace CMD did not run: the code is the recorder's, which has said why, unless it was killed. */
	if (code < VT_EXIT_USAGE || code > 127)
		return code == VT_EXIT_NOTHING ? code : vt_fail(VT_EXIT_IO, "sweep: the recorder of run %u ended with %d and left no trace", n, code);
	return code;
}

/* What is there after the N-th run, for the table. 0, or the code to end with. */
static int take_run(const struct recorder_options *o, const char *path, struct run *r, struct sites *sites, char *spared, size_t size)
{
	struct runs all = { .sites = sites };
	int err;

	err = read_runs(&all, path, o->fail_section);
	if (err) {
		free(all.r);
		return vt_exit_of(err);
	}
	if (all.nr)
		*r = all.r[0];
	snprintf(spared, size, "%s", all.spared);
	free(all.r);
	return judge_run(r, path);
}

static int sweep(struct recorder_options *o, unsigned int limit)
{
	enum vt_exit total = VT_EXIT_CLEAN;
	char spared[sizeof(((struct runs *)NULL)->spared)] = "";
	struct sites sites = { 0 };
	unsigned int n;

	for (n = 1; n <= limit; n++) {
		struct run r = { 0 };
		char path[PATH_MAX];
		int code = record_nth(o, n, path, sizeof(path));

		if (!code)
			code = take_run(o, path, &r, &sites, spared, sizeof(spared));
		if (code) {
			free(sites.s);
			return code;
		}
		total = worse(total, r.verdict);
		if (n == 1)
			print_head();
		if (!r.fired)
			break;
		print_run(n, &r);
	}
	if (n > limit) {
		free(sites.s);
		printf("stopped at %u: there are more allocations in this section\n", limit);
		return worse(VT_EXIT_INCONCLUSIVE, total);
	}
	printf("\n%u allocations in section %s, each made to fail once\n%s", n - 1, section, spared);
	print_sites(&sites);
	free(sites.s);
	if (n == 1) {
		vt_say("sweep: CMD never came into section %s, or it allocates nothing", section);
		return VT_EXIT_NOTHING;
	}
	return total;
}

/* The table of what is already recorded. */
static int read_sweep(int event)
{
	struct sites sites = { 0 };
	struct runs all = { .sites = &sites };
	enum vt_exit verdict = VT_EXIT_CLEAN;
	int strays = read_runs(&all, trace, event);

	if (strays) {
		free(sites.s);
		free(all.r);
		return vt_exit_of(strays);
	}
	strays = judge_runs(&all, pre_trace, trace, &verdict);
	if (strays < 0) {
		free(sites.s);
		free(all.r);
		return -strays;
	}
	print_head();
	for (size_t i = 0; i < all.nr; i++)
		print_run(i + 1, &all.r[i]);
	printf("\n%zu allocations in section %s, each made to fail once\n%s", all.nr, section, all.spared);
	print_sites(&sites);
	free(sites.s);
	if (strays)
		printf("%d finding%s about none of them: vfiotrace %s tells\n", strays, strays == 1 ? "" : "s", pre_trace ? "diff" : "check");
	free(all.r);
	return (int)verdict;
}

static int run(int argc, char **argv)
{
	struct recorder_options o = {
		.cmd = argv, .ring_bytes = 4 << 20, .realtime = true, .end_with_cmd = true,
		.jump_wait_ns = 200000000, .module_wait_ns = 1000000000,
	};
	char *end, told[64];
	unsigned long limit = strtoul(max, &end, 10);
	char *line;
	bool made;
	int code;

	if (!argc == !trace || (pre_trace && !trace))
		return vt_fail(VT_EXIT_USAGE, "sweep: give it CMD to run, or a trace by --trace (and --pre)");
	if (*end || !limit || limit > 100000)
		return vt_fail(VT_EXIT_USAGE, "sweep: --max takes a number from 1 to 100000, not '%s'", max);
	if (!section)
		section = trace ? section_of(trace, told, sizeof(told)) : NULL;
	if (!section)
		section = "open";
	if (strchr(section, ':') || record__parse_section(section, &o.fail_section, &o.fail_nth))
		return vt_fail(VT_EXIT_USAGE, "sweep: no section '%s'; there are open, preserve, retrieve, finish, create, retrieve-session", section);
	if (trace)
		return read_sweep(o.fail_section);
	made = !mkdir(directory, 0700);
	if (!made && errno != EEXIST)
		return vt_fail(VT_EXIT_IO, "sweep: cannot make %s: %s", directory, strerror(errno));
	line = vt_command_line();
	if (!line)
		return vt_fail(VT_EXIT_IO, "out of memory");
	o.command_line = line;
	code = sweep(&o, limit);
	free(line);
	if (made)
		rmdir(directory);	/* only if nothing was recorded into it */
	return code;
}

static const struct vt_opt opts[] = {
	{ "section", 's', "NAME", "open (default; with --trace that of the recording), preserve, retrieve, finish, create or retrieve-session", &section, NULL },
	{ "directory", 'o', "DIR", "where the traces of the runs go (default: sweep)", &directory, NULL },
	{ "max", 0, "N", "stop after N runs (default 64)", &max, NULL },
	{ "trace", 0, "FILE", "run nothing: the table of a trace made with record --fail", &trace, NULL },
	{ "pre", 0, "FILE", "with --trace: the old kernel's trace, so that both are judged together", &pre_trace, NULL },
	{ .name = NULL },
};

const struct vt_cmd vt_cmd_sweep = {
	.name = "sweep",
	.args = "[-- CMD...]",
	.summary = "Make every allocation inside one kernel call fail, one run of CMD each, and judge each run",
	.details =
	"CMD needs no part in it: the kernel's fault-injection points are answered by BPF.\n"
	"Each run fails the first call that gets as far as the N-th allocation, once. For\n"
	"what happens only once in a boot, like a retrieve, use record --fail SECTION in the\n"
	"new kernel, let its k-th call fail at its k-th allocation, and read the table off\n"
	"that trace with --trace.",
	.opts = opts,
	.min_args = 0,
	.max_args = -1,
	.run = run,
};
