// SPDX-License-Identifier: GPL-2.0
/* What becomes of the task that is held: the least of all meanwhile, as it was afterwards. */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/record/cpuhog.h"
#include "unit.h"

#define LONG_NS 60000000000ULL

struct look {
	pid_t tid;
	int turns, policy;
};

static bool second_look(void *arg)
{
	struct look *l = arg;

	l->policy = sched_getscheduler(l->tid);
	return ++l->turns == 2;
}

static bool never(void *arg)
{
	++*(int *)arg;
	return false;
}

static pid_t sleeper(int policy)
{
	static const struct sched_param none;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	assert_int_equal(sched_setscheduler(pid, policy, &none), 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void is_the_least(void **state)
{
	struct look l = { .tid = sleeper(SCHED_BATCH) };

	cpuhog__hold(l.tid, LONG_NS, second_look, &l);
	assert_int_equal(l.turns, 2);
	assert_int_equal(l.policy, SCHED_IDLE);
	assert_int_equal(sched_getscheduler(l.tid), SCHED_BATCH);
	end(l.tid);
}

static void no_longer_than_that(void **state)
{
	int turns = 0;

	assert_true(cpuhog__hold(0, 1000000, never, &turns) >= 1000000);
	assert_true(turns > 0);
	assert_int_equal(cpuhog__hold(getpid(), 0, never, &turns), 0);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
}

/* It has ended, or its number is one of another namespace: the time is held all the same. */
static void who_is_not_there(void **state)
{
	struct look l = { .tid = sleeper(SCHED_OTHER) };

	end(l.tid);
	cpuhog__hold(l.tid, LONG_NS, second_look, &l);
	assert_int_equal(l.turns, 2);
	assert_int_equal(l.policy, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_the_least),
		cmocka_unit_test(no_longer_than_that),
		cmocka_unit_test(who_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
