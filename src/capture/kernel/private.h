/* SPDX-License-Identifier: GPL-2.0 */
/* struct kernel, for the files of this room: symbols.c, table.c, btf.c, and kernel.c, which makes it of their parts. */
#ifndef VT_CAPTURE_KERNEL_PRIVATE_H
#define VT_CAPTURE_KERNEL_PRIVATE_H

#include <sys/utsname.h>

#include "capture/kernel/kernel.h"
#include "capture/kernel/ksyms.h"
#include "capture/kernel/nametab.h"

#define FUNCTION_MAX (1 << 16)	/* longer than any function: a symbol with a gap behind it */

struct sym {
	uint64_t addr;
	uint32_t name;		/* offset into names */
	uint16_t module;	/* index into modules, 0 = vmlinux */
	char type;
	bool promoted;		/* static in its file, where others have come to use it (LTO): listed as name.llvm.123 */
};

struct modbtf {
	char name[64];
	struct btf *btf;
};

/* A module's BTF as the kernel holds it, for programs that are to be attached there. */
struct btf_fd {
	char module[64];
	int fd;
};

/* An answer of the kernel's, kept. */
struct asked_name {
	char *name;		/* "module:name" */
	uint64_t addr;
};

/* The same for an address: no longer than it has to be, as there are some thousand. */
struct place {
	uint64_t addr, size;	/* of the symbol that covers the address; no name: nothing does */
	const char *module;	/* behind the name; "" for vmlinux */
	char name[];
};

struct kernel {
	struct ksyms ksyms;
	bool asks;		/* symbols are asked for one by one, by the names of the source: */
	struct asked_name *names_asked;
	size_t nr_names_asked;
	struct nametab asked;	/* name to index into these */
	struct place **places;	/* by address */
	size_t nr_places;
	uint64_t near;		/* kernel text: what is far from it has no symbol */
	struct utsname uts;
	/* all of them, read when that is not enough; nr_syms 0: not read */
	struct sym *syms;	/* by address */
	struct nametab by_name;	/* name to index into syms */
	size_t nr_syms;
	char *names;		/* text of kallsyms, cut into strings */
	char (*modules)[64];
	size_t nr_modules;
	struct btf *btf;
	struct nametab types;	/* functions and structs of vmlinux's BTF */
	struct modbtf *mods;
	size_t nr_mods;
	struct btf_fd *fds;
	size_t nr_fds;
	char build_id[64];
};

/* ---- symbols.c ---- */
void kernel__drop_symbols(struct kernel *k);
/* ---- table.c: as the functions of kernel.h that are called so ---- */
int table__read(struct kernel *k);
void table__drop(struct kernel *k);
uint64_t table__addr(const struct kernel *k, const char *name, const char *module);
bool table__global(const struct kernel *k, const char *func, const char *module);
uint64_t table__sym_size(const struct kernel *k, uint64_t addr);
const char *table__sym(const struct kernel *k, uint64_t addr, uint64_t *off, const char **module);
const char *table__sym_at(const struct kernel *k, uint64_t addr, size_t n, const char **module);
void table__each_text(const struct kernel *k, const char *module, void (*fn)(void *arg, const char *name, uint64_t addr, uint64_t size), void *arg);
/* ---- btf.c ---- */
int kernel__open_types(struct kernel *k, const char **why);
void kernel__drop_types(struct kernel *k);
/* The next function that a module's BTF has of its own, from *ID, 0 at first, on. */
const char *kernel__next_func(const struct kernel *k, const struct btf *btf, uint32_t *id);
/* The type of vmlinux of that KIND (an enum may be a wide one), or -ENOENT. */
int32_t kernel__named(const struct kernel *k, const char *name, uint16_t kind);

#endif
