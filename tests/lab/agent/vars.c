// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a scenario has named: file descriptors, and memory mapped from them. Steps
 * that run at the same time share all of it.
 */
#include <errno.h>
#include <pthread.h>
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
static pthread_mutex_t vars_lock = PTHREAD_MUTEX_INITIALIZER;

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
	int fd;

	pthread_mutex_lock(&vars_lock);
	fd = var_get(name)->fd;
	pthread_mutex_unlock(&vars_lock);
	return fd;
}

bool var_is_set(const char *name)
{
	bool is_set;

	pthread_mutex_lock(&vars_lock);
	is_set = name[0] && var_find(name);
	pthread_mutex_unlock(&vars_lock);
	return is_set;
}

void var_set(const char *name, int fd)
{
	struct var *var;

	if (!name[0] || strlen(name) >= sizeof(var->name))
		script_error("'%s' is no good name", name);

	pthread_mutex_lock(&vars_lock);
	if (var_find(name))
		script_error("%s is open already", name);
	var = var_find("");
	if (!var)
		script_error("too many names");
	memset(var, 0, sizeof(*var));
	strcpy(var->name, name);
	var->fd = fd;
	pthread_mutex_unlock(&vars_lock);
}

void var_map(const char *name, void *addr, size_t size)
{
	struct var *var;

	pthread_mutex_lock(&vars_lock);
	var = var_get(name);
	if (var->nr_maps == VAR_MAPS)
		script_error("%s: too many mappings", name);
	var->maps[var->nr_maps].addr = addr;
	var->maps[var->nr_maps].size = size;
	var->nr_maps++;
	pthread_mutex_unlock(&vars_lock);
}

int var_close(const char *name)
{
	struct var *var, old;

	pthread_mutex_lock(&vars_lock);
	var = var_get(name);
	old = *var;
	memset(var, 0, sizeof(*var));
	pthread_mutex_unlock(&vars_lock);

	for (int i = 0; i < old.nr_maps; i++)
		munmap(old.maps[i].addr, old.maps[i].size);
	return KERNEL_CALL(close(old.fd));
}
