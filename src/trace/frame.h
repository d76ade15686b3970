/* SPDX-License-Identifier: GPL-2.0 */
/* Finding whole blocks in a file that may be anything, and the list of what was wrong. */
#ifndef VT_TRACE_FRAME_H
#define VT_TRACE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/format.h"
#include "vfiotrace/trace.h"

struct vt_damages {
	struct vt_damage *list;	/* by offset; `what` is allocated */
	size_t nr, cap;
};

/* Each pass over a file finds the same: what is listed already (offset and kind) is not listed again. */
void vt_damages__add(struct vt_damages *d, const struct vt_damage *one);
void vt_damages__free(struct vt_damages *d);

struct vt_block {
	uint64_t offset;	/* of its header */
	struct vtf_block h;
};

struct vt_frame {
	int fd;
	uint64_t size;		/* as it was when opened: a file that still grows is read up to here */
	uint64_t start;		/* of the first block */
	struct vt_damages *damages;

	uint64_t pos;
	uint32_t next_seq;
	struct vt_block prev;	/* h.len 0: none, or not worth looking into again */
	uint64_t rescued;	/* damage before this was searched already */
	char *buf;		/* payload */
	size_t cap;
};

uint32_t vt_crc(const void *data, size_t len);
/* Bytes read (less than LEN only at the end of the file) or a negative errno. */
int64_t vt_pread(int fd, void *buf, size_t len, uint64_t offset);

void vt_frame__rewind(struct vt_frame *f);
/* 1 and a block with a sound header and all its bytes in the file, 0 at the end, negative errno. */
int vt_frame__next(struct vt_frame *f, struct vt_block *b);
/* 1 and the block at OFFSET, as vt_frame__next() gave it before; 0 when there is none any more. */
int vt_frame__at(struct vt_frame *f, uint64_t offset, struct vt_block *b);
/* 1 and its payload (until the next call), 0 when it is damaged, which is noted, negative errno. */
int vt_frame__payload(struct vt_frame *f, const struct vt_block *b, const char **payload);
void vt_frame__free(struct vt_frame *f);

#endif
