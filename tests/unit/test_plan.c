// SPDX-License-Identifier: GPL-2.0
/*
 * The attach plan on kernels that are only told: what is in BTF, what only has
 * a symbol, what ftrace lists; and the prologue that makes a kprobe of an
 * fentry program.
 */
#include "unit.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/kernel/kernel.h"
#include "capture/object/prologue.h"
#include "capture/plan/plan.h"
#include "capture/kernel/tracefs.h"

/* ---- the kernel that the plan asks ---- */

struct fake {
	const char *func, *module;
	const char *shape;	/* NULL: a symbol, and not in BTF */
	bool is_static;
};

static const struct fake *fakes;
static size_t nr_fakes;
static bool vfio_loaded;

static const struct fake *lookup(const char *func, const char *module, bool btf)
{
	for (size_t i = 0; i < nr_fakes; i++)
		if (!strcmp(fakes[i].func, func) && (!module || !strcmp(fakes[i].module, module)) && (fakes[i].shape || !btf))
			return &fakes[i];
	return NULL;
}

struct func_info kernel__func(struct kernel *k, const char *func, const char *module)
{
	const struct fake *f = lookup(func, module, true);
	struct func_info fi = { 0 };

	if (!f)
		f = lookup(func, "vmlinux", true);
	if (!f)
		return fi;
	fi.found = true;
	fi.args = shape__args(f->shape);
	snprintf(fi.shape, sizeof(fi.shape), "%s", f->shape);
	fi.btf_id = 7;
	strcpy(fi.module, f->module);
	return fi;
}

uint64_t kernel__addr(const struct kernel *k, const char *name, const char *module)
{
	return lookup(name, module, false) ? 0xffffffff81000000 : 0;
}

bool kernel__global(const struct kernel *k, const char *func, const char *module)
{
	return !lookup(func, module, false)->is_static;
}

const struct btf *kernel__module_btf(struct kernel *k, const char *module)
{
	return vfio_loaded ? (const struct btf *)&vfio_loaded : NULL;
}

static void resolve(struct plan *p, const struct fake *f, size_t nr, enum plan_group group)
{
	struct plan_scope scope = { 0 };

	memset(p, 0, sizeof(*p));
	fakes = f;
	nr_fakes = nr;
	scope.group = group;
	if (group == PLAN_VFIO) {
		scope.module = "vfio";
		scope.witness = "vfio_device_fops_release";
	}
	assert_int_equal(plan__resolve(p, NULL, &scope), 0);
}
#define RESOLVE(p, f, group) resolve(p, f, sizeof(f) / sizeof((f)[0]), group)

static const struct plan_row *row(struct plan *p, const char *prog)
{
	for (size_t i = 0; i < p->nr; i++)
		if (!strcmp(p->rows[i].prog, prog))
			return &p->rows[i];
	fail_msg("no row for %s", prog);
	return NULL;
}

/* ---- the plan ---- */

static void in_btf_is_fentry(void **state)
{
	static const struct fake f[] = { { .func = "luo_retrieve_file", .module = "vmlinux", .shape = "luo_file_set*,long,file**,>int" } };
	const struct plan_row *r;
	struct plan p;

	RESOLVE(&p, f, PLAN_CORE);
	r = row(&p, "e_luo_retrieve");
	assert_true(r->possible && !r->only_kprobe);
	assert_string_equal(plan__method_name(r), "fentry");
	assert_string_equal(plan__method_name(row(&p, "x_luo_retrieve")), "fexit");
	assert_int_equal(r->btf_id, 7);
	plan__clear(&p);
}

static void symbol_alone_is_kprobe(void **state)
{
	static const struct fake f[] = { { .func = "luo_retrieve_file", .module = "vmlinux" } };
	const struct plan_row *e, *x;
	struct plan p;

	RESOLVE(&p, f, PLAN_CORE);
	e = row(&p, "e_luo_retrieve");
	x = row(&p, "x_luo_retrieve");
	assert_true(e->possible && e->only_kprobe && x->possible && x->only_kprobe);
	assert_string_equal(plan__method_name(e), "kprobe");
	assert_string_equal(plan__method_name(x), "kretprobe");
	assert_string_equal(e->reason, "in the symbol table but not in BTF");
	assert_int_equal(x->args, 3);
	assert_true(e->addr != 0);
	plan__clear(&p);
}

static void absent_has_its_reason(void **state)
{
	static const struct fake f[] = { { .func = "luo_preserve_file", .module = "vmlinux", .shape = "luo_file_set*,long,>int" }, { .func = "luo_retrieve_file", .module = "other" } };
	const struct plan_row *r;
	struct plan p;

	RESOLVE(&p, f, PLAN_CORE);
	r = row(&p, "x_luo_preserve");
	assert_false(r->possible);
	assert_string_equal(r->reason, "takes 2 arguments here, 3 are expected");
	/* Another module's function of that name is not ours. */
	r = row(&p, "e_luo_retrieve");
	assert_false(r->possible);
	assert_non_null(strstr(r->reason, "no such function"));
	plan__clear(&p);
}

static void refused(const char *shape, const char *reason)
{
	const struct fake f[] = { { .func = "luo_preserve_file", .module = "vmlinux", .shape = shape } };
	struct plan p;

	RESOLVE(&p, f, PLAN_CORE);
	assert_false(row(&p, "e_luo_preserve")->possible);
	assert_false(row(&p, "x_luo_preserve")->possible);
	assert_string_equal(row(&p, "e_luo_preserve")->reason, reason);
	assert_string_equal(row(&p, "x_luo_preserve")->reason, reason);
	plan__clear(&p);
}

/* Neither end of a function that is not what the program reads; the result lies behind the arguments. */
static void other_shapes_are_refused(void **state)
{
	refused("luo_file_set*,long,int,int,>int", "takes 4 arguments here, 3 are expected");
	refused("luo_file_set*,int,long,>int", "argument 2 is int here, long is expected");
	refused("luo_session*,long,int,>int", "argument 1 is luo_session* here, luo_file_set* is expected");
	refused("luo_file_set*,long,int,>", "returns nothing here, int is expected");
	refused("luo_file_set*,long,int,>long", "returns long here, int is expected");
	refused("luo_file_set*,long,int,", "returns ? here, int is expected");	/* cut off */
}

static void any_pointer(void **state)
{
	static const struct fake f[] = {
		{ .func = "luo_file_freeze", .module = "vmlinux", .shape = "luo_file_set*,luo_file_set_ser*,>int" }, { .func = "luo_file_deserialize", .module = "vmlinux", .shape = "luo_file_set*,long,>int" },
		{ .func = "luo_file_finish", .module = "vmlinux", .shape = "luo_file_set*,>int" },
	};
	struct plan p;

	RESOLVE(&p, f, PLAN_CORE);
	assert_true(row(&p, "x_luo_freeze")->possible);
	assert_false(row(&p, "x_luo_deserialize")->possible);
	plan__clear(&p);
}

/* The end is attached first: it finds no call that it must not end. */
static void ends_come_first(void **state)
{
	struct plan p;

	resolve(&p, NULL, 0, PLAN_CORE);
	for (size_t i = 0; i < p.nr; i++)
		if (*p.rows[i].prog == 'e' && i)
			assert_true(*p.rows[i - 1].prog == 'x' ? !strcmp(p.rows[i - 1].prog + 2, p.rows[i].prog + 2) || !plan__hook(p.rows[i].prog)->exit :
				    !plan__hook(p.rows[i].prog)->exit);
	plan__clear(&p);
}

/* vfio before v3 has another function, which takes the file itself. */
static void forms_of_other_versions(void **state)
{
	static const struct fake v3[] = { { .func = "vfio_device_cdev_open", .module = "vfio", .shape = "vfio_device*,file**,>int" } };
	static const struct fake v1[] = { { .func = "__vfio_device_fops_cdev_open", .module = "vfio", .shape = "vfio_device*,file*,>int" } };
	static const struct fake odd[] = { { .func = "vfio_device_cdev_open", .module = "vfio", .shape = "vfio_device*,file*,>int" } };
	struct plan p;

	vfio_loaded = true;
	RESOLVE(&p, v3, PLAN_VFIO);
	assert_true(row(&p, "x_open_common")->possible);
	assert_null(plan__by_prog(&p, PLAN_VFIO, 0, "x_open_file"));
	plan__clear(&p);
	RESOLVE(&p, v1, PLAN_VFIO);
	assert_true(row(&p, "e_open_file")->possible && row(&p, "x_open_file")->possible);
	assert_string_equal(row(&p, "x_open_file")->func, "__vfio_device_fops_cdev_open");
	assert_null(plan__by_prog(&p, PLAN_VFIO, 0, "x_open_common"));
	plan__clear(&p);
	/* By the prototype, not by the name. */
	RESOLVE(&p, odd, PLAN_VFIO);
	assert_string_equal(row(&p, "x_open_common")->reason, "argument 2 is file* here, file** is expected");
	plan__clear(&p);
	/* Neither: one row each, with the reason. */
	resolve(&p, NULL, 0, PLAN_VFIO);
	assert_non_null(strstr(row(&p, "e_open_common")->reason, "no such function"));
	assert_null(plan__by_prog(&p, PLAN_VFIO, 0, "e_open_file"));
	plan__clear(&p);
}

/* BTF leaves out what is called in a way of its own: only what others call, or call by a pointer, is where the ABI says. */
static void static_without_btf(void **state)
{
	static const struct fake f[] = {
		{ .func = "vfio_device_cdev_open", .module = "vfio", .is_static = true }, { .func = "vfio_device_fops_release", .module = "vfio", .is_static = true }, { .func = "vfio_df_open", .module = "vfio" },
	};
	const struct plan_row *r;
	struct plan p;

	vfio_loaded = true;
	RESOLVE(&p, f, PLAN_VFIO);
	r = row(&p, "x_open_common");
	assert_false(r->possible || r->only_kprobe);
	assert_string_equal(r->reason, "in the symbol table but not in BTF; it is static, and the compiler may hand over its arguments in another way");
	assert_true(row(&p, "x_release")->possible && row(&p, "x_release")->only_kprobe);
	assert_string_equal(plan__method_name(row(&p, "x_df_open")), "kretprobe");
	plan__clear(&p);
}

/* shape__of(), on types as a module has them. */
static void shapes_from_btf(void **state)
{
	struct btf *b = btf__new_empty();
	int num = btf__add_int(b, "unsigned long", 8, 0), small = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	int yes = btf__add_int(b, "_Bool", 1, BTF_INT_BOOL), word = btf__add_typedef(b, "u64", num);
	int file = btf__add_fwd(b, "file", BTF_FWD_STRUCT), to = btf__add_ptr(b, file), to_to = btf__add_ptr(b, to);
	int c = btf__add_const(b, small), any = btf__add_ptr(b, btf__add_const(b, 0)), proto, func;
	char shape[SHAPE_MAX], tiny[16], why[160];

	proto = btf__add_func_proto(b, yes);
	btf__add_func_param(b, "a", to);
	btf__add_func_param(b, "b", to_to);
	btf__add_func_param(b, "c", word);
	btf__add_func_param(b, "d", c);
	btf__add_func_param(b, "e", any);
	func = btf__add_func(b, "f", BTF_FUNC_STATIC, proto);
	shape__of(b, func, shape, sizeof(shape));
	assert_string_equal(shape, "file*,file**,long,int,void*,>bool");
	assert_true(shape__fits(shape, "struct file *,struct file **,u64,int,void *,>bool", why, sizeof(why)));
	assert_false(shape__fits(shape, "struct file *,struct file *,u64,int,void *,>bool", why, sizeof(why)));
	shape__of(b, func, tiny, sizeof(tiny));
	assert_false(shape__fits(tiny, "struct file *,struct file **,u64,int,void *,>bool", why, sizeof(why)));
	func = btf__add_func(b, "g", BTF_FUNC_STATIC, btf__add_func_proto(b, 0));
	shape__of(b, func, shape, sizeof(shape));
	assert_string_equal(shape, ">");
	assert_true(shape__fits(shape, "", why, sizeof(why)));
	btf__free(b);
}

static void module_that_is_not_loaded(void **state)
{
	struct plan p;

	vfio_loaded = false;
	resolve(&p, NULL, 0, PLAN_VFIO);
	assert_string_equal(row(&p, "e_release")->reason, "module vfio is not loaded");
	plan__clear(&p);
}

/* ---- available_filter_functions ---- */

static void listed_functions(void **state)
{
	struct tracefs *t;

	assert_int_equal(tracefs__parse(&t, strdup("luo_preserve_file\nopen_it [vfio]\nopen_it [vfio_pci]\nlast [vfio]\nend")), 0);
	assert_true(tracefs__lists(t, "luo_preserve_file", "vmlinux"));
	assert_true(tracefs__lists(t, "open_it", "vfio"));
	assert_true(tracefs__lists(t, "open_it", "vfio_pci"));
	assert_true(tracefs__lists(t, "last", "vfio"));
	assert_false(tracefs__lists(t, "last", "vmlinux"));
	assert_true(tracefs__lists(t, "end", "vmlinux"));
	assert_false(tracefs__lists(t, "open_it", "vmlinux"));
	assert_false(tracefs__lists(t, "open_it", "vfio_p"));
	assert_false(tracefs__lists(t, "luo_preserve_file", "vfio"));
	assert_false(tracefs__lists(t, "kobject_get", "vmlinux"));
	tracefs__free(t);
	tracefs__free(NULL);
}

/* ---- the prologue ---- */

/* What the helpers that a prologue calls would find. */
static uint64_t *saved;
static uint64_t key_seen, key_deleted;

static uint64_t helper(int nr, uint64_t r2)
{
	switch (nr) {
	case BPF_FUNC_get_current_pid_tgid:
		return 5ULL << 32 | 42;
	case BPF_FUNC_map_lookup_elem:
		key_seen = *(uint64_t *)r2;
		return (uintptr_t)saved;
	case BPF_FUNC_map_delete_elem:
		key_deleted = *(uint64_t *)r2;
		return 0;
	default:
		fail_msg("helper %d", nr);
		return 0;
	}
}

/* Runs a prologue; addresses are the host's. What is left in r1, or 0 when it ends the program. */
static uint64_t run(const struct bpf_insn *insn, int nr, uint64_t ctx, uint64_t stack_top)
{
	uint64_t reg[11] = { [1] = ctx, [10] = stack_top };

	for (int i = 0; i < nr; i++) {
		const struct bpf_insn *n = &insn[i];

		switch (n->code) {
		case BPF_LDX | BPF_MEM | BPF_DW: reg[n->dst_reg] = *(uint64_t *)(reg[n->src_reg] + n->off); break;
		case BPF_STX | BPF_MEM | BPF_DW: *(uint64_t *)(reg[n->dst_reg] + n->off) = reg[n->src_reg]; break;
		case BPF_STX | BPF_MEM | BPF_W: *(uint32_t *)(reg[n->dst_reg] + n->off) = reg[n->src_reg]; break;
		case BPF_ST | BPF_MEM | BPF_W: *(uint32_t *)(reg[n->dst_reg] + n->off) = n->imm; break;
		case BPF_ALU64 | BPF_MOV | BPF_X: reg[n->dst_reg] = reg[n->src_reg]; break;
		case BPF_ALU64 | BPF_MOV | BPF_K: reg[n->dst_reg] = n->imm; break;
		case BPF_ALU64 | BPF_ADD | BPF_K: reg[n->dst_reg] += n->imm; break;
		case BPF_LD | BPF_DW | BPF_IMM:
			reg[n->dst_reg] = n->imm;
			i++;
			break;
		case BPF_JMP | BPF_JNE | BPF_K: i += reg[n->dst_reg] != (uint64_t)n->imm ? n->off : 0; break;
		case BPF_JMP | BPF_EXIT: return 0;
		case BPF_JMP | BPF_CALL:
			reg[0] = helper(n->imm, reg[2]);
			for (int r = 1; r <= 5; r++)
				reg[r] = 0xdead;	/* clobbered */
			break;
		default: fail_msg("instruction %d: code 0x%x", i, n->code);
		}
	}
	return reg[1];
}

static void arguments_from_registers(void **state)
{
	/* r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di */
	uint64_t regs[21] = { [14] = 1, [13] = 2, [12] = 3, [11] = 4, [9] = 5, [8] = 6 }, stack[64] = { 0 }, *args;
	struct kprobe_shape s = { .args = 6 };
	struct bpf_insn insn[PROLOGUE_MAX];
	int nr = prologue__make(&s, 104, insn);

	assert_true(nr > 0);
	args = (uint64_t *)run(insn, nr, (uintptr_t)regs, (uintptr_t)(stack + 64));
	assert_true(args >= stack && args + 6 <= stack + 64 - 104 / 8);
	for (int i = 0; i < 6; i++)
		assert_int_equal(args[i], i + 1);
}

/* On return: the arguments as they were saved on entry, then what the function returned. */
static void arguments_from_entry(void **state)
{
	uint64_t regs[21] = { [10] = 77, [14] = 99 }, stack[64] = { 0 }, on_entry[6] = { 1, 2, 3, 4, 5, 6 }, *args;
	struct kprobe_shape s = { .args = 3, .exit = true, .saved_fd = 9, .id = 8 };
	struct bpf_insn insn[PROLOGUE_MAX];
	int nr = prologue__make(&s, 104, insn);

	assert_in_range(nr, 1, PROLOGUE_MAX);
	saved = on_entry;
	args = (uint64_t *)run(insn, nr, (uintptr_t)regs, (uintptr_t)(stack + 64));
	assert_true(args >= stack && args + 4 <= stack + 64 - 104 / 8);
	for (int i = 0; i < 3; i++)
		assert_int_equal(args[i], i + 1);
	assert_int_equal(args[3], 77);
	assert_int_equal(key_seen, 8ULL << 32 | 42);
	assert_int_equal(key_deleted, key_seen);
	/* The entry was missed: nothing is made up. */
	saved = NULL;
	assert_int_equal(run(insn, nr, (uintptr_t)regs, (uintptr_t)(stack + 64)), 0);
}

static void prologue_has_limits(void **state)
{
	struct kprobe_shape s = { .args = 6, .exit = true };
	struct bpf_insn insn[PROLOGUE_MAX];

	assert_in_range(prologue__make(&s, 0, insn), 1, PROLOGUE_MAX);
	assert_int_equal(prologue__make(&s, 512, insn), -E2BIG);
	s.args = 7;
	assert_int_equal(prologue__make(&s, 0, insn), -E2BIG);
}

static void stack_depth(void **state)
{
	static const struct bpf_insn insn[] = {
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 10, .src_reg = 1, .off = -24 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .imm = -400 }, { .code = 0, .imm = -500 },
		{ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = 6, .src_reg = 1, .off = -300 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -61 },
	};

	assert_int_equal(prologue__stack_used(insn, 1), 24);
	assert_int_equal(prologue__stack_used(insn, 5), 24);
	assert_int_equal(prologue__stack_used(insn, 6), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_btf_is_fentry), cmocka_unit_test(symbol_alone_is_kprobe),
		cmocka_unit_test(absent_has_its_reason), cmocka_unit_test(other_shapes_are_refused),
		cmocka_unit_test(any_pointer), cmocka_unit_test(ends_come_first), cmocka_unit_test(forms_of_other_versions),
		cmocka_unit_test(static_without_btf), cmocka_unit_test(shapes_from_btf),
		cmocka_unit_test(module_that_is_not_loaded), cmocka_unit_test(listed_functions),
		cmocka_unit_test(arguments_from_registers), cmocka_unit_test(arguments_from_entry),
		cmocka_unit_test(prologue_has_limits),
		cmocka_unit_test(stack_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
