// SPDX-License-Identifier: GPL-2.0
/* vfiotrace explain [RULE] */
#include <stdio.h>

#include "cmd/cmd.h"
#include "rules/rules.h"
#include "vfiotrace/trace.h"

static int list_rules(void)
{
	for (size_t i = 0; i < vt_nr_rules; i++)
		printf("%-20s %-8s %s\n", vt_rules[i]->id, vt_severity_name(vt_rules[i]->severity), vt_rules[i]->name);
	return VT_EXIT_CLEAN;
}

/* From the rule itself: a page cannot fall behind it. */
static void needs(const struct vt_rule *r)
{
	static const char *const where[] = {
		[VT_ANY] = "wherever it applies", [VT_OUT] = "where files are preserved", [VT_IN] = "where files arrive",
	};

	puts("\n## What it needs to see\n\nWhere a hook for one of these was missing, or its events were lost, the rule says unknown,\n"
	     "and which files it judged all the same: those whose life with LUO nothing is missing from.\n");
	for (const struct vt_need *n = r->needs; n->type; n++)
		printf("    %-24s %-26s %s\n", vt_event_name(n->type), where[n->where], vt_event_doc(n->type));
	for (const uint16_t *t = r->also; *t; t++)
		printf("    %-24s %-26s %s\n", vt_event_name(*t), "where it is hooked", vt_event_doc(*t));
}

static int run_explain(int argc, char **argv)
{
	const struct vt_rule *rule;
	const char *page;

	if (!argc)
		return list_rules();
	rule = vt_rule__by_id(argv[0]);
	if (!rule)
		return vt_fail(VT_EXIT_USAGE, "explain: there is no rule '%s'; 'vfiotrace explain' lists them", argv[0]);
	page = vt_rule__page(argv[0]);
	if (!page)
		return vt_fail(VT_EXIT_UNSUPPORTED, "explain: this build has no page for %s", argv[0]);
	fputs(page, stdout);
	needs(rule);
	return VT_EXIT_CLEAN;
}

const struct vt_cmd vt_cmd_explain = {
	.name = "explain",
	.args = "[RULE]",
	.summary = "Tell what a rule means and what it rests on; list the rules",
	.details = NULL,
	.opts = NULL,
	.min_args = 0, .max_args = 1,
	.run = run_explain,
};
