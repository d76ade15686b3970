// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/pager.h"

/* One stdout per process. */
static pid_t pager;
static int terminal = -1;

static const char *which(void)
{
	const char *words = getenv("PAGER"), *term = getenv("TERM");

	if (!words)
		words = term && strcmp(term, "dumb") ? "less" : "";
	return *words && strcmp(words, "cat") ? words : NULL;
}

static void __attribute__((noreturn)) be_pager(const char *words, const int pipe_fd[2])
{
	dup2(pipe_fd[0], STDIN_FILENO);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	setenv("LESS", "FRX", 0);
	execl("/bin/sh", "sh", "-c", words, (char *)NULL);
	_exit(127);
}

/* As a shell would find it. */
static bool exists(const char *words)
{
	char *path = strdup(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin"), *save, file[4096];
	bool found = strpbrk(words, " /") != NULL;	/* more than a name: the shell will say */

	for (char *dir = path ? strtok_r(path, ":", &save) : NULL; dir && !found; dir = strtok_r(NULL, ":", &save)) {
		snprintf(file, sizeof(file), "%s/%s", dir, words);
		found = !access(file, X_OK);
	}
	free(path);
	return found;
}

void vt_pager__begin(bool off)
{
	const char *words = off || !isatty(STDOUT_FILENO) ? NULL : which();
	int fd[2];

	if (!words || !exists(words) || pipe2(fd, O_CLOEXEC))
		return;
	fflush(stdout);
	terminal = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	pager = terminal < 0 ? -1 : fork();
	if (!pager)
		be_pager(words, fd);
	if (pager > 0) {
		dup2(fd[1], STDOUT_FILENO);
		signal(SIGPIPE, SIG_IGN);	/* the verdict is still the exit code */
	}
	close(fd[0]);
	close(fd[1]);
}

bool vt_pager__on(void)
{
	return pager > 0;
}

void vt_pager__end(void)
{
	if (!vt_pager__on())
		return;
	fflush(stdout);
	clearerr(stdout);
	dup2(terminal, STDOUT_FILENO);
	close(terminal);
	while (waitpid(pager, NULL, 0) < 0 && errno == EINTR)
		;
	pager = 0;
}
