// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "trace/print.h"
#include "base/utf8.h"

const char *vt_errno_name(int err)
{
	return strerrorname_np(err);
}

/* QUOTE: a character, besides the backslash, that needs a backslash; or 0. */
static void put_text(FILE *f, const char *s, uint32_t quote)
{
	while (*s) {
		uint32_t code;
		unsigned int len = vt_utf8__next(s, &code);

		if (len && (code == '\\' || code == quote)) {
			fprintf(f, "\\%c", *s++);
		} else if (len && vt_utf8__harmless(code)) {
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

char *vt_text__copy(const char *s)
{
	char *to = NULL;
	size_t len;
	FILE *f = open_memstream(&to, &len);

	if (!f)
		return NULL;
	vt_text__str(f, s);
	if (!fclose(f))
		return to;
	free(to);
	return NULL;
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
		unsigned int len = vt_utf8__next(s, &code);

		if (!len) {
			fputs("\\ufffd", f);
			s++;
			continue;
		}
		if (code == '"' || code == '\\')
			fprintf(f, "\\%c", *s);
		else if (code < 0x10000 && !vt_utf8__harmless(code))
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
