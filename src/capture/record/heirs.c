/* SPDX-License-Identifier: GPL-2.0 */
/* What CMD leaves behind when it ends: processes, and sessions that they hold. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/say.h"
#include "capture/record/private.h"

/* Field 22 of /proc/PID/stat, with the parent in *PPID. 0: there is no such process any more. */
static unsigned long long started(pid_t pid, pid_t *ppid)
{
	unsigned long long at = 0;
	char path[32], buf[512], *end;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	buf[fread(buf, 1, sizeof(buf) - 1, f)] = 0;
	fclose(f);
	end = strrchr(buf, ')');	/* a name may hold anything */
	if (!end || sscanf(end + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", ppid, &at) != 2)
		return 0;
	return at;
}

unsigned long long heirs__started(pid_t pid)
{
	pid_t ppid;

	return started(pid, &ppid);
}

/* A child of ours that began with CMD or after it: we adopt what its parents leave behind. Others came with the process that became us. */
static bool is_heir(const struct recorder *r, pid_t pid)
{
	pid_t ppid = 0;
	unsigned long long at = started(pid, &ppid);

	return at && ppid == getpid() && (at > r->child_started || (at == r->child_started && pid > r->child));
}

static int count(struct recorder *r)
{
	struct dirent *e;
	int nr = 0;
	DIR *dir;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	if (waitpid(-1, NULL, WNOHANG) < 0)
		return 0;
	dir = opendir("/proc");
	while (dir && (e = readdir(dir)))
		nr += atoi(e->d_name) > 0 && is_heir(r, atoi(e->d_name));
	if (dir)
		closedir(dir);
	return nr;
}

static void tell_heirs(struct recorder *r)
{
	char what[64] = "";
	int nr = r->heirs;

	/* Not of what ends together with CMD. */
	if (r->heirs_rounds++ != 2 || r->opt->quiet)
		return;
	if (nr)
		snprintf(what, sizeof(what), "%d process%s that it started", nr, nr == 1 ? "" : "es");
	vt_say("%s has ended with %d; the recording goes on for %s%s%s (--end-with-cmd ends it here)", r->opt->cmd[0], r->child_status, what,
	       nr && r->sessions.nr ? " and " : "", r->sessions.nr ? "the session that is open" : "");
}

/*
 * An agent that forks and leaves, to hold its sessions until the jump, is not
 * through when CMD is. Being a subreaper shows what it leaves, however it is
 * forked; a walk through /proc while CMD lives would miss what is quick. What
 * some service of the system does for CMD is no child of its: that shows by
 * the session.
 */
void heirs__check(struct recorder *r)
{
	bool last;

	if (!r->child_gone || r->stop)
		return;
	last = r->opt->end_with_cmd || r->grace_end;
	if (!last && !r->heirs_known)
		r->heirs = count(r);
	r->heirs_known = true;
	r->stop = last || (!r->heirs && (!r->sessions.nr || r->sessions.unsure));
	if (!r->stop)
		tell_heirs(r);
}
