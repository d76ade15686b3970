/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The shape of a function: what it takes and what it gives, as a line of text
 * such as "luo_file_set*,long,file**,>int", with nothing behind the > for void.
 * A pointer goes by the name of what it points to, a number by its width.
 */
#ifndef VT_CAPTURE_SHAPE_H
#define VT_CAPTURE_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHAPE_MAX 256

struct btf;

/* Of the function FUNC_ID. What does not fit into BUF is cut off, and then fits no hook. */
void shape__of(const struct btf *btf, uint32_t func_id, char *buf, size_t len);
/* Arguments. */
int shape__args(const char *shape);
/* HOOK as vfiotrace/hooks.h has it, in C: "struct file *,u64,>int". Whether a function of shape FUNC is that; if not, WHY says so. */
bool shape__fits(const char *func, const char *hook, char *why, size_t len);

#endif
