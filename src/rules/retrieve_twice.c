// SPDX-License-Identifier: GPL-2.0
/* retrieve consumes what was preserved: once per token. */
#include "rules/facts.h"
#include "rules/finding.h"

static const struct vt_telling retrieve_twice[] = {
	{ .kind = VT_FACT_RETRIEVE_TWICE, .key = "retrieve-twice", .func = "luo_retrieve_file",
	  .title = "the handler's retrieve runs twice for one token",
	  .expected = "retrieve runs once: luo_retrieve_file() remembers success and failure alike in retrieve_status",
	  .seen = "a second run of the callback",
	  .meaning = "retrieve consumes the preserved state: the second run reads memory that was given back, and makes a second owner of the device.",
	  .ev = { "second run", "first run" } },
};

const struct vt_rule vt_rule_retrieve_twice = {
	.id = "retrieve-twice", .name = "retrieve ran twice", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.judges = { "retrieve", "retrieves", .type = { VT_EV_OP_RETRIEVE } },
	.needs = { { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_LUO_RETRIEVE, VT_IN } },
	VT_TELLS(retrieve_twice),
};
