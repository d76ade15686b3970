// SPDX-License-Identifier: GPL-2.0
/* The one option parser: getopt_long under the commands' tables. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/options.h"

#define HELP_COLUMN 29	/* where the sentence about an option begins */
#define WIDTH 80
#define FIRST_LONG 256	/* what getopt returns for row 0; letters are below */

/* What every command has. */
static const struct vt_opt help_opt = { "help", 'h', NULL, "print this", NULL, NULL };

static size_t nr_opts(const struct vt_cmd *c)
{
	size_t nr = 0;

	while (c->opts && c->opts[nr].name)
		nr++;
	return nr;
}

/* ---- parsing ---- */

struct parser {
	const struct vt_cmd *c;
	size_t nr;
	struct option *longs;	/* one per row, then help */
	char *letters;
	bool *given;
};

static int prepare(struct parser *p, const struct vt_cmd *c)
{
	char *at;

	p->c = c;
	p->nr = nr_opts(c);
	p->longs = calloc(p->nr + 2, sizeof(*p->longs));
	p->letters = at = malloc(2 * p->nr + sizeof("+:h"));
	p->given = calloc(p->nr + 1, sizeof(*p->given));
	if (!p->longs || !p->letters || !p->given)
		return -1;
	/* The options behind a CMD are CMD's. */
	if (c->max_args < 0)
		*at++ = '+';
	*at++ = ':';
	*at++ = 'h';
	for (size_t i = 0; i < p->nr; i++) {
		const struct vt_opt *o = &c->opts[i];

		p->longs[i] = (struct option){ o->name, o->arg ? required_argument : no_argument, NULL, FIRST_LONG + i };
		if (!o->letter)
			continue;
		*at++ = o->letter;
		if (o->arg)
			*at++ = ':';
	}
	p->longs[p->nr] = (struct option){ "help", no_argument, NULL, FIRST_LONG + p->nr };
	*at = 0;
	return 0;
}

static void unprepare(struct parser *p)
{
	free(p->longs);
	free(p->letters);
	free(p->given);
}

/* The row that getopt speaks of, by its place or its letter; the one behind the last is help. */
static size_t row_of(const struct parser *p, int found)
{
	if (found >= FIRST_LONG)
		return found - FIRST_LONG;
	for (size_t i = 0; i < p->nr; i++)
		if (p->c->opts[i].letter == found)
			return i;
	return p->nr;
}

/* getopt has one answer for options that do not exist, fit several, or take no value. */
static int refuse(const struct parser *p, const char *word)
{
	const char *name = p->c->name;
	size_t len = strcspn(word + 2, "="), fits = 0, row = 0;

	/* Among letters the word is not read to its end yet. */
	if (optopt && optopt < FIRST_LONG)
		return vt_fail(VT_EXIT_USAGE, "%s: unknown option -%c; see 'vfiotrace %s --help'", name, optopt, name);
	for (size_t i = 0; p->longs[i].name; i++) {
		if (strncmp(p->longs[i].name, word + 2, len))
			continue;
		row = i;
		fits++;
	}
	if (fits > 1)
		return vt_fail(VT_EXIT_USAGE, "%s: %s may be several options; see 'vfiotrace %s --help'", name, word, name);
	if (fits == 1)
		return vt_fail(VT_EXIT_USAGE, "%s: option --%s takes no value", name, p->longs[row].name);
	return vt_fail(VT_EXIT_USAGE, "%s: unknown option %s; see 'vfiotrace %s --help'", name, word, name);
}

/* FILE...: may be given again. */
static bool many(const struct vt_opt *o)
{
	size_t len = strlen(o->arg);

	return len > 3 && !strcmp(o->arg + len - 3, "...");
}

/* Both on lines of their own; what was there may be an argument: it is not freed. */
static int append(const struct vt_opt *o)
{
	static char *last;
	char *both;

	if (asprintf(&both, "%s\n%s", *o->value, optarg) < 0)
		return vt_fail(VT_EXIT_IO, "out of memory");
	if (last == *o->value)
		free(last);
	*o->value = last = both;
	return 0;
}

/* 0, or an exit code after a complaint. */
static int take(struct parser *p, size_t row)
{
	const struct vt_opt *o = &p->c->opts[row];

	if (!o->arg) {
		*o->flag = true;
		return 0;
	}
	if (p->given[row] && many(o))
		return append(o);
	/* The first of two must not vanish without a word. */
	if (p->given[row])
		return vt_fail(VT_EXIT_USAGE, "%s: option --%s is given twice", p->c->name, o->name);
	p->given[row] = true;
	*o->value = optarg;
	return 0;
}

/* 0 at the end of the options, 1 after one; -1 with *CODE. */
static int step(struct parser *p, int argc, char **argv, int *code)
{
	int found = getopt_long(argc, argv, p->letters, p->longs, NULL);

	switch (found) {
	case -1:
		return 0;
	case '?':
		*code = refuse(p, argv[optind - 1]);
		return -1;
	case ':': {
		const struct vt_opt *o = &p->c->opts[row_of(p, optopt)];

		*code = vt_fail(VT_EXIT_USAGE, "%s: option --%s needs %s", p->c->name, o->name, o->arg);
		return -1;
	}
	}
	if (row_of(p, found) == p->nr) {
		vt_options__help(p->c, stdout);
		*code = VT_EXIT_CLEAN;
		return -1;
	}
	*code = take(p, row_of(p, found));
	return *code ? -1 : 1;
}

int vt_options__parse(const struct vt_cmd *c, int argc, char **argv, int *code)
{
	struct parser p = { 0 };
	int more;

	optind = 0;
	opterr = 0;
	if (prepare(&p, c)) {
		unprepare(&p);
		*code = vt_fail(VT_EXIT_IO, "out of memory");
		return -1;
	}
	while ((more = step(&p, argc, argv, code)) > 0)
		;
	unprepare(&p);
	return more < 0 ? -1 : optind;
}

/* ---- the help ---- */

/* LINE, broken between words; what follows starts where it started, INDENT columns in. */
static void put_wrapped(FILE *f, const char *line, size_t len)
{
	size_t indent = strspn(line, " "), at = HELP_COLUMN;

	while (len) {
		size_t word = strspn(line, " ");

		word += strcspn(line + word, " \n");
		if (word > len)
			word = len;
		if (at + word > WIDTH && at > HELP_COLUMN + indent) {
			fprintf(f, "\n%*s", (int)(HELP_COLUMN + indent - (*line == ' ' ? 1 : 0)), "");
			at = HELP_COLUMN + indent - 1;
		}
		fprintf(f, "%.*s", (int)word, line);
		at += word;
		line += word;
		len -= word;
	}
	fputc('\n', f);
}

static void put_option(FILE *f, const struct vt_opt *o)
{
	const char *help = o->help;
	int used = fprintf(f, "  %c%c%s--%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
			   o->letter ? ", " : "  ", o->name, o->arg ? " " : "", o->arg ? o->arg : "");

	for (;;) {
		size_t len = strcspn(help, "\n");

		fprintf(f, "%*s", used < HELP_COLUMN ? HELP_COLUMN - used : 1, "");
		put_wrapped(f, help, len);
		if (!help[len])
			return;
		help += len + 1;
		used = 0;
	}
}

void vt_options__help(const struct vt_cmd *c, FILE *f)
{
	fprintf(f, "Usage: vfiotrace %s [OPTIONS]%s%s\n\n%s.\n", c->name, *c->args ? " " : "", c->args, c->summary);
	if (c->details)
		fprintf(f, "\n%s\n", c->details);
	fputs("\nOptions:\n", f);
	for (size_t i = 0; i < nr_opts(c); i++)
		put_option(f, &c->opts[i]);
	put_option(f, &help_opt);
	fprintf(f, "\n'man vfiotrace-%s' has examples and the exit codes.\n", c->name);
}

static void list_option(FILE *f, const struct vt_opt *o)
{
	if (o->letter)
		fputc(o->letter, f);
	fprintf(f, "\t%s\t%s\t", o->name, o->arg ? o->arg : "");
	for (const char *h = o->help; *h; h++) {
		if (*h == '\n')
			fputs("\\n", f);
		else
			fputc(*h, f);
	}
	fputc('\n', f);
}

void vt_options__list(const struct vt_cmd *c, FILE *f)
{
	for (size_t i = 0; i < nr_opts(c); i++)
		list_option(f, &c->opts[i]);
	list_option(f, &help_opt);
}
