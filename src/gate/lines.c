// SPDX-License-Identifier: GPL-2.0
/* Lines of text: those that the gate reads, those that it says. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/gate.h"

void vt_lines__add(struct vt_lines *l, const char *fmt, ...)
{
	char **grown = realloc(l->s, (l->nr + 1) * sizeof(*grown));
	va_list ap;

	if (!grown)
		return;
	l->s = grown;
	va_start(ap, fmt);
	if (vasprintf(&l->s[l->nr], fmt, ap) >= 0)
		l->nr++;
	va_end(ap);
}

void vt_lines__free(struct vt_lines *l)
{
	for (size_t i = 0; i < l->nr; i++)
		free(l->s[i]);
	free(l->s);
	memset(l, 0, sizeof(*l));
}

int vt_line__bad(char **why, unsigned int line, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (why && asprintf(why, "line %u: %s", line, text) < 0)
		*why = NULL;
	return -EINVAL;
}

int vt_each_line(const char *text, size_t len, int (*take)(void *to, char *s, unsigned int line, char **why), void *to, char **why)
{
	unsigned int line = 0;
	int err = 0;

	while (len && !err) {
		const char *nl = memchr(text, '\n', len);
		size_t n = nl ? (size_t)(nl - text) : len;
		char *copy = strndup(text, n);

		line++;
		if (!copy)
			err = -ENOMEM;
		else if (memchr(text, 0, n))
			err = vt_line__bad(why, line, "a NUL byte");
		else
			err = take(to, copy, line, why);
		free(copy);
		n += nl ? 1 : 0;
		text += n;
		len -= n;
	}
	return err;
}
