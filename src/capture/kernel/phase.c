/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/phase.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "capture/kernel/clock.h"

#define MAX_PHASES 16

/* One recorder per process, and it arms in one thread. */
static struct phase {
	const char *name;
	uint64_t wall_ns, cpu_ns;
} phases[MAX_PHASES];
static int current = -1;
static uint64_t wall_from, cpu_from;

static int find(const char *name)
{
	for (int i = 0; name && i < MAX_PHASES; i++) {
		if (!phases[i].name)
			phases[i].name = name;
		if (!strcmp(phases[i].name, name))
			return i;
	}
	return -1;
}

void phase__begin(const char *name)
{
	uint64_t wall = clock__now(), cpu = clock__read(CLOCK_PROCESS_CPUTIME_ID);

	if (current >= 0) {
		phases[current].wall_ns += wall - wall_from;
		phases[current].cpu_ns += cpu - cpu_from;
	}
	current = find(name);
	wall_from = wall;
	cpu_from = cpu;
}

void phase__print(char *buf, size_t len)
{
	size_t used = 0;

	buf[0] = 0;
	for (int i = 0; i < MAX_PHASES && phases[i].name && used < len; i++)
		used += snprintf(buf + used, len - used, "%s%s %.1f ms (%.1f cpu)", i ? ", " : "", phases[i].name,
				 phases[i].wall_ns / 1e6, phases[i].cpu_ns / 1e6);
}
