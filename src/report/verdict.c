// SPDX-License-Identifier: GPL-2.0
/* What several formats say: the verdict, how a trace ended, what counts. */
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
