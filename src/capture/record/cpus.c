/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/cpus.h"

#include <errno.h>

int cpus__allowed(struct cpus *out)
{
	*out = (struct cpus){ 0 };
	return sched_getaffinity(0, sizeof(out->set), out->set) ? -errno : 0;
}

int cpus__last(const struct cpus *c)
{
	for (int cpu = 8 * (int)sizeof(c->set); cpu-- > 0;)
		if (CPU_ISSET_S(cpu, sizeof(c->set), c->set))
			return cpu;
	return -1;
}

int cpus__any(pid_t tid, const struct cpus *c)
{
	return sched_setaffinity(tid, sizeof(c->set), c->set) ? -errno : 0;
}

int cpus__only(pid_t tid, int cpu)
{
	struct cpus one = { 0 };

	CPU_SET_S(cpu, sizeof(one.set), one.set);
	return cpus__any(tid, &one);
}

int cpus__but(pid_t tid, const struct cpus *c, int cpu)
{
	struct cpus rest = *c;

	CPU_CLR_S(cpu, sizeof(rest.set), rest.set);
	return cpus__any(tid, &rest);
}
