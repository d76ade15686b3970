/* SPDX-License-Identifier: GPL-2.0 */
/* arm64: instructions of four bytes, little endian. Names are those of the Arm Architecture Reference Manual. */
#include "capture/arch/arch.h"

#include <errno.h>
#include <string.h>

#define INSN 4
#define VENEER 3	/* instructions */

const struct arch arch = {
	.syscall_prefix = "__arm64_",
	.call_len = INSN,
	.veneer_len = VENEER * INSN,
	/* arch/arm64/include/uapi/asm/ptrace.h: struct user_pt_regs begins with x0 to x30 */
	.nr_args = 8,
	.arg_at = { 0, 8, 16, 24, 32, 40, 48, 56 },
	.ret_at = 0,
	/* Direct map and page array begin where VA_BITS, the first memory and KASLR put them: they are measured. */
};

static uint32_t insn_at(const unsigned char *text, size_t at)
{
	const unsigned char *p = text + at;

	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The signed number of BITS bits that begins at bit LOW of INSN. */
static int64_t field(uint32_t insn, int low, int bits)
{
	return (int64_t)((uint64_t)insn << (64 - low - bits)) >> (64 - bits);
}

/* What kprobes put in the place of an instruction: arch/arm64/include/asm/brk-imm.h. Nothing of it stays in the text. */
static bool is_probe(uint32_t insn)
{
	return insn == 0xd4200080;
}

static bool is_bl(uint32_t insn)
{
	return (insn & 0xfc000000) == 0x94000000;
}

static bool is_b(uint32_t insn)
{
	return (insn & 0xfc000000) == 0x14000000;
}

/* ---- calls ---- */

bool arch__next_call(const unsigned char *text, size_t len, uint64_t addr, size_t *at, uint64_t *target)
{
	for (size_t i = (*at + INSN - 1) / INSN * INSN; i + INSN <= len; i += INSN) {
		uint32_t insn = insn_at(text, i);

		if (!is_bl(insn) && !is_b(insn) && !is_probe(insn))
			continue;
		*at = i;
		*target = is_probe(insn) ? ARCH_HIDDEN : addr + i + field(insn, 0, 26) * INSN;
		return true;
	}
	return false;
}

/* The page that adrp at ADDR names: pages of 4 KiB, whatever size those of the kernel have. */
static uint64_t adrp_page(uint32_t insn, uint64_t addr)
{
	return (addr & ~0xfffull) + (uint64_t)((field(insn, 5, 19) << 2 | (insn >> 29 & 3)) * 4096);
}

static bool is_adrp(uint32_t insn)
{
	return (insn & 0x9f000000) == 0x90000000;
}

/* add Xd, Xn, #imm{, lsl #12} */
static bool is_add(uint32_t insn)
{
	return (insn & 0xff800000) == 0x91000000;
}

static uint64_t add_imm(uint32_t insn)
{
	return (uint64_t)(insn >> 10 & 0xfff) << (insn & 1 << 22 ? 12 : 0);
}

/* adrp x16; add x16, x16; br x16: arch/arm64/kernel/module-plts.c. */
bool arch__veneer(const unsigned char *text, uint64_t addr, uint64_t *target)
{
	uint32_t page = insn_at(text, 0), add = insn_at(text, INSN), br = insn_at(text, 2 * INSN);

	if (!is_adrp(page) || (page & 31) != 16 || !is_add(add) || (add & 0x3ff) != (16 << 5 | 16) || br != 0xd61f0200)
		return false;
	*target = adrp_page(page, addr) + add_imm(add);
	return true;
}

/* ---- addresses ---- */

/* How far the jump goes, in bytes; 0 = it is none. */
static int64_t jump(uint32_t insn)
{
	if (is_b(insn))
		return field(insn, 0, 26) * INSN;
	if ((insn & 0xff000000) == 0x54000000 || (insn & 0x7e000000) == 0x34000000)	/* b.cond, bc.cond; cbz, cbnz */
		return field(insn, 5, 19) * INSN;
	if ((insn & 0x7e000000) == 0x36000000)						/* tbz, tbnz */
		return field(insn, 5, 14) * INSN;
	return 0;
}

/* What the registers are known to hold, on the straight line. */
struct known {
	uint64_t value[32];
	uint32_t is;	/* one bit each */
};

static void know(struct known *k, unsigned int reg, uint64_t value)
{
	k->value[reg] = value;
	k->is |= 1u << reg;
}

/* ldr and str of any size, with an unsigned offset: how far from the register. */
static bool is_load(uint32_t insn, uint64_t *off)
{
	if ((insn & 0x3b000000) != 0x39000000 || insn & 1 << 26)
		return false;
	*off = (uint64_t)(insn >> 10 & 0xfff) << (insn >> 30);
	return true;
}

/* ldp and stp of 8 bytes each, of which the first counts. */
static bool is_pair(uint32_t insn, uint64_t *off)
{
	if ((insn & 0xff800000) != 0xa9000000)
		return false;
	*off = field(insn, 15, 7) * 8;
	return true;
}

/*
 * The address that INSN names, 0 = none: where it jumps to, too. A variable may be an offset from
 * another, which is the anchor of a section: then only what is added last names it.
 */
static uint64_t names(struct known *k, uint32_t insn, uint64_t addr)
{
	unsigned int to = insn & 31, from = insn >> 5 & 31;
	uint64_t off;

	if (is_adrp(insn)) {
		know(k, to, adrp_page(insn, addr));
		return k->value[to];
	}
	if ((insn & 0x9f000000) == 0x10000000) {	/* adr */
		know(k, to, addr + (field(insn, 5, 19) << 2 | (insn >> 29 & 3)));
		return k->value[to];
	}
	if (jump(insn))
		return addr + jump(insn);
	if (!(k->is & 1u << from))
		return 0;
	if (is_add(insn)) {
		know(k, to, k->value[from] + add_imm(insn));
		return k->value[to];
	}
	return is_load(insn, &off) || is_pair(insn, &off) ? k->value[from] + off : 0;
}

/* What an instruction names rests on some before it: compilers put them close together. */
#define BEFORE 32

bool arch__next_address(const unsigned char *text, size_t len, uint64_t addr, size_t *n, uint64_t *target)
{
	struct known k = { .is = 0 };

	for (size_t i = *n > BEFORE ? *n - BEFORE : 0; (i + 1) * INSN <= len; i++) {
		*target = names(&k, insn_at(text, i * INSN), addr + i * INSN);
		if (i < *n || !*target)
			continue;
		*n = i;
		return true;
	}
	return false;
}

/* ---- where a result is ---- */

/* What a probe hides may be such a jump: one too many costs a second probe. */
static bool jumped_to(const unsigned char *text, size_t len, size_t target)
{
	for (size_t i = 0; i + INSN <= len; i += INSN) {
		uint32_t insn = insn_at(text, i);
		int64_t by = jump(insn);

		if (i != target && (is_probe(insn) || (by && i + by == target)))
			return true;
	}
	return false;
}

/* No kprobe is ever optimized here: the next instruction is the place, and another's probe on it does not matter. */
int arch__result_place(const unsigned char *text, size_t len, size_t call, struct arch_result *out)
{
	size_t at = call + INSN;

	*out = (struct arch_result){ 0 };
	if (at + INSN > len || !(is_bl(insn_at(text, call)) || is_probe(insn_at(text, call))))
		return -ENOENT;
	*out = (struct arch_result){ .at = at, .joined = jumped_to(text, len, at) };
	return 0;
}
