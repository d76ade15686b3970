/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel/sections.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/kernel/slurp.h"

static int add(struct sections *s, const char *name, uint64_t addr)
{
	struct section *grown = realloc(s->at, (s->nr + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	s->at = grown;
	grown[s->nr++] = (struct section){ .addr = addr, .init = !strncmp(name, ".init", 5) };
	return 0;
}

int sections__read(struct sections *s, const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int err = 0;

	*s = (struct sections){ 0 };
	while (d && !err && (e = readdir(d))) {
		char path[512], text[32];
		uint64_t addr;

		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		slurp__line(path, text, sizeof(text));
		addr = strtoull(text, NULL, 16);
		if (addr)
			err = add(s, e->d_name, addr);
	}
	if (d)
		closedir(d);
	return err;
}

/* A section reaches to the next. */
bool sections__in_init(const struct sections *s, uint64_t addr)
{
	const struct section *in = NULL;

	for (size_t i = 0; i < s->nr; i++)
		if (s->at[i].addr <= addr && (!in || s->at[i].addr > in->addr))
			in = &s->at[i];
	return in && in->init;
}

void sections__free(struct sections *s)
{
	free(s->at);
	*s = (struct sections){ 0 };
}

bool sections__is_coming(const char *dir)
{
	char path[512], text[16];

	snprintf(path, sizeof(path), "%s/initstate", dir);
	slurp__line(path, text, sizeof(text));
	return !strcmp(text, "coming");
}
