/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct file, member by member, as the running kernel's BTF lays it out:
 * what members there are is never a list of ours.
 */
#ifndef VT_CAPTURE_STRUCTFILE_H
#define VT_CAPTURE_STRUCTFILE_H

#include "vfiotrace/trace.h"
#include "vfiotrace/wire.h"

struct structfile;
struct kernel;

int structfile__new(struct structfile **out, const struct kernel *k);
void structfile__free(struct structfile *sf);
/* Writes file.<member> fields of the snapshot into the event being built; W is the same writer each time. */
void structfile__emit(struct structfile *sf, struct vt_writer *w, const struct vt_wire_snap *s);

#endif
