/* SPDX-License-Identifier: GPL-2.0 */
/* Making traces, good and bad, and comparing what comes back. */
#ifndef VT_TESTS_TRACE_UTIL_H
#define VT_TESTS_TRACE_UTIL_H

#include "trace/format.h"
#include "trace/out.h"
#include "unit.h"
#include "vfiotrace/trace.h"

/* A fresh temporary directory for one test; removed with all in it. */
int tu_setup(void **state);
int tu_teardown(void **state);
/* A path in that directory, valid until the test ends. */
const char *tu_path(void **state, const char *name);

/* Whole files in memory. */
struct tu_file { char *data; size_t len; };
struct tu_file tu_read(const char *path);
void tu_write(const char *path, const void *data, size_t len);

/* An event as text, to compare. Freed by the caller. */
char *tu_text(const struct vt_trace *t, const struct vt_event *e);

/* All events of a trace as text, and its damage. */
struct tu_events {
	int open_ret;
	char *why;
	char **text;
	size_t nr;
	size_t nr_damage;
	unsigned int kinds;	/* 1 << enum vt_damage_kind of each damage */
	uint64_t lost;		/* sum of vt_damage.events */
	bool ended;
};
struct tu_events tu_events(const char *path);
void tu_free(struct tu_events *e);

/* A plain event: type op.preserve, seq = ts = N, a handful of fields. 0 or what end() says. */
int tu_event(struct vt_writer *w, uint64_t n);
/* Three blocks of three events each, meta, probes, loss, end. */
void tu_small_trace(const char *path);

/* Events encoded by hand, to say what a writer never would. */
struct tu_raw {
	struct vt_buf block;	/* room for the block header, then payload */
	uint32_t nr;
};
void tu_raw_init(struct tu_raw *r);
/* Returns the event; ids and values follow it, see tu_raw_field(). */
struct vtf_event *tu_raw_event(struct tu_raw *r, uint16_t type, uint8_t nr);
void tu_raw_field(struct vtf_event *e, unsigned int i, uint16_t id, uint64_t value);
/* Stores the block, with STRINGS of LEN bytes as its pool. */
void tu_raw_store(struct tu_raw *r, struct vt_out *o, const char *strings, uint32_t len);

/* One row of a schema block. */
struct tu_name { enum vtf_schema_what what; uint16_t id; uint8_t kind; const char *name; };
void tu_store_schema(struct vt_out *o, const struct tu_name *names, size_t nr);

#endif
