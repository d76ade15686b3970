// SPDX-License-Identifier: GPL-2.0
/*
 * What a row of the attach plan says. The method "absent" says that there is
 * nothing to attach to; older recorders, and rows about functions, say it in
 * the reason. Nobody else reads those sentences.
 */
#include <string.h>

#include "vfiotrace/trace.h"

#define ABSENT "no such op"
#define NO_OP " has " ABSENT
#define NO_FUNCTION "no such function"
#define NO_MODULE "is not loaded"
#define HANDLER "handler "

static const char *reason(const struct vt_probe *p)
{
	return p->reason ? p->reason : "";
}

enum vt_probe_state vt_probe__state(const struct vt_probe *p)
{
	if (p->attached)
		return VT_PROBE_ATTACHED;
	if ((p->method && !strcmp(p->method, "absent")) || strstr(reason(p), ABSENT))
		return VT_PROBE_ABSENT;
	return strstr(reason(p), NO_FUNCTION) || strstr(reason(p), NO_MODULE) ? VT_PROBE_NO_FUNCTION : VT_PROBE_MISSING;
}

bool vt_probe__absent_from(const struct vt_probe *p, const char *compatible)
{
	const char *name = reason(p);
	size_t len = strlen(compatible);

	if (vt_probe__state(p) != VT_PROBE_ABSENT || strncmp(name, HANDLER, strlen(HANDLER)))
		return false;
	name += strlen(HANDLER);
	return !strncmp(name, compatible, len) && !strcmp(name + len, NO_OP);
}
