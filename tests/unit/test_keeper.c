// SPDX-License-Identifier: GPL-2.0
/* Who waits for CMD and for what CMD leaves behind: what it tells, what it holds, and when it ends. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/record/keeper.h"
#include "unit.h"

static struct keeper k;
static int ends[2], status;	/* who holds the second is still there */

static void lasts(void)
{
	char c;

	close(ends[1]);
	while (read(ends[0], &c, 1) < 0 && errno == EINTR)
		;
}

static void five(void *arg)
{
	_exit(5);
}

static void killed(void *arg)
{
	raise(SIGKILL);
}

static void leaves(void *arg)
{
	if (!fork()) {
		/* Neither its session nor its group is CMD's. */
		setsid();
		lasts();
		_exit(9);
	}
	_exit(3);
}

static void stays(void *arg)
{
	lasts();
	_exit(0);
}

/* What CMD leaves is the keeper's by prctl(2), which QEMU's emulation of a user's program refuses. */
static void needs_heirs(void)
{
	int is;

	if (prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0) || !is)
		skip();
}

/* What comes next within ten seconds. */
static enum keeper_news next(void)
{
	struct pollfd fd = { .fd = k.news, .events = POLLIN };

	assert_int_equal(poll(&fd, 1, 10000), 1);
	return keeper__hear(&k, &status);
}

static int begin(void **state)
{
	k = (struct keeper){ .cmd_fd = -1, .news = -1 };
	return pipe2(ends, O_CLOEXEC);
}

static int end(void **state)
{
	keeper__free(&k);
	close(ends[0]);
	close(ends[1]);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	return 0;
}

static void tells_how_cmd_ends(void **state)
{
	assert_int_equal(keeper__start(&k, five, NULL), 0);
	assert_int_equal(next(), KEEPER_CMD_ENDED);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	assert_int_equal(next(), KEEPER_ALL_GONE);
	assert_int_equal(k.news, -1);
	assert_int_equal(keeper__hear(&k, &status), KEEPER_SILENT);
	/* It is gone as well, and nobody's child any more. */
	assert_int_equal(kill(k.pid, 0), -1);
}

static void tells_what_signal(void **state)
{
	assert_int_equal(keeper__start(&k, killed, NULL), 0);
	assert_int_equal(next(), KEEPER_CMD_ENDED);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* A caller that ignores it has no children to wait for, and CMD is like the caller. */
static void knows_also_where_sigchld_is_ignored(void **state)
{
	struct sigaction was;

	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_IGN }, &was);
	assert_int_equal(keeper__start(&k, five, NULL), 0);
	assert_int_equal(next(), KEEPER_CMD_ENDED);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	sigaction(SIGCHLD, &was, NULL);
}

static void waits_for_what_is_left(void **state)
{
	needs_heirs();
	assert_int_equal(keeper__start(&k, leaves, NULL), 0);
	assert_int_equal(next(), KEEPER_CMD_ENDED);
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_int_equal(keeper__count(&k), 1);
	assert_int_equal(keeper__hear(&k, &status), KEEPER_SILENT);
	close(ends[1]);
	ends[1] = -1;
	assert_int_equal(next(), KEEPER_ALL_GONE);
	assert_int_equal(keeper__count(&k), 0);
}

static void passes_signals_on(void **state)
{
	assert_int_equal(keeper__start(&k, stays, NULL), 0);
	keeper__signal(&k, SIGTERM);
	assert_int_equal(next(), KEEPER_CMD_ENDED);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	keeper__signal(&k, SIGTERM);
}

static void hears_nothing_itself(void **state)
{
	needs_heirs();
	assert_int_equal(keeper__start(&k, leaves, NULL), 0);
	assert_int_equal(next(), KEEPER_CMD_ENDED);
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			kill(k.pid, sig);
	usleep(100000);
	assert_int_equal(keeper__hear(&k, &status), KEEPER_SILENT);
	close(ends[1]);
	ends[1] = -1;
	assert_int_equal(next(), KEEPER_ALL_GONE);
}

/* It is told from one that ended in order, before CMD and after. */
static void can_be_lost(void **state)
{
	assert_int_equal(keeper__start(&k, stays, NULL), 0);
	kill(k.pid, SIGKILL);
	assert_int_equal(next(), KEEPER_LOST);
	assert_int_equal(k.news, -1);
	close(ends[1]);
	ends[1] = -1;
}

static void can_be_lost_later(void **state)
{
	needs_heirs();
	assert_int_equal(keeper__start(&k, leaves, NULL), 0);
	assert_int_equal(next(), KEEPER_CMD_ENDED);
	kill(k.pid, SIGKILL);
	assert_int_equal(next(), KEEPER_LOST);
}

/* CMD lives on, and this process is not kept. */
static void ends_with_its_reader(void **state)
{
	assert_int_equal(keeper__start(&k, stays, NULL), 0);
	close(k.news);
	k.news = -1;
	assert_int_equal(waitpid(k.pid, &status, 0), k.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(kill(k.cmd, 0), 0);
}

/* Who waits for the end of a pipe that the caller had waits for CMD, and no longer. */
static void holds_no_file(void **state)
{
	struct pollfd fd = { .events = POLLIN };
	char link[64], cwd[64] = "";
	int p[2];

	needs_heirs();
	assert_int_equal(pipe(p), 0);
	assert_int_equal(keeper__start(&k, leaves, NULL), 0);
	assert_int_equal(next(), KEEPER_CMD_ENDED);
	snprintf(link, sizeof(link), "/proc/%d/fd/1", k.pid);
	assert_int_equal(access(link, F_OK), -1);
	snprintf(link, sizeof(link), "/proc/%d/cwd", k.pid);
	assert_int_equal(readlink(link, cwd, sizeof(cwd) - 1), 1);
	fd.fd = p[0];
	close(p[1]);
	/* CMD's heir has one. */
	assert_int_equal(poll(&fd, 1, 0), 0);
	close(ends[1]);
	ends[1] = -1;
	assert_int_equal(next(), KEEPER_ALL_GONE);
	assert_int_equal(poll(&fd, 1, 1000), 1);
	assert_true(fd.revents & POLLHUP);
	close(p[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tells_how_cmd_ends, begin, end),
		cmocka_unit_test_setup_teardown(tells_what_signal, begin, end),
		cmocka_unit_test_setup_teardown(knows_also_where_sigchld_is_ignored, begin, end),
		cmocka_unit_test_setup_teardown(waits_for_what_is_left, begin, end),
		cmocka_unit_test_setup_teardown(passes_signals_on, begin, end),
		cmocka_unit_test_setup_teardown(hears_nothing_itself, begin, end),
		cmocka_unit_test_setup_teardown(can_be_lost, begin, end),
		cmocka_unit_test_setup_teardown(can_be_lost_later, begin, end),
		cmocka_unit_test_setup_teardown(ends_with_its_reader, begin, end),
		cmocka_unit_test_setup_teardown(holds_no_file, begin, end),
	};

	/* What keepers leave to others is not left to wait for in vain; needs_heirs() asks for it. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
