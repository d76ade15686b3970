// SPDX-License-Identifier: GPL-2.0
/*
 * One pass over a trace: the reader gives events, calls.c says which call they
 * are of, and the parts make of them what they know.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

#define PART_PLACE(name) [PART_##name] = &part_##name,
static const struct part *const parts[NR_PARTS + 1] = { PARTS(PART_PLACE) };

/* ---- one event ---- */

/* Drivers look for what arrived for them, and devices come, before LUO does anything. */
static bool of_luo(const struct vt_event *e)
{
	switch (kind_area(e->type)) {
	case VT_AREA_FLB:
	case VT_AREA_FILE:
	case VT_AREA_VFIO:
	case VT_AREA_DF:
	case VT_AREA_IOMMUFD:
		return vt_ev_str(e, VT_F_WITHIN);
	default:
		return true;
	}
}

/* A callback of vfio's handler works on a device. can_preserve is asked of every handler, for any file. */
static bool calls_vfio(const struct vt_event *e)
{
	const char *compatible = kind_is_op(e->type) && e->type != VT_EV_OP_CAN_PRESERVE ? vt_ev_str(e, VT_F_COMPATIBLE) : NULL;

	return compatible && strstr(compatible, "vfio");
}

static void first_of_type(struct vt_side *s, const struct vt_event *e)
{
	if (!s->events)
		s->start_ns = e->ts_ns;
	s->first_type_ns[e->type] = e->ts_ns;
	s->saw_vfio |= kind_is_vfio(e->type);
}

static void note_time(struct vt_side *s, const struct vt_event *e)
{
	const uint64_t now = e->ts_ns;
	const uint16_t type = e->type;

	if (!s->seen_type[type]++)
		first_of_type(s, e);
	s->events++;
	if (e->phase == VT_EXIT) {
		s->seen_exit[type]++;
		s->failed_type[type] += is_err(e);
	}
	if (now > s->end_ns)
		s->end_ns = now;
	if (kind_area(type) == VT_AREA_REC || type == VT_EV_UNKNOWN) {
		s->drained |= type == VT_EV_REC_DRAINED && s->jumped;
		return;
	}
	if (!s->first_ns || now < s->first_ns)
		s->first_ns = now;
	if (!s->first_call_ns && of_luo(e))
		s->first_call_ns = now;
	if (now > s->last_ns)
		s->last_ns = now;
	if (!s->first_vfio_ns && (kind_is_vfio(type) || calls_vfio(e)))
		s->first_vfio_ns = now;
}

/* The tool preserves a file of its own when it carries a trace over. It does not judge that. */
static bool is_own(struct vt_build *b, const struct vt_event *e)
{
	const char *session = vt_ev_str(e, VT_F_SESSION);

	if (!session || session == b->other_session)
		return false;
	if (!strcmp(session, VT_OWN_SESSION))
		return true;
	b->other_session = session;
	return false;
}

/*
 * The session in which a trace was carried over is there after an update, and
 * LUO reads it together with all others: who sees it, and neither that nor how it is given on, came late.
 */
static void own_seen(struct vt_build *b, const struct vt_event *e)
{
	struct vt_side *s = b->side;
	int64_t ret = 0;
	bool told = vt_ev_s64(e, VT_F_RET, &ret);

	s->events++;
	if (!s->own_events++)
		at_set(b, &s->own_at, e);
	switch (e->type) {
	case VT_EV_LUO_DESERIALIZE: case VT_EV_LUO_FILE:
		s->own_read = true;
		break;
	case VT_EV_SESSION_CREATE: case VT_EV_LUO_PRESERVE: case VT_EV_OP_PRESERVE: case VT_EV_LUO_FREEZE: case VT_EV_OP_FREEZE:
		s->own_given = true;
		break;
	default:
		break;
	}
	/* Who asks for it where nothing was carried is told that there is none. */
	s->own_there |= e->type != VT_EV_SESSION_RETRIEVE || (told && ret >= 0);
}

static void feed(struct vt_build *b, const struct vt_event *e)
{
	struct task *t;

	b->now_ns = e->ts_ns;
	while (b->coverage.tear_at < b->coverage.nr_tears && e->ts_ns > b->coverage.tears[b->coverage.tear_at].to_ns) {
		calls_torn(b, b->coverage.tears[b->coverage.tear_at].to_ns, b->coverage.tears[b->coverage.tear_at].vfio_only);
		b->coverage.tear_at++;
	}
	if (is_own(b, e)) {
		own_seen(b, e);
		return;
	}
	note_time(b->side, e);
	if (e->phase != VT_POINT && kind_is_call(e->type)) {
		if (e->phase == VT_ENTER)
			call_enter(b, e);
		else
			call_exit(b, e);
		return;
	}
	t = task_of(b, e);
	tell_all(b, hear, b->audience.points[e->type], t, e);
}

/* ---- a side ---- */

static void judge_frame(struct vt_side *s)
{
	bool ended = vt_trace__ended(s->trace) != NULL;

	for (size_t i = 0; i < vt_trace__damage_nr(s->trace); i++) {
		if (vt_trace__damage(s->trace, i)->kind == VT_D_TRUNCATED)
			s->truncated = true;
		else
			s->damaged = true;
	}
	/* After the jump nothing is missed, but what was lost before it is told in the blocks that came last: those before rec.drained. */
	s->ending = ended ? VT_END_STOPPED : s->jumped && s->drained ? VT_END_JUMP : VT_END_CUT;
}

/*
 * The list of what arrived is read once in a boot, at the first open of
 * /dev/liveupdate, and is read in vain where a handler is missing that comes later.
 */
static void handler_late(struct vt_build *b, const struct vt_event *e)
{
	struct vt_side *s = b->side;
	struct vt_fact *x;
	struct vt_at at;

	if (!s->deserialized || s->deserialize_ret != -ENOENT)
		return;
	at_set(b, &at, e);
	x = fact(b, VT_FACT_HANDLER_LATE, (struct vt_who){ .compatible = intern(b, vt_ev_str(e, VT_F_COMPATIBLE)) }, &at);
	x->at[1] = s->deserialize_at;
}

/* A name that is left out would be one that differs from itself. */
static int names_full(const struct vt_build *b)
{
	return b->evidence.strings.full ? -E2BIG : 0;
}

/* Counts that all tasks change. */
static const enum vt_field shared_counts[] = { VT_F_VFIO_REF, VT_F_DEV_KREF, VT_F_OPEN_COUNT, VT_F_MOD_REF, VT_F_FLB_COUNT, VT_F_FLB_COUNT_IN };

/* Of E, whose counts are not those of its time: as if they could not be read. KNOWN is room for its fields. */
static void forget_counts(struct vt_event *e, struct vt_known known[VT_F_MAX])
{
	memcpy(known, e->at, VT_F_MAX * sizeof(*known));
	for (size_t i = 0; i < sizeof(shared_counts) / sizeof(shared_counts[0]); i++)
		known[shared_counts[i]].kind = 0;
	e->at = known;
}

static int read_events(struct vt_build *b, struct vt_event *e)
{
	struct vt_known known[VT_F_MAX];
	struct vt_side *s = b->side;
	struct vt_block_at block = { 0 };
	int ret;

	while ((ret = vt_trace__next(s->trace, e)) > 0) {
		if (e->block != block.offset) {
			if (coverage_damage(b, &block, e->block, e->ts_ns))
				calls_torn(b, e->ts_ns, false);
			block = (struct vt_block_at){ .offset = e->block, .first_ns = e->ts_ns };
			vt_strings__next_text(&b->evidence.strings);
			vt_strings__next_text(&b->evidence.comms);
			b->other_session = NULL;
		}
		if (vt_ev_has(e, VT_F_OTHERS))
			forget_counts(e, known);
		feed(b, e);
		if (e->type == VT_EV_REC_HANDLER)
			handler_late(b, e);
		if (b->err)
			return b->err;
		ret = names_full(b);
		if (ret)
			return ret;
	}
	coverage_damage(b, &block, UINT64_MAX, UINT64_MAX);
	return ret;
}

/*
 * A task is inside of a call, in which anything may come. An unbind that has
 * come to vfio_unregister_group_dev() only waits for what others have.
 */
static bool at_work(const struct vt_build *b)
{
	for (const struct task *t = b->calls.busy; t; t = t->next) {
		if (t->depth != 1 || t->f[0].type != VT_EV_VFIO_UNREGISTER)
			return true;
	}
	return false;
}

static void finalize(struct vt_build *b)
{
	judge_frame(b->side);
	b->side->inside = at_work(b);
	for (int i = 0; i < NR_PARTS; i++) {
		if (parts[i]->finalize)
			parts[i]->finalize(b);
	}
	/* Calls that never came back: of the jump, or of the moment the recorder stopped. */
	calls_free(b);
	coverage_finalize(b);
}

static void seat(const struct part **list, const struct part *p)
{
	while (*list)
		list++;
	*list = p;
}

static void seat_points(struct audience *a, const struct heard *h)
{
	for (; h && h->hear; h++) {
		const struct heard **list = a->points[h->type];

		while (*list)
			list++;
		*list = h;
	}
}

#define SEAT(what) \
	do { \
		if (p->what) \
			seat(a->what, p); \
	} while (0)
#define SEAT_BY_AREA(what, of) \
	do { \
		for (int n = 0; p->what && n < VT_AREA_MAX; n++) { \
			if ((of) & 1u << n) \
				seat(a->what[n], p); \
		} \
	} while (0)

static void audience_of(struct audience *a, const struct part *p)
{
	SEAT_BY_AREA(enter, p->areas);
	SEAT_BY_AREA(exit, p->areas);
	seat_points(a, p->points);
	SEAT(made_failed);
	SEAT(idle);
	SEAT(call_begun);
	SEAT_BY_AREA(call_returned, p->returned_areas ? p->returned_areas : ~0u);
	SEAT(life_ended);
	SEAT(life_gone);
	SEAT(session_gone);
}

/* Which part hears of what, and room for what each keeps. */
static int parts_begin(struct vt_build *b)
{
	for (int i = 0; i < NR_PARTS; i++) {
		audience_of(&b->audience, parts[i]);
		b->own[i] = parts[i]->size ? calloc(1, parts[i]->size) : NULL;
		if (parts[i]->size && !b->own[i])
			return -ENOMEM;
	}
	return 0;
}

/* Bytes of a page, as the recorder tells: recorders on x86-64 once did not. */
static uint64_t page_of(const struct vt_trace *t)
{
	const char *told = vt_trace__meta(t, "page_size");
	uint64_t page = told ? strtoull(told, NULL, 10) : 0;

	return page >= 4096 && page <= 65536 && !(page & (page - 1)) ? page : 4096;
}

/* One pass over the trace T, which *OUT takes over. */
static int build(struct vt_trace *t, const char *path, const char *label, struct vt_side **out)
{
	struct vt_build *b = calloc(1, sizeof(*b));
	struct vt_event *e = malloc(sizeof(*e));
	int ret = -ENOMEM;

	if (!b || !e)
		goto out;
	*out = b->side = &b->pub;
	b->side->label = label;
	b->side->path = strdup(path);
	ret = b->side->path ? parts_begin(b) : -ENOMEM;
	b->side->trace = t;
	b->side->page = page_of(t);
	b->side->single_pages = !strcmp(vt_trace__told(t, "large_folios") ?: "", "no");
	vt_strings__next_text(&b->evidence.strings);
	vt_strings__next_text(&b->evidence.comms);
	if (!ret)
		ret = coverage_begin(b);
	if (!ret)
		ret = read_events(b, e);
	if (ret < 0)
		goto out;
	finalize(b);
	ret = b->err ? b->err : names_full(b);
out:
	if (!*out)
		free(b);
	free(e);
	return ret;
}

/*
 * That numbers are missing is known when all was read. What was lost between
 * two records must tear the calls around it, so all is read once more: rare
 * enough, and nothing is paid for it where nothing is missing.
 */
int vt_side__load(const char *path, const char *label, struct vt_side **out, char **why)
{
	struct vt_trace *t;
	int ret = vt_trace__open(path, &t, why);

	*out = NULL;
	if (ret)
		return ret;
	ret = build(t, path, label, out);
	if (!ret && vt_trace__unsaid_nr(t)) {
		(*out)->trace = NULL;
		vt_side__free(*out);
		*out = NULL;
		vt_trace__rewind(t);
		ret = build(t, path, label, out);
	}
	if (!*out)
		vt_trace__free(t);
	if (ret) {
		vt_side__free(*out);
		*out = NULL;
	}
	/* The only one of its kind, and for no want of memory: other names would be taken for each other. */
	if (ret != -E2BIG)
		return ret;
	if (why)
		*why = strdup("its names take more than 16 MB, which no recording does");
	return -EBADMSG;
}

void vt_side__free(struct vt_side *s)
{
	struct vt_build *b = build_of(s);

	if (!s)
		return;
	calls_free(b);
	/* All of them before what any of them keeps: luo.c, the first, tells the others what goes. */
	for (int i = 0; i < NR_PARTS; i++) {
		if (parts[i]->free && b->own[i])
			parts[i]->free(b);
	}
	for (int i = 0; i < NR_PARTS; i++)
		free(b->own[i]);
	reg_devices_free(b);
	reg_files_free(b);
	reg_sessions_free(b);
	coverage_free(b);
	evidence_free(b);
	vt_trace__free(s->trace);
	free(s->path);
	free(b);
}
