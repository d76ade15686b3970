// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>

#include "model/build.h"

static struct file *file_new(struct vt_build *b, uint64_t obj)
{
	struct file *f = vt_pool__get(&b->files.spare, sizeof(*f));

	if (!f || vt_map__put(&b->files.files, obj, f)) {
		vt_pool__put(&b->files.spare, f);
		b->err = -ENOMEM;
		return NULL;
	}
	*f = (struct file){ .pub.obj = obj };
	return f;
}

struct file *file_get(struct vt_build *b, uint64_t obj, bool make)
{
	struct file *f = obj ? vt_map__get(&b->files.files, obj) : NULL;

	return f || !make || !obj ? f : file_new(b, obj);
}

struct file *file_get_dying(struct vt_build *b, uint64_t obj)
{
	struct file *f = file_get(b, obj, false);

	for (uint32_t i = 0; obj && !f && i < GONE_FILES; i++) {
		if (b->files.gone[i] && b->files.gone[i]->pub.obj == obj)
			f = b->files.gone[i];
	}
	return f;
}

void file_bury(struct vt_build *b, struct file *f)
{
	struct file **slot = &b->files.gone[b->files.gone_at++ % GONE_FILES];

	vt_map__del(&b->files.files, f->pub.obj);
	snap_free(f->pub.open_snap);
	f->pub.open_snap = NULL;
	f->pub.life = NULL;
	vt_pool__put(&b->files.spare, *slot);
	*slot = f;
}

struct vt_life *file_holder(struct vt_build *b, uint64_t obj)
{
	return obj ? vt_map__get(&b->files.by_file, obj) : NULL;
}

void file_hold(struct vt_build *b, struct vt_life *l, uint64_t obj)
{
	struct file *f;

	if (!obj || l->file == obj)
		return;
	file_unhold(b, l);
	l->file = obj;
	f = file_get(b, obj, true);
	if (!f)
		return;
	if (vt_map__put(&b->files.by_file, obj, l))
		b->err = -ENOMEM;
	f->pub.life = l;
	f->pub.failed.type = 0;
	if (f->pub.is_vfio)
		l->is_vfio = true;
	if (f->pub.bdf)
		l->bdf = f->pub.bdf;
	if (f->pub.df)
		l->df = f->pub.df;
	if (f->pub.device)
		l->device = f->pub.device;
}

void file_unhold(struct vt_build *b, struct vt_life *l)
{
	struct file *f;

	if (file_holder(b, l->file) == l) {
		vt_map__del(&b->files.by_file, l->file);
		f = file_get(b, l->file, false);
		if (f)
			f->pub.life = NULL;
	}
}

void snap_free(struct vt_snap *s)
{
	if (s)
		free(s->m);
	free(s);
}

void reg_files_free(struct vt_build *b)
{
	struct file *f;
	size_t i = 0;

	while ((f = vt_map__next(&b->files.files, &i))) {
		snap_free(f->pub.open_snap);
		free(f);
	}
	for (i = 0; i < GONE_FILES; i++)
		free(b->files.gone[i]);
	vt_pool__free(&b->files.spare);
	vt_map__free(&b->files.files);
	vt_map__free(&b->files.by_file);
}
