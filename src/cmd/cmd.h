/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Subcommands. One file each (src/cmd/NAME.c) defines one `const struct
 * vt_cmd vt_cmd_NAME`; src/cmd/main.c holds the table. Options are declared
 * here once: parsing, --help and the man page come from the same table.
 */
#ifndef VT_CMD_H
#define VT_CMD_H

#include <stdbool.h>

#include "base/say.h"
#include "vfiotrace/exit.h"

struct vt_opt {
	const char *name;	/* long name without dashes */
	char letter;		/* short form, or 0 */
	const char *arg;	/* name of its argument in the help, or NULL for a flag; FILE...: may be given again, all on lines of their own */
	const char *help;	/* one sentence */
	const char **value;	/* where the argument goes (with arg) */
	bool *flag;		/* where true goes (without arg) */
};

struct vt_cmd {
	const char *name;
	const char *args;	/* positional arguments for the usage line */
	const char *summary;	/* one line */
	const char *details;	/* paragraph(s) for --help and the man page, or NULL */
	const struct vt_opt *opts;	/* ends with a NULL name; NULL for none */
	int min_args, max_args;	/* positional; max -1 = any (then parsing stops at the first, or at --) */
	int (*run)(int argc, char **argv);	/* positional arguments only; returns enum vt_exit */
};

extern const struct vt_cmd vt_cmd_record, vt_cmd_probes, vt_cmd_show, vt_cmd_diff,
	vt_cmd_check, vt_cmd_gate, vt_cmd_explain, vt_cmd_sweep, vt_cmd_fetch, vt_cmd_status, vt_cmd_scrub;

/* All words of this process's command line, quoted for a shell where they need it. The caller frees; NULL without memory. */
char *vt_command_line(void);
void vt_command_line_is(int argc, char **argv);

#endif
