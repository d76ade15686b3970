/* SPDX-License-Identifier: GPL-2.0 */
/* vfiotrace: the table of subcommands, and the one option parser they share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

static const struct vt_cmd *const commands[] = {
	&vt_cmd_record, &vt_cmd_diff, &vt_cmd_gate, &vt_cmd_check,
	&vt_cmd_show, &vt_cmd_probes, &vt_cmd_sweep, &vt_cmd_fetch, &vt_cmd_scrub, &vt_cmd_explain,
};
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct { int code; const char *meaning; } exits[] = {
#define EXIT(id, code, meaning) { code, meaning },
	VT_EXITS(EXIT)
#undef EXIT
};

static void usage(FILE *f)
{
	fputs("Usage: vfiotrace COMMAND [OPTIONS] [ARGS]\n\n"
	      "Traces preserved files through a kernel live update and says what broke.\n\n"
	      "Commands:\n", f);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(f, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n'vfiotrace COMMAND --help' tells more. --version prints the version.\n\nExit codes:\n", f);
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++)
		fprintf(f, "  %2d  %s\n", exits[i].code, exits[i].meaning);
}

/* Further lines start under the first. */
static void put_help(FILE *f, const char *help)
{
	for (const char *nl; (nl = strchr(help, '\n')); help = nl + 1)
		fprintf(f, "%.*s\n%29s", (int)(nl - help), help, "");
	fprintf(f, "%s\n", help);
}

static void cmd_usage(const struct vt_cmd *c, FILE *f)
{
	fprintf(f, "Usage: vfiotrace %s%s%s%s\n\n%s.\n", c->name,
		c->opts ? " [OPTIONS]" : "", *c->args ? " " : "", c->args, c->summary);
	if (c->details)
		fprintf(f, "\n%s\n", c->details);
	if (!c->opts)
		return;
	fputs("\nOptions:\n", f);
	for (const struct vt_opt *o = c->opts; o->name; o++) {
		char left[64];

		snprintf(left, sizeof(left), "%c%c%s--%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
			 o->letter ? ", " : "  ", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		fprintf(f, "  %-26s ", left);
		put_help(f, o->help);
	}
}

static const struct vt_opt *find_opt(const struct vt_cmd *c, const char *arg, const char **inline_value)
{
	*inline_value = NULL;
	for (const struct vt_opt *o = c->opts; o && o->name; o++) {
		size_t len = strlen(o->name);

		if (arg[1] != '-') {
			if (arg[1] != o->letter)
				continue;
			if (arg[2] && !o->arg)
				continue;
			*inline_value = arg[2] ? arg + 2 : NULL;
			return o;
		}
		if (strncmp(arg + 2, o->name, len))
			continue;
		if (!arg[2 + len])
			return o;
		if (arg[2 + len] == '=' && o->arg) {
			*inline_value = arg + 2 + len + 1;
			return o;
		}
	}
	return NULL;
}

/*
 * Options may stand anywhere among the arguments, except for commands that run
 * a CMD: there parsing stops at the first. REST gets the positional arguments.
 * Returns their number, or -1 with *CODE set when the command is not to run.
 */
static int parse(const struct vt_cmd *c, int argc, char **argv, char **rest, int *code)
{
	int nr = 0, i;

	for (i = 0; i < argc; i++) {
		const struct vt_opt *o;
		const char *value;

		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1]) {
			if (c->max_args < 0)
				break;
			rest[nr++] = argv[i];
			continue;
		}
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			cmd_usage(c, stdout);
			*code = VT_EXIT_CLEAN;
			return -1;
		}
		*code = VT_EXIT_USAGE;
		o = find_opt(c, argv[i], &value);
		if (!o) {
			vt_say("%s: unknown option %s; see 'vfiotrace %s --help'", c->name, argv[i], c->name);
			return -1;
		}
		if (!o->arg) {
			*o->flag = true;
			continue;
		}
		if (!value && i + 1 >= argc) {
			vt_say("%s: option --%s needs %s", c->name, o->name, o->arg);
			return -1;
		}
		*o->value = value ? value : argv[++i];
	}
	while (i < argc)
		rest[nr++] = argv[i++];
	return nr;
}

static int run_command(const struct vt_cmd *c, int argc, char **argv)
{
	char **rest = calloc(argc + 1, sizeof(*rest));
	int code, nr;

	if (!rest)
		return vt_fail(VT_EXIT_IO, "out of memory");
	nr = parse(c, argc, argv, rest, &code);
	if (nr >= 0) {
		if (nr < c->min_args || (c->max_args >= 0 && nr > c->max_args))
			code = vt_fail(VT_EXIT_USAGE, "%s takes %s; see 'vfiotrace %s --help'", c->name,
				       *c->args ? c->args : "no arguments", c->name);
		else
			code = c->run(nr, rest);
	}
	free(rest);
	return code;
}

/* A verdict in a report that did not reach its reader is none. */
static bool is_verdict(int code)
{
	return code == VT_EXIT_CLEAN || code == VT_EXIT_FINDINGS || code == VT_EXIT_NOTHING || code == VT_EXIT_INCONCLUSIVE;
}

int main(int argc, char **argv)
{
	int ret;

	vt_command_line_is(argc, argv);
	if (argc < 2) {
		usage(stderr);
		return VT_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return VT_EXIT_CLEAN;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("vfiotrace " VFIOTRACE_VERSION);
		return VT_EXIT_CLEAN;
	}
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		if (strcmp(argv[1], commands[i]->name))
			continue;
		ret = run_command(commands[i], argc - 2, argv + 2);
		if ((fflush(stdout) || ferror(stdout)) && is_verdict(ret))
			return vt_fail(VT_EXIT_IO, "cannot write to standard output");
		return ret;
	}
	return vt_fail(VT_EXIT_USAGE, "unknown command '%s'; see 'vfiotrace --help'", argv[1]);
}
