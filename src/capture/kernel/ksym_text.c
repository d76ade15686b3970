/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/ksyms.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ksyms__parse(const char *text, struct ksym *out, uint64_t *off)
{
	const char *plus = strrchr(text, '+'), *module;
	char *end;

	memset(out, 0, sizeof(*out));
	if (!plus || plus == text || (size_t)(plus - text) >= sizeof(out->name))
		return false;
	memcpy(out->name, text, plus - text);
	*off = strtoull(plus + 1, &end, 16);
	if (*end != '/')
		return false;
	out->size = strtoull(end + 1, &end, 16);
	module = strchr(end, '[');
	if (module)
		snprintf(out->module, sizeof(out->module), "%.*s", (int)strcspn(module + 1, "] "), module + 1);
	return true;
}
