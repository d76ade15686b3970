// SPDX-License-Identifier: GPL-2.0
/*
 * Baselines: one fact a line, sorted, so that a diff of two reads well.
 *
 *	vfiotrace-baseline 1
 *	covered RULE
 *	finding FINGERPRINT RULE TITLE...
 *	linkage COMPATIBLE MEMBER equal|by-design|differs
 *
 * Names come from traces, traces from anywhere: what could end a word or a line
 * is written as \xHH. Titles are for whoever reads the file, the fingerprint decides.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/gate.h"
#include "trace/print.h"

#define HEAD "vfiotrace-baseline 1"
#define NO_HEAD "expected '" HEAD "'"

enum kind { COVERED, FINDING, LINKAGE };
struct row {
	enum kind kind;
	char *a, *b, *c;	/* the words; c of a finding is its title */
	bool used;
};
struct vt_baseline {
	struct row *rows;
	size_t nr;
};

static const char *const same_words[] = { "equal", "by-design", "differs", NULL };

/* FROM as a word of the file, "-" for none; no two names make the same word. To be freed, NULL without memory. */
static char *word(const char *from)
{
	char *to = malloc(4 * strlen(from ? from : "") + sizeof("-")), *at = to;

	if (!to)
		return NULL;
	for (; from && *from; from++) {
		if (*from > ' ' && *from < 0x7f && *from != '\\')
			*at++ = *from;
		else
			at += sprintf(at, "\\x%02x", (unsigned char)*from);
	}
	strcpy(at, at == to ? "-" : "");
	return to;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool finding_line(struct vt_lines *l, const struct vt_finding *f)
{
	char *title = vt_text__copy(f->title ? f->title : "");
	bool ok = title;

	if (ok)
		vt_lines__add(l, "finding %s %s %s\n", f->fingerprint, f->rule->id, title);
	free(title);
	return ok;
}

static bool linkage_line(struct vt_lines *l, const struct vt_field_table *t, const struct vt_field_row *r)
{
	char *compat = word(t->who.compatible), *name = word(r->name);
	bool ok = compat && name;

	if (ok)
		vt_lines__add(l, "linkage %s %s %s\n", compat, name, same_words[r->same]);
	free(compat);
	free(name);
	return ok;
}

/* Where it had nothing to judge, it promises nothing. */
static bool judged(const struct vt_row *r)
{
	return r->status == VT_PASS || r->status == VT_FOUND;
}

static bool all_lines(struct vt_lines *l, const struct vt_judgement *j)
{
	bool ok = true;

	for (size_t i = 0; i < vt_nr_rules; i++) {
		if (judged(&j->rows[i]))
			vt_lines__add(l, "covered %s\n", vt_rules[i]->id);
	}
	for (size_t i = 0; i < j->nr_findings; i++) {
		const struct vt_finding *f = &j->findings[i];

		if (f->severity != VT_NOTE && !f->suppressed)
			ok &= finding_line(l, f);
	}
	for (size_t i = 0; i < j->nr_tables; i++) {
		const struct vt_field_table *t = &j->tables[i];

		for (size_t k = 0; k < t->nr; k++) {
			if (same_words[t->rows[k].same])
				ok &= linkage_line(l, t, &t->rows[k]);
		}
	}
	return ok;
}

char *vt_baseline__of(const struct vt_judgement *j)
{
	struct vt_lines l = {};
	size_t len = sizeof(HEAD) + 1;
	char *text = NULL, *at;
	bool ok = all_lines(&l, j);

	if (l.nr)
		qsort(l.s, l.nr, sizeof(*l.s), by_text);
	for (size_t i = 0; i < l.nr; i++)
		len += strlen(l.s[i]);
	if (ok)
		text = malloc(len + 1);
	if (text) {
		at = text + sprintf(text, HEAD "\n");
		for (size_t i = 0; i < l.nr; i++)
			at = stpcpy(at, l.s[i]);
	}
	vt_lines__free(&l);
	return text;
}

static bool is_hex16(const char *s)
{
	return strlen(s) == 16 && strspn(s, "0123456789abcdef") == 16;
}

static int parse_line(void *to, char *s, unsigned int line, char **why)
{
	struct vt_baseline *b = to;
	struct row r = {}, *grown;
	char *save = NULL, *kind, *a, *x, *c;

	if (line == 1)
		return strcmp(s, HEAD) ? vt_line__bad(why, 1, NO_HEAD) : 0;
	kind = strtok_r(s, " ", &save);
	if (!kind || *kind == '#')
		return 0;
	a = strtok_r(NULL, " ", &save);
	if (!strcmp(kind, "covered")) {
		r.kind = COVERED;
		x = c = NULL;
		if (!a || strtok_r(NULL, " ", &save))
			return vt_line__bad(why, line, "expected 'covered RULE'");
	} else if (!strcmp(kind, "finding")) {
		r.kind = FINDING;
		x = strtok_r(NULL, " ", &save);
		c = save;
		if (!a || !is_hex16(a) || !x || !vt_rule__by_id(x))
			return vt_line__bad(why, line, "expected 'finding FINGERPRINT RULE TITLE'");
	} else if (!strcmp(kind, "linkage")) {
		r.kind = LINKAGE;
		x = strtok_r(NULL, " ", &save);
		c = strtok_r(NULL, " ", &save);
		if (!c || strtok_r(NULL, " ", &save) || (strcmp(c, "equal") && strcmp(c, "by-design") && strcmp(c, "differs")))
			return vt_line__bad(why, line, "expected 'linkage HANDLER MEMBER equal|by-design|differs'");
	} else {
		return vt_line__bad(why, line, "unknown entry '%.40s'", kind);
	}
	if (r.kind == COVERED && !vt_rule__by_id(a))
		return vt_line__bad(why, line, "there is no rule '%.60s'", a);
	grown = realloc(b->rows, (b->nr + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	b->rows = grown;
	r.a = strdup(a);
	r.b = x ? strdup(x) : NULL;
	r.c = c ? strdup(c) : NULL;
	b->rows[b->nr++] = r;
	return r.a && (!x || r.b) && (!c || r.c) ? 0 : -ENOMEM;
}

int vt_baseline__parse(const char *text, size_t len, struct vt_baseline **out, char **why)
{
	struct vt_baseline *b = calloc(1, sizeof(*b));
	int err;

	*out = NULL;
	if (why)
		*why = NULL;
	if (!b)
		return -ENOMEM;
	err = len ? vt_each_line(text, len, parse_line, b, why) : vt_line__bad(why, 1, NO_HEAD);
	if (err) {
		vt_baseline__free(b);
		return err;
	}
	*out = b;
	return 0;
}

void vt_baseline__free(struct vt_baseline *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->nr; i++) {
		free(b->rows[i].a);
		free(b->rows[i].b);
		free(b->rows[i].c);
	}
	free(b->rows);
	free(b);
}

static void known(const struct vt_baseline *b, struct vt_judgement *j, struct vt_lines *gone)
{
	for (size_t i = 0; i < b->nr; i++) {
		const struct row *r = &b->rows[i];
		bool there = false;

		if (r->kind != FINDING)
			continue;
		for (size_t k = 0; k < j->nr_findings; k++) {
			struct vt_finding *f = &j->findings[k];

			if (f->severity == VT_NOTE || strcmp(f->fingerprint, r->a) || strcmp(f->rule->id, r->b))
				continue;
			f->known = there = true;
		}
		if (!there)
			vt_lines__add(gone, "%s (%s) no longer shows: %s", r->b, r->a, r->c);
	}
}

/* A rule that had less to do is no lack of evidence: somebody may have mended what gave it work. It is told, all the same. */
static void covered(const struct vt_baseline *b, const struct vt_judgement *j, struct vt_lines *coverage, struct vt_lines *gone)
{
	for (size_t i = 0; i < b->nr; i++) {
		for (size_t k = 0; k < vt_nr_rules && b->rows[i].kind == COVERED; k++) {
			if (strcmp(vt_rules[k]->id, b->rows[i].a) || judged(&j->rows[k]))
				continue;
			if (j->rows[k].status == VT_NOTHING)
				vt_lines__add(gone, "the rule %s was covered in the baseline and has nothing to judge now", vt_rules[k]->id);
			else
				vt_lines__add(coverage, "the rule %s was covered in the baseline and is %s now", vt_rules[k]->id,
					      vt_status_name(j->rows[k].status));
		}
	}
}

/* NAME as a word of the file is AS. */
static bool is_word(const char *name, const char *as)
{
	char *w = word(name);
	bool is = w && !strcmp(w, as);

	free(w);
	return is;
}

static const struct vt_field_row *member(const struct vt_judgement *j, const char *compatible, const char *name, bool *handler)
{
	*handler = false;
	for (size_t i = 0; i < j->nr_tables; i++) {
		const struct vt_field_table *t = &j->tables[i];

		if (!is_word(t->who.compatible, compatible))
			continue;
		*handler = true;
		for (size_t k = 0; k < t->nr; k++) {
			if (is_word(t->rows[k].name, name))
				return &t->rows[k];
		}
	}
	return NULL;
}

static void linkage(const struct vt_baseline *b, const struct vt_judgement *j, struct vt_lines *demands, struct vt_lines *coverage)
{
	const char *missing = NULL;
	bool handler;

	for (size_t i = 0; i < b->nr; i++) {
		const struct row *r = &b->rows[i];
		const struct vt_field_row *f;

		if (r->kind != LINKAGE)
			continue;
		f = member(j, r->a, r->b, &handler);
		if (!handler) {
			if (!missing || strcmp(missing, r->a))
				vt_lines__add(coverage, "no retrieved file of handler %s to compare with the baseline", r->a);
			missing = r->a;
		} else if (!f) {
			vt_lines__add(demands, "struct file has no member %s any more (handler %s)", r->b, r->a);
		} else if (!same_words[f->same] || strcmp(same_words[f->same], r->c)) {
			vt_lines__add(demands, "struct file member %s of handler %s was %s, is %s now", r->b, r->a, r->c,
				      same_words[f->same] ? same_words[f->same] : "not judged");
		}
	}
}

void vt_baseline__compare(const struct vt_baseline *b, struct vt_judgement *j, struct vt_lines *demands, struct vt_lines *coverage, struct vt_lines *gone)
{
	known(b, j, gone);
	covered(b, j, coverage, gone);
	linkage(b, j, demands, coverage);
}
