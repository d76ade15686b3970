/* SPDX-License-Identifier: GPL-2.0 */
/* The builder: tables that live while (and as long as) a side does. */
#ifndef VT_MODEL_BUILD_H
#define VT_MODEL_BUILD_H

#include "model/kinds.h"
#include "model/map.h"
#include "model/spans.h"
#include "model/strings.h"
#include "vfiotrace/model.h"

#define FRAMES_MAX 16
#define MADE_MAX 16
#define TOUCH_MAX 8
#define DEAD_DFS 256		/* freed dfs remembered, so that a second free is known as one */
#define OPENING 64		/* objects allocated by calls that have not returned */
#define DEAD_MEMS 256
#define GONE_FILES 16
#define ENDED_KEPT 32		/* well-behaved ended sessions kept for the report */
#define ODD_KEPT 4096		/* the others */

/* A luo_file, a session, or something that a callback allocated. */
struct mem {
	uint64_t obj;
	const char *family, *callee, *site, *free_site;
	struct vt_at alloc, freed;
	struct vt_who who;
	uint32_t nr_freed;
	bool opening;
};

/* A call that a task is inside of. */
struct frame {
	uint16_t type;
	struct vt_at enter;
	struct vt_session *session;
	struct vt_life *life;
	bool has_token;
	uint64_t token, subject;	/* as the entry gave them: the exit of the same call gives the same */
	uint64_t device;
	bool have_ref;			/* the device's registration count on entry, nobody else being inside */
	int64_t ref, run;
	uint32_t puts;			/* vfio_device_put_registration() within a release */
	struct vt_life *done;		/* whose callback ended last */
	bool own_life;			/* this call created its life */
	uint64_t file;			/* that the call is about, when a callback told it */
	bool have_file_ref;
	int64_t file_ref;		/* on it, with LUO's, when a callback was asked or entered */
	struct vt_at file_ref_at;
	uint64_t session_obj;		/* that is released */
	/* what happened inside */
	uint64_t made[MADE_MAX];	/* files and dfs */
	uint32_t nr_made;
	uint32_t folios;		/* restored by kho_restore_folio() itself */
	bool folios_told;		/* what became of them was recorded */
	struct vt_at folio_at;
	uint64_t folio_phys;
	int32_t flb, ops;		/* FLB calls, and callbacks that go with one each */
	bool have_count;
	uint64_t count;			/* files in the session on entry */
	struct vt_at flb_early;		/* an FLB was finished before the file */
	int64_t flb_early_ops, flb_early_nr;
	const char *flb_early_handler;
	int32_t holds;			/* references on FLBs that a callback took and did not give back */
	struct vt_at hold_at;
	int32_t pins, owned;		/* of handlers' modules: gets minus puts by LUO, and the files that go with one each */
	struct vt_at pin_at;
	const char *module;
	struct vt_at found;		/* vfio_find_device() found FOUND_DEV */
	uint64_t found_dev;
};

struct task {
	struct task *prev, *next;	/* others inside of calls */
	uint32_t tid;
	uint32_t depth;
	struct frame f[FRAMES_MAX];
	struct device *touched[TOUCH_MAX];
	uint32_t nr_touched;
};

/* A device as the builder sees it. */
struct device {
	struct vt_device pub;		/* first: the public face */
	uint32_t tasks;			/* inside a call that has to do with it */
	/* registration count: what it was at a quiet moment, and what should have changed it since */
	bool have_base, noisy;
	int64_t base, delta;
	bool up, leaving;		/* seen registered; vfio_unregister_group_dev() has begun */
	struct vt_at up_at;
	int64_t run;			/* all that should have changed it since the beginning */
	uint32_t unverified;		/* releases whose put was not seen, nor its effect so far */
	struct vt_at base_at;
	bool have_kref, kref_off;
	int64_t kref, kref_seen;
	struct vt_at kref_at, kref_off_at, kref_suspect;
	struct vt_who kref_who;
	/* the same on return from the lookup, which may hold a pin of its own at that point */
	bool have_find, find_off;
	int64_t find_kref, find_seen;
	bool have_find_ref;
	int64_t find_ref, find_run;
	struct vt_at find_at, find_off_at;
	struct vt_who find_who;
	uint64_t mapping;		/* of its own inode, as a snapshot showed it */
	size_t astray;			/* 1 + index of the fact about a VMA that hangs elsewhere, 0 = none */
	struct vt_at suspect;		/* last outermost call on it, a failing one preferred */
	struct vt_who suspect_who;
	struct vt_at unregistered;
};

/* The block of events being read. */
struct vt_block_at {
	uint64_t offset, first_ns;
};

/* A row of the file about records that were lost. */
struct lost {
	bool any;			/* of whatever type */
	uint16_t type;
	uint64_t from_ns, to_ns, count;
	const char *event, *why;
	/* with the first of its kind: all of that kind */
	uint32_t parts;
	uint64_t total, all_from, all_to;
};
#define VT_LOSS_GROUPS 256

struct handler_info {
	const char *compatible;
	bool has_unfreeze;
	int64_t pinned;			/* files for which LUO is known to hold the handler's module */
};

struct vt_build {
	struct vt_side *side;
	struct vt_strings strings;
	struct vt_map tasks;		/* tid -> task */
	struct task *busy;		/* the same ones, in no order */
	const char *other_session;	/* a name in this block that is not VT_OWN_SESSION */
	struct task *last_task;		/* of the last event, as long as it is inside a call */
	struct task *spare;
	struct vt_life *spare_life;
	struct vt_map sessions[2];	/* by direction: hash of name -> live session */
	struct vt_map lives[2];		/* hash(session, token) */
	struct vt_map index;		/* life_key() -> newest life of that name; filled at the end */
	struct vt_map by_file;		/* file object -> life that holds it */
	struct vt_map by_data[2];	/* hash(session, data) */
	struct vt_map files;		/* file object -> vt_file */
	struct vt_map dfs;		/* df object -> vt_df */
	struct vt_df *dead[DEAD_DFS];
	uint32_t dead_at;
	struct vt_map devices;		/* device object -> device */
	struct vt_map kho;		/* phys -> vt_kho, still preserved */
	size_t kho_pending;		/* of them, by LUO itself in a call that has not returned */
	struct vt_map restored;		/* phys -> vt_restored */
	struct vt_map handlers;		/* hash of compatible -> handler_info */
	struct vt_map flbs;		/* FLB object -> flb, refs.c */
	struct vt_map handler_names;	/* handler object -> its compatible string */
	struct vt_session **tail;
	uint32_t ended_kept[2];		/* [odd] */
	struct vt_file *gone[GONE_FILES];	/* files just released: their release function is still to come */
	uint32_t gone_at;
	const char *pt[VT_PT_MAX];	/* names of the points, interned */
	const char *func[VT_EV_MAX];	/* kernel function that last showed a type */
	uint16_t *probe_type;		/* enum vt_event_type of each probe of the trace */
	struct lost *lost;
	size_t nr_lost;
	uint64_t now_ns;		/* time of the event at hand */
	struct tear {
		uint64_t to_ns;
		bool vfio_only;
	} *tears;			/* ends of losses that tear calls, in order */
	size_t nr_tears, tear_at;	/* the next one */
	struct vt_spans lossy;		/* when records of whatever type were lost */
	struct vt_fact sink;		/* for what is not kept */
	struct vt_map mems;		/* object -> mem, alive or just freed */
	struct mem *opening[OPENING], *dead_mem[DEAD_MEMS];
	uint32_t opening_at, dead_mem_at, nr_opening;
	size_t cap_folios, cap_mem_paths;
	size_t cap_facts, cap_devices, cap_paths, cap_flb;
	int err;
};

/* ---- side.c: what all parts use ---- */
const char *intern(struct vt_build *b, const char *s);	/* NULL stays NULL */
/* The same, quicker, for a string of the event at hand, or one that is interned. */
const char *intern_event(struct vt_build *b, const char *s);
void at_set(struct vt_build *b, struct vt_at *at, const struct vt_event *e);
/* Grows *ARRAY so that one more fits; false and b->err when it cannot. */
bool grow(struct vt_build *b, void *array, size_t *cap, size_t nr, size_t size);
struct task *task_of(struct vt_build *b, const struct vt_event *e);
struct frame *frame_top(struct task *t);
/* Innermost frame of TYPE, or NULL. */
struct frame *frame_of(struct task *t, uint16_t type);
struct frame *frame_op(struct task *t);
void frame_made(struct task *t, uint64_t obj);
struct vt_who who_life(struct vt_build *b, const struct vt_life *l);
struct vt_who who_session(struct vt_build *b, const struct vt_session *s);
/* The life, or else session and token, that the task works on. */
struct vt_who who_task(struct vt_build *b, struct task *t, const struct vt_event *e);
struct vt_fact *fact(struct vt_build *b, enum vt_fact_kind k, struct vt_who who, const struct vt_at *at);
/* COMPATIBLE as for intern_event(). */
struct handler_info *handler_of(struct vt_build *b, const char *compatible);
struct vt_flb_row *flb_row(struct vt_build *b, const char *compatible);
bool is_err(const struct vt_event *e);	/* ret present and negative */

/* The live one of that name, or NULL; SESSION need not be known. */
struct vt_life *life_named(struct vt_build *b, enum vt_dir dir, const char *session, uint64_t token);
uint64_t life_key(enum vt_dir dir, const char *session, uint64_t token);

/* ---- life.c ---- */
void life_enter(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e);
void life_exit(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e);
void life_point(struct vt_build *b, struct task *t, const struct vt_event *e);
void life_finalize(struct vt_build *b);
void life_unhold(struct vt_build *b, struct vt_life *l);
void life_free_all(struct vt_build *b);

/* ---- refs.c: references on handlers' modules and on FLBs ---- */
void refs_point(struct vt_build *b, struct task *t, const struct vt_event *e);
/* On return from one of LUO's own calls, and from a callback. */
/* Files that the call F ended for LUO, and those of them whose handler lives in a module; false where that is not known. */
bool settled_files(const struct frame *f, int32_t *files, int32_t *owned);
void refs_call_exit(struct vt_build *b, struct frame *f, const struct vt_event *e);
void refs_op(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e);
/* What luo_flb_file_*() does for a file of the handler that E names changes the counts of its FLBs by N. */
void refs_flb_file(struct vt_build *b, const struct vt_event *e, int64_t n);
/* A handler and its name stand in E. */
void refs_learn(struct vt_build *b, const struct vt_event *e);
void refs_finalize(struct vt_build *b);
void refs_free_all(struct vt_build *b);

/* ---- file.c ---- */
void file_event(struct vt_build *b, struct task *t, const struct vt_event *e);
/* To be called once, when all events were read, on what is kept of them; NULL is fine. */
void snap_finish(struct vt_build *b, struct vt_snap *s);
void snap_free(struct vt_snap *s);
struct vt_file *file_get(struct vt_build *b, uint64_t obj, bool make);
/* Also one whose __fput() has just begun. */
struct vt_file *file_get_dying(struct vt_build *b, uint64_t obj);
/* In E is a count of the file's references, of which LUO holds MINE. */
void file_others(struct vt_build *b, const struct vt_event *e, int64_t mine);
/* LUO has put its reference: WANT should be left. */
void file_let_go(struct vt_build *b, const struct vt_event *e, struct vt_who who, const struct vt_at *before, int64_t want);
void file_failed(struct vt_build *b, uint64_t obj, const struct vt_at *exit);
void file_finalize(struct vt_build *b);
void file_free_all(struct vt_build *b);

/* ---- vfio.c ---- */
void vfio_enter(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e);
void vfio_exit(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e);
void vfio_point(struct vt_build *b, struct task *t, const struct vt_event *e);
void vfio_failed(struct vt_build *b, uint64_t df, const struct vt_at *exit);
void vfio_idle(struct vt_build *b, struct task *t, const struct frame *root, const struct vt_at *exit);
void vfio_finalize(struct vt_build *b);
void vfio_free_all(struct vt_build *b);
struct device *device_get(struct vt_build *b, const struct vt_event *e);

/* ---- mem.c ---- */
void mem_event(struct vt_build *b, struct task *t, const struct vt_event *e);
/* A call that may allocate such objects returns: what a failing one made has to be free. */
void mem_returned(struct vt_build *b, const struct vt_event *e);
/* Its allocation was seen, and no free since. */
bool mem_alive(const struct vt_build *b, uint64_t obj);
/* OBJ, which WHO is about, has to be free by now, which is the exit E. */
void mem_due(struct vt_build *b, uint64_t obj, struct vt_who who, const struct vt_event *e);
void mem_free_all(struct vt_build *b);

/* ---- kho.c ---- */
void kho_event(struct vt_build *b, struct task *t, const struct vt_event *e);
void kho_disown_life(struct vt_build *b, struct vt_life *l, enum vt_fact_kind k, const struct vt_at *at, bool op_only);
void kho_disown_session(struct vt_session *s);
/* luo_session_create() or luo_preserve_file() returned: one that failed has nothing preserved of its own. */
void kho_call_returned(struct vt_build *b, const struct vt_event *e);
void kho_finalize(struct vt_build *b);
void kho_free_all(struct vt_build *b);

/* ---- cover.c ---- */
int cover_begin(struct vt_build *b);
/* Damage before the block at TO, the first event of which is of TO_NS: true when there is some. */
bool cover_damage(struct vt_build *b, const struct vt_block_at *before, uint64_t to, uint64_t to_ns);
/* Records of any type were lost in that time. */
bool cover_lossy(const struct vt_build *b, uint64_t from_ns, uint64_t to_ns);
void cover_finalize(struct vt_build *b);
void cover_free(struct vt_build *b);

#endif
