// SPDX-License-Identifier: GPL-2.0
/* What several formats say: the verdict, how a trace ended, what counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/format.h"

const char *vt_verdict(const struct vt_judgement *j)
{
	switch (j->exit) {
	case VT_EXIT_CLEAN: return "clean";
	case VT_EXIT_FINDINGS: return "findings";
	case VT_EXIT_NOTHING: return "nothing to judge";
	case VT_EXIT_INCONCLUSIVE: return "inconclusive";
	default: return "damaged trace";
	}
}

const char *vt_ending_str(const struct vt_side *s)
{
	if (s->ending == VT_END_JUMP)
		return "ended in the jump";
	if (s->ending == VT_END_STOPPED)
		return s->jumped ? "stopped after the jump was decided" : "stopped";
	return "breaks off";
}

bool vt_counts(const struct vt_finding *x)
{
	return x->severity != VT_NOTE && !x->suppressed && !x->known;
}

size_t vt_open_findings(const struct vt_judgement *j, const struct vt_rule *r)
{
	size_t n = 0;

	for (size_t i = 0; i < j->nr_findings; i++)
		n += j->findings[i].rule == r && vt_counts(&j->findings[i]);
	return n;
}

const char *vt_skipped(const struct vt_row *r, char *buf, size_t size)
{
	if (r->status == VT_NOT_APPLICABLE)
		return r->why[0];
	if (r->status == VT_NOTHING)
		snprintf(buf, size, "nothing to judge: %s", r->why[0]);
	else if (vt_row_doubtful(r))
		snprintf(buf, size, "unknown: the evidence does not reach, see verdict");
	else
		return NULL;
	return buf;
}

static bool gives(const struct vt_row *r, const char *doubt)
{
	for (size_t k = 0; vt_row_doubtful(r) && k < r->nr_why; k++) {
		if (!strcmp(r->why[k], doubt))
			return true;
	}
	return false;
}

char *vt_leaves_open(const struct vt_judgement *j, const char *doubt)
{
	char *rules = NULL, *grown;
	size_t nr = 0, apply = 0;

	for (size_t i = 0; i < vt_nr_rules; i++) {
		apply += j->rows[i].status != VT_NOT_APPLICABLE;
		if (!gives(&j->rows[i], doubt) ||
		    asprintf(&grown, "%s%s%s", rules ? rules : "", rules ? ", " : "", j->rows[i].rule->id) < 0)
			continue;
		free(rules);
		rules = grown;
		nr++;
	}
	/* Their names are a screen full, and say no more. */
	if (nr < 2 || nr < apply)
		return rules;
	free(rules);
	return strdup("every rule");
}
