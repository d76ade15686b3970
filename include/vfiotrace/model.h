/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The model: what one trace says, put back together.
 *
 * A side is built in one pass over a trace. Memory grows with the objects that
 * are alive, not with events: what ended the way it should is folded into
 * counters (the first few are kept for the report), what did not is kept as
 * evidence. The model states facts and judges nothing: severity, wording and
 * what counts as a bug belong to the rules. Rules read these structures and
 * never write them; what the builder notes down for itself is not in here.
 */
#ifndef VFIOTRACE_MODEL_H
#define VFIOTRACE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfiotrace/trace.h"

/* One event, kept as evidence. type == 0: none. */
struct vt_at {
	uint64_t ts_ns, index;
	uint32_t tgid, tid;
	uint16_t type;		/* enum vt_event_type */
	uint8_t phase;
	bool has_ret;
	int64_t ret;
	const char *comm, *func;	/* never NULL; func "" when unknown */
};

/* Names of the thing a fact is about; strings live as long as the side. */
struct vt_who {
	const char *session, *compatible, *bdf;	/* NULL when unknown */
	uint64_t token;
	bool has_token;
	uint64_t since_ns;	/* when its story begins on this side; 0: before the trace, or not known */
};

enum vt_dir {
	VT_OUTGOING,	/* preserved by this kernel */
	VT_INCOMING,	/* handed to this kernel */
};

/* Steps of a preserved file; the last occurrence of each is kept. */
#define VT_STEPS(X) \
	X(PRESERVE, "preserve") X(FREEZE, "freeze") X(UNFREEZE, "unfreeze") X(UNPRESERVE, "unpreserve") \
	X(DESERIALIZE, "deserialize") X(RETRIEVE, "retrieve") X(CAN_FINISH, "can_finish") X(FINISH, "finish")
#define VT_STEP_ENUM(id, name) VT_STEP_##id,
enum vt_step { VT_STEPS(VT_STEP_ENUM) VT_STEP_MAX };
#undef VT_STEP_ENUM
const char *vt_step_name(enum vt_step s);

/* Lifecycle points at which struct file is sampled. */
#define VT_PTS(X) \
	X(OPEN, "open") X(PRESERVE, "preserve") X(PRESERVED, "preserved") X(FREEZE, "freeze") \
	X(UNPRESERVED, "unpreserved") X(RETRIEVE, "retrieve") X(RETRIEVED, "retrieved") \
	X(FINISH, "finish") X(FINISHED, "finished") X(RELEASE, "release")
#define VT_PT_ENUM(id, name) VT_PT_##id,
enum vt_pt { VT_PTS(VT_PT_ENUM) VT_PT_MAX };
#undef VT_PT_ENUM
const char *vt_pt_name(enum vt_pt p);

struct vt_member {
	const char *name;	/* struct file member, without "file." */
	const char *str;	/* for text; object numbers are cut off ("df#") */
	uint64_t num;
	uint8_t kind;		/* enum vt_kind */
	int err;		/* errno with which it could not be read */
};

/* struct file as it was at one point. */
struct vt_snap {
	struct vt_at at;
	enum vt_pt pt;
	uint64_t mapping, inode_mapping, dev_mapping;	/* 0 = unknown or NULL */
	bool has_mapping, has_dev_mapping, is_vfio;
	struct vt_spot spot;		/* what shows it, and all members of struct file */
	unsigned int nr;
	struct vt_member *m;		/* of those that are kept */
};
const struct vt_member *vt_snap__member(const struct vt_snap *s, const char *name);

struct vt_ref {
	bool seen;
	int64_t count;
	struct vt_at at;
};

enum vt_life_state {
	VT_LIFE_TRYING,		/* inside luo_preserve_file() */
	VT_LIFE_PRESERVED,
	VT_LIFE_FROZEN,
	VT_LIFE_UNPRESERVED,	/* taken back in the old kernel */
	VT_LIFE_INCOMING,	/* arrived, retrieve not tried */
	VT_LIFE_FAILED,		/* retrieve failed: held until reboot */
	VT_LIFE_RETRIEVED,
	VT_LIFE_FINISHED,
};
const char *vt_life_state_name(enum vt_life_state s);

struct vt_session;

/* One preserved file within one kernel: (session, token). */
struct vt_life {
	struct vt_life *next;		/* in its session, by first appearance */
	struct vt_session *session;
	uint64_t token;
	enum vt_dir dir;
	enum vt_life_state state;
	bool early;			/* its beginning lies before the trace */
	uint64_t since_ns, until_ns;	/* from its session's first event (0: not seen) until LUO's hold ended (UINT64_MAX: it did not) */
	bool odd;			/* a fact names it */
	bool held_at_end;		/* outgoing, and not taken back when the trace ends: it goes into the jump, if there is one */
	const char *compatible;		/* NULL when never seen */
	const char *bdf;		/* NULL when not vfio or never seen */
	uint64_t file, df, device, luo_file;	/* objects of this side */
	bool is_vfio;
	bool has_data, freeze_changed;
	uint64_t data;			/* serialized_data, last seen */
	struct vt_at at[VT_STEP_MAX];
	struct vt_at enter[VT_STEP_MAX];
	uint32_t n[VT_STEP_MAX];
	uint64_t ns[VT_STEP_MAX];	/* time spent inside the callback, all runs */
	int64_t finish_ok;		/* can_finish: -1 not asked, 0 no, 1 yes */
	struct vt_ref ref[VT_PT_MAX];
	struct vt_snap *snap;		/* outgoing: newest before the jump; incoming: as retrieved */
	struct vt_snap *open_snap;	/* as opened through the cdev, when that was seen */
	struct vt_kho *kho;
	struct vt_sum *sums;
};

struct vt_session {
	struct vt_session *prev, *next;
	char *name;
	const char *told;		/* the same, interned, once a record of it was kept */
	enum vt_dir dir;
	uint64_t since_ns;		/* 0 when its beginning was not seen */
	bool early, ended, deserialized, retrieved, finished;
	uint32_t nr_lives;
	uint32_t inside;		/* calls in flight that work on it */
	struct vt_life *lives, *last;
	struct vt_kho *kho;		/* LUO's own blocks for this session */
	struct vt_at created, frozen, retrieve, release, deserialize, finish;
	int64_t freeze_ret, deserialize_ret, finish_ret;
	uint64_t unseen;		/* files that LUO counted in it and that the trace does not show */
	uint64_t busy_preserves;	/* that were refused with -EBUSY */
	struct vt_at busy_at;		/* the first of them */
	struct vt_at worked;		/* the last preserve or finish that did; of this file, if it is about one */
	struct vt_life *worked_on;
};

/* Memory handed to KHO, by physical address. */
enum vt_kho_kind { VT_KHO_ALLOC, VT_KHO_FOLIO, VT_KHO_PAGES, VT_KHO_VMALLOC };
struct vt_kho {
	struct vt_kho *prev, *next;	/* with its life's */
	uint64_t phys;
	struct vt_life *life;		/* owner, NULL when none */
	struct vt_session *session;	/* owner when the call belongs to a session and no file */
	uint64_t pages;			/* of all of it; 0: not told */
	uint64_t count;			/* blocks side by side, all of one size, mostly 1 */
	uint8_t kind;			/* enum vt_kho_kind */
	bool in_op;			/* by a handler's callback; else by LUO itself */
	bool frozen;			/* by its freeze */
	struct vt_at at;
};
/* All folios of one order, or pages that are none, that a life's callbacks gave to KHO, or took back or out of it: as each call was over. */
enum vt_way { VT_GIVEN, VT_TAKEN_BACK, VT_RESTORED, VT_WAYS };
#define VT_NO_FOLIO 255
struct vt_sum {
	struct vt_sum *next;
	enum vt_way way;
	uint8_t order;			/* VT_NO_FOLIO: pages */
	uint64_t count, pages;
	uint64_t digest;		/* vfiotrace/blocks.h */
	uint64_t untold;		/* of COUNT: without records of their own */
	struct vt_at at;
};
/* Memory taken out of KHO again in the new kernel. */
struct vt_restored {
	uint64_t phys, token;	/* of the file whose callback did it */
	const char *session;
	uint64_t pages;		/* of all of it; 0: not told */
	uint64_t count;		/* as in struct vt_kho */
	uint8_t how;		/* enum vt_kho_kind: what the function that did it is for */
	bool has_token;
	bool ok;
	bool reused;		/* freed since, and given to KHO by this kernel */
	struct vt_at at;
};

/*
 * A folio that a failed retrieve, or the finish of a file that nobody had,
 * restored, and that was not free when the call returned.
 */
enum vt_folio_state { VT_FOLIO_FREE, VT_FOLIO_HELD, VT_FOLIO_CACHED, VT_FOLIO_REUSED };
struct vt_folio {
	uint64_t phys;
	struct vt_who who;
	struct vt_at restored, left, last;	/* last: when the recording ended, if it was looked at */
	enum vt_folio_state then, now;		/* at LEFT and at LAST */
	int64_t refs, refs_now;
	bool has_accounted;
	uint64_t cached, accounted;		/* pages in its page cache, and what the file accounts for */
	bool in_retrieve;			/* else by a finish */
	uint64_t of, held, untold;		/* all that the call restored; held; not looked at */
};
#define VT_FOLIOS_KEPT 1024

/* struct vfio_device_file. Kept when alive, or when it ended oddly. */
struct vt_df {
	uint64_t obj;
	uint64_t device;
	const char *bdf;
	struct vt_who who;		/* the call in which it was allocated */
	const char *family, *callee, *site;	/* of the allocation; NULL when unknown */
	struct vt_at alloc;
	struct vt_at call;		/* entry of the call that allocated it */
	struct vt_at failed;		/* exit of the failing call that was to hand it out */
	struct vt_at freed[2];
	const char *free_callee[2], *free_site[2], *free_in[2];
	struct vt_who free_who;
	struct vt_at free_call;
	uint32_t nr_freed;
	bool released;			/* vfio_device_fops_release() ran for it */
	struct vt_at opened;		/* vfio_df_open(), and no vfio_df_close() since */
	struct vt_at release;
};

/* How dfs were freed, one row per allocation family, free function, place. */
struct vt_free_path {
	const char *family, *callee;	/* of the allocation */
	const char *free_callee, *free_func;
	bool in_release;		/* the normal path */
	uint64_t count;
	const struct vt_df *example;	/* the first one that went this way */
	struct vt_who who[8];		/* for whom, the first few */
	size_t nr_who;
};

/* How the objects of one kind were allocated and freed: LUO's own, and what handlers' callbacks allocate. */
struct vt_mem_path {
	uint8_t cls;			/* enum vt_class */
	const char *family, *callee, *site;	/* of the allocation */
	const char *free_callee, *free_site;
	uint64_t count;
	struct vt_at alloc, freed;	/* of the first one */
	struct vt_who who;
};

/* A struct file that was made inside a traced call. */
struct vt_file {
	uint64_t obj;
	struct vt_life *life;		/* LUO holds it for this life */
	struct vt_snap *open_snap;
	uint64_t df, device;
	const char *bdf, *name;
	struct vt_at made;
	struct vt_at installed;		/* LUO gave it to user space */
	struct vt_at failed;		/* exit of the failing call in which it was made */
	struct vt_who who;
	bool is_vfio;
};

#define VT_OPENS_KEPT 8
struct vt_device {
	uint64_t obj;
	const char *bdf;
	/* successful opens through cdev or group, the first few */
	struct vt_at opens[VT_OPENS_KEPT];
	uint32_t nr_opens;
	uint64_t total_opens;
	struct vt_life *life;		/* incoming life whose retrieve opened it */
	bool unregistered;
};

/* Moments at which something was not as the kernel's own rules want it. */
#define VT_FACTS(X) \
	X(PRESERVE_TWICE) X(RETRIEVE_TWICE) X(RETRIEVE_OUTGOING) X(UNPRESERVE_INCOMING) X(FINISH_TWICE) \
	X(FINISH_REFUSED) X(OP_AFTER_END) X(UNFREEZE_UNFROZEN) X(FREEZE_TWICE) X(UNPRESERVE_FROZEN) \
	X(NOT_UNPRESERVED) X(NOT_FINISHED) X(NOT_UNFROZEN) X(FREEZE_KEPT) X(FILE_RELEASED) X(RELEASE_NULL) X(DF_TWICE) X(DF_LEFT_OPEN) X(IOMMUFD_LEFT) X(IOMMUFD_FAILED) X(IOMMUFD_ATTACHED) \
	X(REG_IMBALANCE) X(KREF_IMBALANCE) X(UNREGISTER_UNDER) X(LOOKUP_UNPINNED) X(KHO_TWICE) X(KHO_UNPRESERVE_UNKNOWN) \
	X(KHO_LEFT) X(KHO_FREED) X(KHO_SHARED) X(KHO_REFUSED) X(KHO_LARGE) X(FLB) X(SESSION_FILE) X(FLB_OWNER) X(FLB_ORDER) X(BUSY_AFTER_FINISH) X(MAPPING) X(MMAP_MAPPING) X(FILE_REF) \
	X(FOLIO_NOT_PUT) X(DATA_CHANGED) \
	X(FLB_COUNT) X(FLB_HELD) X(FLB_EARLY) X(FLB_BROKEN) X(MODULE_REF) X(MODULE_LOW) X(MODULE_EARLY) X(FD_ON_ERROR) X(SESSION_LOST) \
	X(FILE_KEPT) X(FILE_TAKEN) X(FILE_HELD) X(FOLIO_UNTOLD) \
	X(SESSION_STRANDED) X(SESSION_UNENDED) X(SESSION_OTHER) X(SESSION_TWICE) X(ANSWER) X(SWALLOWED) X(CALL_OPEN) X(HANDLER_LATE) X(SESSION_DROPPED) X(SESSION_NOWHERE) \
	X(MEM_LEFT) X(MEM_TWICE)
#define VT_FACT_ENUM(id) VT_FACT_##id,
enum vt_fact_kind { VT_FACTS(VT_FACT_ENUM) VT_FACT_MAX };
#undef VT_FACT_ENUM

/* What is wrong with an answer: num[0] of the fact. */
enum vt_answer {
	VT_ANSWER_SWALLOWED,	/* 0, and something inside failed */
	VT_ANSWER_EFFECT,	/* an error, and what was asked for is done */
	VT_ANSWER_FORGOTTEN,	/* another one than the error before */
	VT_ANSWER_REFUSED,	/* an error, after a success */
	VT_ANSWER_OTHER_FILE,	/* another file than before */
	VT_ANSWER_NO_HOLDER,	/* -EBUSY, and nobody has it */
	VT_ANSWER_NO_REASON,	/* finish refused, and no handler did */
	VT_ANSWER_DESERIALIZE,	/* all sessions were read, and one could not be */
};
#define VT_FACT_ATS 6
struct vt_fact {
	enum vt_fact_kind kind;
	struct vt_who who;
	struct vt_at at[VT_FACT_ATS];
	int64_t num[4];
	const char *str[3];
	uint64_t from_ns;	/* it rests on all that happened to WHO since then */
	uint64_t more;		/* of the same kind, handler and function, which are not kept */
};
#define VT_FACTS_KEPT 200	/* of each kind, and the first of each handler and function; the rest are counted */

enum vt_phase_kind { VT_PH_PRESERVE, VT_PH_FREEZE, VT_PH_SERIALIZE, VT_PH_REBOOT, VT_PH_DESERIALIZE, VT_PH_RETRIEVE, VT_PH_FINISH, VT_PH_MAX };
const char *vt_phase_name(enum vt_phase_kind p);
struct vt_phase_time {
	uint64_t count, total_ns, max_ns;
};

/* How the recording ended. */
enum vt_ending {
	VT_END_STOPPED,		/* with its end block */
	VT_END_JUMP,		/* in the kexec, as it should */
	VT_END_CUT,		/* neither: killed, or storage gone */
};

struct vt_flb_row {
	const char *compatible;
	int64_t preserved, unpreserved, finished;	/* calls that worked */
	int64_t ops_finished, lives_preserved, lives_unpreserved;
	bool early;
};

/* An allocation that was made to fail: what its task answers until it leaves its outermost call may be for that. */
struct vt_injection {
	struct vt_at at;
	const char *what, *site;	/* slab cache, or NULL; NULL when unknown */
	uint64_t until;			/* index of the event with which the task left */
};
#define VT_INJECTIONS_KEPT 4096

#define VT_HOLES_KEPT 32
struct vt_side {
	const char *label;	/* "PRE", "POST", or "TRACE" */
	char *path;
	struct vt_trace *trace;	/* owned: meta, probes, loss stay readable */
	uint64_t page;		/* bytes, of the kernel that was recorded */
	bool single_pages;	/* its page cache holds no folio of several pages */
	enum vt_ending ending;
	bool drained;		/* what liveupdate_reboot() left to tell is stored: a rec.drained follows it */
	bool holds;		/* files are preserved when the trace ends */
	const char *waits;	/* a session, the first one, whose files arrived and are not finished when the trace ends */
	uint64_t nr_waits;	/* such sessions */
	bool inside;		/* a task was inside of a call when the recording was ended */
	const char *opened;	/* a session that nothing was preserved in, and that is open when the trace ends */
	const char *early;	/* a session that was there before the recording began; "": a call was */
	/* By direction: LUO counts more files in a session than the trace shows, as far as UNSEEN_TO_NS. */
	struct vt_unseen {
		uint64_t files, seen, to_ns;
		const char *session;	/* the first of them */
	} unseen[2];
	bool damaged;		/* bytes in the middle are unreadable */
	/* where that may have cost events; to_ns UINT64_MAX: up to the end, then with what is told there */
	struct vt_hole {
		uint64_t offset, events;	/* events as far as known */
		uint64_t from_ns, to_ns;
	} holes[VT_HOLES_KEPT];
	size_t nr_holes;
	bool truncated;		/* the last block is torn off */
	uint64_t events;
	uint64_t start_ns;	/* of the first one */
	uint64_t own_events;	/* about the session that carries a trace (VT_OWN_SESSION): counted, not modelled */
	struct vt_at own_at;	/* the first of them */
	bool own_there, own_read, own_given;	/* there is one; LUO read it from what arrived; this kernel gives it on */
	uint64_t first_ns, last_ns;		/* of all events but the recorder's own */
	uint64_t end_ns;			/* the last of all: until then it was waited for what did not come */
	uint64_t first_call_ns;			/* of those that LUO made, or that happened within a call of it; 0: none */
	uint64_t first_vfio_ns;			/* of vfio's, and of its handler's callbacks; 0 = none */
	uint64_t first_type_ns[VT_EV_MAX];	/* 0 = none */
	bool jumped;		/* liveupdate_reboot() succeeded, as far as recorded */
	bool alone;		/* into an image that KHO's data do not reach */
	struct vt_at reboot;
	uint64_t nr_aborts;	/* failed liveupdate_reboot() */
	bool saw_vfio;
	bool saw_module;	/* a handler that lives in a module */
	bool deserialized;
	int64_t deserialize_ret;
	struct vt_at deserialize_at;

	struct vt_session *sessions;	/* by first appearance */
	uint64_t folded_sessions, folded_lives;	/* well-behaved, not kept */
	uint64_t folded_lossy;		/* of these lives: records were lost while they lasted */
	uint64_t folded_since_ns;	/* when the first of them began */
	uint64_t failed_preserves;
	uint64_t seen_type[VT_EV_MAX];	/* events per type */
	uint64_t seen_exit[VT_EV_MAX];	/* of these, ends of calls */
	uint64_t failed_type[VT_EV_MAX];	/* and of these, with an error */

	struct vt_df **dfs;		/* alive or freed twice, in order of allocation */
	size_t nr_dfs;
	uint64_t dfs_allocated, dfs_freed;
	uint64_t mappings_compared;	/* of vfio files and of what was mapped through them, with their device's */
	uint64_t unverified_releases;	/* whose put of the registration nothing shows */
	struct vt_free_path *free_paths;
	size_t nr_free_paths;
	struct vt_mem_path *mem_paths;
	size_t nr_mem_paths;
	uint64_t mem_allocated;	/* LUO's own objects and memory of handlers' callbacks, as allocated */
	uint64_t mem_unborn;	/* LUO's own objects, freed, whose allocation was not seen */

	struct vt_device **devices;	/* in order of appearance */
	size_t nr_devices;
	struct vt_file **orphans;	/* made in a failing call, still there at the end */
	size_t nr_orphans;
	struct vt_snap *example_open;	/* a cdev-opened file that no life owns */
	const char *example_bdf;

	struct vt_kho **kho;		/* still preserved at the end, by address */
	size_t nr_kho;
	uint64_t kho_preserved, kho_unpreserved, kho_restored;
	uint64_t nr_waiting;		/* sessions that had arrived before the recording began, and that nobody had retrieved */
	const struct vt_restored **restored;	/* by address */
	size_t nr_restored;
	struct vt_folio *folios;	/* in order of appearance */
	size_t nr_folios;

	struct vt_flb_row *flb;
	size_t nr_flb;
	struct vt_injection *injections;	/* in order */
	size_t nr_injections;
	struct vt_phase_time phase[VT_PH_MAX];

	struct vt_fact *facts;
	size_t nr_facts;
	uint64_t fact_count[VT_FACT_MAX];	/* that are kept */
	bool facts_untold;	/* of so many handlers and functions that not even the first of each is kept */
};

/*
 * Builds a side from the trace at PATH. On failure *WHY gets a sentence to be
 * freed by the caller (or NULL); errno values as vt_trace__open().
 */
int vt_side__load(const char *path, const char *label, struct vt_side **out, char **why);
void vt_side__free(struct vt_side *s);

struct vt_life *vt_side__life(const struct vt_side *s, enum vt_dir dir, const char *session, uint64_t token);
/* How many blocks of L's are only counted: what it gave, took back and took out can be compared by sums alone. */
uint64_t vt_life__untold(const struct vt_life *l);
/* The restore of the block that begins at PHYS in this kernel, or NULL. */
const struct vt_restored *vt_side__restored(const struct vt_side *s, uint64_t phys);

/* How often TYPE happened, whichever half of it was seen. */
static inline uint64_t vt_side__seen(const struct vt_side *s, enum vt_event_type type)
{
	uint64_t exits = s->seen_exit[type], others = s->seen_type[type] - exits;

	return exits > others ? exits : others;
}

/* An unfreeze of that handler was seen. */
bool vt_side__thaws(const struct vt_side *s, const char *compatible);

/* A stretch of time in which events of one type may be missing. */
struct vt_gap {
	uint64_t from_ns, to_ns;	/* 0, UINT64_MAX: not limited */
	bool lost;		/* a hook saw them, and they did not reach the file; else no hook was there */
	bool torn;		/* some of them were seen, and some not: of a call, it may be the one half */
	char text[400];		/* a sentence; empty when that of another gap speaks for this one, too */
};
/* One after the other, from *I = 0 on. */
bool vt_side__next_gap(const struct vt_side *s, enum vt_event_type type, size_t *i, struct vt_gap *g);
/* Whether there is any, and why, in BUF. */
bool vt_side__gap(const struct vt_side *s, enum vt_event_type type, char *buf, size_t size);
/* Whether one reaches into that time. */
bool vt_side__dark(const struct vt_side *s, enum vt_event_type type, uint64_t from_ns, uint64_t to_ns);
/* Whether events of TYPE that were seen by a hook may have been lost. */
bool vt_side__lost(const struct vt_side *s, enum vt_event_type type);
/* The recording began late: a session was there before. */
bool vt_side__late(const struct vt_side *s, char *buf, size_t size);
/* The trace comes from a recorder that did not know TYPE: neither hooked nor missed. */
bool vt_side__unlooked(const struct vt_side *s, enum vt_event_type type);
/* The recorder looked at the callbacks of the handler, found OP among them, and hooked it before BY_NS. */
bool vt_side__op_hooked(const struct vt_side *s, enum vt_event_type op, const char *compatible, uint64_t by_ns);
/* The part of TYPE's coverage that only concerns the trace as a whole: killed recorder. */
const char *vt_side__cut(const struct vt_side *s, char *buf, size_t size);
/* Ended in order, and before the update was over: what was seen stands, what comes later is another matter. */
const char *vt_side__open(const struct vt_side *s, char *buf, size_t size);

#endif
