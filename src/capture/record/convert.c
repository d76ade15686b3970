/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/convert.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/domain/list.h"
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
	struct engine *engine;
	struct kernel *k;
	struct vt_writer *w;
	struct ident *id;
	struct structfile *sf;
	bool files_born;	/* allocations of luo_files are seen */
	uint64_t events;
};

int convert__new(struct convert **out, struct engine *e, struct kernel *k, struct vt_writer *w)
{
	struct convert *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->engine = e;
	c->k = k;
	c->w = w;
	c->id = ident__new();
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
	ident__free(c->id);
	structfile__free(c->sf);
	free(c);
}

static bool has(const struct vt_wire *w, enum vt_slot s)
{
	return w->mask & 1ull << s && !(w->fault & 1ull << s);
}

/* Of obj.alloc and obj.free: one slot for each class. */
static enum vt_slot object_slot(const struct vt_wire *w)
{
	return has(w, VT_S_OBJ_LUO_FILE) ? VT_S_OBJ_LUO_FILE : has(w, VT_S_OBJ_SESSION) ? VT_S_OBJ_SESSION : VT_S_OBJ_OTHER;
}

static enum vt_class object_class(const struct vt_wire *w)
{
	return slots[object_slot(w)].cls;
}

static uint64_t object_ptr(const struct vt_wire *w)
{
	return w->slot[object_slot(w)];
}

/* Events that show an object for the first time in its life, so that an address seen before is another one's. */
static void births(struct convert *c, const struct vt_wire *w)
{
	bool ok = has(w, VT_S_RET) ? w->slot[VT_S_RET] == 0 : true;

	if (w->type == VT_EV_OBJ_ALLOC)
		ident__born(c->id, object_class(w), object_ptr(w));
	/* Where the allocation is seen the object has its name already. */
	if (w->type == VT_EV_OBJ_ALLOC && object_class(w) == VT_C_LUO_FILE)
		c->files_born = true;
	else if (w->type == VT_EV_LUO_FILE || (w->type == VT_EV_LUO_PRESERVE && w->phase == VT_EXIT && ok))
		if (has(w, VT_S_LUO_FILE) && !c->files_born)
			ident__born(c->id, VT_C_LUO_FILE, w->slot[VT_S_LUO_FILE]);
	if (w->type == VT_EV_VFIO_DF_ALLOC && has(w, VT_S_DF))
		ident__born(c->id, VT_C_DF, w->slot[VT_S_DF]);
	if ((w->type == VT_EV_FILE_ANON || (w->type == VT_EV_VFIO_CDEV_OPEN && w->phase == VT_ENTER)) && has(w, VT_S_FILE))
		ident__born(c->id, VT_C_FILE, w->slot[VT_S_FILE]);
	if (w->type == VT_EV_VFIO_MMAP && has(w, VT_S_VMA))
		ident__born(c->id, VT_C_VMA, w->slot[VT_S_VMA]);
	if (w->type == VT_EV_VFIO_REGISTER && ok && has(w, VT_S_DEVICE))
		ident__born(c->id, VT_C_DEVICE, w->slot[VT_S_DEVICE]);
}

static void deaths(struct convert *c, const struct vt_wire *w)
{
	if (w->type == VT_EV_FILE_FPUT)
		ident__died(c->id, VT_C_FILE, w->slot[VT_S_FILE]);
	if (w->type == VT_EV_OBJ_FREE)
		ident__died(c->id, object_class(w), object_ptr(w));
	if (w->type == VT_EV_MEM_FREE)
		ident__died(c->id, VT_C_DF, w->slot[VT_S_OBJ]);
	if (w->type == VT_EV_VFIO_UNREGISTER && w->phase == VT_EXIT && has(w, VT_S_DEVICE))
		ident__died(c->id, VT_C_DEVICE, w->slot[VT_S_DEVICE]);
}

/*
 * Release comes after __fput()'s entry and may come after a free: there the
 * object that was at the address is meant, dead or not.
 */
static uint64_t object(struct convert *c, const struct vt_wire *w, enum vt_class cls, uint64_t ptr)
{
	bool parting = w->type == VT_EV_VFIO_RELEASE || w->type == VT_EV_FILE_FPUT || w->type == VT_EV_MEM_FREE ||
		       w->type == VT_EV_OBJ_FREE ||
		       (w->type == VT_EV_FILE_SNAP && w->point == VT_P_RELEASE);
	uint64_t obj = parting ? ident__last(c->id, cls, ptr) : 0;

	return obj ? obj : ident__get(c->id, cls, ptr);
}

static void put_slots(struct convert *c, const struct vt_wire *w)
{
	for (int s = 0; s < VT_S_MAX; s++) {
		int field = slots[s].field;

		if (!(w->mask & 1ull << s))
			continue;
		if (w->fault & 1ull << s)
			vt_writer__err(c->w, field, (int)w->slot[s]);
		else if (slots[s].cls)
			vt_writer__u64(c->w, field, object(c, w, slots[s].cls, w->slot[s]));
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

static bool at_call_site(unsigned int type)
{
	return type == VT_EV_MEM_FREE || type == VT_EV_OBJ_ALLOC || type == VT_EV_OBJ_FREE || type == VT_EV_MODULE_GET ||
	       type == VT_EV_MODULE_PUT || type == VT_EV_FD_INSTALL;
}

/* The row behind the record: its function goes into the event, its counter goes up. */
static const char *source(struct convert *c, const struct vt_wire *w)
{
	const struct site *site = at_call_site(w->type) ? engine__site(c->engine, w->site) : NULL;
	uint64_t key = site ? site->addr : has(w, VT_S_HANDLER) ? w->slot[VT_S_HANDLER] : 0;
	struct plan_row *r = plan__source(engine__plan(c->engine), w->type, w->phase == VT_EXIT, key, w->variant);

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

static void put_stack(struct convert *c, const struct vt_wire_stack *s)
{
	size_t nr = s->depth > 0 ? s->depth / sizeof(s->ip[0]) : 0, used = 0;
	char text[1024] = "", where[128];
	bool blamed = false;

	for (size_t i = 0; i < nr && i < VT_STACK_MAX; i++) {
		const char *name = kernel__sym(c->k, s->ip[i], NULL, NULL);

		if (!name || (!blamed && allocator_frame(name)))
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
	put_slots(c, w);
	put_text(c, w);
	if (at_call_site(w->type))
		put_site(c, engine__site(c->engine, w->site));
	if (w->type == VT_EV_VFIO_DF_ALLOC && has(w, VT_S_DF))
		put_site(c, engine__df_alloc(c->engine));
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
