/* SPDX-License-Identifier: GPL-2.0 */
/* What CMD leaves behind when it ends: processes, and sessions that they hold. */
#include <stdio.h>

#include "base/say.h"
#include "capture/kernel/clock.h"
#include "capture/record/private.h"

#define MOMENT_NS 100000000ULL	/* what ends together with CMD does so within that */

void heirs__tell(const struct recorder *r, char *buf, size_t len)
{
	int nr = keeper__count(&r->keeper);
	char what[64] = "";

	/* /proc may not show it. */
	if (!nr && !r->sessions.nr)
		snprintf(what, sizeof(what), "what it started");
	if (nr)
		snprintf(what, sizeof(what), "%d process%s that it started", nr, nr == 1 ? "" : "es");
	snprintf(buf, len, "%s%s%s", what, nr && r->sessions.nr ? " and " : "",
		 r->sessions.nr > 1 ? "the sessions that are open" : r->sessions.nr ? "the session that is open" : "");
}

static void tell(struct recorder *r)
{
	char what[128];

	r->heirs_told = true;
	if (r->opt->quiet)
		return;
	heirs__tell(r, what, sizeof(what));
	vt_say("%s has ended with %d; the recording goes on for %s (--end-with-cmd ends it here)", r->opt->cmd[0], r->child_status, what);
}

/*
 * An agent that forks and leaves, to hold its sessions until the jump, is not
 * through when CMD is. The keeper shows what it leaves, however it is forked; a
 * walk through /proc while CMD lives would miss what is quick. What some service
 * of the system does for CMD is no child of its: that shows by the session.
 *
 * Who called may be the one that jumps: he need not wait for a session.
 */
bool heirs__check(struct recorder *r)
{
	bool open = r->sessions.nr && !r->sessions.unsure;
	uint64_t now;

	if (!r->child_gone || r->stop)
		return false;
	r->stop = r->opt->end_with_cmd || r->grace_end || (r->heirs_gone && !open);
	if (r->stop || r->place == PLACE_BEHIND)
		return false;
	now = clock__now();
	if (!open)
		r->open_ns = 0;
	else if (!r->open_ns)
		r->open_ns = now;
	if (open && !r->stays)
		return now >= r->open_ns + MOMENT_NS;
	if (!r->heirs_told && now >= r->child_gone_ns + MOMENT_NS)
		tell(r);
	return false;
}
