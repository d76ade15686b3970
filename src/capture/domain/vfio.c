/* SPDX-License-Identifier: GPL-2.0 */
/* vfio.ko, or what of vmlinux would be in it: its functions, the layout of its structures, the places where it frees. */
#include "capture/domain/domain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/kernel/calls.h"
#include "capture/kernel/data.h"
#include "capture/kernel/kernel.h"
#include "capture/object/object.h"

#define MODULE "vfio"

static const struct plan_scope functions = { .group = PLAN_VFIO, .module = MODULE, .witness = "vfio_device_fops_release" };

struct state {
	bool done;		/* its text was searched for calls */
	struct site df_alloc;	/* the allocator that vfio_allocate_device_file() calls, found in its text */
};

/* ---- call sites of free functions ---- */

/* Functions in which a freed pointer can only be a df. */
static bool frees_only_df(struct domains *d, const char *name)
{
	static const enum vt_event_type own[] = { VT_EV_VFIO_RELEASE, VT_EV_VFIO_OPEN_COMMON, VT_EV_VFIO_LU_OPEN, VT_EV_VFIO_CDEV_OPEN };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		const struct plan_row *r = plan__source(&d->plan, own[i], true, 0, 0);

		if (r && !strcmp(r->func, name))
			return true;
	}
	return false;
}

static const struct site_use frees = { VT_SITE_FREE, VT_EV_MEM_FREE, MODULE, false, VT_C_NONE };

/* The plan says so when frees cannot be seen. */
static int no_sites(struct domains *d, int err)
{
	return attach__no_call(d->attach, &frees, "kfree and its kin", err ? "vfio's text could not be searched for calls of free functions" :
			       "no call of a free function found in vfio's text", err);
}

/* By name: built in, vfio-pci stands beside it. */
static bool is_own(const char *name)
{
	name += strspn(name, "_");
	return !strncmp(name, "vfio_", 5) && strncmp(name, "vfio_pci_", 9);
}

static int own_calls(struct domains *d, enum calls_of what, struct call **found)
{
	if (kernel__addr(d->k, functions.witness, "vmlinux"))
		return calls__around(d->k, functions.witness, is_own, what, object__reader, d->obj, found);
	return calls__in_module(d->k, MODULE, what, object__reader, d->obj, found);
}

static int attach_free(void *arg, struct call *c, const struct site_use *use)
{
	struct domains *d = arg;
	const char *name = kernel__sym(d->k, c->addr, NULL, NULL);
	struct site_use here = *use;

	here.df_only = name && frees_only_df(d, name);
	return attach__call(d->attach, c, &here);
}

/* Not hooked: that a df is allocated, vfio_allocate_device_file() tells. */
static void find_df_alloc(struct domains *d, struct state *s)
{
	struct call *found;
	int nr = own_calls(d, CALLS_OF_ALLOC, &found);

	for (int i = 0; i < nr; i++) {
		const char *name = kernel__sym(d->k, found[i].addr, NULL, NULL);

		if (name && found[i].callee != &calls_hidden && !strcmp(name, "vfio_allocate_device_file"))
			s->df_alloc = site__describe(d->attach, &found[i]);
	}
	free(found);
}

static int attach_sites(struct domains *d, struct state *s)
{
	struct call *found;
	int nr = own_calls(d, CALLS_OF_FREE, &found);
	int attached = nr <= 0 ? no_sites(d, nr) : attach__calls(d->attach, found, nr, &frees, attach_free, d);

	if (nr > 0)
		find_df_alloc(d, s);
	return attached;
}

/* ---- the module ---- */

static bool present(const struct domains *d)
{
	return kernel__addr(d->k, functions.witness, NULL) != 0;
}

/* ---- struct file_operations of its files, by which they are known ---- */

static bool operation_is(struct domains *d, uint64_t ops, const char *member, const char *func)
{
	int off = kernel__offset(d->k, NULL, "file_operations", member);

	return off >= 0 && object__peek_u64(d->obj, ops + off) == kernel__addr(d->k, func, NULL);
}

static bool is_fops(void *domains, uint64_t at)
{
	return operation_is(domains, at, "release", "vfio_device_fops_release") && operation_is(domains, at, "mmap", "vfio_device_fops_mmap");
}

static const char *const fops_users[] = { "vfio_device_from_file", "vfio_device_open_file", "vfio_device_liveupdate_cdev_open", "vfio_init_device_cdev", NULL };
static const struct data fops = { "vfio_device_fops", fops_users, is_fops };

static const char *blind(const struct domains *d)
{
	return object__control(d->obj)->vfio_fops ? NULL :
	       "vfio_device_fops, by which files are known, is not in /proc/kallsyms (CONFIG_KALLSYMS_ALL is off) nor found in vfio's text";
}

static int offset(struct domains *d, const char *type, const char *member)
{
	return present(d) ? kernel__offset(d->k, kernel__module_btf(d->k, MODULE), type, member) : -1;
}

/* Where the counts of a device are, for programs that read them at one go. */
static void layout_counts(struct vt_control *c)
{
	const int at[] = { c->dev_kref, c->dev_refcount, c->dev_open_count };
	int low = at[0], high = at[0];

	for (size_t i = 1; i < sizeof(at) / sizeof(at[0]); i++) {
		low = at[i] < low ? at[i] : low;
		high = at[i] > high ? at[i] : high;
	}
	c->dev_low = low < 0 ? 0 : low;
	c->dev_high = low < 0 ? 0 : high;
}

static void layout(struct domains *d, void *state)
{
	struct vt_control *c = object__control(d->obj);

	c->df_device = offset(d, "vfio_device_file", "device");
	c->dev_inode = offset(d, "vfio_device", "inode");
	c->dev_refcount = offset(d, "vfio_device", "refcount");
	c->dev_kref = offset(d, "vfio_device", "device.kobj.kref");
	c->dev_dev = offset(d, "vfio_device", "dev");
	c->dev_open_count = offset(d, "vfio_device", "open_count");
	c->dev_cdev = offset(d, "vfio_device", "cdev");
	layout_counts(c);
	c->vfio_fops = present(d) ? data__find(d->k, &fops, object__reader, d->obj, d) : 0;
}

static int attach(struct domains *d, void *state)
{
	struct state *s = state;

	if (s->done)
		return 0;
	s->done = true;
	return attach_sites(d, s);
}

/* ---- devices that are there already ---- */

#define CLASSES_MAX 1024	/* some hundred is many */
#define DEVICES_MAX 1024

static const char *const class_users[] = { "class_register", "class_unregister", "class_find_device", "class_for_each_device", NULL };

static bool name_is(struct domains *d, uint64_t at, const char *name)
{
	char text[16] = "";

	return !object__peek(d->obj, at, text, sizeof(text) - 1) && !strcmp(text, name);
}

/* A pointer to /sys/class. */
static bool is_class_kset(void *domains, uint64_t at)
{
	struct domains *d = domains;
	int name = kernel__offset(d->k, NULL, "kset", "kobj.name");
	uint64_t kset = object__peek_u64(d->obj, at);

	return kset && name >= 0 && name_is(d, object__peek_u64(d->obj, kset + name), "class");
}

static const struct data class_kset = { "class_kset", class_users, is_class_kset };

/* Where the driver core has what. */
struct driver_core {
	int classes, entry, class, name;	/* list of a kset; in struct subsys_private; of a class */
	int devices, node, device;		/* list in struct subsys_private; in struct device_private */
};

static bool learn_core(struct domains *d, struct driver_core *o)
{
	const struct { int *at; const char *type, *member; } all[] = {
		{ &o->classes, "kset", "list" }, { &o->entry, "subsys_private", "subsys.kobj.entry" },
		{ &o->class, "subsys_private", "class" }, { &o->name, "class", "name" },
		{ &o->devices, "subsys_private", "klist_devices.k_list" }, { &o->node, "device_private", "knode_class.n_node" },
		{ &o->device, "device_private", "device" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		*all[i].at = kernel__offset(d->k, NULL, all[i].type, all[i].member);
		if (*all[i].at < 0)
			return false;
	}
	return true;
}

/* struct subsys_private of vfio's class. It came late: looked for from the end. */
static uint64_t find_class(struct domains *d, const struct driver_core *o)
{
	uint64_t at = data__find(d->k, &class_kset, object__reader, d->obj, d);
	uint64_t kset = at ? object__peek_u64(d->obj, at) : 0, list = kset + o->classes, prev = sizeof(uint64_t);

	at = kset ? object__peek_u64(d->obj, list + prev) : 0;
	for (int i = 0; at && at != list && i < CLASSES_MAX; i++) {
		uint64_t subsys = at - o->entry, class = object__peek_u64(d->obj, subsys + o->class);

		if (class && name_is(d, object__peek_u64(d->obj, class + o->name), "vfio-dev"))
			return subsys;
		at = object__peek_u64(d->obj, at + prev);
	}
	return 0;
}

/* What their counts are at rest shows before anybody looks a device up, or not at all. */
static void begin(struct domains *d)
{
	int off_device = offset(d, "vfio_device", "device");
	struct driver_core o;
	uint64_t list, at;

	if (!present(d) || off_device < 0 || !learn_core(d, &o))
		return;
	at = find_class(d, &o);
	list = at ? at + o.devices : 0;
	at = object__peek_u64(d->obj, list);
	for (int i = 0; at && at != list && i < DEVICES_MAX; i++) {
		uint64_t device = object__peek_u64(d->obj, at - o.node + o.device);

		if (device)
			object__run(d->obj, "vfio_there", device - off_device);
		at = object__peek_u64(d->obj, at);
	}
}

/* ---- its events ---- */

static const enum vt_event_type sites[] = { VT_EV_MEM_FREE, 0 };

static const struct domain_life births[] = {
	{ VT_EV_VFIO_DF_ALLOC, VT_S_DF, 0 },
	{ VT_EV_VFIO_CDEV_OPEN, VT_S_FILE, LIFE_ENTER },
	{ VT_EV_VFIO_MMAP, VT_S_VMA, 0 },
	{ VT_EV_VFIO_REGISTER, VT_S_DEVICE, LIFE_IF_OK },
	{ 0 },
};

static const struct domain_life deaths[] = {
	{ VT_EV_MEM_FREE, VT_S_OBJ, 0 },
	{ VT_EV_VFIO_UNREGISTER, VT_S_DEVICE, LIFE_EXIT },
	{ 0 },
};

static const struct domain_parting parting[] = {
	{ VT_EV_VFIO_RELEASE, VT_P_NONE },
	{ VT_EV_MEM_FREE, VT_P_NONE },
	{ 0 },
};

static const struct domain_memory remembered[] = {
	{ VT_C_DF, VT_EV_MEM_FREE },
	{ VT_C_MAPPING, VT_EV_VFIO_ZAP },
	{ 0 },
};

static bool has(const struct vt_wire *w, enum vt_slot s)
{
	return w->mask & 1ull << s && !(w->fault & 1ull << s);
}

static const struct site *site(const void *state, const struct vt_wire *w)
{
	const struct state *s = state;

	return w->type == VT_EV_VFIO_DF_ALLOC && has(w, VT_S_DF) && s->df_alloc.addr ? &s->df_alloc : NULL;
}

static bool is_slot(const struct vt_wire_snap *s, enum vt_slot slot, uint64_t v)
{
	return v && has(&s->w, slot) && s->w.slot[slot] == v;
}

static bool tell(const struct vt_wire_snap *s, const char *member, uint64_t v, char *buf, size_t len)
{
	if (!strcmp(member, "file.private_data") && is_slot(s, VT_S_DF, v))
		snprintf(buf, len, "df of vfio device %s", s->w.text_is == VT_TEXT_BDF ? s->w.text : "?");
	else if (!strcmp(member, "file.f_mapping") && has(&s->w, VT_S_MAPPING) && is_slot(s, VT_S_DEV_MAPPING, s->w.slot[VT_S_MAPPING]))
		snprintf(buf, len, "i_mapping of the vfio device's inode");
	else
		return false;
	return true;
}

const struct domain domain_vfio = {
	.phase = "attach vfio",
	.functions = &functions,
	.state = sizeof(struct state),
	.present = present,
	.layout = layout,
	.blind = blind,
	.attach = attach,
	.begin = begin,
	.sites = sites,
	.births = births,
	.deaths = deaths,
	.parting = parting,
	.remembered = remembered,
	.site = site,
	.tell = tell,
};
