/* SPDX-License-Identifier: GPL-2.0 */
/* A program put on its place in the kernel: the fd of the link, which ends with it, or -errno. */
#ifndef VT_CAPTURE_LINK_H
#define VT_CAPTURE_LINK_H

#include <stdbool.h>
#include <stdint.h>

/* A kprobe program on ADDR with COOKIE, or with ON_RETURN on the return of the function there. */
int link__kprobe(int prog_fd, uint64_t addr, uint64_t cookie, bool on_return);
/* A tracing program on the function that it was loaded for. */
int link__trace(int prog_fd);

#endif
