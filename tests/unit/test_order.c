// SPDX-License-Identifier: GPL-2.0
/*
 * The place of an event type in its table says nothing. This is built with the
 * table turned round and one event more behind its end (see tests/host.mk), and
 * loads what a recorder of that vocabulary would write.
 */
#include "model/kinds.h"
#include "trace_util.h"
#include "vfiotrace/model.h"

static uint64_t now;

static void begin(struct vt_writer *w, enum vt_event_type type, enum vt_phase phase)
{
	struct vt_stamp stamp = { .ts_ns = now += 1000, .tgid = 7, .tid = 7, .comm = "agent" };

	vt_writer__begin(w, type, phase, &stamp);
}

static void of_session(struct vt_writer *w, enum vt_event_type type, enum vt_phase phase)
{
	begin(w, type, phase);
	vt_writer__str(w, VT_F_SESSION, "vm0");
}

static void of_file(struct vt_writer *w, enum vt_event_type type, enum vt_phase phase)
{
	of_session(w, type, phase);
	vt_writer__u64(w, VT_F_TOKEN, 1);
	if (phase == VT_EXIT)
		vt_writer__s64(w, VT_F_RET, 0);
	if (type != VT_EV_LUO_PRESERVE || phase == VT_EXIT)
		vt_writer__u64(w, VT_F_FILE, vt_obj(VT_C_FILE, 1));
}

static void end(struct vt_writer *w)
{
	assert_int_equal(vt_writer__end(w), 0);
}

static struct vt_side *load(const char *path)
{
	struct vt_side *s;
	char *why;

	if (vt_side__load(path, "TRACE", &s, &why))
		fail_msg("cannot load: %s", why ? why : "?");
	return s;
}

static struct vt_writer *start(const char *path)
{
	struct vt_writer *w;

	now = 0;
	assert_int_equal(vt_writer__open(path, &w), 0);
	begin(w, VT_EV_REC_ARMED, VT_POINT);
	end(w);
	return w;
}

static struct vt_side *stopped(struct vt_writer *w, const char *path)
{
	begin(w, VT_EV_REC_STOP, VT_POINT);
	end(w);
	assert_int_equal(vt_writer__finish(w, "stopped"), 0);
	vt_writer__free(w);
	return load(path);
}

static void table_is_turned(void **state)
{
	assert_true(VT_EV_REC_STOP < VT_EV_REC_ARMED && VT_EV_REC_ARMED < VT_EV_SESSION_CREATE);
	assert_int_equal(VT_EV_APPENDED, VT_EV_MAX - 1);
}

/* What comes behind rec.stop in the table is not the recorder's own for that. */
static void appended_is_not_the_recorders(void **state)
{
	const char *path = tu_path(state, "t");
	struct vt_writer *w = start(path);
	struct vt_side *s;

	begin(w, VT_EV_APPENDED, VT_POINT);
	end(w);
	s = stopped(w, path);
	assert_int_equal(s->seen_type[VT_EV_APPENDED], 1);
	assert_int_equal(s->events, 3);
	assert_true(s->first_ns == 2000 && s->last_ns == 2000 && s->end_ns > 2000);
	assert_true(s->saw_vfio && s->first_vfio_ns == 2000);
	vt_side__free(s);
}

static void a_life_is_a_life(void **state)
{
	const char *path = tu_path(state, "t");
	struct vt_writer *w = start(path);
	const struct vt_life *l;
	struct vt_side *s;

	of_session(w, VT_EV_SESSION_CREATE, VT_EXIT);
	vt_writer__s64(w, VT_F_RET, 0);
	end(w);
	of_file(w, VT_EV_LUO_PRESERVE, VT_ENTER);
	end(w);
	for (int exit = 0; exit < 2; exit++) {
		of_file(w, VT_EV_OP_PRESERVE, exit ? VT_EXIT : VT_ENTER);
		vt_writer__str(w, VT_F_COMPATIBLE, "memfd-v1");
		end(w);
		if (exit)
			break;
		begin(w, VT_EV_KHO_PRESERVE_FOLIO, VT_EXIT);
		vt_writer__u64(w, VT_F_PHYS, 0x1000);
		end(w);
	}
	of_file(w, VT_EV_LUO_PRESERVE, VT_EXIT);
	end(w);
	of_session(w, VT_EV_LUO_FREEZE, VT_ENTER);
	end(w);
	for (int exit = 0; exit < 2; exit++) {
		of_file(w, VT_EV_OP_FREEZE, exit ? VT_EXIT : VT_ENTER);
		end(w);
	}
	of_session(w, VT_EV_LUO_FREEZE, VT_EXIT);
	vt_writer__s64(w, VT_F_RET, 0);
	end(w);
	s = stopped(w, path);
	l = vt_side__life(s, VT_OUTGOING, "vm0", 1);
	assert_non_null(l);
	assert_int_equal(l->state, VT_LIFE_FROZEN);
	assert_string_equal(l->compatible, "memfd-v1");
	assert_true(l->n[VT_STEP_PRESERVE] == 1 && l->n[VT_STEP_FREEZE] == 1 && l->kho && l->kho->phys == 0x1000);
	assert_false(s->saw_vfio);
	assert_int_equal(s->nr_facts, 0);
	vt_side__free(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_turned),
		cmocka_unit_test_setup_teardown(appended_is_not_the_recorders, tu_setup, tu_teardown),
		cmocka_unit_test_setup_teardown(a_life_is_a_life, tu_setup, tu_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
