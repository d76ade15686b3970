/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The capture numbers its records, those that it has to drop included, from 1
 * on each CPU. So a number that never comes is a record that was lost,
 * whatever else the file says: a recorder that is killed tells of no loss.
 *
 * A program may be interrupted between taking its number and its place in the
 * ring: numbers come a little out of order, and now and then one comes twice.
 *
 * Behind the last record of a CPU no number tells. A recorder that ends in order
 * says with rec.stop how far each CPU counted. Before a jump, and in traces of
 * before it did, that end is not proven by numbers: it rests on the rows about
 * loss, which are written at each orderly end and before rec.drained. A recorder
 * that came to neither breaks off, which is a doubt of its own.
 */
#ifndef VT_TRACE_NUMBERS_H
#define VT_TRACE_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfiotrace/trace.h"

struct vt_tables;
struct vt_damages;

/* The numbers of one CPU as far as they were read. */
struct vt_count {
	uint64_t next;		/* that is due */
	uint64_t at_ns, pos;	/* of the record before it: its time, its place in the file */
};

/* Numbers that did not come. */
struct vt_number_gap {
	struct vt_unsaid pub;
	uint64_t from_pos, to_pos;	/* between these places of the file */
	bool mixed;			/* of many CPUs: more gaps than are worth listing */
	bool open;		/* what rows tell may be of another one */
};

struct vt_numbers {
	struct vt_count *cpu;
	uint32_t nr_cpus;
	struct vt_number_gap *gaps;
	size_t nr_gaps, cap;
	int err;
};

/* The recorder's last word, where it tells how far each CPU counted. */
void vt_numbers__told(struct vt_numbers *n, const struct vt_event *e, uint64_t pos);
/* What comes out of order; -ENOMEM is kept in err. */
void vt_numbers__odd(struct vt_numbers *n, const struct vt_event *e, uint64_t pos);
/* E, which stands at POS of the file. */
static inline void vt_numbers__see(struct vt_numbers *n, const struct vt_event *e, uint64_t pos)
{
	struct vt_count *c = e->cpu < n->nr_cpus ? &n->cpu[e->cpu] : NULL;

	if (!e->seq) {	/* the recorder's own, or of before records were numbered */
		if (e->type == VT_EV_REC_STOP)
			vt_numbers__told(n, e, pos);
		return;
	}
	if (!c || e->seq != c->next) {
		vt_numbers__odd(n, e, pos);
		return;
	}
	c->next++;
	c->at_ns = e->ts_ns;
	c->pos = pos;
}
/* All was read: takes out what the rows about loss, or damage, tell already. */
void vt_numbers__end(struct vt_numbers *n, const struct vt_tables *told, const struct vt_damages *damages);
void vt_numbers__free(struct vt_numbers *n);

#endif
