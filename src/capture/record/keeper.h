/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A process between the recorder and CMD: it starts CMD, waits for it and for
 * all that CMD leaves behind, which it adopts however that is forked, and says
 * so by a pipe. So CMD's end can be heard by another process than the one that
 * started it: see behind.c.
 *
 * It holds nothing but that pipe, hears no signal, and ends with what it waits
 * for, or with the recorder.
 */
#ifndef VT_CAPTURE_RECORD_KEEPER_H
#define VT_CAPTURE_RECORD_KEEPER_H

#include <sys/types.h>

#define KEEPER_NAME "vfiotrace-keep"	/* its thread's */

struct keeper {
	pid_t pid, cmd;
	int cmd_fd;	/* CMD, as pidfd_open(2) has it; -1 = not known */
	int news;	/* readable when there is some; -1: no more to come */
};

enum keeper_news {
	KEEPER_SILENT,
	KEEPER_CMD_ENDED,
	KEEPER_ALL_GONE,	/* nothing is left of what CMD began */
	KEEPER_LOST,		/* it was killed: what it waited for goes on unseen */
};

/* CMD is a fork of the caller that runs CMD(ARG), which does not return. 0 or -errno. */
int keeper__start(struct keeper *k, void (*cmd)(void *arg), void *arg);
/* What is new, without waiting. CMD has ended: *STATUS as of wait(2). */
enum keeper_news keeper__hear(struct keeper *k, int *status);
/* To CMD; nobody gets it when CMD has ended. */
void keeper__signal(const struct keeper *k, int sig);
/* How many processes it waits for: those that have no other parent left. */
int keeper__count(const struct keeper *k);
/* Waits until it has ended: what it started was told to go. */
void keeper__wait(struct keeper *k);
/* No news any more: it ends, and what is left goes on alone. */
void keeper__free(struct keeper *k);

#endif
