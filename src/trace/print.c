// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "trace/print.h"

const char *vt_errno_name(int err)
{
	return strerrorname_np(err);
}

/* Bytes of the character at S and its code point; 0 when this is no UTF-8 (overlong forms and surrogates included). */
static unsigned int utf8(const char *s, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)*s;
	unsigned int len = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;

	if (len <= 1) {
		*code = c;
		return len;
	}
	*code = c & (0x7fu >> len);
	for (unsigned int i = 1; i < len; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | ((unsigned char)s[i] & 0x3f);
	}
	if (*code < least[len] || *code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return len;
}

/* Shows as itself and moves nothing else: no controls, no marks that turn the direction of text around. */
static bool harmless(uint32_t c)
{
	return c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) && c != 0x61c && c != 0xfeff &&
	       !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2060 && c <= 0x206f);
}

/* QUOTE: a character, besides the backslash, that needs a backslash; or 0. */
static void put_text(FILE *f, const char *s, uint32_t quote)
{
	while (*s) {
		uint32_t code;
		unsigned int len = utf8(s, &code);

		if (len && (code == '\\' || code == quote)) {
			fprintf(f, "\\%c", *s++);
		} else if (len && harmless(code)) {
			fwrite(s, 1, len, f);
			s += len;
		} else {
			/* byte by byte, so that nothing of it gets lost */
			for (len = len ? len : 1; len; len--)
				fprintf(f, "\\x%02x", (unsigned char)*s++);
		}
	}
}

void vt_text__str(FILE *f, const char *s)
{
	put_text(f, s, 0);
}

void vt_text__word(FILE *f, const char *s)
{
	bool quote = !*s;

	for (const char *p = s; *p && !quote; p++)
		quote = isspace((unsigned char)*p) || strchr("\"'=", *p);
	if (!quote) {
		put_text(f, s, 0);
		return;
	}
	fputc('"', f);
	put_text(f, s, '"');
	fputc('"', f);
}

static void put_err(FILE *f, int err)
{
	const char *name = vt_errno_name(err);

	if (name)
		fputs(name, f);
	else
		fprintf(f, "%d", err);
}

void vt_text__value(FILE *f, const struct vt_trace *t, const struct vt_value *v)
{
	if (v->err) {
		fputc('!', f);
		put_err(f, v->err);
		return;
	}
	switch (v->kind) {
	case VT_U64:
		fprintf(f, "%" PRIu64, v->u);
		break;
	case VT_S64:
		fprintf(f, "%" PRId64, v->s);
		break;
	case VT_STR:
		vt_text__word(f, v->str);
		break;
	case VT_OBJ:
		if (!v->u) {
			fputs("none", f);
			break;
		}
		vt_text__word(f, vt_trace__class_name(t, v->u));
		fprintf(f, "#%" PRIu64, vt_obj_nr(v->u));
		break;
	default:
		fprintf(f, "0x%" PRIx64, v->u);
	}
}

static void json_body(FILE *f, const char *s)
{
	while (*s) {
		uint32_t code;
		unsigned int len = utf8(s, &code);

		if (!len) {
			fputs("\\ufffd", f);
			s++;
			continue;
		}
		if (code == '"' || code == '\\')
			fprintf(f, "\\%c", *s);
		else if (code < 0x10000 && !harmless(code))
			fprintf(f, "\\u%04x", code);
		else
			fwrite(s, 1, len, f);
		s += len;
	}
}

void vt_json__str(FILE *f, const char *s)
{
	fputc('"', f);
	json_body(f, s);
	fputc('"', f);
}

void vt_json__u64(FILE *f, uint64_t v)
{
	fprintf(f, v > VT_JSON_EXACT ? "\"%" PRIu64 "\"" : "%" PRIu64, v);
}

void vt_json__s64(FILE *f, int64_t v)
{
	if (v >= 0)
		vt_json__u64(f, (uint64_t)v);
	else
		fprintf(f, v < -(int64_t)VT_JSON_EXACT ? "\"%" PRId64 "\"" : "%" PRId64, v);
}

void vt_json__ns(FILE *f, uint64_t ns)
{
	fprintf(f, "\"%" PRIu64 "\"", ns);
}

void vt_json__value(FILE *f, const struct vt_trace *t, const struct vt_value *v)
{
	if (v->err) {
		fputs("{\"error\":\"", f);
		put_err(f, v->err);
		fputs("\"}", f);
		return;
	}
	switch (v->kind) {
	case VT_U64:
		vt_json__u64(f, v->u);
		break;
	case VT_S64:
		vt_json__s64(f, v->s);
		break;
	case VT_STR:
		vt_json__str(f, v->str);
		break;
	case VT_OBJ:
		if (!v->u) {
			fputs("null", f);
			break;
		}
		fputc('"', f);
		json_body(f, vt_trace__class_name(t, v->u));
		fprintf(f, "#%" PRIu64 "\"", vt_obj_nr(v->u));
		break;
	default:
		fprintf(f, "\"0x%" PRIx64 "\"", v->u);
	}
}
