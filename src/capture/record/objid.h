/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From kernel addresses to class#n. An address means one object only until
 * that object dies: births give a new number, deaths take the address back.
 */
#ifndef VT_CAPTURE_IDENT_H
#define VT_CAPTURE_IDENT_H

#include <stdint.h>

#include "vfiotrace/trace.h"

struct ident;

struct ident *ident__new(void);
void ident__free(struct ident *id);
/* Object at PTR, numbered at first sight. 0 for NULL. */
uint64_t ident__get(struct ident *id, enum vt_class c, uint64_t ptr);
/* A new object came to be at PTR, whatever was there before. */
uint64_t ident__born(struct ident *id, enum vt_class c, uint64_t ptr);
/* The object at PTR is gone; ident__last() still names it until the next birth. */
void ident__died(struct ident *id, enum vt_class c, uint64_t ptr);
/* Live or last dead object at PTR; 0 when there never was one. */
uint64_t ident__last(const struct ident *id, enum vt_class c, uint64_t ptr);

#endif
