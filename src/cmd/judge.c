// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/judge.h"
#include "cmd/pager.h"
#include "report/source_lines.h"
#include "rules/crossing.h"

static int load_failed(const char *command, const char *path, int err, char *why)
{
	vt_say("%s: %s: %s", command, path, why ? why : strerror(-err));
	free(why);
	return vt_exit_of(err);
}

struct loading {
	const char *path, *label;
	struct vt_side *side;
	char *why;
	int err;
};

static void *load(void *arg)
{
	struct loading *l = arg;

	l->err = vt_side__load(l->path, l->label, &l->side, &l->why);
	return NULL;
}

/* Two traces share nothing: each gets a CPU when there are two. */
static void load_both(struct loading l[2])
{
	pthread_t second;
	bool beside = l[1].path && !pthread_create(&second, NULL, load, &l[1]);

	load(&l[0]);
	if (beside)
		pthread_join(second, NULL);
	else if (l[1].path)
		load(&l[1]);
}

/* The first that failed is complained about. */
static int load_case(struct vt_case *c, const char *command, struct loading l[2])
{
	int code = 0;

	load_both(l);
	for (int i = 0; i < 2; i++) {
		c->side[i] = l[i].side;
		if (l[i].err && !code)
			code = load_failed(command, l[i].path, l[i].err, l[i].why);
		else
			free(l[i].why);
	}
	return code;
}

/* Two traces of one kernel life are a mistake on the command line. */
static bool same_life(const struct vt_case *c)
{
	const char *a = vt_trace__meta(c->side[0]->trace, "boot_id"), *b = vt_trace__meta(c->side[1]->trace, "boot_id");

	return a && b && *a && !strcmp(a, b);
}

int vt_case__open(struct vt_case *c, const char *command, const char *a, const char *b)
{
	int code;

	memset(c, 0, sizeof(*c));
	code = load_case(c, command, (struct loading[2]){ { .path = a, .label = b ? "PRE" : "TRACE" }, { .path = b, .label = "POST" } });
	if (!code && b && same_life(c))
		code = vt_fail(VT_EXIT_USAGE, "%s: both traces are from the same boot; give the one from before the kexec and the one from after it", command);
	if (!code && b && !c->side[0]->jumped && c->side[1]->jumped && vt_side_incoming(c->side[0]))
		code = vt_fail(VT_EXIT_USAGE, "%s: the second trace is the one that ends in a jump: the order is PRE POST", command);
	if (!code && vt_judge(c->side[0], c->side[1], &c->j))
		code = vt_fail(VT_EXIT_IO, "%s: out of memory", command);
	if (!code && c->j->two_updates)
		code = vt_fail(VT_EXIT_TWO_UPDATES, "%s: these traces are not of one live update: %s", command, c->j->two_updates);
	if (code)
		vt_case__close(c);
	return code;
}

void vt_case__close(struct vt_case *c)
{
	vt_judgement__free(c->j);
	vt_side__free(c->side[0]);
	vt_side__free(c->side[1]);
	memset(c, 0, sizeof(*c));
}

/* ---- what the options say ---- */

int vt_color__of(const char *word, const char *command)
{
	static const char *const words[] = { "auto", "always", "never" };

	for (int i = 0; i < 3; i++) {
		if (!word || !strcmp(word, words[i]))
			return i;
	}
	vt_say("%s: --color takes auto, always or never, not '%s'", command, word);
	return -1;
}

/* A file that is given and has nothing to say is a slip; one that cannot be read is not. */
int vt_debuginfo__open(const char *paths, const char *command, struct vt_sources **to)
{
	char *why = NULL;
	int ret = paths ? vt_sources__open(to, paths, &why) : 0;

	if (!ret)
		return 0;
	ret = vt_fail(ret == -ENODATA || ret == -EINVAL ? VT_EXIT_USAGE : vt_exit_of(ret), "%s: --debuginfo %s", command, why ? why : strerror(-ret));
	free(why);
	return ret;
}

void vt_debuginfo__tell(const struct vt_sources *s, const char *command, const struct vt_source_kernel *k, size_t nr)
{
	char buf[256];

	for (size_t i = 0; s && i < vt_sources__nr(s); i++) {
		const char *why = NULL;

		for (size_t n = 0; n < nr && (!n || why); n++)
			why = vt_sources__refused(s, i, &k[n], buf, sizeof(buf));
		if (why)
			vt_say("%s: %s is not used: %s", command, vt_sources__path(s, i), why);
	}
}

void vt_case__debuginfo(const struct vt_case *c, const char *command, const struct vt_ask *ask)
{
	struct vt_source_kernel k[2];

	for (size_t i = 0; i < c->j->nr_sides; i++)
		k[i] = vt_trace_kernel(c->j->side[i]->trace);
	vt_debuginfo__tell(ask->sources, command, k, c->j->nr_sides);
}

void vt_ask__close(struct vt_ask *ask)
{
	vt_sources__free(ask->sources);
	ask->sources = NULL;
}

int vt_ask__parse(struct vt_ask *ask, const char *command)
{
	int color = vt_color__of(ask->color_name, command);

	ask->format = ask->format_name ? vt_format__by_name(ask->format_name) : &vt_formats[0];
	if (!ask->format)
		return vt_fail(VT_EXIT_USAGE, "%s: no format '%s'; there are %s", command, ask->format_name, VT_FORMAT_NAMES);
	if (color < 0)
		return VT_EXIT_USAGE;
	ask->color = (enum vt_color)color;
	return vt_debuginfo__open(ask->debuginfo, command, &ask->sources);
}

void vt_ask__opts(const struct vt_ask *ask, const char *command, struct vt_report_opts *o)
{
	vt_report_opts__init(o, command, stdout, ask->color, ask->verbose);
	o->name = ask->name;
	o->host = ask->host;
	o->sources = ask->sources;
}

/* ---- diff and check ---- */

static int tell(const char *command, const struct vt_ask *ask, const struct vt_report_opts *o, const char *a, const char *b)
{
	struct vt_case c;
	int code = vt_case__open(&c, command, a, b);

	if (code)
		return code;
	vt_case__debuginfo(&c, command, ask);
	ask->format->put(stdout, c.j, o);
	code = (int)c.j->exit;
	vt_case__close(&c);
	return code;
}

int vt_case__tell(const char *command, const struct vt_ask *ask, const char *a, const char *b)
{
	struct vt_report_opts o;
	int code;

	vt_ask__opts(ask, command, &o);
	vt_pager__begin(ask->no_pager || ask->format != &vt_formats[0]);
	code = tell(command, ask, &o, a, b);
	vt_pager__end();
	return code;
}

/* Of many cases: what was found outranks what could not be read, and that what is not known. */
static int worse(int a, int b)
{
	static const int order[] = { VT_EXIT_CLEAN, VT_EXIT_NOTHING, VT_EXIT_INCONCLUSIVE, VT_EXIT_USAGE, VT_EXIT_UNSUPPORTED,
				     VT_EXIT_TWO_UPDATES, VT_EXIT_BAD_TRACE, VT_EXIT_PERMISSION, VT_EXIT_IO, VT_EXIT_FINDINGS };
	int at[2] = { 0, 0 };

	for (int i = 0; i < (int)(sizeof(order) / sizeof(order[0])); i++) {
		at[0] = order[i] == a ? i : at[0];
		at[1] = order[i] == b ? i : at[1];
	}
	return at[0] > at[1] ? a : b;
}

static int many(const char *command, const struct vt_ask *ask)
{
	if (ask->format->many)
		return 0;
	return vt_fail(VT_EXIT_USAGE, "%s: %s holds one update; give one, or ask for jsonl or text", command, ask->format->name);
}

static int tell_files(const char *command, const struct vt_ask *ask, int nr, char **paths, int per)
{
	struct vt_report_opts o;
	int code;

	if (nr % per)
		return vt_fail(VT_EXIT_USAGE, "%s takes PRE and POST, and as many further pairs as you like: this is an odd number of files", command);
	if (nr == per)
		return vt_case__tell(command, ask, paths[0], per == 2 ? paths[1] : NULL);
	code = many(command, ask);
	if (code)
		return code;
	vt_ask__opts(ask, command, &o);
	vt_pager__begin(ask->no_pager || ask->format != &vt_formats[0]);
	for (int i = 0; i < nr; i += per) {
		if (i && ask->format == &vt_formats[0])
			fputs("\n", stdout);
		code = worse(code, tell(command, ask, &o, paths[i], per == 2 ? paths[i + 1] : NULL));
	}
	vt_pager__end();
	return code;
}

int vt_cases__tell(const char *command, struct vt_ask *ask, int nr, char **paths, int per)
{
	int code = vt_ask__parse(ask, command);

	if (!code)
		code = tell_files(command, ask, nr, paths, per);
	vt_ask__close(ask);
	return code;
}

/* Words between tabs; 0 when there are too few or too many. */
static int split(char *text, char *word[4])
{
	int n = 0;

	text[strcspn(text, "\n")] = 0;
	for (char *next = text, *one; (one = strsep(&next, "\t")); ) {
		if (n == 4 || (!*one && n < 2))
			return 0;
		word[n++] = one;
	}
	return n >= 2 ? n : 0;
}

static int tell_lines(const char *command, const struct vt_ask *ask, const char *list, FILE *f)
{
	struct vt_report_opts o;
	char *text = NULL;
	size_t size = 0, nr = 0;
	int code = VT_EXIT_CLEAN;

	vt_ask__opts(ask, command, &o);
	while (getline(&text, &size, f) > 0) {
		char *word[4] = { NULL };

		nr++;
		if (*text == '\n' || *text == '#')
			continue;
		if (!split(text, word)) {
			code = worse(code, vt_fail(VT_EXIT_USAGE, "%s: %s, line %zu: expected PRE POST [HOST [NAME]], with tabs between", command, list, nr));
			continue;
		}
		o.host = word[2] && *word[2] ? word[2] : ask->host;
		o.name = word[3] && *word[3] ? word[3] : ask->name;
		code = worse(code, tell(command, ask, &o, word[0], word[1]));
	}
	if (ferror(f))
		code = worse(code, vt_fail(VT_EXIT_IO, "%s: %s: %s", command, list, strerror(errno)));
	free(text);
	return code;
}

static int tell_list(const char *command, const struct vt_ask *ask, const char *list)
{
	int code = many(command, ask);
	FILE *f;

	if (code)
		return code;
	f = strcmp(list, "-") ? fopen(list, "re") : stdin;
	if (!f)
		return vt_fail(vt_exit_of(-errno), "%s: %s: %s", command, list, strerror(errno));
	code = tell_lines(command, ask, list, f);
	if (f != stdin)
		fclose(f);
	return code;
}

int vt_list__tell(const char *command, struct vt_ask *ask, const char *list)
{
	int code = vt_ask__parse(ask, command);

	if (!code)
		code = tell_list(command, ask, list);
	vt_ask__close(ask);
	return code;
}
