/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JSON as a stream: the writer knows what is open and puts commas, colons and
 * spaces; whoever writes says what comes and where a line begins. Nothing is
 * kept, so that ten million events are no more than one.
 *
 * KEY is the member's name, NULL for an element of an array.
 */
#ifndef VT_TRACE_JSON_WRITER_H
#define VT_TRACE_JSON_WRITER_H

#include <stdio.h>

#include "trace/print.h"

enum vt_jsonw_style {
	VT_JSONW_COMPACT,	/* {"a":[1,2]} */
	VT_JSONW_SPACED,		/* { "a": [1, 2] } */
	VT_JSONW_AIRY,		/* { "a": [ 1, 2 ] } */
	VT_JSONW_ONE_LINE,	/* as COMPACT, and nothing begins a line */
};

#define VT_JSONW_DEPTH 16

struct vt_jsonw {
	FILE *f;
	enum vt_jsonw_style style;
	int line;			/* column at which the next item begins a line, or -1 */
	unsigned int depth;
	struct vt_jsonw_level {
		char end;		/* '}' or ']' */
		bool any;		/* has an item */
		int rows;		/* column at which each item begins a line, or -1 */
	} level[VT_JSONW_DEPTH];
};

void vt_jsonw__begin(struct vt_jsonw *w, FILE *f, enum vt_jsonw_style style);

void vt_jsonw__object(struct vt_jsonw *w, const char *key);
void vt_jsonw__array(struct vt_jsonw *w, const char *key);
/* An array of which each element begins a line, at COLUMN. */
void vt_jsonw__rows(struct vt_jsonw *w, const char *key, unsigned int column);
/* Ends what was opened last. */
void vt_jsonw__end(struct vt_jsonw *w);
/* The same, on a line of its own. */
void vt_jsonw__end_line(struct vt_jsonw *w, unsigned int column);
/* The next item begins a line. */
void vt_jsonw__line(struct vt_jsonw *w, unsigned int column);

void vt_jsonw__str(struct vt_jsonw *w, const char *key, const char *value);	/* NULL is null */
void vt_jsonw__bool(struct vt_jsonw *w, const char *key, bool value);
void vt_jsonw__u64(struct vt_jsonw *w, const char *key, uint64_t value);		/* digits as a string above 2^53 */
void vt_jsonw__s64(struct vt_jsonw *w, const char *key, int64_t value);
void vt_jsonw__ns(struct vt_jsonw *w, const char *key, uint64_t value);		/* a moment: always a string */
void vt_jsonw__hex(struct vt_jsonw *w, const char *key, uint64_t value);		/* "0x.." */
void vt_jsonw__null(struct vt_jsonw *w, const char *key);
/* For a value of another form: what separates it and its name are written, the value is the caller's. */
FILE *vt_jsonw__value(struct vt_jsonw *w, const char *key);

#endif
