/* SPDX-License-Identifier: GPL-2.0 */
/* One ELF file with DWARF: a vmlinux or a module. */
#ifndef VT_SOURCE_DEBUGFILE_H
#define VT_SOURCE_DEBUGFILE_H

#include <stdbool.h>
#include <stdint.h>

struct debugfile {
	char *path;
	char build_id[65];	/* "" when it has none */
	char module[64];	/* "" for a vmlinux */
	char release[128];	/* of the kernel that a module was built for; "" when it does not say */
	struct debuginfo *info;	/* private */
};

struct debugline {
	char *file, *function;	/* to be freed; function may be NULL */
	unsigned int line, column;
};

/* -ENODATA: an ELF file without debug information. -EINVAL: no ELF file, or none of ours. *WHY is a sentence, not to be freed. */
int debugfile__open(const char *path, struct debugfile *f, const char **why);
void debugfile__close(struct debugfile *f);
/* 1: found. 0: no such function, or several that disagree. A negative errno. */
int debugfile__line(struct debugfile *f, const char *function, uint64_t off, bool at_call, struct debugline *to);

#endif
