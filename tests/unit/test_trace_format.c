// SPDX-License-Identifier: GPL-2.0
/* docs/trace-format.md and format.h must say the same: sizes, offsets, constants, names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace_util.h"

static char *doc(void)
{
	struct tu_file f = tu_read("docs/trace-format.md");

	f.data[f.len] = '\0';	/* tu_read() leaves room */
	return f.data;
}

static void assert_says(const char *text, const char *needle)
{
	if (!strstr(text, needle))
		fail_msg("docs/trace-format.md lacks: %s", needle);
}

struct member { const char *name; size_t offset, size; };

static void check_struct(const char *text, const char *name, size_t size, const struct member *m, size_t nr)
{
	char line[160];
	const char *at;

	snprintf(line, sizeof(line), "\n`%s`, %zu bytes.", name, size);
	at = strstr(text, line);
	if (!at)
		fail_msg("docs/trace-format.md lacks: %s", line + 1);
	for (size_t i = 0; i < nr; i++) {
		snprintf(line, sizeof(line), "| %zu | %zu | %s |", m[i].offset, m[i].size, m[i].name);
		at = strstr(at, line);
		if (!at)
			fail_msg("docs/trace-format.md, %s, lacks: %s", name, line);
	}
}

#define M(s, m) { #m, offsetof(struct s, m), sizeof(((struct s *)0)->m) }
#define CHECK(s, ...) do { \
	static const struct member members[] = { __VA_ARGS__ }; \
	check_struct(text, #s, sizeof(struct s), members, ARRAY_SIZE(members)); \
} while (0)

static void layout(void **state)
{
	char *text = doc();

	CHECK(vtf_header, M(vtf_header, magic), M(vtf_header, version), M(vtf_header, size), M(vtf_header, reserved),
	      M(vtf_header, crc));
	CHECK(vtf_block, M(vtf_block, magic), M(vtf_block, type), M(vtf_block, flags), M(vtf_block, len),
	      M(vtf_block, seq), M(vtf_block, nr), M(vtf_block, payload_crc), M(vtf_block, reserved),
	      M(vtf_block, header_crc));
	CHECK(vtf_table, M(vtf_table, row_size), M(vtf_table, strings_len));
	CHECK(vtf_meta, M(vtf_meta, key), M(vtf_meta, value));
	CHECK(vtf_schema, M(vtf_schema, what), M(vtf_schema, kind), M(vtf_schema, id), M(vtf_schema, name));
	CHECK(vtf_probe, M(vtf_probe, func), M(vtf_probe, module), M(vtf_probe, event), M(vtf_probe, method),
	      M(vtf_probe, reason), M(vtf_probe, flags), M(vtf_probe, attach_ns), M(vtf_probe, hits),
	      M(vtf_probe, misses), M(vtf_probe, recursion_misses));
	CHECK(vtf_loss, M(vtf_loss, event), M(vtf_loss, why), M(vtf_loss, count), M(vtf_loss, from_ns),
	      M(vtf_loss, to_ns));
	CHECK(vtf_end, M(vtf_end, events), M(vtf_end, how), M(vtf_end, reserved));
	CHECK(vtf_events, M(vtf_events, events_len), M(vtf_events, strings_len));
	CHECK(vtf_event, M(vtf_event, ts_ns), M(vtf_event, seq), M(vtf_event, tgid), M(vtf_event, tid),
	      M(vtf_event, comm), M(vtf_event, size), M(vtf_event, type), M(vtf_event, cpu), M(vtf_event, phase),
	      M(vtf_event, nr), M(vtf_event, reserved));
	free(text);
}

static void append_bytes(char *to, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sprintf(to + strlen(to), "%s%02x", i ? " " : "", ((const unsigned char *)bytes)[i]);
}

static void constants(void **state)
{
	static const struct { unsigned int type; const char *name; } types[] = {
		{ VTF_META, "META" }, { VTF_SCHEMA, "SCHEMA" }, { VTF_PROBES, "PROBES" }, { VTF_LOSS, "LOSS" },
		{ VTF_EVENTS, "EVENTS" }, { VTF_END, "END" }, { VTF_PACKED, "PACKED" },
	};
	static const struct { unsigned int kind; const char *text; } kinds[] = {
		{ VT_U64, "unsigned, shown in decimal" }, { VT_HEX, "unsigned, shown in hexadecimal" }, { VT_S64, "signed" },
		{ VT_STR, "string" }, { VT_OBJ, "object" },
	};
	const uint32_t magic = VTF_BLOCK_MAGIC;
	char line[160], *text = doc();

#define SAYS(...) do { snprintf(line, sizeof(line), __VA_ARGS__); assert_says(text, line); } while (0)
	SAYS("Format version %d.", VTF_VERSION);
	strcpy(line, "The magic is the bytes `");
	append_bytes(line, VTF_MAGIC, VTF_MAGIC_LEN);
	assert_says(text, line);
	strcpy(line, "| magic | bytes `");
	append_bytes(line, &magic, sizeof(magic));
	assert_says(text, line);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		SAYS("\n| %u | %s |", types[i].type, types[i].name);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		SAYS("\n| %u | %s", kinds[i].kind, kinds[i].text);
	SAYS("at most %u |", VTF_BLOCK_MAX);
	SAYS("header, at most %d;", VTF_HEADER_MAX);
	SAYS("fields below %d, classes below %d |", VTF_FIELD_IDS, VTF_CLASS_IDS);
	assert_int_equal(VTF_EVENT_IDS, VTF_FIELD_IDS);
	SAYS("1 to %d bytes", VTF_NAME_MAX);
	SAYS("Bit 0x%x of a field id", VTF_FIELD_ERR);
	SAYS("errno, 1 to %d.", VTF_ERRNO_MAX);
	SAYS("fields, at most %d;", VT_EVENT_FIELDS_MAX);
	SAYS("flags | %d: who does not know", VTF_REQUIRED);
	SAYS("flags | %d: attached", VTF_P_ATTACHED);
	SAYS("\n| mask | %d bits and one for each field", VTF_NEW_FIELDS);
	SAYS("\n| thread | with bit 0x%x of the mask", VTF_NEW_THREAD);
	SAYS("\n| CPU | with bit 0x%x:", VTF_NEW_CPU);
	SAYS("\n| seq | with bit 0x%x:", VTF_NEW_SEQ);
	SAYS("bit is set, 0x%x being the first", 1 << VTF_NEW_FIELDS);
	SAYS("behind it | %d, and %d fields in all of them |", VTF_PACKED_LIST, VTF_PACKED_FIELDS);
	SAYS("`comm` | %d |", VTF_PACKED_LIST);
	SAYS("`cpu` | %d |", VTF_PACKED_LIST);
	SAYS("%d point, %d enter, %d exit;", VT_POINT, VT_ENTER, VT_EXIT);
	SAYS("%d event type, %d field, %d object class;", VTF_S_EVENT, VTF_S_FIELD, VTF_S_CLASS);
	free(text);
}

/* Names are forever and must be told apart; ids must fit. */
static void vocabulary(void **state)
{
	assert_true((int)VT_EV_MAX < VTF_EVENT_IDS && (int)VT_F_MAX < VTF_FIELD_IDS && (int)VT_C_MAX < VTF_CLASS_IDS);
	for (int i = 1; i < VT_EV_MAX; i++)
		assert_int_equal(vt_event_by_name(vt_event_name(i)), i);
	for (int i = 1; i < VT_F_MAX; i++) {
		assert_int_equal(vt_field_by_name(vt_field_name(i)), i);
		assert_true(vt_field_kind(i) >= VT_U64 && vt_field_kind(i) <= VT_OBJ);
	}
	for (int i = 1; i < VT_C_MAX; i++)
		assert_int_equal(vt_class_by_name(vt_class_name(i)), i);
	assert_int_equal(vt_event_by_name("unknown"), VT_EV_UNKNOWN);
	assert_int_equal(vt_event_by_name(NULL), VT_EV_UNKNOWN);
	assert_string_equal(vt_event_name(VT_EV_MAX), "unknown");
	assert_string_equal(vt_event_doc(VT_EV_REC_ARMED), "everything is attached and the gate is open");
	assert_true(*vt_field_doc(VT_F_FUNC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout), cmocka_unit_test(constants), cmocka_unit_test(vocabulary),
	};

	return cmocka_run_group_tests_name("trace format", tests, NULL, NULL);
}
