/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the running kernel is: its symbols, its types, its memory.
 *
 * Everything is asked of the kernel at hand (kallsyms, BTF), nothing is
 * derived from its version.
 */
#ifndef VT_CAPTURE_KERNEL_H
#define VT_CAPTURE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "capture/kernel/shape.h"

struct btf;
struct btf_type;
struct kernel;

/* On failure *WHY is a sentence (static or in *k's place freed): -EPERM, -ENOENT (no BTF), other errno. */
int kernel__open(struct kernel **out, const char **why);
void kernel__free(struct kernel *k);

/* Symbols. Modules loaded later are seen after kernel__refresh(). */
int kernel__refresh(struct kernel *k);
uint64_t kernel__addr(const struct kernel *k, const char *name, const char *module);	/* 0 = unknown; module NULL = any */
/* Length of the function at ADDR: up to the next symbol. 0 = unknown. */
uint64_t kernel__sym_size(const struct kernel *k, uint64_t addr);
/* Name of the symbol that covers ADDR: "name" or NULL; *off and *module ("" for vmlinux) when asked for. */
const char *kernel__sym(const struct kernel *k, uint64_t addr, uint64_t *off, const char **module);
/*
 * The N-th of the symbols that stand exactly at ADDR, NULL when there are no
 * more: aliases, and leftovers of a module's init text whose memory has gone
 * to another module.
 */
const char *kernel__sym_at(const struct kernel *k, uint64_t addr, size_t n, const char **module);
/* What stands before a function has a name too, a mark and the function's: room (__pfx_), or a hash of its type (__cfi_). It is no code. */
#define PADDING_MARK_LEN 6
static inline bool kernel__is_padding(const char *name)
{
	return *name == '_' && (!strncmp(name, "__pfx_", PADDING_MARK_LEN) || !strncmp(name, "__cfi_", PADDING_MARK_LEN));
}
/* "name+0x1c [module]", or "" when nothing covers it. */
void kernel__site(const struct kernel *k, uint64_t addr, char *buf, size_t len);
/* Calls FN for each text symbol of a module, but for what is its init's. */
void kernel__each_text(const struct kernel *k, const char *module,
		       void (*fn)(void *arg, const char *name, uint64_t addr, uint64_t size), void *arg);
/* It is there and in its init: nothing can be attached to its functions yet. */
bool kernel__is_coming(const char *module);

/* Whether it has the Live Update Orchestrator. */
bool kernel__has_luo(const struct kernel *k);
/* It is in the kernel, or may be, and was not switched on at boot. */
bool kernel__luo_is_off(void);

/* Types. */
const struct btf *kernel__btf(const struct kernel *k);
/* BTF of a module, or NULL when it has none or is not loaded. Cached. */
const struct btf *kernel__module_btf(struct kernel *k, const char *module);
/* Byte offset of MEMBER ("a.b" goes inside) in struct TYPE of vmlinux or, if BTF is a module's, of that; -1 when there is none. */
int kernel__offset(const struct kernel *k, const struct btf *btf, const char *type, const char *member);
/* Bytes of struct TYPE of vmlinux; 0 when there is none. */
uint32_t kernel__size(const struct kernel *k, const char *type);

/* Whether enum TYPE of vmlinux has NAME. */
bool kernel__has_enumerator(const struct kernel *k, const char *type, const char *name);
/* Writes those of vmlinux's types that the types of ASKED name into the file FD: 0 or -errno. */
int kernel__small_btf(const struct kernel *k, const struct btf *asked, int fd);
/* Value of an enumerator of vmlinux, whatever enum it is in; -1 when there is none. */
long kernel__enum_value(const struct kernel *k, const char *name);

struct func_info {
	bool found;
	int args;
	uint32_t btf_id;	/* of the function, in that module's BTF */
	char module[64];	/* "vmlinux" or the module whose BTF has it */
	char shape[SHAPE_MAX];	/* what it takes and gives */
};
/* Looks FUNC up in MODULE's BTF (may be NULL), then in vmlinux's. */
struct func_info kernel__func(struct kernel *k, const char *func, const char *module);

/* TYPE without const, volatile and typedefs. */
const struct btf_type *kernel__real_type(const struct btf *btf, uint32_t type);
/* fd of a module's BTF object in the kernel, which stays ours; 0 stands for vmlinux. -errno */
int kernel__btf_fd(struct kernel *k, const char *module);

/* Reads LEN bytes of kernel memory; 0 or -errno. */
typedef int (*kernel_read_fn)(void *arg, uint64_t addr, void *buf, size_t len);
/* Where the direct map and the page array begin; 0 = unknown. */
struct kernel_memory {
	uint64_t page_offset, vmemmap;
};
/* SELF: the caller's struct task_struct. */
struct kernel_memory kernel__memory(const struct kernel *k, kernel_read_fn read, void *arg, uint64_t self);

/* Whether others than its own file may call FUNC: then its arguments are where the ABI says. */
bool kernel__global(const struct kernel *k, const char *func, const char *module);

const char *kernel__release(const struct kernel *k);
const char *kernel__version(const struct kernel *k);	/* "#1 SMP PREEMPT_DYNAMIC ..." */
/* GNU build id of vmlinux as hex, "" when unreadable. */
const char *kernel__build_id(const struct kernel *k);

#endif
