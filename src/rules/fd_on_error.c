// SPDX-License-Identifier: GPL-2.0
/* A file descriptor that an ioctl leaves behind although it fails. */
#include <inttypes.h>

#include "rules/facts.h"
#include "rules/finding.h"

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
	.judges = { "installed file descriptor", "installed file descriptors", .type = { VT_EV_FD_INSTALL } },
	.needs = { { VT_EV_FD_INSTALL, VT_ANY }, { VT_EV_LUO_IOCTL, VT_ANY } },
	VT_TELLS(fd_on_error),
};
