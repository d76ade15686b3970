/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From kernel addresses to class#n. An address means one object only until
 * that object dies: births give a new number, deaths take the address back.
 */
#ifndef VT_CAPTURE_OBJID_H
#define VT_CAPTURE_OBJID_H

#include <stdint.h>

#include "vfiotrace/trace.h"

struct objid;

struct objid *objid__new(void);
void objid__free(struct objid *id);
/* Object at PTR, numbered at first sight. 0 for NULL. */
uint64_t objid__get(struct objid *id, enum vt_class c, uint64_t ptr);
/* A new object came to be at PTR, whatever was there before. */
uint64_t objid__born(struct objid *id, enum vt_class c, uint64_t ptr);
/* The object at PTR is gone; objid__last() still names it until the next birth. */
void objid__died(struct objid *id, enum vt_class c, uint64_t ptr);
/* Live or last dead object at PTR; 0 when there never was one. */
uint64_t objid__last(const struct objid *id, enum vt_class c, uint64_t ptr);

#endif
