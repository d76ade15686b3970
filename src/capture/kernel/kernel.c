/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/kernel/phase.h"

static void read_build_id(struct kernel *k)
{
	unsigned char note[256];
	int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, note, sizeof(note)) : -1;

	if (fd >= 0)
		close(fd);
	for (ssize_t at = 0; at + 16 <= n;) {
		uint32_t namesz, descsz, type;

		memcpy(&namesz, note + at, 4);
		memcpy(&descsz, note + at + 4, 4);
		memcpy(&type, note + at + 8, 4);
		if (namesz > 64 || descsz > 64)
			return;
		at += 12;
		if (type == 3 && namesz == 4 && at + 4 + (ssize_t)descsz <= n && !memcmp(note + at, "GNU", 4)) {
			for (uint32_t i = 0; i < descsz && 2 * i + 2 < sizeof(k->build_id); i++)
				sprintf(k->build_id + 2 * i, "%02x", note[at + 4 + i]);
			return;
		}
		at += ((namesz + 3) & ~3U) + ((descsz + 3) & ~3U);
	}
}

const char *kernel__release(const struct kernel *k)
{
	return k->uts.release;
}

const char *kernel__build_id(const struct kernel *k)
{
	return k->build_id;
}

bool kernel__has_luo(const struct kernel *k)
{
	return kernel__addr(k, "liveupdate_reboot", NULL) && kernel__addr(k, "luo_preserve_file", NULL);
}

int kernel__open(struct kernel **out, const char **why)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int err;

	*why = "out of memory";
	if (!k)
		return -ENOMEM;
	uname(&k->uts);
	read_build_id(k);
	phase__begin("types");
	err = kernel__open_types(k, why);
	if (err) {
		kernel__free(k);
		return err;
	}
	phase__begin("symbols");
	err = kernel__refresh(k);
	if (err) {
		kernel__free(k);
		*why = err == -EPERM ? "/proc/kallsyms hides the addresses: run as root (CAP_SYSLOG), with kernel.kptr_restrict below 2" :
				       "/proc/kallsyms cannot be read";
		return err;
	}
	*out = k;
	return 0;
}

void kernel__free(struct kernel *k)
{
	if (!k)
		return;
	kernel__drop_symbols(k);
	kernel__drop_types(k);
	free(k);
}
