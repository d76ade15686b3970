// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest agent's frame: finds the section, runs its steps, says how it went.
 *
 *	agent SECTION SCENARIO
 *
 * The outcome goes to result.<section> beside the scenario, where the host reads
 * it: "ok", or "fail: " and the reason. A reader on the host sees nothing at all
 * when the guest died, so no file is a failure as well.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"

const char *scenario_path;

static const char *section;
static int line_number;
static char result_path[256];

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("lab[%s] ", section);
	vprintf(fmt, ap);
	putchar('\n');
	fflush(stdout);
	va_end(ap);
}

/* On the host before it returns: the next thing may be a jump. */
void result_write(const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int fd, len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	if (len > (int)sizeof(text) - 2)
		len = sizeof(text) - 2;
	text[len++] = '\n';

	fd = open(result_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, text, len) != len || fsync(fd))
		say("cannot write %s: %s", result_path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void script_error(const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	say("FAILED at line %d: %s", line_number, text);
	result_write("fail: [%s] line %d: %s", section, line_number, text);
	exit(1);
}

static const struct step *step_find(const char *name)
{
	static const struct step *const tables[] = {
		control_steps, inject_steps, file_steps, luo_steps, vfio_steps,
		store_steps,
	};
	const struct step *step;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (step = tables[i]; step->name; step++)
			if (!strcmp(step->name, name))
				return step;
	return NULL;
}

int step_run(int argc, char **argv)
{
	const struct step *step = step_find(argv[0]);

	if (!step)
		script_error("no such step: %s", argv[0]);
	if (argc - 1 < step->min_args || argc - 1 > step->max_args)
		script_error("%s: wrong number of arguments", argv[0]);
	return step->run(argc, argv);
}

static int split(char *line, char **argv)
{
	int argc = 0;
	char *save, *word;

	for (word = strtok_r(line, " \t\n", &save); word;
	     word = strtok_r(NULL, " \t\n", &save)) {
		if (argc == STEP_MAX_WORDS)
			script_error("too many words");
		argv[argc++] = word;
	}
	return argc;
}

static void run_line(char *line)
{
	char *argv[STEP_MAX_WORDS + 1] = { NULL };
	char *copy = strdup(line);
	int argc = split(line, argv);
	int ret;

	if (argc) {
		copy[strcspn(copy, "\n")] = '\0';
		say("%s", copy);
		ret = step_run(argc, argv);
		if (ret < 0 && !inject_forgives())
			script_error("%s: %s (%s)", copy, strerror(-ret),
				     errno_name(-ret));
		if (ret < 0)
			say("  -> %s", errno_name(-ret));
		inject_forget();
	}
	free(copy);
}

/* A comment runs from a # at the start of a line or after a blank. */
static void strip_comment(char *line)
{
	char *hash;

	for (hash = strchr(line, '#'); hash; hash = strchr(hash + 1, '#')) {
		if (hash == line || hash[-1] == ' ' || hash[-1] == '\t') {
			*hash = '\0';
			return;
		}
	}
}

static void run_section(FILE *file)
{
	char line[1024], header[32];
	bool inside = false;

	snprintf(header, sizeof(header), "[%s]", section);
	while (fgets(line, sizeof(line), file)) {
		line_number++;
		if (line[0] == '[') {
			inside = !strncmp(line, header, strlen(header));
			continue;
		}
		strip_comment(line);
		if (inside)
			run_line(line);
	}
}

int main(int argc, char **argv)
{
	const char *slash;
	FILE *file;

	if (argc != 3) {
		fprintf(stderr, "usage: agent SECTION SCENARIO\n");
		return 64;
	}
	section = argv[1];
	scenario_path = argv[2];
	slash = strrchr(argv[2], '/');
	snprintf(result_path, sizeof(result_path), "%.*sresult.%s",
		 slash ? (int)(slash - argv[2] + 1) : 0, argv[2], section);

	file = fopen(argv[2], "r");
	if (!file)
		script_error("cannot read %s: %s", argv[2], strerror(errno));

	run_section(file);
	fclose(file);
	say("section done");
	result_write("ok");
	return 0;
}
