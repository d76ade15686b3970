/* SPDX-License-Identifier: GPL-2.0 */
/* Files that are known, and which life LUO holds them for. */
#ifndef VT_MODEL_REG_FILES_H
#define VT_MODEL_REG_FILES_H

#include "model/map.h"
#include "model/pool.h"
#include "vfiotrace/model.h"

#define GONE_FILES 16

struct vt_build;

/* A file as the builder sees it. */
struct file {
	struct vt_file pub;		/* first: the public face */
	/* LUO should have let go of it, and a reference more than others hold was still there */
	struct vt_at kept, kept_before;
	int64_t kept_want, kept_seen;
	bool kept_sure, kept_finished;
	struct vt_who kept_who;
	/* a callback took a reference that was not its own, as it seems */
	struct vt_at taken, taken_before;
	int64_t taken_want, taken_seen;
	/* a callback failed, or ended the file's life, and has left references that it had taken */
	struct vt_at held, held_before;
	int64_t held_want, held_seen;
	bool held_sure, held_fails;
	struct vt_who held_who;
	struct vt_at let_go;		/* the end of LUO's last hold that was seen */
	uint64_t inode_mapping;
};

struct reg_files {
	struct vt_map files;		/* file object -> file */
	struct vt_map by_file;		/* file object -> life that holds it */
	struct file *gone[GONE_FILES];	/* just released: their release function is still to come */
	uint32_t gone_at;
	struct vt_pool spare;		/* of files */
};

struct file *file_get(struct vt_build *b, uint64_t obj, bool make);
/* Also one whose __fput() has just begun. */
struct file *file_get_dying(struct vt_build *b, uint64_t obj);
/* __fput() comes before the release function: what is known of the file may still be asked for. */
void file_bury(struct vt_build *b, struct file *f);

/* The life that LUO holds OBJ for, or NULL. */
struct vt_life *file_holder(struct vt_build *b, uint64_t obj);
/* LUO holds OBJ for L from now on; L knows what the file knows. */
void file_hold(struct vt_build *b, struct vt_life *l, uint64_t obj);
void file_unhold(struct vt_build *b, struct vt_life *l);

void snap_free(struct vt_snap *s);
void reg_files_free(struct vt_build *b);

#endif
