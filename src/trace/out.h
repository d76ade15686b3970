/* SPDX-License-Identifier: GPL-2.0 */
/* The storage side of a writer: whole blocks go to a file, or nothing does. */
#ifndef VT_TRACE_OUT_H
#define VT_TRACE_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/format.h"
#include "trace/pool.h"

struct vt_out {
	int fd;
	bool seekable;		/* a torn block can be cut off again */
	bool reserves;		/* the file system lets us claim space ahead */
	uint64_t base;		/* where in the file our header stands */
	uint64_t limit;		/* size that the file cannot outgrow; 0 = none known */
	uint64_t bytes;		/* stored, whole blocks only */
	uint32_t seq;		/* of the next block */
};

/*
 * Opens PATH for a trace, emptied, mode 0600: a regular file of ours that no
 * other recorder has (-EBUSY) and no symbolic link (-ELOOP). Returns the
 * descriptor or a negative errno.
 */
int vt_out__target(const char *path);
int vt_out__open(struct vt_out *o, const char *path);
/* Goes on behind the last block of a whole trace of ours: -EBADMSG where it is none, -EEXIST where it has its end. */
int vt_out__append(struct vt_out *o, const char *path);
/* Takes FD over, also on failure. Writes the file header. */
int vt_out__adopt(struct vt_out *o, int fd);
/*
 * Stores one block. BLOCK has its payload after room for struct vtf_block.
 * A block of events must leave the reserve alone; what explains the trace
 * (loss, schema, end) may use it up: LAST_WORDS.
 */
int vt_out__block(struct vt_out *o, void *block, enum vtf_block_type type, uint32_t payload_len, uint32_t nr,
		  bool last_words);
int vt_out__sync(struct vt_out *o);
/* The same of a descriptor alone. */
int vt_out__sync_fd(int fd);
/* Gives unused reserve back and closes. */
void vt_out__close(struct vt_out *o);

/* A block of rows in the making. */
struct vt_rows {
	struct vt_buf buf;	/* block header, table header, rows; the strings at the end */
	struct vt_pool pool;
	uint32_t row_size, nr;
};

int vt_rows__init(struct vt_rows *r, uint32_t row_size);
/* A zeroed row, valid until the next call; NULL without memory. */
void *vt_rows__add(struct vt_rows *r);
/* Offset of S through *AT; returns a negative errno. */
int vt_rows__str(struct vt_rows *r, const char *s, uint32_t *at);
/* Stores them as a block and frees. */
int vt_rows__write(struct vt_rows *r, struct vt_out *o, enum vtf_block_type type);
void vt_rows__free(struct vt_rows *r);

#endif
