/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/build_id.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

static size_t padded(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

void build_id__find(const char *notes, size_t len, char *out, size_t size)
{
	Elf64_Nhdr n;
	size_t at = 0;

	*out = 0;
	while (at < len && len - at >= sizeof(n)) {
		size_t desc;

		memcpy(&n, notes + at, sizeof(n));
		at += sizeof(n);
		desc = at + padded(n.n_namesz);
		if (desc > len || n.n_descsz > len - desc)
			return;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 && !memcmp(notes + at, "GNU", 4)) {
			for (size_t i = 0; i < n.n_descsz && 2 * i + 2 < size; i++)
				snprintf(out + 2 * i, 3, "%02x", (unsigned char)notes[desc + i]);
			return;
		}
		at = desc + padded(n.n_descsz);
	}
}
