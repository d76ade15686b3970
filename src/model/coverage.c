// SPDX-License-Identifier: GPL-2.0
/*
 * What the trace can vouch for: which events may be missing from it, and when.
 *
 * A hook that was not there shows nothing for as long as it was not there. A
 * loss is told with its type and time by whoever lost the record. The reader
 * tells of damage, between two blocks that could be read, and of records whose
 * numbers never came, between two of the same CPU: of any type.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

/* The probes that show events of TYPE: their places, + 1. */
#define EACH_PROBE_OF(c, type, n) for (uint32_t n = (c)->first[type]; n; n = (c)->probes[n - 1].next)

static bool any_hooked(const struct vt_side *s, enum vt_event_type type)
{
	EACH_PROBE_OF(&build_of(s)->coverage, type, n) {
		if (vt_trace__probe(s->trace, n - 1)->attached)
			return true;
	}
	return false;
}

/* Since when its hook is needed: a callback's from the first call on that would make it, or, where nothing shows that, any call of LUO. */
static uint64_t needed_from(const struct vt_side *s, enum vt_event_type t)
{
	if (kind_is_vfio(t) || kind_area(t) == VT_AREA_DF || kind_area(t) == VT_AREA_IOMMUFD)
		return s->first_vfio_ns;
	/* Memory of LUO and of callbacks is looked at in their own text. */
	if (kind_area(t) == VT_AREA_OBJ)
		return s->first_call_ns;
	if (!kind_is_op(t))
		return s->first_ns;
	return any_hooked(s, kind_maker(t)) ? s->first_type_ns[kind_maker(t)] : s->first_call_ns;
}

/*
 * Not a hook that is missing but a thing that is not there: optional
 * callbacks, FLBs on a LUO of before they were added, and references of
 * modules where none can be unloaded.
 */
static bool nothing_to_hook(const struct vt_probe *p, enum vt_event_type t)
{
	enum vt_probe_state state = vt_probe__state(p);

	return state == VT_PROBE_ABSENT || (state == VT_PROBE_NO_FUNCTION && kind_is(t, VT_K_MAY_LACK));
}

bool vt_side__unlooked(const struct vt_side *s, enum vt_event_type type)
{
	if (build_of(s)->coverage.first[type])
		return false;
	return vt_trace__probe_nr(s->trace) && kind_is(type, VT_K_LATER);
}

bool vt_side__op_hooked(const struct vt_side *s, enum vt_event_type op, const char *compatible, uint64_t by_ns)
{
	bool hooked = false;

	EACH_PROBE_OF(&build_of(s)->coverage, op, n) {
		const struct vt_probe *p = vt_trace__probe(s->trace, n - 1);

		if (vt_probe__state(p) == VT_PROBE_ABSENT && !vt_probe__absent_from(p, compatible ? compatible : ""))
			continue;	/* another handler */
		if (!p->attached || p->attach_ns > by_ns)
			return false;
		hooked = true;
	}
	return hooked;
}

/* G->to_ns: since when it is there. */
static bool probe_gap(const struct vt_side *s, enum vt_event_type type, struct vt_gap *g)
{
	char *const buf = g->text;
	const size_t size = sizeof(g->text);
	const struct vt_probe *missing = NULL;
	uint64_t from = needed_from(s, type), earliest = UINT64_MAX, missed = 0, whole_ns;
	const struct coverage *c = &build_of(s)->coverage;
	size_t rows = 0, attached = 0, absent = 0;
	bool half = false;

	g->to_ns = UINT64_MAX;
	EACH_PROBE_OF(c, type, n) {
		const struct vt_probe *p = vt_trace__probe(s->trace, n - 1);
		const struct probed *own = &c->probes[n - 1];

		if (!p->attached && nothing_to_hook(p, type)) {
			absent++;
			continue;
		}
		rows++;
		if (!p->attached) {
			if (!missing || own->half)
				missing = p;
			half |= own->half;
			continue;
		}
		attached++;
		missed += p->misses + p->recursion_misses;
		/* Where every row counts, the hook is whole with the last of them. */
		whole_ns = own->whole_ns;
		if (earliest == UINT64_MAX || (kind_is(type, VT_K_EACH_ROW) ? whole_ns > earliest : whole_ns < earliest))
			earliest = whole_ns;
	}
	if (!rows && absent)
		return false;
	if (!rows || !attached || (missing && (kind_is(type, VT_K_EACH_ROW) || half))) {
		g->torn = attached;
		if (!missing)
			snprintf(buf, size, "%s: no hook shows %s", s->label, vt_event_name(type));
		else
			snprintf(buf, size, "%s: %s (%s) is not hooked%s%s", s->label, missing->func, vt_event_name(type),
				 missing->reason && *missing->reason ? ": " : "", missing->reason ? missing->reason : "");
		return true;
	}
	if (missed) {
		g->torn = true;
		snprintf(buf, size, "%s: %llu hit%s of the hook for %s w%s missed", s->label, (unsigned long long)missed, missed == 1 ? "" : "s",
			 vt_event_name(type), missed == 1 ? "as" : "ere");
		return true;
	}
	if (from && earliest != UINT64_MAX && earliest > from) {
		g->torn = true;
		g->to_ns = earliest;
		snprintf(buf, size, "%s: the hook for %s was attached after the first events that matter", s->label, vt_event_name(type));
		return true;
	}
	return false;
}

static int by_function(const void *a, const void *b)
{
	const struct vt_probe *x = *(const struct vt_probe *const *)a, *y = *(const struct vt_probe *const *)b;
	int c = strcmp(x->func, y->func);

	return c ? c : strcmp(x->event, y->event);
}

/* Entry and exit of one function are two rows: one alone is half of the truth, and it is whole with the later one. */
static void take_function(struct coverage *c, const struct vt_trace *t, const struct vt_probe **row, size_t nr)
{
	uint64_t whole_ns = 0;
	bool any = false;

	for (size_t i = 0; i < nr; i++) {
		any |= row[i]->attached;
		if (row[i]->attached && row[i]->attach_ns > whole_ns)
			whole_ns = row[i]->attach_ns;
	}
	for (size_t i = 0; i < nr; i++) {
		struct probed *p = &c->probes[row[i] - vt_trace__probe(t, 0)];

		p->type = (uint16_t)vt_event_by_name(row[i]->event);
		p->half = any && !row[i]->attached;
		p->whole_ns = whole_ns;
	}
}

static int take_probes(const struct vt_side *s, struct coverage *c, size_t nr)
{
	const struct vt_probe **row = calloc(nr + 1, sizeof(*row));
	size_t first = 0;

	if (!row)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		row[i] = vt_trace__probe(s->trace, i);
	qsort(row, nr, sizeof(*row), by_function);
	for (size_t i = 1; i <= nr; i++) {
		if (i < nr && !by_function(&row[i], &row[first]))
			continue;
		take_function(c, s->trace, row + first, i - first);
		first = i;
	}
	for (size_t i = nr; i > 0; i--) {
		c->probes[i - 1].next = c->first[c->probes[i - 1].type];
		c->first[c->probes[i - 1].type] = (uint32_t)i;
	}
	free(row);
	return 0;
}

/* ---- records that were lost ---- */

static bool tears_vfio(const struct lost *l)
{
	return !l->any && kind_is_vfio(l->type);
}

/* Of vfio, where nothing but calls opens a frame: those. */
static bool tears_calls(const struct lost *l)
{
	return l->any || (kind_is(l->type, VT_K_TEARS) && (!kind_is_vfio(l->type) || kind_is_call(l->type)));
}

static int by_end(const void *a, const void *b)
{
	const struct tear *x = a, *y = b;

	return x->to_ns < y->to_ns ? -1 : x->to_ns > y->to_ns;
}

/* One row of the file, with its type, so that nobody has to look names up again. */
static int take_loss(struct coverage *c, const struct vt_loss *l)
{
	bool any = !l->event || !*l->event;
	struct lost *to = &c->lost[c->nr_lost];

	if (!l->count)
		return 0;
	*to = (struct lost){
		.any = any, .type = any ? VT_EV_UNKNOWN : vt_event_by_name(l->event), .from_ns = l->from_ns, .to_ns = l->to_ns,
		.count = l->count, .event = any ? "unknown" : l->event, .why = l->why && *l->why ? l->why : "no reason given",
	};
	c->nr_lost++;
	if (tears_calls(to))
		c->tears[c->nr_tears++] = (struct tear){ .to_ns = to->to_ns, .vfio_only = tears_vfio(to) };
	return vt_spans__add(&c->lossy, to->from_ns, to->to_ns);
}

/* Nobody said so: the numbers of the records do. */
static int take_unsaid(struct coverage *c, const struct vt_unsaid *u)
{
	return take_loss(c, &(struct vt_loss){ .event = "", .why = "their numbers are missing", .count = u->count,
					       .from_ns = u->from_ns, .to_ns = u->to_ns });
}

int coverage_begin(struct vt_build *b)
{
	size_t nr = vt_trace__loss_nr(b->side->trace), unsaid = vt_trace__unsaid_nr(b->side->trace);
	size_t probes = vt_trace__probe_nr(b->side->trace);
	struct coverage *c = &b->coverage;
	int ret = 0;

	c->lost = calloc(nr + unsaid + 1, sizeof(*c->lost));
	c->tears = calloc(nr + unsaid + 1, sizeof(*c->tears));
	c->probes = calloc(probes + 1, sizeof(*c->probes));
	if (!c->lost || !c->tears || !c->probes)
		return -ENOMEM;
	ret = take_probes(b->side, c, probes);
	for (size_t i = 0; i < nr && !ret; i++)
		ret = take_loss(c, vt_trace__loss(b->side->trace, i));
	for (size_t i = 0; i < unsaid && !ret; i++)
		ret = take_unsaid(c, vt_trace__unsaid(b->side->trace, i));
	qsort(c->tears, c->nr_tears, sizeof(*c->tears), by_end);
	vt_spans__join(&c->lossy);
	return ret;
}

static bool same_loss(const struct lost *a, const struct lost *b)
{
	return a->any == b->any && a->type == b->type && !strcmp(a->event, b->event) && !strcmp(a->why, b->why);
}

static void add_to_group(struct lost *first, const struct lost *l)
{
	if (!first->parts++) {
		first->all_from = l->from_ns;
		first->all_to = l->to_ns;
	}
	first->total += l->count;
	if (l->from_ns < first->all_from)
		first->all_from = l->from_ns;
	if (l->to_ns > first->all_to)
		first->all_to = l->to_ns;
}

/* A long recording tells of the same loss many times: one sentence for all of them, with the first. */
void coverage_finalize(struct vt_build *b)
{
	struct coverage *c = &b->coverage;
	struct lost *first[VT_LOSS_GROUPS];
	size_t nr = 0;

	for (size_t i = 0; i < c->nr_lost; i++) {
		struct lost *l = &c->lost[i];
		size_t g = 0;

		while (g < nr && !same_loss(first[g], l))
			g++;
		if (g == nr && nr < VT_LOSS_GROUPS)
			first[nr++] = l;
		/* More kinds than there can be: each for itself. */
		add_to_group(g < nr ? first[g] : l, l);
	}
}

void coverage_free(struct vt_build *b)
{
	free(b->coverage.lost);
	free(b->coverage.tears);
	free(b->coverage.probes);
	vt_spans__free(&b->coverage.lossy);
}

/* Seconds since the first event, as show prints them. */
static double since_start(const struct vt_side *s, uint64_t ns)
{
	return ns > s->start_ns ? (double)(ns - s->start_ns) / 1e9 : 0;
}

static void loss_text(const struct vt_side *s, const struct lost *l, struct vt_gap *g)
{
	int n = snprintf(g->text, sizeof(g->text), "%s: %llu %s events were lost (%s)", s->label, (unsigned long long)l->total, l->event, l->why);

	/* Only a time within the trace says more than "somewhere". */
	if (n < 0 || (size_t)n >= sizeof(g->text) || l->all_from <= s->start_ns || l->all_to == UINT64_MAX)
		return;
	if (l->parts > 1)
		n += snprintf(g->text + n, sizeof(g->text) - (size_t)n, ", in %u places", l->parts);
	if ((size_t)n < sizeof(g->text))
		snprintf(g->text + n, sizeof(g->text) - (size_t)n, ", between +%.6f s and +%.6f s", since_start(s, l->all_from),
			 since_start(s, l->all_to));
}

/* ---- damage ---- */

/*
 * Damage between two blocks of events lies between their times. The blocks
 * around it may tell of losses before their own, so it begins with the block
 * before. TO is a file offset.
 */
bool coverage_damage(struct vt_build *b, const struct vt_block_at *before, uint64_t to, uint64_t to_ns)
{
	struct vt_side *s = b->side;
	struct vt_hole *h = NULL;

	for (size_t i = 0; i < vt_trace__damage_nr(s->trace); i++) {
		const struct vt_damage *d = vt_trace__damage(s->trace, i);

		if (d->kind == VT_D_TRUNCATED || d->offset < before->offset || d->offset >= to)
			continue;
		if (!h && s->nr_holes < VT_HOLES_KEPT) {
			h = &s->holes[s->nr_holes++];
			h->offset = d->offset;
			h->from_ns = before->first_ns;
			h->to_ns = to_ns;
		} else if (!h) {
			h = &s->holes[VT_HOLES_KEPT - 1];	/* so many that the rest is one */
			h->to_ns = UINT64_MAX;
		}
		h->events += d->events;
	}
	return h != NULL;
}

static void hole_text(const struct vt_side *s, const struct vt_hole *h, struct vt_gap *g)
{
	char until[32] = "the end", lost[48] = "";

	if (h->to_ns != UINT64_MAX)
		snprintf(until, sizeof(until), "+%.6f s", since_start(s, h->to_ns));
	if (h->events)
		snprintf(lost, sizeof(lost), ", %llu event%s lost", (unsigned long long)h->events, h->events == 1 ? "" : "s");
	snprintf(g->text, sizeof(g->text), "%s: the file is unreadable from byte %llu, between +%.6f s and %s%s", s->label,
		 (unsigned long long)h->offset, since_start(s, h->from_ns), until, lost);
}

/* ---- files that nobody saw ---- */

/* Outgoing ones, incoming ones, those of before the recording, and those of too many calls. */
enum { NR_DIRS = 2, NR_UNSEEN = 4 };

bool vt_side__late(const struct vt_side *s, char *buf, size_t size)
{
	if (s->early && !*s->early)
		snprintf(buf, size, "%s: the recording began inside of a call: what came before was not recorded", s->label);
	else if (s->early)
		snprintf(buf, size, "%s: session %s was there when the recording began: what came before was not recorded", s->label, s->early);
	return s->early;
}

static bool early_gap(const struct vt_side *s, struct vt_gap *g)
{
	if (!s->early)
		return false;
	g->to_ns = s->first_ns;
	g->torn = true;
	return vt_side__late(s, g->text, sizeof(g->text));
}

static bool unseen_gap(const struct vt_side *s, enum vt_dir dir, struct vt_gap *g)
{
	const struct vt_unseen *u = &s->unseen[dir];

	if (!u->files)
		return false;
	g->to_ns = u->to_ns;
	snprintf(g->text, sizeof(g->text), "%s: LUO counts %llu file%s in session %s, the trace shows %llu: what %s before was not recorded",
		 s->label, (unsigned long long)u->files, u->files == 1 ? "" : "s", u->session ? u->session : "?", (unsigned long long)u->seen,
		 dir == VT_OUTGOING ? "was preserved" : "arrived and was retrieved");
	return true;
}

/* What was given up may have gone on. */
static bool crowd_gap(const struct vt_side *s, struct vt_gap *g)
{
	const struct calls *c = &build_of(s)->calls;

	if (!c->crowded)
		return false;
	g->from_ns = c->crowded_ns;
	g->to_ns = UINT64_MAX;
	g->lost = g->torn = true;
	snprintf(g->text, sizeof(g->text), "%s: more than %d tasks are inside of calls at one time from +%.6f s on: how the older calls ended is not known",
		 s->label, BUSY_MAX, since_start(s, c->crowded_ns));
	return true;
}

/* ---- all of it ---- */

/* What shows the same thing under another name of the posted series. */
static enum vt_event_type shown_by(const struct vt_side *s, enum vt_event_type t)
{
	struct vt_gap ignored = { 0 };

	/* Seen in halves it would be another thing than not seen. */
	if (t == VT_EV_VFIO_LU_OPEN && probe_gap(s, t, &ignored) && !ignored.torn && !probe_gap(s, VT_EV_VFIO_OPEN_COMMON, &ignored))
		return VT_EV_VFIO_OPEN_COMMON;
	return t;
}

bool vt_side__next_gap(const struct vt_side *s, enum vt_event_type type, size_t *i, struct vt_gap *g)
{
	const struct coverage *c = &build_of(s)->coverage;

	memset(g, 0, sizeof(*g));
	if (*i < s->nr_holes) {
		const struct vt_hole *h = &s->holes[(*i)++];

		g->lost = true;
		g->from_ns = h->from_ns;
		g->to_ns = h->to_ns;
		hole_text(s, h, g);
		return true;
	}
	type = shown_by(s, type);
	if (*i == s->nr_holes) {
		(*i)++;
		if (!kind_is(type, VT_K_RIDES) && probe_gap(s, type, g))
			return true;
	}
	while (*i <= s->nr_holes + NR_UNSEEN) {
		size_t dir = (*i)++ - s->nr_holes - 1;

		if (dir < NR_DIRS ? unseen_gap(s, dir, g) : dir == NR_DIRS ? early_gap(s, g) : crowd_gap(s, g))
			return true;
	}
	while (*i - s->nr_holes - 1 - NR_UNSEEN < c->nr_lost) {
		const struct lost *l = &c->lost[(*i)++ - s->nr_holes - 1 - NR_UNSEEN];

		if (!l->any && l->type != type)
			continue;
		g->lost = true;
		g->from_ns = l->from_ns;
		g->to_ns = l->to_ns;
		g->text[0] = 0;
		if (l->parts)
			loss_text(s, l, g);
		return true;
	}
	return false;
}

bool vt_side__gap(const struct vt_side *s, enum vt_event_type type, char *buf, size_t size)
{
	struct vt_gap g;
	size_t i = 0;

	if (!vt_side__next_gap(s, type, &i, &g))
		return false;
	snprintf(buf, size, "%s", g.text);
	return true;
}

bool vt_side__lost(const struct vt_side *s, enum vt_event_type type)
{
	struct vt_gap g;
	size_t i = 0;

	while (vt_side__next_gap(s, type, &i, &g)) {
		if (g.lost)
			return true;
	}
	return false;
}

static bool overlap(uint64_t from_ns, uint64_t to_ns, uint64_t other_from_ns, uint64_t other_to_ns)
{
	return from_ns <= other_to_ns && to_ns >= other_from_ns;
}

bool vt_side__dark(const struct vt_side *s, enum vt_event_type type, uint64_t from_ns, uint64_t to_ns)
{
	struct vt_gap g;
	size_t i = 0;

	while (vt_side__next_gap(s, type, &i, &g)) {
		if (overlap(g.from_ns, g.to_ns, from_ns, to_ns))
			return true;
	}
	return false;
}

bool coverage_lossy(const struct vt_build *b, uint64_t from_ns, uint64_t to_ns)
{
	if (vt_spans__reach(&b->coverage.lossy, from_ns, to_ns))
		return true;
	for (size_t i = 0; i < b->side->nr_holes; i++) {
		if (overlap(b->side->holes[i].from_ns, b->side->holes[i].to_ns, from_ns, to_ns))
			return true;
	}
	return false;
}

const char *vt_side__cut(const struct vt_side *s, char *buf, size_t size)
{
	if (s->ending == VT_END_STOPPED && s->holds && !s->jumped) {
		snprintf(buf, size, "%s: the recording ends while files are preserved, before the jump; what came after is unknown", s->label);
		return buf;
	}
	if (s->ending == VT_END_STOPPED && s->inside) {
		snprintf(buf, size, "%s: the recording ends inside of a call; what came after is unknown", s->label);
		return buf;
	}
	if (s->ending != VT_END_CUT)
		return NULL;
	snprintf(buf, size, "%s: the recording breaks off (recorder killed or storage gone); what came after is unknown", s->label);
	return buf;
}

const char *vt_side__open(const struct vt_side *s, char *buf, size_t size)
{
	char more[48] = "";

	if (s->ending != VT_END_STOPPED || s->jumped || !(s->waits || s->opened))
		return NULL;
	if (s->nr_waits > 1)
		snprintf(more, sizeof(more), " and %" PRIu64 " more", s->nr_waits - 1);
	if (!s->waits)
		snprintf(buf, size, "%s: the recording ends while session %s is open; what came after is unknown", s->label, s->opened);
	else
		snprintf(buf, size, "%s: the recording ends while files that arrived are not finished: session %s%s; what came after is unknown", s->label,
			 s->waits, more);
	return buf;
}

bool coverage_whole(const struct vt_build *b, uint16_t type, uint64_t by_ns)
{
	EACH_PROBE_OF(&b->coverage, type, n) {
		const struct vt_probe *p = vt_trace__probe(b->side->trace, n - 1);

		if (b->coverage.probes[n - 1].half || p->misses || p->recursion_misses || p->attach_ns > by_ns)
			return false;
	}
	return true;
}
