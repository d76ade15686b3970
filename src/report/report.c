// SPDX-License-Identifier: GPL-2.0
/* The table of formats; the list itself is in formats.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report/report.h"

const struct vt_format vt_formats[] = {
#define FORMAT(name, many, help) { #name, help, many, vt_report_##name },
	VT_FORMATS(FORMAT)
#undef FORMAT
};
const size_t vt_nr_formats = sizeof(vt_formats) / sizeof(vt_formats[0]);

const struct vt_format *vt_format__by_name(const char *name)
{
	for (size_t i = 0; i < vt_nr_formats; i++) {
		if (!strcmp(vt_formats[i].name, name))
			return &vt_formats[i];
	}
	return NULL;
}

static bool wants_color(FILE *f)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(f)) && (!no_color || !*no_color) && (!term || strcmp(term, "dumb"));
}

/* What goes into a mail keeps to 72 columns; a terminal that is narrower rules, one that is wider gets wider tables. */
#define NARROWEST 40
#define MAIL 72
#define WIDEST 120

void vt_report_opts__init(struct vt_report_opts *o, const char *command, FILE *f, enum vt_color color, bool verbose)
{
	unsigned int most = verbose ? WIDEST : MAIL;
	struct winsize ws;

	memset(o, 0, sizeof(*o));
	o->command = command;
	o->width = MAIL;
	o->verbose = verbose;
	o->color = color == VT_COLOR_ALWAYS || (color == VT_COLOR_AUTO && wants_color(f));
	if (isatty(fileno(f)) && !ioctl(fileno(f), TIOCGWINSZ, &ws) && ws.ws_col)
		o->width = ws.ws_col < NARROWEST ? NARROWEST : ws.ws_col > most ? most : ws.ws_col;
}
