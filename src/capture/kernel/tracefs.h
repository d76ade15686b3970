/* SPDX-License-Identifier: GPL-2.0 */
/* What ftrace can hook, as the kernel lists it. */
#ifndef VT_CAPTURE_TRACEFS_H
#define VT_CAPTURE_TRACEFS_H

#include <stddef.h>

struct tracefs;

/*
 * Reads available_filter_functions, from tracefs where it is mounted or from a
 * mount of our own that nobody else sees. -errno when it cannot be had.
 */
int tracefs__open(struct tracefs **out);
/* The same from text, which is taken over: "name [module]" a line. */
int tracefs__parse(struct tracefs **out, char *text);
/* 1: FUNC of MODULE ("vmlinux" or a module) is listed; 0: it is not. */
int tracefs__lists(const struct tracefs *t, const char *func, const char *module);
void tracefs__free(struct tracefs *t);

#endif
