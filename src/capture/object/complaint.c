/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/object/complaint.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char last_complaint[256];
static char culprit[64];

/* "libbpf: prog 'x_find': failed to load: -22" names the program to leave out. */
static int listen(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512], *at;

	if (getenv("VFIOTRACE_DEBUG")) {
		va_list copy;

		va_copy(copy, ap);
		vfprintf(stderr, fmt, copy);
		va_end(copy);
	}
	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	at = strstr(line, "prog '");
	if (at && strstr(line, "failed to load"))
		snprintf(culprit, sizeof(culprit), "%.*s", (int)strcspn(at + 6, "'"), at + 6);
	at = strstr(line, "libbpf: ");
	snprintf(last_complaint, sizeof(last_complaint), "%.*s", (int)strcspn(at ? at + 8 : line, "\n"), at ? at + 8 : line);
	return 0;
}

const char *complaint__last(void)
{
	return last_complaint;
}

void complaint__listen(void)
{
	libbpf_set_print(listen);
}

const char *complaint__culprit(void)
{
	return culprit;
}

void complaint__forget(void)
{
	culprit[0] = 0;
}
