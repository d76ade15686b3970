// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the N-th allocation of one system call fail, by /proc/self/fail-nth.
 *
 * The number is written right before the call and read back right after it, so
 * that nothing else the agent does can use it up. A value above zero afterwards
 * says that the call made fewer than N allocations.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

static int inject_fd = -1;
static int inject_nth;		/* armed for the next call, 0: not */
static bool inject_fired;	/* hit the call it was armed for */
static bool inject_active;	/* the current line injects: its error is no failure */

static void inject_setting(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		script_error("cannot set %s: %s", path, strerror(errno));
	close(fd);
}

/*
 * Either slab objects or whole pages: what is counted decides what N means. Without
 * the settings no allocation that may sleep ever fails, which is nearly all of them.
 */
static void inject_choose(bool pages)
{
	inject_setting("/sys/kernel/debug/failslab/ignore-gfp-wait",
		       pages ? "Y" : "N");
	inject_setting("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait",
		       pages ? "N" : "Y");
	inject_setting("/sys/kernel/debug/fail_page_alloc/min-order",
		       pages ? "0" : "1");
}

static void inject_open(void)
{
	if (inject_fd >= 0)
		return;

	/* A stack trace for each injection would look like a failure. */
	inject_setting("/sys/kernel/debug/failslab/verbose", "0");
	inject_setting("/sys/kernel/debug/fail_page_alloc/verbose", "0");

	inject_fd = open("/proc/self/fail-nth", O_RDWR);
	if (inject_fd < 0)
		script_error("this kernel has no fail-nth: %s", strerror(errno));
}

void inject_begin(void)
{
	char text[16];
	int len;

	if (!inject_nth)
		return;
	len = snprintf(text, sizeof(text), "%d", inject_nth);
	if (pwrite(inject_fd, text, len, 0) != len)
		script_error("cannot arm fail-nth: %s", strerror(errno));
}

void inject_end(void)
{
	char text[16] = "";

	if (!inject_nth)
		return;
	if (pread(inject_fd, text, sizeof(text) - 1, 0) < 0 ||
	    pwrite(inject_fd, "0", 1, 0) != 1)
		script_error("cannot read fail-nth: %s", strerror(errno));
	inject_fired = atoi(text) == 0;
	inject_nth = 0;
}

bool inject_forgives(void)
{
	return inject_active && inject_fired;
}

void inject_forget(void)
{
	inject_active = false;
	inject_nth = 0;
}

static int run_injected(int argc, char **argv, bool pages)
{
	int nth = number(argv[1]);
	int ret;

	inject_open();
	inject_choose(pages);
	inject_active = true;
	inject_fired = false;
	inject_nth = nth;
	ret = step_run(argc - 2, argv + 2);
	say("  %s %d: %s, %s", argv[0], nth,
	    inject_fired ? "fired" : "did not fire",
	    ret < 0 ? errno_name(-ret) : "ok");
	return ret;
}

/* fail-nth N STEP...: the N-th slab allocation of the step's system call fails. */
static int run_fail_nth(int argc, char **argv)
{
	return run_injected(argc, argv, false);
}

/* fail-page N STEP...: the N-th page allocation does. */
static int run_fail_page(int argc, char **argv)
{
	return run_injected(argc, argv, true);
}

static int run_expect_fire(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (!inject_fired)
		script_error("the last fail-nth did not fire");
	return 0;
}

static int run_expect_no_fire(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	if (inject_fired)
		script_error("the last fail-nth fired");
	return 0;
}

const struct step inject_steps[] = {
	{ "fail-nth",		2, STEP_MAX_WORDS, run_fail_nth },
	{ "fail-page",		2, STEP_MAX_WORDS, run_fail_page },
	{ "expect-fire",	0, 0, run_expect_fire },
	{ "expect-no-fire",	0, 0, run_expect_no_fire },
	{ NULL, 0, 0, NULL }
};
