/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/plan/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/arch/arch.h"
#include "capture/kernel/kernel.h"

#define CORE PLAN_CORE
#define VFIO PLAN_VFIO

/* Where a function changed its name between posted versions, all names stand here, newest first. sys_ stands for the architecture's prefix, too. */
const struct hook plan_hooks[] = {
	{ CORE, "session_create",	1, 1, VT_EV_SESSION_CREATE,	"luo_session_create", 2 },
	{ CORE, "session_retrieve",	1, 1, VT_EV_SESSION_RETRIEVE,	"luo_session_retrieve", 2 },
	{ CORE, "session_release",	1, 1, VT_EV_SESSION_RELEASE,	"luo_session_release", 2 },
	{ CORE, "session_deserialize",	0, 1, VT_EV_SESSION_DESERIALIZE, "luo_session_deserialize", 0 },
	{ CORE, "luo_preserve",		1, 1, VT_EV_LUO_PRESERVE,	"luo_preserve_file", 3 },
	{ CORE, "luo_retrieve",		1, 1, VT_EV_LUO_RETRIEVE,	"luo_retrieve_file", 3 },
	{ CORE, "luo_freeze",		1, 1, VT_EV_LUO_FREEZE,		"luo_file_freeze", 2 },
	{ CORE, "luo_unfreeze",		1, 1, VT_EV_LUO_UNFREEZE,	"luo_file_unfreeze", 1 },
	{ CORE, "luo_unpreserve",	1, 1, VT_EV_LUO_UNPRESERVE,	"luo_file_unpreserve_files", 1 },
	{ CORE, "luo_finish",		1, 1, VT_EV_LUO_FINISH,		"luo_file_finish", 1 },
	{ CORE, "luo_deserialize",	1, 1, VT_EV_LUO_DESERIALIZE,	"luo_file_deserialize", 2 },
	{ CORE, "flb_preserve",		1, 1, VT_EV_FLB_PRESERVE,	"luo_flb_file_preserve", 1 },
	{ CORE, "flb_unpreserve",	0, 1, VT_EV_FLB_UNPRESERVE,	"luo_flb_file_unpreserve", 1 },
	{ CORE, "flb_finish",		0, 1, VT_EV_FLB_FINISH,		"luo_flb_file_finish", 1 },
	{ CORE, "flb_get_out",		0, 1, VT_EV_FLB_GET,		"liveupdate_flb_get_outgoing", 2 },
	{ CORE, "flb_get_in",		0, 1, VT_EV_FLB_GET,		"liveupdate_flb_get_incoming", 2 },
	{ CORE, "flb_put_out",		0, 1, VT_EV_FLB_PUT,		"liveupdate_flb_put_outgoing", 1 },
	{ CORE, "flb_put_in",		0, 1, VT_EV_FLB_PUT,		"liveupdate_flb_put_incoming", 1 },
	{ CORE, "session_ioctl",	0, 1, VT_EV_LUO_IOCTL,		"luo_session_ioctl", 3 },
	{ CORE, "device_ioctl",		0, 1, VT_EV_LUO_IOCTL,		"luo_ioctl", 3 },
	{ CORE, "register_handler",	0, 1, VT_EV_REC_HANDLER,	"liveupdate_register_file_handler", 1 },
	{ CORE, "reboot",		1, 1, VT_EV_REBOOT,		"liveupdate_reboot", 0 },
	{ CORE, "serialize",		1, 1, VT_EV_SERIALIZE,		"luo_session_serialize", 0 },
	{ CORE, "device_shutdown",	1, 0, VT_EV_SHUTDOWN,		"device_shutdown", 0 },
	{ CORE, "machine_shutdown",	1, 0, VT_EV_JUMP,		"machine_shutdown", 0 },
	{ CORE, "module_init",		0, 1, VT_EV_REC_MODULE,		"do_init_module", 1 },
	{ CORE, "finit_module",		0, 1, VT_EV_REC_MODULE,		"sys_finit_module", 0 },
	{ CORE, "init_module",		0, 1, VT_EV_REC_MODULE,		"sys_init_module", 0 },
	{ CORE, "fput",			1, 0, VT_EV_FILE_FPUT,		"__fput", 1 },
	{ CORE, "anon_getfile",		0, 1, VT_EV_FILE_ANON,		"anon_inode_getfile", 4 },
	{ CORE, "anon_getfile_fmode",	0, 1, VT_EV_FILE_ANON,		"anon_inode_getfile_fmode", 5 },
	{ CORE, "unmap",		1, 0, VT_EV_VFIO_ZAP,		"unmap_mapping_range", 1 },
	{ CORE, "kho_alloc_preserve",	1, 1, VT_EV_KHO_ALLOC_PRESERVE,	"kho_alloc_preserve", 1 },
	{ CORE, "kho_unpreserve_free",	1, 1, VT_EV_KHO_UNPRESERVE_FREE, "kho_unpreserve_free", 1 },
	{ CORE, "kho_restore_free",	1, 1, VT_EV_KHO_RESTORE_FREE,	"kho_restore_free", 1 },
	{ CORE, "kho_preserve_folio",	1, 1, VT_EV_KHO_PRESERVE_FOLIO,	"kho_preserve_folio", 1 },
	{ CORE, "kho_unpreserve_folio",	1, 1, VT_EV_KHO_UNPRESERVE_FOLIO, "kho_unpreserve_folio", 1 },
	{ CORE, "kho_restore_folio",	1, 1, VT_EV_KHO_RESTORE_FOLIO,	"kho_restore_folio", 1 },
	{ CORE, "kho_preserve_pages",	1, 1, VT_EV_KHO_PRESERVE_PAGES,	"kho_preserve_pages", 2 },
	{ CORE, "kho_unpreserve_pages",	1, 1, VT_EV_KHO_UNPRESERVE_PAGES, "kho_unpreserve_pages", 2 },
	{ CORE, "kho_restore_pages",	1, 1, VT_EV_KHO_RESTORE_PAGES,	"kho_restore_pages", 2 },
	{ CORE, "kho_preserve_vmalloc",	1, 1, VT_EV_KHO_PRESERVE_VMALLOC, "kho_preserve_vmalloc", 2 },
	{ CORE, "kho_unpreserve_vmalloc", 1, 1, VT_EV_KHO_UNPRESERVE_VMALLOC, "kho_unpreserve_vmalloc", 1 },
	{ CORE, "kho_restore_vmalloc",	1, 1, VT_EV_KHO_RESTORE_VMALLOC, "kho_restore_vmalloc", 1 },

	{ VFIO, "cdev_open",		1, 1, VT_EV_VFIO_CDEV_OPEN,	"vfio_device_fops_cdev_open", 2 },
	{ VFIO, "open_common",		1, 1, VT_EV_VFIO_OPEN_COMMON,	"vfio_device_cdev_open|__vfio_device_fops_cdev_open", 2 },
	{ VFIO, "lu_open",		1, 1, VT_EV_VFIO_LU_OPEN,	"vfio_device_liveupdate_cdev_open", 1 },
	{ VFIO, "group_open",		1, 1, VT_EV_VFIO_GROUP_OPEN,	"vfio_device_open_file", 1 },
	{ VFIO, "release",		1, 1, VT_EV_VFIO_RELEASE,	"vfio_device_fops_release", 2 },
	{ VFIO, "df_alloc",		0, 1, VT_EV_VFIO_DF_ALLOC,	"vfio_allocate_device_file", 1 },
	{ VFIO, "get_reg",		0, 1, VT_EV_VFIO_GET_REG,	"vfio_device_try_get_registration", 1 },
	{ VFIO, "put_reg",		0, 1, VT_EV_VFIO_PUT_REG,	"vfio_device_put_registration", 1 },
	{ VFIO, "find",			0, 1, VT_EV_VFIO_FIND,		"vfio_find_device", 0 },
	{ VFIO, "register",		0, 1, VT_EV_VFIO_REGISTER,	"vfio_register_group_dev", 1 },
	{ VFIO, "unregister",		1, 1, VT_EV_VFIO_UNREGISTER,	"vfio_unregister_group_dev", 1 },
	{ VFIO, "bind",			0, 1, VT_EV_VFIO_BIND,		"vfio_df_ioctl_bind_iommufd", 2 },
	{ VFIO, "df_open",		0, 1, VT_EV_VFIO_DF_OPEN,	"vfio_df_open", 1 },
	{ VFIO, "df_close",		0, 1, VT_EV_VFIO_DF_CLOSE,	"vfio_df_close", 1 },
	{ VFIO, "mmap",			0, 1, VT_EV_VFIO_MMAP,		"vfio_device_fops_mmap", 2 },
};
const size_t plan_nr_hooks = sizeof(plan_hooks) / sizeof(plan_hooks[0]);

struct plan_row *plan__add(struct plan *p)
{
	struct plan_row *r;

	if (p->nr == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 128;
		struct plan_row *grown = realloc(p->rows, cap * sizeof(*grown));

		if (!grown)
			return NULL;
		p->rows = grown;
		p->cap = cap;
	}
	r = &p->rows[p->nr++];
	memset(r, 0, sizeof(*r));
	r->prog_fd = r->link_fd = r->aux_fd = -1;
	p->indexed = false;
	return r;
}

/* Takes the next of "one|other" off *AT. */
static bool next_name(const char **at, char *func, size_t len)
{
	size_t n = strcspn(*at, "|");

	if (!n)
		return false;
	snprintf(func, len, "%s%.*s", strncmp(*at, "sys_", 4) ? "" : arch.syscall_prefix, (int)n, *at);
	*at += n + ((*at)[n] == '|');
	return true;
}

/* Picks the candidate: FUNC gets its name. One that BTF knows is better than one that only has a symbol. */
static struct func_info pick(struct kernel *k, const struct hook *h, const char *module, char *func, size_t len)
{
	struct func_info fi = { 0 };
	const char *at;

	for (at = h->funcs; next_name(&at, func, len);) {
		fi = kernel__func(k, func, module);
		if (fi.found)
			return fi;
	}
	for (at = h->funcs; next_name(&at, func, len);)
		if (kernel__addr(k, func, module ? module : "vmlinux"))
			return fi;
	at = h->funcs;
	next_name(&at, func, len);
	return fi;
}

/* Tells it in REASON. */
static void absent(struct plan_row *r, struct kernel *k, const struct plan_scope *s)
{
	if (s->module && !kernel__module_btf(k, s->module) && !kernel__addr(k, s->witness, NULL))
		snprintf(r->reason, sizeof(r->reason), "module %s is not loaded", s->module);
	else
		snprintf(r->reason, sizeof(r->reason), "this kernel has no such function (or it was inlined)");
}

static int add_row(struct plan *p, struct kernel *k, const struct hook *h, bool exit, const struct plan_scope *s)
{
	const char *module = s->module ? s->module : "vmlinux";
	struct plan_row *r = plan__add(p);
	struct func_info fi;

	if (!r)
		return -ENOMEM;
	fi = pick(k, h, s->module, r->func, sizeof(r->func));
	r->group = h->group;
	r->event = h->event;
	r->exit = exit;
	snprintf(r->prog, sizeof(r->prog), "%c_%s", exit ? 'x' : 'e', h->prog);
	snprintf(r->module, sizeof(r->module), "%s", fi.found ? fi.module : module);
	r->btf_id = fi.btf_id;
	r->args = fi.found ? fi.args : h->args;
	r->method = PLAN_FENTRY;
	r->addr = fi.found ? 0 : kernel__addr(k, r->func, module);
	if (!fi.found && r->addr) {
		r->method = PLAN_KPROBE;
		r->only_kprobe = r->possible = true;
		snprintf(r->reason, sizeof(r->reason), "in the symbol table but not in BTF");
	} else if (!fi.found)
		absent(r, k, s);
	else if (fi.args < h->args)
		snprintf(r->reason, sizeof(r->reason), "takes %d arguments here, %d are needed", fi.args, h->args);
	else
		r->possible = true;
	return 0;
}

int plan__resolve(struct plan *p, struct kernel *k, const struct plan_scope *s)
{
	for (size_t i = 0; i < plan_nr_hooks; i++) {
		const struct hook *h = &plan_hooks[i];
		int err = 0;

		if (h->group != s->group)
			continue;
		if (h->enter)
			err = add_row(p, k, h, false, s);
		if (!err && h->exit)
			err = add_row(p, k, h, true, s);
		if (err)
			return err;
	}
	return 0;
}

void plan__give_up(struct plan_row *r, const char *what, int err)
{
	r->possible = false;
	if (err)
		snprintf(r->reason, sizeof(r->reason), "%s: %s", what, strerror(err < 0 ? -err : err));
	else
		snprintf(r->reason, sizeof(r->reason), "%.*s", (int)sizeof(r->reason) - 1, what);
}

void plan__drop_rows(struct plan *p, enum plan_group group, uint64_t key)
{
	size_t keep_nr = 0;

	for (size_t i = 0; i < p->nr; i++) {
		struct plan_row *r = &p->rows[i];

		if (r->group != group || r->key != key) {
			p->rows[keep_nr++] = *r;
			continue;
		}
		plan__detach(r);
	}
	p->nr = keep_nr;
	p->indexed = false;
}

bool plan__asks_for_kprobe(const struct plan *p, const char *func)
{
	const char *at = p->force_kprobe;
	size_t len = strlen(func);

	for (; at && *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == len && !strncmp(at, func, len))
			return true;
	return false;
}

size_t plan__attached(const struct plan *p)
{
	size_t nr = 0;

	for (size_t i = 0; i < p->nr; i++)
		nr += p->rows[i].attached;
	return nr;
}

static void index_rows(struct plan *p)
{
	memset(p->first, 0, sizeof(p->first));
	for (size_t i = p->nr; i > 0; i--) {
		struct plan_row *r = &p->rows[i - 1];

		r->next = p->first[r->event];
		p->first[r->event] = i;
	}
	p->indexed = true;
}

struct plan_row *plan__source(struct plan *p, enum vt_event_type event, bool exit, uint64_t key, unsigned int variant)
{
	struct plan_row *r, *other = NULL;

	if (event >= VT_EV_MAX)
		return NULL;
	if (!p->indexed)
		index_rows(p);
	for (uint32_t at = p->first[event]; at; at = r->next) {
		r = &p->rows[at - 1];
		if (r->key && r->key != key)
			continue;
		if (variant && r->exit == exit) {
			variant--;
			continue;
		}
		if (!r->attached)
			continue;
		if (r->exit == exit)
			return r;
		/* A point event comes from the only program there is. */
		other = r;
	}
	return other;
}

struct plan_row *plan__by_prog(struct plan *p, enum plan_group group, uint64_t key, const char *prog)
{
	for (size_t i = 0; i < p->nr; i++)
		if (p->rows[i].group == group && p->rows[i].key == key && !strcmp(p->rows[i].prog, prog))
			return &p->rows[i];
	return NULL;
}

const char *plan__method_name(const struct plan_row *r)
{
	switch (r->method) {
	case PLAN_ABSENT: break;
	case PLAN_MULTI: case PLAN_FENTRY: return r->exit ? "fexit" : "fentry";
	case PLAN_KPROBE: return r->exit ? "kretprobe" : "kprobe";
	case PLAN_CALL_SITE: return "site";
	case PLAN_FMOD_RET: return "fmod_ret";
	}
	return "absent";
}

struct vt_probe *plan__probes(const struct plan *p)
{
	struct vt_probe *out = calloc(p->nr + 1, sizeof(*out));

	for (size_t i = 0; out && i < p->nr; i++) {
		const struct plan_row *r = &p->rows[i];

		out[i] = (struct vt_probe){
			.func = r->func, .module = r->module,
			.event = vt_event_name(r->event),
			.method = r->attached || r->method == PLAN_ABSENT ? plan__method_name(r) : "none",
			.reason = r->reason, .attached = r->attached,
			.attach_ns = r->attach_ns, .hits = r->hits,
			.misses = r->misses, .recursion_misses = r->recursion_misses,
		};
	}
	return out;
}

void plan__shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void plan__detach(struct plan_row *r)
{
	plan__shut(&r->link_fd);
	plan__shut(&r->aux_fd);
	plan__shut(&r->prog_fd);
}

void plan__clear(struct plan *p)
{
	free(p->rows);
	memset(p, 0, sizeof(*p));
}
