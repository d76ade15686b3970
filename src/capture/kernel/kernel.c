/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/kernel/build_id.h"
#include "capture/kernel/phase.h"
#include "capture/kernel/slurp.h"

/* Notes of any kind and size may stand before it: Xen's, those of a boot loader. */
static void read_build_id(struct kernel *k)
{
	char *notes;
	size_t len;

	if (slurp__file("/sys/kernel/notes", &notes, &len))
		return;
	build_id__find(notes, len, k->build_id, sizeof(k->build_id));
	free(notes);
}

const char *kernel__release(const struct kernel *k)
{
	return k->uts.release;
}

const char *kernel__version(const struct kernel *k)
{
	return k->uts.version;
}

const char *kernel__build_id(const struct kernel *k)
{
	return k->build_id;
}

bool kernel__has_luo(const struct kernel *k)
{
	return kernel__addr(k, "liveupdate_reboot", NULL) && kernel__addr(k, "luo_preserve_file", NULL);
}

bool kernel__luo_is_off(void)
{
	return access("/sys/class/misc/liveupdate", F_OK) && !access("/sys/class/misc", F_OK);
}

/* Then names may not be those of the source (table.c), and the kernel, asked by name, does not know them. */
static bool made_by_clang(void)
{
	char version[512];

	slurp__line("/proc/version", version, sizeof(version));
	return strstr(version, "clang version");
}

int kernel__open(struct kernel **out, const char **why)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int err;

	*why = "out of memory";
	if (!k)
		return -ENOMEM;
	k->ksyms = (struct ksyms){ -1, -1, -1 };
	uname(&k->uts);
	read_build_id(k);
	phase__begin("types");
	err = kernel__open_types(k, why);
	if (err) {
		kernel__free(k);
		return err;
	}
	phase__begin("symbols");
	k->asks = !made_by_clang() && !ksyms__open(&k->ksyms);
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
	ksyms__close(&k->ksyms);
	kernel__drop_types(k);
	free(k);
}
