/* SPDX-License-Identifier: GPL-2.0 */
/* vfiotrace record: leave a trace of one side of a live update. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/record/carry.h"
#include "capture/record/recorder.h"
#include "cmd/cmd.h"
#include "cmd/record.h"
#include "vfiotrace/vocab.h"

static const char *output = "trace.vft", *seconds, *ring = "4M", *jump_wait = "200", *module_wait = "1000", *fail, *carry, *attach, *ready_fd, *status, *cmd_exit;
static bool all_blocks, end_with_cmd, foreground, no_realtime, quiet, verbose;

static const struct vt_opt opts[] = {
	{ "output", 'o', "FILE", "where the trace goes (default: trace.vft); replaced if it exists", &output, NULL },
	{ "duration", 'd', "SECONDS", "stop after this time", &seconds, NULL },
	{ "ring", 0, "SIZE", "size of the event ring, a power of two like 4M (default)", &ring, NULL },
	{ "jump-wait", 0, "MS", "hold the jump, its CPU spinning, at most this long until the trace is on storage (default 200, 0 = never)", &jump_wait, NULL },
	{ "module-wait", 0, "MS", "hold a module's loader at most this long until it is attached (default 1000)", &module_wait, NULL },
	{ "fail", 0, "SECTION[:N]", "make allocation N (or, without N, the k-th in the k-th call) of open, preserve, retrieve, finish, create or retrieve-session fail", &fail, NULL },
	{ "attach", 0, "METHOD:FUNC", "hook FUNC (or FUNC,FUNC,...) by this method: kprobe, where fentry would be taken", &attach, NULL },
	{ "carry", 0, "SIZE", "write to a memory file of this size that the live update preserves; 'fetch' takes it out in the new kernel", &carry, NULL },
	{ "ready-fd", 0, "N", "write a newline to file descriptor N when everything is armed, and close it", &ready_fd, NULL },
	{ "status", 0, "FILE", "keep in FILE what 'vfiotrace status' shows, which looks for it at /run/vfiotrace/recorder", &status, NULL },
	{ "all-blocks", 0, NULL, "a record for each run of preserved memory, however many there are: names blocks that are only counted else", NULL, &all_blocks },
	{ "cmd-exit", 0, "FILE", "write CMD's exit code to FILE (128 + N: signal N ended it); record's own is then the recorder's alone", &cmd_exit, NULL },
	{ "end-with-cmd", 0, NULL, "end with CMD, whatever it leaves behind", NULL, &end_with_cmd },
	{ "foreground", 0, NULL, "stay in front while the recording goes on after CMD", NULL, &foreground },
	{ "no-realtime", 0, NULL, "do not ask for a real-time priority", NULL, &no_realtime },
	{ "quiet", 'q', NULL, "say nothing but errors", NULL, &quiet },
	{ "verbose", 'v', NULL, "say what arming took and what was recorded, even in a pipe", NULL, &verbose },
	{ 0 },
};

static int parse_number(const char *text, double min, double max, double *out)
{
	char *end;

	errno = 0;
	*out = strtod(text, &end);
	if (errno || end == text || *end || !(*out >= min && *out <= max))
		return -EINVAL;
	return 0;
}

static int parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (end == text || errno || v > max)
		return -EINVAL;
	if (*end == 'k' || *end == 'K')
		v <<= 10, end++;
	else if (*end == 'm' || *end == 'M')
		v <<= 20, end++;
	if (*end || v < min || v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

static int parse_ring(const char *text, uint32_t *out)
{
	uint64_t v;

	/* The kernel takes nothing below a page. */
	if (parse_size(text, sysconf(_SC_PAGESIZE), 1u << 30, &v) || (v & (v - 1)))
		return -EINVAL;
	*out = v;
	return 0;
}

/* Sections of fault injection, by the words that users know. */
static const struct { const char *name; enum vt_event_type event; } sections[] = {
	{ "open", VT_EV_VFIO_CDEV_OPEN }, { "preserve", VT_EV_LUO_PRESERVE }, { "retrieve", VT_EV_LUO_RETRIEVE },
	{ "finish", VT_EV_LUO_FINISH }, { "create", VT_EV_SESSION_CREATE }, { "retrieve-session", VT_EV_SESSION_RETRIEVE },
};

int record__parse_section(const char *text, int *section, uint32_t *nth)
{
	size_t len = strcspn(text, ":");
	unsigned long n = 0;
	char *end = NULL;

	if (text[len]) {
		errno = 0;
		n = isdigit((unsigned char)text[len + 1]) ? strtoul(text + len + 1, &end, 10) : 0;
		if (errno || !n || n > 100000 || *end)
			return -EINVAL;
	}
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (strlen(sections[i].name) != len || strncmp(sections[i].name, text, len))
			continue;
		*section = sections[i].event;
		*nth = n;
		return 0;
	}
	return -EINVAL;
}

/* Not for CMD. */
static int parse_fd(const char *text, int *out)
{
	double v;

	if (parse_number(text, 0, 1 << 20, &v) || v != (int)v || fcntl((int)v, F_SETFD, FD_CLOEXEC))
		return -EINVAL;
	*out = (int)v;
	return 0;
}

static int run(int argc, char **argv)
{
	struct recorder_options o = { .output = output, .cmd = argc ? argv : NULL, .realtime = !no_realtime,
				   .status = status, .cmd_exit = cmd_exit, .ready_fd = -1, .quiet = quiet, .all_blocks = all_blocks, .end_with_cmd = end_with_cmd, .foreground = foreground };
	double jump_ms, module_ms;
	char *line;
	int code;

	if (cmd_exit && !argc)
		return vt_fail(VT_EXIT_USAGE, "record: --cmd-exit goes with CMD");
	if (seconds && parse_number(seconds, 0.001, 1e9, &o.seconds))
		return vt_fail(VT_EXIT_USAGE, "record: --duration takes seconds, not '%s'", seconds);
	if (parse_ring(ring, &o.ring_bytes))
		return vt_fail(VT_EXIT_USAGE, "record: --ring takes a power of two from a page to 1024M, not '%s'", ring);
	if (carry && parse_size(carry, CARRY_MIN, 1u << 30, &o.carry_bytes))
		return vt_fail(VT_EXIT_USAGE, "record: --carry takes a size from 256k to 1024M, not '%s'", carry);
	if (parse_number(jump_wait, 0, 10000, &jump_ms))
		return vt_fail(VT_EXIT_USAGE, "record: --jump-wait takes milliseconds up to 10000, not '%s'", jump_wait);
	if (parse_number(module_wait, 0, 60000, &module_ms))
		return vt_fail(VT_EXIT_USAGE, "record: --module-wait takes milliseconds up to 60000, not '%s'", module_wait);
	if (fail && record__parse_section(fail, &o.fail_section, &o.fail_nth))
		return vt_fail(VT_EXIT_USAGE, "record: --fail takes a section and a number, like retrieve:3, not '%s'", fail);
	if (attach && (strncmp(attach, "kprobe:", 7) || !attach[7]))
		return vt_fail(VT_EXIT_USAGE, "record: --attach takes kprobe: and functions, like kprobe:luo_retrieve_file, not '%s'", attach);
	if (ready_fd && parse_fd(ready_fd, &o.ready_fd))
		return vt_fail(VT_EXIT_USAGE, "record: --ready-fd takes the number of an open file descriptor, not '%s'", ready_fd);
	o.force_kprobe = attach ? attach + 7 : NULL;
	o.jump_wait_ns = jump_ms * 1e6;
	o.module_wait_ns = module_ms * 1e6;
	o.verbose = verbose || (!quiet && isatty(STDERR_FILENO));
	line = vt_command_line();
	if (!line)
		return vt_fail(VT_EXIT_IO, "out of memory");
	o.command_line = line;
	code = recorder__run(&o);
	free(line);
	return code;
}

const struct vt_cmd vt_cmd_record = {
	.name = "record",
	.args = "[-- CMD...]",
	.summary = "Record one side of a live update: attach, run CMD (or wait), and leave a trace",
	.details =
	"CMD starts when everything is attached, and its exit code is passed on (128 + N when signal N\n"
	"ended it) if the recording is whole; --cmd-exit keeps it apart from the recorder's. The recording\n"
	"lasts while CMD lives, or what it started, or a LUO session is open that was seen to open.\n"
	"While one is, the recording goes on behind once CMD has ended, and whoever called 'record' with\n"
	"CMD's exit code: he may be the one that jumps.\n"
	"Without CMD the recording lasts until SIGINT, SIGTERM, --duration or the kexec.\n"
	"Modules that are recorded cannot be unloaded meanwhile.\n"
	"What happens inside reboot(2) is on stable storage before the old kernel jumps:\n"
	"the kernel waits for that, at most --jump-wait.\n"
	"With --carry nothing is written to FILE unless the recording ends without a jump, or LUO has\n"
	"failed in this kernel, so that nothing goes from it into the next.\n"
	"Whoever waits until it is armed is told by --ready-fd, and as of sd_notify(3) where\n"
	"NOTIFY_SOCKET is set and there is no CMD.",
	.opts = opts,
	.min_args = 0,
	.max_args = -1,
	.run = run,
};
