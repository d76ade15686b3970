// SPDX-License-Identifier: GPL-2.0
/* What reaches a terminal, an XML parser or a JSON parser: every character there is, and bytes that are none. */
#include "unit.h"

#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/put.h"
#include "trace/print.h"
#include "base/utf8.h"

typedef void put_fn(FILE *f, const char *s);

static char *put(put_fn *fn, const char *s)
{
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	fn(f, s);
	fclose(f);
	assert_int_equal(strlen(text), len);
	return text;
}

#define PUTS(fn, from, to) do { \
	char *text_ = put(fn, from); \
	assert_string_equal(text_, to); \
	free(text_); \
} while (0)

/* C's own decoder, as a second opinion. */
static bool valid(const char *s, size_t len)
{
	static iconv_t cd;
	char out[4096], *to = out, *from = (char *)s;
	size_t room = sizeof(out);

	if (!cd)
		cd = iconv_open("UTF-32LE", "UTF-8");
	iconv(cd, NULL, NULL, NULL, NULL);
	return iconv(cd, &from, &len, &to, &room) != (size_t)-1 && !len;
}

static size_t encode(uint32_t c, char *to)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static void plain_text_stays(void **state)
{
	static const char *const texts[] = { "", "session vm0 (vfio-pci-v1)", "\xc3\xa4\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7", "a\xc2\xa0z" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		PUTS(vt_put_plain, texts[i], texts[i]);
		PUTS(vt_put_xml, texts[i], texts[i]);
		PUTS(vt_text__str, texts[i], texts[i]);
	}
}

static void controls(void **state)
{
	PUTS(vt_put_plain, "a\033[2J\001\nb\x7f\t", "a?[2J??b??");
	PUTS(vt_put_xml, "a\033[2J\001\nb\x7f\t", "a?[2J?\nb??");
	PUTS(vt_json__str, "a\033\001\n\x7f\t", "\"a\\u001b\\u0001\\u000a\\u007f\\u0009\"");
	PUTS(vt_text__str, "a\033\n", "a\\x1b\\x0a");
	/* C1, as terminals of old take them: one character is one mark */
	PUTS(vt_put_plain, "\xc2\x9b" "31m\xc2\x85", "?31m?");
	PUTS(vt_put_xml, "\xc2\x9b", "?");
	PUTS(vt_json__str, "\xc2\x9b", "\"\\u009b\"");
}

/* Characters that are valid and do harm all the same. */
static void tricks(void **state)
{
	static const struct {
		const char *utf8, *json;
	} t[] = {
		{ "\xe2\x80\xae", "\"\\u202e\"" },	/* right to left from here on */
		{ "\xe2\x81\xa6", "\"\\u2066\"" },	/* the same in an isolate */
		{ "\xd8\x9c", "\"\\u061c\"" },		/* Arabic letter mark */
		{ "\xe2\x80\xa8", "\"\\u2028\"" },	/* line separator */
		{ "\xe2\x80\x8b", "\"\\u200b\"" },	/* of no width */
		{ "\xef\xbb\xbf", "\"\\ufeff\"" },	/* of no width, or a byte order */
		{ "\xef\xbf\xbe", "\"\\ufffe\"" },	/* XML forbids it */
		{ "\xef\xbf\xbf", "\"\\uffff\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		PUTS(vt_put_plain, t[i].utf8, "?");
		PUTS(vt_put_xml, t[i].utf8, "?");
		PUTS(vt_json__str, t[i].utf8, t[i].json);
	}
	PUTS(vt_text__str, "\xe2\x80\xae", "\\xe2\\x80\\xae");
}

static void markup(void **state)
{
	PUTS(vt_put_xml, "<a b=\"1\">&amp;'</a>", "&lt;a b=&quot;1&quot;&gt;&amp;amp;'&lt;/a&gt;");
	PUTS(vt_put_xml, NULL, "");
	PUTS(vt_put_plain, "<&\"\\", "<&\"\\");
	PUTS(vt_json__str, "\"\\/<", "\"\\\"\\\\/<\"");
	PUTS(vt_text__word, "two words", "\"two words\"");
	PUTS(vt_text__word, "", "\"\"");
}

static void no_utf8(void **state)
{
	PUTS(vt_put_plain, "\x80\xff" "a\xc3", "??a?");			/* lone, never, cut off */
	PUTS(vt_put_plain, "\xc0\xaf", "??");				/* overlong '/' */
	PUTS(vt_put_plain, "\xe0\x80\xaf\xf0\x80\x80\xaf", "???????");
	PUTS(vt_put_plain, "\xed\xa0\x80", "???");			/* a surrogate */
	PUTS(vt_put_plain, "\xf4\x90\x80\x80", "????");			/* above the last one */
	PUTS(vt_put_plain, "\xe2\x82" "a", "??a");			/* the 'a' is not swallowed */
	PUTS(vt_put_xml, "\xe2\x82<", "??&lt;");
	PUTS(vt_json__str, "\xe2\x82\"", "\"\\ufffd\\ufffd\\\"\"");
	PUTS(vt_text__str, "\xff", "\\xff");
}

static void every_code_point(void **state)
{
	for (uint32_t c = 1; c <= 0x10ffff; c++) {
		char s[5] = "", plain[16];
		uint32_t code;
		size_t len;
		FILE *f;

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		len = encode(c, s);
		assert_int_equal(vt_utf8__next(s, &code), len);
		assert_int_equal(code, c);
		f = fmemopen(plain, sizeof(plain), "w");
		vt_put_plain(f, s);
		fclose(f);
		assert_string_equal(plain, vt_utf8__harmless(c) ? s : "?");
	}
}

/* All starts of two and three bytes, and what random bytes come to: what is put is UTF-8, and decoders agree. */
static void any_bytes(void **state)
{
	srand(1);
	for (int i = 0; i < 300000; i++) {
		char s[8] = "", *text;
		size_t len = 1 + (size_t)rand() % 6;
		uint32_t code;
		unsigned int n;

		for (size_t k = 0; k < len; k++)
			s[k] = (char)(rand() % 3 ? 0x80 + rand() % 128 : 1 + rand() % 255);
		n = vt_utf8__next(s, &code);
		if (n)
			assert_true(valid(s, n));
		else
			for (size_t k = 1; k <= len && k <= 4; k++)
				assert_false(valid(s, k));
		if (i % 10)
			continue;
		text = put(vt_put_plain, s);
		assert_true(valid(text, strlen(text)));
		free(text);
		text = put(vt_json__str, s);
		assert_true(valid(text, strlen(text)));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_stays), cmocka_unit_test(controls), cmocka_unit_test(tricks), cmocka_unit_test(markup),
		cmocka_unit_test(no_utf8), cmocka_unit_test(every_code_point), cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
