// SPDX-License-Identifier: GPL-2.0
/* The pages of docs/rules, embedded at build time (see tests/judge.mk). */
#include <stddef.h>
#include <string.h>

#include "rules/rules.h"

static const struct {
	const char *id, *text;
} pages[] = {
#include "rule_pages.h"
	{ NULL, NULL },
};

const char *vt_rule__page(const char *id)
{
	for (size_t i = 0; pages[i].id; i++) {
		if (!strcmp(pages[i].id, id))
			return pages[i].text;
	}
	return NULL;
}
