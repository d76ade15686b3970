/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/object/prologue.h"

#include <errno.h>

#include "capture/arch/arch.h"

#define STACK_MAX 512		/* MAX_BPF_STACK */

static int deeper(int used, int off)
{
	return off < 0 && -off <= STACK_MAX && -off > used ? -off : used;
}

/* Any small negative constant that is added may be a place on the stack: better too much than too little. */
int prologue__stack_used(const struct bpf_insn *insns, size_t nr)
{
	int used = 0;

	for (size_t i = 0; i < nr; i++) {
		const struct bpf_insn *n = &insns[i];
		int class = BPF_CLASS(n->code);

		if (class == BPF_LD) {
			i++;	/* the second half of a 64-bit constant is none of these */
			continue;
		}
		if ((class == BPF_ST || class == BPF_STX) && n->dst_reg == BPF_REG_10)
			used = deeper(used, n->off);
		if (class == BPF_LDX && n->src_reg == BPF_REG_10)
			used = deeper(used, n->off);
		if (n->code == (BPF_ALU64 | BPF_ADD | BPF_K))
			used = deeper(used, n->imm);
	}
	return (used + 7) & ~7;
}

struct code {
	struct bpf_insn *at;
	int nr;
};

static void put(struct code *c, int code, int dst, int src, int off, int imm)
{
	c->at[c->nr++] = (struct bpf_insn){ .code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm };
}

static void load(struct code *c, int dst, int src, int off)
{
	put(c, BPF_LDX | BPF_MEM | BPF_DW, dst, src, off, 0);
}

static void store(struct code *c, int off, int src)
{
	put(c, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, src, off, 0);
}

/* DST = address on the stack. */
static void stack_addr(struct code *c, int dst, int off)
{
	put(c, BPF_ALU64 | BPF_MOV | BPF_X, dst, BPF_REG_10, 0, 0);
	put(c, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, off);
}

static void call(struct code *c, int helper)
{
	put(c, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static void map(struct code *c, int dst, int fd)
{
	put(c, BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd);
	put(c, 0, 0, 0, 0, 0);
}

/* r1 holds pt_regs; the array of arguments begins at ARRAY. */
static void args_from_regs(struct code *c, int args, int array)
{
	for (int i = 0; i < args; i++) {
		load(c, BPF_REG_2, BPF_REG_1, arch.arg_at[i]);
		store(c, array + 8 * i, BPF_REG_2);
	}
}

/* They were saved on entry, under thread and hook; if not, the call is left out. */
static void args_from_map(struct code *c, const struct kprobe_shape *s, int array, int key)
{
	put(c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
	call(c, BPF_FUNC_get_current_pid_tgid);
	put(c, BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, BPF_REG_0, key, 0);
	put(c, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, key + 4, s->id);
	map(c, BPF_REG_1, s->saved_fd);
	stack_addr(c, BPF_REG_2, key);
	call(c, BPF_FUNC_map_lookup_elem);
	put(c, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 2, 0);
	put(c, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0);
	put(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	for (int i = 0; i < s->args; i++) {
		load(c, BPF_REG_2, BPF_REG_0, 8 * i);
		store(c, array + 8 * i, BPF_REG_2);
	}
	load(c, BPF_REG_2, BPF_REG_6, arch.ret_at);
	store(c, array + 8 * s->args, BPF_REG_2);
	map(c, BPF_REG_1, s->saved_fd);
	stack_addr(c, BPF_REG_2, key);
	call(c, BPF_FUNC_map_delete_elem);
}

int prologue__make(const struct kprobe_shape *s, int used, struct bpf_insn out[PROLOGUE_MAX])
{
	struct code c = { .at = out };
	int array = -(used + 8 * (arch.nr_args + 1)), key = array - 8;

	if (s->args > arch.nr_args || -key > STACK_MAX)
		return -E2BIG;
	if (s->exit)
		args_from_map(&c, s, array, key);
	else
		args_from_regs(&c, s->args, array);
	stack_addr(&c, BPF_REG_1, array);
	return c.nr;
}
