/* SPDX-License-Identifier: GPL-2.0 */
/* vfiotrace fetch: take out the trace that a recorder in the kernel before sent along. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/kernel/slurp.h"
#include "capture/record/carry.h"
#include "cmd/cmd.h"
#include "vfiotrace/trace.h"

static const char *output = "pre.vft";

static const struct vt_opt opts[] = {
	{ "output", 'o', "FILE", "where the trace goes (default: pre.vft); replaced if it exists", &output, NULL },
	{ 0 },
};

static volatile sig_atomic_t given_up;

static void give_up(int sig)
{
	given_up = 1;
}

/* Without SA_RESTART: the wait must end. */
static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = give_up };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

/* Whatever keeps the file from being written may pass, and the memory is gone when this process ends. */
static int copy_at_last(const struct carry *c)
{
	int err, told = 0;

	while ((err = carry__copy(c, output)) && !given_up) {
		if (err != told)
			vt_say("%s: %s; the trace stays in memory as long as this command runs, and is tried again every second",
			       output, strerror(-err));
		told = err;
		sleep(1);
	}
	return err;
}

/* In which boot it arrived: that is what shows for sure which trace is its other half. */
static void mark_arrival(void)
{
	struct vt_writer *w = NULL;
	char boot[64];
	int err;

	slurp__line("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	if (!*boot)
		return;
	err = vt_writer__append(output, &w);
	if (!err)
		err = vt_writer__meta(w, "carried.into", boot);
	if (!err)
		err = vt_writer__flush(w, true);
	vt_writer__free(w);
	if (err)
		vt_say("%s is written, but not in which boot it arrived: %s", output, strerror(-err));
}

static int explain(int err, const char *why)
{
	if (err == -ENOENT || err == -ENODEV)
		return vt_fail(VT_EXIT_NOTHING, "nothing to fetch: %s", why);
	if (err == -EPERM || err == -EACCES)
		return vt_fail(VT_EXIT_PERMISSION, "%s: %s", why, strerror(-err));
	if (err == -EBADMSG || err == -EPROTO)
		return vt_fail(VT_EXIT_BAD_TRACE, "%s", why);
	return vt_fail(VT_EXIT_IO, "%s: %s", why, strerror(-err));
}

static int run(int argc, char **argv)
{
	const char *why;
	struct carry *c;
	int err = carry__retrieve(&c, &why);

	if (err)
		return explain(err, why);
	catch_signals();
	err = copy_at_last(c);
	if (err) {
		carry__free(c);
		return vt_fail(VT_EXIT_IO, "%s: %s; given up, the trace is lost", output, strerror(-err));
	}
	mark_arrival();
	/* What was asked for is done. Whatever is wrong with LUO is for who judges the traces. */
	err = carry__done(c);
	if (err)
		vt_say("%s is written, but LUO does not finish the session: %s", output, strerror(-err));
	carry__free(c);
	return VT_EXIT_CLEAN;
}

const struct vt_cmd vt_cmd_fetch = {
	.name = "fetch",
	.args = "",
	.summary = "Take out the trace that `record --carry` sent through the live update",
	.details =
	"Run it in the new kernel while no other program has /dev/liveupdate open, and under\n"
	"the recorder of that kernel, since the first open of the device rebuilds all sessions:\n"
	"  vfiotrace record -o post.vft -- sh -c 'vfiotrace fetch -o pre.vft && agent'\n"
	"The session is finished once the trace is on storage.",
	.opts = opts,
	.min_args = 0,
	.max_args = 0,
	.run = run,
};
