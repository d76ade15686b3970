// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps about other steps, about time, and about the shell.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"

/* fails ERRNO STEP...: the step must fail, and in this way. */
static int run_fails(int argc, char **argv)
{
	int want = errno_by_name(argv[1]);
	int ret = step_run(argc - 2, argv + 2);

	if (ret >= 0)
		script_error("%s succeeded, expected %s", argv[2], argv[1]);
	if (ret != -want)
		script_error("%s failed with %s, expected %s", argv[2],
			     errno_name(-ret), argv[1]);
	return 0;
}

/* try STEP...: whatever comes of it, for faults that someone else injects. */
static int run_try(int argc, char **argv)
{
	step_run(argc - 1, argv + 1);
	return 0;
}

/* if-open VAR STEP...: for what an injected fault may have prevented. */
static int run_if_open(int argc, char **argv)
{
	return var_is_set(argv[1]) ? step_run(argc - 2, argv + 2) : 0;
}

/* Replaces every $NAME by the value. The caller frees the result. */
static char *substitute(const char *word, const char *name, long value)
{
	size_t len = strlen(name);
	char *out = calloc(1, 256), digits[24];
	size_t used = 0;

	snprintf(digits, sizeof(digits), "%ld", value);
	while (*word && used < 200) {
		if (word[0] == '$' && !strncmp(word + 1, name, len)) {
			strcpy(out + used, digits);
			used += strlen(digits);
			word += 1 + len;
		} else {
			out[used++] = *word++;
		}
	}
	return out;
}

static int run_once(int argc, char **argv, const char *name, long value)
{
	char *words[STEP_MAX_WORDS + 1] = { NULL };
	int ret;

	for (int i = 0; i < argc; i++)
		words[i] = substitute(argv[i], name, value);
	ret = step_run(argc, words);
	for (int i = 0; i < argc; i++)
		free(words[i]);
	return ret;
}

/* for NAME FIRST LAST STEP...: a step per number, in which $NAME stands for it. */
static int run_for(int argc, char **argv)
{
	long first = number(argv[2]), last = number(argv[3]);
	int ret;

	for (long i = first; i <= last; i++) {
		ret = run_once(argc - 4, argv + 4, argv[1], i);
		if (ret < 0 && !inject_forgives())
			return ret;
	}
	return 0;
}

static int run_repeat(int argc, char **argv)
{
	long count = number(argv[1]);
	int ret = 0;

	while (count-- > 0 && ret >= 0)
		ret = run_once(argc - 2, argv + 2, "", 0);
	return ret;
}

static void sleep_ms(unsigned long long ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000,
	};

	nanosleep(&ts, NULL);
}

static int run_sleep(int argc, char **argv)
{
	(void)argc;
	sleep_ms(number(argv[1]));
	return 0;
}

/* on-cpu N, or `last`, where the recorder stays: this thread and what it starts run there from now on. */
static int run_on_cpu(int argc, char **argv)
{
	size_t cpu = strcmp(argv[1], "last") ? number(argv[1]) : (size_t)sysconf(_SC_NPROCESSORS_ONLN) - 1;
	cpu_set_t set;

	(void)argc;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/* realtime N: from now on this thread and what it starts go before all that is less urgent; the recorder's priority is 2. */
static int run_realtime(int argc, char **argv)
{
	struct sched_param p = { .sched_priority = (int)number(argv[1]) };

	(void)argc;
	return sched_setscheduler(0, SCHED_FIFO, &p) ? -errno : 0;
}

/* after MS STEP...: to have one thing happen while another is under way. */
static int run_after(int argc, char **argv)
{
	sleep_ms(number(argv[1]));
	return step_run(argc - 2, argv + 2);
}

/* One of the steps that run at the same time. */
struct thread {
	pthread_t id;
	pthread_barrier_t *start;
	int argc;
	char **argv;
	int ret;
};

static void *thread_main(void *arg)
{
	struct thread *thread = arg;

	pthread_barrier_wait(thread->start);
	thread->ret = step_run(thread->argc, thread->argv);
	return NULL;
}

/* Cuts the words at each ";;". */
static int threads_split(int argc, char **argv, struct thread *threads, int max)
{
	int count = 0, first = 0;

	for (int i = 0; i <= argc; i++) {
		if (i < argc && strcmp(argv[i], ";;"))
			continue;
		if (i == first || count == max)
			script_error("parallel: an empty step, or too many");
		threads[count].argc = i - first;
		threads[count++].argv = argv + first;
		first = i + 1;
	}
	return count;
}

/* parallel STEP... ;; STEP...: threads that start together. It waits for all. */
static int run_parallel(int argc, char **argv)
{
	struct thread threads[8] = { 0 };
	pthread_barrier_t start;
	int count, ret = 0;

	count = threads_split(argc - 1, argv + 1, threads, 8);
	pthread_barrier_init(&start, NULL, count);
	for (int i = 0; i < count; i++) {
		threads[i].start = &start;
		if (pthread_create(&threads[i].id, NULL, thread_main, &threads[i]))
			script_error("parallel: no thread");
	}
	for (int i = 0; i < count; i++) {
		pthread_join(threads[i].id, NULL);
		ret = ret ?: threads[i].ret < 0 ? threads[i].ret : 0;
	}
	pthread_barrier_destroy(&start);
	return ret;
}

/* start SECTION: another agent, which does that section of the scenario on its own. */
static int run_start(int argc, char **argv)
{
	pid_t pid = fork();

	(void)argc;
	if (pid < 0)
		return -errno;
	if (!pid) {
		execl("/proc/self/exe", "agent", argv[1], scenario_path, NULL);
		_exit(127);
	}
	return 0;
}

static int shell(const char *command)
{
	int status = system(command);

	if (status == -1)
		return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

static int run_sh(int argc, char **argv)
{
	char command[1024] = "";

	for (int i = 1; i < argc; i++) {
		if (strlen(command) + strlen(argv[i]) + 2 > sizeof(command))
			script_error("sh: command too long");
		strcat(command, argv[i]);
		strcat(command, " ");
	}
	return shell(command);
}

/* For scenarios in which the recorder is there before the modules are. */
static int run_load_modules(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return shell("/lab/load-modules");
}

const struct step control_steps[] = {
	{ "fails",		2, STEP_MAX_WORDS, run_fails },
	{ "try",		1, STEP_MAX_WORDS, run_try },
	{ "if-open",		2, STEP_MAX_WORDS, run_if_open },
	{ "for",		4, STEP_MAX_WORDS, run_for },
	{ "repeat",		2, STEP_MAX_WORDS, run_repeat },
	{ "sleep",		1, 1, run_sleep },
	{ "on-cpu",		1, 1, run_on_cpu },
	{ "realtime",		1, 1, run_realtime },
	{ "after",		2, STEP_MAX_WORDS, run_after },
	{ "parallel",		1, STEP_MAX_WORDS, run_parallel },
	{ "start",		1, 1, run_start },
	{ "sh",			1, STEP_MAX_WORDS, run_sh },
	{ "load-modules",	0, 0, run_load_modules },
	{ NULL, 0, 0, NULL }
};
