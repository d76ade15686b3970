/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace files: writing them from a live capture, reading them anywhere.
 *
 * Functions return 0 (or a count) on success and a negative errno on failure
 * unless they say otherwise. Nothing here touches a kernel. The byte layout
 * is in docs/trace-format.md and src/trace/format.h.
 */
#ifndef VFIOTRACE_TRACE_H
#define VFIOTRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vocab.h"

/* Object identity within one trace: class in the top 16 bits, number from 1. 0 is "no object" (NULL). */
static inline uint64_t vt_obj(enum vt_class c, uint64_t n) { return ((uint64_t)c << 48) | n; }
static inline enum vt_class vt_obj_class(uint64_t o) { return (enum vt_class)(o >> 48); }
static inline uint64_t vt_obj_nr(uint64_t o) { return o & 0xffffffffffffULL; }

/*
 * A trace that is carried through the live update in a memory file travels as
 * this file of this session (record --carry). It is the tool's own: not judged.
 */
#define VT_OWN_SESSION "vfiotrace"
#define VT_OWN_TOKEN 1

/* That of the agent that most machines have. */
#define VT_SYSTEMD_SESSION "systemd"

const char *vt_event_name(enum vt_event_type t);
const char *vt_event_doc(enum vt_event_type t);
const char *vt_field_name(enum vt_field f);
enum vt_kind vt_field_kind(enum vt_field f);
const char *vt_field_doc(enum vt_field f);
const char *vt_class_name(enum vt_class c);
enum vt_event_type vt_event_by_name(const char *name);	/* VT_EV_UNKNOWN when unknown */
enum vt_field vt_field_by_name(const char *name);	/* VT_F_NONE when unknown */
enum vt_class vt_class_by_name(const char *name);	/* VT_C_NONE when unknown */

/* One row of the attach plan, as it came out. */
struct vt_probe {
	const char *func;	/* hooked function, or symbol+0xoff for a call site */
	const char *module;	/* "vmlinux" or module name */
	const char *event;	/* event type name that it feeds */
	const char *method;	/* "fentry", "fexit", "kprobe", "site"; "none": not attached; "absent": there is nothing to attach to (a handler without that op), which is no blind spot */
	const char *reason;	/* why not attached, or why not the best method; "" otherwise */
	bool attached;
	uint64_t attach_ns;	/* boot-time clock at which it was armed; 0 when not attached */
	uint64_t hits;
	uint64_t misses;	/* kprobe misses */
	uint64_t recursion_misses;
};

/* What a row says of its hook. */
enum vt_probe_state {
	VT_PROBE_ATTACHED,	/* from attach_ns on */
	VT_PROBE_ABSENT,	/* a callback that the handler does not have: nothing to attach to, and nothing is missed */
	VT_PROBE_NO_FUNCTION,	/* this kernel has none of that name, or not the module that has it: for some events that is the same, for others a blind spot */
	VT_PROBE_MISSING,	/* there is something to see, and no hook shows it */
};
enum vt_probe_state vt_probe__state(const struct vt_probe *p);
/* The callback that P is about is one that the handler COMPATIBLE does not have. */
bool vt_probe__absent_from(const struct vt_probe *p, const char *compatible);

/* Events that did not reach the file. */
struct vt_loss {
	const char *event;	/* event type name, or "" when unknown */
	const char *why;	/* VT_LOSS_* */
	uint64_t count;
	uint64_t from_ns, to_ns;	/* the loss lies between these times; 0..UINT64_MAX when unknown */
};

/* Why: of records that had a number (vt_stamp.seq) ... */
#define VT_LOSS_RING "ring full"
#define VT_LOSS_MALFORMED "malformed record"
#define VT_LOSS_STORAGE "storage"
#define VT_LOSS_UNFIT "not recordable"
/* ... and of what was never given one. */
#define VT_LOSS_SPARED "a loop of them, counted only"
#define VT_LOSS_OBJECTS "more objects than there is room for"

/*
 * Records of a CPU whose numbers never came, and of which the file tells
 * nothing else: of any type, between these times.
 */
struct vt_unsaid {
	uint16_t cpu;
	uint64_t first, last;	/* the numbers */
	uint64_t count;		/* of those that are not told of as a loss */
	uint64_t from_ns, to_ns;
};

/* ---- writing ---- */
struct vt_writer;

/*
 * Creates PATH with mode 0600, never through a symbolic link (-ELOOP); an
 * existing regular file (else -ENOTSUP) of the caller without another name (else -EPERM) that no
 * other recorder is writing (else -EBUSY) is replaced. FD variant: takes
 * ownership of an open file, whatever it is, also when it fails. A program
 * that runs under RLIMIT_FSIZE or writes to a pipe should ignore SIGXFSZ and
 * SIGPIPE: the error then comes back as any other.
 */
int vt_writer__open(const char *path, struct vt_writer **out);
int vt_writer__fdopen(int fd, struct vt_writer **out);
/*
 * Goes on behind the last block of the trace in PATH, which is whole and has no
 * end: what is known of it only now. -EBADMSG where it is not so, -EEXIST where
 * it has its end.
 */
int vt_writer__append(const char *path, struct vt_writer **out);

int vt_writer__meta(struct vt_writer *w, const char *key, const char *value);
/* The whole plan again with fresh counters: the last table in the file counts. */
int vt_writer__probes(struct vt_writer *w, const struct vt_probe *p, size_t nr);
int vt_writer__loss(struct vt_writer *w, const struct vt_loss *l);
/*
 * A field that only this trace has (struct file members): name is copied.
 * Returns its id (>= VT_F_MAX; that of the vocabulary for a name that is in
 * it), same id for same name; -EEXIST when it is known with another kind.
 */
int vt_writer__dyn_field(struct vt_writer *w, const char *name, enum vt_kind kind);

/*
 * One event: begin, any number of fields, end. Fields of one event may be
 * given once each, in any order, with the function of their kind; what breaks
 * that comes back from end, and the event is not written but counted as loss.
 */
struct vt_stamp {
	uint64_t ts_ns;		/* CLOCK_BOOTTIME */
	uint64_t seq;		/* per-CPU number given by the capture; 0 = none */
	uint32_t tgid, tid;
	uint16_t cpu;
	const char *comm;	/* may be NULL */
};
void vt_writer__begin(struct vt_writer *w, enum vt_event_type type, enum vt_phase phase, const struct vt_stamp *stamp);
void vt_writer__u64(struct vt_writer *w, int field, uint64_t v);	/* U64, HEX, OBJ */
void vt_writer__s64(struct vt_writer *w, int field, int64_t v);
void vt_writer__str(struct vt_writer *w, int field, const char *v);
void vt_writer__err(struct vt_writer *w, int field, int err);	/* could not be read: err is an errno, positive */
/* 0 when accepted. A storage error is returned for as long as it refuses events. */
int vt_writer__end(struct vt_writer *w);

/* Pushes buffered events out as a block; SYNC waits for stable storage (fdatasync). */
int vt_writer__flush(struct vt_writer *w, bool sync);
/* The file once more, for one who syncs it meanwhile; what that meets comes back by __fail(): the kernel tells an error once. */
int vt_writer__dup(const struct vt_writer *w);
void vt_writer__fail(struct vt_writer *w, int err);
/* First storage error met, sticky, as negative errno; 0 when none. Events refused since are counted per type and written as loss when space returns. */
int vt_writer__error(const struct vt_writer *w);
uint64_t vt_writer__bytes(const struct vt_writer *w);
/*
 * Writes the end block ("how": "stopped", "signal", "child exited", ...), syncs.
 * 0 means that the file has its end; whether events were refused on the way
 * says vt_writer__error(). Nothing can be written afterwards (-EBADF).
 */
int vt_writer__finish(struct vt_writer *w, const char *how);
void vt_writer__free(struct vt_writer *w);	/* NULL is fine; does not write an end block */

/* ---- reading ---- */
#define VT_EVENT_FIELDS_MAX 128

struct vt_value {
	uint16_t field;		/* index for vt_trace__field_name(); known ones equal enum vt_field */
	uint8_t kind;		/* enum vt_kind */
	int32_t err;		/* 0, or the positive errno with which reading it failed in the kernel */
	union {
		uint64_t u;
		int64_t s;
		const char *str;	/* NUL-terminated, lives until the next vt_trace__next() */
	};
};

/* What stands at one place of an event. */
struct vt_place {
	uint16_t field;
	uint8_t kind;
	bool err;		/* there is the errno instead of the value */
};

/* Where a field stands that the vocabulary has. */
struct vt_known {
	uint8_t place;		/* + 1; 0 = absent */
	uint8_t kind;		/* enum vt_kind; 0 = absent, or unreadable */
};

struct vt_event {
	uint64_t ts_ns, seq;
	uint64_t index;		/* number of the event in this trace, from 0 */
	uint64_t block;		/* where in the file its block begins */
	uint32_t tgid, tid;
	uint16_t cpu;
	uint8_t phase;		/* enum vt_phase */
	uint16_t type;		/* enum vt_event_type; VT_EV_UNKNOWN for one we do not know */
	const char *type_name;	/* as the file says it */
	const char *comm;	/* never NULL */
	uint32_t nr;		/* fields */
	/* What they are, the same for all events of one shape, and their values: here until the next vt_trace__next(). */
	const struct vt_place *place;
	const struct vt_known *at;	/* by enum vt_field */
	const char *strings;
	const uint64_t *bits;	/* number, object, offset in strings, or errno */
	uint64_t room[VT_EVENT_FIELDS_MAX];	/* for them, where they are not as the file has them */
};

/* The field at position I < nr. */
static inline struct vt_value vt_ev_at(const struct vt_event *e, uint32_t i)
{
	const struct vt_place *p = &e->place[i];
	struct vt_value v = { .field = p->field, .kind = p->kind };

	if (p->err)
		v.err = (int32_t)e->bits[i];
	else if (p->kind == VT_STR)
		v.str = e->strings + e->bits[i];
	else
		v.u = e->bits[i];
	return v;
}

/* Present at all (even if unreadable). */
static inline bool vt_ev_has(const struct vt_event *e, enum vt_field f)
{
	return f > VT_F_NONE && f < VT_F_MAX && e->at[f].place;
}

/* Of what kind it is; 0 when absent or unreadable. */
static inline uint8_t vt_ev_kind(const struct vt_event *e, enum vt_field f)
{
	return f > VT_F_NONE && f < VT_F_MAX ? e->at[f].kind : 0;
}

/* What it is, once it is known to be there. */
static inline uint64_t vt_ev_bits(const struct vt_event *e, enum vt_field f)
{
	return e->bits[e->at[f].place - 1];
}

static inline bool vt_kind_is_number(uint8_t kind)
{
	return kind == VT_U64 || kind == VT_HEX || kind == VT_S64;
}

/* Each returns false when the field is absent, could not be read, or does not fit the type asked for. */
static inline bool vt_ev_u64(const struct vt_event *e, enum vt_field f, uint64_t *out)
{
	uint8_t kind = vt_ev_kind(e, f);

	if (!vt_kind_is_number(kind) || (kind == VT_S64 && (int64_t)vt_ev_bits(e, f) < 0))
		return false;
	*out = vt_ev_bits(e, f);
	return true;
}

static inline bool vt_ev_s64(const struct vt_event *e, enum vt_field f, int64_t *out)
{
	uint8_t kind = vt_ev_kind(e, f);

	if (!vt_kind_is_number(kind) || (kind != VT_S64 && vt_ev_bits(e, f) > INT64_MAX))
		return false;
	*out = (int64_t)vt_ev_bits(e, f);
	return true;
}

/* NULL when absent or unreadable. */
static inline const char *vt_ev_str(const struct vt_event *e, enum vt_field f)
{
	return vt_ev_kind(e, f) == VT_STR ? e->strings + vt_ev_bits(e, f) : NULL;
}

/* True when the event says which object; 0 is NULL in the kernel. */
static inline bool vt_ev_told(const struct vt_event *e, enum vt_field f, uint64_t *obj)
{
	if (vt_ev_kind(e, f) != VT_OBJ)
		return false;
	*obj = vt_ev_bits(e, f);
	return true;
}

/* 0 when absent, unreadable, or NULL in the kernel. */
static inline uint64_t vt_ev_obj(const struct vt_event *e, enum vt_field f)
{
	return vt_ev_kind(e, f) == VT_OBJ ? vt_ev_bits(e, f) : 0;
}

struct vt_trace;

/*
 * Opens and checks the frame of a trace: meta, probes, loss and schema are
 * known after this, events come with vt_trace__next(). On failure *WHY (if not
 * NULL) gets a sentence without the file name, to be freed by the caller:
 * -EBADMSG not a trace or damaged beyond use, -EPROTO needs a newer tool,
 * other errno from the system.
 */
int vt_trace__open(const char *path, struct vt_trace **out, char **why);
void vt_trace__free(struct vt_trace *t);
/*
 * 1 and the event, 0 at the end, negative errno on I/O errors. Damage is
 * skipped and counted, not returned. Regular files only: no pipes.
 * A name of the vocabulary that the file uses with a kind of another sort
 * (text for a number) is given as a field of this trace, not as the known one.
 */
int vt_trace__next(struct vt_trace *t, struct vt_event *e);
int vt_trace__rewind(struct vt_trace *t);
/* Where the last event stands, and that event again, once vt_trace__next() returned 0: -EIO when the file is another now. */
struct vt_spot {
	uint64_t block, index;
	uint32_t offset;	/* in the block's payload */
};
struct vt_spot vt_trace__spot(const struct vt_trace *t);
int vt_trace__again(struct vt_trace *t, const struct vt_spot *w, struct vt_event *e);

const char *vt_trace__meta(const struct vt_trace *t, const char *key);	/* NULL when absent */
const char *vt_trace__told(const struct vt_trace *t, const char *key);	/* NULL when absent or empty */
size_t vt_trace__meta_nr(const struct vt_trace *t);
void vt_trace__meta_at(const struct vt_trace *t, size_t i, const char **key, const char **value);
size_t vt_trace__probe_nr(const struct vt_trace *t);
const struct vt_probe *vt_trace__probe(const struct vt_trace *t, size_t i);
size_t vt_trace__loss_nr(const struct vt_trace *t);
const struct vt_loss *vt_trace__loss(const struct vt_trace *t, size_t i);
/* Final only after vt_trace__next() returned 0. */
size_t vt_trace__unsaid_nr(const struct vt_trace *t);
const struct vt_unsaid *vt_trace__unsaid(const struct vt_trace *t, size_t i);
const char *vt_trace__field_name(const struct vt_trace *t, uint16_t field);
enum vt_kind vt_trace__field_kind(const struct vt_trace *t, uint16_t field);
const char *vt_trace__class_name(const struct vt_trace *t, uint64_t obj);	/* class of an object of this trace */
/* How it ended as the end block says, or NULL when there is none (killed, or jumped). */
const char *vt_trace__ended(const struct vt_trace *t);
/* Damaged stretches, by offset: final only after vt_trace__next() returned 0. */
enum vt_damage_kind {
	VT_D_TRUNCATED = 1,	/* the file breaks off within its last block, as left by a killed recorder */
	VT_D_CHECKSUM,		/* a block whose bytes changed */
	VT_D_GARBAGE,		/* bytes that are no block */
	VT_D_MISSING,		/* blocks are missing before this offset; length is 0 */
	VT_D_ORDER,		/* a block that does not belong where it stands; skipped */
	VT_D_MALFORMED,		/* checksum right, content impossible; skipped */
};
struct vt_damage {
	uint64_t offset, length;
	const char *what;
	enum vt_damage_kind kind;
	uint64_t events;	/* lost with it, as far as known */
};
size_t vt_trace__damage_nr(const struct vt_trace *t);
const struct vt_damage *vt_trace__damage(const struct vt_trace *t, size_t i);

/*
 * Well-known meta keys: tool.version, command, kernel.release, kernel.version,
 * kernel.build_id, boot_id, machine, page_size (bytes), clock, options, started (UTC, ISO 8601),
 * luo ("yes"/"no" + why), handlers; by which two traces are known to be of one
 * update: machine.id, kho.count, kho.previous, carried.into.
 */

#endif
