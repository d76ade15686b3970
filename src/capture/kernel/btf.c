/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's types, as its BTF and that of its modules tell them. */
#include "capture/kernel/private.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct btf *kernel__btf(const struct kernel *k)
{
	return k->btf;
}

const struct btf *kernel__module_btf(struct kernel *k, const char *module)
{
	struct modbtf *grown;
	struct btf *btf;
	char path[128];

	for (size_t i = 0; i < k->nr_mods; i++)
		if (!strcmp(k->mods[i].name, module))
			return k->mods[i].btf;
	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", module);
	btf = btf__parse_split(path, k->btf);
	if (!btf)
		return NULL;
	grown = realloc(k->mods, (k->nr_mods + 1) * sizeof(*k->mods));
	if (!grown) {
		btf__free(btf);
		return NULL;
	}
	k->mods = grown;
	snprintf(grown[k->nr_mods].name, sizeof(grown->name), "%s", module);
	grown[k->nr_mods++].btf = btf;
	return btf;
}

const struct btf_type *kernel__real_type(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (t && (btf_is_mod(t) || btf_is_typedef(t)))
		t = btf__type_by_id(btf, t->type);
	return t;
}

/* Offset of the first component of PATH in T, looking through anonymous members; *rest is its type. */
static int member_offset(const struct btf *btf, const struct btf_type *t, const char *name, size_t len,
			 const struct btf_type **type)
{
	const struct btf_member *m = btf_members(t);

	for (int i = 0; i < btf_vlen(t); i++, m++) {
		const char *mn = btf__name_by_offset(btf, m->name_off);
		int bits = btf_member_bit_offset(t, i), inner;
		const struct btf_type *mt = kernel__real_type(btf, m->type);

		if (*mn && !strncmp(mn, name, len) && !mn[len]) {
			*type = mt;
			return bits / 8;
		}
		if (!*mn && mt && btf_is_composite(mt)) {
			inner = member_offset(btf, mt, name, len, type);
			if (inner >= 0)
				return bits / 8 + inner;
		}
	}
	return -1;
}

static const char *type_name(const void *btf, uint32_t id)
{
	return btf__name_by_offset(btf, btf__type_by_id(btf, id)->name_off);
}

static struct names names(const struct kernel *k)
{
	return (struct names){ type_name, k->btf };
}

/* Functions, structs and enums of vmlinux are indexed: libbpf's own search reads every type. */
static int index_types(struct kernel *k)
{
	__u32 nr = btf__type_cnt(k->btf);

	for (__u32 id = 1; id < nr; id++) {
		const struct btf_type *t = btf__type_by_id(k->btf, id);

		if ((btf_is_func(t) || btf_is_struct(t) || btf_is_any_enum(t)) && t->name_off && nametab__add(&k->types, names(k), id))
			return -ENOMEM;
	}
	return 0;
}

int32_t kernel__named(const struct kernel *k, const char *name, uint16_t kind)
{
	size_t at = SIZE_MAX;
	uint32_t id;

	while (nametab__next(&k->types, names(k), name, &at, &id)) {
		uint16_t is = btf_kind(btf__type_by_id(k->btf, id));

		if (is == kind || (is == BTF_KIND_ENUM64 && kind == BTF_KIND_ENUM))
			return id;
	}
	return -ENOENT;
}

static __s32 find_vmlinux(const struct kernel *k, const char *name, bool func)
{
	return kernel__named(k, name, func ? BTF_KIND_FUNC : BTF_KIND_STRUCT);
}

const char *kernel__next_func(const struct kernel *k, const struct btf *btf, uint32_t *id)
{
	__u32 first = btf__type_cnt(k->btf), next = *id < first ? first : *id + 1;

	for (*id = next; *id < btf__type_cnt(btf); ++*id) {
		const struct btf_type *t = btf__type_by_id(btf, *id);

		if (btf_is_func(t))
			return btf__name_by_offset(btf, t->name_off);
	}
	return NULL;
}

/* In a module's own types only: those of vmlinux come first in a split BTF. */
static __s32 find_own(const struct kernel *k, const struct btf *btf, const char *name, bool func)
{
	__u32 nr = btf__type_cnt(btf);

	for (__u32 id = btf__type_cnt(k->btf); id < nr; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if ((func ? btf_is_func(t) : btf_is_struct(t)) && !strcmp(btf__name_by_offset(btf, t->name_off), name))
			return id;
	}
	return -ENOENT;
}

int kernel__offset(const struct kernel *k, const struct btf *btf, const char *type, const char *member)
{
	__s32 id = find_vmlinux(k, type, false);

	if (id < 0 && btf && btf != k->btf)
		id = find_own(k, btf, type, false);
	if (id < 0)
		return -1;
	if (!btf)
		btf = k->btf;
	const struct btf_type *t = btf__type_by_id(btf, id);
	int off = 0;

	while (t && *member) {
		size_t len = strcspn(member, ".");
		int o = btf_is_composite(t) ? member_offset(btf, t, member, len, &t) : -1;

		if (o < 0)
			return -1;
		off += o;
		member += len + (member[len] == '.');
	}
	return t ? off : -1;
}

uint32_t kernel__size(const struct kernel *k, const char *type)
{
	__s32 id = find_vmlinux(k, type, false);

	return id < 0 ? 0 : btf__type_by_id(k->btf, id)->size;
}

bool kernel__has_enumerator(const struct kernel *k, const char *type, const char *name)
{
	int32_t id = kernel__named(k, type, BTF_KIND_ENUM);
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(k->btf, id);

	for (int i = 0; t && btf_is_enum(t) && i < btf_vlen(t); i++)
		if (!strcmp(btf__name_by_offset(k->btf, btf_enum(t)[i].name_off), name))
			return true;
	return false;
}

long kernel__enum_value(const struct kernel *k, const char *name)
{
	__u32 nr = btf__type_cnt(k->btf);

	for (__u32 id = 1; id < nr; id++) {
		const struct btf_type *t = btf__type_by_id(k->btf, id);
		const struct btf_enum *v = btf_enum(t);

		for (int i = 0; btf_is_enum(t) && i < btf_vlen(t); i++)
			if (!strcmp(btf__name_by_offset(k->btf, v[i].name_off), name))
				return v[i].val;
	}
	return -1;
}

static void func_fill(const struct btf *btf, __s32 id, struct func_info *fi)
{
	const struct btf_type *t = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);

	fi->found = true;
	fi->btf_id = id;
	fi->args = btf_vlen(t);
	shape__of(btf, id, fi->shape, sizeof(fi->shape));
}

struct func_info kernel__func(struct kernel *k, const char *func, const char *module)
{
	struct func_info fi = { 0 };
	bool own = module && strcmp(module, "vmlinux");
	const struct btf *mod = own ? kernel__module_btf(k, module) : NULL;
	__s32 id = mod ? find_own(k, mod, func, true) : -ENOENT;

	if (id > 0) {
		func_fill(mod, id, &fi);
		snprintf(fi.module, sizeof(fi.module), "%s", module);
		return fi;
	}
	id = find_vmlinux(k, func, true);
	if (id > 0) {
		func_fill(k->btf, id, &fi);
		snprintf(fi.module, sizeof(fi.module), "vmlinux");
	}
	return fi;
}

/* ---- the kernel's own copies ---- */

/* Takes over FD. */
static int keep_fd(struct kernel *k, const char *module, int fd)
{
	struct btf_fd *grown = realloc(k->fds, (k->nr_fds + 1) * sizeof(*grown));

	if (!grown) {
		close(fd);
		return -ENOMEM;
	}
	k->fds = grown;
	grown[k->nr_fds].fd = fd;
	snprintf(grown[k->nr_fds++].module, sizeof(grown->module), "%s", module);
	return fd;
}

static bool is_of(int fd, const char *module)
{
	struct bpf_btf_info info = { 0 };
	char name[64] = "";
	__u32 len = sizeof(info);

	info.name = (uintptr_t)name;
	info.name_len = sizeof(name);
	return !bpf_obj_get_info_by_fd(fd, &info, &len) && !strcmp(name, module);
}

int kernel__btf_fd(struct kernel *k, const char *module)
{
	__u32 id = 0;

	if (!strcmp(module, "vmlinux"))
		return 0;
	for (size_t i = 0; i < k->nr_fds; i++)
		if (!strcmp(k->fds[i].module, module))
			return k->fds[i].fd;
	while (!bpf_btf_get_next_id(id, &id)) {
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (is_of(fd, module))
			return keep_fd(k, module, fd);
		close(fd);
	}
	return -ENOENT;
}

/* ---- the whole ---- */

int kernel__open_types(struct kernel *k, const char **why)
{
	if (access("/sys/kernel/btf/vmlinux", F_OK)) {
		*why = "this kernel has no BTF (/sys/kernel/btf/vmlinux is missing): it needs CONFIG_DEBUG_INFO_BTF=y";
		return -ENOENT;
	}
	k->btf = btf__parse("/sys/kernel/btf/vmlinux", NULL);
	if (!k->btf) {
		*why = "the kernel's BTF (/sys/kernel/btf/vmlinux) cannot be read";
		return -errno;
	}
	*why = "out of memory";
	return index_types(k);
}

void kernel__drop_types(struct kernel *k)
{
	for (size_t i = 0; i < k->nr_fds; i++)
		close(k->fds[i].fd);
	free(k->fds);
	for (size_t i = 0; i < k->nr_mods; i++)
		btf__free(k->mods[i].btf);
	free(k->mods);
	nametab__clear(&k->types);
	btf__free(k->btf);
}
