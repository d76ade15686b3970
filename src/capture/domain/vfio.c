/* SPDX-License-Identifier: GPL-2.0 */
/* vfio.ko: its functions, the layout of its structures, the places where it frees. */
#include "capture/attach/method.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/kernel/kernel.h"

/* ---- call sites of free functions ---- */

/* Functions in which a freed pointer can only be a df. */
static bool frees_only_df(struct engine *e, const char *name)
{
	static const enum vt_event_type own[] = { VT_EV_VFIO_RELEASE, VT_EV_VFIO_OPEN_COMMON, VT_EV_VFIO_LU_OPEN, VT_EV_VFIO_CDEV_OPEN };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		const struct plan_row *r = plan__source(&e->plan, own[i], true, 0, 0);

		if (r && !strcmp(r->func, name))
			return true;
	}
	return false;
}

static const struct site_use frees = { VT_SITE_FREE, VT_EV_MEM_FREE, "vfio", false, VT_C_NONE };

/* The plan says so when frees cannot be seen. */
static int no_sites(struct engine *e, int err)
{
	return callsites__none(e, &frees, "kfree and its kin", err ? "the module's text could not be searched for calls of free functions" :
			       "no call of a free function found in the module's text", err);
}

static int attach_free(struct engine *e, struct found_site *f, const struct site_use *use)
{
	const char *name = kernel__sym(e->k, f->addr, NULL, NULL);
	struct site_use here = *use;

	here.df_only = name && frees_only_df(e, name);
	return callsites__attach(e, f, &here);
}

/* Not hooked: that a df is allocated, vfio_allocate_device_file() tells. */
static void find_df_alloc(struct engine *e)
{
	struct found_site *found;
	int nr = sites__scan(e->k, "vfio", SITES_ALLOC, engine__reader, e, &found);

	for (int i = 0; i < nr; i++) {
		const char *name = kernel__sym(e->k, found[i].addr, NULL, NULL);

		if (!name || strcmp(name, "vfio_allocate_device_file"))
			continue;
		e->df_alloc = (struct site){ .addr = found[i].addr, .callee = found[i].callee->name, .family = found[i].callee->family };
		kernel__site(e->k, found[i].addr, e->df_alloc.where, sizeof(e->df_alloc.where));
	}
	free(found);
}

static int attach_sites(struct engine *e)
{
	struct found_site *found;
	int nr = sites__scan(e->k, "vfio", SITES_FREE, engine__reader, e, &found);
	int attached = nr <= 0 ? no_sites(e, nr) : callsites__attach_all(e, found, nr, &frees, attach_free);

	if (nr > 0)
		find_df_alloc(e);
	return attached;
}

/* ---- the module ---- */

static void vfio_layout(struct engine *e)
{
	const struct btf *b = kernel__module_btf(e->k, "vfio");
	struct vt_control *c = e->ctl;

	c->df_device = kernel__offset(e->k, b, "vfio_device_file", "device");
	c->dev_inode = kernel__offset(e->k, b, "vfio_device", "inode");
	c->dev_refcount = kernel__offset(e->k, b, "vfio_device", "refcount");
	c->dev_kref = kernel__offset(e->k, b, "vfio_device", "device.kobj.kref");
	c->dev_dev = kernel__offset(e->k, b, "vfio_device", "dev");
	c->dev_open_count = kernel__offset(e->k, b, "vfio_device", "open_count");
	c->dev_cdev = kernel__offset(e->k, b, "vfio_device", "cdev");
	c->vfio_fops = kernel__addr(e->k, "vfio_device_fops", NULL);
}

static bool vfio_present(const struct engine *e)
{
	return kernel__addr(e->k, "vfio_device_fops", NULL) != 0;
}

int vfio__attach(struct engine *e)
{
	int attached, sites;

	if (e->vfio_done || !vfio_present(e))
		return 0;
	load__drop_rows(&e->plan, PLAN_VFIO, 0);
	if (plan__resolve(&e->plan, e->k, PLAN_VFIO))
		return -ENOMEM;
	vfio_layout(e);
	attached = crew__attach_group(e, PLAN_VFIO, 0);
	if (attached < 0)
		return attached;
	sites = attach_sites(e);
	e->vfio_done = true;
	return sites < 0 ? sites : attached + sites;
}
