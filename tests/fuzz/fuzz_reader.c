// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target: any bytes as a trace file. Built twice, with checksums and
 * without (VTF_FUZZ_NO_CRC): with them, hardly any mutation gets past a frame.
 * Everything the reader hands out is touched, and what must hold is asserted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/print.h"
#include "vfiotrace/trace.h"

#define MUST(cond) do { if (!(cond)) { fprintf(stderr, "broken: %s\n", #cond); abort(); } } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sink {
	FILE *f;
	char *text;
	size_t len;
};

static void touch_tables(struct sink *s, const struct vt_trace *t)
{
	const char *key, *value;

	for (size_t i = 0; i < vt_trace__meta_nr(t); i++) {
		vt_trace__meta_at(t, i, &key, &value);
		MUST(vt_trace__meta(t, key) == value);
		vt_json__str(s->f, value);
	}
	for (size_t i = 0; i < vt_trace__probe_nr(t); i++) {
		const struct vt_probe *p = vt_trace__probe(t, i);

		fprintf(s->f, "%s%s%s%s%s", p->func, p->module, p->event, p->method, p->reason);
	}
	for (size_t i = 0; i < vt_trace__loss_nr(t); i++) {
		vt_text__word(s->f, vt_trace__loss(t, i)->event);
		vt_text__word(s->f, vt_trace__loss(t, i)->why);
	}
	if (vt_trace__ended(t))
		vt_text__str(s->f, vt_trace__ended(t));
}

static void touch_event(struct sink *s, const struct vt_trace *t, const struct vt_event *e)
{
	MUST(e->nr <= VT_EVENT_FIELDS_MAX && e->type < VT_EV_MAX && e->phase <= VT_EXIT);
	MUST(e->type == VT_EV_UNKNOWN || !strcmp(e->type_name, vt_event_name(e->type)));
	fprintf(s->f, "%s%s", e->type_name, e->comm);
	for (uint32_t i = 0; i < e->nr; i++) {
		const struct vt_value v = vt_ev_at(e, i);

		MUST(v.kind >= VT_U64 && v.kind <= VT_OBJ && v.err >= 0);
		MUST(*vt_trace__field_name(t, v.field));
		vt_text__value(s->f, t, &v);
		vt_json__value(s->f, t, &v);
	}
	for (int f = VT_F_NONE; f < VT_F_MAX; f++) {
		const struct vt_place *p;
		uint64_t u;
		int64_t n;

		if (!vt_ev_has(e, f))
			continue;
		p = &e->place[e->at[f].place - 1];
		MUST(p->field == f && e->at[f].kind == (p->err ? 0 : p->kind));
		MUST(!vt_ev_str(e, f) || vt_field_kind(f) == VT_STR);
		MUST(!vt_ev_obj(e, f) || vt_field_kind(f) == VT_OBJ);
		if (vt_ev_u64(e, f, &u) && vt_ev_s64(e, f, &n))
			MUST(u == (uint64_t)n);
	}
	rewind(s->f);
}

#define SPOTS 16

/* Number of events; both passes must agree, and damage must not be found twice. The last few are read again. */
static uint64_t pass(struct sink *s, struct vt_trace *t)
{
	struct vt_spot spot[SPOTS];
	struct vt_event e;
	uint64_t nr = 0;

	while (vt_trace__next(t, &e) == 1) {
		spot[nr % SPOTS] = vt_trace__spot(t);
		MUST(e.index == nr++);
		touch_event(s, t, &e);
	}
	for (uint64_t i = 0; i < SPOTS && i < nr; i++) {
		MUST(!vt_trace__again(t, &spot[i * 7 % (nr < SPOTS ? nr : SPOTS)], &e));
		MUST(e.index < nr);
		touch_event(s, t, &e);
	}
	for (size_t i = 0; i < vt_trace__damage_nr(t); i++) {
		MUST(*vt_trace__damage(t, i)->what);
		MUST(!i || vt_trace__damage(t, i)->offset >= vt_trace__damage(t, i - 1)->offset);
	}
	return nr;
}

static void read_trace(const char *path)
{
	struct sink s = { 0 };
	struct vt_trace *t;
	char *why;
	int ret = vt_trace__open(path, &t, &why);

	MUST(!ret == !why && !ret == !!t);
	free(why);
	if (ret)
		return;
	s.f = open_memstream(&s.text, &s.len);
	MUST(s.f);
	touch_tables(&s, t);
	{
		uint64_t first = pass(&s, t);
		size_t damage = vt_trace__damage_nr(t);

		MUST(!vt_trace__rewind(t));
		MUST(pass(&s, t) == first);
		MUST(vt_trace__damage_nr(t) == damage);
	}
	vt_trace__free(t);
	fclose(s.f);
	free(s.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	MUST(fd >= 0);
	MUST(!size || write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	read_trace(path);
	close(fd);
	return 0;
}
