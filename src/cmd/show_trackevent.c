// SPDX-License-Identifier: GPL-2.0
/* The view for ui.perfetto.dev and trace_processor: Perfetto's own format, packets of protobuf. */
#include <stdlib.h>
#include <string.h>

#include "cmd/show_perfetto.h"
#include "track_event.pb-c.h"
#include "vfiotrace/hash.h"

#define FIELDS_MAX 64	/* of an event, that are written */

struct out {
	ProtobufCBuffer base;	/* first: it is what protobuf-c is given */
	FILE *f;
};

static void append(ProtobufCBuffer *buffer, size_t len, const uint8_t *data)
{
	struct out *o = (struct out *)buffer;

	fwrite(data, 1, len, o->f);
}

/* A trace is packets one behind the other, so that nothing is kept. */
static void put_packet(struct out *o, Vfiotrace__TracePacket *packet)
{
	Vfiotrace__TracePacket *packets[] = { packet };
	Vfiotrace__Trace trace = VFIOTRACE__TRACE__INIT;

	packet->has_trusted_packet_sequence_id = true;
	packet->trusted_packet_sequence_id = 1;
	trace.n_packet = 1;
	trace.packet = packets;
	protobuf_c_message_pack_to_buffer(&trace.base, &o->base);
}

/* ---- tracks ---- */

#define JUMP_TRACK 1

static uint64_t process_track(const struct vt_mark *at)
{
	return (uint64_t)(at->tgid + 1ull) << 32;
}

static uint64_t thread_track(const struct vt_mark *at)
{
	return process_track(at) | (at->tid + 1u);
}

static void put_track(struct out *o, Vfiotrace__TrackDescriptor *track)
{
	Vfiotrace__TracePacket packet = VFIOTRACE__TRACE_PACKET__INIT;

	track->has_uuid = true;
	packet.track_descriptor = track;
	put_packet(o, &packet);
}

static void name(void *to, const struct vt_mark *at, const char *raw)
{
	Vfiotrace__TrackDescriptor track = VFIOTRACE__TRACK_DESCRIPTOR__INIT;
	Vfiotrace__ProcessDescriptor process = VFIOTRACE__PROCESS_DESCRIPTOR__INIT;
	Vfiotrace__ThreadDescriptor thread = VFIOTRACE__THREAD_DESCRIPTOR__INIT;
	char *text = vt_text__copy(raw);

	process.has_pid = thread.has_pid = thread.has_tid = true;
	process.pid = thread.pid = (int32_t)at->tgid;
	thread.tid = (int32_t)at->tid;
	process.process_name = thread.thread_name = text;
	track.uuid = process_track(at);
	track.process = &process;
	put_track(to, &track);
	track.uuid = thread_track(at);
	track.process = NULL;
	track.thread = &thread;
	track.has_parent_uuid = true;
	track.parent_uuid = process_track(at);
	put_track(to, &track);
	free(text);
}

/* ---- events ---- */

struct annotations {
	Vfiotrace__DebugAnnotation all[FIELDS_MAX], *list[FIELDS_MAX];
	size_t nr;
};

static void annotate(struct annotations *a, const struct vt_trace *of, const struct vt_value *v)
{
	Vfiotrace__DebugAnnotation *one = &a->all[a->nr];
	size_t len;
	FILE *f;

	vfiotrace__debug_annotation__init(one);
	one->name = vt_text__copy(vt_trace__field_name(of, v->field));
	if (!v->err && v->kind == VT_U64) {
		one->value_case = VFIOTRACE__DEBUG_ANNOTATION__VALUE_UINT_VALUE;
		one->uint_value = v->u;
	} else if (!v->err && v->kind == VT_S64) {
		one->value_case = VFIOTRACE__DEBUG_ANNOTATION__VALUE_INT_VALUE;
		one->int_value = v->s;
	} else if (!v->err && v->kind == VT_STR) {
		one->value_case = VFIOTRACE__DEBUG_ANNOTATION__VALUE_STRING_VALUE;
		one->string_value = vt_text__copy(v->str);
	} else if ((f = open_memstream(&one->string_value, &len))) {
		one->value_case = VFIOTRACE__DEBUG_ANNOTATION__VALUE_STRING_VALUE;
		vt_text__value(f, of, v);
		fclose(f);
	}
	a->list[a->nr++] = one;
}

static void forget(struct annotations *a)
{
	for (size_t i = 0; i < a->nr; i++) {
		free(a->all[i].name);
		if (a->all[i].value_case == VFIOTRACE__DEBUG_ANNOTATION__VALUE_STRING_VALUE)
			free(a->all[i].string_value);
	}
}

static void put_event(struct out *o, uint64_t ts_ns, Vfiotrace__TrackEvent *event, Vfiotrace__TrackEvent__Type type)
{
	Vfiotrace__TracePacket packet = VFIOTRACE__TRACE_PACKET__INIT;

	event->has_type = event->has_track_uuid = true;
	event->type = type;
	packet.has_timestamp = true;
	packet.timestamp = ts_ns;
	packet.track_event = event;
	put_packet(o, &packet);
}

static void put_fields(struct out *o, const struct vt_mark *at, Vfiotrace__TrackEvent *event, Vfiotrace__TrackEvent__Type type,
		       const struct vt_trace *of, const struct vt_event *e)
{
	char category[] = "live update", *categories[] = { category };
	struct annotations a;

	a.nr = 0;
	for (uint32_t i = 0; e && i < e->nr && a.nr < FIELDS_MAX; i++) {
		const struct vt_value v = vt_ev_at(e, i);

		annotate(&a, of, &v);
	}
	event->n_debug_annotations = a.nr;
	event->debug_annotations = a.list;
	event->n_categories = type != VFIOTRACE__TRACK_EVENT__TYPE__TYPE_SLICE_END;
	event->categories = categories;
	event->track_uuid = thread_track(at);
	put_event(o, at->ts_ns, event, type);
	forget(&a);
}

static void begin(void *to, const struct vt_mark *at, const char *type, const struct vt_trace *of, const struct vt_event *e, const char *flow, bool out)
{
	Vfiotrace__TrackEvent event = VFIOTRACE__TRACK_EVENT__INIT;
	uint64_t id = flow ? vt_hash_on(VT_HASH_BEGIN, flow) : 0;

	event.name = vt_text__copy(type);
	event.n_flow_ids = flow && out;
	event.n_terminating_flow_ids = flow && !out;
	event.flow_ids = event.terminating_flow_ids = &id;
	put_fields(to, at, &event, VFIOTRACE__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN, of, e);
	free(event.name);
}

static void end(void *to, const struct vt_mark *at, const char *type, const struct vt_trace *of, const struct vt_event *e)
{
	Vfiotrace__TrackEvent event = VFIOTRACE__TRACK_EVENT__INIT;

	put_fields(to, at, &event, VFIOTRACE__TRACK_EVENT__TYPE__TYPE_SLICE_END, of, e);
}

static void instant(void *to, const struct vt_mark *at, const char *type, const struct vt_trace *of, const struct vt_event *e)
{
	Vfiotrace__TrackEvent event = VFIOTRACE__TRACK_EVENT__INIT;

	event.name = vt_text__copy(type);
	put_fields(to, at, &event, VFIOTRACE__TRACK_EVENT__TYPE__TYPE_INSTANT, of, e);
	free(event.name);
}

static void jump(void *to, uint64_t from_ns, uint64_t to_ns)
{
	Vfiotrace__TrackDescriptor track = VFIOTRACE__TRACK_DESCRIPTOR__INIT;
	Vfiotrace__TrackEvent event = VFIOTRACE__TRACK_EVENT__INIT;
	char update[] = "the live update", what[] = "jump";

	track.uuid = JUMP_TRACK;
	track.name = update;
	put_track(to, &track);
	event.track_uuid = JUMP_TRACK;
	event.name = what;
	put_event(to, from_ns, &event, VFIOTRACE__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN);
	event.name = NULL;
	put_event(to, to_ns, &event, VFIOTRACE__TRACK_EVENT__TYPE__TYPE_SLICE_END);
}

int vt_show__trackevent(FILE *f, struct vt_shown *s, size_t nr)
{
	struct out o = { .base.append = append, .f = f };
	const struct vt_drawing d = { .to = &o, .begin = begin, .end = end, .instant = instant, .name = name, .jump = jump };
	int ret = vt_show__draw(f, s, nr, &d);

	return ferror(f) ? 0 : ret;
}
