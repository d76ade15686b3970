/* SPDX-License-Identifier: GPL-2.0 */
/* vfiotrace status: is a recorder armed, and how the last live update went. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/put.h"
#include "capture/record/status.h"
#include "cmd/cmd.h"
#include "trace/json_writer.h"

static const char *run_dir = STATUS_DIRECTORY, *state_dir = "/var/lib/vfiotrace", *format = "text";

static const struct vt_opt opts[] = {
	{ "format", 0, "FORMAT", "text (default) or json", &format, NULL },
	{ "run", 0, "DIR", "where the recorder's file is (default: " STATUS_DIRECTORY ")", &run_dir, NULL },
	{ "state", 0, "DIR", "where the updates are (default: /var/lib/vfiotrace)", &state_dir, NULL },
	{ 0 },
};

/* A file of lines KEY=VALUE, or empty. */
struct lines {
	char text[STATUS_MAX + 1];
};

struct status {
	bool alive;		/* a recorder holds its file */
	struct lines recorder;	/* what it wrote there: empty until it is armed */
	struct lines unrecorded; /* why this kernel was not recorded from its start, one line */
	struct lines last;	/* how the newest update went */
};

static void read_lines(int fd, struct lines *l)
{
	ssize_t n = pread(fd, l->text, STATUS_MAX, 0);

	l->text[n > 0 ? n : 0] = 0;
}

static int read_at(int dir, const char *name, struct lines *l)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), err = fd < 0 ? -errno : 0;

	if (err)
		return err == -ENOENT ? 0 : err;
	read_lines(fd, l);
	close(fd);
	return 0;
}

/* The value of KEY, copied to BUF; NULL when it is not there. */
static const char *value(const struct lines *l, const char *key, char *buf, size_t size)
{
	size_t len = strlen(key);

	for (const char *s = l->text; *s; s += strcspn(s, "\n") + (s[strcspn(s, "\n")] == '\n')) {
		if (strncmp(s, key, len) || s[len] != '=')
			continue;
		s += len + 1;
		snprintf(buf, size, "%.*s", (int)strcspn(s, "\n"), s);
		return buf;
	}
	return NULL;
}

/* Whether somebody holds the recorder's file, as F_GETLK says without taking it. */
static int read_recorder(int dir, struct status *s)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = openat(dir, STATUS_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), err = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fcntl(fd, F_GETLK, &lock))
		err = -errno;
	s->alive = !err && lock.l_type != F_UNLCK;
	if (s->alive)
		read_lines(fd, &s->recorder);
	close(fd);
	return err;
}

/* 000012-20261127T150102Z: these sort by age. */
static bool is_update(const char *name)
{
	const char *dash = name + strspn(name, "0123456789");

	return dash > name && *dash == '-' && name[strlen(name) - 1] == 'Z';
}

static int read_last(int dir, struct status *s)
{
	int copy = dup(dir), err = 0;
	char newest[NAME_MAX + 16] = "", path[NAME_MAX + 16];
	DIR *d = copy < 0 ? NULL : fdopendir(copy);

	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d));) {
		snprintf(path, sizeof(path), "%s/verdict", e->d_name);
		if (is_update(e->d_name) && strcmp(path, newest) > 0 && !faccessat(dir, path, F_OK, 0))
			memcpy(newest, path, sizeof(newest));
	}
	closedir(d);
	if (*newest)
		err = read_at(dir, newest, &s->last);
	return err;
}

static int in_directory(const char *path, int (*look)(int dir, struct status *s), struct status *s)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (dir < 0)
		return errno == ENOENT ? 0 : -errno;
	err = look(dir, s);
	close(dir);
	return err;
}

static int read_run(int dir, struct status *s)
{
	int err = read_recorder(dir, s);

	return err ? err : read_at(dir, "unrecorded", &s->unrecorded);
}

/* ---- text ---- */

static void put_row(const char *name, const char *text)
{
	if (!text)
		return;
	printf("%-11s ", name);
	vt_put_plain(stdout, text);
	putchar('\n');
}

static void put_recorder(const struct lines *l)
{
	char since[64], pid[32], events[32], lost[32], attached[32], hooks[32], output[STATUS_MAX], line[STATUS_MAX + 128];

	if (!value(l, "SINCE", since, sizeof(since)) || !value(l, "PID", pid, sizeof(pid)) || !value(l, "EVENTS", events, sizeof(events)) ||
	    !value(l, "LOST", lost, sizeof(lost)) || !value(l, "ATTACHED", attached, sizeof(attached)) ||
	    !value(l, "HOOKS", hooks, sizeof(hooks)) || !value(l, "OUTPUT", output, sizeof(output))) {
		put_row("recorder", "not armed yet");
		return;
	}
	snprintf(line, sizeof(line), "armed since %s (process %s)", since, pid);
	put_row("recorder", line);
	snprintf(line, sizeof(line), "%s of %s", attached, hooks);
	put_row("probes", line);
	snprintf(line, sizeof(line), "%s, %s lost", events, lost);
	put_row("events", line);
	if (value(l, "CARRIED", line, sizeof(line)) && *line == '1')
		snprintf(line, sizeof(line), "goes into the next kernel, to be fetched there; without a jump to %s", output);
	else
		snprintf(line, sizeof(line), "%s", output);
	put_row("trace", line);
}

static void put_text(const struct status *s)
{
	char buf[STATUS_MAX];

	if (s->alive)
		put_recorder(&s->recorder);
	else
		put_row("recorder", "none");
	if (*s->unrecorded.text) {
		snprintf(buf, sizeof(buf), "not recorded: %.*s", (int)strcspn(s->unrecorded.text, "\n"), s->unrecorded.text);
		put_row("at boot", buf);
	}
	put_row("last", value(&s->last, "MESSAGE", buf, sizeof(buf)));
}

/* ---- JSON ---- */

static void put_str(struct vt_jsonw *w, const char *name, const struct lines *l, const char *key)
{
	char buf[STATUS_MAX];

	vt_jsonw__str(w, name, value(l, key, buf, sizeof(buf)));
}

static void put_number(struct vt_jsonw *w, const char *name, const struct lines *l, const char *key)
{
	char buf[32], *end;
	const char *text = value(l, key, buf, sizeof(buf));
	unsigned long long v = text ? strtoull(text, &end, 10) : 0;

	if (!text || !isdigit((unsigned char)*text) || *end)
		vt_jsonw__null(w, name);
	else
		vt_jsonw__u64(w, name, v);
}

static void put_json_recorder(struct vt_jsonw *w, const struct status *s)
{
	const struct lines *l = &s->recorder;
	char buf[8];

	if (!s->alive) {
		vt_jsonw__null(w, "recorder");
		return;
	}
	vt_jsonw__object(w, "recorder");
	vt_jsonw__bool(w, "armed", *l->text);
	put_str(w, "since", l, "SINCE");
	put_number(w, "pid", l, "PID");
	put_number(w, "events", l, "EVENTS");
	put_number(w, "lost", l, "LOST");
	put_number(w, "attached", l, "ATTACHED");
	put_number(w, "hooks", l, "HOOKS");
	vt_jsonw__bool(w, "carried", value(l, "CARRIED", buf, sizeof(buf)) && *buf == '1');
	put_str(w, "output", l, "OUTPUT");
	vt_jsonw__end(w);
}

static void put_json_last(struct vt_jsonw *w, const struct lines *l)
{
	if (!*l->text) {
		vt_jsonw__null(w, "last");
		return;
	}
	vt_jsonw__object(w, "last");
	put_str(w, "message", l, "MESSAGE");
	put_str(w, "verdict", l, "VFIOTRACE_VERDICT");
	put_number(w, "exit", l, "VFIOTRACE_EXIT");
	put_str(w, "sides", l, "VFIOTRACE_SIDES");
	put_number(w, "update", l, "VFIOTRACE_UPDATE");
	put_number(w, "findings", l, "VFIOTRACE_FINDINGS");
	put_str(w, "rules", l, "VFIOTRACE_RULES");
	put_str(w, "directory", l, "VFIOTRACE_DIRECTORY");
	vt_jsonw__end(w);
}

static void put_json(const struct status *s)
{
	char buf[STATUS_MAX];
	struct vt_jsonw w;

	snprintf(buf, sizeof(buf), "%.*s", (int)strcspn(s->unrecorded.text, "\n"), s->unrecorded.text);
	vt_jsonw__begin(&w, stdout, VT_JSONW_SPACED);
	vt_jsonw__object(&w, NULL);
	put_json_recorder(&w, s);
	vt_jsonw__str(&w, "unrecorded", *buf ? buf : NULL);
	put_json_last(&w, &s->last);
	vt_jsonw__end(&w);
	putchar('\n');
}

static int fail(const char *path, int err)
{
	return vt_fail(err == -EACCES || err == -EPERM ? VT_EXIT_PERMISSION : VT_EXIT_IO, "status: %s: %s", path, strerror(-err));
}

static int run(int argc, char **argv)
{
	static struct status s;
	bool json = !strcmp(format, "json");
	int err;

	if (!json && strcmp(format, "text"))
		return vt_fail(VT_EXIT_USAGE, "status: no format '%s'; there are text, json", format);
	err = in_directory(run_dir, read_run, &s);
	if (err)
		return fail(run_dir, err);
	err = in_directory(state_dir, read_last, &s);
	if (err)
		return fail(state_dir, err);
	if (json)
		put_json(&s);
	else
		put_text(&s);
	return *s.recorder.text ? VT_EXIT_CLEAN : VT_EXIT_NOTHING;
}

const struct vt_cmd vt_cmd_status = {
	.name = "status",
	.args = "",
	.summary = "Is a recorder armed for the next live update, and how did the last one go",
	.details =
	"Tells of the recorder that systemd started (docs/systemd.md), or of one with\n"
	"--status " STATUS_DIRECTORY "/" STATUS_FILE ", and of the newest verdict that is kept.\n"
	"Exit code 0: armed. 4: there is no recorder, or it is not armed yet.",
	.opts = opts,
	.max_args = 0,
	.run = run,
};
