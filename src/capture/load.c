/* SPDX-License-Identifier: GPL-2.0 */
/* Loading the BPF object and aiming its programs. */
#include "capture/engine_private.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/kernel.h"
#include "programs.skel.h"

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

const char *load__complaint(void)
{
	return last_complaint;
}

/* ---- loading ---- */

void load__give_up(struct plan_row *r, const char *what, int err)
{
	r->possible = false;
	if (err)
		snprintf(r->reason, sizeof(r->reason), "%s: %s", what, strerror(err < 0 ? -err : err));
	else
		snprintf(r->reason, sizeof(r->reason), "%.*s", (int)sizeof(r->reason) - 1, what);
}

/* These are loaded whether their functions are there or not: they may come, or be several. */
static bool is_template(const char *prog)
{
	const struct hook *h = plan__hook(prog);

	return h ? h->group != PLAN_CORE : together__is_program(prog);
}

void load__free_templates(struct engine *e)
{
	for (size_t i = 0; i < e->nr_templates; i++) {
		free(e->templates[i].insns);
		free(e->templates[i].func_info);
	}
	free(e->templates);
	e->templates = NULL;
	e->nr_templates = 0;
}

static void *copy_of(const void *p, size_t len)
{
	void *copy = malloc(len + 1);

	if (copy && len)
		memcpy(copy, p, len);
	return copy;
}

/* Takes over what libbpf has relocated. OPTS: with the description of its functions, where the verifier asks for it. */
static int keep_template(struct engine *e, struct bpf_program *prog, const struct bpf_prog_load_opts *opts)
{
	struct template *grown = realloc(e->templates, (e->nr_templates + 1) * sizeof(*grown)), *t;

	if (!grown)
		return -ENOMEM;
	e->templates = grown;
	t = &grown[e->nr_templates];
	memset(t, 0, sizeof(*t));
	t->nr = bpf_program__insn_cnt(prog);
	t->insns = copy_of(bpf_program__insns(prog), t->nr * sizeof(*t->insns));
	e->nr_templates++;
	snprintf(t->prog, sizeof(t->prog), "%s", bpf_program__name(prog));
	t->sleepable = !strcmp(bpf_program__section_name(prog), "fexit.s");
	if (opts) {
		t->func_info_cnt = opts->func_info_cnt;
		t->func_info_rec_size = opts->func_info_rec_size;
		t->func_info = copy_of(opts->func_info, (size_t)t->func_info_cnt * t->func_info_rec_size);
		t->btf_fd = opts->prog_btf_fd;
	}
	return t->insns && (!opts || t->func_info) ? 0 : -ENOMEM;
}

/* bpf_loop() takes the address of a function. */
static bool has_callback(const struct bpf_program *prog)
{
	const struct bpf_insn *insn = bpf_program__insns(prog);

	for (size_t i = 0; i < bpf_program__insn_cnt(prog); i++)
		if (insn[i].code == (BPF_LD | BPF_IMM | BPF_DW) && insn[i].src_reg == BPF_PSEUDO_FUNC)
			return true;
	return false;
}

/* Without it a global function counts as a static one, which is fine for one program, and dear for one of many parts. */
static bool needs_func_info(const struct bpf_program *prog)
{
	return has_callback(prog) || together__is_program(bpf_program__name(prog));
}

/* Any function will do as the target of a program that returns at once. */
static const char *const stand_in = "mnt_want_write_file";

/* libbpf must load something: two instructions. */
static int load_nothing(struct engine *e, struct bpf_program *prog, struct bpf_prog_load_opts *opts)
{
	struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	opts->func_info_cnt = opts->line_info_cnt = 0;
	opts->attach_btf_id = kernel__func(e->k, stand_in, NULL).btf_id;
	return bpf_program__set_insns(prog, nothing, sizeof(nothing) / sizeof(nothing[0]));
}

const struct template *load__template(const struct engine *e, const char *prog)
{
	for (size_t i = 0; i < e->nr_templates; i++)
		if (!strcmp(e->templates[i].prog, prog))
			return &e->templates[i];
	return NULL;
}

/* Programs that are only there for fault injection. */
static bool is_injector(const char *prog)
{
	return !strcmp(prog, "fail_slab") || !strcmp(prog, "fail_page");
}

/* Programs on functions: fentry, fexit, fmod_ret. The others, the recorder's own and those of call sites, are always wanted. */
static bool is_on_function(const struct bpf_program *prog)
{
	return *bpf_program__section_name(prog) == 'f';
}

/* When libbpf loads the first program it has relocated all of them: what is ours to load is taken away. */
static int take_over(struct engine *e, const struct bpf_program *first)
{
	struct bpf_program *p;
	int err = 0;

	bpf_object__for_each_program(p, e->obj) {
		if (!bpf_program__autoload(p) || !is_on_function(p) || is_injector(bpf_program__name(p)) || needs_func_info(p))
			continue;
		err = keep_template(e, p, NULL);
		if (!err && p != first)
			err = bpf_program__set_autoload(p, false);
		if (err)
			return err;
	}
	e->taken_over = true;
	return 0;
}

/*
 * libbpf asks before each load of a program of ours. It opens, relocates and
 * makes the maps; the programs are loaded by us, several at a time, each only
 * where it will be attached.
 */
static int aim(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	struct engine *e = (struct engine *)cookie;
	const char *name = bpf_program__name(prog);
	int err = e->taken_over ? 0 : take_over(e, prog);

	if (err)
		return err;
	if (is_injector(name)) {
		opts->attach_btf_id = plan__by_prog(&e->plan, PLAN_INJECT, 0, name)->btf_id;
		return 0;
	}
	err = load__template(e, name) ? 0 : keep_template(e, prog, opts);
	return err ? err : load_nothing(e, prog, opts);
}

#define VERIFIER_LOG (4 << 20)
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

		if (!r)
			r = plan__by_prog(&e->plan, PLAN_INJECT, 0, name);
		bpf_program__set_autoload(prog, !is_on_function(prog) || (r ? r->possible : is_template(name)));
	}
}

static int size_maps(const struct engine *e, struct bpf_object *obj)
{
	const char *objects = getenv("VFIOTRACE_OBJECTS");	/* for tests */
	int err = bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "ring"), e->opt.ring_bytes);

	if (!err && objects && atoi(objects) > 0)
		err = bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "objects"), atoi(objects));
	return err;
}

/* An injector that this kernel's verifier refuses is left out and told, the rest goes on. */
static int open_and_load(struct engine *e)
{
	size_t len;
	const void *elf = programs_bpf__elf_bytes(&len);

	for (int tries = 0; tries < 32; tries++) {
		LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "vfiotrace");
		struct bpf_object *obj = bpf_object__open_mem(elf, len, &opts);
		struct plan_row *r;
		int err;

		if (!obj)
			return -errno;
		culprit[0] = 0;
		load__free_templates(e);
		e->taken_over = false;
		e->obj = obj;
		choose(e, obj);
		err = size_maps(e, obj);
		if (!err)
			err = bpf_object__load(obj);
		if (!err)
			return 0;
		bpf_object__close(obj);
		e->obj = NULL;
		r = culprit[0] ? plan__by_prog(&e->plan, PLAN_INJECT, 0, culprit) : NULL;
		if (!r || err == -EPERM)
			return err;
		load__give_up(r, "the kernel refused to load the program", err);
	}
	return -ELOOP;
}

/* fd of a module's BTF object in the kernel; 0 stands for vmlinux. */
int load__btf_fd(struct engine *e, const char *module)
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

/* What the verifier says of a program that it refuses is for whoever works on the programs. */
static int load_insns(const char *prog, const struct template *t, struct bpf_prog_load_opts *opts)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, prog, "GPL", t->insns, t->nr, opts);
	char *log;

	if (fd >= 0 || !getenv("VFIOTRACE_DEBUG"))
		return fd;
	log = calloc(1, VERIFIER_LOG);
	if (!log)
		return fd;
	opts->log_buf = log;
	opts->log_size = VERIFIER_LOG;
	opts->log_level = 1;
	if (bpf_prog_load(BPF_PROG_TYPE_TRACING, prog, "GPL", t->insns, t->nr, opts) < 0)
		fprintf(stderr, "%s is refused:\n%s\n", prog, log);
	free(log);
	return fd;
}

int load__again(struct engine *e, const char *prog, unsigned int attach_type, uint32_t btf_id, int btf_fd)
{
	const struct template *t = load__template(e, prog);
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach_type, .attach_btf_id = btf_id, .attach_btf_obj_fd = btf_fd);

	if (!t)
		return -ENOENT;
	opts.prog_btf_fd = t->btf_fd;
	opts.func_info = t->func_info;
	opts.func_info_cnt = t->func_info_cnt;
	opts.func_info_rec_size = t->func_info_rec_size;
	if (t->sleepable)
		opts.prog_flags |= BPF_F_SLEEPABLE;
	return load_insns(prog, t, &opts);
}

/* Injectors were loaded with the object. */
static void attach_injectors(struct engine *e)
{
	for (size_t i = 0; i < e->plan.nr; i++) {
		struct plan_row *r = &e->plan.rows[i];

		if (r->group == PLAN_INJECT && r->possible && r->prog_fd < 0)
			crew__attach_row(e, r, dup(bpf_program__fd(bpf_object__find_program_by_name(e->obj, r->prog))));
	}
}

int load__attach_core(struct engine *e)
{
	attach_injectors(e);
	return crew__attach_group(e, PLAN_CORE, 0);
}

void load__drop_rows(struct plan *p, enum plan_group group, uint64_t key)
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

int load__object(struct engine *e)
{
	int handle[NR_SECTIONS], err;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	libbpf_set_print(listen);
	err = own_sections(e, handle);
	if (!err)
		err = open_and_load(e);
	for (int i = 0; i < NR_SECTIONS; i++)
		if (handle[i] >= 0)
			libbpf_unregister_prog_handler(handle[i]);
	return err;
}
