/* SPDX-License-Identifier: GPL-2.0 */
/* Where a module's sections are. */
#ifndef VT_CAPTURE_SECTIONS_H
#define VT_CAPTURE_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sections {
	struct section { uint64_t addr; bool init; } *at;
	size_t nr;
};

/* As DIR has them, /sys/module/NAME/sections: a file each. Without it there are none. 0 or -ENOMEM. */
int sections__read(struct sections *s, const char *dir);
/* In what the kernel frees when the module's init has ended. */
bool sections__in_init(const struct sections *s, uint64_t addr);
void sections__free(struct sections *s);

/* The module is there and not through with its init: nothing can be attached to its functions yet. DIR: /sys/module/NAME. */
bool sections__is_coming(const char *dir);

#endif
