/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls that LUO makes of functions which everybody calls: the pins of
 * handlers' modules and the installing of file descriptors. What they do is
 * seen at the call, in LUO's own text, so that nobody else pays for it.
 */
#include "capture/attach/method.h"

#include <errno.h>
#include <stdlib.h>

#include "capture/kernel/kernel.h"

/* Functions, with the names that the compiler gives to parts of them. */
static const char *const pinning[] = {
	"luo_preserve_file", "luo_file_unpreserve_files", "luo_file_finish", "luo_file_deserialize", "luo_file_deserialize_one", NULL,
};
static const char *const handing_out[] = {
	"luo_session_retrieve_fd", "luo_session_ioctl", "luo_ioctl_create_session", "luo_ioctl_retrieve_session", "luo_ioctl", NULL,
};

static const struct part {
	enum sites_kind sites;
	const char *const *in;
	struct site_use use;
	const char *callee;
	bool optional;	/* a kernel whose modules cannot be unloaded has none */
} parts[] = {
	{ SITES_MODULE_GET, pinning, { VT_SITE_MODULE_GET, VT_EV_MODULE_GET, "vmlinux", false, VT_C_NONE }, "try_module_get", true },
	{ SITES_MODULE_PUT, pinning, { VT_SITE_MODULE_PUT, VT_EV_MODULE_PUT, "vmlinux", false, VT_C_NONE }, "module_put", true },
	{ SITES_FD_INSTALL, handing_out, { VT_SITE_FD_INSTALL, VT_EV_FD_INSTALL, "vmlinux", false, VT_C_NONE }, "fd_install", false },
};

static int nothing_found(struct engine *e, const struct part *p, int err)
{
	if (!err && p->optional && !kernel__addr(e->k, p->callee, NULL))
		return callsites__none(e, &p->use, p->callee, "this kernel has no such function (or it was inlined)", 0);
	return callsites__none(e, &p->use, p->callee, err ? "LUO's text could not be searched for calls" : "no call of it found in LUO's text", err);
}

static int attach_part(struct engine *e, const struct part *p)
{
	struct found_site *found;
	int nr = sites__scan_functions(e->k, p->in, p->sites, engine__reader, e, &found);

	if (nr <= 0)
		return nothing_found(e, p, nr);
	return callsites__attach_all(e, found, nr, &p->use, callsites__attach);
}

int luo__attach(struct engine *e)
{
	int attached = 0, objects;

	if (e->luo_done)
		return 0;
	e->luo_done = true;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int ret = attach_part(e, &parts[i]);

		if (ret < 0)
			return ret;
		attached += ret;
	}
	objects = objects__attach_luo(e);
	return objects < 0 ? objects : attached + objects;
}
