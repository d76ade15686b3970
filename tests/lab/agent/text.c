// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers, names of errors, and test patterns.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

/* With the suffixes k, m and g. */
unsigned long long number(const char *text)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text)
		script_error("'%s' is not a number", text);

	switch (*end) {
	case 'g':
		value <<= 10;
		/* fall through */
	case 'm':
		value <<= 10;
		/* fall through */
	case 'k':
		value <<= 10;
		end++;
	}
	if (*end)
		script_error("'%s' is not a number", text);
	return value;
}

int errno_by_name(const char *name)
{
	for (int err = 1; err < 200; err++)
		if (!strcmp(errno_name(err), name))
			return err;
	script_error("'%s' is not the name of an error", name);
}

const char *errno_name(int err)
{
	const char *name = strerrorname_np(err);

	return name ? name : "E?";
}

/* The pattern over and over, so that any lost or moved page shows. */
void pattern_fill(unsigned char *buf, size_t size, size_t from, const char *pattern)
{
	size_t len = strlen(pattern);

	for (size_t i = 0; i < size; i++)
		buf[i] = pattern[(from + i) % len] + ((from + i) >> 12);
}
