// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "source/debugfile.h"
#include "source/sources.h"

/* An answer that was given, so that a site which comes again costs nothing. */
struct answer {
	char *key;
	bool found;
	struct debugline line;
	struct vt_source source;
};

struct vt_sources {
	struct debugfile *files;
	size_t nr, room;
	void *answers;
};

/* ---- which files ---- */

static int add(struct vt_sources *s, const char *path, const char **why)
{
	int ret;

	if (s->nr == s->room) {
		size_t room = s->room ? 2 * s->room : 16;
		struct debugfile *grown = realloc(s->files, room * sizeof(*grown));

		if (!grown) {
			*why = "out of memory";
			return -ENOMEM;
		}
		s->files = grown;
		s->room = room;
	}
	ret = debugfile__open(path, &s->files[s->nr], why);
	s->nr += !ret;
	return ret;
}

/* nftw() hands its callback nothing of ours. */
static __thread struct {
	struct vt_sources *s;
	const char *why;
	int err;
} walk;

static bool ends(const char *s, const char *with)
{
	size_t a = strlen(s), b = strlen(with);

	return a >= b && !strcmp(s + a - b, with);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	const char *name = path + at->base;
	int ret;

	if (type != FTW_F || !S_ISREG(st->st_mode) || !(!strncmp(name, "vmlinux", 7) || ends(name, ".ko") || ends(name, ".debug")))
		return 0;
	ret = add(walk.s, path, &walk.why);
	/* What has no debug information, or is something else by that name, is passed over. */
	if (ret == -ENODATA || ret == -EINVAL)
		return 0;
	walk.err = ret;
	return ret != 0;
}

static int add_path(struct vt_sources *s, const char *path, const char **why)
{
	size_t before = s->nr;
	struct stat st;
	int ret;

	if (stat(path, &st)) {
		*why = strerror(errno);
		return -errno;
	}
	if (!S_ISDIR(st.st_mode))
		return add(s, path, why);
	walk.s = s;
	walk.why = NULL;
	walk.err = 0;
	ret = nftw(path, visit, 16, FTW_PHYS) < 0 ? -errno : walk.err;
	*why = walk.why ? walk.why : strerror(-ret);
	if (!ret && s->nr == before) {
		*why = "no vmlinux or module with debug information in it";
		ret = -ENODATA;
	}
	return ret;
}

int vt_sources__open(struct vt_sources **out, const char *paths, char **why)
{
	struct vt_sources *s = calloc(1, sizeof(*s));
	char *list = strdup(paths), *save = NULL;
	int ret = s && list ? 0 : -ENOMEM;

	*why = NULL;
	for (char *path = ret ? NULL : strtok_r(list, "\n", &save); path && !ret; path = strtok_r(NULL, "\n", &save)) {
		const char *what = "";

		ret = add_path(s, path, &what);
		if (ret && asprintf(why, "%s: %s", path, what) < 0)
			*why = NULL;
	}
	free(list);
	if (ret) {
		vt_sources__free(s);
		return ret;
	}
	*out = s;
	return 0;
}

static void free_answer(void *p)
{
	struct answer *a = p;

	free(a->key);
	free(a->line.file);
	free(a->line.function);
	free(a);
}

void vt_sources__free(struct vt_sources *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr; i++)
		debugfile__close(&s->files[i]);
	free(s->files);
	tdestroy(s->answers, free_answer);
	free(s);
}

size_t vt_sources__nr(const struct vt_sources *s)
{
	return s->nr;
}

const char *vt_sources__path(const struct vt_sources *s, size_t i)
{
	return s->files[i].path;
}

/* A trace tells the kernel's build id; what a module was built for, its version magic does. */
const char *vt_sources__refused(const struct vt_sources *s, size_t i, const struct vt_source_kernel *k, char *buf, size_t size)
{
	const struct debugfile *f = &s->files[i];

	if (!*f->module && *f->build_id && k->build_id && strcmp(f->build_id, k->build_id)) {
		snprintf(buf, size, "its build id is %s, the recorded kernel's %s", f->build_id, k->build_id);
		return buf;
	}
	if (!*f->module && !*f->build_id && k->build_id) {
		snprintf(buf, size, "it has no build id, the recorded kernel has %s", k->build_id);
		return buf;
	}
	if (*f->module && *f->release && k->release && strcmp(f->release, k->release)) {
		snprintf(buf, size, "it is a module for %s, the recorded kernel is %s", f->release, k->release);
		return buf;
	}
	return NULL;
}

/* ---- a site ---- */

struct place {
	char function[128], module[64];
	uint64_t off;
	bool has_off;
};

static bool word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

static size_t hex_digits(const char *s)
{
	size_t n = 0;

	while (isxdigit((unsigned char)s[n]))
		n++;
	return n;
}

/* " [module]" at S: its length. */
static size_t module_at(const char *s)
{
	size_t n = 2;

	if (s[0] != ' ' || s[1] != '[')
		return 0;
	while (word(s[n]) || s[n] == '-')
		n++;
	return n > 2 && s[n] == ']' ? n + 1 : 0;
}

size_t vt_site_in(const char *text, const char **at)
{
	for (const char *plus = text; (plus = strstr(plus, "+0x")); plus += 3) {
		const char *from = plus;
		size_t n = hex_digits(plus + 3);

		while (from > text && word(from[-1]))
			from--;
		if (from == plus || !n)
			continue;
		*at = from;
		n += (size_t)(plus + 3 - from);
		return n + module_at(from + n);
	}
	return 0;
}

static bool parse(const char *site, struct place *p)
{
	size_t n = strcspn(site, "+ ");
	const char *rest = site + n;
	char *end;

	memset(p, 0, sizeof(*p));
	if (!n || n >= sizeof(p->function))
		return false;
	memcpy(p->function, site, n);
	if (*rest == '+') {
		p->has_off = true;
		p->off = strtoull(rest + 1, &end, 16);
		rest = end;
	}
	n = module_at(rest);
	if (n && n - 3 < sizeof(p->module))
		memcpy(p->module, rest + 2, n - 3);
	return !rest[n];
}

/* A call site of a module names it; a function may be anybody's. */
static bool may_be_in(const struct debugfile *f, const struct place *p)
{
	if (*p->module || p->has_off)
		return !strcmp(f->module, p->module);
	return true;
}

static void look(struct vt_sources *s, const struct vt_source_kernel *k, const struct place *p, struct answer *a)
{
	char buf[256];

	for (size_t i = 0; i < s->nr; i++) {
		struct debugline one;

		if (!may_be_in(&s->files[i], p) || vt_sources__refused(s, i, k, buf, sizeof(buf)) ||
		    debugfile__line(&s->files[i], p->function, p->off, p->has_off, &one) <= 0)
			continue;
		/* The same file may be given twice, as module and as what was split off. */
		if (a->found && (a->line.line != one.line || strcmp(a->line.file, one.file))) {
			free(one.file);
			free(one.function);
			a->found = false;
			return;
		}
		free(a->line.file);
		free(a->line.function);
		a->line = one;
		a->found = true;
	}
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct answer *)a)->key, ((const struct answer *)b)->key);
}

const struct vt_source *vt_sources__find(struct vt_sources *s, const struct vt_source_kernel *k, const char *site)
{
	struct answer *a = calloc(1, sizeof(*a)), **known;
	struct place p;

	if (!a || !parse(site, &p) || asprintf(&a->key, "%s\n%s\n%s", site, k->release ? k->release : "", k->build_id ? k->build_id : "") < 0) {
		free(a);
		return NULL;
	}
	known = tsearch(a, &s->answers, by_key);
	if (!known || *known != a) {
		free_answer(a);
		return known && (*known)->found ? &(*known)->source : NULL;
	}
	look(s, k, &p, a);
	a->source = (struct vt_source){ .file = a->line.file, .line = a->line.line, .column = a->line.column, .function = a->line.function };
	return a->found ? &a->source : NULL;
}
