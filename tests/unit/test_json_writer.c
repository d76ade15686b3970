// SPDX-License-Identifier: GPL-2.0
/* Commas, colons, spaces and lines, in each style. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "trace/json_writer.h"

static void is(enum vt_jsonw_style style, void (*write)(struct vt_jsonw *w), const char *wanted)
{
	struct vt_jsonw w;
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);

	vt_jsonw__begin(&w, f, style);
	write(&w);
	fclose(f);
	assert_string_equal(text, wanted);
	assert_int_equal(w.depth, 0);
	free(text);
}

static void nested(struct vt_jsonw *w)
{
	vt_jsonw__object(w, NULL);
	vt_jsonw__u64(w, "a", 1);
	vt_jsonw__array(w, "b");
	vt_jsonw__u64(w, NULL, 2);
	vt_jsonw__object(w, NULL);
	vt_jsonw__null(w, "c");
	vt_jsonw__end(w);
	vt_jsonw__array(w, NULL);
	vt_jsonw__str(w, NULL, "x");
	vt_jsonw__end(w);
	vt_jsonw__end(w);
	vt_jsonw__bool(w, "d", true);
	vt_jsonw__end(w);
}

static void commas_by_nesting(void **state)
{
	is(VT_JSONW_COMPACT, nested, "{\"a\":1,\"b\":[2,{\"c\":null},[\"x\"]],\"d\":true}");
	is(VT_JSONW_SPACED, nested, "{ \"a\": 1, \"b\": [2, { \"c\": null }, [\"x\"]], \"d\": true }");
	is(VT_JSONW_AIRY, nested, "{ \"a\": 1, \"b\": [ 2, { \"c\": null }, [ \"x\" ] ], \"d\": true }");
}

static void empty(struct vt_jsonw *w)
{
	vt_jsonw__array(w, NULL);
	vt_jsonw__object(w, NULL);
	vt_jsonw__end(w);
	vt_jsonw__array(w, NULL);
	vt_jsonw__end(w);
	vt_jsonw__rows(w, NULL, 4);
	vt_jsonw__end_line(w, 2);
	vt_jsonw__rows(w, NULL, 4);
	vt_jsonw__end(w);
	vt_jsonw__end(w);
}

static void nothing_inside(void **state)
{
	is(VT_JSONW_COMPACT, empty, "[{},[],[\n  ],[]]");
	is(VT_JSONW_SPACED, empty, "[{ }, [], [\n  ], []]");
	is(VT_JSONW_AIRY, empty, "[ { }, [ ], [\n  ], [ ] ]");
}

static void in_lines(struct vt_jsonw *w)
{
	vt_jsonw__object(w, NULL);
	vt_jsonw__line(w, 2);
	vt_jsonw__u64(w, "a", 1);
	vt_jsonw__u64(w, "b", 2);
	vt_jsonw__line(w, 2);
	vt_jsonw__rows(w, "c", 4);
	vt_jsonw__object(w, NULL);
	vt_jsonw__u64(w, "d", 3);
	vt_jsonw__line(w, 6);
	vt_jsonw__u64(w, "e", 4);
	vt_jsonw__end(w);
	vt_jsonw__u64(w, NULL, 5);
	vt_jsonw__end_line(w, 2);
	vt_jsonw__u64(w, "f", 6);
	vt_jsonw__end_line(w, 0);
}

static void lines(void **state)
{
	is(VT_JSONW_SPACED, in_lines, "{\n  \"a\": 1, \"b\": 2,\n  \"c\": [\n    { \"d\": 3,\n      \"e\": 4 },\n    5\n  ], \"f\": 6\n}");
	is(VT_JSONW_COMPACT, in_lines, "{\n  \"a\":1,\"b\":2,\n  \"c\":[\n    {\"d\":3,\n      \"e\":4},\n    5\n  ],\"f\":6\n}");
}

static void values(struct vt_jsonw *w)
{
	vt_jsonw__array(w, NULL);
	vt_jsonw__u64(w, NULL, (1ULL << 53) - 1);
	vt_jsonw__u64(w, NULL, 1ULL << 53);
	vt_jsonw__u64(w, NULL, UINT64_MAX);
	vt_jsonw__s64(w, NULL, -12);
	vt_jsonw__s64(w, NULL, INT64_MIN);
	vt_jsonw__ns(w, NULL, 7);
	vt_jsonw__hex(w, NULL, 0xdeadULL);
	vt_jsonw__bool(w, NULL, false);
	vt_jsonw__str(w, NULL, "\"\\\n\xff\xe2\x80\xae");
	vt_jsonw__str(w, NULL, NULL);
	fputs("1.5", vt_jsonw__value(w, NULL));
	vt_jsonw__end(w);
}

static void all_values(void **state)
{
	is(VT_JSONW_COMPACT, values, "[9007199254740991,\"9007199254740992\",\"18446744073709551615\",-12,\"-9223372036854775808\","
	   "\"7\",\"0xdead\",false,\"\\\"\\\\\\u000a\\ufffd\\u202e\",null,1.5]");
}

static void odd_key(struct vt_jsonw *w)
{
	vt_jsonw__object(w, NULL);
	vt_jsonw__u64(w, "a\",\"b\":1,\n", 2);
	fputs("3", vt_jsonw__value(w, ""));
	vt_jsonw__end(w);
}

static void names_are_escaped(void **state)
{
	is(VT_JSONW_COMPACT, odd_key, "{\"a\\\",\\\"b\\\":1,\\u000a\":2,\"\":3}");
}

static void deep(struct vt_jsonw *w)
{
	for (int i = 0; i < VT_JSONW_DEPTH; i++)
		vt_jsonw__array(w, NULL);
	for (int i = 0; i < VT_JSONW_DEPTH; i++)
		vt_jsonw__end(w);
}

static void as_deep_as_it_goes(void **state)
{
	char wanted[2 * VT_JSONW_DEPTH + 1] = "";

	memset(wanted, '[', VT_JSONW_DEPTH);
	memset(wanted + VT_JSONW_DEPTH, ']', VT_JSONW_DEPTH);
	is(VT_JSONW_COMPACT, deep, wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_by_nesting), cmocka_unit_test(nothing_inside), cmocka_unit_test(lines), cmocka_unit_test(all_values),
		cmocka_unit_test(names_are_escaped), cmocka_unit_test(as_deep_as_it_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
