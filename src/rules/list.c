// SPDX-License-Identifier: GPL-2.0
/* The table of rules; the list itself is in list.h. */
#include <stddef.h>

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
