// SPDX-License-Identifier: GPL-2.0
/* A session that a failing RETRIEVE_SESSION leaves to nobody. */
#include "rules/facts.h"
#include "rules/finding.h"

static const struct vt_telling session_lost[] = {
	{ .kind = VT_FACT_SESSION_LOST, .func = "luo_session_retrieve",
	  .title = "RETRIEVE_SESSION returns an error after it marked the session retrieved",
	  .expected = "an ioctl that fails leaves the session as it was, to be retrieved again",
	  .seen = "the session is marked retrieved, then the ioctl fails",
	  .meaning = "Nobody has the session, and nobody can ask again. The release of its file finishes it: all its files are dropped, "
		     "with the memory behind them.",
	  .ev = { "fails", "marked retrieved" } },
};

const struct vt_rule vt_rule_session_lost = {
	.id = "session-lost", .name = "session lost in a failing retrieve", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.needs = { { VT_EV_SESSION_RETRIEVE, VT_IN }, { VT_EV_LUO_IOCTL, VT_IN } },
	VT_TELLS(session_lost),
};
