/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a recorder says about itself while it records: to whoever waits until
 * it is armed, to systemd, and in a small file for `vfiotrace status`.
 *
 * The file is lines of KEY=VALUE. As long as the recorder lives it holds a
 * lock of fcntl(2) on it: F_GETLK asks for that without taking anything. The
 * lock is the open file's (F_OFD_SETLK), not the process's: a recording that goes
 * on in another process keeps it all the time.
 */
#ifndef VT_CAPTURE_STATUS_H
#define VT_CAPTURE_STATUS_H

#define STATUS_DIRECTORY	"/run/vfiotrace"
#define STATUS_FILE		"recorder"
#define STATUS_MAX		4096	/* bytes of it */
#define STATUS_OUTPUT		3000	/* longest place of a trace that it names */

struct recorder;

/* 0 or negative errno: there is a recorder already (-EBUSY), or the file cannot be made. */
int status__open(struct recorder *r);
void status__armed(struct recorder *r);
/* At most once a second, and only what is new. */
void status__update(struct recorder *r);
/* Another process goes on. */
void status__moved(struct recorder *r);
void status__close(struct recorder *r);

#endif
