/* SPDX-License-Identifier: GPL-2.0 */
#include "base/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/put.h"

/* What it quotes may come from a file that means harm. */
static void vsay(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	fflush(stdout);
	fputs("vfiotrace: ", stderr);
	vt_put_plain(stderr, s ? s : "out of memory");
	fputc('\n', stderr);
	free(s);
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
