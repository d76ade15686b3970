/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Symbols one by one, asked of the kernel by two small BPF programs of our own:
 * reading the whole of /proc/kallsyms is a hundred thousand lines for some
 * hundred names.
 */
#ifndef VT_CAPTURE_KSYMS_H
#define VT_CAPTURE_KSYMS_H

#include <stdbool.h>
#include <stdint.h>

struct ksyms {
	int by_name, by_addr, format;	/* programs, and a map; -1 = none */
};

struct ksym {
	uint64_t addr, size;	/* of the symbol that covers the address */
	char name[128], module[64];	/* "" for vmlinux */
};

/* 0, or -errno where the kernel does not answer. */
int ksyms__open(struct ksyms *s);
void ksyms__close(struct ksyms *s);
/* "name", or "module:name": its address in *ADDR, 0 = there is none. -EPERM: it is not told. */
int ksyms__addr(const struct ksyms *s, const char *name, uint64_t *addr);
bool ksyms__at(const struct ksyms *s, uint64_t addr, struct ksym *out);
/* The same from the kernel's words, "name+0x1c/0x40 [module]"; *OFF: how far ADDR is behind it. */
bool ksyms__parse(const char *text, struct ksym *out, uint64_t *off);

#endif
