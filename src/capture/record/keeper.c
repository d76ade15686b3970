/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What it says; the first is STARTED. */
enum { STARTED, CMD_ENDED, ALL_GONE };

struct message {
	int32_t what, value;	/* CMD, or -errno; as of wait(2) */
};

/* ---- in the keeper ---- */

/* Nobody listens, or there is room. */
static void say(int news, int what, int value)
{
	struct message m = { .what = what, .value = value };

	while (write(news, &m, sizeof(m)) < 0 && errno == EINTR)
		;
}

/* Files of the caller, pipes among them whose other end waits for them to be closed, and the directory: none is its own to hold. */
static void hold_nothing_but(int *news)
{
	if (*news)
		dup2(*news, 0);
	*news = 0;
	close_range(1, ~0U, 0);
	(void)!chdir("/");
}

static void wake(int sig)
{
}

/* False: nothing is left. */
static bool reap(int news, pid_t *cmd)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != *cmd)
			continue;
		say(news, CMD_ENDED, status);
		*cmd = 0;
	}
	return !pid;
}

/* Its signals are blocked but for the one that a child ends by, while it sleeps. NEWS is an error when nobody reads it any more. */
static _Noreturn void look_after(int news, pid_t cmd)
{
	struct pollfd fd = { .fd = news };
	sigset_t hears;

	sigfillset(&hears);
	sigdelset(&hears, SIGCHLD);
	while (reap(news, &cmd)) {
		ppoll(&fd, 1, NULL, &hears);
		if (fd.revents)
			_exit(0);
	}
	say(news, ALL_GONE, 0);
	_exit(0);
}

static _Noreturn void keep(int news, void (*cmd)(void *arg), void *arg)
{
	struct sigaction was_chld;
	sigset_t all, was;
	pid_t pid;

	/* What the terminal sends to the group is for CMD. Where SIGCHLD is ignored there is no status of a child. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &was);
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = wake }, &was_chld);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	pid = fork();
	if (!pid) {
		close(news);
		sigaction(SIGCHLD, &was_chld, NULL);
		sigprocmask(SIG_SETMASK, &was, NULL);
		cmd(arg);
		_exit(127);
	}
	say(news, STARTED, pid < 0 ? -errno : pid);
	if (pid < 0)
		_exit(0);
	hold_nothing_but(&news);
	prctl(PR_SET_NAME, KEEPER_NAME, 0, 0, 0);
	look_after(news, pid);
}

/* ---- outside ---- */

/* CMD's number, or -errno; waits for it. */
static int hear_start(const struct keeper *k)
{
	struct message m = { .what = STARTED, .value = -ECHILD };

	while (read(k->news, &m, sizeof(m)) < 0 && errno == EINTR)
		;
	return m.value;
}

int keeper__start(struct keeper *k, void (*cmd)(void *arg), void *arg)
{
	int news[2], err;

	if (pipe2(news, O_CLOEXEC))
		return -errno;
	k->pid = fork();
	if (!k->pid) {
		close(news[0]);
		keep(news[1], cmd, arg);
	}
	err = k->pid < 0 ? -errno : 0;
	close(news[1]);
	k->news = news[0];
	k->cmd = err ? err : hear_start(k);
	if (k->cmd < 0) {
		keeper__free(k);
		return k->cmd;
	}
	k->cmd_fd = (int)syscall(SYS_pidfd_open, k->cmd, 0);
	return fcntl(k->news, F_SETFL, O_NONBLOCK) ? -errno : 0;
}

static void no_more(struct keeper *k)
{
	close(k->news);
	k->news = -1;
	keeper__wait(k);
}

enum keeper_news keeper__hear(struct keeper *k, int *status)
{
	struct message m;
	ssize_t n = k->news < 0 ? 0 : read(k->news, &m, sizeof(m));

	if (k->news < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return KEEPER_SILENT;
	if (n == sizeof(m) && m.what == CMD_ENDED) {
		*status = m.value;
		return KEEPER_CMD_ENDED;
	}
	no_more(k);
	return n == sizeof(m) ? KEEPER_ALL_GONE : KEEPER_LOST;
}

void keeper__signal(const struct keeper *k, int sig)
{
	if (k->cmd_fd >= 0)
		syscall(SYS_pidfd_send_signal, k->cmd_fd, sig, NULL, 0);
}

static pid_t parent_of(pid_t pid)
{
	char path[32], buf[512], *end;
	pid_t parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	buf[fread(buf, 1, sizeof(buf) - 1, f)] = 0;
	fclose(f);
	end = strrchr(buf, ')');	/* a name may hold anything */
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

int keeper__count(const struct keeper *k)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	int nr = 0;

	while (dir && (e = readdir(dir)))
		nr += atoi(e->d_name) > 0 && parent_of(atoi(e->d_name)) == k->pid;
	if (dir)
		closedir(dir);
	return nr;
}

/* It is somebody else's child where the recording went on behind: that one waits. */
void keeper__wait(struct keeper *k)
{
	while (k->pid > 0 && waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void keeper__free(struct keeper *k)
{
	if (k->news >= 0)
		close(k->news);
	if (k->cmd_fd >= 0)
		close(k->cmd_fd);
	k->news = k->cmd_fd = -1;
}
