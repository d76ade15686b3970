/* SPDX-License-Identifier: GPL-2.0 */
#include "base/say.h"

#include <stdarg.h>
#include <stdio.h>

static void vsay(const char *fmt, va_list ap)
{
	fflush(stdout);
	fputs("vfiotrace: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void vt_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
}

int vt_fail(enum vt_exit code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(fmt, ap);
	va_end(ap);
	return code;
}
