/* SPDX-License-Identifier: GPL-2.0 */
/* Sessions and lives that are known: by name, by token, by handle. What becomes of them is luo.c's. */
#ifndef VT_MODEL_REG_SESSIONS_H
#define VT_MODEL_REG_SESSIONS_H

#include "model/map.h"
#include "model/pool.h"
#include "vfiotrace/model.h"

struct vt_build;

/* A life as the builder sees it. */
struct life {
	struct vt_life pub;		/* first: the public face */
	struct vt_life *prev;		/* in its session; pub.next is the other way */
	uint32_t inside, done_in;	/* frames of calls that work on it, and whose callback of it ended last: calls.c */
	bool owned;			/* its handler lives in a module */
	bool settled;			/* the call that ended LUO's hold has returned */
	int64_t file_net;		/* references on the file that its callbacks left or took */
	struct vt_at zapped;		/* its freeze unmapped the device's BARs, and no unfreeze has run since */
	int64_t zapped_vmas;
	struct vt_at answered;		/* luo_retrieve_file() when the callback ran */
	bool file_shared;		/* other threads may have had a hand in that */
	int64_t flb_holds;		/* liveupdate_flb_get_*() minus put of its callbacks so far */
	uint32_t devices;		/* whose life this is */
};

static inline struct life *life_of(const struct vt_life *l)
{
	return (struct life *)l;
}

struct reg_sessions {
	struct vt_map by_name[2];	/* by direction: hash of name -> live session */
	struct vt_map lives[2];		/* hash(session, token) */
	struct vt_map by_data[2];	/* hash(session, data) */
	struct vt_map index;		/* hash(direction, session, token) -> newest life of that name; filled at the end */
	struct vt_session *last;
	struct vt_pool spare;		/* of lives */
};

struct vt_session *session_find(struct vt_build *b, enum vt_dir dir, const char *name);
/* Made when there is none; NULL without a name. */
struct vt_session *session_get(struct vt_build *b, enum vt_dir dir, const char *name);
/* Live ones, in no order that means anything. */
struct vt_session *session_next(struct vt_build *b, enum vt_dir dir, size_t *i);
/* Of a file that is a session's own, by what luo_session_getfile() calls it; else, and for NULL, NULL. */
const char *session_of_file(const char *file_name);
/* Its name is free: it is not found any more. */
void session_close(struct vt_build *b, struct vt_session *s);
/* Out of the side's list. */
void session_unlink(struct vt_build *b, struct vt_session *s);
/*
 * Files that a call on S ended for LUO, and those of them whose handler lives in a module. False where that is not
 * known: on entry the call told (HAVE_COUNT) another number.
 */
bool session_unsettled(const struct vt_session *s, bool have_count, uint64_t count, int32_t *files, int32_t *owned);

struct vt_life *life_find(struct vt_build *b, const struct vt_session *s, uint64_t token);
/* The live one of that name, or NULL; SESSION need not be known. */
struct vt_life *life_named(struct vt_build *b, enum vt_dir dir, const char *session, uint64_t token);
/* The life of S whose handle stands in E. */
struct vt_life *life_by_data(struct vt_build *b, const struct vt_session *s, const struct vt_event *e);
struct vt_life *life_new(struct vt_build *b, struct vt_session *s, uint64_t token, enum vt_life_state state);
/* Out of its session again. */
void life_unlink(struct vt_life *l);
void life_set_data(struct vt_build *b, struct vt_life *l, uint64_t data);
/* Nobody may point there any more. */
void life_free(struct vt_build *b, struct vt_life *l);

void reg_sessions_finalize(struct vt_build *b);
void reg_sessions_free(struct vt_build *b);

#endif
