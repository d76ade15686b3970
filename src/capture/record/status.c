// SPDX-License-Identifier: GPL-2.0
#include "capture/record/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/say.h"
#include "capture/domain/list.h"
#include "capture/kernel/clock.h"
#include "capture/plan/plan.h"
#include "capture/record/convert.h"
#include "capture/record/notify.h"
#include "capture/record/private.h"

#define EVERY_NS 1000000000ULL

static void note_output(struct recorder *r)
{
	const char *output = r->opt->output;
	char dir[PATH_MAX];

	if (*output == '/' || !getcwd(dir, sizeof(dir)))
		snprintf(r->status.output, sizeof(r->status.output), "%s", output);
	else
		snprintf(r->status.output, sizeof(r->status.output), "%.1400s/%.1500s", dir, output);
}

int status__open(struct recorder *r)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (!r->opt->status)
		return 0;
	note_output(r);
	r->status.fd = open(r->opt->status, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (r->status.fd < 0)
		return -errno;
	if (!fcntl(r->status.fd, F_OFD_SETLK, &lock))
		return ftruncate(r->status.fd, 0) ? -errno : 0;
	return errno == EACCES || errno == EAGAIN ? -EBUSY : -errno;
}

static uint64_t lost(const struct recorder *r)
{
	uint64_t n = r->bad;

	for (int t = 1; t < VT_EV_MAX; t++)
		n += r->told.ring[t].count;
	return n;
}

/* One write of all: a reader finds the old text or the new one, padded so that nothing of a longer one is left. */
static void put_file(struct recorder *r)
{
	const struct plan *p = domains__plan(r->d);
	char text[STATUS_MAX];
	int n = snprintf(text, sizeof(text),
			 "PID=%d\nSINCE=%s\nEVENTS=%llu\nLOST=%llu\nATTACHED=%zu\nHOOKS=%zu\nCARRIED=%d\nOUTPUT=%s\n",
			 getpid(), r->status.since, (unsigned long long)r->status.events, (unsigned long long)r->status.lost,
			 plan__attached(p), p->nr, r->carry != NULL, r->status.output);

	if (r->status.fd < 0 || n < 0 || (size_t)n >= sizeof(text))
		return;
	if (pwrite(r->status.fd, text, n, 0) == n && ftruncate(r->status.fd, n))
		vt_say("%s: %s", r->opt->status, strerror(errno));
}

static void put_systemd(struct recorder *r, const char *first)
{
	char text[256];

	/* With CMD the socket is CMD's: it is what the unit is about. */
	if (r->opt->cmd)
		return;
	snprintf(text, sizeof(text), "%sSTATUS=Armed since %s, %llu events, %llu lost\n", first, r->status.since,
		 (unsigned long long)r->status.events, (unsigned long long)r->status.lost);
	notify__send(text);
}

static void look(struct recorder *r)
{
	r->status.events = convert__events(r->conv);
	r->status.lost = lost(r);
	r->status.told_ns = clock__now();
}

void status__armed(struct recorder *r)
{
	time_t t = time(NULL);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(r->status.since, sizeof(r->status.since), "%Y-%m-%dT%H:%M:%SZ", &tm);
	look(r);
	put_file(r);
	put_systemd(r, "READY=1\n");
	if (r->opt->ready_fd < 0)
		return;
	if (write(r->opt->ready_fd, "\n", 1) != 1)
		vt_say("--ready-fd %d: %s", r->opt->ready_fd, strerror(errno));
	close(r->opt->ready_fd);
}

void status__update(struct recorder *r)
{
	if (convert__events(r->conv) == r->status.events && lost(r) == r->status.lost)
		return;
	if (clock__now() < r->status.told_ns + EVERY_NS)
		return;
	look(r);
	put_file(r);
	put_systemd(r, "");
}

void status__moved(struct recorder *r)
{
	look(r);
	put_file(r);
}

void status__close(struct recorder *r)
{
	if (r->status.fd >= 0)
		close(r->status.fd);
	r->status.fd = -1;
}
