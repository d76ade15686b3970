// SPDX-License-Identifier: GPL-2.0
/*
 * mktrace: makes a trace file from a readable text, for tests and golden files.
 *
 *	mktrace [-o FILE] [TEXT]		(from stdin when TEXT is absent or -; default FILE is out.vt)
 *
 * One statement per line; # starts a comment at the beginning of a line.
 * A word with spaces is quoted: "two words", with \" \\ \n \t \xHH inside.
 *
 *	meta KEY VALUE...		the rest of the line, or one quoted word
 *	probe FUNC MODULE METHOD attached|missing EVENT [hits=N] [misses=N] [recursion=N] [attach=NS] [reason="..."]
 *	loss EVENT WHY COUNT [FROM TO]	EVENT - when unknown; without times: unknown
 *	ev TS cpuN[#SEQ] TGID/TID COMM TYPE PHASE [FIELD=VALUE...]
 *	flush				ends the block of events here
 *	end HOW				the end block; without it the trace is that of a killed recorder
 *	cut N				takes the last N bytes off the finished file (like a kill within a write)
 *
 * TYPE and the kinds of fields come from the vocabulary. PHASE is enter, exit
 * or point. COMM - is none. A field that the vocabulary does not have becomes
 * one of this trace, text unless its first use says otherwise: name:hex=0x10
 * (kinds u64, hex, s64, str, obj). Numbers as in C. Objects are class#n, or
 * none for NULL. A value !ENAME or !NUMBER is "could not be read":
 * file_ref=!EFAULT. Probes are stored as one table, at the end.
 *
 *	meta kernel.release 7.3.4
 *	probe vfio_device_fops_release vfio fentry attached vfio.release hits=3
 *	ev 1000 cpu0 42/42 agent luo.preserve enter session=vm0 token=0x1 file=file#1
 *	ev 1500 cpu0#7 42/43 "my agent" luo.preserve exit ret=-12 file_ref=!EFAULT file.f_mode:hex=0x1d
 *	loss vfio.release "ring full" 12 100 200
 *	end stopped
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vfiotrace/trace.h"

#define DYN_MAX	  512

struct mk {
	const char *source;
	unsigned int line;
	const char *out;
	struct vt_writer *w;
	struct vt_probe *probes;
	size_t nr_probes;
	struct { const char *name; enum vt_kind kind; } dyn[DYN_MAX];
	size_t nr_dyn;
	char **kept;		/* words that outlive their line */
	size_t nr_kept;
	bool ended;
	long cut;
};

static void die(const struct mk *m, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));
static void die(const struct mk *m, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u: ", m->source, m->line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void check(const struct mk *m, int ret, const char *what)
{
	if (ret < 0)
		die(m, "%s: %s", what, strerror(-ret));
}

/* ---- words ---- */

static const char *keep(struct mk *m, const char *s)
{
	char **kept = reallocarray(m->kept, m->nr_kept + 1, sizeof(*kept));

	if (!kept)
		die(m, "out of memory");
	m->kept = kept;
	kept[m->nr_kept] = strdup(s);
	if (!kept[m->nr_kept])
		die(m, "out of memory");
	return kept[m->nr_kept++];
}

static char unescape(char **from)
{
	char c = *(*from)++, hex[3] = "";

	switch (c) {
	case 'n': return '\n';
	case 't': return '\t';
	case 'x':
		strncpy(hex, *from, 2);
		*from += strlen(hex);
		return (char)strtoul(hex, NULL, 16);
	default: return c;
	}
}

/* The next word, unquoted in place; quotes may start within it (reason="..."). NULL at the end. */
static char *word(struct mk *m, char **at)
{
	char *p = *at + strspn(*at, " \t"), *start = p, *to = p;
	bool quoted = false;

	if (!*p)
		return NULL;
	while (*p && (quoted || !strchr(" \t", *p))) {
		char c = *p++;

		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (c == '\\' && quoted && *p)
			c = unescape(&p);
		*to++ = c;
	}
	if (quoted)
		die(m, "a quote is not closed");
	*at = *p ? p + 1 : p;
	*to = '\0';
	return start;
}

static char *need(struct mk *m, char **at, const char *what)
{
	char *w = word(m, at);

	if (!w)
		die(m, "missing: %s", what);
	return w;
}

static uint64_t number(const struct mk *m, const char *s)
{
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(s, &end, 0);
	if (!*s || *end || errno)
		die(m, "not a number: %s", s);
	return v;
}

/* ---- values ---- */

static int errno_by_name(const struct mk *m, const char *s)
{
	for (int i = 1; i < 4096; i++)
		if (strerrorname_np(i) && !strcmp(strerrorname_np(i), s))
			return i;
	return (int)number(m, s);
}

static uint64_t object(const struct mk *m, char *s)
{
	char *nr = strchr(s, '#');
	enum vt_class c;

	if (!strcmp(s, "none") || !strcmp(s, "0"))
		return 0;
	if (!nr)
		die(m, "not an object (class#n or none): %s", s);
	*nr++ = '\0';
	c = vt_class_by_name(s);
	if (!c)
		die(m, "unknown class: %s", s);
	return vt_obj(c, number(m, nr));
}

static enum vt_kind kind_by_name(const struct mk *m, const char *s)
{
	static const char *const names[] = { [VT_U64] = "u64", [VT_HEX] = "hex", [VT_S64] = "s64", [VT_STR] = "str",
					     [VT_OBJ] = "obj" };

	for (int i = VT_U64; i <= VT_OBJ; i++)
		if (!strcmp(names[i], s))
			return (enum vt_kind)i;
	die(m, "unknown kind: %s", s);
}

static enum vt_kind dyn_kind(struct mk *m, const char *name, const char *kind)
{
	for (size_t i = 0; i < m->nr_dyn; i++)
		if (!strcmp(m->dyn[i].name, name))
			return m->dyn[i].kind;
	if (m->nr_dyn == DYN_MAX)
		die(m, "too many fields of its own");
	m->dyn[m->nr_dyn].name = keep(m, name);
	m->dyn[m->nr_dyn].kind = kind ? kind_by_name(m, kind) : VT_STR;
	return m->dyn[m->nr_dyn++].kind;
}

static void field(struct mk *m, char *name)
{
	char *value = strchr(name, '='), *kind_name;
	enum vt_field known;
	enum vt_kind kind;
	int id;

	if (!value)
		die(m, "not FIELD=VALUE: %s", name);
	*value++ = '\0';
	kind_name = strchr(name, ':');
	if (kind_name)
		*kind_name++ = '\0';
	known = vt_field_by_name(name);
	kind = known ? vt_field_kind(known) : dyn_kind(m, name, kind_name);
	id = known ? (int)known : vt_writer__dyn_field(m->w, name, kind);
	check(m, id, name);

	if (value[0] == '!' && value[1])
		vt_writer__err(m->w, id, errno_by_name(m, value + 1));
	else if (kind == VT_STR)
		vt_writer__str(m->w, id, value);
	else if (kind == VT_S64)
		vt_writer__s64(m->w, id, (int64_t)number(m, value));
	else
		vt_writer__u64(m->w, id, kind == VT_OBJ ? object(m, value) : number(m, value));
}

/* ---- statements ---- */

static void do_meta(struct mk *m, char *at)
{
	char *key = need(m, &at, "KEY");

	at += strspn(at, " \t");
	check(m, vt_writer__meta(m->w, key, *at == '"' ? need(m, &at, "VALUE") : at), "meta");
}

static void probe_option(struct mk *m, struct vt_probe *p, char *w)
{
	char *value = strchr(w, '=');

	if (!value)
		die(m, "not NAME=VALUE: %s", w);
	*value++ = '\0';
	if (!strcmp(w, "hits"))
		p->hits = number(m, value);
	else if (!strcmp(w, "misses"))
		p->misses = number(m, value);
	else if (!strcmp(w, "recursion"))
		p->recursion_misses = number(m, value);
	else if (!strcmp(w, "attach"))
		p->attach_ns = number(m, value);
	else if (!strcmp(w, "reason"))
		p->reason = keep(m, value);
	else
		die(m, "unknown: %s", w);
}

static void do_probe(struct mk *m, char *at)
{
	struct vt_probe *p = reallocarray(m->probes, m->nr_probes + 1, sizeof(*p));
	const char *state;
	char *w;

	if (!p)
		die(m, "out of memory");
	m->probes = p;
	p += m->nr_probes++;
	memset(p, 0, sizeof(*p));
	p->func = keep(m, need(m, &at, "FUNC"));
	p->module = keep(m, need(m, &at, "MODULE"));
	p->method = keep(m, need(m, &at, "METHOD"));
	state = need(m, &at, "attached or missing");
	p->event = keep(m, need(m, &at, "EVENT"));
	p->reason = "";
	p->attached = !strcmp(state, "attached");
	if (!p->attached && strcmp(state, "missing"))
		die(m, "neither attached nor missing: %s", state);
	while ((w = word(m, &at)))
		probe_option(m, p, w);
}

static void do_loss(struct mk *m, char *at)
{
	struct vt_loss l = { .to_ns = UINT64_MAX };
	const char *w;

	l.event = need(m, &at, "EVENT");
	if (!strcmp(l.event, "-"))
		l.event = "";
	l.why = need(m, &at, "WHY");
	l.count = number(m, need(m, &at, "COUNT"));
	w = word(m, &at);
	if (w) {
		l.from_ns = number(m, w);
		l.to_ns = number(m, need(m, &at, "TO"));
	}
	check(m, vt_writer__loss(m->w, &l), "loss");
}

static enum vt_phase phase(const struct mk *m, const char *s)
{
	if (!strcmp(s, "point"))
		return VT_POINT;
	if (!strcmp(s, "enter"))
		return VT_ENTER;
	if (!strcmp(s, "exit"))
		return VT_EXIT;
	die(m, "neither enter, exit, nor point: %s", s);
}

static void do_ev(struct mk *m, char *at)
{
	struct vt_stamp s = { .ts_ns = number(m, need(m, &at, "TS")) };
	char *cpu = need(m, &at, "cpuN"), *tid, *w;
	enum vt_event_type type;

	if (sscanf(cpu, "cpu%" SCNu16 "#%" SCNu64, &s.cpu, &s.seq) < 1)
		die(m, "not cpuN or cpuN#SEQ: %s", cpu);
	w = need(m, &at, "TGID/TID");
	tid = strchr(w, '/');
	if (!tid)
		die(m, "not TGID/TID: %s", w);
	*tid++ = '\0';
	s.tgid = (uint32_t)number(m, w);
	s.tid = (uint32_t)number(m, tid);
	s.comm = need(m, &at, "COMM");
	if (!strcmp(s.comm, "-"))
		s.comm = NULL;
	w = need(m, &at, "TYPE");
	type = vt_event_by_name(w);
	if (!type)
		die(m, "unknown event type: %s", w);
	vt_writer__begin(m->w, type, phase(m, need(m, &at, "PHASE")), &s);
	while ((w = word(m, &at)))
		field(m, w);
	check(m, vt_writer__end(m->w), "ev");
}

/* The whole table of probes, stored where a recorder stores its last one. */
static void store_probes(struct mk *m)
{
	if (m->nr_probes)
		check(m, vt_writer__probes(m->w, m->probes, m->nr_probes), "probes");
	m->nr_probes = 0;
}

static void do_end(struct mk *m, char *at)
{
	at += strspn(at, " \t");
	store_probes(m);
	check(m, vt_writer__finish(m->w, *at == '"' ? need(m, &at, "HOW") : at), "end");
	m->ended = true;
}

static void statement(struct mk *m, char *at)
{
	const char *what;

	at[strcspn(at, "\r\n")] = '\0';
	at += strspn(at, " \t");
	if (!*at || *at == '#')
		return;
	what = need(m, &at, "a statement");
	if (!strcmp(what, "cut"))
		m->cut = (long)number(m, need(m, &at, "N"));
	else if (m->ended)
		die(m, "only cut may follow end");
	else if (!strcmp(what, "meta"))
		do_meta(m, at);
	else if (!strcmp(what, "probe"))
		do_probe(m, at);
	else if (!strcmp(what, "loss"))
		do_loss(m, at);
	else if (!strcmp(what, "ev"))
		do_ev(m, at);
	else if (!strcmp(what, "flush"))
		check(m, vt_writer__flush(m->w, false), "flush");
	else if (!strcmp(what, "end"))
		do_end(m, at);
	else
		die(m, "unknown statement: %s", what);
}

static void close_trace(struct mk *m)
{
	long size;

	if (!m->ended) {
		check(m, vt_writer__flush(m->w, false), "flush");
		store_probes(m);
	}
	size = (long)vt_writer__bytes(m->w) - m->cut;
	vt_writer__free(m->w);
	if (m->cut && (size < 0 || truncate(m->out, size)))
		die(m, "cannot cut %ld bytes off %s", m->cut, m->out);
}

static int usage(void)
{
	fputs("Usage: mktrace [-o FILE] [TEXT]\n", stderr);
	return 64;
}

int main(int argc, char **argv)
{
	struct mk m = { .source = "-", .out = "out.vt" };
	FILE *in = stdin;
	char *line = NULL;
	size_t cap = 0;
	int c;

	while ((c = getopt(argc, argv, "o:")) != -1) {
		if (c != 'o')
			return usage();
		m.out = optarg;
	}
	if (argc - optind > 1)
		return usage();
	if (optind < argc && strcmp(argv[optind], "-")) {
		m.source = argv[optind];
		in = fopen(m.source, "re");
		if (!in)
			die(&m, "%s", strerror(errno));
	}
	check(&m, vt_writer__open(m.out, &m.w), m.out);
	while (getline(&line, &cap, in) > 0) {
		m.line++;
		statement(&m, line);
	}
	close_trace(&m);
	while (m.nr_kept)
		free(m.kept[--m.nr_kept]);
	free(m.kept);
	free(m.probes);
	free(line);
	if (in != stdin)
		fclose(in);
	return 0;
}
