// SPDX-License-Identifier: GPL-2.0
/*
 * Policy files:
 *
 *	# comment
 *	[limits]
 *	freeze.total = 50ms
 *	retrieve.max = 2s
 *	unknown = 0
 *
 *	[suppress]
 *	rule = alloc-mismatch
 *	match = *vfio_device_cdev_open*
 *	reason = fix is queued
 *	expires = 2026-12-31
 */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/gate.h"
#include "rules/finding.h"

#define SUPPRESS_MAX 1024

struct suppress {
	char *rule, *match, *reason, *expires;
	unsigned int line;
};

struct vt_policy {
	uint64_t total[VT_PH_MAX], max[VT_PH_MAX];	/* ns; 0 = no limit */
	size_t unknown;
	struct suppress *s;
	size_t nr;
};

static char *trim(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		*--end = 0;
	return s;
}

/* "50ms" in nanoseconds. */
static bool span(const char *s, uint64_t *ns)
{
	static const struct { const char *unit; uint64_t ns; } units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
	char *end;
	unsigned long long v;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	v = strtoull(s, &end, 10);
	if (errno)
		return false;
	while (*end == ' ')
		end++;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) || v > UINT64_MAX / units[i].ns || !v)
			continue;
		*ns = v * units[i].ns;
		return true;
	}
	return false;
}

static int limit(struct vt_policy *p, const char *key, const char *value, unsigned int line, char **why)
{
	char *end;

	if (!strcmp(key, "unknown")) {
		unsigned long v;

		errno = 0;
		v = strtoul(value, &end, 10);
		if (!isdigit((unsigned char)*value) || *end || errno || v > 10000)
			return vt_line__bad(why, line, "unknown takes a number of rules, not '%s'", value);
		p->unknown = v;
		return 0;
	}
	for (int i = 0; i < VT_PH_MAX; i++) {
		const char *name = vt_phase_name((enum vt_phase_kind)i);
		size_t n = strlen(name);
		bool total = !strncmp(key, name, n) && !strcmp(key + n, ".total"), max = !strncmp(key, name, n) && !strcmp(key + n, ".max");

		if (!total && !max)
			continue;
		if (!span(value, total ? &p->total[i] : &p->max[i]))
			return vt_line__bad(why, line, "'%s' is no time above zero such as 50ms (ns, us, ms, s)", value);
		return 0;
	}
	return vt_line__bad(why, line, "there is no limit '%s'", key);
}

static bool date(const char *s)
{
	int m, d;

	for (int i = 0; i < 10; i++) {
		if (i == 4 || i == 7 ? s[i] != '-' : !isdigit((unsigned char)s[i]))
			return false;
	}
	m = atoi(s + 5);
	d = atoi(s + 8);
	return !s[10] && m >= 1 && m <= 12 && d >= 1 && d <= 31;
}

static int suppress_key(struct suppress *s, const char *key, const char *value, unsigned int line, char **why)
{
	char **to = !strcmp(key, "rule") ? &s->rule : !strcmp(key, "match") ? &s->match : !strcmp(key, "reason") ? &s->reason :
		    !strcmp(key, "expires") ? &s->expires : NULL;

	if (!to)
		return vt_line__bad(why, line, "a suppression has rule, match, reason and expires, no '%s'", key);
	if (*to)
		return vt_line__bad(why, line, "%s is given twice", key);
	if (to == &s->rule && !vt_rule__by_id(value))
		return vt_line__bad(why, line, "there is no rule '%s'", value);
	if (to == &s->expires && !date(value))
		return vt_line__bad(why, line, "'%s' is no date such as 2026-12-31", value);
	*to = strdup(value);
	return *to ? 0 : -ENOMEM;
}

static int complete(const struct vt_policy *p, char **why)
{
	const struct suppress *s = p->nr ? &p->s[p->nr - 1] : NULL;
	const char *lacks = !s ? NULL : !s->rule ? "rule" : !s->match ? "match" : !s->reason ? "reason" : !s->expires ? "expires" : NULL;

	return lacks ? vt_line__bad(why, s->line, "this suppression has no %s", lacks) : 0;
}

static int new_suppress(struct vt_policy *p, unsigned int line, char **why)
{
	struct suppress *grown;

	if (p->nr == SUPPRESS_MAX)
		return vt_line__bad(why, line, "more than %d suppressions", SUPPRESS_MAX);
	grown = realloc(p->s, (p->nr + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	p->s = grown;
	grown[p->nr++] = (struct suppress){ .line = line };
	return 0;
}

enum section { NONE, LIMITS, SUPPRESS };

struct parser {
	struct vt_policy *p;
	enum section in;
};

static int begin_section(struct parser *at, const char *name, unsigned int line, char **why)
{
	int err = at->in == SUPPRESS ? complete(at->p, why) : 0;

	if (err)
		return err;
	if (!strcmp(name, "[limits]"))
		at->in = LIMITS;
	else if (!strcmp(name, "[suppress]"))
		at->in = SUPPRESS;
	else
		return vt_line__bad(why, line, "there are sections [limits] and [suppress], no %s", name);
	return at->in == SUPPRESS ? new_suppress(at->p, line, why) : 0;
}

static int parse_line(void *to, char *text, unsigned int line, char **why)
{
	struct parser *at = to;
	char *s = trim(text), *eq, *key, *value;

	if (!*s || *s == '#')
		return 0;
	if (*s == '[')
		return begin_section(at, s, line, why);
	eq = strchr(s, '=');
	if (!eq)
		return vt_line__bad(why, line, "expected 'name = value'");
	*eq = 0;
	key = trim(s);
	value = trim(eq + 1);
	if (!*key || !*value)
		return vt_line__bad(why, line, "expected 'name = value'");
	if (at->in == LIMITS)
		return limit(at->p, key, value, line, why);
	if (at->in == SUPPRESS)
		return suppress_key(&at->p->s[at->p->nr - 1], key, value, line, why);
	return vt_line__bad(why, line, "'%s' stands before any section", key);
}

int vt_policy__parse(const char *text, size_t len, struct vt_policy **out, char **why)
{
	struct parser at = { .p = calloc(1, sizeof(*at.p)), .in = NONE };
	int err;

	*out = NULL;
	if (why)
		*why = NULL;
	if (!at.p)
		return -ENOMEM;
	err = vt_each_line(text, len, parse_line, &at, why);
	if (!err && at.in == SUPPRESS)
		err = complete(at.p, why);
	if (err) {
		vt_policy__free(at.p);
		return err;
	}
	*out = at.p;
	return 0;
}

void vt_policy__free(struct vt_policy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->nr; i++) {
		free(p->s[i].rule);
		free(p->s[i].match);
		free(p->s[i].reason);
		free(p->s[i].expires);
	}
	free(p->s);
	free(p);
}

size_t vt_policy__unknown_allowed(const struct vt_policy *p)
{
	return p ? p->unknown : 0;
}

/* MATCH is a glob over each of: fingerprint, title, function, object. */
static bool matches(const struct suppress *s, const struct vt_finding *f)
{
	char who[256];
	const char *const texts[] = { f->fingerprint, f->title, f->func, vt_who_str(&f->who, who, sizeof(who)) };

	if (strcmp(s->rule, f->rule->id))
		return false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i] && !fnmatch(s->match, texts[i], 0))
			return true;
	}
	return false;
}

void vt_policy__suppress(const struct vt_policy *p, struct vt_judgement *j, const char *today, struct vt_lines *unused)
{
	for (size_t i = 0; p && i < p->nr; i++) {
		const struct suppress *s = &p->s[i];
		bool expired = strcmp(today, s->expires) > 0, used = false;

		for (size_t k = 0; k < j->nr_findings; k++) {
			struct vt_finding *f = &j->findings[k];

			if (f->severity == VT_NOTE || !matches(s, f))
				continue;
			used = true;
			if (expired)
				continue;
			f->suppressed = true;
			f->why_suppressed = s->reason;
		}
		if (expired)
			vt_lines__add(unused, "line %u: %s, %s: expired on %s%s", s->line, s->rule, s->match, s->expires, used ? ", the finding counts again" : "");
		else if (!used)
			vt_lines__add(unused, "line %u: %s, %s: nothing matches", s->line, s->rule, s->match);
	}
}

void vt_policy__limits(const struct vt_policy *p, const struct vt_judgement *j, struct vt_lines *demands)
{
	for (int i = 0; p && i < VT_PH_MAX; i++) {
		const char *name = vt_phase_name((enum vt_phase_kind)i);
		uint64_t total = 0, max = 0, count = 0;

		for (size_t k = 0; k < j->nr_sides; k++) {
			const struct vt_phase_time *t = &j->side[k]->phase[i];

			total += t->total_ns;
			count += t->count;
			max = t->max_ns > max ? t->max_ns : max;
		}
		if ((p->total[i] || p->max[i]) && !count)
			vt_lines__add(demands, "%s has a limit and was not seen", name);
		if (p->total[i] && total > p->total[i])
			vt_lines__add(demands, "%s took %" PRIu64 " ns, the limit is %" PRIu64 " ns", name, total, p->total[i]);
		if (p->max[i] && max > p->max[i])
			vt_lines__add(demands, "the longest %s took %" PRIu64 " ns, the limit is %" PRIu64 " ns", name, max, p->max[i]);
	}
}
