/* SPDX-License-Identifier: GPL-2.0 */
/* Traces that were compressed when they were done: gzip, xz, zstd. */
#ifndef VT_TRACE_UNPACK_H
#define VT_TRACE_UNPACK_H

#include <stdbool.h>

/*
 * What FD has, unpacked, in *PLAIN: a file without a name in TMPDIR or /tmp, or in memory where nothing can be
 * written. 0 and *PLAIN -1: FD is not compressed. 1: it is; *WHOLE tells whether all of it could be unpacked,
 * what comes before a damage is in *PLAIN. -EBADMSG and *WHY, to be freed: a compressed file that is no trace, or was
 * made to fill a disk. Other errno from the system.
 */
int vt_unpack(int fd, int *plain, bool *whole, char **why);

#endif
