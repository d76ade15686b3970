/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Call sites in kernel text: which instructions call a function of interest.
 *
 * x86-64 only: direct calls and tail jumps are E8/E9 rel32. A byte pattern
 * that happens to look like one must hit a 32-bit displacement exactly, and
 * the kernel refuses a kprobe that is not on an instruction boundary
 * (arch/x86/kernel/kprobes/core.c, can_probe()), so a false site cannot live.
 */
#ifndef VT_CAPTURE_SITES_H
#define VT_CAPTURE_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kernel;

struct callee {
	const char *name;
	const char *family;
	uint8_t arg;		/* which argument is the object */
};

struct found_site {
	uint64_t addr;
	const struct callee *callee;
	uint64_t result;	/* where rax holds what the call returned; 0 = not looked for, or not found */
	bool joined;		/* whoever comes to that place may not come from this call */
};

enum sites_kind { SITES_FREE, SITES_ALLOC, SITES_MODULE_GET, SITES_MODULE_PUT, SITES_FD_INSTALL };

/* Reads LEN bytes of kernel memory; 0 or -errno. */
typedef int (*sites_read_fn)(void *arg, uint64_t addr, void *buf, size_t len);

/* Number of sites in MODULE's text, in *OUT (to be freed; NULL when none), or -errno. */
int sites__scan(const struct kernel *k, const char *module, enum sites_kind kind,
		sites_read_fn read, void *arg, struct found_site **out);

/* The same in functions of vmlinux by name (the list ends with NULL), and in the parts that a compiler made of them. */
int sites__scan_functions(const struct kernel *k, const char *const *names, enum sites_kind kind,
			  sites_read_fn read, void *arg, struct found_site **out);

/* The same in the functions that stand at ADDR[]. */
int sites__scan_at(const struct kernel *k, const uint64_t *addr, size_t nr, enum sites_kind kind,
		   sites_read_fn read, void *arg, struct found_site **out);

/* Finds F's place of the result (capture/behind.h): 0 or -errno. */
int sites__find_result(const struct kernel *k, struct found_site *f, sites_read_fn read, void *arg);

/* Puts the kprobe program on ADDR with COOKIE, or with ON_RETURN on the return of the function there; returns the fd of the link (kept open for the process's life) or -errno. */
int sites__attach(int prog_fd, uint64_t addr, uint64_t cookie, bool on_return);

#endif
