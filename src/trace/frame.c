// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <libdeflate.h>

#include "trace/frame.h"

#define DAMAGES_MAX	1000		/* a file can be all damage; the list must not be */
#define CHUNK		(64u << 10)
#define CHUNK_FIRST	4096u		/* damage is mostly short */

#define TEXT_MORE	"more damage than is worth listing"

/* ---- damage ---- */

static size_t find_damage(const struct vt_damages *d, const struct vt_damage *one, bool *listed)
{
	size_t i = d->nr;

	*listed = false;
	while (i && d->list[i - 1].offset >= one->offset) {
		i--;
		if (d->list[i].offset == one->offset && d->list[i].kind == one->kind)
			*listed = true;
	}
	while (i < d->nr && d->list[i].offset == one->offset)
		i++;
	return i;
}

void vt_damages__add(struct vt_damages *d, const struct vt_damage *one)
{
	struct vt_damage copy = *one;
	bool listed;
	size_t at;

	if (d->nr > DAMAGES_MAX)
		return;
	at = find_damage(d, one, &listed);
	if (listed)
		return;
	if (d->nr == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 16;
		struct vt_damage *list = reallocarray(d->list, cap, sizeof(*list));

		if (!list)
			return;
		d->list = list;
		d->cap = cap;
	}
	if (d->nr == DAMAGES_MAX) {
		copy.what = TEXT_MORE;
		copy.events = 0;
	}
	copy.what = strdup(copy.what);
	if (!copy.what)
		return;
	memmove(&d->list[at + 1], &d->list[at], (d->nr - at) * sizeof(*d->list));
	d->list[at] = copy;
	d->nr++;
}

void vt_damages__free(struct vt_damages *d)
{
	for (size_t i = 0; i < d->nr; i++)
		free((char *)d->list[i].what);
	free(d->list);
	memset(d, 0, sizeof(*d));
}

static void damaged(struct vt_frame *f, enum vt_damage_kind kind, uint64_t from, uint64_t to, const char *what)
{
	vt_damages__add(f->damages, &(struct vt_damage){ .offset = from, .length = to - from, .what = what, .kind = kind });
}

/* One that took a whole block with it: its header tells how many events were in it. */
static void damaged_block(struct vt_frame *f, enum vt_damage_kind kind, const struct vt_block *b, uint64_t to,
			  const char *what)
{
	vt_damages__add(f->damages, &(struct vt_damage){
		.offset = b->offset, .length = to - b->offset, .what = what, .kind = kind,
		.events = vtf_has_events(b->h.type) ? b->h.nr : 0,
	});
}

/* ---- bytes ---- */

uint32_t vt_crc(const void *data, size_t len)
{
	return (uint32_t)libdeflate_crc32(0, data, len);
}

/* Checksums keep a fuzzer out of everything behind them, so its build (and only that) goes without. */
static bool crc_matches(const void *data, size_t len, uint32_t want)
{
#ifdef VTF_FUZZ_NO_CRC
	return true;
#else
	return vt_crc(data, len) == want;
#endif
}

int64_t vt_pread(int fd, void *buf, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, (char *)buf + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (int64_t)done;
}

static bool sound_header(const struct vtf_block *h)
{
	return h->magic == VTF_BLOCK_MAGIC && crc_matches(h, offsetof(struct vtf_block, header_crc), h->header_crc) &&
	       h->len <= VTF_BLOCK_MAX && !(h->len % 8);
}

static uint64_t block_end(const struct vt_block *b)
{
	return b->offset + sizeof(b->h) + b->h.len;
}

/* 1 when a sound header stands at OFFSET. */
static int header_at(struct vt_frame *f, uint64_t offset, struct vt_block *b)
{
	int64_t got;

	if (f->size - offset < sizeof(b->h))
		return 0;
	got = vt_pread(f->fd, &b->h, sizeof(b->h), offset);
	if (got < 0)
		return (int)got;
	b->offset = offset;
	return got == sizeof(b->h) && sound_header(&b->h);
}

/* The first sound header in LEN bytes, or NULL; a block magic is where to look closer. */
static const char *scan(const char *data, size_t len)
{
	const char *end = data + len, *p = data;
	struct vtf_block h;

	while ((size_t)(end - p) >= sizeof(h)) {
		p = memchr(p, VTF_BLOCK_MAGIC & 0xff, (size_t)(end - p) - sizeof(h) + 1);
		if (!p)
			return NULL;
		memcpy(&h, p, sizeof(h));
		if (sound_header(&h))
			return p;
		p++;
	}
	return NULL;
}

/* The first sound header in FROM..end. *ZEROS: there was nothing but zeros. */
static int find_header(struct vt_frame *f, uint64_t from, struct vt_block *b, bool *zeros)
{
	char *chunk = malloc(CHUNK);
	size_t want = CHUNK_FIRST;
	int ret = 0;

	if (!chunk)
		return -ENOMEM;
	*zeros = true;
	while (!ret && from < f->size) {
		uint64_t left = f->size - from;
		int64_t got = vt_pread(f->fd, chunk, left < want ? left : want, from);
		const char *p = got > 0 ? scan(chunk, (size_t)got) : NULL;

		if (got <= 0) {
			ret = (int)got;
			break;
		}
		*zeros = *zeros && !chunk[0] && !memcmp(chunk, chunk + 1, (size_t)got - 1);
		if (p) {
			b->offset = from + (uint64_t)(p - chunk);
			memcpy(&b->h, p, sizeof(b->h));
			ret = 1;
		} else if ((size_t)got <= sizeof(b->h)) {
			break;
		} else {
			/* a header may straddle two chunks */
			from += (uint64_t)got - (left <= want ? 0 : sizeof(b->h) - 1);
			want = CHUNK;
		}
	}
	free(chunk);
	return ret;
}

/* ---- walking ---- */

void vt_frame__rewind(struct vt_frame *f)
{
	f->pos = f->start;
	f->next_seq = 0;
	f->prev.h.len = 0;
	f->rescued = 0;
}

/* Nothing but damage up to the end: which kind? */
static void lost_tail(struct vt_frame *f, bool zeros)
{
	uint32_t magic = VTF_BLOCK_MAGIC;
	char head[sizeof(struct vtf_block)];
	int64_t got = vt_pread(f->fd, head, sizeof(head), f->pos);
	size_t cmp = got < (int64_t)sizeof(magic) ? (size_t)(got < 0 ? 0 : got) : sizeof(magic);

	if (zeros)
		damaged(f, VT_D_TRUNCATED, f->pos, f->size,
			"zeros up to the end, as left by a machine that went down before they were stored");
	else if (f->size - f->pos < sizeof(head) && !memcmp(head, &magic, cmp))
		damaged(f, VT_D_TRUNCATED, f->pos, f->size, "truncated last block, as left by a killed recorder");
	else
		damaged(f, VT_D_GARBAGE, f->pos, f->size, "unreadable bytes up to the end");
	f->pos = f->size;
}

/* Did the block before this place lie about where it ends? Then the next one may stand inside of it. */
static int prev_broken(struct vt_frame *f)
{
	const char *payload;
	int ret;

	if (!f->prev.h.len || f->prev.offset < f->rescued)
		return 0;
	ret = vt_frame__payload(f, &f->prev, &payload);
	return ret < 0 ? ret : !ret;
}

/* No block at f->pos. Finds the next one; 0 when there is none. */
static int resync(struct vt_frame *f, struct vt_block *b)
{
	uint64_t from = f->pos;
	bool zeros;
	int ret = prev_broken(f);

	if (ret < 0)
		return ret;
	if (ret)
		from = f->prev.offset + sizeof(f->prev.h);
	/* Look inside a block once only, or a hostile file makes this quadratic. */
	f->rescued = f->pos;
	ret = find_header(f, from, b, &zeros);
	if (ret < 0)
		return ret;
	if (!ret) {
		lost_tail(f, zeros && from == f->pos);
		return 0;
	}
	if (b->offset > f->pos)
		damaged(f, VT_D_GARBAGE, f->pos, b->offset, "unreadable bytes");
	f->pos = b->offset;
	return 1;
}

/* A block that claims more than the file has: the last one, torn, unless others follow inside its claim. */
static int cut_short(struct vt_frame *f, const struct vt_block *b)
{
	struct vt_block next;
	bool zeros;
	int ret = find_header(f, b->offset + sizeof(b->h), &next, &zeros);

	if (ret < 0)
		return ret;
	if (ret) {
		damaged_block(f, VT_D_CHECKSUM, b, next.offset, "a block that was not stored whole");
		f->pos = next.offset;
	} else {
		damaged_block(f, VT_D_TRUNCATED, b, f->size, "truncated last block, as left by a killed recorder");
		f->pos = f->size;
	}
	return 0;
}

/* Blocks are numbered: tells what is missing before B, and whether B belongs here. */
static bool in_order(struct vt_frame *f, const struct vt_block *b)
{
	char text[96];

	if (b->h.seq < f->next_seq) {
		damaged_block(f, VT_D_ORDER, b, block_end(b), "a block that stands here for the second time, or too late");
		return false;
	}
	if (b->h.seq > f->next_seq) {
		snprintf(text, sizeof(text), "%" PRIu32 " block%s missing before here", b->h.seq - f->next_seq,
			 b->h.seq - f->next_seq > 1 ? "s" : "");
		damaged(f, VT_D_MISSING, b->offset, b->offset, text);
	}
	return true;
}

int vt_frame__next(struct vt_frame *f, struct vt_block *b)
{
	while (f->pos < f->size) {
		int ret = header_at(f, f->pos, b);

		if (!ret)
			ret = resync(f, b);
		if (ret <= 0)
			return ret;
		f->prev = *b;
		if (block_end(b) > f->size) {
			ret = cut_short(f, b);
			if (ret < 0)
				return ret;
			f->prev.h.len = 0;
			if (b->h.seq >= f->next_seq)
				f->next_seq = b->h.seq + 1;
			continue;
		}
		f->pos = block_end(b);
		if (!in_order(f, b))
			continue;
		f->next_seq = b->h.seq + 1;
		return 1;
	}
	return 0;
}

int vt_frame__at(struct vt_frame *f, uint64_t offset, struct vt_block *b)
{
	int ret = offset < f->size ? header_at(f, offset, b) : 0;

	return ret > 0 ? block_end(b) <= f->size : ret;
}

int vt_frame__payload(struct vt_frame *f, const struct vt_block *b, const char **payload)
{
	int64_t got;

	if (b->h.len > f->cap) {
		char *p = realloc(f->buf, b->h.len);

		if (!p)
			return -ENOMEM;
		f->buf = p;
		f->cap = b->h.len;
	}
	got = vt_pread(f->fd, f->buf, b->h.len, b->offset + sizeof(b->h));
	if (got < 0)
		return (int)got;
	if (got != b->h.len || !crc_matches(f->buf, b->h.len, b->h.payload_crc)) {
		damaged_block(f, VT_D_CHECKSUM, b, block_end(b), "a block whose checksum is wrong");
		return 0;
	}
	*payload = f->buf;
	return 1;
}

void vt_frame__free(struct vt_frame *f)
{
	free(f->buf);
	f->buf = NULL;
	f->cap = 0;
}
