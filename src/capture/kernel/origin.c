/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel keeps what kho_in_kexec_metadata() read in kho_in, and prints it
 * once. The variable is asked first: the log may have lost its beginning.
 */
#include "capture/kernel/origin.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "capture/kernel/klog.h"
#include "vfiotrace/hash.h"

static bool from_memory(const struct kernel *k, kernel_read_fn read_fn, void *arg, struct kernel_origin *o)
{
	int count_at = kernel__offset(k, NULL, "kho_in", "kexec_count"), name_at = kernel__offset(k, NULL, "kho_in", "previous_release");
	uint64_t at = kernel__addr(k, "kho_in", NULL);
	uint32_t count;

	if (!at || count_at < 0 || name_at < 0 || read_fn(arg, at + count_at, &count, sizeof(count)) ||
	    read_fn(arg, at + name_at, o->previous, sizeof(o->previous) - 1))
		return false;
	o->count = count;
	return true;
}

bool origin__told(const char *record, struct kernel_origin *o)
{
	const char *text = strchr(record, ';');
	struct kernel_origin found = { .count = ORIGIN_UNKNOWN };

	if (!text || sscanf(text, ";KHO: exec from: %65[^ ] (count %ld)", found.previous, &found.count) != 2 || found.count < 0)
		return false;
	*o = found;
	return true;
}

static bool told(const char *record, void *o)
{
	return origin__told(record, o);
}

/* Without a record that tells of it, in the whole of the log, there was nothing to tell. */
static void from_log(struct kernel_origin *o)
{
	if (klog__search(told, o) == KLOG_NOT_TOLD)
		o->count = 0;
}

struct kernel_origin origin__of(const struct kernel *k, kernel_read_fn read_fn, void *arg)
{
	struct kernel_origin o = { .count = ORIGIN_UNKNOWN };

	if (!from_memory(k, read_fn, arg, &o)) {
		memset(o.previous, 0, sizeof(o.previous));
		from_log(&o);
	}
	return o;
}

void origin__machine(const char *uuid, char *out, size_t size)
{
	uint64_t h = VT_HASH_BEGIN;
	char first = 0;
	bool told = false;

	*out = 0;
	for (const char *c = uuid; *c; c++) {
		if (!isxdigit((unsigned char)*c))
			continue;
		/* Firmware that has none says all zeros, or all ones. */
		first = first ? first : *c;
		told |= *c != first;
		h = vt_hash_byte(h, (uint8_t)tolower((unsigned char)*c));
	}
	if (told)
		snprintf(out, size, "%016" PRIx64, h);
}
