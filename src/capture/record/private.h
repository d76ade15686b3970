/* SPDX-License-Identifier: GPL-2.0 */
/* A recording, for the files of this room. */
#ifndef VT_CAPTURE_RECORD_PRIVATE_H
#define VT_CAPTURE_RECORD_PRIVATE_H

#include <signal.h>
#include <sys/types.h>

#include "capture/object/object.h"
#include "capture/record/recorder.h"
#include "vfiotrace/trace.h"

struct signalfd_siginfo;

struct recorder {
	const struct recorder_options *opt;
	struct kernel *k;
	struct domains *d;
	struct object *obj;	/* theirs */
	struct vt_writer *w;
	struct carry *carry;
	struct convert *conv;
	struct ring_buffer *rb;
	struct object_losses told;	/* losses already in the file */
	uint64_t consumed;	/* records of the ring: some are two events */
	uint64_t bad;
	bool dirty;		/* events since the last flush */
	bool jumping;		/* liveupdate_reboot() succeeded: storage now */
	bool new_module;
	uint32_t handlers_late;	/* see struct vt_control; attached so far */
	int sigfd, child_go;
	/* As CMD gets them back: the recorder blocks and ignores some for itself. */
	sigset_t was_blocked;
	struct sigaction was_pipe, was_xfsz;
	pid_t child;
	bool child_gone;
	int child_status;
	bool stop;
	uint64_t grace_end;	/* told to stop: CMD may take until then, 0 = not told */
	const char *why;
	bool storage_told;
	bool one_cpu;
};

/* ---- output.c: the file ---- */
/* 0, or an exit code after a complaint. */
int output__open(struct recorder *r);
void output__meta(struct recorder *r);
void output__probes(struct recorder *r);
void output__losses(struct recorder *r);
/* An event of the recorder's own. NAME, RET: NULL = none. */
void output__mark(struct recorder *r, enum vt_event_type type, const char *name, const int64_t *ret);
/* What was written so far goes out, with SYNC to stable storage. */
int output__store(struct recorder *r, bool sync);
/* Complains, once, when the storage fails. */
void output__check(struct recorder *r);

/* ---- child.c: CMD ---- */
int child__hold(struct recorder *r);
void child__release(struct recorder *r);
void child__reap(struct recorder *r);
/* A signal wants the recording to end: CMD first. */
void child__stop(struct recorder *r, const struct signalfd_siginfo *si);
void child__check_grace(struct recorder *r);

/* ---- jump.c: while the kernel waits for us ---- */
void jump__save(struct recorder *r);
/* A module, or a handler: attached to, if any has come. */
void jump__newcomers(struct recorder *r);

/* ---- ring.c ---- */
int ring__open(struct recorder *r);
void ring__drain(struct recorder *r);

#endif
