/* SPDX-License-Identifier: GPL-2.0 */
/* Opening the BPF object: libbpf relocates it and makes the maps, the programs on functions are taken over from it. */
#include "capture/object/object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/kernel/kernel.h"
#include "capture/object/complaint.h"
#include "capture/object/private.h"
#include "capture/object/template.h"
#include "capture/plan/plan.h"
#include "programs.skel.h"

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

/* libbpf must load something: two instructions. */
static int stub_out(struct bpf_program *prog, struct bpf_prog_load_opts *opts)
{
	struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	opts->func_info_cnt = opts->line_info_cnt = 0;
	return bpf_program__set_insns(prog, nothing, sizeof(nothing) / sizeof(nothing[0]));
}

/*
 * libbpf asks before each load of a program. It opens, relocates and makes the
 * maps; programs on functions are loaded by us, several at a time, each only
 * where it will be attached.
 */
static struct object *at_hand;

static int aim(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	struct object *o = at_hand;
	const char *name = bpf_program__name(prog);
	int err;

	if (is_on_function(prog) && !is_injector(prog)) {
		err = template__has(o, name) ? 0 : template__keep(o, prog, opts);
		return err ? err : stub_out(prog, opts);
	}
	if (is_injector(prog))
		opts->attach_btf_id = plan__by_prog(o->plan, PLAN_INJECT, 0, name)->btf_id;
	if (bpf_program__type(prog) == BPF_PROG_TYPE_SYSCALL)
		opts->prog_flags |= BPF_F_SLEEPABLE;
	return template__complete(o, prog);
}

/*
 * Programs on functions are of no type of tracing to libbpf, which else reads
 * all of the kernel's types for them. Once for the process: libbpf 1.1 trips
 * when the last of such handlers goes and another comes.
 */
static int own_sections(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = aim);
	static const struct { const char *name; enum bpf_prog_type type; enum bpf_attach_type at; } sections[] = {
		{ "fentry", BPF_PROG_TYPE_KPROBE, 0 }, { "fexit", BPF_PROG_TYPE_KPROBE, 0 }, { "fexit.s", BPF_PROG_TYPE_KPROBE, 0 },
		{ "fmod_ret", BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN }, { "kprobe", BPF_PROG_TYPE_KPROBE, 0 }, { "syscall", BPF_PROG_TYPE_SYSCALL, 0 },
	};
	static bool done;

	for (size_t i = 0; !done && i < sizeof(sections) / sizeof(sections[0]); i++) {
		int handle = libbpf_register_prog_handler(sections[i].name, sections[i].type, sections[i].at, &opts);

		if (handle < 0)
			return handle;
	}
	done = true;
	return 0;
}

/* Few recordings need these: loaded when one does. */
static bool is_on_demand(const char *name)
{
	static const char *const names[] = { "save_args", "last_look", "vfio_there", "session_there" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Programs on functions that will be attached: where hooks share programs, not each hook's own. What is wanted after all is fetched then. */
static bool is_wanted(const struct object *o, const struct bpf_program *prog)
{
	const char *name = bpf_program__name(prog);
	const struct plan_row *r = plan__by_prog(o->plan, is_injector(prog) ? PLAN_INJECT : PLAN_CORE, 0, name);
	const struct hook *h = template__is_multi(name) ? NULL : plan__hook(name);

	if (is_on_demand(name))
		return o->opt.dry;
	if (!is_on_function(prog))
		return true;
	if (is_injector(prog))
		return r && r->possible;
	if (template__is_multi(name))
		return o->has_multi;
	return !(o->has_multi && h && h->shared) && (!r || r->possible);
}

static void choose(struct object *o, struct bpf_object *obj)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, is_wanted(o, prog));
}

static int size_maps(const struct object *o, struct bpf_object *obj)
{
	const char *objects = getenv("VFIOTRACE_OBJECTS");	/* for tests */
	int err = bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "ring"), o->opt.ring_bytes);

	if (!err)
		err = bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "bell"), sysconf(_SC_PAGESIZE));
	if (!err && objects && atoi(objects) > 0) {
		err = bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "objects"), atoi(objects));
		if (!err)	/* nobody else's place is there then */
			err = bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "nearby"), 1);
	}
	return err;
}

/* Of the kernel's types libbpf gets those that the programs know. */
static struct bpf_object *open_elf(struct object *o)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "vfiotrace");
	char types[32];
	size_t len;
	const void *elf = programs_bpf__elf_bytes(&len);

	snprintf(types, sizeof(types), "/proc/self/fd/%d", o->types_fd);
	opts.btf_custom_path = types;
	return bpf_object__open_mem(elf, len, &opts);
}

static int find_types(struct object *o, const struct bpf_object *obj)
{
	struct stat st;

	if (fstat(o->types_fd, &st))
		return -errno;
	return st.st_size ? 0 : kernel__small_btf(o->k, bpf_object__btf(obj), o->types_fd);
}

/* An injector that this kernel's verifier refuses is left out and told, the rest goes on. */
static int open_and_load(struct object *o)
{
	for (int tries = 0; tries < 32; tries++) {
		struct bpf_object *obj = open_elf(o);
		struct plan_row *r;
		int err;

		if (!obj)
			return -errno;
		complaint__forget();
		template__drop_all(o);
		o->bpf = obj;
		choose(o, obj);
		err = find_types(o, obj);
		if (!err)
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

/* ---- later ---- */

/* Of programs on functions all come together: where one is wanted after all there may be many. */
static bool comes_with(const struct bpf_program *p, const struct bpf_program *wanted)
{
	return p == wanted || (is_on_function(p) && is_on_function(wanted) && !is_injector(p) && !template__is_multi(bpf_program__name(p)));
}

/* With the maps that there are, and of the programs PROG and what comes with it. */
static int load_one(struct object *o, struct bpf_object *obj, const char *prog)
{
	struct bpf_program *p, *wanted = bpf_object__find_program_by_name(obj, prog);
	struct bpf_map *m;
	int err = wanted ? 0 : -ENOENT;

	bpf_object__for_each_program(p, obj)
		bpf_program__set_autoload(p, wanted && comes_with(p, wanted));
	bpf_object__for_each_map(m, obj) {
		int fd = object__map_fd(o, bpf_map__name(m));

		if (!err && fd >= 0)
			err = bpf_map__reuse_fd(m, fd);
	}
	return err ? err : bpf_object__load(obj);
}

/* The object stays: the program's instructions have its maps by their descriptors. */
static int fetch(struct object *o, const char *prog)
{
	struct bpf_object **grown = realloc(o->more, (o->nr_more + 1) * sizeof(*grown)), *obj;

	if (!grown)
		return -ENOMEM;
	o->more = grown;
	obj = open_elf(o);
	if (!obj)
		return -errno;
	grown[o->nr_more++] = obj;
	at_hand = o;
	return load_one(o, obj, prog);
}

/* ---- opening ---- */

static int load(struct object *o)
{
	int err;

	libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
	complaint__listen();
	o->has_multi = !o->opt.dry && kernel__has_enumerator(o->k, "bpf_attach_type", "BPF_TRACE_FENTRY_MULTI");
	o->cast_id = kernel__func(o->k, "bpf_rdonly_cast", NULL).btf_id;
	o->types_fd = memfd_create("types", MFD_CLOEXEC);
	if (o->types_fd < 0)
		return -errno;
	at_hand = o;
	err = own_sections();
	return err ? err : open_and_load(o);
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
	o->types_fd = -1;
	o->fetch = fetch;
	pthread_mutex_init(&o->lock, NULL);
	err = load(o);
	if (!err)
		err = control__map(o, object__map_fd(o, ".bss"));
	if (err) {
		object__free(o);
		return err;
	}
	o->cpus_fd = object__map_fd(o, "cpus");
	o->peek_fd = object__program_fd(o, "peek");
	*out = o;
	return 0;
}

void object__free(struct object *o)
{
	if (!o)
		return;
	control__unmap(o);
	bpf_object__close(o->bpf);
	for (size_t i = 0; i < o->nr_more; i++)
		bpf_object__close(o->more[i]);
	free(o->more);
	if (o->types_fd >= 0)
		close(o->types_fd);
	template__drop_all(o);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

static int fd_in(const struct bpf_object *obj, const char *prog)
{
	struct bpf_program *p = bpf_object__find_program_by_name(obj, prog);

	return p && bpf_program__autoload(p) ? bpf_program__fd(p) : -ENOENT;
}

static int find_or_fetch(struct object *o, const char *prog)
{
	int fd = fd_in(o->bpf, prog);

	for (size_t i = 0; fd < 0 && i < o->nr_more; i++)
		fd = fd_in(o->more[i], prog);
	if (fd >= 0)
		return fd;
	fd = fetch(o, prog);
	return fd ? fd : fd_in(o->more[o->nr_more - 1], prog);
}

int object__program_fd(struct object *o, const char *prog)
{
	int fd;

	pthread_mutex_lock(&o->lock);
	fd = find_or_fetch(o, prog);
	pthread_mutex_unlock(&o->lock);
	return fd;
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
