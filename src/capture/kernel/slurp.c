/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int slurp__fd(int fd, char **out, size_t *len)
{
	size_t cap = 1 << 22, n = 0;
	char *buf = malloc(cap + 1), *bigger;
	ssize_t r;

	while (buf && ((r = read(fd, buf + n, cap - n)) > 0 || (r < 0 && errno == EINTR))) {
		n += r > 0 ? r : 0;
		if (n < cap)
			continue;
		bigger = realloc(buf, 2 * cap + 1);
		if (!bigger)
			break;
		buf = bigger;
		cap *= 2;
	}
	if (!buf || r) {
		int err = buf && r < 0 ? -errno : -ENOMEM;

		free(buf);
		return err;
	}
	buf[n] = 0;
	*out = buf;
	*len = n;
	return 0;
}

int slurp__file(const char *path, char **out, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = slurp__fd(fd, out, len);
	close(fd);
	return err;
}

void slurp__line(const char *path, char *buf, size_t len)
{
	FILE *f = fopen(path, "re");

	buf[0] = 0;
	if (!f)
		return;
	if (fgets(buf, len, f))
		buf[strcspn(buf, "\n")] = 0;
	fclose(f);
}
