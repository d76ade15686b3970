/* SPDX-License-Identifier: GPL-2.0 */
/* Whole files of the kernel's making: their size is not known before they are read. */
#ifndef VT_CAPTURE_SLURP_H
#define VT_CAPTURE_SLURP_H

#include <stddef.h>

/* All that is left to read of FD: text that ends with a 0 behind *LEN bytes, to be freed. 0 or -errno. */
int slurp__fd(int fd, char **out, size_t *len);
int slurp__file(const char *path, char **out, size_t *len);
/* Its first line, without the end, into BUF; "" where there is none. */
void slurp__line(const char *path, char *buf, size_t len);

#endif
