// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "take.h"
#include "trace/format.h"

#define NAME(id, name, what) name,
static const char *const names[] = { TAKE_KINDS(NAME) };
#undef NAME
#define WHAT(id, name, what) what,
static const char *const whats[] = { TAKE_KINDS(WHAT) };
#undef WHAT

const char *take_name(enum take_kind k)
{
	return names[k];
}

const char *take_what(enum take_kind k)
{
	return whats[k];
}

enum take_kind take_by_name(const char *name)
{
	int k = 0;

	while (k < TAKE_MAX && strcmp(names[k], name))
		k++;
	return (enum take_kind)k;
}

/* splitmix64: the same everywhere. */
uint32_t random__below(struct random *r, uint32_t n)
{
	uint64_t z = (r->state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	z ^= z >> 31;
	return n ? (uint32_t)(z % n) : 0;
}

/* ---- hooks: a place is a row of the probe table that stands for all that go together with it ---- */

enum scope { HALF, FUNC, TYPE, HANDLER, SCOPES };

struct place {
	uint16_t row;
	uint32_t events;	/* that only hooks of this place show */
};

struct hooks {
	uint16_t *group[SCOPES];	/* by row: the first row that it goes together with */
	struct place *places[TAKE_MISSED + 1];
	uint32_t nr[TAKE_MISSED + 1];
};

static enum scope scope_of(enum take_kind k)
{
	switch (k) {
	case TAKE_ABSENT_FUNC: case TAKE_LATE_FUNC: return FUNC;
	case TAKE_ABSENT_TYPE: case TAKE_LATE_TYPE: return TYPE;
	case TAKE_ABSENT_HANDLER: case TAKE_LATE_HANDLER: return HANDLER;
	default: return HALF;
	}
}

static bool is_late(enum take_kind k)
{
	return k >= TAKE_LATE_FUNC && k <= TAKE_LATE_HANDLER;
}

static bool is_hook(enum take_kind k)
{
	return k <= TAKE_MISSED;
}

static bool is_loss(enum take_kind k)
{
	return (k >= TAKE_LOST_EXACT && k <= TAKE_LOST_UNTYPED) || k == TAKE_UNSAID;
}

/* What a handler's functions have in common: their name without that of the callback. */
static size_t handler_of(const struct vt_probe *p)
{
	const char *op = !strncmp(p->event, "op.", 3) ? p->event + 3 : NULL;
	size_t n = strlen(p->func), tail = op ? strlen(op) : 0;

	return op && n > tail && !strcmp(p->func + n - tail, op) ? n - tail : 0;
}

static bool together(enum scope s, const struct vt_probe *a, const struct vt_probe *b)
{
	size_t n;

	switch (s) {
	case FUNC: return !strcmp(a->func, b->func) && !strcmp(a->event, b->event) && !strcmp(a->module, b->module);
	case TYPE: return !strcmp(a->event, b->event);
	case HANDLER:
		n = handler_of(a);
		return n && handler_of(b) == n && !strncmp(a->func, b->func, n);
	default: return a == b;
	}
}

/* Event I is shown by hooks of ROW's company only. */
static bool shown_only(const struct tale *t, size_t i, enum scope s, size_t row)
{
	const struct tale_rows *by = &t->shown_by[t->ev[i].host];

	for (size_t k = 0; k < by->nr; k++) {
		if (t->hooks->group[s][by->row[k]] != t->hooks->group[s][row])
			return false;
	}
	return by->nr;
}

static void find_groups(const struct tale *t, struct hooks *h, enum scope s)
{
	h->group[s] = keep(t->nr_probes * sizeof(*h->group[s]));
	for (size_t i = 0; i < t->nr_probes; i++) {
		size_t first = 0;

		while (first < i && !(t->probes[first].attached && together(s, &t->probes[first], &t->probes[i])))
			first++;
		h->group[s][i] = (uint16_t)first;
	}
}

/* Entry and return of one function: what HALF takes one of. */
static bool has_other_half(const struct tale *t, const struct hooks *h, size_t row)
{
	for (size_t i = 0; i < t->nr_probes; i++) {
		if (i != row && t->probes[i].attached && h->group[FUNC][i] == h->group[FUNC][row])
			return true;
	}
	return false;
}

static bool is_place(enum take_kind k, const struct tale *t, const struct hooks *h, size_t row)
{
	enum scope s = scope_of(k);

	if (!t->probes[row].attached || h->group[s][row] != row || (s == HANDLER && !handler_of(&t->probes[row])))
		return false;
	return s != HALF || k == TAKE_MISSED || has_other_half(t, h, row);
}

static void find_places(enum take_kind k, const struct tale *t, struct hooks *h)
{
	h->places[k] = keep(t->nr_probes * sizeof(*h->places[k]));
	/* Those that showed something come first. */
	for (int idle = 0; idle < (k == TAKE_MISSED ? 1 : 2); idle++) {
		for (size_t row = 0; row < t->nr_probes; row++) {
			uint32_t n = 0;

			if (!is_place(k, t, h, row))
				continue;
			for (size_t i = 0; i < t->nr_ev; i++)
				n += t->ev[i].host == i && shown_only(t, i, scope_of(k), row);
			if ((n == 0) == (idle == 1))
				h->places[k][h->nr[k]++] = (struct place){ (uint16_t)row, n };
		}
	}
}

static const struct hooks *hooks_of(const struct tale *t)
{
	struct hooks *h = t->hooks;

	if (h)
		return h;
	h = keep(sizeof(*h));
	((struct tale *)t)->hooks = h;
	for (int s = 0; s < SCOPES; s++)
		find_groups(t, h, (enum scope)s);
	for (int k = 0; k <= TAKE_MISSED; k++)
		find_places((enum take_kind)k, t, h);
	return h;
}

static const struct place *place_at(enum take_kind k, const struct tale *t, uint32_t place)
{
	static const struct place none;
	const struct hooks *h = hooks_of(t);

	return h->nr[k] ? &h->places[k][place % h->nr[k]] : &none;
}

static size_t row_at(enum take_kind k, const struct tale *t, uint32_t place)
{
	return place_at(k, t, place)->row;
}

/* The time at which hooks come that miss AMOUNT of their events. */
static uint64_t late_time(const struct take *k, const struct tale *t, size_t row)
{
	uint32_t n = 0;
	uint64_t ns = 0;

	for (size_t i = 0; i < t->nr_ev && n < k->amount; i++) {
		if (t->ev[i].host != i || !shown_only(t, i, scope_of(k->kind), row))
			continue;
		n++;
		ns = t->ev[i].stamp.ts_ns;
	}
	return ns + 1;
}

static void apply_rows(const struct take *k, struct draft *d, size_t row, uint64_t late_ns)
{
	const struct tale *t = d->t;

	for (size_t i = 0; i < t->nr_probes; i++) {
		struct vt_probe *p = &d->probes[i];

		if (!p->attached || t->hooks->group[scope_of(k->kind)][i] != t->hooks->group[scope_of(k->kind)][row])
			continue;
		if (late_ns) {
			if (p->attach_ns < late_ns)
				p->attach_ns = late_ns;
			continue;
		}
		p->attached = false;
		p->method = "none";
		p->reason = "not hooked in this test";
		p->attach_ns = p->hits = p->misses = p->recursion_misses = 0;
	}
}

static void take_hooks(const struct take *k, struct draft *d)
{
	const struct tale *t = d->t;
	size_t row = row_at(k->kind, t, k->place);
	uint64_t late_ns = is_late(k->kind) ? late_time(k, t, row) : 0;

	d->renumber = true;
	for (size_t i = 0; i < t->nr_ev; i++) {
		if (shown_only(t, i, scope_of(k->kind), row) && (!late_ns || t->ev[i].stamp.ts_ns < late_ns))
			d->gone[i] = true;
	}
	apply_rows(k, d, row, late_ns);
}

/* ---- single records ---- */

static void mark_list(const struct take *k, struct draft *d)
{
	for (uint32_t i = 0; i < k->nr; i++)
		d->gone[k->list[i] % d->t->nr_ev] = true;
}

/* Missed hits have no record and no number, and nothing that would have come along. */
static void take_missed(const struct take *k, struct draft *d)
{
	struct vt_probe *p = &d->probes[row_at(k->kind, d->t, k->place)];

	d->renumber = true;
	mark_list(k, d);
	for (size_t i = 0; i < d->t->nr_ev; i++)
		d->gone[i] |= d->gone[d->t->ev[i].host];
	if (!strcmp(p->method, "kprobe") || !strcmp(p->method, "kretprobe"))
		p->misses += k->nr;
	else
		p->recursion_misses += k->nr;
}

static void add_loss(struct draft *d, const char *event, uint64_t count, uint64_t from_ns, uint64_t to_ns)
{
	d->losses[d->nr_losses++] = (struct vt_loss){ .event = event, .why = "ring full", .count = count, .from_ns = from_ns, .to_ns = to_ns };
}

static void take_records(const struct take *k, struct draft *d)
{
	struct { uint64_t n, from, to; } of[VT_EV_MAX] = { 0 };
	const struct tale *t = d->t;
	uint64_t all = 0;

	mark_list(k, d);
	for (size_t i = 0; i < t->nr_ev; i++) {
		const struct tale_event *e = &t->ev[i];

		if (!d->gone[i])
			continue;
		all++;
		if (!of[e->type].n++)
			of[e->type].from = e->stamp.ts_ns;
		of[e->type].to = e->stamp.ts_ns;
	}
	if (k->kind == TAKE_LOST_UNTYPED)
		add_loss(d, "", all, 0, UINT64_MAX);
	for (int i = 0; i < VT_EV_MAX && k->kind != TAKE_LOST_UNTYPED && k->kind != TAKE_UNSAID; i++) {
		bool exact = k->kind == TAKE_LOST_EXACT;

		if (of[i].n)
			add_loss(d, vt_event_name(i), of[i].n, exact ? of[i].from : 0, exact ? of[i].to : UINT64_MAX);
	}
}

static bool can_be_lost(const struct tale_event *e)
{
	return e->type < VT_EV_REC_ARMED;
}

static bool is_chosen(const struct take *k, uint32_t i)
{
	for (uint32_t n = 0; n < k->nr; n++) {
		if (k->list[n] == i)
			return true;
	}
	return false;
}

/* A number that is told behind event I shows that it is missing: the next one of its CPU, or those of the recorder's end. */
static bool number_tells(const struct take *k, const struct tale *t, uint32_t i)
{
	for (uint32_t n = i + 1; n < t->nr_ev; n++) {
		if (t->ev[n].type == VT_EV_REC_STOP || (t->ev[n].stamp.seq && t->ev[n].stamp.cpu == t->ev[i].stamp.cpu && !is_chosen(k, n)))
			return true;
	}
	return false;
}

/*
 * What is lost behind the last number that is told, before a jump, only rows
 * about loss can tell (numbers.h says why they do): that is no loss which
 * numbers alone tell, but one of the kinds lost-*.
 */
static void drop_untold(struct take *k, const struct tale *t)
{
	while (k->nr && !number_tells(k, t, k->list[k->nr - 1]))
		k->nr--;
}

/* A burst, or one here and there; at place N around the N-th part of the trace. */
static void choose_records(struct take *k, const struct tale *t, struct random *r)
{
	uint32_t at = (uint32_t)((uint64_t)k->place * t->nr_ev / (take__places(k->kind, t) + 1));
	bool burst = k->amount & 1;

	for (; at < t->nr_ev && k->nr < k->amount; at += burst ? 1 : 1 + random__below(r, 6)) {
		if (can_be_lost(&t->ev[at]))
			k->list[k->nr++] = at;
	}
	if (k->kind == TAKE_UNSAID)
		drop_untold(k, t);
}

static void choose_missed(struct take *k, const struct tale *t, struct random *r)
{
	size_t row = row_at(k->kind, t, k->place);
	uint32_t left = place_at(k->kind, t, k->place)->events, want = k->amount < left ? k->amount : left;

	for (size_t i = 0; i < t->nr_ev && k->nr < want; i++) {
		if (t->ev[i].host != i || !shown_only(t, i, HALF, row))
			continue;
		if (random__below(r, left--) < want - k->nr)
			k->list[k->nr++] = (uint32_t)i;
	}
}

bool take__has_list(enum take_kind k)
{
	return k == TAKE_MISSED || is_loss(k);
}

void take__choose(struct take *k, const struct tale *t, struct random *r)
{
	k->nr = 0;
	if (k->kind == TAKE_MISSED)
		choose_missed(k, t, r);
	else if (is_loss(k->kind))
		choose_records(k, t, r);
}

/* ---- bytes ---- */

/* Offset of block N; *NR: how many there are. */
static size_t block_at(const struct tale *t, uint32_t n, uint32_t *nr, size_t *len)
{
	size_t at = sizeof(struct vtf_header), found = 0;
	struct vtf_block h;

	*nr = 0;
	*len = 0;
	while (at + sizeof(h) <= t->size) {
		memcpy(&h, t->bytes + at, sizeof(h));
		if (h.magic != VTF_BLOCK_MAGIC)
			break;
		if ((*nr)++ == n) {
			found = at;
			*len = sizeof(h) + h.len;
			if (at + *len > t->size)
				*len = t->size - at;
		}
		at += sizeof(h) + h.len;
	}
	return found;
}

static void take_block(const struct take *k, const struct tale *t, char *bytes, size_t *size)
{
	uint32_t nr;
	size_t len, at = block_at(t, k->place, &nr, &len), body = sizeof(struct vtf_block);

	if (!len)
		return;
	switch (k->kind) {
	case TAKE_TORN: bytes[at + (len > body ? body + (len - body) / 2 : 0)] ^= 0x10; break;
	case TAKE_TORN_HEAD: bytes[at + 10] ^= 0x10; break;
	case TAKE_HOLLOW: memset(bytes + at, 0, len); break;
	default:
		memmove(bytes + at, bytes + at + len, t->size - at - len);
		*size = t->size - len;
	}
}

static void take_bytes(const struct take *k, const struct tale *t, int fd)
{
	size_t size = t->size, less = k->amount < size ? k->amount : size;
	char *bytes = keep(size);

	memcpy(bytes, t->bytes, size);
	if (k->kind == TAKE_CUT)
		size -= less;
	else if (k->kind == TAKE_ZEROED)
		memset(bytes + size - less, 0, less);
	else
		take_block(k, t, bytes, &size);
	bytes__write(bytes, size, fd);
	free(bytes);
}

static bool is_bytes(enum take_kind k)
{
	return k >= TAKE_CUT && k <= TAKE_DROPPED;
}

/* ---- time ---- */

/* Armed right before the first event that it still saw. */
/*
 * Of luo_session_deserialize() its return alone is recorded, and a hook on a
 * return catches calls that begin after it was placed: who begins to record
 * inside of the call sees no end of it, either.
 */
static void drop_echo(struct draft *d, size_t first)
{
	const struct tale *t = d->t;
	bool inside = false;

	for (size_t i = 0; i < first; i++)
		inside = t->ev[i].type == VT_EV_LUO_DESERIALIZE || (inside && t->ev[i].type != VT_EV_SESSION_DESERIALIZE);
	for (size_t i = first; inside && i < t->nr_ev; i++) {
		if (t->ev[i].type == VT_EV_LUO_DESERIALIZE)
			return;		/* another session was read meanwhile */
		if (t->ev[i].type == VT_EV_SESSION_DESERIALIZE) {
			d->gone[i] = true;
			return;
		}
	}
}

static void drop_loss(struct draft *d, size_t i)
{
	memmove(&d->losses[i], &d->losses[i + 1], (--d->nr_losses - i) * sizeof(d->losses[0]));
}

static void take_start(const struct take *k, struct draft *d)
{
	const struct tale *t = d->t;
	uint64_t ns = k->amount < t->nr_ev ? t->ev[k->amount].stamp.ts_ns : t->nr_ev ? t->ev[t->nr_ev - 1].stamp.ts_ns + 1 : 1;

	d->renumber = true;
	d->armed_ns = ns;
	for (size_t i = 0; i < t->nr_ev; i++)
		d->gone[i] = t->ev[i].stamp.ts_ns < ns || t->ev[i].type == VT_EV_REC_ARMED;
	drop_echo(d, k->amount < t->nr_ev ? k->amount : t->nr_ev);
	for (size_t i = 0; i < d->nr_losses;) {
		if (d->losses[i].to_ns >= ns)
			i++;
		else
			drop_loss(d, i);	/* before there was a recorder, none lost anything */
	}
	for (size_t i = 0; i < t->nr_probes; i++) {
		if (d->probes[i].attached && d->probes[i].attach_ns < ns)
			d->probes[i].attach_ns = ns;
	}
}

/* AMOUNT events lack at the end, and whatever was told of that time. */
static void take_end(const struct take *k, struct draft *d)
{
	const struct tale *t = d->t;
	size_t left = k->kind != TAKE_EMPTY && k->amount < t->nr_ev ? t->nr_ev - k->amount : 0;
	uint64_t ns = left ? t->ev[left - 1].stamp.ts_ns : 0;

	for (size_t i = left; i < t->nr_ev; i++)
		d->gone[i] = true;
	d->ended = k->kind == TAKE_ENDED ? "child exited" : NULL;
	d->stopped_ns = k->kind == TAKE_ENDED ? ns + 1 : 0;
	d->killed = k->kind != TAKE_ENDED;
	for (size_t i = 0; i < d->nr_losses;) {
		if (d->losses[i].from_ns <= ns && !(d->killed && d->losses[i].to_ns > ns))
			i++;
		else
			drop_loss(d, i);
	}
}

/* ---- all of it ---- */

/* What was left to tell before the jump is stored. */
static bool jumped(const struct tale *t)
{
	for (size_t i = 0; i < t->nr_ev; i++) {
		if (t->ev[i].type == VT_EV_REC_DRAINED)
			return true;
	}
	return false;
}

/* The trace tells of more losses than numbers are missing, as a text does that was numbered without them: what more is missing hides among them. */
static bool hides_more(const struct tale *t)
{
	uint64_t told = 0, missing = 0;

	for (size_t i = 0; i < t->nr_losses; i++)
		told += t->losses[i].count;
	for (uint32_t cpu = 0; cpu < 64; cpu++) {
		uint64_t first = 0, last = 0, nr = 0;

		for (size_t i = 0; i < t->nr_ev; i++) {
			const struct vt_stamp *s = &t->ev[i].stamp;

			if (s->cpu != cpu || !s->seq)
				continue;
			first = !nr || s->seq < first ? s->seq : first;
			last = s->seq > last ? s->seq : last;
			nr++;
		}
		missing += nr ? last - first + 1 - nr : 0;
	}
	return told > missing;
}

uint32_t take__places(enum take_kind k, const struct tale *t)
{
	uint32_t nr = 1;
	size_t len;

	/*
	 * A text that tells a loss and has no numbers is what no recorder leaves: each that can lose a record numbers them, and
	 * where the row about the loss is cut off, the numbers around it tell.
	 */
	if (t->numbered && t->nr_losses && (is_bytes(k) || k == TAKE_KILLED))
		return 0;
	if (is_bytes(k)) {
		block_at(t, 0, &nr, &len);
		return k == TAKE_CUT || k == TAKE_ZEROED ? 1 : nr;
	}
	if (k == TAKE_ALONE)
		return 1;
	if (!t->true_copy || !t->nr_ev || k == TAKE_OTHER)
		return 0;
	if (k == TAKE_UNSAID && hides_more(t))
		return 0;
	/* Of a recorder that was killed an orderly end would be more evidence, not less. */
	if (k == TAKE_ENDED && !t->ended && !jumped(t))
		return 0;
	if (is_hook(k))
		return hooks_of(t)->nr[k];
	return is_loss(k) ? 12 : 1;
}

uint32_t take__amounts(enum take_kind k, const struct tale *t, uint32_t place)
{
	if (is_late(k) || k == TAKE_MISSED) {
		uint32_t n = place_at(k, t, place)->events;

		return n ? n : 1;
	}
	if (is_loss(k))
		return 12;
	switch (k) {
	case TAKE_CUT: case TAKE_ZEROED: return (uint32_t)t->size;
	case TAKE_STARTED: case TAKE_ENDED: case TAKE_KILLED: return (uint32_t)t->nr_ev;
	default: return 1;
	}
}

static void make_draft(const struct take *k, const struct tale *t, struct draft *d)
{
	draft__begin(d, t);
	if (k->kind == TAKE_MISSED)
		take_missed(k, d);
	else if (is_hook(k->kind))
		take_hooks(k, d);
	else if (is_loss(k->kind))
		take_records(k, d);
	else if (k->kind == TAKE_STARTED)
		take_start(k, d);
	else if (k->kind == TAKE_ENDED || k->kind == TAKE_KILLED || k->kind == TAKE_EMPTY)
		take_end(k, d);
}

void take__apply(const struct take *k, const struct tale *t, int fd)
{
	struct draft d;

	if (k->kind == TAKE_ALONE || k->kind == TAKE_OTHER) {
		bytes__write(t->bytes, t->size, fd);
		return;
	}
	if (is_bytes(k->kind)) {
		take_bytes(k, t, fd);
		return;
	}
	make_draft(k, t, &d);
	draft__write(&d, fd);
	draft__free(&d);
}

/* luo_session_deserialize() answers the same ever after: its 0 is that of a boot in which nothing arrived. */
static bool is_echo(const struct take *k, const struct tale_event *e)
{
	const struct tale_field *ret = tale_event__field(e, VT_F_RET);

	return k->kind == TAKE_STARTED && e->type == VT_EV_SESSION_DESERIALIZE && ret && !ret->u;
}

static bool luo_events(const struct take *k, const struct tale *t, bool gone)
{
	struct draft d;
	bool any = false;

	make_draft(k, t, &d);
	for (size_t i = 0; i < t->nr_ev; i++)
		any |= d.gone[i] == gone && tale_event__is_luo(&t->ev[i]) && (gone || !is_echo(k, &t->ev[i]));
	draft__free(&d);
	return any;
}

bool take__of_luo(const struct take *k, const struct tale *t)
{
	return luo_events(k, t, true);
}

bool take__all_of_luo(const struct take *k, const struct tale *t)
{
	return !luo_events(k, t, false);
}

/* ---- words ---- */

void take__print(const struct take *k, FILE *to)
{
	fprintf(to, "%s:%s:%u:%u", take_name(k->kind), k->side ? "post" : "pre", k->place, k->amount);
	for (uint32_t i = 0; i < k->nr; i++)
		fprintf(to, "%c%u", i ? ',' : ':', k->list[i]);
}

bool take__parse(struct take *k, const char *s)
{
	char name[32], side[8];
	int n = 0;

	memset(k, 0, sizeof(*k));
	if (sscanf(s, "%31[^:]:%7[^:]:%u:%u%n", name, side, &k->place, &k->amount, &n) < 4)
		return false;
	k->kind = take_by_name(name);
	k->side = !strcmp(side, "post");
	for (s += n; *s && k->nr < TAKE_LIST_MAX; s++) {
		char *end;

		k->list[k->nr++] = (uint32_t)strtoul(s + 1, &end, 10);
		s = end - 1;
	}
	return k->kind < TAKE_MAX;
}

static double seconds(const struct tale *t, uint64_t ns)
{
	return t->nr_ev && ns > t->ev[0].stamp.ts_ns ? (double)(ns - t->ev[0].stamp.ts_ns) / 1e9 : 0;
}

static void explain_events(const struct draft *d, FILE *to)
{
	size_t n = 0, shown = 0;

	for (size_t i = 0; i < d->t->nr_ev; i++)
		n += d->gone[i];
	fprintf(to, "%zu of %zu events gone", n, d->t->nr_ev);
	for (size_t i = 0; i < d->t->nr_ev && shown < 4; i++) {
		static const char *const phases[] = { "--", "->", "<-" };
		const struct tale_event *e = &d->t->ev[i];

		if (d->gone[i])
			fprintf(to, "%s +%.9f %s %s", shown++ ? "," : ":", seconds(d->t, e->stamp.ts_ns), e->phase < 3 ? phases[e->phase] : "?",
				vt_event_name(e->type));
	}
	fprintf(to, "%s", n > shown ? ", ..." : "");
}

static void explain_hook(const struct take *k, const struct tale *t, FILE *to)
{
	size_t row = row_at(k->kind, t, k->place);
	const struct vt_probe *p = &t->probes[row];

	fprintf(to, "%s%s%s (%s)", p->func, scope_of(k->kind) == HALF ? " " : "", scope_of(k->kind) == HALF ? p->method : "", p->event);
	if (is_late(k->kind))
		fprintf(to, " from +%.9f s on", seconds(t, late_time(k, t, row)));
	fprintf(to, "; ");
}

void take__explain(const struct take *k, const struct tale *t, FILE *to)
{
	struct draft d;

	fprintf(to, "%s", take_what(k->kind));
	if (k->kind == TAKE_CUT || k->kind == TAKE_ZEROED)
		fprintf(to, ": the last %u of %zu bytes", k->amount, t->size);
	else if (is_bytes(k->kind))
		fprintf(to, ": block %u", k->place);
	if (is_bytes(k->kind) || k->kind == TAKE_ALONE || k->kind == TAKE_OTHER)
		return;
	fprintf(to, ": ");
	if (is_hook(k->kind))
		explain_hook(k, t, to);
	make_draft(k, t, &d);
	explain_events(&d, to);
	draft__free(&d);
}
