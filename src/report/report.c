// SPDX-License-Identifier: GPL-2.0
/* What all formats share: choosing, escaping, pairing. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report/report.h"

bool vt_format__parse(const char *name, enum vt_format *out)
{
	static const char *const names[] = { "text", "json", "ktap", "junit", "sarif" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(names[i], name)) {
			*out = (enum vt_format)i;
			return true;
		}
	}
	return false;
}

void vt_report_opts__init(struct vt_report_opts *o, const char *command, FILE *f)
{
	const char *no_color = getenv("NO_COLOR");
	struct winsize ws;

	memset(o, 0, sizeof(*o));
	o->command = command;
	o->width = 80;
	if (!isatty(fileno(f)))
		return;
	o->color = !no_color || !*no_color;
	if (!ioctl(fileno(f), TIOCGWINSZ, &ws) && ws.ws_col)
		o->width = ws.ws_col < 60 ? 60 : ws.ws_col > 120 ? 120 : ws.ws_col;
}

void vt_report(FILE *f, const struct vt_judgement *j, enum vt_format format, const struct vt_report_opts *o)
{
	static void (*const how[])(FILE *, const struct vt_judgement *, const struct vt_report_opts *) = {
		vt_report_text, vt_report_json, vt_report_ktap, vt_report_junit, vt_report_sarif,
	};

	how[format](f, j, o);
}

const char *vt_verdict(const struct vt_judgement *j)
{
	switch (j->exit) {
	case VT_EXIT_CLEAN: return "clean";
	case VT_EXIT_FINDINGS: return "findings";
	case VT_EXIT_NOTHING: return "nothing to judge";
	case VT_EXIT_INCONCLUSIVE: return "inconclusive";
	default: return "damaged trace";
	}
}

const char *vt_ending_str(const struct vt_side *s)
{
	if (s->ending == VT_END_JUMP)
		return "ended in the jump";
	if (s->ending == VT_END_STOPPED)
		return s->jumped ? "stopped after the jump was decided" : "stopped";
	return "breaks off";
}

/* ---- escaping ---- */

/* Length of the well-formed UTF-8 sequence at S, 0 when there is none. */
static size_t utf8_len(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if (n == 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)))
		return 0;
	if (n == 4 && ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)))
		return 0;
	/* C1 controls, and the two code points XML forbids */
	if (n == 2 && s[0] == 0xc2 && s[1] < 0xa0)
		return 0;
	if (n == 3 && s[0] == 0xef && s[1] == 0xbf && s[2] >= 0xbe)
		return 0;
	return n;
}

void vt_put_plain(FILE *f, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	while (*p) {
		size_t n = *p < 0x20 || *p == 0x7f ? 0 : utf8_len(p);

		if (!n) {
			fputc('?', f);
			p++;
			continue;
		}
		fwrite(p, 1, n, f);
		p += n;
	}
}

void vt_put_json(FILE *f, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	if (!s) {
		fputs("null", f);
		return;
	}
	fputc('"', f);
	while (*p) {
		size_t n = utf8_len(p);

		if (*p == '"' || *p == '\\') {
			fprintf(f, "\\%c", *p++);
		} else if (*p == '\n') {
			fputs("\\n", f);
			p++;
		} else if (*p < 0x20 || *p == 0x7f) {
			fprintf(f, "\\u%04x", *p++);
		} else if (!n) {
			fputs("\\ufffd", f);
			p++;
		} else {
			fwrite(p, 1, n, f);
			p += n;
		}
	}
	fputc('"', f);
}

void vt_put_xml(FILE *f, const char *s)
{
	const unsigned char *p = (const unsigned char *)(s ? s : "");

	while (*p) {
		size_t n = utf8_len(p);

		if (*p == '<')
			fputs("&lt;", f);
		else if (*p == '>')
			fputs("&gt;", f);
		else if (*p == '&')
			fputs("&amp;", f);
		else if (*p == '"')
			fputs("&quot;", f);
		else if (*p == '\n')
			fputc('\n', f);
		else if (*p < 0x20 || *p == 0x7f || !n)
			fputc('?', f);
		else
			fwrite(p, 1, n, f);
		p += n ? n : 1;
	}
}

/* ---- pairs ---- */

static size_t count_lives(const struct vt_side *s)
{
	size_t n = 0;

	for (const struct vt_session *v = s ? s->sessions : NULL; v; v = v->next)
		n += v->nr_lives;
	return n;
}

struct vt_pair *vt_pairs(const struct vt_judgement *j, size_t *nr)
{
	struct vt_pair *p = calloc(count_lives(j->side[0]) + count_lives(j->side[1]) + 1, sizeof(*p));
	bool fits = j->pair;

	*nr = 0;
	if (!p)
		return NULL;
	for (size_t i = 0; i < j->nr_sides; i++) {
		for (const struct vt_session *v = j->side[i]->sessions; v; v = v->next) {
			for (const struct vt_life *l = v->lives; l; l = l->next) {
				const struct vt_life *o = NULL;

				if (l->dir == VT_OUTGOING) {
					if (i == 0 && fits && vt_crossed(j, l))
						o = vt_side__life(j->side[1], VT_INCOMING, v->name, l->token);
					p[(*nr)++] = (struct vt_pair){ .out = l, .in = o, .out_side = i, .in_side = 1 };
					continue;
				}
				if (i == 1 && fits) {
					o = vt_side__life(j->side[0], VT_OUTGOING, v->name, l->token);
					if (o && vt_crossed(j, o) && vt_side__life(j->side[1], VT_INCOMING, v->name, l->token) == l)
						continue;	/* told with its old half */
				}
				p[(*nr)++] = (struct vt_pair){ .in = l, .in_side = i };
			}
		}
	}
	return p;
}
