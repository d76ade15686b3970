// SPDX-License-Identifier: GPL-2.0
/*
 * Devices in iommufd: vfio binds one as it is opened for the first time
 * (vfio_df_device_first_open()), and unbinds it as it is closed for the last,
 * or as the opening fails behind the bind. A page table that is attached keeps
 * the device busy, so it is detached before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

struct bound {
	uint64_t obj;
	const char *bdf;	/* interned: equal is identical */
	struct vt_at at, attached;	/* attached: the first attach that is still there */
	struct vt_who who;
	int32_t page_tables;
	bool opened;		/* vfio_df_open() came to its end */
};

struct iommufd_part {
	struct vt_map bound;	/* idev object -> struct bound */
};

static void bind(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	uint64_t obj = vt_ev_obj(e, VT_F_IDEV);
	struct bound *d;

	if (!obj || is_err(e) || vt_map__get(&part_own(b, iommufd)->bound, obj))
		return;
	d = calloc(1, sizeof(*d));
	if (!d || vt_map__put(&part_own(b, iommufd)->bound, obj, d)) {
		free(d);
		b->err = -ENOMEM;
		return;
	}
	d->obj = obj;
	d->bdf = intern_event(b, vt_ev_str(e, VT_F_BDF));
	d->who = who_task(b, t, e);
	d->who.bdf = d->bdf;
	at_set(b, &d->at, e);
}

static void forget(struct vt_build *b, struct bound *d)
{
	vt_map__del(&part_own(b, iommufd)->bound, d->obj);
	free(d);
}

/* Told once, and never again. */
static void left(struct vt_build *b, enum vt_fact_kind kind, struct bound *d, const struct vt_event *e)
{
	struct vt_at at;
	struct vt_fact *x;

	at_set(b, &at, e);
	x = fact(b, kind, d->who, &at);
	x->at[1] = d->at;
	x->at[2] = d->attached;
	if (d->at.ts_ns < x->from_ns)
		x->from_ns = d->at.ts_ns;
	forget(b, d);
}

static void unbind(struct vt_build *b, struct bound *d, const struct vt_event *e)
{
	if (d->page_tables > 0)
		left(b, VT_FACT_IOMMUFD_ATTACHED, d, e);
	else
		forget(b, d);
}

static void page_table(struct vt_build *b, struct bound *d, const struct vt_event *e)
{
	if (e->type == VT_EV_IOMMUFD_DETACH) {
		d->page_tables--;
	} else if (!is_err(e)) {
		if (d->page_tables++ <= 0)
			at_set(b, &d->attached, e);
	}
}

/* The device that E, of vfio, is about. */
static struct bound *bound_of(struct vt_build *b, const struct vt_event *e)
{
	const char *bdf = intern_event(b, vt_ev_str(e, VT_F_BDF));
	struct bound *d;
	size_t i = 0;

	while (bdf && (d = vt_map__next(&part_own(b, iommufd)->bound, &i))) {
		if (d->bdf == bdf)
			return d;
	}
	return NULL;
}

/* An opening that fails may be of a device that somebody else has open, and then it bound nothing. */
static void opened(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct bound *d = e->phase == VT_ENTER ? NULL : bound_of(b, e);

	if (!d || d->opened)
		return;
	if (!is_err(e))
		d->opened = true;
	else if (d->at.tid == e->tid)
		left(b, VT_FACT_IOMMUFD_FAILED, d, e);
}

static void closed(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct bound *d = e->phase == VT_ENTER ? NULL : bound_of(b, e);
	uint64_t open;

	if (d && vt_ev_u64(e, VT_F_OPEN_COUNT, &open) && !open)
		left(b, VT_FACT_IOMMUFD_LEFT, d, e);
}

/* Of a device that is bound. */
static void known(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct bound *d = vt_map__get(&part_own(b, iommufd)->bound, vt_ev_obj(e, VT_F_IDEV));

	if (d && e->type == VT_EV_IOMMUFD_UNBIND)
		unbind(b, d, e);
	else if (d)
		page_table(b, d, e);
}

static const struct heard iommufd_points[] = {
	{ VT_EV_IOMMUFD_BIND, bind }, { VT_EV_IOMMUFD_UNBIND, known }, { VT_EV_IOMMUFD_ATTACH, known }, { VT_EV_IOMMUFD_DETACH, known },
	{ VT_EV_VFIO_DF_OPEN, opened }, { VT_EV_VFIO_DF_CLOSE, closed }, { 0 },
};

static void iommufd_free(struct vt_build *b)
{
	vt_map__free_all(&part_own(b, iommufd)->bound);
}

const struct part part_iommufd = {
	.size = sizeof(struct iommufd_part),
	.points = iommufd_points, .free = iommufd_free,
};
