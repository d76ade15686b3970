/* SPDX-License-Identifier: GPL-2.0 */
/* Devices that are known. */
#ifndef VT_MODEL_REG_DEVICES_H
#define VT_MODEL_REG_DEVICES_H

#include "model/map.h"
#include "vfiotrace/model.h"

struct vt_build;

/* What may have made a count wrong: the calls on the device since it was last seen right. */
#define BLAME_MAX 4
struct blame {
	struct vt_at right;		/* the last sample that was; none: it was never looked at before */
	struct vt_at call[BLAME_MAX];	/* the first ones */
	uint32_t nr;			/* of all */
	struct vt_at lookup;		/* the first one that returned with a count too high: told beside the call that made it, if that is the only one */
	struct vt_who who;		/* of the last one */
};

/* A device as the builder sees it. */
struct device {
	struct vt_device pub;		/* first: the public face */
	uint32_t tasks;			/* inside a call that has to do with it */
	/* registration count: what it was at a quiet moment, and what should have changed it since */
	bool have_base, noisy;
	int64_t base, delta;
	bool up, leaving;		/* seen registered; vfio_unregister_group_dev() has begun */
	struct vt_at up_at;
	int64_t run;			/* all that should have changed it since the beginning, */
	int64_t told;			/* and what of that nobody should have done: told as wrong, and taken as it is from then on */
	bool whole;			/* every open was seen: the count is 1 and RUN, not only as far from where it was as RUN */
	struct blame blame;
	uint64_t called;		/* index of the last exit of a callback that had to do with it */
	uint32_t unverified;		/* releases whose put was not seen, nor its effect so far */
	bool have_kref, kref_off, kref_most;	/* what it was as the recording began, or the device was registered: others may have held it */
	int64_t kref, kref_seen;
	struct vt_at kref_off_at;
	struct blame kref_blame, kref_off_blame;
	/* the same on return from the lookup, which may hold a pin of its own at that point */
	bool have_find, find_off;
	int64_t find_kref, find_seen;
	struct vt_at find_at, find_off_at;
	struct vt_who find_who;
	uint64_t mapping;		/* of its own inode, as a snapshot showed it */
	size_t astray;			/* 1 + index of the fact about a VMA that hangs elsewhere, 0 = none */
	struct vt_at unregistered;
};

struct reg_devices {
	struct vt_map devices;		/* device object -> device */
	size_t cap;
};

/* That E is about, or NULL; made when there is none. */
struct device *device_get(struct vt_build *b, const struct vt_event *e);
struct device *device_known(struct vt_build *b, uint64_t obj);
/* E opened it for user space. */
void device_opened(struct vt_build *b, struct device *d, const struct vt_event *e);
/* L's retrieve opened it. */
void device_bind(struct device *d, struct vt_life *l);
void device_unbind(struct vt_build *b, struct vt_life *l);
void reg_devices_free(struct vt_build *b);

#endif
