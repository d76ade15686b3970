// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/judge.h"
#include "rules/crossing.h"
#include "rules/update.h"

static int load_failed(const char *command, const char *path, int err, char *why)
{
	enum vt_exit code = err == -EBADMSG || err == -EPROTO ? VT_EXIT_BAD_TRACE : err == -EACCES || err == -EPERM ? VT_EXIT_PERMISSION : VT_EXIT_IO;

	vt_say("%s: %s: %s", command, path, why ? why : strerror(-err));
	free(why);
	return code;
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
	char why[200];
	int code;

	memset(c, 0, sizeof(*c));
	code = load_case(c, command, (struct loading[2]){ { .path = a, .label = b ? "PRE" : "TRACE" }, { .path = b, .label = "POST" } });
	if (!code && b && same_life(c))
		code = vt_fail(VT_EXIT_USAGE, "%s: both traces are from the same boot; give the one from before the kexec and the one from after it", command);
	if (!code && b && !c->side[0]->jumped && c->side[1]->jumped && vt_side_incoming(c->side[0]))
		code = vt_fail(VT_EXIT_USAGE, "%s: the second trace is the one that ends in a jump: the order is PRE POST", command);
	if (!code && b && vt_two_updates(c->side[0], c->side[1], why, sizeof(why)))
		code = vt_fail(VT_EXIT_USAGE, "%s: these traces are not of one live update: %s", command, why);
	if (!code && vt_judge(c->side[0], c->side[1], &c->j))
		code = vt_fail(VT_EXIT_IO, "%s: out of memory", command);
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

const struct vt_format *vt_format__of(const char *name, const char *command)
{
	const struct vt_format *format = name ? vt_format__by_name(name) : &vt_formats[0];

	if (!format)
		vt_say("%s: no format '%s'; there are %s", command, name, VT_FORMAT_NAMES);
	return format;
}

int vt_case__tell(const char *command, const char *format_name, const char *a, const char *b)
{
	const struct vt_format *format = vt_format__of(format_name, command);
	struct vt_report_opts o;
	struct vt_case c;
	int code;

	if (!format)
		return VT_EXIT_USAGE;
	code = vt_case__open(&c, command, a, b);
	if (code)
		return code;
	vt_report_opts__init(&o, command, stdout);
	format->put(stdout, c.j, &o);
	code = (int)c.j->exit;
	vt_case__close(&c);
	return code;
}
