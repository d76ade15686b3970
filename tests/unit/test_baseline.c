// SPDX-License-Identifier: GPL-2.0
/* Whatever names a trace has: a baseline holds the lines that are meant, reads again, and knows what it was made of. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/gate.h"

#define FINDINGS 3
#define ROWS 4

struct made {
	struct vt_judgement j;
	struct vt_row rows[64];
	struct vt_finding f[FINDINGS];
	struct vt_field_table t;
	struct vt_field_row m[ROWS];
	char text[FINDINGS + ROWS + 1][64];
};

/* Names of any bytes, with a liking for what the file is made of. */
static char *name(char *to, size_t size)
{
	static const char *const words[] = { "\n", " ", "\\", "finding ", "covered kho-leak", "linkage ", "#", "\\x0a", "_", "-", "\r", "\t", "equal" };
	size_t n = 0;

	for (int i = rand() % 8; i; i--) {
		char one[2] = { (char)(1 + rand() % 255), 0 };
		const char *w = rand() % 2 ? words[(size_t)rand() % ARRAY_SIZE(words)] : one;

		if (n + strlen(w) >= size)
			break;
		strcpy(to + n, w);
		n += strlen(w);
	}
	to[n] = 0;
	return to;
}

static void make(struct made *m)
{
	memset(m, 0, sizeof(*m));
	m->j.rows = m->rows;
	assert_true(vt_nr_rules <= ARRAY_SIZE(m->rows));
	for (size_t i = 0; i < vt_nr_rules; i++)
		m->rows[i] = (struct vt_row){ .rule = vt_rules[i], .status = i % 2 ? VT_PASS : VT_UNKNOWN };
	m->j.findings = m->f;
	m->j.nr_findings = FINDINGS;
	for (size_t i = 0; i < FINDINGS; i++) {
		m->f[i].rule = vt_rules[i];
		m->f[i].severity = VT_ERROR;
		m->f[i].title = name(m->text[i], sizeof(m->text[i]));
		snprintf(m->f[i].fingerprint, sizeof(m->f[i].fingerprint), "%016zx", i + 1);
	}
	m->j.tables = &m->t;
	m->j.nr_tables = 1;
	m->t.rows = m->m;
	m->t.nr = ROWS;
	m->t.who.compatible = name(m->text[FINDINGS], sizeof(m->text[0]));
	for (size_t i = 0; i < ROWS; i++) {
		m->m[i].name = name(m->text[FINDINGS + 1 + i], sizeof(m->text[0]));
		m->m[i].same = VT_SAME;
	}
}

static size_t lines_with(const char *text, const char *begin)
{
	size_t n = 0, len = strlen(begin);

	for (const char *l = text; *l; l = strchr(l, '\n') + 1)
		n += !strncmp(l, begin, len);
	return n;
}

static void any_names(void **state)
{
	srand(1);
	for (int round = 0; round < 20000; round++) {
		struct vt_lines demands = {}, coverage = {}, gone = {};
		struct vt_baseline *b;
		struct made m;
		char *text, *why;

		make(&m);
		text = vt_baseline__of(&m.j);
		assert_int_equal(lines_with(text, ""), 1 + vt_nr_rules / 2 + FINDINGS + ROWS);
		assert_int_equal(lines_with(text, "vfiotrace-baseline 1\n"), 1);
		assert_int_equal(lines_with(text, "covered "), vt_nr_rules / 2);
		assert_int_equal(lines_with(text, "finding 000000000000000"), FINDINGS);
		assert_int_equal(lines_with(text, "linkage "), ROWS);
		assert_int_equal(vt_baseline__parse(text, strlen(text), &b, &why), 0);
		vt_baseline__compare(b, &m.j, &demands, &coverage, &gone);
		assert_int_equal(demands.nr + coverage.nr + gone.nr, 0);
		for (size_t i = 0; i < FINDINGS; i++)
			assert_true(m.f[i].known);
		vt_baseline__free(b);
		free(text);
	}
}

/* One handler must not pass for another whose name only looks alike in the file. */
static void apart(const char *one, const char *other)
{
	struct vt_lines demands = {}, coverage = {}, gone = {};
	struct vt_baseline *b;
	struct made m;
	char *text, *why;

	make(&m);
	m.t.who.compatible = one;
	text = vt_baseline__of(&m.j);
	assert_int_equal(vt_baseline__parse(text, strlen(text), &b, &why), 0);
	m.t.who.compatible = other;
	vt_baseline__compare(b, &m.j, &demands, &coverage, &gone);
	assert_int_equal(coverage.nr, 1);
	vt_lines__free(&coverage);
	vt_baseline__free(b);
	free(text);
}

static void names_stay_apart(void **state)
{
	apart("a_b", "a b");
	apart("a\\x20b", "a b");
	apart("a b", "a\\x20b");
	apart("a\tb", "a b");
}

static void no_names(void **state)
{
	struct vt_baseline *b;
	struct made m;
	char *text, *why;

	make(&m);
	m.t.who.compatible = NULL;
	m.f[0].title = NULL;
	text = vt_baseline__of(&m.j);
	assert_int_equal(lines_with(text, "linkage - "), ROWS);
	assert_int_equal(vt_baseline__parse(text, strlen(text), &b, &why), 0);
	vt_baseline__free(b);
	free(text);
}

/* Another finding of a rule is not the one that is known, and a rule with nothing to judge promises nothing and keeps no promise. */
static void what_is_known(void **state)
{
	struct vt_lines demands = {}, coverage = {}, gone = {};
	struct vt_baseline *b;
	struct made m;
	char *text, *why;

	make(&m);
	m.rows[1].status = VT_FOUND;
	m.rows[3].status = VT_NOTHING;
	text = vt_baseline__of(&m.j);
	assert_int_equal(lines_with(text, "covered "), vt_nr_rules / 2 - 1);
	assert_int_equal(vt_baseline__parse(text, strlen(text), &b, &why), 0);
	strcpy(m.f[1].fingerprint, "00000000000000ff");
	m.rows[3].status = VT_PASS;
	m.rows[5].status = VT_NOTHING;
	m.rows[7].status = VT_UNKNOWN;
	vt_baseline__compare(b, &m.j, &demands, &coverage, &gone);
	assert_true(m.f[0].known);
	assert_false(m.f[1].known);
	assert_int_equal(gone.nr, 2);
	assert_non_null(strstr(gone.s[1], "has nothing to judge now"));
	assert_int_equal(coverage.nr, 1);
	assert_non_null(strstr(coverage.s[0], "is unknown now"));
	vt_lines__free(&coverage);
	vt_lines__free(&gone);
	vt_baseline__free(b);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(any_names), cmocka_unit_test(names_stay_apart), cmocka_unit_test(no_names),
					     cmocka_unit_test(what_is_known) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
