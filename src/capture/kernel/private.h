/* SPDX-License-Identifier: GPL-2.0 */
/* struct kernel, for the files of this room: symbols.c, btf.c, and kernel.c, which makes it of their parts. */
#ifndef VT_CAPTURE_KERNEL_PRIVATE_H
#define VT_CAPTURE_KERNEL_PRIVATE_H

#include <sys/utsname.h>

#include "capture/kernel/kernel.h"
#include "capture/kernel/nametab.h"

struct sym {
	uint64_t addr;
	uint32_t name;		/* offset into names */
	uint16_t module;	/* index into modules, 0 = vmlinux */
	char type;
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

struct kernel {
	struct sym *syms;	/* by address */
	struct nametab by_name;	/* name to index into syms */
	size_t nr_syms;
	uint32_t *parts;	/* of them: text with a dot in its name */
	size_t nr_parts;
	char *names;		/* text of kallsyms, cut into strings */
	char (*modules)[64];
	size_t nr_modules;
	struct btf *btf;
	struct nametab types;	/* functions and structs of vmlinux's BTF */
	struct modbtf *mods;
	size_t nr_mods;
	struct btf_fd *fds;
	size_t nr_fds;
	struct utsname uts;
	char build_id[64];
};

/* ---- symbols.c ---- */
void kernel__drop_symbols(struct kernel *k);
/* ---- btf.c ---- */
int kernel__open_types(struct kernel *k, const char **why);
void kernel__drop_types(struct kernel *k);

#endif
