/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A trace in memory, taken apart, so that it can be written again with less in
 * it. Reading and writing go through the public interface: what is written here
 * is what a recorder would have left behind.
 */
#ifndef MONOTONE_TALE_H
#define MONOTONE_TALE_H

#include "vfiotrace/trace.h"

struct tale_field {
	uint16_t known;		/* enum vt_field, or 0: then dyn names it */
	uint16_t dyn;
	uint8_t kind;
	int err;
	union {
		uint64_t u;
		const char *str;
	};
};

struct tale_event {
	struct vt_stamp stamp;
	uint16_t type;
	uint8_t phase;
	bool block;		/* begins a block */
	uint32_t nr;
	struct tale_field *f;
	uint32_t host;		/* the event whose hook shows this one, too; else itself */
};

struct tale_dyn {
	const char *name;
	enum vt_kind kind;
};

/* The rows of the probe table that may have shown an event. */
struct tale_rows {
	uint16_t *row;
	size_t nr;
};

struct tale {
	const char *name;
	char *bytes;		/* the file as it is */
	size_t size;
	bool true_copy;		/* written again it says the same: else only bytes can be taken from it */
	struct { const char *key, *value; } *meta;
	size_t nr_meta;
	struct vt_probe *probes;
	size_t nr_probes;
	struct vt_loss *losses;
	size_t nr_losses;
	struct tale_event *ev;
	size_t nr_ev;
	bool numbered;		/* by us */
	struct tale_dyn *dyn;
	size_t nr_dyn;
	struct tale_rows *shown_by;	/* by event */
	const char *ended;	/* NULL: no end block */
	struct hooks *hooks;	/* take.c's */
};

/* A tale that lacks something. */
struct draft {
	const struct tale *t;
	bool *gone;		/* by event */
	struct vt_probe *probes;
	struct vt_loss *losses;	/* those of the tale, and more */
	size_t nr_losses;
	const char *ended;
	uint64_t armed_ns;	/* the recorder is armed at this time, not before; 0: as the tale says */
	uint64_t stopped_ns;	/* the recorder ended in order then, not as the tale says */
	bool killed;		/* the recorder never wrote its last table of probes */
	bool renumber;		/* no hook saw what is gone: it never had a number */
};

/* Memory that lives as long as the program. */
void *keep(size_t size);
const char *keep_str(const char *s);

/* Reads PATH; dies when that cannot be. */
struct tale *tale__read(const char *path, const char *name);
const struct tale_field *tale_event__field(const struct tale_event *e, enum vt_field f);
const char *tale_event__str(const struct tale_event *e, enum vt_field f);
bool tale_event__is_luo(const struct tale_event *e);

void draft__begin(struct draft *d, const struct tale *t);
void draft__free(struct draft *d);
/* The file goes to FD, which is emptied first. */
void draft__write(const struct draft *d, int fd);
void bytes__write(const char *bytes, size_t size, int fd);

void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
