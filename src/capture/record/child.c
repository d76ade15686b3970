/* SPDX-License-Identifier: GPL-2.0 */
/* CMD: held until everything is armed, let go, waited for. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/say.h"
#include "capture/kernel/clock.h"
#include "capture/record/private.h"

#define CHILD_GRACE_S 5

/* What CMD is forked with. */
struct held {
	const struct recorder *r;
	int go[2];
};

static void run(void *arg)
{
	const struct held *h = arg;
	const struct recorder *r = h->r;
	char c;

	close(h->go[1]);
	sigaction(SIGPIPE, &r->was_pipe, NULL);
	sigaction(SIGXFSZ, &r->was_xfsz, NULL);
	sigprocmask(SIG_SETMASK, &r->was_blocked, NULL);
	if (read(h->go[0], &c, 1) != 1)
		_exit(VT_EXIT_UNSUPPORTED);	/* arming failed: CMD is not run */
	execvp(r->opt->cmd[0], r->opt->cmd);
	fprintf(stderr, "vfiotrace: cannot run %s: %s\n", r->opt->cmd[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Forked before privileges go, held on a pipe until everything is armed. */
int child__hold(struct recorder *r)
{
	struct held h = { .r = r };
	int err;

	if (!r->opt->cmd)
		return 0;
	if (pipe2(h.go, O_CLOEXEC))
		return -errno;
	err = keeper__start(&r->keeper, run, &h);
	close(h.go[0]);
	r->child_go = h.go[1];
	return err;
}

void child__release(struct recorder *r)
{
	if (!r->opt->cmd)
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
	if (r->child_lost)
		return VT_EXIT_IO;
	if (!r->child_gone || r->opt->cmd_exit || r->place == PLACE_BEHIND)
		return VT_EXIT_CLEAN;
	if (looks_like_ours(r->child_status))
		vt_say("exit code %d is that of %s: the recording %s (--cmd-exit keeps the two apart)", r->child_status, r->opt->cmd[0],
		       r->place == PLACE_LEAVING ? "goes on" : "is whole");
	return r->child_status;
}

static void on_end(struct recorder *r, int status)
{
	int64_t ret = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);

	r->child_gone = true;
	r->child_gone_ns = clock__now();
	r->child_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	output__mark(r, VT_EV_REC_CHILD_EXIT, r->opt->cmd[0], &ret);
	put_exit(r);
	if (!r->grace_end)
		r->why = "command ended";
}

static void on_loss(struct recorder *r)
{
	vt_say("%s%s goes on unseen: process %d, which waits for it, was killed; the recording ends here", r->child_gone ? "what is left of " : "",
	       r->opt->cmd[0], r->keeper.pid);
	r->child_lost = !r->child_gone;
	r->why = "command lost";
	r->stop = true;
}

void child__hear(struct recorder *r)
{
	int status;

	for (;;) {
		switch (keeper__hear(&r->keeper, &status)) {
		case KEEPER_SILENT: return;
		case KEEPER_CMD_ENDED: on_end(r, status); break;
		case KEEPER_ALL_GONE: r->heirs_gone = true; break;
		case KEEPER_LOST: on_loss(r); break;
		}
	}
}

void child__stop(struct recorder *r, const struct signalfd_siginfo *si)
{
	bool again = r->grace_end != 0;

	r->why = si->ssi_signo == SIGINT ? "SIGINT" : si->ssi_signo == SIGTERM ? "SIGTERM" : "SIGHUP";
	if (!r->opt->cmd || r->child_gone || again) {
		r->stop = true;
		return;
	}
	/* What the terminal sends goes to CMD as well (drivers/tty: isig()); from elsewhere it is passed on. */
	if (si->ssi_code != SI_KERNEL)
		keeper__signal(&r->keeper, si->ssi_signo);
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
