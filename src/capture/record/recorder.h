/* SPDX-License-Identifier: GPL-2.0 */
/* A recording from start to end: arm, open the gate, run CMD, drain, stop. */
#ifndef VT_CAPTURE_RECORDER_H
#define VT_CAPTURE_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

struct recorder_options {
	const char *output;
	const char *command_line;	/* for the trace's meta data */
	char **cmd;			/* NULL: until a signal, the time limit or the kexec */
	double seconds;			/* 0 = no limit */
	uint32_t ring_bytes;
	uint64_t carry_bytes;		/* 0 = write to OUTPUT at once, else carry the trace over, see carry.h */
	uint64_t jump_wait_ns, module_wait_ns;
	bool all_blocks;		/* no limit to the runs of blocks that one call tells */
	int fail_section;		/* enum vt_event_type; 0 = no fault injection */
	uint32_t fail_nth;		/* 0 = ladder */
	const char *force_kprobe;	/* see engine_options */
	bool realtime;
	const char *status;		/* a file for `vfiotrace status`, or NULL: see status.h */
	int ready_fd;			/* gets a newline when all is armed, and is closed; -1 = none */
	bool end_with_cmd;		/* else the recording goes on while what CMD began lives, or a session is open */
	bool foreground;		/* else the caller goes on when CMD has ended and a session is open: see behind.h */
	const char *cmd_exit;		/* a file for CMD's exit code, which is then not the recorder's; or NULL */
	bool quiet;			/* say nothing but errors: not even that all is armed */
	bool verbose;			/* say on stderr what arming took, and a summary at the end */
};

/*
 * Returns an exit code: CMD's own when one was run, the recording is whole and
 * the code has no file of its own; else enum vt_exit. Complains on stderr.
 */
int recorder__run(const struct recorder_options *o);

#endif
