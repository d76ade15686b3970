/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/engine.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "capture/kernel.h"
#include "capture/sites.h"
#include "vfiotrace.skel.h"

enum { MAP_RING, MAP_CONTROL, MAP_CPUS, MAP_TASKS, MAP_EMPTY_TASK, MAP_OBJECTS, MAP_SITES, NR_MAPS };
static const char *const shared_maps[NR_MAPS] = { "ring", "control", "cpus", "tasks", "empty_task", "objects", "sites" };
_Static_assert(sizeof(struct vt_wire_cpu) % 8 == 0, "per-CPU values are padded to 8 bytes by the kernel");

static const struct { const char *op; enum vt_event_type event; } handler_ops[] = {
	{ "can_preserve", VT_EV_OP_CAN_PRESERVE }, { "preserve", VT_EV_OP_PRESERVE },
	{ "unpreserve", VT_EV_OP_UNPRESERVE }, { "freeze", VT_EV_OP_FREEZE },
	{ "unfreeze", VT_EV_OP_UNFREEZE }, { "retrieve", VT_EV_OP_RETRIEVE },
	{ "can_finish", VT_EV_OP_CAN_FINISH }, { "finish", VT_EV_OP_FINISH },
};
#define NR_OPS (sizeof(handler_ops) / sizeof(handler_ops[0]))

struct handler {
	uint64_t addr;
	char compatible[64];
	char module[64];	/* ops->owner; "" = built in */
	bool complete;	/* every op it has is attached; else it is tried again */
};

struct module_btf {
	char module[64];
	int fd;
};

struct engine {
	struct kernel *k;
	struct engine_options opt;
	struct plan plan;
	struct bpf_object *obj;
	struct module_btf *btf_fds;
	size_t nr_btf_fds;
	int map_fd[NR_MAPS];	/* owned by the object */
	struct vt_control *ctl;
	size_t ctl_len;
	int peek_fd, site_fd;
	bool vfio_done, caught_up;
	int op_offset[NR_OPS];	/* in struct liveupdate_file_ops; -1 = this kernel has no such op */
	struct handler *handlers;
	size_t nr_handlers;
	char handler_list[512];
	struct site *sites;
	size_t nr_sites;
	struct site df_alloc;
	uint32_t nofail;	/* mask of __GFP_NOFAIL */
};

/* ---- libbpf's voice: kept for the reason column ---- */

static char last_complaint[256];
static char culprit[64];

/* "libbpf: prog 'x_find': failed to load: -22" names the program to leave out. */
static int listen(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512], *at;

	if (getenv("VFIOTRACE_DEBUG")) {
		va_list copy;

		va_copy(copy, ap);
		vfprintf(stderr, fmt, copy);
		va_end(copy);
	}
	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	at = strstr(line, "prog '");
	if (at && strstr(line, "failed to load"))
		snprintf(culprit, sizeof(culprit), "%.*s", (int)strcspn(at + 6, "'"), at + 6);
	at = strstr(line, "libbpf: ");
	snprintf(last_complaint, sizeof(last_complaint), "%.*s", (int)strcspn(at ? at + 8 : line, "\n"), at ? at + 8 : line);
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* ---- loading ---- */

static void give_up(struct plan_row *r, const char *what, int err)
{
	r->possible = false;
	if (err)
		snprintf(r->reason, sizeof(r->reason), "%s: %s", what, strerror(err < 0 ? -err : err));
	else
		snprintf(r->reason, sizeof(r->reason), "%.*s", (int)sizeof(r->reason) - 1, what);
}

/*
 * Stand-ins, never attached: templates are loaded before their real functions
 * are known, against something that takes as many pointers and returns an int.
 */
static const char *const stand_in[] = { [0] = "mnt_want_write_file", [1] = "mnt_want_write_file", [2] = "vfs_statfs" };

/* Arguments that a template reads; -1 when PROG is not a template. */
static int template_args(const char *prog)
{
	for (size_t i = 0; i < plan_nr_hooks; i++)
		if (plan_hooks[i].group == PLAN_VFIO && !strcmp(plan_hooks[i].prog, prog + 2))
			return plan_hooks[i].args;
	if (strncmp(prog + 2, "op_", 3))
		return -1;
	return !strcmp(prog + 2, "op_can_preserve") ? 2 : 1;
}

/* Programs that are only there for fault injection. */
static bool is_injector(const char *prog)
{
	return !strcmp(prog, "fail_slab") || !strcmp(prog, "fail_page");
}

/* libbpf asks before each load: the target comes from the plan, as a BTF id, not by another search for a name. */
static int aim(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	struct engine *e = (struct engine *)cookie;
	const char *name = bpf_program__name(prog);
	struct plan_row *r = plan__by_prog(&e->plan, PLAN_CORE, 0, name);
	int args = template_args(name);

	if (is_injector(name))
		r = plan__by_prog(&e->plan, PLAN_INJECT, 0, name);
	if (!strcmp(bpf_program__section_name(prog), "fexit.s"))
		opts->prog_flags |= BPF_F_SLEEPABLE;
	opts->attach_btf_id = args < 0 ? r->btf_id : kernel__func(e->k, stand_in[args], NULL).btf_id;
	return 0;
}

#define NR_SECTIONS 4

static int own_sections(struct engine *e, int handle[NR_SECTIONS])
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = (long)e, .prog_prepare_load_fn = aim);

	handle[0] = libbpf_register_prog_handler("fentry", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, &opts);
	handle[1] = libbpf_register_prog_handler("fexit", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, &opts);
	handle[2] = libbpf_register_prog_handler("fmod_ret", BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, &opts);
	handle[3] = libbpf_register_prog_handler("fexit.s", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, &opts);
	for (int i = 0; i < NR_SECTIONS; i++)
		if (handle[i] < 0)
			return handle[i];
	return 0;
}

/* Core programs whose function is missing are left out; templates are always loaded. */
static void choose(struct engine *e, struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) {
		const char *name = bpf_program__name(prog);
		struct plan_row *r = plan__by_prog(&e->plan, PLAN_CORE, 0, name);
		struct plan_row *inject = plan__by_prog(&e->plan, PLAN_INJECT, 0, name);
		bool plain = (inject && inject->possible) || !strcmp(name, "peek") || !strcmp(name, "site_free");

		bpf_program__set_autoload(prog, plain || (r ? r->possible : template_args(name) >= 0));
	}
}

/* A core program that this kernel's verifier refuses is left out and told, the rest goes on. */
static int load_object(struct engine *e)
{
	size_t len;
	const void *elf = vfiotrace_bpf__elf_bytes(&len);

	for (int tries = 0; tries < 32; tries++) {
		LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "vfiotrace");
		struct bpf_object *obj = bpf_object__open_mem(elf, len, &opts);
		struct plan_row *r;
		int err;

		if (!obj)
			return -errno;
		culprit[0] = 0;
		choose(e, obj);
		err = bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "ring"), e->opt.ring_bytes);
		if (!err)
			err = bpf_object__load(obj);
		if (!err) {
			e->obj = obj;
			return 0;
		}
		bpf_object__close(obj);
		r = culprit[0] ? plan__by_prog(&e->plan, is_injector(culprit) ? PLAN_INJECT : PLAN_CORE, 0, culprit) : NULL;
		if (!r || err == -EPERM)
			return err;
		give_up(r, "the kernel refused to load the program", err);
	}
	return -ELOOP;
}

/* fd of a module's BTF object in the kernel; 0 stands for vmlinux. */
static int btf_obj_fd(struct engine *e, const char *module)
{
	__u32 id = 0;

	if (!strcmp(module, "vmlinux"))
		return 0;
	for (size_t i = 0; i < e->nr_btf_fds; i++)
		if (!strcmp(e->btf_fds[i].module, module))
			return e->btf_fds[i].fd;
	while (!bpf_btf_get_next_id(id, &id)) {
		struct module_btf *grown;
		struct bpf_btf_info info;
		char name[64] = "";
		__u32 len = sizeof(info);
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd < 0)
			continue;
		memset(&info, 0, sizeof(info));
		info.name = (uintptr_t)name;
		info.name_len = sizeof(name);
		if (bpf_obj_get_info_by_fd(fd, &info, &len) || strcmp(name, module)) {
			close(fd);
			continue;
		}
		grown = realloc(e->btf_fds, (e->nr_btf_fds + 1) * sizeof(*grown));
		if (!grown) {
			close(fd);
			return -ENOMEM;
		}
		e->btf_fds = grown;
		grown[e->nr_btf_fds].fd = fd;
		snprintf(grown[e->nr_btf_fds++].module, sizeof(grown->module), "%s", module);
		return fd;
	}
	return -ENOENT;
}

/* The template's instructions again, with the row's function as target. */
static int load_again(struct engine *e, const struct plan_row *r)
{
	struct bpf_program *t = bpf_object__find_program_by_name(e->obj, r->prog);
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = r->exit ? BPF_TRACE_FEXIT : BPF_TRACE_FENTRY,
		    .attach_btf_id = r->btf_id);
	int fd = btf_obj_fd(e, r->module);

	if (!t)
		return -ENOENT;
	if (fd < 0)
		return fd;
	opts.attach_btf_obj_fd = fd;
	return bpf_prog_load(BPF_PROG_TYPE_TRACING, r->prog, "GPL", bpf_program__insns(t), bpf_program__insn_cnt(t), &opts);
}

/* Takes over PROG_FD. */
static bool attach_row(struct engine *e, struct plan_row *r, int prog_fd)
{
	int fd;

	r->prog_fd = prog_fd;
	if (e->opt.dry)
		return false;
	fd = bpf_raw_tracepoint_open(NULL, prog_fd);
	if (fd < 0) {
		give_up(r, "attaching failed", errno);
		return false;
	}
	r->link_fd = fd;
	r->attached = true;
	r->attach_ns = now_ns();
	return true;
}

static int attach_core(struct engine *e)
{
	int attached = 0;

	for (size_t i = 0; i < e->plan.nr; i++) {
		struct plan_row *r = &e->plan.rows[i];
		struct bpf_program *prog;

		if ((r->group != PLAN_CORE && r->group != PLAN_INJECT) || !r->possible || r->attached)
			continue;
		prog = bpf_object__find_program_by_name(e->obj, r->prog);
		attached += attach_row(e, r, dup(bpf_program__fd(prog)));
	}
	return attached;
}

static int attach_group(struct engine *e, enum plan_group group, uint64_t key)
{
	int attached = 0;

	for (size_t i = 0; i < e->plan.nr; i++) {
		struct plan_row *r = &e->plan.rows[i];
		int fd;

		if (r->group != group || r->key != key || !r->possible || r->prog_fd >= 0)
			continue;
		fd = load_again(e, r);
		if (fd < 0)
			give_up(r, "the kernel refused to load the program", fd);
		else
			attached += attach_row(e, r, fd);
	}
	return attached;
}

/* ---- kernel memory ---- */

static int peek(struct engine *e, uint64_t addr, void *buf, size_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err;

	if (len > VT_PEEK_MAX)
		return -E2BIG;
	e->ctl->peek_addr = addr;
	e->ctl->peek_len = len;
	err = bpf_prog_test_run_opts(e->peek_fd, &opts);
	if (err)
		return err;
	if (e->ctl->peek_err)
		return e->ctl->peek_err;
	memcpy(buf, e->ctl->peek, len);
	return 0;
}

static int peek_for_sites(void *arg, uint64_t addr, void *buf, size_t len)
{
	return peek(arg, addr, buf, len);
}

static uint64_t peek_u64(struct engine *e, uint64_t addr)
{
	uint64_t v = 0;

	return addr && !peek(e, addr, &v, sizeof(v)) ? v : 0;
}

/*
 * Where the direct map and the page array begin: variables when the layout is
 * randomized, else the fixed places of Documentation/arch/x86/x86_64/mm.rst.
 */
static void find_memory_layout(struct engine *e)
{
	uint64_t po = kernel__addr(e->k, "page_offset_base", NULL);
	uint64_t vm = kernel__addr(e->k, "vmemmap_base", NULL);

	e->ctl->page_offset = po ? peek_u64(e, po) : 0xffff888000000000ULL;
	e->ctl->vmemmap = vm ? peek_u64(e, vm) : 0xffffea0000000000ULL;
}

/* ---- call sites of free functions ---- */

static int attach_site(struct engine *e, const struct found_site *f, bool df_only)
{
	struct vt_site entry = { .reg = f->callee->arg, .df_only = df_only };
	uint32_t index = e->nr_sites;
	struct plan_row *r;
	struct site *grown;
	int err;

	if (index >= VT_SITES_MAX)
		return -ENOSPC;
	grown = realloc(e->sites, (index + 1) * sizeof(*grown));
	r = plan__add(&e->plan);
	if (!grown || !r)
		return -ENOMEM;
	e->sites = grown;
	e->nr_sites++;
	grown[index] = (struct site){ .addr = f->addr, .callee = f->callee->name, .family = f->callee->family };
	kernel__site(e->k, f->addr, grown[index].where, sizeof(grown[index].where));

	r->group = PLAN_SITE;
	r->event = VT_EV_MEM_FREE;
	r->method = "site";
	r->key = f->addr;
	snprintf(r->prog, sizeof(r->prog), "site_free");
	snprintf(r->func, sizeof(r->func), "%.*s", (int)strcspn(grown[index].where, " "), grown[index].where);
	snprintf(r->module, sizeof(r->module), "vfio");
	err = bpf_map_update_elem(e->map_fd[MAP_SITES], &index, &entry, BPF_ANY);
	if (e->opt.dry && !err) {
		r->possible = true;
		return 0;
	}
	if (!err)
		err = sites__attach(e->site_fd, f->addr, index);
	if (err < 0) {
		give_up(r, "kprobe refused", err);
		return 0;
	}
	r->link_fd = err;
	r->attached = r->possible = true;
	r->attach_ns = now_ns();
	return 1;
}

/* Functions in which a freed pointer can only be a df. */
static bool frees_only_df(const struct engine *e, const char *name)
{
	static const enum vt_event_type own[] = { VT_EV_VFIO_RELEASE, VT_EV_VFIO_OPEN_COMMON, VT_EV_VFIO_LU_OPEN, VT_EV_VFIO_CDEV_OPEN };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		const struct plan_row *r = plan__source(&e->plan, own[i], true, 0, 0);

		if (r && !strcmp(r->func, name))
			return true;
	}
	return false;
}

/* The plan says so when frees cannot be seen. */
static int no_sites(struct engine *e, int err)
{
	struct plan_row *r = plan__add(&e->plan);

	if (!r)
		return -ENOMEM;
	r->group = PLAN_SITE;
	r->event = VT_EV_MEM_FREE;
	r->method = "site";
	snprintf(r->func, sizeof(r->func), "kfree and its kin");
	snprintf(r->module, sizeof(r->module), "vfio");
	if (err)
		give_up(r, "the module's text could not be searched for calls of free functions", err);
	else
		give_up(r, "no call of a free function found in the module's text", 0);
	return 0;
}

static int attach_sites(struct engine *e)
{
	struct found_site *found;
	int nr, attached = 0;

	nr = sites__scan(e->k, "vfio", SITES_FREE, peek_for_sites, e, &found);
	if (nr <= 0)
		return no_sites(e, nr);
	for (int i = 0; i < nr; i++) {
		const char *name = kernel__sym(e->k, found[i].addr, NULL, NULL);
		int ret = attach_site(e, &found[i], name && frees_only_df(e, name));

		if (ret < 0) {
			attached = ret;
			break;
		}
		attached += ret;
	}
	free(found);

	nr = sites__scan(e->k, "vfio", SITES_ALLOC, peek_for_sites, e, &found);
	for (int i = 0; i < nr; i++) {
		const char *name = kernel__sym(e->k, found[i].addr, NULL, NULL);

		if (!name || strcmp(name, "vfio_allocate_device_file"))
			continue;
		e->df_alloc = (struct site){ .addr = found[i].addr, .callee = found[i].callee->name, .family = found[i].callee->family };
		kernel__site(e->k, found[i].addr, e->df_alloc.where, sizeof(e->df_alloc.where));
	}
	free(found);
	return attached;
}

/* ---- vfio.ko ---- */

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

static void drop_rows(struct plan *p, enum plan_group group, uint64_t key)
{
	size_t keep_nr = 0;

	for (size_t i = 0; i < p->nr; i++) {
		struct plan_row *r = &p->rows[i];

		if (r->group != group || r->key != key) {
			p->rows[keep_nr++] = *r;
			continue;
		}
		if (r->link_fd >= 0)
			close(r->link_fd);
		if (r->prog_fd >= 0)
			close(r->prog_fd);
	}
	p->nr = keep_nr;
}

static int attach_vfio(struct engine *e)
{
	int attached, sites;

	if (e->vfio_done || !vfio_present(e))
		return 0;
	drop_rows(&e->plan, PLAN_VFIO, 0);
	if (plan__resolve(&e->plan, e->k, PLAN_VFIO))
		return -ENOMEM;
	vfio_layout(e);
	attached = attach_group(e, PLAN_VFIO, 0);
	if (attached < 0)
		return attached;
	sites = attach_sites(e);
	e->vfio_done = true;
	return sites < 0 ? sites : attached + sites;
}

/* ---- file handlers ---- */

/* The function at an op's address: among the symbols there, the one of the handler's module that BTF knows. */
static struct func_info find_op(struct engine *e, const struct handler *h, uint64_t addr, char *func, size_t len)
{
	struct func_info fi = { 0 };
	const char *name, *module;

	for (size_t n = 0; !fi.found && (name = kernel__sym_at(e->k, addr, n, &module)); n++) {
		if (*h->module && strcmp(module, h->module))
			continue;
		fi = kernel__func(e->k, name, *module ? module : "vmlinux");
		snprintf(func, len, "%s", name);
	}
	return fi;
}

static int add_op_rows(struct engine *e, const struct handler *h, int op, uint64_t addr)
{
	char func[96] = "";
	struct func_info fi = { 0 };

	if (addr)
		fi = find_op(e, h, addr, func, sizeof(func));
	for (int exit = 0; exit < 2; exit++) {
		struct plan_row *r = plan__add(&e->plan);

		if (!r)
			return -ENOMEM;
		r->group = PLAN_HANDLER;
		r->key = h->addr;
		r->event = handler_ops[op].event;
		r->exit = exit;
		r->method = exit ? "fexit" : "fentry";
		r->btf_id = fi.btf_id;
		r->possible = fi.found;
		snprintf(r->prog, sizeof(r->prog), "%c_op_%s", exit ? 'x' : 'e', handler_ops[op].op);
		snprintf(r->compatible, sizeof(r->compatible), "%s", h->compatible);
		snprintf(r->module, sizeof(r->module), "%s", fi.found ? fi.module : "vmlinux");
		snprintf(r->func, sizeof(r->func), "%s", *func ? func : handler_ops[op].op);
		if (!addr) {
			/* Nothing to see is not a blind spot. */
			r->method = "absent";
			snprintf(r->reason, sizeof(r->reason), "handler %s has no such op", h->compatible);
		} else if (!fi.found) {
			snprintf(r->reason, sizeof(r->reason), "%s", *func ? "the op's function is not in BTF" : "no symbol at the op's address");
		}
	}
	return 0;
}

static struct handler *find_handler(struct engine *e, uint64_t addr)
{
	for (size_t i = 0; i < e->nr_handlers; i++)
		if (e->handlers[i].addr == addr)
			return &e->handlers[i];
	return NULL;
}

static void read_owner(struct engine *e, struct handler *h, uint64_t ops)
{
	int off_owner = kernel__offset(e->k, NULL, "liveupdate_file_ops", "owner");
	int off_name = kernel__offset(e->k, NULL, "module", "name");
	uint64_t owner = off_owner < 0 ? 0 : peek_u64(e, ops + off_owner);

	if (!owner || off_name < 0 || peek(e, owner + off_name, h->module, sizeof(h->module) - 8))
		h->module[0] = 0;
}

static bool handler_complete(const struct engine *e, uint64_t addr)
{
	for (size_t i = 0; i < e->plan.nr; i++) {
		const struct plan_row *r = &e->plan.rows[i];

		if (r->group == PLAN_HANDLER && r->key == addr && strcmp(r->method, "absent") && !r->attached)
			return false;
	}
	return true;
}

static int attach_handler(struct engine *e, uint64_t addr)
{
	int off_ops = kernel__offset(e->k, NULL, "liveupdate_file_handler", "ops");
	int off_compat = kernel__offset(e->k, NULL, "liveupdate_file_handler", "compatible");
	struct handler *grown, *h;
	uint64_t ops;
	size_t used;
	int attached;

	h = find_handler(e, addr);
	if (h && h->complete)
		return 0;
	if (h) {
		drop_rows(&e->plan, PLAN_HANDLER, addr);
	} else {
		grown = realloc(e->handlers, (e->nr_handlers + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		e->handlers = grown;
		h = &grown[e->nr_handlers++];
		memset(h, 0, sizeof(*h));
		h->addr = addr;
		if (off_ops < 0 || off_compat < 0 || peek(e, addr + off_compat, h->compatible, 48))
			return -ENOENT;
		used = strlen(e->handler_list);
		snprintf(e->handler_list + used, sizeof(e->handler_list) - used, "%s%s", used ? ", " : "", h->compatible);
	}

	ops = peek_u64(e, addr + off_ops);
	read_owner(e, h, ops);
	for (size_t i = 0; i < NR_OPS; i++) {
		int off = e->op_offset[i];

		if (add_op_rows(e, h, i, off < 0 ? 0 : peek_u64(e, ops + off)))
			return -ENOMEM;
	}
	attached = attach_group(e, PLAN_HANDLER, addr);
	h->complete = handler_complete(e, addr);
	return attached;
}

/* LUO's list of registered handlers (luo_file_handler_list), from its head. */
static int attach_handlers(struct engine *e)
{
	uint64_t head = kernel__addr(e->k, "luo_file_handler_list", NULL);
	int off_list = kernel__offset(e->k, NULL, "liveupdate_file_handler", "list");
	int attached = 0;
	uint64_t at;

	if (!head || off_list < 0)
		return 0;
	e->ctl->handlers_pending = 0;
	at = peek_u64(e, head);
	for (int i = 0; at && at != head && i < 256; i++) {
		int ret = attach_handler(e, at - off_list);

		if (ret < 0)
			return ret;
		attached += ret;
		at = peek_u64(e, at);
	}
	return attached;
}

/* ---- fault injection ---- */

static int plan_injector(struct engine *e, const char *prog, const char *func)
{
	struct func_info fi = kernel__func(e->k, func, NULL);
	struct plan_row *r = plan__add(&e->plan);

	if (!r)
		return -ENOMEM;
	r->group = PLAN_INJECT;
	r->event = VT_EV_INJECT;
	r->method = "fmod_ret";
	r->btf_id = fi.btf_id;
	r->possible = fi.found;
	snprintf(r->prog, sizeof(r->prog), "%s", prog);
	snprintf(r->func, sizeof(r->func), "%s", func);
	snprintf(r->module, sizeof(r->module), "vmlinux");
	if (!fi.found)
		snprintf(r->reason, sizeof(r->reason), "this kernel was built without it (CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC)");
	return fi.found;
}

/* Allocations that must not fail are left alone: what their flag is, the kernel's own enum says. */
static int plan_injection(struct engine *e, const char **why)
{
	long bit = kernel__enum_value(e->k, "___GFP_NOFAIL_BIT");
	int slab = plan_injector(e, "fail_slab", "should_failslab");
	int page = plan_injector(e, "fail_page", "should_fail_alloc_page");

	if (slab < 0 || page < 0)
		return -ENOMEM;
	*why = "fault injection needs CONFIG_FAILSLAB=y and CONFIG_FUNCTION_ERROR_INJECTION=y in the kernel";
	if (!slab && !page)
		return -EOPNOTSUPP;
	*why = "the kernel's BTF does not tell __GFP_NOFAIL, so faults cannot be injected safely";
	if (bit < 0)
		return -EOPNOTSUPP;
	e->nofail = 1u << bit;
	return 0;
}

/* ---- the whole ---- */

static int map_control(struct engine *e)
{
	long page = sysconf(_SC_PAGESIZE);

	e->ctl_len = (sizeof(struct vt_control) + page - 1) & ~(page - 1);
	e->ctl = mmap(NULL, e->ctl_len, PROT_READ | PROT_WRITE, MAP_SHARED, e->map_fd[MAP_CONTROL], 0);
	if (e->ctl == MAP_FAILED) {
		e->ctl = NULL;
		return -errno;
	}
	e->ctl->df_device = e->ctl->dev_inode = e->ctl->dev_refcount = e->ctl->dev_kref = -1;
	e->ctl->dev_dev = e->ctl->dev_open_count = e->ctl->dev_cdev = -1;
	e->ctl->wake_bytes = e->opt.ring_bytes / 4;
	e->ctl->wait_ns = e->opt.jump_wait_ns;
	e->ctl->module_wait_ns = e->opt.module_wait_ns;
	e->ctl->inject_section = e->opt.fail_section;
	e->ctl->inject_nth = e->opt.fail_nth;
	e->ctl->inject_nofail = e->nofail;
	return 0;
}

static int load_core(struct engine *e)
{
	int handle[NR_SECTIONS], err;

	err = own_sections(e, handle);
	if (!err)
		err = load_object(e);
	for (int i = 0; i < NR_SECTIONS; i++)
		if (handle[i] >= 0)
			libbpf_unregister_prog_handler(handle[i]);
	if (err)
		return err;
	for (size_t i = 0; i < NR_MAPS; i++)
		e->map_fd[i] = bpf_map__fd(bpf_object__find_map_by_name(e->obj, shared_maps[i]));
	e->peek_fd = bpf_program__fd(bpf_object__find_program_by_name(e->obj, "peek"));
	e->site_fd = bpf_program__fd(bpf_object__find_program_by_name(e->obj, "site_free"));
	for (size_t i = 0; i < NR_OPS; i++)
		e->op_offset[i] = kernel__offset(e->k, NULL, "liveupdate_file_ops", handler_ops[i].op);
	err = map_control(e);
	if (err)
		return err;
	find_memory_layout(e);
	err = attach_core(e);
	return err < 0 ? err : 0;
}

int engine__open(struct engine **out, struct kernel *k, const struct engine_options *o, const char **why)
{
	struct engine *e = calloc(1, sizeof(*e));
	int err;

	*why = "out of memory";
	if (!e)
		return -ENOMEM;
	e->k = k;
	e->opt = *o;
	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(listen);
	err = plan__resolve(&e->plan, k, PLAN_CORE);
	if (!err && o->fail_section)
		err = plan_injection(e, why);
	if (!err)
		err = plan__resolve(&e->plan, k, PLAN_VFIO);
	if (err)
		goto fail;
	err = load_core(e);
	if (err) {
		*why = err == -EPERM ? "the kernel refuses BPF tracing programs (missing capability, lockdown, or a sandbox)" :
		       last_complaint[0] ? last_complaint : "the BPF programs could not be loaded";
		goto fail;
	}
	err = engine__catch_up(e);
	if (err < 0) {
		*why = last_complaint[0] ? last_complaint : "attaching failed";
		goto fail;
	}
	*out = e;
	return 0;
fail:
	engine__free(e);
	return err;
}

int engine__catch_up(struct engine *e)
{
	int vfio = 0, handlers, err;

	if (e->caught_up) {
		/* New modules brought new symbols. */
		err = kernel__refresh(e->k);
		if (err)
			return err;
	}
	e->caught_up = true;
	vfio = attach_vfio(e);
	if (vfio < 0)
		return vfio;
	handlers = attach_handlers(e);
	return handlers < 0 ? handlers : vfio + handlers;
}

void engine__free(struct engine *e)
{
	if (!e)
		return;
	if (e->ctl)
		e->ctl->gate = 0;
	for (size_t i = 0; i < e->plan.nr; i++) {
		if (e->plan.rows[i].link_fd >= 0)
			close(e->plan.rows[i].link_fd);
		if (e->plan.rows[i].prog_fd >= 0)
			close(e->plan.rows[i].prog_fd);
	}
	if (e->ctl)
		munmap(e->ctl, e->ctl_len);
	for (size_t i = 0; i < e->nr_btf_fds; i++)
		close(e->btf_fds[i].fd);
	free(e->btf_fds);
	bpf_object__close(e->obj);
	free(e->handlers);
	free(e->sites);
	plan__clear(&e->plan);
	free(e);
}

struct vt_control *engine__control(struct engine *e)
{
	return e->ctl;
}

struct plan *engine__plan(struct engine *e)
{
	return &e->plan;
}

int engine__ring_fd(const struct engine *e)
{
	return e->map_fd[MAP_RING];
}

const struct site *engine__site(const struct engine *e, uint32_t index)
{
	return index < e->nr_sites ? &e->sites[index] : NULL;
}

const struct site *engine__df_alloc(const struct engine *e)
{
	return e->df_alloc.addr ? &e->df_alloc : NULL;
}

bool engine__has_luo(const struct engine *e)
{
	return kernel__addr(e->k, "liveupdate_reboot", NULL) && kernel__addr(e->k, "luo_preserve_file", NULL);
}

const char *engine__handlers(const struct engine *e)
{
	return e->handler_list;
}

int engine__losses(struct engine *e, struct vt_wire_loss out[VT_EV_MAX])
{
	int cpus = libbpf_num_possible_cpus();
	struct vt_wire_cpu *buf = cpus > 0 ? calloc(cpus, sizeof(*buf)) : NULL;
	uint32_t zero = 0;
	int err = 0;

	memset(out, 0, VT_EV_MAX * sizeof(*out));
	if (!buf)
		return -ENOMEM;
	if (bpf_map_lookup_elem(e->map_fd[MAP_CPUS], &zero, buf))
		err = -errno;
	for (int i = 0; !err && i < cpus; i++) {
		for (int t = 0; t < VT_EV_MAX; t++) {
			const struct vt_wire_loss *l = &buf[i].loss[t];

			if (!l->count)
				continue;
			if (!out[t].count || l->first_ns < out[t].first_ns)
				out[t].first_ns = l->first_ns;
			if (l->last_ns > out[t].last_ns)
				out[t].last_ns = l->last_ns;
			out[t].count += l->count;
		}
	}
	free(buf);
	return err;
}
