// SPDX-License-Identifier: GPL-2.0
/* What rules say: findings with their proofs, doubts, and the words for things. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/kinds.h"
#include "rules/finding.h"
#include "vfiotrace/hash.h"

const char *vt_severity_name(enum vt_severity s)
{
	return s == VT_ERROR ? "error" : s == VT_WARNING ? "warning" : "note";
}

const char *vt_status_name(enum vt_status s)
{
	static const char *const names[] = { "pass", "finding", "unknown", "nothing to judge", "not applicable" };

	return names[s];
}

const char *vt_subjects_str(const struct vt_row *r, char *buf, size_t size)
{
	const struct vt_subjects *n = &r->rule->judges;

	if (r->status == VT_NOT_APPLICABLE)
		buf[0] = 0;
	else
		snprintf(buf, size, "%" PRIu64 " %s", r->subjects, r->subjects == 1 ? n->one : n->many);
	return buf;
}

/* ---- small text ---- */

static char *vformat(const char *fmt, va_list ap)
{
	char *s;

	return vasprintf(&s, fmt, ap) < 0 ? NULL : s;
}

void vt_text(struct vt_ctx *c, char **to, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	free(*to);
	*to = vformat(fmt, ap);
	va_end(ap);
	if (!*to)
		c->err = -ENOMEM;
}

const char *vt_who_str(const struct vt_who *w, char *buf, size_t size)
{
	int n = 0;

	buf[0] = 0;
	if (w->session)
		n = snprintf(buf, size, "session %s", w->session);
	if (w->has_token && n >= 0 && (size_t)n < size)
		n += snprintf(buf + n, size - n, "%stoken 0x%" PRIx64, n ? " " : "", w->token);
	if ((w->compatible || w->bdf) && n >= 0 && (size_t)n < size) {
		n += snprintf(buf + n, size - n, n ? " (%s%s%s)" : "%s%s%s", w->compatible ? w->compatible : "",
			      w->compatible && w->bdf ? ", " : "", w->bdf ? w->bdf : "");
	}
	if (!buf[0])
		snprintf(buf, size, "no session");
	return buf;
}

struct vt_who vt_who_of(const struct vt_life *l)
{
	return (struct vt_who){ .session = l->session->name, .token = l->token, .has_token = true,
				.compatible = l->compatible, .bdf = l->bdf, .since_ns = l->since_ns };
}

const char *vt_at_func(const struct vt_at *at)
{
	return at->func && *at->func ? at->func : vt_event_name(at->type);
}

const char *vt_errno_str(int64_t ret, char *buf, size_t size)
{
	const char *name = ret < 0 && ret > -4096 ? strerrorname_np((int)-ret) : NULL;

	if (name)
		snprintf(buf, size, "-%s", name);
	else
		snprintf(buf, size, "%" PRId64, ret);
	return buf;
}

const char *vt_ret_str(const struct vt_at *at, char *buf, size_t size)
{
	char err[32];

	if (!at->has_ret || at->phase == VT_ENTER)
		snprintf(buf, size, "%s", "");
	else if (!kind_is(at->type, VT_K_POINTER))
		snprintf(buf, size, " = %s", vt_errno_str(at->ret, err, sizeof(err)));
	else if (at->ret >= 0)
		snprintf(buf, size, " a pointer");
	else if (kind_is(at->type, VT_K_NULL))
		snprintf(buf, size, " NULL");
	else
		snprintf(buf, size, " ERR_PTR(%s)", vt_errno_str(at->ret, err, sizeof(err)));
	return buf;
}

/* ---- findings ---- */

/* H goes on over a part and the NUL that ends it. */
static uint64_t hash_part(uint64_t h, const char *s)
{
	return vt_hash_byte(vt_hash_on(h, s), 0);
}

/*
 * A finding is the same wherever the compiler and the configuration put the
 * code: built in or in a module (" [vfio]"), at whatever place in a function
 * ("+0x1f0"), in whatever piece of it (".isra.0", ".cold").
 */
static uint64_t hash_key(uint64_t h, const char *key)
{
	static const char *const pieces[] = { ".isra.", ".constprop.", ".part.", ".cold", ".llvm." };

	while (*key) {
		size_t skip = 0;

		if (key[0] == ' ' && key[1] == '[' && strchr(key, ']'))
			skip = (size_t)(strchr(key, ']') - key) + 1;
		else if (!strncmp(key, "+0x", 3))
			skip = 3 + strspn(key + 3, "0123456789abcdef");
		for (size_t i = 0; !skip && i < sizeof(pieces) / sizeof(pieces[0]); i++) {
			if (!strncmp(key, pieces[i], strlen(pieces[i])))
				skip = strlen(pieces[i]) + strspn(key + strlen(pieces[i]), "0123456789");
		}
		if (!skip)
			h = vt_hash_byte(h, (unsigned char)*key);
		key += skip ? skip : 1;
	}
	return vt_hash_byte(h, 0);
}

void vt_also(struct vt_finding *f, const struct vt_who *who)
{
	char buf[256], own[256];

	f->count++;
	if (f->nr_also >= VT_ALSO_MAX || !who)
		return;
	vt_who_str(who, buf, sizeof(buf));
	if (!strcmp(buf, vt_who_str(&f->who, own, sizeof(own))))
		return;
	for (size_t i = 0; i < f->nr_also; i++) {
		if (!strcmp(f->also[i], buf))
			return;
	}
	f->also[f->nr_also] = strdup(buf);
	if (f->also[f->nr_also])
		f->nr_also++;
}

struct vt_finding *vt_find(struct vt_ctx *c, enum vt_severity sev, size_t side, const struct vt_who *who,
			   const char *key, ...)
{
	struct vt_judgement *j = c->j;
	struct vt_finding *f, *grown;
	va_list ap;
	char *k;

	va_start(ap, key);
	k = vformat(key, ap);
	va_end(ap);
	if (!k) {
		c->err = -ENOMEM;
		return NULL;
	}
	for (size_t i = 0; i < j->nr_findings; i++) {
		if (j->findings[i].rule == c->rule && !strcmp(j->findings[i].key, k)) {
			vt_also(&j->findings[i], who);
			c->told = i + 1;
			free(k);
			return NULL;
		}
	}
	grown = realloc(j->findings, (j->nr_findings + 1) * sizeof(*grown));
	if (!grown) {
		free(k);
		c->err = -ENOMEM;
		return NULL;
	}
	j->findings = grown;
	f = &grown[j->nr_findings++];
	c->told = j->nr_findings;
	memset(f, 0, sizeof(*f));
	f->rule = c->rule;
	f->severity = sev;
	f->side = j->side[side];
	f->key = k;
	f->count = 1;
	if (who)
		f->who = *who;
	snprintf(f->fingerprint, sizeof(f->fingerprint), "%016" PRIx64, hash_key(hash_part(VT_HASH_BEGIN, c->rule->id), k));
	if (sev != VT_NOTE)
		c->row->findings++;
	return f;
}

void vt_proof(struct vt_ctx *c, struct vt_finding *f, size_t side, const struct vt_at *at, const char *fmt, ...)
{
	struct vt_evidence *e;
	va_list ap;

	if (!at->type || f->nr_ev == VT_EVIDENCE_MAX)
		return;
	e = &f->ev[f->nr_ev++];
	e->side = c->j->side[side];
	e->at = *at;
	va_start(ap, fmt);
	e->what = vformat(fmt, ap);
	va_end(ap);
	if (!e->what)
		c->err = -ENOMEM;
}

/* ---- doubts ---- */

/* A file can have thousands of reasons, and each is compared with those before it. */
#define LINES_MAX 256

void vt_add_line(struct vt_ctx *c, char ***list, size_t *nr, const char *line)
{
	char **grown;

	if (*nr > LINES_MAX)
		return;
	if (*nr == LINES_MAX)
		line = "and more reasons than are listed";

	for (size_t i = 0; i < *nr; i++) {
		if (!strcmp((*list)[i], line))
			return;
	}
	grown = realloc(*list, (*nr + 1) * sizeof(*grown));
	if (grown)
		*list = grown;
	if (!grown || !(grown[*nr] = strdup(line))) {
		c->err = -ENOMEM;
		return;
	}
	(*nr)++;
}

void vt_doubt(struct vt_ctx *c, const char *fmt, ...)
{
	char buf[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	vt_add_line(c, &c->row->why, &c->row->nr_why, buf);
	vt_add_line(c, &c->j->doubts, &c->j->nr_doubts, buf);
}
