/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "capture/kernel/nametab.h"
#include "capture/kernel/slurp.h"

struct tracefs {
	char *text;
	const char *end;
	struct nametab by_name;	/* to the offset in TEXT at which it stands, before its module */
};

static const char file_name[] = "available_filter_functions";

/* A mount that is attached nowhere: gone with its descriptor, seen by no other process. */
static int open_detached(void)
{
	int fs = syscall(SYS_fsopen, "tracefs", 1 /* FSOPEN_CLOEXEC */), mnt = -1, fd = -1;

	if (fs >= 0 && !syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0))
		mnt = syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, 0);
	if (mnt >= 0)
		fd = openat(mnt, file_name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	if (mnt >= 0)
		close(mnt);
	if (fs >= 0)
		close(fs);
	return fd;
}

static int open_list(void)
{
	static const char *const path[] = {
		"/sys/kernel/tracing/available_filter_functions", "/sys/kernel/debug/tracing/available_filter_functions",
	};

	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++) {
		int fd = open(path[i], O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			return fd;
	}
	return open_detached();
}

static const char *name_at(const void *text, uint32_t off)
{
	return (const char *)text + off;
}

static struct names names(const char *text)
{
	return (struct names){ name_at, text };
}

int tracefs__parse(struct tracefs **out, char *text)
{
	struct tracefs *t = calloc(1, sizeof(*t));
	char *next;

	*out = NULL;
	if (!t) {
		free(text);
		return -ENOMEM;
	}
	t->text = text;
	t->end = text + (text ? strlen(text) : 0);
	for (char *line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		line[strcspn(line, " \t")] = 0;
		if (nametab__add(&t->by_name, names(text), line - text)) {
			tracefs__free(t);
			return -ENOMEM;
		}
	}
	*out = t;
	return 0;
}

int tracefs__open(struct tracefs **out)
{
	int fd = open_list(), err;
	char *text = NULL;
	size_t len;

	*out = NULL;
	if (fd < 0)
		return fd;
	err = slurp__fd(fd, &text, &len);
	close(fd);
	return err ? err : tracefs__parse(out, text);
}

/* Behind NAME stands "[module]", or for vmlinux what no module begins with: the next name, or the end. */
static bool in_module(const struct tracefs *t, const char *name, const char *module)
{
	const char *at = name + strlen(name) + 1;
	size_t len = strlen(module);

	if (at >= t->end || *at != '[')
		return !strcmp(module, "vmlinux");
	return !strncmp(at + 1, module, len) && at[len + 1] == ']';
}

int tracefs__lists(const struct tracefs *t, const char *func, const char *module)
{
	size_t at = SIZE_MAX;
	uint32_t off;

	while (nametab__next(&t->by_name, names(t->text), func, &at, &off))
		if (in_module(t, t->text + off, module))
			return 1;
	return 0;
}

void tracefs__free(struct tracefs *t)
{
	if (!t)
		return;
	nametab__clear(&t->by_name);
	free(t->text);
	free(t);
}
