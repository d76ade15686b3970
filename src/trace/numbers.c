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

/* A stretch of time in which records were lost: by a row, or by a gap. */
struct stretch {
	uint64_t from_ns, to_ns, told;
	struct vt_number_gap *gap;	/* NULL: a row, of TOLD records */
};

static int by_beginning(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;

	return x->from_ns < y->from_ns ? -1 : x->from_ns > y->from_ns;
}

/* Where rows tell of fewer records than several gaps lack that they may be about, it is not known which of these they explain. */
static void find_open(struct stretch *s, size_t nr)
{
	for (size_t first = 0, end; first < nr; first = end) {
		uint64_t to_ns = s[first].to_ns, told = 0, missing = 0;
		size_t gaps = 0;

		for (end = first; end < nr && s[end].from_ns <= to_ns; end++) {
			told = sum(told, s[end].told);
			missing = sum(missing, s[end].gap ? s[end].gap->pub.count : 0);
			gaps += s[end].gap != NULL;
			to_ns = s[end].to_ns > to_ns ? s[end].to_ns : to_ns;
		}
		for (size_t i = first; i < end; i++) {
			if (s[i].gap)
				s[i].gap->open = gaps > 1 && told < missing;
		}
	}
}

static void mark_open(struct vt_numbers *n, const struct vt_tables *told)
{
	struct stretch *s = calloc(n->nr_gaps + told->nr_loss, sizeof(*s));
	size_t nr = 0;

	if (!s) {
		n->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < n->nr_gaps; i++)
		s[nr++] = (struct stretch){ n->gaps[i].pub.from_ns, n->gaps[i].pub.to_ns, 0, &n->gaps[i] };
	for (size_t k = 0; k < told->nr_loss; k++) {
		const struct vt_loss *l = &told->loss[k];

		if (was_numbered(l) && l->from_ns <= l->to_ns)
			s[nr++] = (struct stretch){ l->from_ns, l->to_ns, l->count, NULL };
	}
	qsort(s, nr, sizeof(*s), by_beginning);
	find_open(s, nr);
	free(s);
}

static void explained_by_rows(struct vt_numbers *n, const struct vt_tables *told)
{
	mark_open(n, told);
	for (size_t k = 0; k < told->nr_loss; k++) {
		const struct vt_loss *l = &told->loss[k];
		uint64_t left = was_numbered(l) ? l->count : 0;

		for (size_t i = 0; i < n->nr_gaps && left; i++) {
			struct vt_number_gap *g = &n->gaps[i];

			if (!g->open && l->from_ns <= g->pub.to_ns && l->to_ns >= g->pub.from_ns)
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
