/* SPDX-License-Identifier: GPL-2.0 */
/* CMD: held until everything is armed, let go, waited for. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/say.h"
#include "capture/kernel/clock.h"
#include "capture/record/private.h"

#define CHILD_GRACE_S 5

/* Forked before privileges go, held on a pipe until everything is armed. */
int child__hold(struct recorder *r)
{
	int go[2];
	char c;

	if (!r->opt->cmd)
		return 0;
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	r->child = fork();
	if (r->child < 0)
		return -errno;
	if (!r->child) {
		close(go[1]);
		sigaction(SIGPIPE, &r->was_pipe, NULL);
		sigaction(SIGXFSZ, &r->was_xfsz, NULL);
		sigprocmask(SIG_SETMASK, &r->was_blocked, NULL);
		if (read(go[0], &c, 1) != 1)
			_exit(VT_EXIT_UNSUPPORTED);	/* arming failed: CMD is not run */
		execvp(r->opt->cmd[0], r->opt->cmd);
		fprintf(stderr, "vfiotrace: cannot run %s: %s\n", r->opt->cmd[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(go[0]);
	r->child_go = go[1];
	r->child_started = heirs__started(r->child);
	return 0;
}

void child__release(struct recorder *r)
{
	if (!r->child)
		return;
	if (write(r->child_go, "g", 1) != 1)
		vt_say("cannot start %s", r->opt->cmd[0]);
	close(r->child_go);
	r->child_go = -1;
	output__mark(r, VT_EV_REC_CHILD, r->opt->cmd[0], NULL);
}

int child__open_exit(struct recorder *r)
{
	if (!r->opt->cmd_exit)
		return 0;
	r->cmd_exit = open(r->opt->cmd_exit, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	return r->cmd_exit < 0 ? -errno : 0;
}

static void put_exit(struct recorder *r)
{
	if (r->cmd_exit >= 0 && (dprintf(r->cmd_exit, "%d\n", r->child_status) < 0 || fsync(r->cmd_exit)) && errno != EINVAL)
		vt_say("%s: %s", r->opt->cmd_exit, strerror(errno));
}

/* Codes that the recorder has itself: who reads them cannot tell whose they are. */
static bool looks_like_ours(int code)
{
	static const int ours[] = { VT_EXIT_NOTHING, VT_EXIT_USAGE, VT_EXIT_UNSUPPORTED, VT_EXIT_IO, VT_EXIT_PERMISSION };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (ours[i] == code)
			return true;
	}
	return false;
}

int child__exit(const struct recorder *r)
{
	if (!r->child_gone || r->opt->cmd_exit)
		return VT_EXIT_CLEAN;
	if (looks_like_ours(r->child_status))
		vt_say("exit code %d is that of %s: the recording is whole (--cmd-exit keeps the two apart)", r->child_status, r->opt->cmd[0]);
	return r->child_status;
}

void child__reap(struct recorder *r)
{
	int status;
	int64_t ret;

	r->heirs_known = false;
	if (!r->child || r->child_gone || waitpid(r->child, &status, WNOHANG) != r->child)
		return;
	r->child_gone = true;
	r->child_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	ret = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	output__mark(r, VT_EV_REC_CHILD_EXIT, r->opt->cmd[0], &ret);
	put_exit(r);
	if (!r->grace_end)
		r->why = "command ended";
}

void child__stop(struct recorder *r, const struct signalfd_siginfo *si)
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
	r->grace_end = clock__now() + CHILD_GRACE_S * 1000000000ULL;
}

/* CMD is given some time to end, so that the file has its end. */
void child__check_grace(struct recorder *r)
{
	if (!r->grace_end || r->stop || clock__now() < r->grace_end)
		return;
	vt_say("%s did not end within %d s of %s: the recording ends without it", r->opt->cmd[0], CHILD_GRACE_S, r->why);
	r->stop = true;
}
