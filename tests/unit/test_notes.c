// SPDX-License-Identifier: GPL-2.0
/* What the recorder reads about the kernel and its clocks, from text and bytes that the test makes. */
#include <stdint.h>
#include <string.h>

#include "capture/kernel/build_id.h"
#include "capture/kernel/clock.h"
#include "unit.h"

static size_t put_note(char *to, uint32_t type, const char *name, const void *desc, uint32_t len)
{
	uint32_t head[3] = { (uint32_t)strlen(name) + 1, len, type };

	memcpy(to, head, sizeof(head));
	memset(to + sizeof(head), 0, 256);
	memcpy(to + sizeof(head), name, head[0]);
	memcpy(to + sizeof(head) + (head[0] + 3) / 4 * 4, desc, len);
	return sizeof(head) + (head[0] + 3) / 4 * 4 + (len + 3) / 4 * 4;
}

/* Xen's notes come first in many kernels, and some are long. */
static void build_id(void **state)
{
	static const unsigned char id[20] = { 0xab, 0xcd, [19] = 0x0f };
	char notes[2048], filler[200] = "x", out[64];
	size_t at = 0;

	for (int i = 0; i < 4; i++)
		at += put_note(notes + at, 3, i % 2 ? "Xen" : "Linux kernel", filler, sizeof(filler) - (unsigned int)i);
	at += put_note(notes + at, 3, "GNU", id, sizeof(id));
	build_id__find(notes, at, out, sizeof(out));
	assert_string_equal(out, "abcd00000000000000000000000000000000000f");
	build_id__find(notes, at - 1, out, sizeof(out));
	assert_string_equal(out, "");
	build_id__find(notes, 0, out, sizeof(out));
	assert_string_equal(out, "");
	memset(notes, 0xff, sizeof(notes));
	build_id__find(notes, sizeof(notes), out, sizeof(out));
	assert_string_equal(out, "");
}

static void time_namespace(void **state)
{
	assert_int_equal(clock__offset("monotonic           0         0\nboottime            0         0\n"), 0);
	assert_int_equal(clock__offset("monotonic           1         0\nboottime         3600       250\n"), 3600000000250);
	assert_int_equal(clock__offset("monotonic           0         0\nboottime           -7         0\n"), -7000000000);
	assert_int_equal(clock__offset(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(build_id), cmocka_unit_test(time_namespace) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
