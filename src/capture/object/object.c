/* SPDX-License-Identifier: GPL-2.0 */
/* Opening the BPF object: libbpf relocates it and makes the maps, the programs on functions are taken over from it. */
#include "capture/object/object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/kernel/kernel.h"
#include "capture/object/complaint.h"
#include "capture/object/private.h"
#include "capture/object/template.h"
#include "capture/plan/plan.h"
#include "programs.skel.h"

/* bpf_loop() takes the address of a function. */
static bool has_callback(const struct bpf_program *prog)
{
	const struct bpf_insn *insn = bpf_program__insns(prog);

	for (size_t i = 0; i < bpf_program__insn_cnt(prog); i++)
		if (insn[i].code == (BPF_LD | BPF_IMM | BPF_DW) && insn[i].src_reg == BPF_PSEUDO_FUNC)
			return true;
	return false;
}

/* Programs that many hooks share (vfiotrace/hooks.h). */
static bool is_multi(const char *prog)
{
	return !strncmp(prog, "all_", 4);
}

/* Without it a global function counts as a static one, which is fine for one program, and dear for one of many parts. */
static bool needs_func_info(const struct bpf_program *prog)
{
	return has_callback(prog) || is_multi(bpf_program__name(prog));
}

/* Any function will do as the target of a program that returns at once: one that all kernels have, or one that is hooked anyway. */
static uint32_t stand_in(const struct object *o)
{
	uint32_t id = kernel__func(o->k, "mnt_want_write_file", NULL).btf_id;

	for (size_t i = 0; !id && i < o->plan->nr; i++)
		if (o->plan->rows[i].possible && !strcmp(o->plan->rows[i].module, "vmlinux"))
			id = o->plan->rows[i].btf_id;
	return id;
}

/* libbpf must load something: two instructions. */
static int stub_out(struct object *o, struct bpf_program *prog, struct bpf_prog_load_opts *opts)
{
	struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	opts->func_info_cnt = opts->line_info_cnt = 0;
	opts->attach_btf_id = stand_in(o);
	return bpf_program__set_insns(prog, nothing, sizeof(nothing) / sizeof(nothing[0]));
}

/* Programs that are only there for fault injection. */
static bool is_injector(const struct bpf_program *prog)
{
	return !strcmp(bpf_program__section_name(prog), "fmod_ret");
}

/* Programs on functions: fentry, fexit, fmod_ret. The others, the recorder's own and those of call sites, are always wanted. */
static bool is_on_function(const struct bpf_program *prog)
{
	return *bpf_program__section_name(prog) == 'f';
}

/* When libbpf loads the first program it has relocated all of them: what is ours to load is taken away. */
static int take_over(struct object *o, const struct bpf_program *first)
{
	struct bpf_program *p;
	int err = 0;

	bpf_object__for_each_program(p, o->bpf) {
		if (!bpf_program__autoload(p) || !is_on_function(p) || is_injector(p) || needs_func_info(p))
			continue;
		err = template__keep(o, p, NULL);
		if (!err && p != first)
			err = bpf_program__set_autoload(p, false);
		if (err)
			return err;
	}
	o->taken_over = true;
	return 0;
}

/*
 * libbpf asks before each load of a program of ours. It opens, relocates and
 * makes the maps; the programs are loaded by us, several at a time, each only
 * where it will be attached.
 */
static int aim(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	struct object *o = (struct object *)cookie;
	const char *name = bpf_program__name(prog);
	int err = o->taken_over ? 0 : take_over(o, prog);

	if (err)
		return err;
	if (is_injector(prog)) {
		opts->attach_btf_id = plan__by_prog(o->plan, PLAN_INJECT, 0, name)->btf_id;
		return 0;
	}
	err = template__exists(o, name) ? 0 : template__keep(o, prog, opts);
	return err ? err : stub_out(o, prog, opts);
}

#define NR_SECTIONS 4

static int own_sections(struct object *o, int handle[NR_SECTIONS])
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = (long)o, .prog_prepare_load_fn = aim);

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
static void choose(struct object *o, struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj) {
		const char *name = bpf_program__name(prog);
		struct plan_row *r = plan__by_prog(o->plan, PLAN_CORE, 0, name);

		if (!r)
			r = plan__by_prog(o->plan, PLAN_INJECT, 0, name);
		bpf_program__set_autoload(prog, !is_on_function(prog) || (r ? r->possible : !is_injector(prog)));
	}
}

static int size_maps(const struct object *o, struct bpf_object *obj)
{
	const char *objects = getenv("VFIOTRACE_OBJECTS");	/* for tests */
	int err = bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "ring"), o->opt.ring_bytes);

	if (!err && objects && atoi(objects) > 0)
		err = bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "objects"), atoi(objects));
	return err;
}

/* An injector that this kernel's verifier refuses is left out and told, the rest goes on. */
static int open_and_load(struct object *o)
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
		complaint__forget();
		template__drop_all(o);
		o->taken_over = false;
		o->bpf = obj;
		choose(o, obj);
		err = size_maps(o, obj);
		if (!err)
			err = bpf_object__load(obj);
		if (!err)
			return 0;
		bpf_object__close(obj);
		o->bpf = NULL;
		r = *complaint__culprit() ? plan__by_prog(o->plan, PLAN_INJECT, 0, complaint__culprit()) : NULL;
		if (!r || err == -EPERM)
			return err;
		plan__give_up(r, "the kernel refused to load the program", err);
	}
	return -ELOOP;
}

static int load(struct object *o)
{
	int handle[NR_SECTIONS], err;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	complaint__listen();
	err = own_sections(o, handle);
	if (!err)
		err = open_and_load(o);
	for (int i = 0; i < NR_SECTIONS; i++)
		if (handle[i] >= 0)
			libbpf_unregister_prog_handler(handle[i]);
	return err;
}

int object__open(struct object **out, struct kernel *k, struct plan *p, const struct object_options *opt)
{
	struct object *o = calloc(1, sizeof(*o));
	int err;

	if (!o)
		return -ENOMEM;
	o->k = k;
	o->plan = p;
	o->opt = *opt;
	err = load(o);
	if (!err)
		err = control__map(o, object__map_fd(o, ".data.control"));
	if (err) {
		object__free(o);
		return err;
	}
	o->cpus_fd = object__map_fd(o, "cpus");
	o->peek_fd = object__program_fd(o, "peek");
	o->last_look_fd = object__program_fd(o, "last_look");
	*out = o;
	return 0;
}

void object__free(struct object *o)
{
	if (!o)
		return;
	control__unmap(o);
	bpf_object__close(o->bpf);
	template__drop_all(o);
	free(o);
}

int object__program_fd(const struct object *o, const char *prog)
{
	struct bpf_program *p = bpf_object__find_program_by_name(o->bpf, prog);

	return p ? bpf_program__fd(p) : -ENOENT;
}

int object__map_fd(const struct object *o, const char *map)
{
	struct bpf_map *m = bpf_object__find_map_by_name(o->bpf, map);

	return m ? bpf_map__fd(m) : -ENOENT;
}

struct vt_control *object__control(const struct object *o)
{
	return o->ctl;
}
