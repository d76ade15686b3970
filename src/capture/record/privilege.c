/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
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

/* "none integrity [confidentiality]". Where securityfs is not mounted the kernel's command line may say it. */
static bool is_locked_down(void)
{
	char text[4096];
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	const char *sign = f ? "[confidentiality]" : "lockdown=confidentiality";

	if (!f)
		f = fopen("/proc/cmdline", "re");
	if (!f)
		return false;
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	return strstr(text, sign);
}

int privilege__check(const char **why)
{
	struct __user_cap_data_struct data[2];

	/* It would come back as a program that the verifier refuses for a helper it does not know. */
	if (is_locked_down()) {
		*why = "the kernel is locked down (lockdown=confidentiality), so BPF programs may not read its memory; lockdown=integrity lets them";
		return -EPERM;
	}

	if (get(data))
		return 0;	/* no capabilities to ask about: the kernel will say */
	for (size_t i = 0; i < COUNT(needed); i++)
		if (!has(data, needed[i].cap)) {
			*why = needed[i].why;
			return -EPERM;
		}
	return 0;
}

/* Nothing that we might start could have more either: bits in KEEP stay. While CAP_SETPCAP is held, which is not kept. */
static void bound(const uint32_t keep[2])
{
	for (int cap = 0; cap < 64; cap++) {
		if (!(keep[cap / 32] >> (cap % 32) & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return;	/* beyond the last one that the kernel knows, or not ours to drop */
	}
}

void privilege__drop(bool opens_files)
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
	if (opens_files)
		keep[CAP_DAC_OVERRIDE / 32] |= 1u << (CAP_DAC_OVERRIDE % 32);
	for (int i = 0; i < 2; i++) {
		data[i].effective &= keep[i];
		data[i].permitted &= keep[i];
		data[i].inheritable = 0;
	}
	bound(keep);
	syscall(SYS_capset, &h, data);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
