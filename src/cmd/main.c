/* SPDX-License-Identifier: GPL-2.0 */
/* vfiotrace: the table of subcommands. */
#include <stdio.h>
#include <string.h>

#include "cmd/options.h"

static const struct vt_cmd *const commands[] = {
	&vt_cmd_record, &vt_cmd_diff, &vt_cmd_gate, &vt_cmd_check,
	&vt_cmd_show, &vt_cmd_probes, &vt_cmd_sweep, &vt_cmd_fetch, &vt_cmd_status, &vt_cmd_scrub, &vt_cmd_explain,
};
#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct { int code; const char *meaning; } exits[] = {
#define EXIT(id, code, meaning) { code, meaning },
	VT_EXITS(EXIT)
#undef EXIT
};

static const struct vt_cmd *find_command(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i];
	return NULL;
}

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

/* ---- a word that is no command ---- */

static size_t common(const char *a, const char *b)
{
	size_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

/* A is B but for one slip: a letter too many, too few, wrong, or two that changed places. */
static bool one_slip(const char *a, const char *b)
{
	size_t n = common(a, b);

	a += n;
	b += n;
	return (*a && !strcmp(a + 1, b)) || (*b && !strcmp(a, b + 1)) || (*a && *b && !strcmp(a + 1, b + 1)) ||
	       (*a && *b && a[0] == b[1] && a[1] == b[0] && !strcmp(a + 2, b + 2));
}

static int unknown(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++) {
		const char *c = commands[i]->name;

		if (one_slip(name, c) || (common(name, c) >= 2 && common(name, c) == strlen(name)))
			return vt_fail(VT_EXIT_USAGE, "unknown command '%s': is it %s? See 'vfiotrace --help'", name, c);
	}
	return vt_fail(VT_EXIT_USAGE, "unknown command '%s'; see 'vfiotrace --help'", name);
}

/* ---- running ---- */

static int help(const char *name)
{
	const struct vt_cmd *c = name ? find_command(name) : NULL;

	if (name && !c)
		return unknown(name);
	if (c)
		vt_options__help(c, stdout);
	else
		usage(stdout);
	return VT_EXIT_CLEAN;
}

/* For completions and man pages: the commands, or a command's options. */
static int list(const char *name)
{
	const struct vt_cmd *c = name ? find_command(name) : NULL;

	if (name && !c)
		return unknown(name);
	if (c)
		vt_options__list(c, stdout);
	for (size_t i = 0; !name && i < NR_COMMANDS; i++)
		printf("%s\t%s\t%s\n", commands[i]->name, commands[i]->args, commands[i]->summary);
	return VT_EXIT_CLEAN;
}

static int run_command(const struct vt_cmd *c, int argc, char **argv)
{
	int code, first = vt_options__parse(c, argc, argv, &code);

	if (first < 0)
		return code;
	argc -= first;
	if (argc < c->min_args || (c->max_args >= 0 && argc > c->max_args))
		return vt_fail(VT_EXIT_USAGE, "%s takes %s; see 'vfiotrace %s --help'", c->name,
			       *c->args ? c->args : "no arguments", c->name);
	return c->run(argc, argv + first);
}

static int dispatch(int argc, char **argv)
{
	const char *word = argv[1], *next = argc > 2 ? argv[2] : NULL;
	const struct vt_cmd *c = find_command(word);

	if (c)
		return run_command(c, argc - 1, argv + 1);
	if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"))
		return help(next);
	if (!strcmp(word, "--options"))
		return list(next);
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		puts("vfiotrace " VFIOTRACE_VERSION);
		return VT_EXIT_CLEAN;
	}
	return unknown(word);
}

/* A verdict in a report that did not reach its reader is none. */
static bool is_verdict(int code)
{
	return code == VT_EXIT_CLEAN || code == VT_EXIT_FINDINGS || code == VT_EXIT_NOTHING || code == VT_EXIT_INCONCLUSIVE;
}

int main(int argc, char **argv)
{
	int ret;

	if (argc < 2) {
		usage(stderr);
		return VT_EXIT_USAGE;
	}
	vt_command_line_is(argc, argv);
	ret = dispatch(argc, argv);
	if ((fflush(stdout) || ferror(stdout)) && is_verdict(ret))
		return vt_fail(VT_EXIT_IO, "cannot write to standard output");
	return ret;
}
