/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the device (labstate_main.c) and its ways of being preserved
 * (labstate_modes.c) know of each other.
 */
#ifndef _LABSTATE_H
#define _LABSTATE_H

#include <linux/liveupdate.h>

/* One open file. */
struct labstate {
	u64 value;
};

/* Handed over. */
struct labstate_ser {
	u64 value;
	u64 users;	/* of memory that files share */
};

/*
 * One way to go about it. A callback that is left out is done as it should be, and
 * those that LUO can do without are then left out of its table too.
 */
struct labstate_mode {
	const char *name;
	int (*preserve)(struct liveupdate_file_op_args *args);
	void (*unpreserve)(struct liveupdate_file_op_args *args);
	int (*freeze)(struct liveupdate_file_op_args *args);
	void (*unfreeze)(struct liveupdate_file_op_args *args);
	int (*retrieve)(struct liveupdate_file_op_args *args);
	bool (*can_finish)(struct liveupdate_file_op_args *args);
	void (*finish)(struct liveupdate_file_op_args *args);
	unsigned long (*get_id)(struct file *file);
	int (*init)(void);
	void (*exit)(void);
	bool no_unfreeze;
};

extern const struct labstate_mode *labstate_mode;

/* How it is done right, for ways that are wrong in one place only. */
int labstate_preserve(struct liveupdate_file_op_args *args);
void labstate_unpreserve(struct liveupdate_file_op_args *args);
int labstate_freeze(struct liveupdate_file_op_args *args);
void labstate_unfreeze(struct liveupdate_file_op_args *args);
int labstate_retrieve(struct liveupdate_file_op_args *args);
void labstate_finish(struct liveupdate_file_op_args *args);

/* Whether this call is the one that was told to fail. */
bool labstate_freeze_fails(void);

struct file *labstate_getfile(u64 value);

#endif /* _LABSTATE_H */
