// SPDX-License-Identifier: GPL-2.0
/* The table of formats; the list itself is in formats.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report/report.h"

const struct vt_format vt_formats[] = {
#define FORMAT(name, help) { #name, help, vt_report_##name },
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

void vt_report_opts__init(struct vt_report_opts *o, const char *command, FILE *f)
{
	const char *no_color = getenv("NO_COLOR");
	struct winsize ws;

	memset(o, 0, sizeof(*o));
	o->command = command;
	o->width = 80;
	if (!isatty(fileno(f)))
		return;
	o->color = !no_color || !*no_color;
	if (!ioctl(fileno(f), TIOCGWINSZ, &ws) && ws.ws_col)
		o->width = ws.ws_col < 60 ? 60 : ws.ws_col > 120 ? 120 : ws.ws_col;
}
