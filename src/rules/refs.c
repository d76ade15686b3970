// SPDX-License-Identifier: GPL-2.0
/* What LUO holds for each file besides the file: its handler's module. And what an ioctl that fails leaves behind. */
#include <inttypes.h>

#include "rules/facts.h"

static void tell_module(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	bool more = x->num[1] > x->num[0];
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "call|%s|%s|%s", more ? "more" : "less", vt_at_func(&x->at[0]),
				       x->num[2] ? "failing" : "");

	if (!f)
		return;
	f->func = vt_at_func(&x->at[0]);
	vt_text(c, &f->title, "%s %s %s on the handler's module%s%s", f->func, x->num[2] ? "fails and" : "returns and",
		more ? "leaves a reference too many" : "has put a reference too many", x->str[0] ? " " : "", x->str[0] ? x->str[0] : "");
	vt_text(c, &f->expected, "net %+" PRId64 ": one reference per preserved or arrived file, none for a call that fails", x->num[0]);
	vt_text(c, &f->seen[i], "net %+" PRId64 " by LUO's own try_module_get() and module_put() within the call", x->num[1]);
	vt_proof(c, f, i, &x->at[1], "the last of them");
	vt_proof(c, f, i, &x->at[0], "returns");
	vt_text(c, &f->meaning, more ? "The module can never be unloaded again." : "The module can be unloaded while LUO still calls into it.");
}

static void tell_module_low(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "low|%s", vt_fact_handler(x));

	if (!f)
		return;
	f->func = vt_at_func(&x->at[0]);
	vt_text(c, &f->title, "the handler's module has fewer references than LUO has files of it");
	vt_text(c, &f->expected, "at least %" PRId64 " (struct module.refcnt: 1 while loaded, and 1 per file)", x->num[0]);
	vt_text(c, &f->seen[i], "%" PRId64, x->num[1]);
	vt_proof(c, f, i, &x->at[0], "the count is %" PRId64, x->num[1]);
	vt_text(c, &f->meaning, "The module can be unloaded while LUO still calls into it.");
}

static const struct vt_telling module_ref[] = {
	{ .kind = VT_FACT_MODULE_REF, .absence = true, .tell = tell_module },
	{ .kind = VT_FACT_MODULE_LOW, .absence = true, .tell = tell_module_low },
};

const struct vt_rule vt_rule_module_ref = {
	.id = "module-ref", .name = "handler's module references off", .severity = VT_ERROR, .subject = VT_ABOUT_MODULE,
	.by_call = VT_LUO_CALLS, .sums = true,
	.needs = { { VT_EV_MODULE_PUT, VT_ANY }, { VT_EV_MODULE_GET, VT_ANY }, { VT_EV_LUO_PRESERVE, VT_OUT }, { VT_EV_LUO_UNPRESERVE, VT_OUT },
		   { VT_EV_OP_UNPRESERVE, VT_OUT }, { VT_EV_LUO_DESERIALIZE, VT_IN }, { VT_EV_LUO_FILE, VT_IN }, { VT_EV_LUO_FINISH, VT_IN },
		   { VT_EV_OP_FINISH, VT_IN } },
	VT_TELLS(module_ref),
};

static void tell_fd(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find_fact(c, i, x, "");
	char err[32];

	if (!f)
		return;
	vt_text(c, &f->title, "an ioctl returns an error, and the file descriptor that it installed stays");
	vt_text(c, &f->expected, "fd_install() is the last thing that an ioctl does, after everything that can fail: the reply to user space above all");
	vt_text(c, &f->seen[i], "fd %" PRId64 " is installed, then the call fails with %s", x->num[0], vt_errno_str(x->num[1], err, sizeof(err)));
	vt_proof(c, f, i, &x->at[1], "installs fd %" PRId64, x->num[0]);
	vt_proof(c, f, i, &x->at[0], "fails");
	vt_text(c, &f->meaning, "User space does not know of the descriptor and never closes it: the file, and the device behind it, stay open as long as the process lives.");
}

static const struct vt_telling fd_on_error[] = {
	{ .kind = VT_FACT_FD_ON_ERROR, .tell = tell_fd },
};

const struct vt_rule vt_rule_fd_on_error = {
	.id = "fd-on-error", .name = "file descriptor left by a failing ioctl", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.needs = { { VT_EV_FD_INSTALL, VT_ANY }, { VT_EV_LUO_IOCTL, VT_ANY } },
	VT_TELLS(fd_on_error),
};

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
