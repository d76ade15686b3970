// SPDX-License-Identifier: GPL-2.0
/* Findings: what makes two of them one, their fingerprints, and the words for things. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/finding.h"

/* A rule at work on two sides, as judge.c sets it up. */
struct work {
	struct vt_side side[2];
	struct vt_judgement *j;
	struct vt_ctx c;
};

static int setup(void **state)
{
	struct work *w = calloc(1, sizeof(*w));

	w->j = calloc(1, sizeof(*w->j));
	w->j->rows = calloc(vt_nr_rules, sizeof(*w->j->rows));
	w->j->side[0] = &w->side[0];
	w->j->side[1] = &w->side[1];
	w->j->nr_sides = 2;
	w->c.j = w->j;
	w->c.rule = vt_rule__by_id("preserve-twice");
	w->c.row = &w->j->rows[0];
	*state = w;
	return !w->c.rule;
}

static int teardown(void **state)
{
	struct work *w = *state;

	vt_judgement__free(w->j);
	free(w);
	return 0;
}

static const struct vt_who first = { .session = "vm0", .token = 1, .has_token = true, .compatible = "vfio-pci-v1", .bdf = "0000:00:03.0" };

/* They stand in people's baselines: the same for ever, on every machine. */
static void fingerprints_stay(void **state)
{
	struct work *w = *state;
	struct vt_finding *f = vt_find(&w->c, VT_ERROR, 0, &first, "%s", "vfio-pci-v1");

	assert_string_equal(f->fingerprint, "b8f8b2630172d3b7");
	w->c.rule = vt_rule__by_id("f-mapping");
	f = vt_find(&w->c, VT_ERROR, 1, &first, "%s|%s", "vfio-pci-v1", "its own inode's mapping");
	assert_string_equal(f->fingerprint, "e9c8ebef2af1aec2");
}

static void fingerprint_of(struct work *w, const char *rule, const char *key, char *to)
{
	struct vt_finding *f;

	w->c.rule = vt_rule__by_id(rule);
	f = vt_find(&w->c, VT_ERROR, 0, NULL, "%s", key);
	assert_non_null(f);
	strcpy(to, f->fingerprint);
}

static void rule_and_key_make_them(void **state)
{
	struct work *w = *state;
	char a[17], b[17], c[17], d[17];

	fingerprint_of(w, "df-leak", "", a);
	fingerprint_of(w, "kho-leak", "", b);
	fingerprint_of(w, "df-leak", "x|", c);
	fingerprint_of(w, "df-leak", "x", d);
	assert_string_not_equal(a, b);
	assert_string_not_equal(a, c);
	assert_string_not_equal(c, d);
	assert_int_equal(w->j->nr_findings, 4);
}

static void same_key_is_counted(void **state)
{
	static const struct vt_who second = { .session = "vm1", .token = 2, .has_token = true };
	struct work *w = *state;
	struct vt_finding *f;

	assert_non_null(vt_find(&w->c, VT_ERROR, 0, &first, "a"));
	assert_null(vt_find(&w->c, VT_ERROR, 0, &first, "%s", "a"));
	assert_null(vt_find(&w->c, VT_ERROR, 1, &second, "a"));
	assert_null(vt_find(&w->c, VT_ERROR, 1, &second, "a"));
	assert_non_null(vt_find(&w->c, VT_WARNING, 1, &second, "b"));
	assert_int_equal(w->j->nr_findings, 2);
	assert_int_equal(w->c.row->findings, 2);
	f = &w->j->findings[0];
	assert_int_equal(f->count, 4);
	/* by name, once, and not by its own */
	assert_int_equal(f->nr_also, 1);
	assert_string_equal(f->also[0], "session vm1 token 0x2");
	assert_ptr_equal(f->side, w->j->side[0]);
	assert_int_equal(w->c.err, 0);
}

static void notes_do_not_count(void **state)
{
	struct work *w = *state;

	assert_non_null(vt_find(&w->c, VT_NOTE, 0, NULL, "a"));
	assert_int_equal(w->c.row->findings, 0);
}

static void also_ends(void **state)
{
	struct work *w = *state;
	struct vt_finding *f = vt_find(&w->c, VT_ERROR, 0, &first, "a");

	for (uint64_t i = 0; i < 100; i++) {
		struct vt_who who = { .session = "vm0", .token = 100 + i, .has_token = true };

		vt_also(f, &who);
	}
	vt_also(f, NULL);
	assert_int_equal(f->nr_also, VT_ALSO_MAX);
	assert_int_equal(f->count, 102);
}

static void proofs(void **state)
{
	static const struct vt_at none = {}, one = { .type = VT_EV_LUO_PRESERVE, .comm = "agent", .func = "" };
	struct work *w = *state;
	struct vt_finding *f = vt_find(&w->c, VT_ERROR, 0, &first, "a");

	vt_proof(&w->c, f, 1, &none, "not there");
	assert_int_equal(f->nr_ev, 0);
	for (int i = 0; i < 20; i++)
		vt_proof(&w->c, f, 1, &one, "number %d", i);
	assert_int_equal(f->nr_ev, VT_EVIDENCE_MAX);
	assert_string_equal(f->ev[0].what, "number 0");
	assert_ptr_equal(f->ev[0].side, w->j->side[1]);
	assert_string_equal(vt_at_func(&one), vt_event_name(VT_EV_LUO_PRESERVE));
}

static void doubts_once(void **state)
{
	struct work *w = *state;

	vt_doubt(&w->c, "nothing shows %s", "this");
	vt_doubt(&w->c, "nothing shows %s", "this");
	w->c.row = &w->j->rows[1];
	vt_doubt(&w->c, "nothing shows this");
	vt_doubt(&w->c, "nor that");
	assert_int_equal(w->j->rows[0].nr_why, 1);
	assert_int_equal(w->j->rows[1].nr_why, 2);
	assert_int_equal(w->j->nr_doubts, 2);
	assert_string_equal(w->j->doubts[0], "nothing shows this");
}

static void texts_replace(void **state)
{
	struct work *w = *state;
	char *s = NULL;

	vt_text(&w->c, &s, "%d", 1);
	vt_text(&w->c, &s, "%s", "two");
	assert_string_equal(s, "two");
	free(s);
}

static void whom(void **state)
{
	static const struct {
		struct vt_who who;
		const char *text;
	} t[] = {
		{ {}, "no session" },
		{ { .session = "vm0" }, "session vm0" },
		{ { .token = 0xf, .has_token = true }, "token 0xf" },
		{ { .session = "vm0", .token = 1, .has_token = true, .compatible = "memfd-v2" }, "session vm0 token 0x1 (memfd-v2)" },
		{ { .session = "vm0", .token = 1, .has_token = true, .compatible = "vfio-pci-v1", .bdf = "0000:00:03.0" },
		  "session vm0 token 0x1 (vfio-pci-v1, 0000:00:03.0)" },
		{ { .bdf = "0000:00:03.0" }, "0000:00:03.0" },
	};
	char buf[256], small[12], tiny[1], a[600];

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_string_equal(vt_who_str(&t[i].who, buf, sizeof(buf)), t[i].text);
	/* However long names are. */
	memset(a, 'a', sizeof(a) - 1);
	a[sizeof(a) - 1] = 0;
	assert_int_equal(strlen(vt_who_str(&(struct vt_who){ .session = a, .has_token = true, .compatible = a, .bdf = a }, buf, sizeof(buf))), 255);
	assert_string_equal(vt_who_str(&t[4].who, small, sizeof(small)), "session vm0");
	assert_string_equal(vt_who_str(&t[4].who, tiny, sizeof(tiny)), "");
}

static void errors(void **state)
{
	char buf[32];

	assert_string_equal(vt_errno_str(-ENOMEM, buf, sizeof(buf)), "-ENOMEM");
	assert_string_equal(vt_errno_str(0, buf, sizeof(buf)), "0");
	assert_string_equal(vt_errno_str(7, buf, sizeof(buf)), "7");
	assert_string_equal(vt_errno_str(-4000, buf, sizeof(buf)), "-4000");
	assert_string_equal(vt_errno_str(INT64_MIN, buf, sizeof(buf)), "-9223372036854775808");
}

/* What the list promises: each id once, each with what it rests on and its page. */
static void rules(void **state)
{
	for (size_t i = 0; i < vt_nr_rules; i++) {
		const struct vt_rule *r = vt_rules[i];

		assert_ptr_equal(vt_rule__by_id(r->id), r);
		assert_non_null(vt_rule__page(r->id));
		assert_non_null(r->name);
		assert_true(r->needs[0].type);
		assert_true(r->run || r->nr_tells);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(vt_rules[k]->name, r->name);
	}
	assert_null(vt_rule__by_id("no-such-rule"));
}

#define AT_WORK(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_WORK(fingerprints_stay), AT_WORK(rule_and_key_make_them), AT_WORK(same_key_is_counted), AT_WORK(notes_do_not_count),
		AT_WORK(also_ends), AT_WORK(proofs), AT_WORK(doubts_once), AT_WORK(texts_replace),
		cmocka_unit_test(whom), cmocka_unit_test(errors), cmocka_unit_test(rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
