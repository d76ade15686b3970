// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/identity.h"
#include "report/pairs.h"
#include "vfiotrace/hash.h"

/* Boots, kernels and clocks: a machine never has all of them twice. Names of files do not count. */
const char *vt_update_id(const struct vt_judgement *j, char buf[17])
{
	static const char *const keys[] = { "boot_id", "kernel.build_id", "machine", "started" };
	uint64_t h = VT_HASH_BEGIN;
	char start[32];

	for (size_t i = 0; i < j->nr_sides; i++) {
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
			const char *value = vt_trace__told(j->side[i]->trace, keys[k]);

			h = vt_hash_byte(vt_hash_on(h, value ? value : ""), 0);
		}
		snprintf(start, sizeof(start), "%" PRIu64, j->side[i]->start_ns);
		h = vt_hash_byte(vt_hash_on(h, start), 0);
	}
	snprintf(buf, 17, "%016" PRIx64, h);
	return buf;
}

double vt_side_seconds(const struct vt_side *s)
{
	return s->last_ns > s->first_ns ? (double)(s->last_ns - s->first_ns) / 1e9 : 0;
}

const char *vt_side_file(const struct vt_side *s)
{
	const char *base = strrchr(s->path, '/');

	return base ? base + 1 : s->path;
}

static bool came_back(const struct vt_life *in)
{
	if (in->state == VT_LIFE_RETRIEVED)
		return true;
	return in->state == VT_LIFE_FINISHED && in->at[VT_STEP_RETRIEVE].type &&
	       !(in->at[VT_STEP_RETRIEVE].has_ret && in->at[VT_STEP_RETRIEVE].ret < 0);
}

struct vt_files_told vt_files_told(const struct vt_judgement *j)
{
	struct vt_files_told n = { 0 };
	struct vt_pair *p;
	size_t nr;

	for (size_t i = 0; i < j->nr_sides; i++)
		n.preserved += j->side[i]->folded_lives;
	p = vt_pairs(j, &nr);
	for (size_t i = 0; p && i < nr; i++) {
		n.preserved += p[i].out != NULL;
		n.crossed += p[i].out && vt_crossed(j, p[i].out);
		n.retrieved += p[i].in && came_back(p[i].in);
		n.finished += p[i].in && p[i].in->state == VT_LIFE_FINISHED;
	}
	free(p);
	return n;
}
