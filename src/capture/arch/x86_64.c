/* SPDX-License-Identifier: GPL-2.0 */
/* x86-64. */
#include "capture/arch/arch.h"

#include <errno.h>
#include <string.h>

#define CALL 0xe8
#define JUMP 0xe9
#define INT3 0xcc
#define CALL_LEN 5

const struct arch arch = {
	.syscall_prefix = "__x64_",
	.call_len = CALL_LEN,
	/* arch/x86/include/asm/ptrace.h */
	.nr_args = 6,
	.arg_at = { 112 /* di */, 104 /* si */, 96 /* dx */, 88 /* cx */, 72 /* r8 */, 64 /* r9 */ },
	.ret_at = 80 /* ax */,
	/* Documentation/arch/x86/x86_64/mm.rst */
	.page_offset = "page_offset_base",
	.vmemmap = "vmemmap_base",
};

/* ---- calls ---- */

/* Direct calls and tail jumps have a 32-bit displacement. */
bool arch__next_call(const unsigned char *text, size_t len, uint64_t addr, size_t *at, uint64_t *target)
{
	for (size_t i = *at; i + CALL_LEN <= len; i++) {
		int32_t rel;

		/* Someone else's kprobe (another recorder's) puts an int3 on the first byte; the displacement stays. */
		if (text[i] != CALL && text[i] != JUMP && text[i] != INT3)
			continue;
		memcpy(&rel, text + i + 1, sizeof(rel));
		*at = i;
		*target = addr + i + CALL_LEN + (int64_t)rel;
		return true;
	}
	return false;
}

/* Kernel and modules lie within reach of each other. */
bool arch__veneer(const unsigned char *text, uint64_t addr, uint64_t *target)
{
	return false;
}

/* ---- addresses ---- */

/* Each four bytes are read twice: as an operand relative to the next instruction, which begins behind them, and as an address' low half. */
bool arch__next_address(const unsigned char *text, size_t len, uint64_t addr, size_t *n, uint64_t *target)
{
	size_t at = *n / 2;
	int32_t v;

	if (at + sizeof(v) > len)
		return false;
	memcpy(&v, text + at, sizeof(v));
	*target = *n % 2 ? (uint64_t)(int64_t)v : addr + at + sizeof(v) + (int64_t)v;
	return true;
}

/* ---- where a result is tested ---- */

/*
 * Just enough of a decoder to walk from a call to the test of its result: what it does not
 * know ends the walk. Jumps and calls are never copied out of line
 * (arch/x86/kernel/kprobes/core.c, can_boost()), so a kprobe on one stays an int3.
 */
#define STEPS 12

enum {
	MODRM = 1 << 0,
	IMM8 = 1 << 1,
	IMM32 = 1 << 2,		/* 16 bits with the operand size prefix */
	TO_REG = 1 << 3,	/* writes the register of the reg field */
	TO_RM = 1 << 4,		/* writes the register of the r/m field */
	TO_LOW = 1 << 5,	/* writes the register in the opcode's last three bits */
	TO_RAX = 1 << 6,
	GOES = 1 << 7,		/* a jump or a call */
	UNKNOWN = 1 << 8,
};

struct insn {
	const unsigned char *p;
	size_t left, len;
	bool size16, wide, rex_r, rex_b;
	unsigned int attr;
	unsigned char modrm;
};

/* 00 to 3f: eight operations in six forms each; the last, cmp, writes nothing. */
static unsigned int arithmetic(unsigned char op)
{
	static const unsigned int form[8] = {
		MODRM | TO_RM, MODRM | TO_RM, MODRM | TO_REG, MODRM | TO_REG, IMM8 | TO_RAX, IMM32 | TO_RAX, UNKNOWN, UNKNOWN,
	};
	unsigned int attr = form[op & 7];

	return op >= 0x38 ? attr & ~(TO_RM | TO_REG | TO_RAX) : attr;
}

static unsigned int one_byte(unsigned char op)
{
	if (op < 0x40)
		return arithmetic(op);
	switch (op) {
	case 0x50 ... 0x57: case 0x90: return 0;
	case 0x58 ... 0x5f: return TO_LOW;
	case 0x63: case 0x8a: case 0x8b: case 0x8d: return MODRM | TO_REG;
	case 0x69: return MODRM | IMM32 | TO_REG;
	case 0x6b: return MODRM | IMM8 | TO_REG;
	case 0x70 ... 0x7f: case 0xe8: case 0xe9: case 0xeb: return GOES;
	case 0x80: case 0x83: case 0xc0: case 0xc1: case 0xc6: return MODRM | IMM8 | TO_RM;
	case 0x81: case 0xc7: return MODRM | IMM32 | TO_RM;
	case 0x84: case 0x85: return MODRM;
	case 0x88: case 0x89: case 0xd0 ... 0xd3: return MODRM | TO_RM;
	case 0xa8: return IMM8;
	case 0xa9: return IMM32;
	case 0xb0 ... 0xb3: case 0xb5 ... 0xb7: return IMM8 | TO_LOW;
	case 0xb8 ... 0xbf: return IMM32 | TO_LOW;
	default: return UNKNOWN;
	}
}

static unsigned int two_bytes(unsigned char op)
{
	switch (op) {
	case 0x1f: return MODRM;
	case 0x40 ... 0x4f: case 0xaf: case 0xb6: case 0xb7: case 0xbe: case 0xbf: return MODRM | TO_REG;
	case 0x80 ... 0x8f: return GOES;
	case 0x90 ... 0x9f: return MODRM | TO_RM;
	default: return UNKNOWN;
	}
}

static bool take(struct insn *i, unsigned char *byte)
{
	if (i->len >= i->left)
		return false;
	*byte = i->p[i->len++];
	return true;
}

static bool opcode(struct insn *i)
{
	unsigned char op;

	do {
		if (!take(i, &op))
			return false;
		i->size16 |= op == 0x66;
	} while (op == 0x66 || op == 0x65 || op == 0x2e || op == 0x3e);
	if ((op & 0xf0) == 0x40) {
		i->wide = op & 8;
		i->rex_r = op & 4;
		i->rex_b = op & 1;
		if (!take(i, &op))
			return false;
	}
	if (op != 0x0f) {
		i->attr = one_byte(op);
		if ((op & 0xf8) == 0xb8 && i->wide)
			i->attr = UNKNOWN;	/* movabs: 8 bytes follow */
		if ((i->attr & TO_LOW) && !(op & 7) && !i->rex_b)
			i->attr |= TO_RAX;
		return true;
	}
	if (!take(i, &op))
		return false;
	i->attr = two_bytes(op);
	return true;
}

/* The bytes behind a ModRM byte that give an address. */
static size_t address_len(const struct insn *i)
{
	unsigned int mod = i->modrm >> 6, rm = i->modrm & 7;
	size_t len = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	if (mod == 3)
		return 0;
	if (rm == 4) {
		len++;
		if (!mod && i->len < i->left && (i->p[i->len] & 7) == 5)
			len += 4;
	} else if (!mod && rm == 5) {
		len += 4;
	}
	return len;
}

/* Whether the instruction leaves something else in rax, or in a part of it; ah counts as such where it may be meant. */
static bool writes_rax(const struct insn *i, unsigned char op)
{
	unsigned int reg = i->modrm >> 3 & 7, rm = i->modrm & 7;
	bool compares = (op == 0x80 || op == 0x81 || op == 0x83) && reg == 7;

	if (i->attr & TO_RAX)
		return true;
	if ((i->attr & TO_REG) && !(reg & 3) && !i->rex_r)
		return !reg || !(op & 1);
	return (i->attr & TO_RM) && !compares && i->modrm >> 6 == 3 && !i->rex_b && (!rm || (rm == 4 && !(op & 1)));
}

/* The instruction at P; false where the walk has to end. */
static bool decode(const unsigned char *p, size_t left, struct insn *i)
{
	unsigned char op;

	*i = (struct insn){ .p = p, .left = left };
	if (!opcode(i) || i->attr & UNKNOWN)
		return false;
	if (i->attr & GOES)
		return true;
	op = p[i->len - 1];
	if ((i->attr & MODRM) && !take(i, &i->modrm))
		return false;
	if (i->attr & MODRM)
		i->len += address_len(i);
	i->len += i->attr & IMM8 ? 1 : 0;
	i->len += i->attr & IMM32 ? (i->size16 ? 2 : 4) : 0;
	return i->len <= left && !writes_rax(i, op);
}

/*
 * Bytes that read as a jump to TARGET, wherever an instruction may begin: one
 * too many costs a second probe, one too few would give an object a wrong birth.
 */
static bool jumped_to(const unsigned char *text, size_t len, size_t target)
{
	for (size_t i = 0; i + 2 <= len; i++) {
		bool probed = text[i] == INT3;
		bool near = probed || text[i] == 0xe9 || (text[i] & 0xf0) == 0x80;
		bool brief = probed || text[i] == 0xeb || (text[i] & 0xf0) == 0x70;
		int32_t rel;

		if (brief && i + 2 + (int8_t)text[i + 1] == target)
			return true;
		if (!near || i + 5 > len)
			continue;
		memcpy(&rel, text + i + 1, sizeof(rel));
		if (i + 5 + (int64_t)rel == target)
			return true;
	}
	return false;
}

int arch__result_place(const unsigned char *text, size_t len, size_t call, struct arch_result *out)
{
	size_t at = call + CALL_LEN;

	*out = (struct arch_result){ 0 };
	for (unsigned int n = 0; n < STEPS && at < len; n++) {
		struct insn i;

		if (text[at] == INT3)
			return -EBUSY;
		if (!decode(text + at, len - at, &i))
			return -ENOENT;
		out->joined |= jumped_to(text, len, at);
		if (i.attr & GOES) {
			out->at = at;
			return 0;
		}
		at += i.len;
	}
	return -ENOENT;
}
