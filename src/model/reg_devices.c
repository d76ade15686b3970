// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "model/build.h"

struct device *device_known(struct vt_build *b, uint64_t obj)
{
	return obj ? vt_map__get(&b->devices.devices, obj) : NULL;
}

static struct device *device_new(struct vt_build *b, uint64_t obj)
{
	struct device *d = calloc(1, sizeof(*d));
	struct vt_side *s = b->side;

	if (!d || !grow(b, &s->devices, &b->devices.cap, s->nr_devices, sizeof(*s->devices)) || vt_map__put(&b->devices.devices, obj, d)) {
		free(d);
		b->err = -ENOMEM;
		return NULL;
	}
	d->pub.obj = obj;
	s->devices[s->nr_devices++] = &d->pub;
	return d;
}

struct device *device_get(struct vt_build *b, const struct vt_event *e)
{
	uint64_t obj = vt_ev_obj(e, VT_F_DEVICE);
	struct device *d = device_known(b, obj);

	if (obj && !d)
		d = device_new(b, obj);
	if (d && !d->pub.bdf)
		d->pub.bdf = intern(b, vt_ev_str(e, VT_F_BDF));
	return d;
}

void device_opened(struct vt_build *b, struct device *d, const struct vt_event *e)
{
	if (d->pub.nr_opens < VT_OPENS_KEPT)
		at_set(b, &d->pub.opens[d->pub.nr_opens++], e);
	d->pub.total_opens++;
}

void device_bind(struct device *d, struct vt_life *l)
{
	if (d->pub.life)
		life_of(d->pub.life)->devices--;
	d->pub.life = l;
	life_of(l)->devices++;
	l->device = d->pub.obj;
	l->is_vfio = true;
	if (d->pub.bdf)
		l->bdf = d->pub.bdf;
}

void device_unbind(struct vt_build *b, struct vt_life *l)
{
	struct device *d;
	size_t i = 0;

	while (life_of(l)->devices && (d = vt_map__next(&b->devices.devices, &i))) {
		if (d->pub.life == l) {
			d->pub.life = NULL;
			life_of(l)->devices--;
		}
	}
}

void reg_devices_free(struct vt_build *b)
{
	for (size_t i = 0; i < b->side->nr_devices; i++)
		free(b->side->devices[i]);
	free(b->side->devices);
	vt_map__free(&b->devices.devices);
}
