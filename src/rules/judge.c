// SPDX-License-Identifier: GPL-2.0
/* Runs every rule over one or two sides and adds up what they say. Nobody here is called by a rule. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/kinds.h"
#include "rules/crossing.h"
#include "rules/facts.h"
#include "rules/finding.h"
#include "rules/reach.h"
#include "rules/update.h"

static void count_subjects(struct vt_ctx *c)
{
	const struct vt_subjects *n = &c->rule->judges;

	VT_EACH_SIDE(c, i) {
		for (const uint16_t *t = n->type; *t; t++)
			vt_judged(c, vt_needed_on(c, i, *t) ? vt_side__seen(c->j->side[i], *t) : 0);
		if (n->counter)
			vt_judged(c, *(const uint64_t *)((const char *)c->j->side[i] + n->counter));
		if (n->of)
			vt_judged(c, n->of(c->j->side[i]));
	}
}

static void run_rule(struct vt_ctx *c)
{
	char why[200];

	if (!vt_applies(c, why, sizeof(why))) {
		c->row->status = VT_NOT_APPLICABLE;
		vt_add_line(c, &c->row->why, &c->row->nr_why, why);
		return;
	}
	vt_check_needs(c);
	vt_tell_facts(c);
	if (c->rule->run)
		c->rule->run(c);
	count_subjects(c);
	c->row->status = c->row->findings ? VT_FOUND : c->row->nr_why ? VT_UNKNOWN : c->row->subjects ? VT_PASS : VT_NOTHING;
	if (c->row->status == VT_NOTHING) {
		snprintf(why, sizeof(why), "no %s was seen", c->rule->judges.one);
		vt_add_line(c, &c->row->why, &c->row->nr_why, why);
	}
	if (vt_row_doubtful(c->row))
		vt_count_files(c);
	VT_EACH_SIDE(c, i) {
		vt_spans__free(&c->blind[i]);
		vt_spans__free(&c->torn[i]);
	}
}

static int by_weight(const void *a, const void *b)
{
	const struct vt_finding *x = a, *y = b;
	size_t i, j;

	if (x->severity != y->severity)
		return (int)y->severity - (int)x->severity;
	for (i = 0; i < vt_nr_rules && vt_rules[i] != x->rule; i++)
		;
	for (j = 0; j < vt_nr_rules && vt_rules[j] != y->rule; j++)
		;
	if (i != j)
		return i < j ? -1 : 1;
	return strcmp(x->key, y->key);
}

/* Evidence reads in the order in which it happened: the old kernel first. */
static void order_evidence(struct vt_judgement *j)
{
	for (size_t i = 0; i < j->nr_findings; i++) {
		struct vt_finding *f = &j->findings[i];

		for (size_t a = 1; a < f->nr_ev; a++) {
			struct vt_evidence e = f->ev[a];
			size_t b = a;

			for (; b > 0 && (f->ev[b - 1].side == e.side ? f->ev[b - 1].at.index > e.at.index : e.side == j->side[0]); b--)
				f->ev[b] = f->ev[b - 1];
			f->ev[b] = e;
		}
	}
}

/* The failure that was asked for before AT in the same outermost call, or NULL. */
static const struct vt_injection *cause_of(const struct vt_side *s, const struct vt_at *at)
{
	for (size_t i = s->nr_injections; i-- > 0;) {
		const struct vt_injection *x = &s->injections[i];

		if (x->at.tid == at->tid && x->at.index < at->index)
			return at->index <= x->until ? x : NULL;
	}
	return NULL;
}

/* An error that is for an allocation which was made to fail is no riddle. */
static void name_causes(struct vt_ctx *c)
{
	struct vt_judgement *j = c->j;

	for (size_t i = 0; i < j->nr_findings; i++) {
		struct vt_finding *f = &j->findings[i];
		const struct vt_injection *x = NULL;
		size_t side = 0;

		for (size_t k = 0; k < f->nr_ev && !x; k++) {
			if (!f->ev[k].at.has_ret || f->ev[k].at.ret >= 0 || f->ev[k].at.phase == VT_ENTER)
				continue;
			x = cause_of(f->ev[k].side, &f->ev[k].at);
			side = f->ev[k].side == j->side[0] ? 0 : 1;
		}
		if (x && f->severity != VT_NOTE)
			vt_proof(c, f, side, &x->at, "the cause: %s%s%s%s was made to fail here", x->what ? "an allocation of " : "an allocation",
				 x->what ? x->what : "", x->site ? " at " : "", x->site ? x->site : "");
	}
}

/* Where a call of LUO may be missing, nobody knows that there was nothing. */
static void doubt_calls(struct vt_ctx *c, const struct vt_side *s)
{
	struct vt_judgement *j = c->j;
	struct vt_gap g;

	for (int type = 1; type < VT_EV_MAX; type++) {
		size_t at = 0;

		while ((kind_area(type) == VT_AREA_SESSION || kind_is_luo_call(type)) && vt_side__next_gap(s, type, &at, &g)) {
			if ((g.lost || g.torn) && g.text[0])
				vt_add_line(c, &j->doubts, &j->nr_doubts, g.text);
		}
	}
}

static void doubt_any(struct vt_ctx *c, const struct vt_side *s, enum vt_event_type type)
{
	char buf[400];

	if (vt_side__gap(s, type, buf, sizeof(buf)))
		vt_add_line(c, &c->j->doubts, &c->j->nr_doubts, buf);
}

static void doubt_departures(struct vt_ctx *c, const struct vt_side *s)
{
	doubt_any(c, s, VT_EV_LUO_PRESERVE);
	/* With a freeze comes the number of files, whoever saw them preserved. */
	if (s->jumped || s->reboot.type)
		doubt_any(c, s, VT_EV_LUO_FREEZE);
}

/*
 * luo_session_deserialize() returns the same again to whoever asks later: what it freed
 * just before, the list of what arrived, tells the first time from the others.
 */
static void doubt_arrivals(struct vt_ctx *c, const struct vt_side *s)
{
	doubt_any(c, s, VT_EV_LUO_RETRIEVE);
	doubt_any(c, s, VT_EV_LUO_DESERIALIZE);
	doubt_any(c, s, VT_EV_SESSION_DESERIALIZE);
	if (s->seen_type[VT_EV_SESSION_DESERIALIZE])
		doubt_any(c, s, VT_EV_KHO_RESTORE_FREE);
}

/* Nothing was preserved and nothing arrived: is that sure, and whose doing? */
static void judge_empty(struct vt_ctx *c)
{
	struct vt_judgement *j = c->j;
	bool no_luo = true;
	char buf[400];

	VT_EACH_SIDE(c, i) {
		if (vt_side_has_files(j->side[i]))
			return;
		no_luo &= vt_side_no_luo(j->side[i]);
	}
	j->nothing = no_luo ? "this kernel has no Live Update Orchestrator" : "no file was preserved and none arrived";
	if (no_luo)
		return;
	/* Before a jump that was not recorded anything may have been preserved, and have arrived before the second recording began. */
	if (j->nr_sides == 2 && !j->pair)
		vt_add_line(c, &j->doubts, &j->nr_doubts, VT_NO_JUMP);
	VT_EACH_SIDE(c, i) {
		if (vt_side__cut(j->side[i], buf, sizeof(buf)))
			vt_add_line(c, &j->doubts, &j->nr_doubts, buf);
		if (vt_side__open(j->side[i], buf, sizeof(buf)))
			vt_add_line(c, &j->doubts, &j->nr_doubts, buf);
		if (vt_side__late(j->side[i], buf, sizeof(buf)))
			vt_add_line(c, &j->doubts, &j->nr_doubts, buf);
		doubt_calls(c, j->side[i]);
		if (i == 0)
			doubt_departures(c, j->side[i]);
		if (i == j->nr_sides - 1)
			doubt_arrivals(c, j->side[i]);
	}
}

/* Two traces of an update that did not happen, or that had nothing to carry, say nothing good of one. */
static void judge_crossing(struct vt_ctx *c)
{
	struct vt_judgement *j = c->j;

	if (j->nr_sides < 2 || j->nothing)
		return;
	if (!j->pair)
		vt_add_line(c, &j->doubts, &j->nr_doubts, j->strangers ? VT_STRANGERS : VT_NO_JUMP);
	else if (!vt_any_crossed(j) && !vt_side_incoming(j->side[1]))
		vt_add_line(c, &j->doubts, &j->nr_doubts, "PRE: no file went into the jump, so nothing of the update itself was judged");
}

void vt_judgement__settle(struct vt_judgement *j)
{
	bool damaged = false;

	j->errors = j->warnings = j->notes = j->suppressed = j->known = 0;
	for (size_t i = 0; i < j->nr_findings; i++) {
		const struct vt_finding *f = &j->findings[i];

		if (f->severity == VT_NOTE)
			j->notes++;
		else if (f->suppressed)
			j->suppressed++;
		else if (f->known)
			j->known++;
		else if (f->severity == VT_ERROR)
			j->errors++;
		else
			j->warnings++;
	}
	for (size_t i = 0; i < j->nr_sides; i++)
		damaged |= j->side[i]->damaged;
	if (j->errors + j->warnings)
		j->exit = VT_EXIT_FINDINGS;
	else if (j->nr_doubts)
		j->exit = VT_EXIT_INCONCLUSIVE;
	else if (damaged)
		j->exit = VT_EXIT_BAD_TRACE;
	else if (j->nothing)
		j->exit = VT_EXIT_NOTHING;
	else
		j->exit = VT_EXIT_CLEAN;
}

int vt_judge(const struct vt_side *a, const struct vt_side *b, struct vt_judgement **out)
{
	struct vt_judgement *j = calloc(1, sizeof(*j));
	struct vt_ctx c = { .j = j };
	enum vt_kin kin;
	char why[400];

	if (!j)
		return -ENOMEM;
	j->side[0] = a;
	j->side[1] = b;
	j->nr_sides = b ? 2 : 1;
	j->pair = b && (a->jumped || (a->ending == VT_END_CUT && vt_arrived(a, b)));
	kin = b ? vt_kin(a, b, why, sizeof(why)) : VT_KIN_ONE;
	j->strangers = j->pair && kin != VT_KIN_ONE;
	j->pair &= !j->strangers;
	j->rows = calloc(vt_nr_rules, sizeof(*j->rows));
	if (kin == VT_KIN_TWO)
		j->two_updates = strdup(why);
	if (!j->rows || (kin == VT_KIN_TWO && !j->two_updates)) {
		vt_judgement__free(j);
		return -ENOMEM;
	}
	for (size_t i = 0; i < vt_nr_rules; i++) {
		struct vt_ctx r = { .j = j, .rule = vt_rules[i], .row = &j->rows[i] };

		j->rows[i].rule = vt_rules[i];
		run_rule(&r);
		c.err = c.err ? c.err : r.err;
	}
	judge_empty(&c);
	judge_crossing(&c);
	name_causes(&c);
	order_evidence(j);
	if (j->nr_findings)
		qsort(j->findings, j->nr_findings, sizeof(*j->findings), by_weight);
	vt_judgement__settle(j);
	if (c.err) {
		vt_judgement__free(j);
		return c.err;
	}
	*out = j;
	return 0;
}

static void free_lines(char **l, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(l[i]);
	free(l);
}

void vt_judgement__free(struct vt_judgement *j)
{
	if (!j)
		return;
	for (size_t i = 0; i < j->nr_findings; i++) {
		struct vt_finding *f = &j->findings[i];

		for (size_t k = 0; k < f->nr_ev; k++)
			free(f->ev[k].what);
		for (size_t k = 0; k < f->nr_also; k++)
			free(f->also[k]);
		free(f->title);
		free(f->expected);
		free(f->seen[0]);
		free(f->seen[1]);
		free(f->meaning);
		free(f->key);
	}
	free(j->findings);
	for (size_t i = 0; j->rows && i < vt_nr_rules; i++) {
		free_lines(j->rows[i].why, j->rows[i].nr_why);
		free(j->rows[i].open);
	}
	free(j->rows);
	for (size_t i = 0; i < j->nr_tables; i++) {
		for (size_t k = 0; k < j->tables[i].nr; k++) {
			free(j->tables[i].rows[k].pre);
			free(j->tables[i].rows[k].post);
		}
		free(j->tables[i].rows);
	}
	free(j->tables);
	free_lines(j->doubts, j->nr_doubts);
	free(j->two_updates);
	free(j);
}
