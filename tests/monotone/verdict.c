// SPDX-License-Identifier: GPL-2.0
/*
 * The one place here that knows the judge: it asks the commands themselves, so
 * that what they check before they judge is a part of what is tried.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/judge.h"
#include "rules/rules.h"
#include "verdict.h"

const char *asked_name(enum asked a)
{
	static const char *const names[] = { "diff", "check PRE", "check POST", "gate", "gate, all known", "gate, nothing known" };

	return names[a];
}

const char *exit_name(int code)
{
	switch (code) {
	case VT_EXIT_CLEAN: return "clean";
	case VT_EXIT_FINDINGS: return "findings";
	case VT_EXIT_NOTHING: return "nothing to judge";
	case VT_EXIT_INCONCLUSIVE: return "inconclusive";
	case VT_EXIT_USAGE: return "refused";
	case VT_EXIT_BAD_TRACE: return "unreadable";
	default: return "failed";
	}
}

const char *rule_name(int rule)
{
	if (rule < 0)
		return "the verdict";
	return (size_t)rule < vt_nr_rules ? vt_rules[rule]->id : NULL;
}

const char *severity_name(uint8_t severity)
{
	return vt_severity_name((enum vt_severity)severity);
}

const char *status_name(uint8_t status)
{
	return vt_status_name((enum vt_status)status);
}

const char *law_text(enum law l)
{
#define TEXT(id, what) what,
	static const char *const texts[] = { LAWS(TEXT) };

	return texts[l];
}

/* ---- asking ---- */

static FILE *null_file(void)
{
	static FILE *f;

	if (!f)
		f = fopen("/dev/null", "we");
	if (!f)
		die("/dev/null: %s", strerror(errno));
	return f;
}

/* What a command says to people goes nowhere meanwhile. */
static void hush(FILE *saved[2])
{
	saved[0] = stdout;
	saved[1] = stderr;
	stdout = stderr = null_file();
}

static void speak(FILE *saved[2])
{
	stdout = saved[0];
	stderr = saved[1];
}

static void take_finding(const struct vt_finding *f, struct found *to)
{
	size_t rule = 0;

	while (rule + 1 < vt_nr_rules && vt_rules[rule] != f->rule)
		rule++;
	to->rule = (uint8_t)rule;
	to->severity = (uint8_t)f->severity;
	to->all_named = f->count <= f->nr_also + 1;
	snprintf(to->fingerprint, sizeof(to->fingerprint), "%s", f->fingerprint);
	snprintf(to->title, sizeof(to->title), "%s", f->title ? f->title : "");
	vt_who_str(&f->who, to->object, sizeof(to->object));
	to->also = f->nr_also ? calloc(f->nr_also, sizeof(*to->also)) : NULL;
	for (size_t i = 0; to->also && i < f->nr_also; i++)
		snprintf(to->also[to->nr_also++], WHO_MAX, "%s", f->also[i]);
}

static void take_judgement(const struct vt_judgement *j, struct verdict *v)
{
	v->told = true;
	v->exit = (int)j->exit;
	for (size_t i = 0; i < vt_nr_rules && i < RULES_MAX; i++)
		v->status[i] = (uint8_t)j->rows[i].status;
	for (size_t i = 0; i < j->nr_findings && v->nr < FOUND_MAX; i++) {
		if (j->findings[i].severity != VT_NOTE)
			take_finding(&j->findings[i], &v->found[v->nr++]);
	}
}

static const char **option(const char *name)
{
	for (const struct vt_opt *o = vt_cmd_gate.opts; o->name; o++) {
		if (!strcmp(o->name, name))
			return o->value;
	}
	die("gate has no option --%s any more", name);
}

static int run_gate(const char *pre, const char *post, const char *policy, const char *baseline, const char *save)
{
	const char *args[2] = { pre, post };
	FILE *saved[2];
	int code;

	*option("policy") = policy;
	*option("baseline") = baseline;
	*option("save-baseline") = save;
	*option("today") = "2026-01-01";
	hush(saved);
	code = vt_cmd_gate.run(2, (char **)args);
	speak(saved);
	return code;
}

static void judge(enum asked a, const char *pre, const char *post, struct verdict *v)
{
	FILE *saved[2];
	struct vt_case c;

	hush(saved);
	v->exit = vt_case__open(&c, a == DIFF ? "diff" : "check", a == CHECK_POST ? post : pre, a == DIFF ? post : NULL);
	speak(saved);
	if (v->exit)
		return;
	take_judgement(c.j, v);
	vt_case__close(&c);
}

void verdict__of(enum asked a, int pre_fd, int post_fd, const struct gate_files *g, struct verdict *v)
{
	char pre[64], post[64];

	memset(v, 0, sizeof(*v));
	snprintf(pre, sizeof(pre), "/proc/self/fd/%d", pre_fd);
	snprintf(post, sizeof(post), "/proc/self/fd/%d", post_fd);
	if (a < GATE)
		judge(a, pre, post, v);
	else
		v->exit = run_gate(pre, post, g->policy, a == GATE_KNOWN ? g->known : a == GATE_NEW ? g->fresh : NULL, NULL);
}

void verdict__clear(struct verdict *v)
{
	for (size_t i = 0; i < v->nr; i++)
		free(v->found[i].also);
	v->nr = 0;
}

bool verdict__same(const struct verdict *a, const struct verdict *b)
{
	if (a->exit != b->exit || a->nr != b->nr || memcmp(a->status, b->status, sizeof(a->status)))
		return false;
	for (size_t i = 0; i < a->nr; i++) {
		if (a->found[i].rule != b->found[i].rule || strcmp(a->found[i].fingerprint, b->found[i].fingerprint))
			return false;
	}
	return true;
}

static void drop_findings(const char *path)
{
	char text[1 << 16], *at = text, *end;
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (!f)
		die("%s: %s", path, strerror(errno));
	fclose(f);
	text[n] = 0;
	f = fopen(path, "we");
	for (; f && (end = strchr(at, '\n')); at = end + 1) {
		if (strncmp(at, "finding ", 8))
			fwrite(at, 1, (size_t)(end - at) + 1, f);
	}
	if (!f || fclose(f))
		die("%s: %s", path, strerror(errno));
}

bool verdict__baseline(int pre_fd, int post_fd, const char *path, bool findings)
{
	char pre[64], post[64];

	snprintf(pre, sizeof(pre), "/proc/self/fd/%d", pre_fd);
	snprintf(post, sizeof(post), "/proc/self/fd/%d", post_fd);
	if (run_gate(pre, post, NULL, NULL, path) || access(path, R_OK))
		return false;
	if (!findings)
		drop_findings(path);
	return true;
}

/* ---- the law ---- */

/* Names of objects: with less evidence a part of a name may be missing. */
static bool has_words(const char *name, const char *of)
{
	char buf[WHO_MAX], *word, *at = buf;

	if (!strcmp(of, "no session"))
		return true;
	snprintf(buf, sizeof(buf), "%s", of);
	while ((word = strsep(&at, " (),"))) {
		if (*word && !strstr(name, word))
			return false;
	}
	return true;
}

static bool same_object(const char *a, const char *b)
{
	return has_words(a, b) || has_words(b, a);
}

/* The same bug: by its fingerprint, or of the same rule and about the same object. */
static bool is_of(const struct found *f, const struct found *of)
{
	if (f->rule != of->rule)
		return false;
	if (!strcmp(f->fingerprint, of->fingerprint) || !of->all_named || same_object(f->object, of->object))
		return true;
	for (size_t i = 0; i < of->nr_also; i++) {
		if (same_object(f->object, of->also[i]))
			return true;
	}
	return false;
}

void verdict__without(struct verdict *v, const struct verdict *alone)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->nr; i++) {
		bool there = false;

		for (size_t k = 0; k < alone->nr; k++)
			there |= is_of(&v->found[i], &alone->found[k]);
		if (there)
			free(v->found[i].also);
		else
			v->found[kept++] = v->found[i];
	}
	v->nr = kept;
}

static void add(struct breach *out, size_t *nr, enum law law, int rule, const char *title)
{
	if (*nr < BREACHES_MAX)
		out[(*nr)++] = (struct breach){ .law = law, .rule = rule, .title = title };
}

/*
 * One bug in the words of who sees it: files whose reading failed, which LUO
 * hides. With both traces the rule arrival names them, and with the second
 * alone, luo-answer says that an error was swallowed.
 */
static bool told_by_arrival(const struct verdict *whole, const struct found *f)
{
	if (strcmp(rule_name(f->rule), "luo-answer") || !strstr(f->title, "although a session could not be read"))
		return false;
	for (size_t i = 0; i < whole->nr; i++) {
		if (!strcmp(rule_name(whole->found[i].rule), "arrival"))
			return true;
	}
	return false;
}

static void compare_findings(const struct verdict *whole, const struct verdict *less, struct leeway l, struct breach *out, size_t *nr)
{
	for (size_t i = 0; i < less->nr; i++) {
		const struct found *f = &less->found[i];
		bool there = false, as_bad = false;

		for (size_t k = 0; k < whole->nr; k++) {
			if (is_of(f, &whole->found[k])) {
				there = true;
				as_bad |= whole->found[k].severity >= f->severity;
			}
		}
		if (!there && l.alone && told_by_arrival(whole, f))
			continue;
		if (!there)
			add(out, nr, LAW_INVENTED, f->rule, f->title);
		else if (!as_bad)
			add(out, nr, LAW_WORSE, f->rule, f->title);
	}
}

/*
 * A recorder that began when the sessions had been read has never heard of those that wait, and so says the page of session-lost:
 * what it judges is the update that it saw.
 */
bool verdict__only_waiting(const struct verdict *v)
{
	for (size_t i = 0; i < v->nr; i++) {
		if (strcmp(rule_name(v->found[i].rule), "session-lost") || !strstr(v->found[i].title, "waits to be retrieved"))
			return false;
	}
	return v->nr;
}

static void compare_rules(const struct verdict *whole, const struct verdict *less, struct leeway l, struct breach *out, size_t *nr)
{
	for (int i = 0; i < RULES_MAX && (size_t)i < vt_nr_rules; i++) {
		if (l.unheard && whole->status[i] == VT_FOUND)
			continue;
		if (whole->status[i] == VT_FOUND && less->status[i] == VT_PASS)
			add(out, nr, LAW_PASSED, i, "");
		if (whole->status[i] == VT_FOUND && less->status[i] == VT_NOT_APPLICABLE)
			add(out, nr, LAW_DROPPED, i, "");
		if (whole->status[i] == VT_FOUND && less->status[i] == VT_NOTHING)
			add(out, nr, LAW_DROPPED, i, "");
		if (whole->status[i] == VT_UNKNOWN && (less->status[i] == VT_PASS || (less->status[i] == VT_NOTHING && !l.shorter)))
			add(out, nr, LAW_RULE_SURE, i, "");
		if (whole->status[i] == VT_PASS && less->status[i] == VT_NOTHING && !l.shorter)
			add(out, nr, LAW_EMPTIED, i, "");
	}
}

/*
 * From findings one may come to fewer findings or to "inconclusive", from clean
 * to "inconclusive", from there nowhere; an unreadable file may end all of it.
 *
 * "Nothing to judge" says that no file was preserved and none arrived. Who had
 * something to judge and has less must know that he does not know, so it is no
 * way out, with one exception: a recorder that ended in order before anything
 * happened says the truth about the time it recorded, and `check` asks no more;
 * nor does one that began before any call of LUO, and saw sessions without files.
 *
 * A recorder that ends in order after LUO's part of the story is over has what
 * it needs for "clean": bugs that show when the owner closes his file later are
 * those of a later recording. While LUO's part is not over, it has not. And no
 * recorder is there from a kernel's first instruction on: one that begins before
 * LUO does anything has what it needs, whoever used a device before that.
 *
 * A gate with a baseline asks for the coverage that the baseline had, and fails
 * (exit 1) where that is less. That is what the user asked for, not a finding:
 * it breaks the law only where `diff` itself is clean on what is left. And a
 * finding may have another fingerprint with less evidence: the same rule about
 * the same object is the same finding, but a baseline cannot know.
 *
 * A wrong use of the command is not what missing evidence looks like: a pair
 * that was judged must not be refused for what it lacks.
 */
static void compare_exits(const struct verdict *whole, const struct verdict *less, struct leeway l, struct breach *out, size_t *nr)
{
	bool told = whole->told && less->told;

	switch (less->exit) {
	case VT_EXIT_CLEAN:
		if (whole->exit == VT_EXIT_FINDINGS && !l.over && !l.unheard)
			add(out, nr, LAW_CLEAN, -1, "");
		if ((whole->exit == VT_EXIT_INCONCLUSIVE && !l.over) || whole->exit == VT_EXIT_NOTHING || whole->exit == VT_EXIT_BAD_TRACE)
			add(out, nr, LAW_SURE, -1, "");
		break;
	case VT_EXIT_FINDINGS:	/* with findings at hand, they are compared one by one */
		if (!told && whole->exit != VT_EXIT_FINDINGS && !l.demands)
			add(out, nr, LAW_GATE_FAILS, -1, "");
		break;
	case VT_EXIT_NOTHING:
		if (whole->exit != VT_EXIT_NOTHING && !l.nothing && !l.over)
			add(out, nr, LAW_NOTHING, -1, "");
		break;
	case VT_EXIT_INCONCLUSIVE: case VT_EXIT_BAD_TRACE:
		break;
	default:
		add(out, nr, LAW_REFUSED, -1, "");
	}
}

size_t law__breaches(const struct verdict *whole, const struct verdict *less, struct leeway l, struct breach *out)
{
	size_t nr = 0;

	if (l.other) {
		/*
		 * Nothing to judge may be true of both. What one file shows by itself is true of it, whatever
		 * the other is (verdict__without() has taken it out); the gate fails for that, too.
		 */
		if (less->exit == VT_EXIT_CLEAN)
			add(out, &nr, LAW_CLEAN_OTHER, -1, "");
		for (size_t i = 0; i < less->nr; i++)
			add(out, &nr, LAW_FOUND_IN_OTHER, less->found[i].rule, less->found[i].title);
		return nr;
	}
	if (less->told && whole->told)
		compare_findings(whole, less, l, out, &nr);
	if (l.alone)
		return nr;	/* one side may be clean, and the bug on the other */
	compare_exits(whole, less, l, out, &nr);
	if (less->told && whole->told && !l.over && !l.nothing)
		compare_rules(whole, less, l, out, &nr);
	return nr;
}
