/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/ksyms.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_LEN 128	/* KSYM_NAME_LEN was that long; multiples of 8 */
#define TEXT_LEN 208

/* What programs get and give back. */
struct by_name {
	uint64_t addr;
	char name[NAME_LEN];
};
struct by_addr {
	uint64_t addr;
	char text[TEXT_LEN];
};

/* ---- the programs ---- */

struct code {
	struct bpf_insn at[128];
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

static void store(struct code *c, int dst, int off, int src)
{
	put(c, BPF_STX | BPF_MEM | BPF_DW, dst, src, off, 0);
}

static void set(struct code *c, int dst, int imm)
{
	put(c, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

/* DST = address on the stack. */
static void stack(struct code *c, int dst, int off)
{
	put(c, BPF_ALU64 | BPF_MOV | BPF_X, dst, BPF_REG_10, 0, 0);
	put(c, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, off);
}

/* Between the context, in R6, and the stack. */
static void copy(struct code *c, int to, int to_off, int from, int from_off, int len)
{
	for (int i = 0; i < len; i += 8) {
		load(c, BPF_REG_0, from, from_off + i);
		store(c, to, to_off + i, BPF_REG_0);
	}
}

static void call_and_return(struct code *c, int helper)
{
	put(c, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
	put(c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_7, BPF_REG_0, 0, 0);
}

static void leave(struct code *c)
{
	put(c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_0, BPF_REG_7, 0, 0);
	put(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static int load_code(const char *name, const struct code *c)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = BPF_F_SLEEPABLE);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, name, "GPL", c->at, c->nr, &opts);

	return fd < 0 ? -errno : fd;
}

static int load_by_name(void)
{
	int name = -NAME_LEN, addr = name - 8;
	struct code c = { 0 };

	put(&c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
	copy(&c, BPF_REG_10, name, BPF_REG_6, offsetof(struct by_name, name), NAME_LEN);
	put(&c, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, addr, 0);
	stack(&c, BPF_REG_1, name);
	set(&c, BPF_REG_2, NAME_LEN);
	set(&c, BPF_REG_3, 0);
	stack(&c, BPF_REG_4, addr);
	call_and_return(&c, BPF_FUNC_kallsyms_lookup_name);
	copy(&c, BPF_REG_6, offsetof(struct by_name, addr), BPF_REG_10, addr, 8);
	leave(&c);
	return load_code("symbol_addr", &c);
}

static int load_by_addr(int format)
{
	int text = -TEXT_LEN, addr = text - 8;
	struct code c = { 0 };

	put(&c, BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_6, BPF_REG_1, 0, 0);
	copy(&c, BPF_REG_10, addr, BPF_REG_6, offsetof(struct by_addr, addr), 8);
	for (int i = 0; i < TEXT_LEN; i += 8)
		put(&c, BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, text + i, 0);
	stack(&c, BPF_REG_1, text);
	set(&c, BPF_REG_2, TEXT_LEN);
	put(&c, BPF_LD | BPF_DW | BPF_IMM, BPF_REG_3, BPF_PSEUDO_MAP_VALUE, 0, format);
	put(&c, 0, 0, 0, 0, 0);
	stack(&c, BPF_REG_4, addr);
	set(&c, BPF_REG_5, 8);
	call_and_return(&c, BPF_FUNC_snprintf);
	copy(&c, BPF_REG_6, offsetof(struct by_addr, text), BPF_REG_10, text, TEXT_LEN);
	leave(&c);
	return load_code("symbol_at", &c);
}

/* The verifier takes a format only from memory that nobody changes any more. */
static int make_format(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_RDONLY_PROG);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "format", 4, 8, 1, &opts);
	char format[8] = "%pS";
	uint32_t zero = 0;

	if (fd < 0)
		return -errno;
	if (!bpf_map_update_elem(fd, &zero, format, BPF_ANY) && !bpf_map_freeze(fd))
		return fd;
	close(fd);
	return -EINVAL;
}

int ksyms__open(struct ksyms *s)
{
	*s = (struct ksyms){ .by_name = load_by_name(), .by_addr = -1, .format = make_format() };
	if (s->format >= 0)
		s->by_addr = load_by_addr(s->format);
	if (s->by_name >= 0 && s->by_addr >= 0)
		return 0;
	ksyms__close(s);
	return -EOPNOTSUPP;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void ksyms__close(struct ksyms *s)
{
	shut(&s->by_name);
	shut(&s->by_addr);
	shut(&s->format);
}

/* ---- asking ---- */

static int run(int prog, void *io, size_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = io, .ctx_size_in = len);

	return bpf_prog_test_run_opts(prog, &opts) ? -errno : (int)opts.retval;
}

int ksyms__addr(const struct ksyms *s, const char *name, uint64_t *addr)
{
	struct by_name io = { 0 };
	int err;

	*addr = 0;
	if (strlen(name) >= sizeof(io.name))
		return 0;
	snprintf(io.name, sizeof(io.name), "%s", name);
	err = run(s->by_name, &io, sizeof(io));
	if (err == -ENOENT)
		return 0;
	*addr = err ? 0 : io.addr;
	return err;
}

bool ksyms__at(const struct ksyms *s, uint64_t addr, struct ksym *out)
{
	struct by_addr io = { .addr = addr };
	uint64_t off;

	if (run(s->by_addr, &io, sizeof(io)) <= 0)
		return false;
	io.text[sizeof(io.text) - 1] = 0;
	if (!ksyms__parse(io.text, out, &off))
		return false;
	out->addr = addr - off;
	return true;
}
