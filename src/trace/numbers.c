// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/frame.h"
#include "trace/numbers.h"
#include "trace/tables.h"

#define GAPS_MAX 1024		/* a file can be all gaps; the list must not be */
#define LATE_MAX 64		/* of them, the newest ones that a record which comes late may belong to */

static struct vt_number_gap *gap_add(struct vt_numbers *n)
{
	if (n->nr_gaps == n->cap) {
		size_t cap = n->cap ? n->cap * 2 : 16;
		struct vt_number_gap *grown = reallocarray(n->gaps, cap, sizeof(*grown));

		if (!grown) {
			n->err = -ENOMEM;
			return NULL;
		}
		n->gaps = grown;
		n->cap = cap;
	}
	return memset(&n->gaps[n->nr_gaps++], 0, sizeof(*n->gaps));
}

static uint64_t sum(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

/* The last of the list stands for all that it has no room for. */
static void gap_mix(struct vt_number_gap *last, const struct vt_number_gap *g)
{
	last->mixed = true;
	last->pub.count = sum(last->pub.count, g->pub.count);
	last->pub.from_ns = last->pub.from_ns < g->pub.from_ns ? last->pub.from_ns : g->pub.from_ns;
	last->pub.to_ns = last->pub.to_ns > g->pub.to_ns ? last->pub.to_ns : g->pub.to_ns;
	last->from_pos = last->from_pos < g->from_pos ? last->from_pos : g->from_pos;
	last->to_pos = g->to_pos;
}

static void gap_note(struct vt_numbers *n, const struct vt_number_gap *g)
{
	struct vt_number_gap *to;

	if (n->nr_gaps == GAPS_MAX) {
		gap_mix(&n->gaps[GAPS_MAX - 1], g);
		return;
	}
	to = gap_add(n);
	if (to)
		*to = *g;
}

/* A number below the one that is due: it comes late and closes a gap, or a part of one; else it comes twice. */
static void late(struct vt_numbers *n, uint16_t cpu, uint64_t seq)
{
	size_t oldest = n->nr_gaps > LATE_MAX ? n->nr_gaps - LATE_MAX : 0;

	for (size_t i = n->nr_gaps; i-- > oldest;) {
		struct vt_number_gap *g = &n->gaps[i], rest;

		if (g->mixed || g->pub.cpu != cpu || seq < g->pub.first || seq > g->pub.last)
			continue;
		rest = *g;
		rest.pub.first = seq + 1;
		g->pub.last = seq - 1;
		g->pub.count = seq - g->pub.first;
		rest.pub.count = rest.pub.last - seq;
		if (!g->pub.count)
			memmove(g, g + 1, (--n->nr_gaps - i) * sizeof(*g));
		if (rest.pub.count)
			gap_note(n, &rest);
		return;
	}
}

static bool room_for(struct vt_numbers *n, uint16_t cpu)
{
	uint32_t nr = cpu + 1u;
	struct vt_count *grown;

	if (cpu < n->nr_cpus)
		return true;
	grown = reallocarray(n->cpu, nr, sizeof(*grown));
	if (!grown) {
		n->err = -ENOMEM;
		return false;
	}
	for (uint32_t i = n->nr_cpus; i < nr; i++)
		grown[i] = (struct vt_count){ .next = 1 };
	n->cpu = grown;
	n->nr_cpus = nr;
	return true;
}

void vt_numbers__odd(struct vt_numbers *n, const struct vt_event *e, uint64_t pos)
{
	struct vt_count *c = room_for(n, e->cpu) ? &n->cpu[e->cpu] : NULL;

	if (!c)
		return;
	if (e->seq < c->next) {
		late(n, e->cpu, e->seq);
		return;
	}
	if (e->seq > c->next)
		gap_note(n, &(struct vt_number_gap){
			.pub = { .cpu = e->cpu, .first = c->next, .last = e->seq - 1, .count = e->seq - c->next,
				 .from_ns = c->at_ns < e->ts_ns ? c->at_ns : e->ts_ns, .to_ns = e->ts_ns },
			.from_pos = c->pos, .to_pos = pos });
	c->next = e->seq + 1;
	c->at_ns = e->ts_ns;
	c->pos = pos;
}

void vt_numbers__told(struct vt_numbers *n, const struct vt_event *e, uint64_t pos)
{
	const char *s = vt_ev_str(e, VT_F_NUMBERS);
	char *end;

	while (s && *s) {
		struct vt_event last = { .type = e->type, .ts_ns = e->ts_ns };
		unsigned long cpu = strtoul(s, &end, 10);

		if (end == s || *end != ':' || cpu > UINT16_MAX)
			return;
		last.cpu = (uint16_t)cpu;
		s = end + 1;
		last.seq = strtoull(s, &end, 10);
		if (end == s || last.seq == UINT64_MAX || !room_for(n, last.cpu))
			return;
		/* As if one more came: what is missing before it is missing. */
		if (last.seq >= n->cpu[cpu].next) {
			last.seq++;
			vt_numbers__odd(n, &last, pos);
		}
		s = end + (*end == ' ');
	}
}

/* ---- what others tell of it ---- */

/* The record had a number: what is counted without being recorded has none. */
static bool was_numbered(const struct vt_loss *l)
{
	return !strcmp(l->why, VT_LOSS_RING) || !strcmp(l->why, VT_LOSS_STORAGE) || !strcmp(l->why, VT_LOSS_UNFIT) ||
	       !strcmp(l->why, VT_LOSS_MALFORMED);
}

static void explain(struct vt_number_gap *g, uint64_t *by)
{
	uint64_t n = *by < g->pub.count ? *by : g->pub.count;

	g->pub.count -= n;
	*by -= n;
}

static void explained_by_rows(struct vt_numbers *n, const struct vt_tables *told)
{
	for (size_t k = 0; k < told->nr_loss; k++) {
		const struct vt_loss *l = &told->loss[k];
		uint64_t left = was_numbered(l) ? l->count : 0;

		for (size_t i = 0; i < n->nr_gaps && left; i++) {
			struct vt_number_gap *g = &n->gaps[i];

			if (l->from_ns <= g->pub.to_ns && l->to_ns >= g->pub.from_ns)
				explain(g, &left);
		}
	}
}

/* Damage whose events nobody can count has taken all that is missing around it. */
static void explained_by_damage(struct vt_numbers *n, const struct vt_damages *damages)
{
	for (size_t k = 0; k < damages->nr; k++) {
		const struct vt_damage *d = &damages->list[k];
		uint64_t left = d->events ? d->events : UINT64_MAX;

		for (size_t i = 0; i < n->nr_gaps && left; i++) {
			struct vt_number_gap *g = &n->gaps[i];

			if (d->offset + d->length >= g->from_pos && d->offset <= g->to_pos)
				explain(g, &left);
		}
	}
}

void vt_numbers__end(struct vt_numbers *n, const struct vt_tables *told, const struct vt_damages *damages)
{
	size_t kept = 0;

	if (!n->nr_gaps)
		return;
	explained_by_rows(n, told);
	explained_by_damage(n, damages);
	for (size_t i = 0; i < n->nr_gaps; i++) {
		if (n->gaps[i].pub.count)
			n->gaps[kept++] = n->gaps[i];
	}
	n->nr_gaps = kept;
}

void vt_numbers__free(struct vt_numbers *n)
{
	free(n->cpu);
	free(n->gaps);
	memset(n, 0, sizeof(*n));
}
