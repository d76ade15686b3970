// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a scenario has named: file descriptors, and memory mapped from them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent.h"

#define VAR_MAX		8192
#define VAR_MAPS	8

struct var {
	char name[32];
	int fd;
	int nr_maps;
	struct {
		void *addr;
		size_t size;
	} maps[VAR_MAPS];
};

static struct var vars[VAR_MAX];

static struct var *var_find(const char *name)
{
	for (int i = 0; i < VAR_MAX; i++)
		if (!strcmp(vars[i].name, name))
			return &vars[i];
	return NULL;
}

static struct var *var_get(const char *name)
{
	struct var *var = name[0] ? var_find(name) : NULL;

	if (!var)
		script_error("%s is not open", name);
	return var;
}

int var_fd(const char *name)
{
	return var_get(name)->fd;
}

bool var_is_set(const char *name)
{
	return name[0] && var_find(name);
}

void var_set(const char *name, int fd)
{
	struct var *var;

	if (var_is_set(name))
		script_error("%s is open already", name);
	if (!name[0] || strlen(name) >= sizeof(var->name))
		script_error("'%s' is no good name", name);

	var = var_find("");
	if (!var)
		script_error("too many names");
	memset(var, 0, sizeof(*var));
	strcpy(var->name, name);
	var->fd = fd;
}

void var_map(const char *name, void *addr, size_t size)
{
	struct var *var = var_get(name);

	if (var->nr_maps == VAR_MAPS)
		script_error("%s: too many mappings", name);
	var->maps[var->nr_maps].addr = addr;
	var->maps[var->nr_maps].size = size;
	var->nr_maps++;
}

int var_close(const char *name)
{
	struct var *var = var_get(name);
	int fd = var->fd;

	for (int i = 0; i < var->nr_maps; i++)
		munmap(var->maps[i].addr, var->maps[i].size);
	memset(var, 0, sizeof(*var));
	return KERNEL_CALL(close(fd));
}
