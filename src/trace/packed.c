// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "trace/packed.h"

const uint8_t *vt_packed__long(const uint8_t *at, const uint8_t *end, uint64_t *n)
{
	uint64_t sum = *at++ & 0x7f;

	for (uint32_t shift = 7; shift < 64; shift += 7) {
		uint64_t b = *at++;

		sum |= (b & 0x7f) << shift;
		if (b & 0x80)
			continue;
		if (!b || (shift == 63 && b > 1))
			break;
		*n = sum;
		return at;
	}
	return vt_packed__broken(end, n);
}

/* The number of an entry in a list of NR; 0: a new one. */
static const uint8_t *take_entry(const uint8_t *at, const uint8_t *end, uint32_t nr, uint64_t *n)
{
	at = vt_packed__take(at, end, n);
	return *n > nr ? vt_packed__broken(end, n) : at;
}

/* ---- shapes ---- */

union ids {
	uint16_t id[VT_EVENT_FIELDS_MAX];
	uint64_t words[VT_EVENT_FIELDS_MAX / 4];
};

static const uint8_t *take_ids(const uint8_t *at, const uint8_t *end, uint32_t nr, union ids *ids)
{
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t id;

		at = vt_packed__take(at, end, &id);
		if ((id & ~(uint64_t)VTF_FIELD_ERR) >= VTF_FIELD_IDS)
			return vt_packed__broken(end, &id);
		ids->id[i] = (uint16_t)id;
	}
	return at;
}

static bool each_once(struct vt_packed *p, uint32_t nr, const uint16_t *ids)
{
	for (uint32_t i = 0; i < nr; i++) {
		uint64_t *seen = &p->seen[ids[i] % VTF_FIELD_IDS];

		if (*seen == p->first_value + p->nr_values)
			return false;
		*seen = p->first_value + p->nr_values;
	}
	return true;
}

/* Values of a new shape begin as they are in the newest one that has the field. */
static uint64_t *begin_values(struct vt_packed *p, uint32_t nr, const uint16_t *ids)
{
	uint64_t first = p->first_value, next = first + p->nr_values, *values = &p->values[p->nr_values];

	for (uint32_t i = 0; i < nr; i++) {
		uint64_t at = p->field_at[ids[i] % VTF_FIELD_IDS];

		if (ids[i] & VTF_FIELD_ERR) {
			values[i] = 0;
			continue;
		}
		values[i] = at >= first ? p->values[at - first] : 0;
		p->field_at[ids[i] % VTF_FIELD_IDS] = next + i;
	}
	p->nr_values += nr;
	return values;
}

static void set_mask(struct vt_packed_shape *s)
{
	uint32_t used = VTF_NEW_FIELDS + s->nr;

	s->mask_len = (uint8_t)vtf_mask_len(s->nr);
	s->mask = used < 64 ? (1ULL << used) - 1 : ~0ULL;
	s->no_field = used < 64 ? ((1ULL << (8 * s->mask_len - 1) << 1) - 1) & ~s->mask : 0;
}

/* 1 and what there is to know of a shape before it has values, 0 when no event can have it, -ENOMEM. */
static int learn(struct vt_packed *p, struct vt_packed_shape *s, uint16_t type, uint8_t phase, const union ids *ids)
{
	const struct vt_file_type *is = &p->types[type];
	struct vt_shape *shape = NULL;
	int ret;

	set_mask(s);
	if (!each_once(p, s->nr, ids->id) || !is->name)
		return 0;
	ret = vt_shapes__find(p->cache, p->tables, s->nr, ids->words, &shape);
	if (ret <= 0)
		return ret;
	s->is = shape;
	if (s->mask_len > 8) {
		s->others = shape->strs | shape->objs | shape->errs;
	} else {
		s->strs = shape->strs << VTF_NEW_FIELDS;
		s->objs = shape->objs << VTF_NEW_FIELDS;
		s->others = shape->errs << VTF_NEW_FIELDS;
	}
	s->type_name = is->name;
	s->type = is->type;
	s->phase = phase;
	if (phase > VT_EXIT) {	/* An event taken at a moment that we have no word for is not one that we know. */
		s->phase = VT_POINT;
		s->type = VT_EV_UNKNOWN;
	}
	return 1;
}

static bool has_room(const struct vt_packed *p, uint64_t nr)
{
	return p->nr_shapes < VTF_PACKED_LIST && p->nr_values + nr <= VTF_PACKED_FIELDS;
}

static void add_shape(struct vt_packed *p, const struct vt_packed_shape *s, const uint16_t *ids)
{
	struct vt_packed_shape *to = &p->shapes[++p->nr_shapes];

	*to = *s;
	to->values = begin_values(p, s->nr, ids);
	p->nr_short = p->nr_shapes < 0x80 ? p->nr_shapes : 0x7f;
	/* What it begins with made sense, and 0 does unless it is an errno. */
	if (s->is && !s->is->nr_err && !p->doubt)
		to->how = VT_VALUES_READY;
}

/* Reads a shape in full and keeps it in mind in K. */
static int read_shape(struct vt_packed *p, const uint8_t **at, struct vt_packed_known *k)
{
	const uint8_t *from = *at;
	struct vt_packed_shape s = { .nr = 0 };
	uint64_t type, phase, nr;
	union ids ids = { .id = { 0 } };
	int ret;

	*at = vt_packed__take(*at, p->end, &type);
	*at = vt_packed__take(*at, p->end, &phase);
	*at = vt_packed__take(*at, p->end, &nr);
	if (type >= VTF_EVENT_IDS || phase > UINT8_MAX || nr > VT_EVENT_FIELDS_MAX || !has_room(p, nr))
		return -EBADMSG;
	*at = take_ids(*at, p->end, (uint32_t)nr, &ids);
	if (*at > p->end)
		return -EBADMSG;
	s.nr = (uint8_t)nr;
	ret = learn(p, &s, (uint16_t)type, (uint8_t)phase, &ids);
	if (ret < 0)
		return ret;
	add_shape(p, &s, ids.id);
	if (!ret || *at - from > VT_PACKED_TEXT)
		return 0;
	k->shape = s;
	k->len = (uint8_t)(*at - from);
	memcpy(k->text, from, k->len);
	return 0;
}

/* A new shape: *AT moves behind it. Those of other blocks are mostly known; what is told ends where it says. */
static int new_shape(struct vt_packed *p, const uint8_t **at)
{
	struct vt_packed_known *k = p->known;

	if (p->end - *at >= VT_PACKED_TEXT) {
		uint64_t h = (vt_packed__word(*at) ^ vt_packed__word(*at + 4) * 0x9e3779b97f4a7c15ULL) * 0x9e3779b97f4a7c15ULL;

		k = &p->known[h >> 32 & (VT_PACKED_KNOWN - 1)];
		if (k->len && !memcmp(k->text, *at, k->len) && has_room(p, k->shape.nr)) {
			*at += k->len;
			add_shape(p, &k->shape, (const uint16_t *)k->shape.is->ids);
			return 0;
		}
	}
	return read_shape(p, at, k);
}

/* ---- who, and where ---- */

static const uint8_t *new_thread(struct vt_packed *p, const uint8_t *at)
{
	uint64_t tgid, tid, comm, n;

	at = vt_packed__take(at, p->end, &tgid);
	at = vt_packed__take(at, p->end, &tid);
	at = vt_packed__take(at, p->end, &comm);
	if (tgid > UINT32_MAX || tid > UINT32_MAX || p->nr_threads == VTF_PACKED_LIST)
		return vt_packed__broken(p->end, &n);
	p->thread = &p->threads[p->nr_threads++];
	*p->thread = (struct vt_packed_thread){ .tgid = (uint32_t)tgid, .tid = (uint32_t)tid, .comm = comm < p->strings_len ? p->strings + comm : NULL };
	return at;
}

static const uint8_t *new_cpu(struct vt_packed *p, const uint8_t *at)
{
	uint64_t cpu;

	at = vt_packed__take(at, p->end, &cpu);
	if (cpu > UINT16_MAX || p->nr_cpus == VTF_PACKED_LIST)
		return vt_packed__broken(p->end, &cpu);
	p->cpu = &p->cpus[p->nr_cpus++];
	*p->cpu = (struct vt_packed_cpu){ .cpu = (uint16_t)cpu };
	return at;
}

static const uint8_t *take_thread(struct vt_packed *p, const uint8_t *at)
{
	uint64_t n;

	at = take_entry(at, p->end, p->nr_threads, &n);
	if (at > p->end)
		return at;
	if (!n)
		return new_thread(p, at);
	p->thread = &p->threads[n - 1];
	return at;
}

static const uint8_t *take_cpu(struct vt_packed *p, const uint8_t *at)
{
	uint64_t n;

	at = take_entry(at, p->end, p->nr_cpus, &n);
	if (at > p->end)
		return at;
	if (!n)
		return new_cpu(p, at);
	p->cpu = &p->cpus[n - 1];
	return at;
}

const uint8_t *vt_packed__seldom(struct vt_packed *p, const uint8_t *at, uint64_t news)
{
	uint64_t off = 0;

	if (news & VTF_NEW_THREAD)
		at = take_thread(p, at);
	if (news & VTF_NEW_CPU)
		at = take_cpu(p, at);
	if (news & VTF_NEW_SEQ)
		at = vt_packed__diff(at, p->end, &off);
	vt_packed__count(p, off);
	return at;
}

/* ---- events ---- */

/* LEN bytes of a mask, eight at most. */
static uint64_t mask_bits(const uint8_t *mask, uint32_t len)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < len; i++)
		bits |= (uint64_t)mask[i] << (8 * i);
	return bits;
}

const uint8_t *vt_packed__wide(const struct vt_packed_shape *s, const uint8_t *mask, const uint8_t *at, const uint8_t *end)
{
	uint32_t used = (VTF_NEW_FIELDS + s->nr) % 8;
	uint64_t none;

	if (at > end)
		return at;
	if (used && mask[s->mask_len - 1] >> used)
		return vt_packed__broken(end, &none);
	for (uint32_t i = 8; i < s->mask_len; i += 8)
		at = vt_packed__values(at, end, mask_bits(mask + i, s->mask_len - i < 8 ? s->mask_len - i : 8), s->values + 8 * i - VTF_NEW_FIELDS);
	return at;
}

uint64_t vt_packed__last_mask(const struct vt_packed_shape *s, const uint8_t *at, const uint8_t *end)
{
	if (end - at < s->mask_len)
		return ~0ULL;
	return mask_bits(at, s->mask_len < 8 ? s->mask_len : 8);
}

void vt_packed__judge(struct vt_packed *p, struct vt_packed_shape *s)
{
	s->how = s->is ? vt_shape__judge(s->is, p->tables, s->values, p->strings_len) : VT_VALUES_BAD;
	p->doubt |= s->how != VT_VALUES_READY;
}

int vt_packed__shape(struct vt_packed *p, const uint8_t **at, struct vt_packed_shape **s)
{
	uint64_t n;

	*at = take_entry(*at, p->end, p->nr_shapes, &n);
	if (*at > p->end)
		return -EBADMSG;
	if (!n) {
		int ret = new_shape(p, at);

		if (ret)
			return ret;
		n = p->nr_shapes;
	}
	*s = &p->shapes[n];
	return 0;
}

void vt_packed__enter(struct vt_packed *p, const char *at, const char *strings, uint32_t strings_len)
{
	p->at = (const uint8_t *)at;
	p->end = (const uint8_t *)strings;
	p->strings = strings;
	p->strings_len = strings_len;
	vt_shapes__keep(p->cache, true);
	if (p->freed != p->cache->freed)
		memset(p->known, 0, sizeof(p->known));
	p->freed = p->cache->freed;
	/* 0 is the number of none. */
	p->first_value += p->nr_values + !p->first_value;
	p->ts_ns = 0;
	p->nr_shapes = p->nr_short = p->nr_values = 0;
	p->doubt = false;
	p->nr_threads = p->nr_cpus = 1;
	p->thread = p->threads;
	*p->thread = (struct vt_packed_thread){ .comm = strings };
	p->cpu = p->cpus;
	*p->cpu = (struct vt_packed_cpu){ 0 };
}
