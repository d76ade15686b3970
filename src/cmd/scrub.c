// SPDX-License-Identifier: GPL-2.0
/*
 * vfiotrace scrub: a trace that may leave the host, with the same verdict. Names
 * become numbers in order of appearance, the same in both traces of a call;
 * physical addresses move by one distance that nobody is told. Strings are kept
 * by a list of what is known to be the kernel's own, not dropped by a list of
 * what is known to be private.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cmd/cmd.h"
#include "vfiotrace/trace.h"

enum kind { SESSION, TASK, COMMAND, NAME, MACHINE, DEVICE, KINDS };
static const char *const words[KINDS] = { "session", "task", "command", "name", "machine", NULL };

struct names {
	char **s;
	size_t nr;
};

struct scrub {
	struct names names[KINDS];
	uint64_t move;		/* of physical addresses; 0: they stay */
	char buf[512];
	const struct vt_trace *in;
	struct vt_writer *out;
	int err;
};

/* The number of S among the names of its KIND, from 1. */
static size_t number_of(struct scrub *c, enum kind kind, const char *s, size_t len)
{
	struct names *n = &c->names[kind];
	char **grown;

	for (size_t i = 0; i < n->nr; i++) {
		if (!strncmp(n->s[i], s, len) && !n->s[i][len])
			return i + 1;
	}
	grown = realloc(n->s, (n->nr + 1) * sizeof(*grown));
	if (grown)
		n->s = grown;
	if (!grown || !(grown[n->nr] = strndup(s, len))) {
		c->err = -ENOMEM;
		return 0;
	}
	return ++n->nr;
}

static const char *named(struct scrub *c, enum kind kind, const char *s)
{
	if (!*s)
		return s;
	snprintf(c->buf, sizeof(c->buf), "%s-%zu", words[kind], number_of(c, kind, s, strlen(s)));
	return c->buf;
}

/* "0000:00:02.0" */
#define BDF_LEN 12
static bool is_bdf(const char *s)
{
	static const char form[] = "xxxx:xx:xx.x";

	for (int i = 0; i < BDF_LEN; i++) {
		if (form[i] == 'x' ? !isxdigit((unsigned char)s[i]) : s[i] != form[i])
			return false;
	}
	return true;
}

/* S with each PCI address in it replaced. */
static const char *with_devices(struct scrub *c, const char *s)
{
	size_t n = 0;

	while (*s && n + BDF_LEN + 1 < sizeof(c->buf)) {
		if (is_bdf(s)) {
			size_t nr = number_of(c, DEVICE, s, BDF_LEN);

			n += (size_t)snprintf(c->buf + n, sizeof(c->buf) - n, "%04zx:%02zx:%02zx.0", nr >> 13 & 0xffff, nr >> 5 & 0xff, nr & 0x1f);
			s += BDF_LEN;
		} else {
			c->buf[n++] = *s++;
		}
	}
	c->buf[n] = 0;
	return c->buf;
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/* What a file is called: "[luo_session] vm0", "memfd:mem", "vfio0". The kernel's part stays; END follows. */
static const char *file_name(struct scrub *c, const char *before, const char *name, const char *end)
{
	enum kind kind = begins(name, "[luo_session] ") ? SESSION : NAME;	/* there a rule compares it with the session's */
	const char *keep = name;
	size_t len = strlen(name) - strlen(end);

	if (*name == '[' && strchr(name, ']'))
		keep = strchr(name, ']') + 1 + (strchr(name, ']')[1] == ' ');
	else if (!strncmp(name, "memfd:", 6))
		keep = name + 6;
	else if (!strncmp(before, "devtmpfs", 8))
		keep = name + len;
	if (keep >= name + len)
		snprintf(c->buf, sizeof(c->buf), "%s%s", before, name);
	else
		snprintf(c->buf, sizeof(c->buf), "%s%.*s%s-%zu%s", before, (int)(keep - name), name, words[kind],
			 number_of(c, kind, keep, (size_t)(name + len - keep)), end);
	return c->buf;
}

/* "tmpfs:memfd:mem", and "tmpfs inode 5 "memfd:mem"". */
static const char *file_member(struct scrub *c, const char *s)
{
	const char *mark = strchr(s, '"');
	char before[64];
	size_t len;

	if (!mark)
		mark = strchr(s, ':');
	if (!mark)
		return with_devices(c, s);
	len = (size_t)(mark + 1 - s);
	if (len >= sizeof(before))
		return named(c, NAME, s);
	memcpy(before, s, len);
	before[len] = 0;
	return file_name(c, before, mark + 1, *mark == '"' ? "\"" : "");
}

static const char *string(struct scrub *c, const struct vt_event *e, const struct vt_value *v)
{
	const char *field = vt_trace__field_name(c->in, v->field);

	switch (v->field) {
	case VT_F_SESSION:
		return strcmp(v->str, VT_OWN_SESSION) ? named(c, SESSION, v->str) : v->str;
	case VT_F_NAME:
		if (e->type == VT_EV_REC_CHILD || e->type == VT_EV_REC_CHILD_EXIT)
			return named(c, COMMAND, v->str);
		return begins(e->type_name, "file.") ? file_name(c, "", v->str, "") : v->str;
	case VT_F_FUNC: case VT_F_WITHIN: case VT_F_COMPATIBLE: case VT_F_POINT: case VT_F_CALLEE: case VT_F_FAMILY: case VT_F_SITE: case VT_F_STACK:
		return v->str;
	}
	if (!strcmp(field, "file.f_path") || !strcmp(field, "file.f_inode"))
		return file_member(c, v->str);
	return with_devices(c, v->str);
}

static bool is_address(const struct vt_value *v)
{
	return v->u && (v->field == VT_F_PHYS || v->field == VT_F_DATA || v->field == VT_F_VMA_START);
}

static void value(struct scrub *c, const struct vt_event *e, const struct vt_value *v)
{
	int field = v->field < VT_F_MAX ? v->field : vt_writer__dyn_field(c->out, vt_trace__field_name(c->in, v->field), (enum vt_kind)v->kind);

	if (field < 0)
		c->err = field;
	else if (v->err)
		vt_writer__err(c->out, field, v->err);
	else if (v->kind == VT_STR)
		vt_writer__str(c->out, field, string(c, e, v));
	else if (v->kind == VT_S64)
		vt_writer__s64(c->out, field, v->s);
	else
		vt_writer__u64(c->out, field, v->u + (is_address(v) ? c->move : 0));
}

static int event(struct scrub *c, const struct vt_event *e)
{
	struct vt_stamp stamp = { .ts_ns = e->ts_ns, .seq = e->seq, .tgid = e->tgid, .tid = e->tid, .cpu = e->cpu };
	char comm[sizeof(c->buf)];
	int err;

	snprintf(comm, sizeof(comm), "%s", begins(e->comm, "vfiotrace") ? e->comm : named(c, TASK, e->comm));
	stamp.comm = comm;
	vt_writer__begin(c->out, (enum vt_event_type)e->type, (enum vt_phase)e->phase, &stamp);
	for (uint32_t i = 0; i < e->nr; i++) {
		const struct vt_value v = vt_ev_at(e, i);

		value(c, e, &v);
	}
	err = vt_writer__end(c->out);
	return c->err ? c->err : err;
}

static int meta(struct scrub *c)
{
	int err = 0;

	for (size_t i = 0; i < vt_trace__meta_nr(c->in) && !err; i++) {
		const char *key, *text;

		vt_trace__meta_at(c->in, i, &key, &text);
		if (!strcmp(key, "kernel.cmdline") || !strcmp(key, "options"))
			continue;
		if (!strcmp(key, "command"))
			text = "vfiotrace record (scrubbed)";
		else if (!strcmp(key, "machine.id"))
			text = named(c, MACHINE, text);
		err = vt_writer__meta(c->out, key, text);
	}
	return err ? err : vt_writer__meta(c->out, "scrubbed", c->move ? "names, command lines, addresses" : "names, command lines");
}

static int tables(struct scrub *c)
{
	size_t nr = vt_trace__probe_nr(c->in);
	struct vt_probe *p = calloc(nr + 1, sizeof(*p));
	int err = p ? 0 : -ENOMEM;

	for (size_t i = 0; p && i < nr; i++)
		p[i] = *vt_trace__probe(c->in, i);
	if (!err && nr)
		err = vt_writer__probes(c->out, p, nr);
	free(p);
	for (size_t i = 0; i < vt_trace__loss_nr(c->in) && !err; i++)
		err = vt_writer__loss(c->out, vt_trace__loss(c->in, i));
	return err;
}

static int copy(struct scrub *c, struct vt_trace *in)
{
	const char *ended = vt_trace__ended(in);
	struct vt_event e;
	int err = meta(c);

	while (!err && (err = vt_trace__next(in, &e)) > 0)
		err = event(c, &e);
	if (!err)
		err = tables(c);
	if (err)
		return err;
	return ended ? vt_writer__finish(c->out, ended) : vt_writer__flush(c->out, true);
}

/* What cannot be written again, or not moved. A code, or 0. */
static int look(struct scrub *c, struct vt_trace *t, const char *path)
{
	struct vt_event e;
	int ret;

	while ((ret = vt_trace__next(t, &e)) > 0) {
		if (e.type == VT_EV_UNKNOWN)
			return vt_fail(VT_EXIT_UNSUPPORTED, "scrub: %s has events that this version does not know (%s)", path, e.type_name);
		if (vt_ev_has(&e, VT_F_DIGEST))
			c->move = 0;
	}
	if (!ret && vt_trace__damage_nr(t))
		return vt_fail(VT_EXIT_BAD_TRACE, "scrub: %s is damaged: what is left of it would be judged otherwise", path);
	if (!ret)
		ret = vt_trace__rewind(t);
	return ret ? vt_fail(vt_exit_of(ret), "scrub: %s: %s", path, strerror(-ret)) : 0;
}

static int write_one(struct scrub *c, struct vt_trace *in, const char *path)
{
	int err = vt_writer__open(path, &c->out);

	c->in = in;
	if (!err)
		err = copy(c, in);
	vt_writer__free(c->out);
	c->out = NULL;
	return err ? vt_fail(vt_exit_of(err), "scrub: %s: %s", path, strerror(-err)) : 0;
}

static uint64_t distance(void)
{
	uint16_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return 0;
	return ((uint64_t)random + 1) << 30;	/* no block of KHO is so large that its alignment would suffer */
}

static int run(int argc, char **argv)
{
	struct scrub c = { .move = distance() };
	struct vt_trace *in[2] = { NULL, NULL };
	int code = 0;

	if (argc == 3)
		return vt_fail(VT_EXIT_USAGE, "scrub takes IN OUT, and another IN OUT of the same update");
	for (int i = 0; i < argc / 2 && !code; i++) {
		char *why = NULL;
		int err = vt_trace__open(argv[2 * i], &in[i], &why);

		if (err)
			code = vt_fail(vt_exit_of(err), "scrub: %s: %s", argv[2 * i], why ? why : strerror(-err));
		free(why);
		if (!code)
			code = look(&c, in[i], argv[2 * i]);
	}
	if (!code && !c.move)
		vt_say("scrub: physical addresses stay: the trace has sums over them, which could not move along");
	for (int i = 0; i < argc / 2 && !code; i++)
		code = write_one(&c, in[i], argv[2 * i + 1]);
	for (int i = 0; i < 2; i++)
		vt_trace__free(in[i]);
	for (int k = 0; k < KINDS; k++) {
		for (size_t i = 0; i < c.names[k].nr; i++)
			free(c.names[k].s[i]);
		free(c.names[k].s);
	}
	return code;
}

const struct vt_cmd vt_cmd_scrub = {
	.name = "scrub",
	.args = "IN OUT [IN OUT]",
	.summary = "Write a trace without names and addresses, with the same verdict",
	.details = "For a trace that leaves the host. Names of sessions, tasks, commands and files, PCI addresses\n"
		   "and command lines are replaced; physical and user addresses are moved. Kernel functions, versions,\n"
		   "times, process numbers and boot ids stay. Give both traces of an update in one call: what is the\n"
		   "same in both stays the same. The verdict and the fingerprints of findings do not change.",
	.min_args = 2, .max_args = 4,
	.run = run,
};
