// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <inttypes.h>

#include "trace/json_writer.h"

void vt_jsonw__begin(struct vt_jsonw *w, FILE *f, enum vt_jsonw_style style)
{
	*w = (struct vt_jsonw){ .f = f, .style = style, .line = -1 };
}

void vt_jsonw__line(struct vt_jsonw *w, unsigned int column)
{
	w->line = (int)column;
}

static void new_line(const struct vt_jsonw *w, int column)
{
	if (w->style == VT_JSONW_ONE_LINE)
		return;
	fprintf(w->f, "\n%*s", column, "");
}

static bool compact(const struct vt_jsonw *w)
{
	return w->style == VT_JSONW_COMPACT || w->style == VT_JSONW_ONE_LINE;
}

/* Whether what stands between the brackets is set off from them. */
static bool padded(const struct vt_jsonw *w, char end)
{
	return w->style == VT_JSONW_AIRY || (w->style == VT_JSONW_SPACED && end == '}');
}

/* All that stands between the item before, or the bracket, and this one. */
static void separate(struct vt_jsonw *w)
{
	struct vt_jsonw_level *at = w->depth ? &w->level[w->depth - 1] : NULL;
	int column = w->line >= 0 ? w->line : at ? at->rows : -1;

	w->line = -1;
	if (!at)
		return;
	if (at->any)
		fputc(',', w->f);
	if (column >= 0)
		new_line(w, column);
	else if (at->any ? !compact(w) : padded(w, at->end))
		fputc(' ', w->f);
	at->any = true;
}

FILE *vt_jsonw__value(struct vt_jsonw *w, const char *key)
{
	separate(w);
	if (key) {
		vt_json__str(w->f, key);
		fputs(compact(w) ? ":" : ": ", w->f);
	}
	return w->f;
}

static void open_level(struct vt_jsonw *w, const char *key, char begin, char end, int rows)
{
	fputc(begin, vt_jsonw__value(w, key));
	assert(w->depth < VT_JSONW_DEPTH);
	w->level[w->depth++] = (struct vt_jsonw_level){ .end = end, .rows = rows };
}

void vt_jsonw__object(struct vt_jsonw *w, const char *key)
{
	open_level(w, key, '{', '}', -1);
}

void vt_jsonw__array(struct vt_jsonw *w, const char *key)
{
	open_level(w, key, '[', ']', -1);
}

void vt_jsonw__rows(struct vt_jsonw *w, const char *key, unsigned int column)
{
	open_level(w, key, '[', ']', (int)column);
}

void vt_jsonw__end(struct vt_jsonw *w)
{
	char end;

	assert(w->depth);
	end = w->level[--w->depth].end;
	if (padded(w, end))
		fputc(' ', w->f);
	fputc(end, w->f);
}

void vt_jsonw__end_line(struct vt_jsonw *w, unsigned int column)
{
	assert(w->depth);
	new_line(w, (int)column);
	fputc(w->level[--w->depth].end, w->f);
}

void vt_jsonw__str(struct vt_jsonw *w, const char *key, const char *value)
{
	FILE *f = vt_jsonw__value(w, key);

	if (value)
		vt_json__str(f, value);
	else
		fputs("null", f);
}

void vt_jsonw__bool(struct vt_jsonw *w, const char *key, bool value)
{
	fputs(value ? "true" : "false", vt_jsonw__value(w, key));
}

void vt_jsonw__u64(struct vt_jsonw *w, const char *key, uint64_t value)
{
	vt_json__u64(vt_jsonw__value(w, key), value);
}

void vt_jsonw__s64(struct vt_jsonw *w, const char *key, int64_t value)
{
	vt_json__s64(vt_jsonw__value(w, key), value);
}

void vt_jsonw__ns(struct vt_jsonw *w, const char *key, uint64_t value)
{
	vt_json__ns(vt_jsonw__value(w, key), value);
}

void vt_jsonw__hex(struct vt_jsonw *w, const char *key, uint64_t value)
{
	fprintf(vt_jsonw__value(w, key), "\"0x%" PRIx64 "\"", value);
}

void vt_jsonw__null(struct vt_jsonw *w, const char *key)
{
	vt_jsonw__str(w, key, NULL);
}
