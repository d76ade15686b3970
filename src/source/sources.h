/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where in the kernel's sources a call site is, as the debug information says
 * that somebody gave: vmlinux, modules, or a directory of them.
 */
#ifndef VT_SOURCE_SOURCES_H
#define VT_SOURCE_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

struct vt_sources;

/* The kernel that a trace is of; NULL where the trace does not say. */
struct vt_source_kernel {
	const char *release, *build_id;
};

struct vt_source {
	const char *file;	/* of the tree that was built where that can be told, else absolute */
	unsigned int line, column;	/* column 0: not known */
	const char *function;	/* as it stands in the source: what was inlined is told by its own name; NULL: not known */
};

/*
 * PATHS: a file or a directory on each line. What is named as a file must have
 * debug information; in a directory vmlinux* and modules are looked at, and
 * what has none is passed over. A negative errno and *WHY (to be freed) else.
 */
int vt_sources__open(struct vt_sources **out, const char *paths, char **why);
void vt_sources__free(struct vt_sources *s);

/*
 * SITE is "function", "function+0xoff" or "function+0xoff [module]". NULL when
 * no file that belongs to this kernel says where that is, or two disagree.
 * The answer lives as long as S.
 */
const struct vt_source *vt_sources__find(struct vt_sources *s, const struct vt_source_kernel *k, const char *site);

/* ---- what became of each file, for this kernel ---- */
size_t vt_sources__nr(const struct vt_sources *s);
const char *vt_sources__path(const struct vt_sources *s, size_t i);
/* NULL: it is used. Else why it is not: it was built for another kernel. */
const char *vt_sources__refused(const struct vt_sources *s, size_t i, const struct vt_source_kernel *k, char *buf, size_t size);

/* ---- sites in a sentence ---- */

/* The first "function+0xoff" or "function+0xoff [module]" in TEXT: its length, and where it begins in *AT; 0: there is none. */
size_t vt_site_in(const char *text, const char **at);

#endif
