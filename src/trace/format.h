/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Bytes on disk. docs/trace-format.md describes the same in prose.
 *
 *   file   = header, block*
 *   block  = block header, payload (a multiple of 8 bytes)
 *
 * Everything is little endian. A block stands alone: it has its own string
 * pool and two checksums, one over its header, so that a length can be trusted
 * before the payload is read, and one over its payload.
 *
 * Compatible growth: rows, events and the file header carry their own size, so
 * that members may be appended; new block types are skipped by older readers
 * unless VTF_REQUIRED is set. VTF_VERSION changes only when that is not enough.
 */
#ifndef VT_TRACE_FORMAT_H
#define VT_TRACE_FORMAT_H

#include <assert.h>
#include <stdint.h>

/* Structs are written as they lie in memory; a big-endian port has to swap here and nowhere else. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "trace files are little endian");

/* Like PNG's: not text, and broken visibly by a transfer that rewrites line ends. */
#define VTF_MAGIC		"\211VTR\r\n\032\n"
#define VTF_MAGIC_LEN		8
#define VTF_VERSION		1

struct vtf_header {
	char magic[VTF_MAGIC_LEN];
	uint32_t version;
	uint32_t size;		/* of this header; the first block follows */
	uint32_t reserved;
	uint32_t crc;		/* of the 20 bytes before it */
};
static_assert(sizeof(struct vtf_header) == 24, "disk layout");

#define VTF_HEADER_MAX		4096	/* a sane bound on vtf_header.size */

/* 0xf5 never occurs in UTF-8, and a block header holds zero bytes: no string can look like one. */
#define VTF_BLOCK_MAGIC		0x4b4c42f5u	/* f5 'B' 'L' 'K' */

enum vtf_block_type {
	VTF_META = 1,		/* vtf_meta rows */
	VTF_SCHEMA = 2,		/* vtf_schema rows: names of the ids used by events */
	VTF_PROBES = 3,		/* vtf_probe rows; the last such block counts */
	VTF_LOSS = 4,		/* vtf_loss rows; they add up */
	VTF_EVENTS = 5,		/* vtf_events, then events, then strings */
	VTF_END = 6,		/* one vtf_end row; nothing follows */
	VTF_PACKED = 7,		/* vtf_events, then events told by what is new in them, then strings; VTF_REQUIRED */
};

#define VTF_REQUIRED		0x1	/* flags: who does not know this type must not read on */

struct vtf_block {
	uint32_t magic;
	uint16_t type;
	uint16_t flags;
	uint32_t len;		/* payload bytes, a multiple of 8 */
	uint32_t seq;		/* number of the block in the file, from 0 */
	uint32_t nr;		/* rows or events in the payload */
	uint32_t payload_crc;
	uint32_t reserved;
	uint32_t header_crc;	/* of the 28 bytes before it */
};
static_assert(sizeof(struct vtf_block) == 32, "disk layout");

#define VTF_BLOCK_MAX		(16u << 20)	/* bound on vtf_block.len */

/*
 * Payload of everything but events: this, nr rows of row_size bytes, the
 * string pool, zeros to a multiple of 8. Strings are named by their offset in
 * the pool; the pool starts with an empty string and its last byte is NUL.
 */
struct vtf_table {
	uint32_t row_size;	/* a multiple of 8 */
	uint32_t strings_len;
};
static_assert(sizeof(struct vtf_table) == 8, "disk layout");

struct vtf_meta {
	uint32_t key, value;
};
static_assert(sizeof(struct vtf_meta) == 8, "disk layout");

enum vtf_schema_what { VTF_S_EVENT = 1, VTF_S_FIELD = 2, VTF_S_CLASS = 3 };

struct vtf_schema {
	uint8_t what;		/* enum vtf_schema_what */
	uint8_t kind;		/* enum vt_kind, fields only */
	uint16_t id;
	uint32_t name;
};
static_assert(sizeof(struct vtf_schema) == 8, "disk layout");

#define VTF_EVENT_IDS		4096	/* ids are below these */
#define VTF_FIELD_IDS		4096
#define VTF_CLASS_IDS		256
#define VTF_NAME_MAX		255	/* bytes in a name of the schema */

#define VTF_P_ATTACHED		0x1

struct vtf_probe {
	uint32_t func, module, event, method, reason;
	uint32_t flags;
	uint64_t attach_ns, hits, misses, recursion_misses;
};
static_assert(sizeof(struct vtf_probe) == 56, "disk layout");

struct vtf_loss {
	uint32_t event, why;
	uint64_t count, from_ns, to_ns;
};
static_assert(sizeof(struct vtf_loss) == 32, "disk layout");

struct vtf_end {
	uint64_t events;	/* written to this file */
	uint32_t how;
	uint32_t reserved;
};
static_assert(sizeof(struct vtf_end) == 16, "disk layout");

/* Payload of VTF_EVENTS and VTF_PACKED: this, events_len bytes of events, the string pool, padding. */
struct vtf_events {
	uint32_t events_len;
	uint32_t strings_len;
};
static_assert(sizeof(struct vtf_events) == 8, "disk layout");

/*
 * One event: this, nr field ids (uint16_t, padded to a multiple of 8 bytes),
 * nr values (uint64_t). A string value is its offset in the pool. An object
 * has its class id in the top 16 bits.
 */
struct vtf_event {
	uint64_t ts_ns, seq;
	uint32_t tgid, tid;
	uint32_t comm;
	uint16_t size;		/* of all of it, a multiple of 8 */
	uint16_t type;
	uint16_t cpu;
	uint8_t phase;
	uint8_t nr;
	uint32_t reserved;
};
static_assert(sizeof(struct vtf_event) == 40, "disk layout");

#define VTF_FIELD_ERR		0x8000	/* in a field id: the value is the errno with which reading failed */
#define VTF_ERRNO_MAX		4095

/*
 * One event of VTF_PACKED: the number of its shape, a mask of what is new, the
 * time since the last event, then what is new, in the order of the mask: its
 * thread, its CPU, its number on that CPU, and its fields. Numbers are LEB128,
 * differences zigzag. docs/trace-format.md has it all.
 */
#define VTF_NEW_THREAD		0x1	/* in the mask; the bits of the fields follow */
#define VTF_NEW_CPU		0x2
#define VTF_NEW_SEQ		0x4
#define VTF_NEW_FIELDS		3	/* the first of them */

#define VTF_PACKED_LIST		4096	/* shapes in a block at most; so many threads, so many CPUs */
#define VTF_PACKED_FIELDS	16384	/* of all its shapes */

/* Does a block of TYPE hold events? */
static inline int vtf_has_events(uint16_t type)
{
	return type == VTF_EVENTS || type == VTF_PACKED;
}

/* Bytes of the mask of an event with NR fields. */
static inline uint32_t vtf_mask_len(uint32_t nr)
{
	return (VTF_NEW_FIELDS + nr + 7) / 8;
}

static inline uint64_t vtf_zigzag(uint64_t diff)
{
	return diff << 1 ^ (diff >> 63 ? ~0ULL : 0);
}

static inline uint64_t vtf_unzigzag(uint64_t n)
{
	return n >> 1 ^ (n & 1 ? ~0ULL : 0);
}

static inline uint32_t vtf_align8(uint32_t n)
{
	return (n + 7) & ~7u;
}

/* Bytes of an event with NR fields. */
static inline uint32_t vtf_event_size(uint32_t nr)
{
	return (uint32_t)sizeof(struct vtf_event) + vtf_align8(nr * 2) + nr * 8;
}

#endif
