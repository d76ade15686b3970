// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "trace/pack.h"
#include "vfiotrace/trace.h"

/* An event, its shape, thread and CPU in full, all of its values and all of its numbers as long as they can be. */
#define EVENT_MAX(nr)	(64 + vtf_mask_len(nr) + 3 * (nr) + 10 * (nr))

static uint8_t *put(uint8_t *to, uint64_t n)
{
	for (; n > 0x7f; n >>= 7)
		*to++ = (uint8_t)(n | 0x80);
	*to++ = (uint8_t)n;
	return to;
}

static uint8_t *put_diff(uint8_t *to, uint64_t diff)
{
	return put(to, vtf_zigzag(diff));
}

static uint32_t mixed(uint32_t h, uint32_t n)
{
	h = (h ^ n) * 0x9e3779b1u;
	return h ^ h >> 15;
}

/* ---- shapes ---- */

static bool has_shape(const struct vt_pack *p, uint32_t i, const struct vtf_event *e, const uint16_t *ids)
{
	const struct vt_pack_shape *s = &p->shapes[i];

	return s->type == e->type && s->phase == e->phase && s->nr == e->nr && !memcmp(&p->ids[s->first], ids, e->nr * sizeof(*ids));
}

/* The slot of the shape, or the free one where it belongs. */
static uint32_t shape_slot(const struct vt_pack *p, const struct vtf_event *e, const uint16_t *ids)
{
	uint32_t h = mixed(mixed(e->type, e->phase), e->nr);

	for (uint32_t i = 0; i < e->nr; i++)
		h = mixed(h, ids[i]);
	while (p->shape_at[h % VT_PACK_SLOTS] && !has_shape(p, p->shape_at[h % VT_PACK_SLOTS], e, ids))
		h++;
	return h % VT_PACK_SLOTS;
}

/* Values begin as they are in the newest shape that has the field. */
static void begin_values(struct vt_pack *p, const struct vt_pack_shape *s)
{
	for (uint32_t i = s->first; i < s->first + s->nr; i++) {
		uint32_t *at = &p->field_at[p->ids[i] % VTF_FIELD_IDS];

		p->values[i] = 0;
		if (p->ids[i] & VTF_FIELD_ERR)
			continue;
		if (*at)
			p->values[i] = p->values[*at - 1];
		*at = i + 1;
	}
}

static uint8_t *new_shape(struct vt_pack *p, uint8_t *to, uint32_t slot, const struct vtf_event *e, const uint16_t *ids)
{
	struct vt_pack_shape *s = &p->shapes[++p->nr_shapes];

	*s = (struct vt_pack_shape){ .type = e->type, .phase = e->phase, .nr = e->nr, .slot = (uint16_t)slot, .first = p->nr_values };
	p->nr_values += e->nr;
	p->shape_at[slot] = (uint16_t)p->nr_shapes;
	memcpy(&p->ids[s->first], ids, e->nr * sizeof(*ids));
	begin_values(p, s);
	to = put(put(put(put(to, 0), e->type), e->phase), e->nr);
	for (uint32_t i = 0; i < e->nr; i++)
		to = put(to, ids[i]);
	return to;
}

/* ---- who, and where ---- */

static bool is_thread(const struct vt_pack_thread *t, const struct vtf_event *e)
{
	return t->tid == e->tid && t->tgid == e->tgid && t->comm == e->comm;
}

static uint32_t thread_slot(const struct vt_pack *p, const struct vtf_event *e)
{
	uint32_t h = mixed(mixed(e->tgid, e->tid), e->comm);

	while (p->thread_at[h % VT_PACK_SLOTS] && !is_thread(&p->threads[p->thread_at[h % VT_PACK_SLOTS]], e))
		h++;
	return h % VT_PACK_SLOTS;
}

static void add_thread(struct vt_pack *p, uint32_t slot, const struct vtf_event *e)
{
	p->threads[++p->nr_threads] = (struct vt_pack_thread){ .tgid = e->tgid, .tid = e->tid, .comm = e->comm, .slot = (uint16_t)slot };
	p->thread_at[slot] = (uint16_t)p->nr_threads;
	p->thread = p->nr_threads;
}

static uint8_t *other_thread(struct vt_pack *p, uint8_t *to, const struct vtf_event *e)
{
	uint32_t slot = thread_slot(p, e);

	if (p->thread_at[slot]) {
		p->thread = p->thread_at[slot];
		return put(to, p->thread);
	}
	add_thread(p, slot, e);
	return put(put(put(put(to, 0), e->tgid), e->tid), e->comm);
}

static void add_cpu(struct vt_pack *p, uint16_t cpu)
{
	p->cpus[++p->nr_cpus] = (struct vt_pack_cpu){ .cpu = cpu };
	p->cpu_at[cpu] = (uint16_t)p->nr_cpus;
	p->cpu = p->nr_cpus;
}

static uint8_t *other_cpu(struct vt_pack *p, uint8_t *to, uint16_t cpu)
{
	if (p->cpu_at[cpu]) {
		p->cpu = p->cpu_at[cpu];
		return put(to, p->cpu);
	}
	add_cpu(p, cpu);
	return put(put(to, 0), cpu);
}

/* What is mostly as it was, or as it was due. */
static uint8_t *put_seldom(struct vt_pack *p, uint8_t *to, const struct vtf_event *e, uint8_t *mask)
{
	struct vt_pack_cpu *c;

	if (!is_thread(&p->threads[p->thread], e)) {
		*mask |= VTF_NEW_THREAD;
		to = other_thread(p, to, e);
	}
	if (p->cpus[p->cpu].cpu != e->cpu) {
		*mask |= VTF_NEW_CPU;
		to = other_cpu(p, to, e->cpu);
	}
	c = &p->cpus[p->cpu];
	if (e->seq != c->seq + 1) {
		*mask |= VTF_NEW_SEQ;
		to = put_diff(to, e->seq - (c->seq + 1));
	}
	/* 0 is no number. */
	if (e->seq)
		c->seq = e->seq;
	return to;
}

/* ---- events ---- */

static uint8_t *put_values(uint8_t *to, uint64_t *last, const uint64_t *values, uint32_t nr, uint8_t *mask)
{
	for (uint32_t i = 0; i < nr; i++) {
		if (values[i] == last[i])
			continue;
		mask[(VTF_NEW_FIELDS + i) / 8] |= (uint8_t)(1u << (VTF_NEW_FIELDS + i) % 8);
		to = put_diff(to, values[i] - last[i]);
		last[i] = values[i];
	}
	return to;
}

int vt_pack__event(struct vt_pack *p, struct vt_buf *out, const struct vtf_event *e, const uint16_t *ids, const uint64_t *values)
{
	uint8_t *from = vt_buf__room(out, EVENT_MAX(e->nr)), *to = from, *mask;
	uint32_t slot, shape;

	if (!from)
		return -ENOMEM;
	slot = shape_slot(p, e, ids);
	shape = p->shape_at[slot];
	if (shape)
		to = put(to, shape);
	else
		to = new_shape(p, to, slot, e, ids);
	mask = to;
	memset(mask, 0, vtf_mask_len(e->nr));
	to = put_diff(mask + vtf_mask_len(e->nr), e->ts_ns - p->ts_ns);
	p->ts_ns = e->ts_ns;
	to = put_seldom(p, to, e, mask);
	to = put_values(to, &p->values[p->shapes[p->shape_at[slot]].first], values, e->nr, mask);
	out->len += (size_t)(to - from);
	return 0;
}

bool vt_pack__full(const struct vt_pack *p)
{
	return p->nr_shapes == VTF_PACKED_LIST || p->nr_threads == VTF_PACKED_LIST || p->nr_cpus == VTF_PACKED_LIST ||
	       p->nr_values + VT_EVENT_FIELDS_MAX > VTF_PACKED_FIELDS;
}

/* Entry 1 of threads and CPUs is nobody, on CPU 0. */
void vt_pack__reset(struct vt_pack *p)
{
	const struct vtf_event none = { 0 };

	for (uint32_t i = 1; i <= p->nr_shapes; i++)
		p->shape_at[p->shapes[i].slot] = 0;
	for (uint32_t i = 1; i <= p->nr_threads; i++)
		p->thread_at[p->threads[i].slot] = 0;
	for (uint32_t i = 1; i <= p->nr_cpus; i++)
		p->cpu_at[p->cpus[i].cpu] = 0;
	for (uint32_t i = 0; i < p->nr_values; i++)
		p->field_at[p->ids[i] % VTF_FIELD_IDS] = 0;
	p->nr_shapes = p->nr_threads = p->nr_cpus = p->nr_values = 0;
	p->ts_ns = 0;
	add_thread(p, thread_slot(p, &none), &none);
	add_cpu(p, 0);
}
