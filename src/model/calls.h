/* SPDX-License-Identifier: GPL-2.0 */
/* Calls in flight: which task is inside of what. */
#ifndef VT_MODEL_CALLS_H
#define VT_MODEL_CALLS_H

#include "model/kinds.h"
#include "model/map.h"
#include "vfiotrace/model.h"

#define FRAMES_MAX 16
#define MADE_MAX 16
#define TOUCH_MAX 8
#define BUSY_MAX 4096	/* tasks inside of calls: a call that never returns stays, and each of them costs memory and time */

struct vt_build;
struct device;

/* A call that a task is inside of. What one part alone notes down about it lies under its name. */
struct frame {
	uint16_t type;
	struct vt_at enter;
	struct vt_session *session;
	struct vt_life *life;
	bool has_token;
	uint64_t token, subject;	/* as the entry gave them: the exit of the same call gives the same */
	struct vt_life *done;		/* whose callback ended last */
	bool own_life;			/* this call created its life */
	uint64_t file;			/* that the call is about, when a callback told it */
	uint64_t session_obj;		/* that is released */
	bool have_count;
	uint64_t count;			/* files in the session on entry */
	uint32_t nr_made;		/* of made[] */
	struct {
		struct vt_at failed;	/* a call inside that must not, or a callback */
		struct vt_at effect;	/* a callback that worked and was not undone */
		struct vt_at refused;	/* can_finish said no */
		bool ran;		/* the callback that this is for */
		struct vt_at inner;	/* in a callback: what failed, and nothing made good for it */
		uint64_t phys;
	} answer;
	struct {
		bool have;
		int64_t count;		/* references on the file, with LUO's, when a callback was asked or entered */
		struct vt_at at;
	} ref;				/* file.c */
	struct {
		int32_t pins, owned;	/* of handlers' modules: gets minus puts by LUO, and the files that go with one each */
		struct vt_at at;
		struct vt_at early;	/* a put before the file's last callback */
		const char *name;
	} module;
	struct {
		bool looked;		/* their counts were sampled */
		int32_t net, ops;	/* FLB calls, and callbacks that go with one each */
		struct vt_at early;	/* an FLB was finished before the file */
		int64_t early_ops, early_nr;
		const char *early_handler;
		int32_t holds;		/* references on FLBs that a callback took and did not give back */
		struct vt_at hold_at;
		uint32_t owner_pins, owner_puts;	/* of FLB owners' modules, since the last record of an FLB */
		struct vt_at owner_at;
		const char *owner;
	} flb;
	struct {
		uint32_t folios;	/* restored by kho_restore_folio() itself */
		bool told;		/* what became of them was recorded */
		struct vt_at at;
		uint64_t phys;
		uint64_t large, order;	/* the first of them with several pages, where the page cache holds none such; order 0: none */
		struct vt_at large_at;
	} kho;
	struct {
		uint64_t device;
		bool have_ref;		/* the device's registration count on entry, nobody else being inside */
		int64_t ref, run;
		uint32_t puts;		/* vfio_device_put_registration() within a release */
		struct vt_at found;	/* vfio_find_device() found something */
		bool counted;		/* an open inside has taken the registration that this one is for */
		bool unpinned;		/* and that nothing holds it was told */
	} vfio;
	uint64_t made[MADE_MAX];	/* files and dfs, inside; the last member, as it is not zeroed */
};

struct task {
	struct task *prev, *next;	/* others inside of calls */
	uint32_t tid;
	uint32_t depth, cap;
	struct frame *f;		/* grows when a call begins, and no one keeps its address until then */
	struct device *touched[TOUCH_MAX];	/* vfio.c */
	uint32_t nr_touched;
};

struct calls {
	struct vt_map tasks;		/* tid -> task */
	struct task *busy, *oldest;	/* the same ones, the newest first */
	uint32_t nr_busy;
	bool crowded;			/* there were more than BUSY_MAX: some were given up that may have returned, */
	uint64_t crowded_ns;		/* of which this is the first */
	struct task *last;		/* of the last event, as long as it is inside a call */
	struct task *spare;
};

/* The event that begins, or ends, a call. Parts hear of it. */
void call_enter(struct vt_build *b, const struct vt_event *e);
void call_exit(struct vt_build *b, const struct vt_event *e);
/*
 * Until UNTIL_NS records were lost: of a call that was entered before then
 * nobody knows whether it has returned since. What comes now is not laid at
 * its door. Where only calls into vfio were lost, those of LUO around them stand.
 */
void calls_torn(struct vt_build *b, uint64_t until_ns, bool vfio_only);
/* S, or L (either may be NULL), is about to go: a file that lies may end a session while another task is inside of it. */
void calls_forget(struct vt_build *b, const struct vt_session *s, const struct vt_life *l);
void calls_free(struct vt_build *b);

/* The task of E, as long as it is inside of a call; NULL is fine for all that follow. */
struct task *task_of(struct vt_build *b, const struct vt_event *e);
static inline struct frame *frame_top(struct task *t)
{
	return t && t->depth ? &t->f[t->depth - 1] : NULL;
}

/* The call around the innermost one. */
static inline struct frame *frame_around(struct task *t)
{
	return t && t->depth >= 2 ? &t->f[t->depth - 2] : NULL;
}

/* Innermost frame of TYPE, or NULL. */
static inline struct frame *frame_of(struct task *t, uint16_t type)
{
	for (uint32_t i = t ? t->depth : 0; i > 0; i--) {
		if (t->f[i - 1].type == type)
			return &t->f[i - 1];
	}
	return NULL;
}

/* Innermost callback of a handler. */
static inline struct frame *frame_op(struct task *t)
{
	for (uint32_t i = t ? t->depth : 0; i > 0; i--) {
		if (kind_is_op(t->f[i - 1].type))
			return &t->f[i - 1];
	}
	return NULL;
}

/* The call of LUO that answers for what references on modules and FLBs change inside. */
struct frame *frame_luo(struct task *t);
void frame_made(struct task *t, uint64_t obj);
/* What F works on, and whose callback ended last in it: counted, so that nobody has to look for it in all calls. */
void frame_session(struct frame *f, struct vt_session *s);
void frame_life(struct frame *f, struct vt_life *l);
void frame_done(struct frame *f, struct vt_life *l);
/* The life, or else the session, that F works on. */
struct vt_who who_frame(struct vt_build *b, const struct frame *f);
/* The life, or else session and token, that the task works on. */
struct vt_who who_task(struct vt_build *b, struct task *t, const struct vt_event *e);

#endif
