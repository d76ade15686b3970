// SPDX-License-Identifier: GPL-2.0
/*
 * vfio devices and their registration counts: drivers/vfio/{vfio_main,
 * device_cdev,group}.c.
 *
 * Counts are judged at quiet moments only: at the outermost entry or exit of a
 * call on the device, and where a file of it is looked at, while no other task
 * is inside one. Between two of them the count must have moved by opens minus
 * releases; and where all opens were seen, because the registration was, or
 * because nobody may open a device that arrived before its retrieve, it is one
 * more than there are open files.
 */
#include <errno.h>
#include <string.h>

#include "model/build.h"

static bool touches(const struct task *t, const struct device *d)
{
	for (uint32_t i = 0; t && i < t->nr_touched; i++) {
		if (t->touched[i] == d)
			return true;
	}
	return false;
}

static void touch(struct task *t, struct device *d)
{
	if (!t || !t->depth || touches(t, d))
		return;
	if (t->nr_touched == TOUCH_MAX) {
		d->noisy = true;
		return;
	}
	t->touched[t->nr_touched++] = d;
	d->tasks++;
}

/* ---- registration and kref ---- */

/* What is due to change the registration count by N happened. */
static void bump(struct device *d, int64_t n)
{
	d->delta += n;
	d->run += n;
}

/* ---- who may have done it ---- */

static void blame_add(struct blame *l, const struct vt_at *call, struct vt_who who)
{
	if (l->nr < BLAME_MAX)
		l->call[l->nr] = *call;
	l->nr++;
	l->who = who;
}

static void blame_right(struct blame *l, const struct vt_at *at)
{
	l->right = *at;
	l->lookup = (struct vt_at){ 0 };
	l->nr = 0;
	l->who = (struct vt_who){ 0 };
}

/* A call on D is over. */
static void over(struct device *d, const struct vt_at *call, struct vt_who who)
{
	blame_add(&d->blame, call, who);
	blame_add(&d->kref_blame, call, who);
}

/* The count is wrong at NOW, and was right before the calls in L. */
static struct vt_fact *count_fact(struct vt_build *b, enum vt_fact_kind k, struct device *d, struct vt_who who, const struct vt_at *now,
				  const struct blame *l, int64_t want, int64_t seen)
{
	struct vt_fact *x = fact(b, k, who, now);

	x->at[1] = l->right;
	x->from_ns = 0;		/* added up over all that open and release the device */
	for (uint32_t i = 0; i < l->nr && i < BLAME_MAX; i++)
		x->at[2 + i] = l->call[i];
	if (l->nr == 1)
		x->at[3] = l->lookup;
	x->num[0] = want;
	x->num[1] = seen;
	x->num[2] = l->nr;
	if (!x->who.bdf)
		x->who.bdf = d->pub.bdf;
	return x;
}

static void reg_fact(struct vt_build *b, struct device *d, struct vt_who who, const struct vt_at *now, const struct vt_at *before,
		     const struct vt_at *call, int64_t want, int64_t seen)
{
	struct blame l = { .right = *before, .call = { *call }, .nr = 1 };

	count_fact(b, VT_FACT_REG_IMBALANCE, d, who, now, &l, want, seen);
}

/* A registered device has a count of 1 at least, whatever went before: 0 means that somebody put what was not his. */
static void check_up(struct vt_build *b, struct task *t, struct device *d, const struct vt_event *e)
{
	struct file *f = file_get_dying(b, vt_ev_obj(e, VT_F_FILE));
	struct vt_at at;
	int64_t ref;

	if (d->leaving || !vt_ev_s64(e, VT_F_VFIO_REF, &ref))
		return;
	at_set(b, &at, e);
	if (ref > 0) {
		d->up = true;
		d->up_at = at;
	} else if (d->up) {
		d->up = false;
		reg_fact(b, d, f && f->pub.who.session ? f->pub.who : who_task(b, t, e), &at, &d->up_at, &at, 1, ref);
	}
}

static bool in_retrieve(struct task *t)
{
	struct frame *f = frame_op(t);

	return f && f->type == VT_EV_OP_RETRIEVE && f->life && f->life->dir == VT_INCOMING;
}

/* Until it is retrieved and finished nobody opens a device that arrived: every file of it that is open was seen. */
static void find_ref(struct task *t, struct device *d, const struct vt_event *e)
{
	if (!in_retrieve(t) || d->whole || d->noisy || d->run < 0 || !vt_ev_has(e, VT_F_VFIO_REF))
		return;
	d->whole = true;
}

static void find_sample(struct vt_build *b, struct task *t, struct device *d, const struct vt_event *e)
{
	int64_t kref;

	find_ref(t, d, e);
	if (!vt_ev_s64(e, VT_F_DEV_KREF, &kref))
		return;
	if (d->have_kref && kref > d->kref && !d->kref_blame.lookup.type)
		at_set(b, &d->kref_blame.lookup, e);
	if (d->have_find && kref > d->find_kref) {
		d->find_off = true;
		d->find_seen = kref;
		at_set(b, &d->find_off_at, e);
		d->find_who = who_task(b, t, e);
		return;
	}
	d->have_find = true;
	d->find_off = false;
	d->find_kref = kref;
	at_set(b, &d->find_at, e);
}

static void find_confirm(struct vt_build *b, struct device *d, int64_t kref)
{
	struct vt_fact *x;

	if (!d->find_off)
		return;
	d->find_off = false;
	if (kref < d->find_seen)
		return;
	x = fact(b, VT_FACT_KREF_IMBALANCE, d->find_who, &d->find_off_at);
	x->from_ns = 0;
	x->at[1] = d->find_at;
	x->num[0] = d->find_kref;
	x->num[1] = d->find_seen;
	if (!x->who.bdf)
		x->who.bdf = d->pub.bdf;
	d->find_kref = d->find_seen;
	d->find_at = d->find_off_at;
	d->have_kref = d->kref_off = false;	/* said once */
}

static void kref_right(struct device *d, int64_t kref, const struct vt_at *at)
{
	d->have_kref = true;
	d->kref_off = d->kref_most = false;
	d->kref = kref;
	blame_right(&d->kref_blame, at);
}

/* Nobody has called anything yet that we know of: it is not more at rest. */
static void kref_at_most(struct vt_build *b, struct device *d, const struct vt_event *e)
{
	struct vt_at at;
	int64_t kref;

	if (d->noisy || !vt_ev_s64(e, VT_F_DEV_KREF, &kref))
		return;
	at_set(b, &at, e);
	kref_right(d, kref, &at);
	d->kref_most = true;
}

static void kref_fact(struct vt_build *b, struct device *d)
{
	count_fact(b, VT_FACT_KREF_IMBALANCE, d, d->kref_off_blame.who, &d->kref_off_at, &d->kref_off_blame, d->kref, d->kref_seen);
}

static void kref_sample(struct vt_build *b, struct device *d, int64_t kref, const struct vt_at *at)
{
	find_confirm(b, d, kref);
	/* What somebody held for a moment as the recording began is in what it was then. */
	if (!d->have_kref || kref == d->kref || (d->kref_most && kref < d->kref)) {
		kref_right(d, kref, at);
		return;
	}
	/* Others may hold the struct device for a moment: believed when it is still so at the next quiet moment of another call. */
	if (!d->kref_off || d->kref_seen != kref) {
		d->kref_off = true;
		d->kref_seen = kref;
		d->kref_off_at = *at;
		d->kref_off_blame = d->kref_blame;
		return;
	}
	kref_fact(b, d);
	kref_right(d, kref, at);
}

/* A quiet moment. */
static void sample(struct vt_build *b, struct device *d, const struct vt_event *e)
{
	struct vt_at at;
	int64_t ref, kref, want;

	if (d->noisy || !vt_ev_s64(e, VT_F_VFIO_REF, &ref))
		return;
	at_set(b, &at, e);
	if (vt_ev_s64(e, VT_F_DEV_KREF, &kref))
		kref_sample(b, d, kref, &at);
	want = d->whole ? 1 + d->run : d->base + d->delta;
	if ((d->have_base || d->whole) && ref != want) {
		if (!d->blame.right.type && d->find_at.type)
			d->blame.right = d->find_at;
		count_fact(b, VT_FACT_REG_IMBALANCE, d, d->blame.who, &at, &d->blame, want, ref);
		d->run += ref - want;	/* said once */
		d->told += ref - want;
	}
	if (d->have_base)
		d->unverified = 0;
	d->have_base = true;
	d->base = ref;
	d->delta = 0;
	blame_right(&d->blame, &at);
}

/* The outermost call of a task is over. */
static void vfio_idle(struct vt_build *b, struct task *t, const struct frame *root, const struct vt_event *exit)
{
	for (uint32_t i = 0; i < t->nr_touched; i++) {
		struct device *d = t->touched[i];
		struct vt_at at;

		if (d->tasks)
			d->tasks--;
		if (!exit) {
			d->noisy = true;	/* how it ended is unknown */
			continue;
		}
		/* A call on the device alone has been looked at as it returned, and so have callbacks. */
		if (root->vfio.device == d->pub.obj || (d->called && d->called >= root->enter.index))
			continue;
		at_set(b, &at, exit);
		over(d, &at, root->life ? who_life(b, root->life) : (struct vt_who){ .bdf = d->pub.bdf });
	}
	t->nr_touched = 0;
}

/* What LUO does around a callback touches no device. */
static void vfio_returned(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct vt_at at;

	if (!kind_is_op(e->type) || !t || !t->nr_touched)
		return;
	at_set(b, &at, e);
	for (uint32_t i = 0; i < t->nr_touched; i++) {
		over(t->touched[i], &at, f->life ? who_life(b, f->life) : (struct vt_who){ .bdf = t->touched[i]->pub.bdf });
		t->touched[i]->called = at.index;
	}
}

static bool is_open(uint16_t type)
{
	return type == VT_EV_VFIO_CDEV_OPEN || type == VT_EV_VFIO_LU_OPEN || type == VT_EV_VFIO_OPEN_COMMON ||
	       type == VT_EV_VFIO_GROUP_OPEN;
}

/* Below another open of the same task it is the same open. */
static bool outermost_open(struct task *t)
{
	uint32_t opens = 0;

	for (uint32_t i = 0; t && i < t->depth; i++)
		opens += is_open(t->f[i].type);
	return opens <= 1;
}

/*
 * On the group's path the registration is taken before, by
 * vfio_device_get_from_name(): counted there when that get is seen.
 */
static bool takes_registration(struct vt_build *b, uint16_t type)
{
	return type != VT_EV_VFIO_GROUP_OPEN || !b->side->seen_type[VT_EV_VFIO_GET_REG];
}

/* The innermost open that returns counts, for all around it: of one of them the return may be missing. */
static void count_registration(struct vt_build *b, struct task *t, struct frame *f, struct device *d, const struct vt_event *e)
{
	if (is_err(e)) {
		if (f->vfio.counted)
			bump(d, -1);
		return;
	}
	if (!f->vfio.counted && takes_registration(b, e->type))
		bump(d, 1);
	for (uint32_t i = 0; i < t->depth; i++)
		t->f[i].vfio.counted |= is_open(t->f[i].type);
}

static void count_open(struct vt_build *b, struct task *t, struct device *d, const struct vt_event *e)
{
	if (e->type == VT_EV_VFIO_LU_OPEN || frame_of(t, VT_EV_OP_RETRIEVE))
		return;
	device_opened(b, d, e);
}

static void busy_after_finish(struct vt_build *b, struct device *d, const struct vt_event *e)
{
	const struct vt_life *l = d->pub.life;
	struct vt_fact *x;
	struct vt_at at;
	int64_t ret;

	if (!l || !vt_ev_s64(e, VT_F_RET, &ret) || ret != -EBUSY || e->type != VT_EV_VFIO_CDEV_OPEN)
		return;
	if (l->state != VT_LIFE_FINISHED || !l->session->finish.type || l->session->finish.ts_ns > e->ts_ns)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_BUSY_AFTER_FINISH, who_life(b, l), &at);
	x->at[1] = l->session->finish;
}

/* A get or put outside every call that we know: somebody else's pin, such as a dma-buf's. */
static void outside(struct device *d, const struct vt_event *e)
{
	int64_t ret;

	if (e->type == VT_EV_VFIO_GET_REG && vt_ev_s64(e, VT_F_RET, &ret) && ret)
		bump(d, 1);
	if (e->type == VT_EV_VFIO_PUT_REG)
		bump(d, -1);
}

static void found(struct vt_build *b, struct task *t, struct device *d, const struct vt_event *e)
{
	struct frame *f = frame_op(t);

	if (!f || is_err(e))
		return;
	if (d)
		find_sample(b, t, d, e);
	/* Whatever becomes of it: this is the device that the state names. */
	if (d && f->life && f->life->dir == VT_INCOMING && f->type == VT_EV_OP_RETRIEVE && !f->life->bdf)
		f->life->bdf = d->pub.bdf;
	at_set(b, &f->vfio.found, e);
}

/* 1 is that of the registration itself: what was found is held by nothing that the driver waits for. */
static void unpinned(struct vt_build *b, struct task *t, struct frame *op, struct device *d, const struct vt_event *e, int64_t ref)
{
	struct vt_fact *x;
	struct vt_at at;

	if (ref != 1 || op->vfio.unpinned)
		return;
	op->vfio.unpinned = true;
	/* What it holds instead is the struct device, until retrieve returns. */
	if (!d->have_kref && d->have_find && d->find_at.index == op->vfio.found.index) {
		d->have_kref = true;
		d->kref = d->find_kref - 1;
		blame_right(&d->kref_blame, &d->find_at);
	}
	at_set(b, &at, e);
	x = fact(b, VT_FACT_LOOKUP_UNPINNED, who_task(b, t, e), &at);
	x->at[1] = op->vfio.found;
	if (!x->who.bdf)
		x->who.bdf = d->pub.bdf;
}

/* The driver went away between finding the device and pinning it. */
static void check_under(struct vt_build *b, struct task *t, struct device *d, const struct vt_event *e)
{
	struct frame *f = frame_op(t);
	struct vt_fact *x;
	struct vt_at at;
	int64_t ref;

	if (!f || !f->vfio.found.type)
		return;
	if (!vt_ev_s64(e, VT_F_VFIO_REF, &ref))
		ref = 2;
	unpinned(b, t, f, d, e, ref);
	if (ref > 0 && !(d->unregistered.type && d->unregistered.index > f->vfio.found.index))
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_UNREGISTER_UNDER, who_task(b, t, e), &at);
	x->at[1] = f->vfio.found;
	x->at[2] = d->unregistered;
	x->num[0] = ref;
	if (!x->who.bdf)
		x->who.bdf = d->pub.bdf;
}

/* ---- calls ---- */

static void release_enter(struct vt_build *b, struct task *t, const struct vt_event *e, struct device *d)
{
	struct file *f = file_get_dying(b, vt_ev_obj(e, VT_F_FILE));
	uint64_t obj = vt_ev_obj(e, VT_F_DF), ignored;
	bool unreadable = vt_ev_has(e, VT_F_DF) && !vt_ev_told(e, VT_F_DF, &ignored);
	struct vt_fact *x;
	struct vt_at at;

	if (!obj && !unreadable) {
		at_set(b, &at, e);
		x = fact(b, VT_FACT_RELEASE_NULL, f ? f->pub.who : who_task(b, t, e), &at);
		if (f) {
			x->at[1] = f->pub.made;
			x->at[2] = f->pub.failed;
		}
		if (d && !x->who.bdf)
			x->who.bdf = d->pub.bdf;
	}
	/* One put, of what the open got: a file whose open failed has nothing to give back. */
	if (d && !(f && f->pub.failed.type))
		bump(d, -1);
}

static void vfio_enter(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct device *d = device_get(b, e);
	bool alone;

	if (!d) {
		if (e->type == VT_EV_VFIO_RELEASE)
			release_enter(b, t, e, NULL);
		return;
	}
	alone = t->depth == 1 && d->tasks == (touches(t, d) ? 1u : 0u);
	f->vfio.device = d->pub.obj;
	if (alone)
		sample(b, d, e);
	f->vfio.have_ref = d->tasks == (touches(t, d) ? 1u : 0u) && vt_ev_s64(e, VT_F_VFIO_REF, &f->vfio.ref);
	f->vfio.run = d->run;
	touch(t, d);
	if (e->type == VT_EV_VFIO_RELEASE)
		release_enter(b, t, e, d);
	if (e->type == VT_EV_VFIO_LU_OPEN || e->type == VT_EV_VFIO_OPEN_COMMON)
		check_under(b, t, d, e);
	if (e->type == VT_EV_VFIO_UNREGISTER) {
		d->leaving = true;
		bump(d, -1);
	}
}

static void bound(const struct frame *f, struct device *d, const struct vt_event *e)
{
	if (f->life && f->life->dir == VT_INCOMING && !is_err(e))
		device_bind(d, f->life);
}

/*
 * One call, entry against exit: whatever pins are held around it, it moves the
 * count by what it does and nothing else.
 */
static void check_call(struct vt_build *b, struct task *t, struct frame *f, struct device *d, const struct vt_event *e)
{
	int64_t seen, want = f->vfio.ref + d->run - f->vfio.run;
	struct vt_at at;

	if (e->type == VT_EV_VFIO_RELEASE && !vt_ev_has(e, VT_F_VFIO_REF) && f->vfio.puts != 1)
		d->unverified++;
	if (!f->vfio.have_ref || d->noisy || d->tasks != 1 || !touches(t, d) || !vt_ev_s64(e, VT_F_VFIO_REF, &seen))
		return;
	if (is_open(e->type) && !is_err(e) && !f->vfio.counted && takes_registration(b, e->type))
		want++;
	if (is_open(e->type) && is_err(e) && f->vfio.counted)
		want--;
	if (seen == want)
		return;
	at_set(b, &at, e);
	reg_fact(b, d, f->life ? who_life(b, f->life) : (struct vt_who){ .bdf = d->pub.bdf }, &at, &f->enter, &at, want, seen);
	bump(d, seen - want);	/* said once */
}

static void unregistered(struct vt_build *b, struct device *d, const struct vt_event *e)
{
	at_set(b, &d->unregistered, e);
	d->pub.unregistered = true;
	d->noisy = true;	/* nothing is due of the count until the device is registered again */
	d->have_base = d->have_kref = d->kref_off = d->have_find = d->find_off = false;
	d->unverified = 0;
	d->delta = 0;
	d->whole = false;
	memset(&d->blame, 0, sizeof(d->blame));
	memset(&d->kref_blame, 0, sizeof(d->kref_blame));
}

static void vfio_exit(struct vt_build *b, struct task *t, struct frame *f, const struct vt_event *e)
{
	struct device *d = device_get(b, e);
	bool err = is_err(e), alone;

	if (!d)
		d = device_known(b, f->vfio.device);
	if (!d)
		return;
	if (!f->enter.type) {
		/* Its entry is not known: the count may have moved by anything. */
		d->have_base = d->whole = false;
		d->delta = 0;
		return;
	}
	if (is_open(e->type) || e->type == VT_EV_VFIO_RELEASE) {
		check_up(b, t, d, e);
		check_call(b, t, f, d, e);
	}
	if (is_open(e->type))
		count_registration(b, t, f, d, e);
	if (is_open(e->type) && outermost_open(t)) {
		if (!err)
			count_open(b, t, d, e);
		busy_after_finish(b, d, e);
	}
	if (e->type == VT_EV_VFIO_LU_OPEN || e->type == VT_EV_VFIO_OPEN_COMMON)
		bound(f, d, e);
	alone = t->depth == 1 && d->tasks == 1 && touches(t, d);
	if (e->type == VT_EV_VFIO_UNREGISTER) {
		unregistered(b, d, e);
	} else if (t->depth == 1) {
		struct vt_at at;

		at_set(b, &at, e);
		over(d, &at, f->life ? who_life(b, f->life) : (struct vt_who){ .bdf = d->pub.bdf });
		if (alone && vt_ev_has(e, VT_F_VFIO_REF))
			sample(b, d, e);
	}
}

/* ---- the rest ---- */

/* A zap passes by a VMA of the device that hangs in another mapping: the proof of what is wrong with that. */
static void zapped(struct vt_build *b, const struct vt_event *e)
{
	uint64_t mapping = vt_ev_obj(e, VT_F_MAPPING), vmas;

	for (size_t i = 0; mapping && i < b->side->nr_devices; i++) {
		struct device *d = (struct device *)b->side->devices[i];
		struct vt_fact *x = d->mapping == mapping && d->astray ? &b->side->facts[d->astray - 1] : NULL;

		if (!x || x->at[1].type)
			continue;
		at_set(b, &x->at[1], e);
		if (vt_ev_u64(e, VT_F_VMAS, &vmas))
			x->num[1] = (int64_t)vmas;
	}
}

static void mapped(struct vt_build *b, struct device *d, const struct vt_event *e)
{
	struct vt_fact *x;
	struct vt_at at;
	uint64_t v;

	if (is_err(e) || !d || !d->mapping || !vt_ev_told(e, VT_F_VMA_MAPPING, &v))
		return;
	b->side->mappings_compared++;
	if (v == d->mapping)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_MMAP_MAPPING, (struct vt_who){ .bdf = d->pub.bdf }, &at);
	x->num[0] = (int64_t)v;
	x->num[1] = -1;
	if (!d->astray && b->side->nr_facts && x == &b->side->facts[b->side->nr_facts - 1])
		d->astray = b->side->nr_facts;
}

static void registered(struct device *d)
{
	d->have_base = d->have_kref = d->have_find = d->find_off = false;
	d->delta = d->run = d->told = 0;
	d->whole = true;
	d->pub.unregistered = d->noisy = d->leaving = d->up = false;
	memset(&d->blame, 0, sizeof(d->blame));
	memset(&d->kref_blame, 0, sizeof(d->kref_blame));
}

/* A file of the device is looked at, or used: in no call on the device, and right behind the callback. */
static void looked_at(struct vt_build *b, struct task *t, struct device *d, const struct vt_event *e)
{
	for (uint32_t i = 0; t && i < t->depth; i++) {
		if (kind_is_vfio(t->f[i].type))
			return;
	}
	if (d->tasks == (touches(t, d) ? 1u : 0u))
		sample(b, d, e);
}

static void used(struct vt_build *b, struct task *t, const struct vt_event *e)
{
	struct device *d;

	if (e->phase == VT_ENTER && e->type != VT_EV_VFIO_ZAP)
		return;
	d = device_get(b, e);
	if (d)
		touch(t, d);
	switch (e->type) {
	case VT_EV_VFIO_GET_REG: case VT_EV_VFIO_PUT_REG:
		if (d && !(t && t->depth))
			outside(d, e);
		else if (e->type == VT_EV_VFIO_PUT_REG && frame_of(t, VT_EV_VFIO_RELEASE))
			frame_of(t, VT_EV_VFIO_RELEASE)->vfio.puts++;
		break;
	case VT_EV_VFIO_FIND:
		found(b, t, d, e);
		break;
	case VT_EV_VFIO_REGISTER:
		if (d && !is_err(e)) {
			registered(d);
			kref_at_most(b, d, e);
		}
		break;
	case VT_EV_VFIO_DEVICE:
		if (d)
			kref_at_most(b, d, e);
		break;
	case VT_EV_FILE_SNAP: case VT_EV_VFIO_BIND:
		if (d)
			looked_at(b, t, d, e);
		break;
	case VT_EV_VFIO_MMAP:
		mapped(b, d, e);
		if (d)
			looked_at(b, t, d, e);
		break;
	case VT_EV_VFIO_ZAP:
		zapped(b, e);
		break;
	default:
		break;
	}
}

static const struct heard vfio_points[] = {
	{ VT_EV_VFIO_DF_ALLOC, used }, { VT_EV_VFIO_GET_REG, used }, { VT_EV_VFIO_PUT_REG, used }, { VT_EV_VFIO_FIND, used },
	{ VT_EV_VFIO_BIND, used }, { VT_EV_VFIO_DF_OPEN, used }, { VT_EV_VFIO_DF_CLOSE, used }, { VT_EV_VFIO_REGISTER, used }, { VT_EV_VFIO_DEVICE, used },
	{ VT_EV_VFIO_MMAP, used }, { VT_EV_VFIO_ZAP, used }, { VT_EV_FILE_SNAP, used }, { 0 },
};

/* Nothing quiet came after it to prove it wrong. */
static void vfio_finalize(struct vt_build *b)
{
	struct vt_side *s = b->side;

	for (size_t i = 0; i < s->nr_devices; i++) {
		struct device *d = (struct device *)s->devices[i];

		s->unverified_releases += d->unverified;
		if (d->kref_off && d->kref_off_blame.nr == 1 && d->kref_off_blame.call[0].has_ret && d->kref_off_blame.call[0].ret < 0)
			kref_fact(b, d);
	}
}

const struct part part_vfio = {
	.areas = AREA(VFIO),
	.enter = vfio_enter, .exit = vfio_exit, .points = vfio_points, .idle = vfio_idle, .call_returned = vfio_returned, .returned_areas = AREA(OP), .life_gone = device_unbind,
	.finalize = vfio_finalize,
};
