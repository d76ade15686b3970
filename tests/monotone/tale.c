// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tale.h"

void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(70);
}

void *keep(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		die("out of memory");
	return p;
}

const char *keep_str(const char *s)
{
	char *to = s ? keep(strlen(s) + 1) : NULL;

	return to ? strcpy(to, s) : NULL;
}

/* ---- reading ---- */

static void slurp(struct tale *t, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", path, strerror(errno));
	t->size = (size_t)st.st_size;
	t->bytes = keep(t->size);
	if (read(fd, t->bytes, t->size) != (ssize_t)t->size)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static void read_tables(struct tale *t, const struct vt_trace *from)
{
	t->nr_meta = vt_trace__meta_nr(from);
	t->meta = keep(t->nr_meta * sizeof(*t->meta));
	for (size_t i = 0; i < t->nr_meta; i++) {
		const char *key, *value;

		vt_trace__meta_at(from, i, &key, &value);
		t->meta[i].key = keep_str(key);
		t->meta[i].value = keep_str(value);
	}
	t->nr_probes = vt_trace__probe_nr(from);
	t->probes = keep(t->nr_probes * sizeof(*t->probes));
	for (size_t i = 0; i < t->nr_probes; i++) {
		struct vt_probe *p = &t->probes[i];

		*p = *vt_trace__probe(from, i);
		p->func = keep_str(p->func);
		p->module = keep_str(p->module);
		p->event = keep_str(p->event);
		p->method = keep_str(p->method);
		p->reason = keep_str(p->reason ? p->reason : "");
	}
	t->nr_losses = vt_trace__loss_nr(from);
	t->losses = keep(t->nr_losses * sizeof(*t->losses));
	for (size_t i = 0; i < t->nr_losses; i++) {
		t->losses[i] = *vt_trace__loss(from, i);
		t->losses[i].event = keep_str(t->losses[i].event);
		t->losses[i].why = keep_str(t->losses[i].why);
	}
	t->ended = keep_str(vt_trace__ended(from));
}

static uint16_t dyn_of(struct tale *t, const char *name, enum vt_kind kind)
{
	size_t i = 0;

	while (i < t->nr_dyn && strcmp(t->dyn[i].name, name))
		i++;
	if (i < t->nr_dyn)
		return (uint16_t)i;
	t->dyn = realloc(t->dyn, (i + 1) * sizeof(*t->dyn));
	if (!t->dyn)
		die("out of memory");
	t->dyn[t->nr_dyn++] = (struct tale_dyn){ keep_str(name), kind };
	return (uint16_t)i;
}

static struct tale_field read_field(struct tale *t, const struct vt_trace *from, const struct vt_event *e, uint32_t i)
{
	struct vt_value v = vt_ev_at(e, i);
	struct tale_field f = { .kind = v.kind, .err = v.err };

	if (v.field < VT_F_MAX)
		f.known = v.field;
	else
		f.dyn = dyn_of(t, vt_trace__field_name(from, v.field), vt_trace__field_kind(from, v.field));
	if (!v.err && v.kind == VT_STR)
		f.str = keep_str(v.str);
	else if (!v.err)
		f.u = v.u;
	return f;
}

static void read_event(struct tale *t, const struct vt_trace *from, const struct vt_event *e, struct tale_event *to)
{
	to->stamp = (struct vt_stamp){ .ts_ns = e->ts_ns, .seq = e->seq, .tgid = e->tgid, .tid = e->tid, .cpu = e->cpu, .comm = keep_str(e->comm) };
	to->type = e->type;
	to->phase = e->phase;
	to->nr = e->nr;
	to->f = keep(e->nr * sizeof(*to->f));
	for (uint32_t i = 0; i < e->nr; i++)
		to->f[i] = read_field(t, from, e, i);
}

/* False when there is something that cannot be written again. */
static bool read_events(struct tale *t, struct vt_trace *from)
{
	struct vt_event *e = keep(sizeof(*e));
	uint64_t block = UINT64_MAX;
	size_t cap = 0;
	bool all = true;

	while (vt_trace__next(from, e) > 0) {
		if (t->nr_ev == cap) {
			cap = cap ? cap * 2 : 64;
			t->ev = realloc(t->ev, cap * sizeof(*t->ev));
			if (!t->ev)
				die("out of memory");
		}
		memset(&t->ev[t->nr_ev], 0, sizeof(*t->ev));
		read_event(t, from, e, &t->ev[t->nr_ev]);
		t->ev[t->nr_ev].block = e->block != block;
		block = e->block;
		all &= e->type != VT_EV_UNKNOWN;
		t->nr_ev++;
	}
	free(e);
	return all && !vt_trace__damage_nr(from);
}

const struct tale_field *tale_event__field(const struct tale_event *e, enum vt_field f)
{
	for (uint32_t i = 0; i < e->nr; i++) {
		if (e->f[i].known == f && !e->f[i].err)
			return &e->f[i];
	}
	return NULL;
}

const char *tale_event__str(const struct tale_event *e, enum vt_field f)
{
	const struct tale_field *v = tale_event__field(e, f);

	return v && v->kind == VT_STR ? v->str : NULL;
}

bool tale_event__is_luo(const struct tale_event *e)
{
	return e->type <= VT_EV_FLB_STATE || e->type == VT_EV_REBOOT || e->type == VT_EV_SERIALIZE;
}

/* ---- who shows what ---- */

static bool in_a_call_of(const struct tale_event *e, const struct tale_event *call)
{
	const char *within = tale_event__str(e, VT_F_WITHIN);

	return within && !strcmp(within, vt_event_name(call->type)) && call->phase == VT_EXIT;
}

/* A snapshot follows what it was taken at; lists and counts are taken as a call returns. */
static uint32_t host_of(const struct tale *t, size_t i)
{
	const struct tale_event *e = &t->ev[i];
	size_t k = i;

	switch (e->type) {
	case VT_EV_FILE_SNAP:
		while (k-- > 0) {
			if (t->ev[k].stamp.tid == e->stamp.tid && t->ev[k].type != VT_EV_FILE_SNAP)
				return (uint32_t)k;
		}
		return (uint32_t)i;
	case VT_EV_LUO_FILE: case VT_EV_FLB_STATE: case VT_EV_KHO_FOLIOS: case VT_EV_KHO_FOLIO:
		while (++k < t->nr_ev) {
			if (t->ev[k].stamp.tid == e->stamp.tid && in_a_call_of(e, &t->ev[k]))
				return (uint32_t)k;
		}
		return (uint32_t)i;
	default:
		return (uint32_t)i;
	}
}

static bool phase_fits(const struct vt_probe *p, const struct tale_event *e)
{
	if (!strcmp(p->method, "fentry") || !strcmp(p->method, "kprobe"))
		return e->phase != VT_EXIT;
	if (!strcmp(p->method, "fexit") || !strcmp(p->method, "kretprobe"))
		return e->phase == VT_EXIT;
	return true;
}

/* "a+0x1" and "a+0x1 [vfio]". */
static bool same_place(const char *row, const char *event)
{
	size_t n = strcspn(event, " ");

	return strlen(row) == n && !strncmp(row, event, n);
}

/* The letters with which a handler's functions begin, as an event that names one says. */
static size_t op_prefix(const struct tale_event *e, const char **func)
{
	const char *op = strchr(vt_event_name(e->type), '.'), *f = tale_event__str(e, VT_F_FUNC);
	size_t n = f ? strcspn(f, " ") : 0, tail = op ? strlen(op + 1) : 0;

	if (!f || !op || n <= tail || strncmp(f + n - tail, op + 1, tail))
		return 0;
	*func = f;
	return n - tail;
}

static bool is_op(uint16_t type)
{
	return type >= VT_EV_OP_CAN_PRESERVE && type <= VT_EV_OP_FINISH;
}

static size_t prefix_of(const struct tale *t, const char *compatible, const char **func)
{
	for (size_t i = 0; compatible && i < t->nr_ev; i++) {
		const char *c = is_op(t->ev[i].type) ? tale_event__str(&t->ev[i], VT_F_COMPATIBLE) : NULL;
		size_t n = c && !strcmp(c, compatible) ? op_prefix(&t->ev[i], func) : 0;

		if (n)
			return n;
	}
	return 0;
}

static bool named_by(const struct tale *t, const struct vt_probe *p, const struct tale_event *e)
{
	const char *func = tale_event__str(e, VT_F_FUNC), *site = tale_event__str(e, VT_F_SITE), *of;
	size_t n;

	if (!strcmp(p->method, "site"))
		return site && same_place(p->func, site);
	if (func)
		return same_place(p->func, func);
	if (!is_op(e->type))
		return false;
	n = prefix_of(t, tale_event__str(e, VT_F_COMPATIBLE), &of);
	return n && !strncmp(p->func, of, n);
}

static void find_rows(const struct tale *t, const struct tale_event *e, struct tale_rows *to)
{
	bool named = false;

	to->row = keep(t->nr_probes * sizeof(*to->row));
	for (int by_name = 1; by_name >= 0 && !named; by_name--) {
		for (size_t i = 0; i < t->nr_probes; i++) {
			const struct vt_probe *p = &t->probes[i];

			if (!p->attached || strcmp(p->event, vt_event_name(e->type)) || !phase_fits(p, e) || (by_name && !named_by(t, p, e)))
				continue;
			to->row[to->nr++] = (uint16_t)i;
			named = true;
		}
	}
}

/* Traces of before the capture numbered events, and texts: as it would have. */
static void number(struct tale *t)
{
	uint64_t next[64] = { 0 };

	for (size_t i = 0; i < t->nr_ev; i++) {
		if (t->ev[i].stamp.seq)
			return;
	}
	t->numbered = true;
	for (size_t i = 0; i < t->nr_ev; i++) {
		if (t->ev[i].type < VT_EV_REC_ARMED)
			t->ev[i].stamp.seq = ++next[t->ev[i].stamp.cpu % 64];
	}
}

struct tale *tale__read(const char *path, const char *name)
{
	struct tale *t = keep(sizeof(*t));
	struct vt_trace *from;

	t->name = keep_str(name);
	slurp(t, path);
	if (vt_trace__open(path, &from, NULL))
		return t;
	read_tables(t, from);
	t->true_copy = read_events(t, from);
	vt_trace__free(from);
	number(t);
	t->shown_by = keep(t->nr_ev * sizeof(*t->shown_by));
	for (size_t i = 0; i < t->nr_ev; i++) {
		t->ev[i].host = host_of(t, i);
		find_rows(t, &t->ev[i], &t->shown_by[i]);
	}
	return t;
}

/* ---- writing ---- */

void draft__begin(struct draft *d, const struct tale *t)
{
	*d = (struct draft){ .t = t, .ended = t->ended };
	d->gone = keep(t->nr_ev);
	d->probes = keep(t->nr_probes * sizeof(*d->probes));
	memcpy(d->probes, t->probes, t->nr_probes * sizeof(*d->probes));
	d->losses = keep((t->nr_losses + VT_EV_MAX) * sizeof(*d->losses));
	memcpy(d->losses, t->losses, t->nr_losses * sizeof(*d->losses));
	d->nr_losses = t->nr_losses;
}

void draft__free(struct draft *d)
{
	free(d->gone);
	free(d->probes);
	free(d->losses);
}

static void empty(int fd)
{
	if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET))
		die("memfd: %s", strerror(errno));
}

void bytes__write(const char *bytes, size_t size, int fd)
{
	empty(fd);
	if (write(fd, bytes, size) != (ssize_t)size)
		die("memfd: %s", strerror(errno));
}

/* How far each CPU counted, lost ones included: a recorder says so with its rec.stop. */
static void write_numbers(struct vt_writer *w, const uint64_t last[64])
{
	char text[64 * 24];
	size_t n = 0;

	for (int i = 0; i < 64; i++) {
		if (last[i])
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d:%llu", n ? " " : "", i, (unsigned long long)last[i]);
	}
	if (n)
		vt_writer__str(w, VT_F_NUMBERS, text);
}

static void write_event(struct vt_writer *w, const struct tale *t, const struct tale_event *e, uint64_t seq, const uint64_t last[64])
{
	struct vt_stamp s = e->stamp;

	s.seq = seq;
	vt_writer__begin(w, e->type, e->phase, &s);
	for (uint32_t i = 0; i < e->nr; i++) {
		const struct tale_field *f = &e->f[i];
		int id = f->known ? f->known : vt_writer__dyn_field(w, t->dyn[f->dyn].name, t->dyn[f->dyn].kind);

		if (f->err)
			vt_writer__err(w, id, f->err);
		else if (f->kind == VT_STR)
			id == VT_F_NUMBERS ? (void)0 : vt_writer__str(w, id, f->str);
		else if (f->kind == VT_S64)
			vt_writer__s64(w, id, (int64_t)f->u);
		else
			vt_writer__u64(w, id, f->u);
	}
	if (e->type == VT_EV_REC_STOP)
		write_numbers(w, last);
	vt_writer__end(w);
}

/* As the recorder stores it when it is armed: nothing was hit or missed yet. */
static void write_first_table(const struct draft *d, struct vt_writer *w)
{
	struct vt_probe *p = keep(d->t->nr_probes * sizeof(*p));

	for (size_t i = 0; i < d->t->nr_probes; i++) {
		p[i] = d->probes[i];
		p[i].hits = p[i].misses = p[i].recursion_misses = 0;
	}
	vt_writer__probes(w, p, d->t->nr_probes);
	free(p);
}

/* A mark of the recorder's own, where the draft has one of its own. */
static void write_mark(struct vt_writer *w, enum vt_event_type type, uint64_t ns, const uint64_t last[64])
{
	struct vt_stamp s = { .ts_ns = ns, .tgid = 1, .tid = 1, .comm = "vfiotrace" };

	if (!ns)
		return;
	vt_writer__begin(w, type, VT_POINT, &s);
	if (type == VT_EV_REC_STOP)
		write_numbers(w, last);
	vt_writer__end(w);
}

/* A recorder tells of a loss when it is over; each row by itself: the writer would add them up. */
static void write_losses(const struct draft *d, struct vt_writer *w, bool *told, uint64_t until_ns)
{
	for (size_t i = 0; i < d->nr_losses; i++) {
		if (told[i] || d->losses[i].to_ns >= until_ns)
			continue;
		told[i] = true;
		vt_writer__loss(w, &d->losses[i]);
		vt_writer__flush(w, false);
	}
}

/* A recorder that was started late says so by the wall clock. */
static const char *started(const struct draft *d, const char *value, char late[32])
{
	uint64_t first = d->t->nr_ev ? d->t->ev[0].stamp.ts_ns : 0;
	struct tm tm = { 0 };
	time_t s;

	if (d->armed_ns <= first || !strptime(value, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return value;
	s = timegm(&tm) + (time_t)((d->armed_ns - first) / 1000000000);
	return gmtime_r(&s, &tm) && strftime(late, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) ? late : value;
}

void draft__write(const struct draft *d, int fd)
{
	char late[32];
	const struct tale *t = d->t;
	uint64_t less[64] = { 0 }, last[64] = { 0 };
	bool *told = keep(d->nr_losses);
	struct vt_writer *w;

	empty(fd);
	if (vt_writer__fdopen(dup(fd), &w))
		die("cannot write a trace");
	for (size_t i = 0; i < t->nr_meta; i++)
		vt_writer__meta(w, t->meta[i].key, strcmp(t->meta[i].key, "started") ? t->meta[i].value : started(d, t->meta[i].value, late));
	if (t->nr_probes)
		write_first_table(d, w);
	write_mark(w, VT_EV_REC_ARMED, d->armed_ns, last);
	for (size_t i = 0; i < t->nr_ev; i++) {
		const struct tale_event *e = &t->ev[i];
		uint64_t seq;

		if (e->block)
			vt_writer__flush(w, false);
		/* What no hook saw has no number: the others close up, and gaps that were there stay. */
		if (d->gone[i])
			less[e->stamp.cpu % 64] += e->stamp.seq != 0;
		seq = d->renumber && e->stamp.seq ? e->stamp.seq - less[e->stamp.cpu % 64] : e->stamp.seq;
		if (seq > last[e->stamp.cpu % 64])
			last[e->stamp.cpu % 64] = seq;
		if (d->gone[i])
			continue;
		write_losses(d, w, told, e->stamp.ts_ns);
		write_event(w, t, e, seq, last);
	}
	write_mark(w, VT_EV_REC_STOP, d->stopped_ns, last);
	vt_writer__flush(w, false);
	for (size_t i = 0; i < d->nr_losses; i++) {
		if (!told[i])
			vt_writer__loss(w, &d->losses[i]);
	}
	if (t->nr_probes && !d->killed)
		vt_writer__probes(w, d->probes, t->nr_probes);
	if (d->ended)
		vt_writer__finish(w, d->ended);
	else
		vt_writer__flush(w, false);
	vt_writer__free(w);
	free(told);
}
