/* SPDX-License-Identifier: GPL-2.0 */
/* The command line as one string: a trace explains itself, options included. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

static int nr_words;
static char **words;

void vt_command_line_is(int argc, char **argv)
{
	nr_words = argc;
	words = argv;
}

static bool plain(const char *word)
{
	return *word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%^")];
}

static void put_word(FILE *f, const char *word)
{
	if (plain(word)) {
		fputs(word, f);
		return;
	}
	fputc('\'', f);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", f);
		else
			fputc(*word, f);
	fputc('\'', f);
}

char *vt_command_line(void)
{
	char *line = NULL;
	size_t size;
	FILE *f = open_memstream(&line, &size);

	if (!f)
		return NULL;
	/* The name by which it was called may hold a path that says nothing. */
	fputs("vfiotrace", f);
	for (int i = 1; i < nr_words; i++) {
		fputc(' ', f);
		put_word(f, words[i]);
	}
	if (fclose(f)) {
		free(line);
		return NULL;
	}
	return line;
}
