// SPDX-License-Identifier: GPL-2.0
#include <stdint.h>

#include "base/put.h"
#include "base/utf8.h"

/* The next character of *S as it is, or a '?'. */
static void put_one(FILE *f, const char **s)
{
	uint32_t code;
	unsigned int len = vt_utf8__next(*s, &code);

	if (len && vt_utf8__harmless(code))
		fwrite(*s, 1, len, f);
	else
		fputc('?', f);
	*s += len ? len : 1;
}

void vt_put_plain(FILE *f, const char *s)
{
	while (*s)
		put_one(f, &s);
}

static const char *entity(char c)
{
	switch (c) {
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '&': return "&amp;";
	case '"': return "&quot;";
	case '\n': return "\n";
	default: return NULL;
	}
}

void vt_put_xml(FILE *f, const char *s)
{
	while (s && *s) {
		const char *e = entity(*s);

		if (e) {
			fputs(e, f);
			s++;
		} else {
			put_one(f, &s);
		}
	}
}
