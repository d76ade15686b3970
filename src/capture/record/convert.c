/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/convert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/domain/domain.h"
#include "capture/record/address.h"
#include "capture/record/objid.h"
#include "capture/kernel/kernel.h"
#include "capture/record/structfile.h"

#define SLOT_ROW(slot, field, cls) { VT_F_##field, VT_C_##cls },
#define VT_C_NONE_ VT_C_NONE
static const struct { uint8_t field, cls; } slots[VT_S_MAX] = { VT_SLOTS(SLOT_ROW) };
_Static_assert(VT_S_MAX <= 64, "mask and fault are 64 bits wide");

#define POINT_NAME(id, name) [VT_P_##id] = name,
static const char *const point_names[VT_P_MAX] = { VT_POINTS(POINT_NAME) };

struct convert {
	struct domains *d;
	struct kernel *k;
	struct vt_writer *w;
	struct objid *id;
	struct structfile *sf;
	bool lives[VT_EV_MAX];	/* some domain has a word on the life of such an event's objects */
	bool born[VT_C_MAX];	/* births of the class are seen: no guesses any more */
	uint64_t events;
};

static void note_lives(struct convert *c)
{
	for (const struct domain *const *d = domain_list; *d; d++) {
		for (const struct domain_life *l = (*d)->births; l && l->type; l++)
			c->lives[l->type] = true;
		for (const struct domain_life *l = (*d)->deaths; l && l->type; l++)
			c->lives[l->type] = true;
		for (const struct domain_parting *p = (*d)->parting; p && p->type; p++)
			c->lives[p->type] = true;
	}
}

int convert__new(struct convert **out, struct domains *d, struct kernel *k, struct vt_writer *w)
{
	struct convert *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->d = d;
	c->k = k;
	c->w = w;
	note_lives(c);
	c->id = objid__new();
	err = c->id ? structfile__new(&c->sf, k) : -ENOMEM;
	if (err) {
		convert__free(c);
		return err;
	}
	*out = c;
	return 0;
}

void convert__free(struct convert *c)
{
	if (!c)
		return;
	objid__free(c->id);
	structfile__free(c->sf);
	free(c);
}

static bool has(const struct vt_wire *w, enum vt_slot s)
{
	return w->mask & 1ull << s && !(w->fault & 1ull << s);
}

/* What the row tells of W: which object, or 0 for none. */
static uint64_t object_of(const struct domain_life *l, const struct vt_wire *w)
{
	if (l->type != w->type || !has(w, l->slot))
		return 0;
	if ((l->flags & LIFE_ENTER && w->phase != VT_ENTER) || (l->flags & LIFE_EXIT && w->phase != VT_EXIT))
		return 0;
	if (l->flags & LIFE_IF_OK && has(w, VT_S_RET) && w->slot[VT_S_RET])
		return 0;
	return w->slot[l->slot];
}

/* Events that show an object for the first time in its life, so that an address seen before is another one's. */
static void births(struct convert *c, const struct vt_wire *w)
{
	for (const struct domain *const *d = domain_list; c->lives[w->type] && *d; d++)
		for (const struct domain_life *l = (*d)->births; l && l->type; l++) {
			enum vt_class cls = slots[l->slot].cls;
			uint64_t ptr = object_of(l, w);

			if (!ptr || (l->flags & LIFE_GUESS && c->born[cls]))
				continue;
			objid__born(c->id, cls, ptr);
			if (!(l->flags & LIFE_GUESS))
				c->born[cls] = true;
		}
}

static void deaths(struct convert *c, const struct vt_wire *w)
{
	for (const struct domain *const *d = domain_list; c->lives[w->type] && *d; d++)
		for (const struct domain_life *l = (*d)->deaths; l && l->type; l++)
			objid__died(c->id, slots[l->slot].cls, object_of(l, w));
}

static bool is_parting(const struct convert *c, const struct vt_wire *w)
{
	for (const struct domain *const *d = domain_list; c->lives[w->type] && *d; d++)
		for (const struct domain_parting *p = (*d)->parting; p && p->type; p++)
			if (p->type == w->type && (!p->point || p->point == w->point))
				return true;
	return false;
}

/* What parts may come after its death: there the object that was at the address is meant, dead or not. */
static uint64_t object(struct convert *c, bool parting, enum vt_class cls, uint64_t ptr)
{
	uint64_t obj = parting ? objid__last(c->id, cls, ptr) : 0;

	return obj ? obj : objid__get(c->id, cls, ptr);
}

static void put_slots(struct convert *c, const struct vt_wire *w)
{
	bool parting = is_parting(c, w);

	for (int s = 0; s < VT_S_MAX; s++) {
		int field = slots[s].field;

		if (!(w->mask & 1ull << s))
			continue;
		if (w->fault & 1ull << s)
			vt_writer__err(c->w, field, (int)w->slot[s]);
		else if (slots[s].cls)
			vt_writer__u64(c->w, field, object(c, parting, slots[s].cls, w->slot[s]));
		else if (address__in(w->slot[s], vt_field_kind(field), field == VT_F_RET))
			vt_writer__err(c->w, field, EACCES);
		else if (vt_field_kind(field) == VT_S64)
			vt_writer__s64(c->w, field, (int64_t)w->slot[s]);
		else
			vt_writer__u64(c->w, field, w->slot[s]);
	}
}

static void put_site(struct convert *c, const struct site *s)
{
	if (!s)
		return;
	vt_writer__str(c->w, VT_F_CALLEE, s->callee);
	if (*s->family)
		vt_writer__str(c->w, VT_F_FAMILY, s->family);
	vt_writer__str(c->w, VT_F_SITE, s->where);
}

static void put_text(struct convert *c, const struct vt_wire *w)
{
	static const int field_of[] = {
		[VT_TEXT_COMPATIBLE] = VT_F_COMPATIBLE, [VT_TEXT_NAME] = VT_F_NAME, [VT_TEXT_BDF] = VT_F_BDF,
	};
	char text[VT_TEXT_LEN + 1];

	if (!w->text_is || w->text_is > VT_TEXT_BDF)
		return;
	memcpy(text, w->text, VT_TEXT_LEN);
	text[VT_TEXT_LEN] = 0;
	vt_writer__str(c->w, field_of[w->text_is], text);
}

/* The row behind the record: its function goes into the event, its counter goes up. */
static const char *source(struct convert *c, const struct vt_wire *w)
{
	const struct site *site = domains__at_call_site(w->type) ? site__get(domains__attach(c->d), w->site) : NULL;
	uint64_t key = site ? site->probe : has(w, VT_S_HANDLER) ? w->slot[VT_S_HANDLER] : 0;
	struct plan_row *r = plan__source(domains__plan(c->d), w->type, w->phase == VT_EXIT, key, w->variant);

	if (!r)
		return NULL;
	r->hits++;
	return site ? NULL : r->func;
}

/* The frame to blame is the first that is neither the allocator's nor ours. */
static bool allocator_frame(const char *name)
{
	static const char *const prefix[] = {
		"bpf_", "__bpf_", "ftrace", "should_fail", "kmem_cache_", "__kmem_cache", "__kmalloc", "kmalloc", "kzalloc",
		"__slab_", "___slab", "slab_", "__alloc_", "alloc_pages", "alloc_slab", "new_slab", "allocate_slab", "folio_alloc",
		"__folio_alloc", "get_free_page", "__get_free", "get_from_", "refill_", "__refill", "krealloc", "kvmalloc",
		"__kvmalloc", "prepare_alloc", "get_zeroed_page", "___kmalloc", "alloc_from_", "alloc_frozen", "__pcs", "alloc_empty_sheaf",
	};

	for (size_t i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++)
		if (!strncmp(name, prefix[i], strlen(prefix[i])))
			return true;
	return false;
}

/* Text of that module as it is loaded now. What is not may be a module's that came since the symbols were read, or went. */
static bool of_module(const char *module, uint64_t addr)
{
	FILE *f = fopen("/proc/modules", "re");
	unsigned long long size, base;
	bool found = false;
	char line[512], name[64];

	while (f && !found && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, " 0x");

		found = at && sscanf(line, "%63s %llu", name, &size) == 2 && !strcmp(name, module) && sscanf(at, " %llx", &base) == 1 &&
			addr >= base && addr - base < size;
	}
	if (f)
		fclose(f);
	return found;
}

/* Of the recorder's own looking, and of KHO's where it is told who called it. */
static bool looking_frame(const struct vt_wire *w, const char *name)
{
	return !strncmp(name, "get_callchain", 13) || !strncmp(name, "stack_trace_", 12) ||
	       (w->type == VT_EV_KHO_PRESERVE_FOLIO && !strncmp(name, "kho_", 4));
}

static void put_stack(struct convert *c, const struct vt_wire_stack *s)
{
	size_t nr = s->depth > 0 ? s->depth / sizeof(s->ip[0]) : 0, used = 0;
	char text[1024] = "", where[128];
	bool blamed = false;

	for (size_t i = 0; i < nr && i < VT_STACK_MAX; i++) {
		const char *module = "", *name = kernel__sym(c->k, s->ip[i], NULL, &module);

		if (name && *module && s->w.type == VT_EV_KHO_PRESERVE_FOLIO && !of_module(module, s->ip[i]))
			continue;
		if (!name || (!blamed && (allocator_frame(name) || looking_frame(&s->w, name))))
			continue;
		kernel__site(c->k, s->ip[i], where, sizeof(where));
		if (!blamed)
			vt_writer__str(c->w, VT_F_SITE, where);
		blamed = true;
		used += snprintf(text + used, sizeof(text) - used, "%s%s", used ? " < " : "", where);
		if (used >= sizeof(text))
			break;
	}
	if (used)
		vt_writer__str(c->w, VT_F_STACK, text);
}

/* One event. SNAP, STACK: W with what belongs to it, or NULL. */
static int put_event(struct convert *c, const struct vt_wire *w, const struct vt_wire_snap *snap, const struct vt_wire_stack *stack)
{
	char comm[sizeof(w->comm) + 1], session[VT_SESSION_LEN + 1];
	struct vt_stamp stamp;
	const char *func;

	memcpy(comm, w->comm, sizeof(w->comm));
	comm[sizeof(w->comm)] = 0;
	stamp = (struct vt_stamp){ .ts_ns = w->ts_ns, .seq = w->seq, .tgid = w->tgid, .tid = w->tid, .cpu = w->cpu, .comm = comm };
	c->events++;
	births(c, w);
	func = source(c, w);

	vt_writer__begin(c->w, w->type, w->phase, &stamp);
	if (func)
		vt_writer__str(c->w, VT_F_FUNC, func);
	if (w->has_session) {
		memcpy(session, w->session, VT_SESSION_LEN);
		session[VT_SESSION_LEN] = 0;
		vt_writer__str(c->w, VT_F_SESSION, session);
	}
	if (w->within && w->within < VT_EV_MAX)
		vt_writer__str(c->w, VT_F_WITHIN, vt_event_name(w->within));
	if (w->point)
		vt_writer__str(c->w, VT_F_POINT, point_names[w->point]);
	if (w->others)
		vt_writer__u64(c->w, VT_F_OTHERS, w->others);
	put_slots(c, w);
	put_text(c, w);
	put_site(c, domains__site(c->d, w));
	if (snap)
		structfile__emit(c->sf, c->w, snap);
	if (stack)
		put_stack(c, stack);
	deaths(c, w);
	return vt_writer__end(c->w);
}

static void take_over(struct vt_wire *to, const struct vt_wire *from, enum vt_slot s)
{
	to->slot[s] = from->slot[s];
	to->mask |= from->mask & 1ull << s;
	to->fault |= from->fault & 1ull << s;
}

/* What the snapshot left to the record that it came with. */
static void complete(struct vt_wire_snap *s, const struct vt_wire *w)
{
	s->w.ts_ns = w->ts_ns;
	s->w.tgid = w->tgid;
	s->w.tid = w->tid;
	s->w.cpu = w->cpu;
	s->w.others = w->others;
	s->w.type = VT_EV_FILE_SNAP;
	s->w.phase = VT_POINT;
	memcpy(s->w.comm, w->comm, sizeof(s->w.comm));
	s->w.has_session = w->has_session;
	memcpy(s->w.session, w->session, sizeof(s->w.session));
	take_over(&s->w, w, VT_S_TOKEN);
	if (!s->same_device)
		return;
	take_over(&s->w, w, VT_S_DEVICE);
	take_over(&s->w, w, VT_S_DEV_KREF);
	take_over(&s->w, w, VT_S_VFIO_REF);
	take_over(&s->w, w, VT_S_OPEN_COUNT);
	if (w->text_is != VT_TEXT_BDF)
		return;
	s->w.text_is = w->text_is;
	memcpy(s->w.text, w->text, sizeof(s->w.text));
}

static bool well_formed(const struct vt_wire *w)
{
	return w->type && w->type < VT_EV_MAX && w->point < VT_P_MAX;
}

/* A release is told by what comes before it, everything else by what it led to. */
static int put_pair(struct convert *c, const struct vt_wire_pair *p)
{
	struct vt_wire_snap s = p->snap;
	int err, err2 = 0;

	if (!s.w.point)
		return put_event(c, &p->w, NULL, NULL);
	complete(&s, &p->w);
	if (!well_formed(&s.w))
		return -EINVAL;
	if (s.w.point == VT_P_RELEASE)
		err2 = put_event(c, &s.w, &s, NULL);
	err = put_event(c, &p->w, NULL, NULL);
	if (s.w.point != VT_P_RELEASE)
		err2 = put_event(c, &s.w, &s, NULL);
	return err ? err : err2;
}

uint64_t convert__events(const struct convert *c)
{
	return c->events;
}

int convert__record(struct convert *c, const void *data, size_t len)
{
	const struct vt_wire *w = data;

	if (len < sizeof(*w) || !well_formed(w))
		return -EINVAL;
	switch (len) {
	case sizeof(struct vt_wire):
		return put_event(c, w, NULL, NULL);
	case sizeof(struct vt_wire_pair):
		return put_pair(c, data);
	case sizeof(struct vt_wire_stack):
		return put_event(c, w, NULL, data);
	}
	return -EINVAL;
}
