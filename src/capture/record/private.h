/* SPDX-License-Identifier: GPL-2.0 */
/* A recording, for the files of this room. */
#ifndef VT_CAPTURE_RECORD_PRIVATE_H
#define VT_CAPTURE_RECORD_PRIVATE_H

#include <signal.h>
#include <sys/types.h>

#include "capture/object/object.h"
#include "capture/record/cpus.h"
#include "capture/record/keeper.h"
#include "capture/record/recorder.h"
#include "capture/record/status.h"
#include "vfiotrace/trace.h"
#include "vfiotrace/wire.h"

struct bell;
struct signalfd_siginfo;
struct syncer;

/* The ring as it is mapped. Positions go on and on; where they lie in DATA is theirs modulo its size. */
struct ring {
	int epoll;		/* readable when the kernel has asked for a look: the map itself is as soon as there is a record */
	unsigned long *consumer;
	const unsigned long *producer;
	const char *data;	/* and behind it its first page once more, so that a record lies in one piece */
	size_t page, size;
};

/* How full the ring is, and what was said about it. */
struct ring_fill {
	unsigned int slice;	/* records left of this round */
	uint32_t peak;		/* bytes that have waited at one time */
	uint64_t lost, lost_told;
	uint64_t quiet_until;	/* no line about it before */
};

/* A set of the names of sessions that were seen to open and not to close. */
struct open_sessions {
	char (*name)[VT_SESSION_LEN];
	size_t nr, cap;
	bool unsure;		/* the set is not to be relied on */
};

struct recorder {
	const struct recorder_options *opt;
	struct kernel *k;
	struct domains *d;
	struct object *obj;	/* theirs */
	struct vt_writer *w;
	struct carry *carry;
	struct convert *conv;
	struct ring ring;
	struct syncer *syncer;	/* NULL: the trace is in memory */
	struct cpus cpus;	/* that it could be on */
	struct bell *bell;	/* NULL: nobody is rung for */
	struct object_losses told;	/* losses already in the file */
	uint64_t losses_seen;	/* of struct vt_control: what TOLD was read at */
	uint64_t consumed;	/* records of the ring: some are two events */
	uint64_t saved;		/* of them: on stable storage, or given up, while the kernel is about to jump */
	uint64_t awaited;	/* of them: before device_shutdown() began, which waits for these */
	struct ring_fill fill;
	uint64_t bad;
	bool dirty;		/* events since the last flush */
	bool jumping;		/* liveupdate_reboot() succeeded: storage now */
	bool planned;		/* since then the hooks are in the file, as they are known */
	bool counted;		/* since then, for the last time */
	bool shut_down;		/* device_shutdown() has begun: nobody waits for what is stored after that */
	bool new_module;
	uint32_t handlers_late;	/* see struct vt_control; attached so far */
	bool told_missing;	/* that a file which arrived had no handler is in the trace */
	int sigfd, child_go;
	/* As CMD gets them back: the recorder blocks and ignores some for itself. */
	sigset_t was_blocked;
	struct sigaction was_pipe, was_xfsz;
	struct keeper keeper;
	bool child_gone, child_lost;	/* CMD has ended; nobody will say so */
	uint64_t child_gone_ns;
	int child_status;
	int cmd_exit;		/* file for that, or -1 */
	bool heirs_gone;	/* nothing is left of what CMD began */
	bool heirs_told;	/* why the recording goes on without CMD */
	uint64_t open_ns;	/* since then a session is open without CMD */
	enum { PLACE_FRONT, PLACE_LEAVING, PLACE_BEHIND } place;	/* of this process: see behind.h */
	bool stays;		/* in front, whatever is open */
	struct open_sessions sessions;
	bool stop;
	uint64_t grace_end;	/* told to stop: CMD may take until then, 0 = not told */
	const char *why;
	bool storage_told;
	uint64_t misses_told;
	bool one_cpu;
	struct {
		int fd;			/* -1 = none */
		char since[32];
		char output[STATUS_OUTPUT];	/* with its directory: who reads it is elsewhere */
		uint64_t events, lost, told_ns;
	} status;		/* see status.h */
};

/* ---- output.c: the file ---- */
/* 0, or an exit code after a complaint. */
int output__open(struct recorder *r);
void output__meta(struct recorder *r);
/* The plan as it is now, with what is known of its counters; __probes() asks the kernel for them, which takes the longer the more CPUs there may be. */
void output__plan(struct recorder *r);
void output__probes(struct recorder *r);
void output__losses(struct recorder *r);
/* An event of the recorder's own. NAME, RET: NULL = none. */
void output__stop(struct recorder *r);
void output__mark(struct recorder *r, enum vt_event_type type, const char *name, const int64_t *ret);
/* What was written so far goes out, with SYNC to stable storage. */
int output__store(struct recorder *r, bool sync);
/* Probe counters once more, if hooks have missed calls since the last time: cheaper than a table, and dear all the same. */
void output__misses(struct recorder *r);
/* Complains, once, when the storage fails. */
void output__check(struct recorder *r);

/* ---- child.c: CMD ---- */
int child__hold(struct recorder *r);
void child__release(struct recorder *r);
/* -errno when the file for CMD's exit code cannot be written. */
int child__open_exit(struct recorder *r);
/* What CMD's code could be taken for is told. */
int child__exit(const struct recorder *r);
/* News of CMD. */
void child__hear(struct recorder *r);
/* A signal wants the recording to end: CMD first. */
void child__stop(struct recorder *r, const struct signalfd_siginfo *si);
void child__check_grace(struct recorder *r);

/* ---- heirs.c: what CMD leaves behind ---- */
/* CMD has ended: is there an end to what it began, too? True: not while a session is open, and who waits for CMD may go on. */
bool heirs__check(struct recorder *r);
/* What the recording goes on for, in words. */
void heirs__tell(const struct recorder *r, char *buf, size_t len);

/* ---- process.c: what the process that records has for itself ---- */
/* Each hook takes two or three descriptors, and a shell gives 1024. CMD, which is forked by now, keeps its limit. */
void process__more_files(struct recorder *r);
/* The priority, if it is wanted and can be had, and a CPU. */
void process__begin(struct recorder *r);
/* After privileges went, as threads have their own. */
void process__start_threads(struct recorder *r);
/* Around a fork() of it: no threads; and in whichever process goes on, what does not pass on by that. */
void process__pause(struct recorder *r);
void process__resume(struct recorder *r);

/* ---- jump.c: while the kernel waits for us ---- */
void jump__save(struct recorder *r);
/* reboot(2) is through with LUO: what is left before the jump may wait for the recorder. */
bool jump__near(const struct recorder *r);
/* A module, or a handler: attached to, if any has come. */
void jump__newcomers(struct recorder *r);

/* ---- ring.c ---- */
int ring__open(struct recorder *r);
void ring__close(struct recorder *r);
/* Takes what is there, up to a limit, and stores it; true: there is more. */
bool ring__drain(struct recorder *r);
/* The last line about a ring that was too small. */
void ring__tell_lost(struct recorder *r);

/* ---- sessions.c: LUO sessions that are open, as far as was seen ---- */
void sessions__note(struct open_sessions *s, const struct vt_wire *w);
void sessions__free(struct open_sessions *s);

#endif
