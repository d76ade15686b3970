/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading kernel memory.
 *
 * A helper call costs some hundred instructions for each value, a load of the
 * program's own ten: bpf_rdonly_cast() makes any address one that may be loaded
 * from (plain memory since 6.17, and LUO is there since 6.19). Such a load that
 * faults gives 0 and says nothing, so where a fault is to be told, a 0 is read
 * again by the helper.
 */
#ifndef VFIOTRACE_LOAD_BPF_H
#define VFIOTRACE_LOAD_BPF_H

#include "lib/arch.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#include "vfiotrace/wire.h"

/* bpf_rdonly_cast() of the kernel, which the recorder puts in the place of this number (template.c): libbpf would look for it in all of the kernel's types. */
static void *(*const rdonly_cast)(const void *obj, u32 btf_id) = (void *)VT_RDONLY_CAST;

/*
 * KERNEL(p): p, so that KERNEL(p)->m may be read; m may go on into structs that
 * p holds. Kept in a variable where several members are read: the verifier
 * looks at each call. READ(p, m): the same for one member.
 */
#define KERNEL(p) ((typeof(p))rdonly_cast((const void *)(p), 0))
#define READ(p, m) (KERNEL(p)->m)

/* At OFF from an address that no type describes. */
static __always_inline u32 get_u32(const void *k, s64 off)
{
	return *(const u32 *)(k + off);
}

static __always_inline u64 get_u64(const void *k, s64 off)
{
	return *(const u64 *)(k + off);
}

static __always_inline u64 read_u64(u64 addr)
{
	return get_u64(KERNEL((const void *)addr), 0);
}

static __always_inline bool has_zero_byte(u64 v)
{
	return (v - 0x0101010101010101ULL) & ~v & 0x8080808080808080ULL;
}

/* The low half of an address, which the verifier takes for a number where the whole is a pointer to it. */
static __always_inline u32 low_half(u64 addr)
{
	u32 low;

	asm volatile("%0 = %1" : "=w"(low) : "w"((u32)addr));
	return low;
}

/* Of the places that BITS number, the one where V falls. */
static __always_inline u32 hash_place(u32 v, u32 bits)
{
	return v * 0x9E3779B1u >> (32 - bits);
}

/*
 * A string, cut to SIZE (a constant, 16 or more) with its end; what follows
 * the end is undefined. False: unreadable. Most end within four words; a word
 * of zeros may be a fault, but not the ones behind the first where that was
 * read from the same page. What is longer is copied whole, or, where it ends
 * close to memory that is not there, byte by byte.
 */
#define STR_NEAR 32
static __always_inline bool load_str(char *to, u32 size, u64 from)
{
	const void *k = KERNEL((const void *)from);
	u64 *word = (u64 *)to, first = get_u64(k, 0), next = get_u64(k, 8), last;
	bool near = first && (low_half(from) & 4095) <= 4096 - STR_NEAR;

	word[0] = first;
	word[1] = next;
	if (near && size == 2 * sizeof(*word)) {
		to[size - 1] = 0;
		return true;
	}
	if (first && has_zero_byte(first))
		return true;
	if (near) {
		if (has_zero_byte(next))
			return true;
		if (size >= STR_NEAR) {
			next = get_u64(k, 16);
			last = get_u64(k, 24);
			word[2] = next;
			word[3] = last;
			if (has_zero_byte(next) || has_zero_byte(last))
				return true;
		}
	}
	if (bpf_probe_read_kernel(to, size, (void *)from))
		return bpf_probe_read_kernel_str(to, size, (void *)from) > 0;
	to[size - 1] = 0;
	return true;
}

/* The same by length, each a function that is verified once: the verifier wants to know how much is at TO. */
struct str16 { u64 at[2]; };
struct str48 { u64 at[6]; };
struct str64 { u64 at[8]; };

__noinline bool load_str16(struct str16 *to, u64 from)
{
	return to && load_str((char *)to, sizeof(*to), from);
}

__noinline bool load_str48(struct str48 *to, u64 from)
{
	return to && load_str((char *)to, sizeof(*to), from);
}

__noinline bool load_str64(struct str64 *to, u64 from)
{
	return to && load_str((char *)to, sizeof(*to), from);
}

#endif
