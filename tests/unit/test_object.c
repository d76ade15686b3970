// SPDX-License-Identifier: GPL-2.0
/*
 * What libbpf is given to load, on a kernel in whose types there is no function but the one that all programs call:
 * no program may need another before it is known where it will be attached. The object is ours, libbpf opens it, and
 * what it would load is looked at.
 */
#include "unit.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/kernel/clock.h"
#include "capture/kernel/kernel.h"
#include "capture/object/object.h"
#include "capture/object/private.h"
#include "capture/object/prologue.h"
#include "capture/plan/plan.h"

#define CAST 4711	/* id of bpf_rdonly_cast() */

static bool has_multi;
static int memory = -1;		/* in place of each map's */
static libbpf_prog_prepare_load_fn_t prepare;
static size_t nr_loaded, nr_stubs;

/* ---- the kernel ---- */

struct func_info kernel__func(struct kernel *k, const char *func, const char *module)
{
	bool found = !strcmp(func, "bpf_rdonly_cast");

	return (struct func_info){ .found = found, .btf_id = found ? CAST : 0 };
}

bool kernel__has_enumerator(const struct kernel *k, const char *type, const char *name)
{
	return has_multi;
}

int kernel__small_btf(const struct kernel *k, const struct btf *asked, int fd)
{
	return 0;
}

/* ---- libbpf ---- */

int __real_libbpf_register_prog_handler(const char *sec, enum bpf_prog_type type, enum bpf_attach_type at,
					const struct libbpf_prog_handler_opts *opts);
int __wrap_libbpf_register_prog_handler(const char *sec, enum bpf_prog_type type, enum bpf_attach_type at,
					const struct libbpf_prog_handler_opts *opts);
int __wrap_bpf_object__load(struct bpf_object *obj);
int __wrap_bpf_map__fd(const struct bpf_map *map);
int __wrap_bpf_program__fd(const struct bpf_program *prog);

int __wrap_libbpf_register_prog_handler(const char *sec, enum bpf_prog_type type, enum bpf_attach_type at,
					const struct libbpf_prog_handler_opts *opts)
{
	prepare = opts->prog_prepare_load_fn;
	return __real_libbpf_register_prog_handler(sec, type, at, opts);
}

/* Each call of the cast is one, and none is left that stands for it. */
static size_t casts(const struct bpf_insn *insns, size_t nr)
{
	size_t found = 0;

	for (size_t i = 0; i < nr; i++) {
		if (insns[i].code != (BPF_JMP | BPF_CALL))
			continue;
		assert_false(!insns[i].src_reg && insns[i].imm == VT_RDONLY_CAST);
		found += insns[i].src_reg == BPF_PSEUDO_KFUNC_CALL && insns[i].imm == CAST;
	}
	return found;
}

int __wrap_bpf_object__load(struct bpf_object *obj)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, obj) {
		LIBBPF_OPTS(bpf_prog_load_opts, opts);
		int err;

		if (!bpf_program__autoload(p))
			continue;
		/* Of such a one libbpf itself asks on which function it is to be. */
		assert_int_not_equal(bpf_program__type(p), BPF_PROG_TYPE_TRACING);
		err = prepare(p, &opts, 0);
		if (err)
			return err;
		assert_int_equal(opts.attach_btf_id, 0);
		assert_int_equal(opts.attach_btf_obj_fd, 0);
		nr_loaded++;
		nr_stubs += bpf_program__insn_cnt(p) == 2;
		casts(bpf_program__insns(p), bpf_program__insn_cnt(p));
	}
	return 0;
}

int __wrap_bpf_map__fd(const struct bpf_map *map)
{
	return memory;
}

int __wrap_bpf_program__fd(const struct bpf_program *prog)
{
	return 1000;
}

/* ---- what is not looked at here ---- */

uint64_t clock__now(void)
{
	return 0;
}

struct plan_row *plan__by_prog(struct plan *p, enum plan_group group, uint64_t key, const char *prog)
{
	return NULL;
}

const struct hook *plan__hook(const char *prog)
{
	return NULL;
}

void plan__give_up(struct plan_row *r, const char *what, int err)
{
}

int prologue__stack_used(const struct bpf_insn *insns, size_t nr)
{
	return 0;
}

int prologue__make(const struct kprobe_shape *s, int used, struct bpf_insn out[PROLOGUE_MAX])
{
	return -E2BIG;
}

/* ---- tests ---- */

/* Whether PROG is there and has a jump to a program. */
static bool jumps(const struct object *o, const char *prog)
{
	for (size_t i = 0; i < o->nr_templates; i++) {
		const struct template *t = &o->templates[i];

		for (size_t n = 0; !strcmp(t->prog, prog) && n < t->nr; n++)
			if (t->insns[n].code == (BPF_JMP | BPF_CALL) && !t->insns[n].src_reg && t->insns[n].imm == BPF_FUNC_tail_call)
				return true;
	}
	return false;
}

static bool has_jump(const struct object *o, bool exit, const char *to, const char *as)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%s%s", exit ? "all_x" : "all_e", to, as);
	return template__has(o, name);
}

/* All three, or where the whole machine passes the one without a deputy. */
static void all_jumps(const struct object *o, bool exit, const char *to, bool wide)
{
	assert_true(has_jump(o, exit, to, ""));
	assert_int_equal(has_jump(o, exit, to, "_first"), !wide);
	assert_int_equal(has_jump(o, exit, to, "_deputy"), !wide);
}

enum { OWN, SHARED, HOT, WIDE, SLEEPS };
enum { ENTER = 1, EXIT = 2, BOTH = 3 };

static const struct {
	const char *name;
	int share, ends;
} table[] = {
#define ROW(domain, group, name, ends, event, functions, share, ...) { #name, share, ends },
#include "vfiotrace/hooks/all.def"
};

static void jumps_are_there(const struct object *o)
{
	size_t nr[SLEEPS + 1] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		bool hot = table[i].share == HOT || table[i].share == WIDE;

		if (hot && table[i].ends & ENTER)
			all_jumps(o, false, table[i].name, table[i].share == WIDE);
		if (hot && table[i].ends & EXIT)
			all_jumps(o, true, table[i].name, table[i].share == WIDE);
		nr[table[i].share]++;
	}
	assert_true(nr[HOT] && nr[WIDE]);
	all_jumps(o, false, "far", false);
	all_jumps(o, true, "far", false);
}

static void opened(bool multi)
{
	const struct object_options opt = { .ring_bytes = 1 << 20 };
	size_t casts_kept = 0;
	struct object *o;

	has_multi = multi;
	nr_loaded = nr_stubs = 0;
	memory = memfd_create("maps", MFD_CLOEXEC);
	assert_int_equal(ftruncate(memory, 1 << 20), 0);
	assert_int_equal(object__open(&o, NULL, NULL, &opt), 0);
	/* Those on functions are kept, and of each libbpf loads two instructions. */
	assert_true(o->nr_templates > 100);
	assert_int_equal(nr_stubs, o->nr_templates);
	assert_true(nr_loaded > nr_stubs);
	for (size_t i = 0; i < o->nr_templates; i++)
		casts_kept += casts(o->templates[i].insns, o->templates[i].nr);
	assert_true(casts_kept > 100);
	assert_true(template__has(o, "x_luo_retrieve"));
	assert_int_equal(template__has(o, "all_x"), multi);
	if (multi)
		jumps_are_there(o);
	/* Several tasks are inside of these on one CPU: the kernel must not give them a stack of their own there. */
	assert_int_equal(jumps(o, "all_x"), multi);
	assert_int_equal(jumps(o, "all_e"), multi);
	/* What is shared with the recorder is its section alone: it begins where the map does. */
	assert_int_equal(bpf_map__value_size(bpf_object__find_map_by_name(o->bpf, ".bss")), sizeof(struct vt_control));
	object__free(o);
	close(memory);
}

static void no_function_is_needed(void **state)
{
	opened(false);
}

static void nor_by_programs_that_hooks_share(void **state)
{
	opened(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_function_is_needed),
		cmocka_unit_test(nor_by_programs_that_hooks_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
