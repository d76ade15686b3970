/* SPDX-License-Identifier: GPL-2.0 */
/* From a command's table to its options: parsing, the help, and a list for completions and man pages. */
#ifndef VT_CMD_OPTIONS_H
#define VT_CMD_OPTIONS_H

#include <stdio.h>

#include "cmd/cmd.h"

/*
 * ARGV[0] is the command's name, as getopt wants it. Returns the index of the
 * first positional argument, all of which stand at the end then; or -1 with
 * *CODE set when the command is not to run.
 */
int vt_options__parse(const struct vt_cmd *c, int argc, char **argv, int *code);
void vt_options__help(const struct vt_cmd *c, FILE *f);
/* A line per option: letter, name, argument, help with \n for its ends of line; between tabs. */
void vt_options__list(const struct vt_cmd *c, FILE *f);

#endif
