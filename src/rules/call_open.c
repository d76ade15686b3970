// SPDX-License-Identifier: GPL-2.0
/* Calls that were entered and never left. */
#include <inttypes.h>

#include "rules/crossing.h"
#include "rules/facts.h"
#include "rules/finding.h"
#include "rules/reach.h"

/* Until then a call may only have been in the middle of its work. */
#define LONG_NS 1000000000

static void tell_open(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	bool unregister = (x->at[1].type ? x->at[1].type : x->at[0].type) == VT_EV_VFIO_UNREGISTER;
	enum vt_severity sev = x->num[0] >= LONG_NS && !x->num[1] ? VT_WARNING : VT_NOTE;
	const char *func = vt_at_func(&x->at[0]);
	struct vt_finding *f;

	/* That it waits for no file rests on every open and release before it. */
	if (unregister && sev != VT_NOTE && vt_torn(c, i, 0, UINT64_MAX))
		return;
	f = vt_find(c, sev, i, &x->who, "%s", sev == VT_NOTE ? "call-open" : func);
	if (!f)
		return;
	f->func = func;
	vt_text(c, &f->title, "%s was entered and has not returned when the recording ends%s", func,
		x->num[1] ? ": files of the device are still open" : unregister ? ": it waits for the device's registration count" : "");
	vt_text(c, &f->expected, sev == VT_NOTE ? "allowed" : "a call returns");
	vt_text(c, &f->seen[i], "no return within %" PRId64 ".%03" PRId64 " s", x->num[0] / 1000000000, x->num[0] / 1000000 % 1000);
	vt_proof(c, f, i, &x->at[0], "is entered");
	vt_proof(c, f, i, &x->at[1], "is where it is");
	vt_text(c, &f->meaning, unregister ? "Until the last registration is put the driver cannot be unbound, and the machine does not shut down." :
		"The task that made it waits, and so does whoever needs what it holds.");
}

/* Its return would have to be seen. */
static const struct vt_telling open_calls[] = {
	{ .kind = VT_FACT_CALL_OPEN, .absence = true, .to_end = true, .tell = tell_open },
};

/* An unbind belongs to a device, and its hook is asked for where there was one. */
static void unbinds(struct vt_ctx *c)
{
	char why[400];

	VT_EACH_SIDE(c, i) {
		if (vt_side_vfio(c->j->side[i]) && vt_side__gap(c->j->side[i], VT_EV_VFIO_UNREGISTER, why, sizeof(why)))
			vt_doubt(c, "%s", why);
	}
}

const struct vt_rule vt_rule_call_open = {
	.id = "call-open", .name = "call that never returned", .severity = VT_WARNING, .subject = VT_ABOUT_LUO, .by_call = VT_ALL_CALLS, .lasts = true,
	.judges = { "call", "calls", .type = { VT_EV_LUO_PRESERVE, VT_EV_LUO_FREEZE, VT_EV_LUO_RETRIEVE, VT_EV_LUO_FINISH, VT_EV_SESSION_RELEASE, VT_EV_VFIO_RELEASE, VT_EV_VFIO_UNREGISTER } },
	.needs = { { VT_EV_LUO_PRESERVE, VT_OUT }, { VT_EV_LUO_RETRIEVE, VT_IN }, { VT_EV_LUO_FINISH, VT_IN }, { VT_EV_SESSION_RELEASE, VT_ANY } },
	.also = { VT_EV_VFIO_UNREGISTER, VT_EV_VFIO_RELEASE },
	VT_TELLS(open_calls),
	.run = unbinds,
};
