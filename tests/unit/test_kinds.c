// SPDX-License-Identifier: GPL-2.0
/* Every event type is classified, and no part of that contradicts another. */
#include <string.h>

#include "model/kinds.h"
#include "unit.h"
#include "vfiotrace/trace.h"

static bool begins(enum vt_event_type t, const char *with)
{
	return !strncmp(vt_event_name(t), with, strlen(with));
}

static void all_have_an_area(void **state)
{
	assert_int_equal(kind_area(VT_EV_UNKNOWN), VT_AREA_NONE);
	assert_int_equal(kinds[VT_EV_UNKNOWN].flags, 0);
	for (int t = 1; t < VT_EV_MAX; t++) {
		if (kind_area(t) == VT_AREA_NONE || kind_area(t) >= VT_AREA_MAX)
			fail_msg("%s has no area", vt_event_name(t));
	}
}

/* The names are in groups, too: who adds a type to one of them cannot forget its area. */
static void names_tell_the_area(void **state)
{
	static const struct { const char *prefix; enum vt_area area; } groups[] = {
		{ "session.", VT_AREA_SESSION }, { "luo.", VT_AREA_LUO }, { "fd.", VT_AREA_FD }, { "module.", VT_AREA_MODULE },
		{ "op.", VT_AREA_OP }, { "flb.", VT_AREA_FLB }, { "reboot", VT_AREA_REBOOT }, { "file.", VT_AREA_FILE },
		{ "vfio.", VT_AREA_VFIO }, { "mem.", VT_AREA_DF }, { "obj.", VT_AREA_OBJ }, { "kho.", VT_AREA_KHO },
		{ "inject.", VT_AREA_INJECT }, { "rec.", VT_AREA_REC },
	};

	for (int t = 1; t < VT_EV_MAX; t++) {
		for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
			/* The one exception: an ioctl of LUO that fails is about a file descriptor. */
			enum vt_area want = t == VT_EV_LUO_IOCTL ? VT_AREA_FD : groups[i].area;

			if (begins(t, groups[i].prefix) && kind_area(t) != want)
				fail_msg("%s is in area %d, the others of its name in %d", vt_event_name(t), kind_area(t), want);
			if (kind_area(t) == groups[i].area && t != VT_EV_LUO_IOCTL && !begins(t, groups[i].prefix))
				fail_msg("%s is in the area of \"%s\"", vt_event_name(t), groups[i].prefix);
		}
	}
}

static void callbacks_have_a_maker(void **state)
{
	for (int t = 1; t < VT_EV_MAX; t++) {
		uint16_t maker = kind_maker(t);

		if (!kind_is_op(t)) {
			assert_int_equal(maker, VT_EV_UNKNOWN);
			continue;
		}
		if (!kind_is_luo_call(maker) || !kind_may_make(maker, t) || kind_may_make(VT_EV_LUO_DESERIALIZE, t))
			fail_msg("who calls %s?", vt_event_name(t));
		assert_true(kind_is_call(t) && kind_is(t, VT_K_EACH_ROW) && kind_is(t, VT_K_TEARS));
	}
	/* LUO undoes a freeze within the freeze that failed, and when asked to. */
	assert_true(kind_may_make(VT_EV_LUO_FREEZE, VT_EV_OP_UNFREEZE) && kind_may_make(VT_EV_LUO_UNFREEZE, VT_EV_OP_UNFREEZE));
	assert_false(kind_may_make(VT_EV_LUO_UNFREEZE, VT_EV_OP_FREEZE));
	assert_false(kind_may_make(VT_EV_LUO_FINISH, VT_EV_OP_RETRIEVE));
}

static void flags_fit_together(void **state)
{
	for (int t = 1; t < VT_EV_MAX; t++) {
		/* Only a call can rule out that another one is still open. A callback never does: its caller is. */
		if (kind_is(t, VT_K_ANEW) && (!kind_is_call(t) || kind_is_op(t)))
			fail_msg("%s is no call that begins anew", vt_event_name(t));
		/* Without a row of its own there is none that could count, or be missing. */
		if (kind_is(t, VT_K_RIDES) && (kinds[t].flags & (VT_K_EACH_ROW | VT_K_LATER | VT_K_MAY_LACK)))
			fail_msg("%s has no row", vt_event_name(t));
		if (kind_area(t) == VT_AREA_REC && kinds[t].flags)
			fail_msg("%s is the recorder's own", vt_event_name(t));
	}
	/* A file may need another one. */
	assert_false(kind_is(VT_EV_LUO_RETRIEVE, VT_K_ANEW));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_have_an_area), cmocka_unit_test(names_tell_the_area), cmocka_unit_test(callbacks_have_a_maker),
		cmocka_unit_test(flags_fit_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
