/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/behind.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/say.h"
#include "capture/record/private.h"
#include "capture/record/syncer.h"

/* systemd ends what is left of a service with its main process, and so does the kernel with a namespace and process 1. */
static bool is_the_main_one(void)
{
	const char *main_pid = getenv("SYSTEMD_EXEC_PID");

	return getpid() == 1 || (main_pid && atoi(main_pid) == getpid());
}

bool behind__refused(const struct recorder_options *o)
{
	return o->foreground || is_the_main_one();
}

/* ---- the one that goes on ---- */

/* Somebody may wait until a pipe or a socket is closed. A file and a terminal are kept, for complaints; and what is ours, which CMD does not get. */
static void let_go_of_standard_files(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct stat st;

	if (null < 0)
		return;
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (!fcntl(fd, F_GETFD) && !fstat(fd, &st) && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
			dup2(null, fd);
	}
	close(null);
}

static void go_on(struct recorder *r, int ready)
{
	r->place = PLACE_BEHIND;
	setsid();
	process__resume(r);
	let_go_of_standard_files();
	if (write(ready, "r", 1) != 1)
		vt_say("the recording goes on, and the process that began it does not hear so");
}

/* ---- the one that leaves ---- */

static void tell(const struct recorder *r, pid_t pid)
{
	char what[128];

	if (r->opt->quiet)
		return;
	heirs__tell(r, what, sizeof(what));
	vt_say("%s has ended with %d; the recording goes on behind, as process %d, for %s: kill -INT %d ends it (--foreground waits for that)",
	       r->opt->cmd[0], r->child_status, pid, what, pid);
}

/* It hears signals no more: those that came meanwhile are for the other one. */
static _Noreturn void leave(struct recorder *r, pid_t pid)
{
	struct signalfd_siginfo si;
	int code;

	r->place = PLACE_LEAVING;
	tell(r, pid);
	code = child__exit(r);
	while (read(r->sigfd, &si, sizeof(si)) == sizeof(si))
		kill(pid, (int)si.ssi_signo);
	_exit(code);
}

/* Now the kernel does not wait for us, and to stop the syncer is not to wait for a disk. */
static bool is_quiet(const struct recorder *r)
{
	return !jump__near(r) && !r->new_module && !syncer__busy(r->syncer);
}

static void stay(struct recorder *r, int err)
{
	vt_say("cannot go on behind (%s): the recording stays in front", strerror(err));
	r->stays = true;
}

void behind__go(struct recorder *r)
{
	int ready[2];
	char c = 0;
	pid_t pid;

	if (!is_quiet(r))
		return;
	if (pipe2(ready, O_CLOEXEC)) {
		stay(r, errno);
		return;
	}
	process__pause(r);
	pid = fork();
	if (!pid) {
		close(ready[0]);
		go_on(r, ready[1]);
		close(ready[1]);
		return;
	}
	if (pid < 0)
		stay(r, errno);
	close(ready[1]);
	/* The caller goes on when the other one is as far as this one was. */
	if (pid > 0 && read(ready[0], &c, 1) == 1)
		leave(r, pid);
	close(ready[0]);
	if (pid > 0)
		stay(r, ECHILD);
	process__resume(r);
}
