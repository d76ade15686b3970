// SPDX-License-Identifier: GPL-2.0
/* The table of rules; the list itself is in list.h. */
#include <stddef.h>
#include <string.h>

#include "rules/rules.h"

#define RULE(x) extern const struct vt_rule vt_rule_##x;
#include "rules/list.h"
#undef RULE

const struct vt_rule *const vt_rules[] = {
#define RULE(x) &vt_rule_##x,
#include "rules/list.h"
#undef RULE
};
const size_t vt_nr_rules = sizeof(vt_rules) / sizeof(vt_rules[0]);

const struct vt_rule *vt_rule__by_id(const char *id)
{
	for (size_t i = 0; i < vt_nr_rules; i++) {
		if (!strcmp(vt_rules[i]->id, id))
			return vt_rules[i];
	}
	return NULL;
}
