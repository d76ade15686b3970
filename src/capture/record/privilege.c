/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct { int cap; const char *why; } needed[] = {
	{ CAP_BPF, "CAP_BPF is missing; run as root" },
	{ CAP_PERFMON, "CAP_PERFMON is missing; run as root" },
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN is missing (it reads the BTF of modules); run as root" },
	{ CAP_SYSLOG, "CAP_SYSLOG is missing (it shows addresses in /proc/kallsyms); run as root" },
};
/* Held when there, not insisted on. CAP_KILL passes signals on to CMD. */
static const int wanted[] = { CAP_SYS_NICE, CAP_KILL };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &h, data) ? -errno : 0;
}

static int has(const struct __user_cap_data_struct data[2], int cap)
{
	return data[cap / 32].effective >> (cap % 32) & 1;
}

int privilege__check(const char **why)
{
	struct __user_cap_data_struct data[2];

	if (get(data))
		return 0;	/* no capabilities to ask about: the kernel will say */
	for (size_t i = 0; i < COUNT(needed); i++)
		if (!has(data, needed[i].cap)) {
			*why = needed[i].why;
			return -EPERM;
		}
	return 0;
}

void privilege__drop(void)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint32_t keep[2] = { 0, 0 };

	if (get(data))
		return;
	for (size_t i = 0; i < COUNT(needed); i++)
		keep[needed[i].cap / 32] |= 1u << (needed[i].cap % 32);
	for (size_t i = 0; i < COUNT(wanted); i++)
		keep[wanted[i] / 32] |= 1u << (wanted[i] % 32);
	for (int i = 0; i < 2; i++) {
		data[i].effective &= keep[i];
		data[i].permitted &= keep[i];
		data[i].inheritable = 0;
	}
	syscall(SYS_capset, &h, data);
}
