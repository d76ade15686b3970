/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few of the kernel's types that programs ask for, as BTF of their own.
 * libbpf looks for each type of a program in all types of the kernel, of which
 * there are a hundred thousand and more.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/kernel/private.h"

struct small {
	const struct kernel *k;
	const struct btf *from, *asked;	/* the kernel's, and the programs' */
	struct btf *to;
	int *copied;		/* type of FROM to type of TO, 0 = not yet */
	int any_pointer, err;
};

/* Flavours of one type, "file___old", differ behind that. */
static size_t name_len(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour && flavour != name ? (size_t)(flavour - name) : strlen(name);
}

static bool same_name(const char *asked, const char *name)
{
	return strlen(name) == name_len(asked) && !strncmp(asked, name, name_len(asked));
}

static int fail(struct small *s, int err)
{
	if (!s->err)
		s->err = err;
	return 0;
}

static int copy_type(struct small *s, __u32 id);

/* What is behind a pointer does not matter: programs follow it by a type that they ask for by name. */
static int copy_pointer(struct small *s)
{
	if (!s->any_pointer)
		s->any_pointer = btf__add_ptr(s->to, 0);
	return s->any_pointer;
}

static int copy_array(struct small *s, const struct btf_type *t)
{
	const struct btf_array *a = btf_array(t);
	int index = copy_type(s, a->index_type), elem = copy_type(s, a->type);

	return s->err ? 0 : btf__add_array(s->to, index, elem, a->nelems);
}

static int copy_enum(struct small *s, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(s->from, t->name_off);
	bool wide = btf_is_enum64(t);
	int id = wide ? btf__add_enum64(s->to, name, t->size, btf_kflag(t)) : btf__add_enum(s->to, name, t->size);

	for (int i = 0; id > 0 && !s->err && i < btf_vlen(t); i++) {
		__u32 at = wide ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off;
		const char *v = btf__name_by_offset(s->from, at);

		s->err = wide ? btf__add_enum64_value(s->to, v, btf_enum64_value(&btf_enum64(t)[i])) :
				btf__add_enum_value(s->to, v, btf_enum(t)[i].val);
	}
	return id;
}

static bool is_asked(const struct small *s, const char *type, const char *member)
{
	for (__u32 id = 1; id < btf__type_cnt(s->asked); id++) {
		const struct btf_type *t = btf__type_by_id(s->asked, id);
		const struct btf_member *m = btf_members(t);

		if (!btf_is_composite(t) || !same_name(btf__name_by_offset(s->asked, t->name_off), type))
			continue;
		for (int i = 0; i < btf_vlen(t); i++)
			if (!strcmp(btf__name_by_offset(s->asked, m[i].name_off), member))
				return true;
	}
	return false;
}

/* ASKED: only the members that programs name, and what has no name, in which they may be. */
static int copy_struct(struct small *s, const struct btf_type *t, bool asked)
{
	const char *name = btf__name_by_offset(s->from, t->name_off);
	const struct btf_member *m = btf_members(t);
	int *type = calloc(btf_vlen(t) + 1, sizeof(*type)), id = 0;

	if (!type)
		return fail(s, -ENOMEM);
	for (int i = 0; i < btf_vlen(t); i++) {
		const char *member = btf__name_by_offset(s->from, m[i].name_off);

		if (!asked || !*member || is_asked(s, name, member))
			type[i] = copy_type(s, m[i].type);
	}
	if (!s->err)
		id = btf_is_union(t) ? btf__add_union(s->to, name, t->size) : btf__add_struct(s->to, name, t->size);
	for (int i = 0; id > 0 && !s->err && i < btf_vlen(t); i++)
		if (type[i] > 0)
			s->err = btf__add_field(s->to, btf__name_by_offset(s->from, m[i].name_off), type[i],
						btf_member_bit_offset(t, i), btf_member_bitfield_size(t, i));
	free(type);
	return id;
}

static int copy_new(struct small *s, const struct btf_type *t, bool asked)
{
	const char *name = btf__name_by_offset(s->from, t->name_off);

	if (btf_is_int(t))
		return btf__add_int(s->to, name, t->size, btf_int_encoding(t));
	if (btf_is_ptr(t))
		return copy_pointer(s);
	if (btf_is_array(t))
		return copy_array(s, t);
	if (btf_is_any_enum(t))
		return copy_enum(s, t);
	if (btf_is_composite(t))
		return copy_struct(s, t, asked);
	if (btf_is_float(t))
		return btf__add_float(s->to, name, t->size);
	return fail(s, -EINVAL);
}

static int copy(struct small *s, __u32 id, bool asked)
{
	const struct btf_type *t = btf__type_by_id(s->from, id);
	int made;

	while (t && (btf_is_mod(t) || btf_is_typedef(t))) {
		id = t->type;
		t = btf__type_by_id(s->from, id);
	}
	if (s->err || !t || !id)
		return fail(s, -EINVAL);
	if (!s->copied[id]) {
		made = copy_new(s, t, asked);
		if (made < 0)
			return fail(s, made);
		s->copied[id] = made;
	}
	return s->copied[id];
}

/* All of it, as it is part of another. */
static int copy_type(struct small *s, __u32 id)
{
	return copy(s, id, false);
}

static int copy_asked(struct small *s)
{
	for (__u32 n = 1; !s->err && n < btf__type_cnt(s->asked); n++) {
		const struct btf_type *t = btf__type_by_id(s->asked, n);
		char name[128];
		__s32 id;

		if ((!btf_is_composite(t) && !btf_is_any_enum(t)) || !t->name_off)
			continue;
		strncpy(name, btf__name_by_offset(s->asked, t->name_off), sizeof(name) - 1);
		name[sizeof(name) - 1] = 0;
		name[name_len(name)] = 0;
		id = kernel__named(s->k, name, btf_is_any_enum(t) ? BTF_KIND_ENUM : BTF_KIND_STRUCT);
		if (id > 0)
			copy(s, id, true);
	}
	return s->err;
}

static int put(const struct btf *btf, int fd)
{
	__u32 len;
	const void *raw = btf__raw_data(btf, &len);

	return raw && write(fd, raw, len) == (ssize_t)len ? 0 : -EIO;
}

int kernel__small_btf(const struct kernel *k, const struct btf *asked, int fd)
{
	struct small s = { .k = k, .from = k->btf, .asked = asked, .to = btf__new_empty() };
	int err = -ENOMEM;

	s.copied = calloc(btf__type_cnt(k->btf), sizeof(*s.copied));
	if (s.to && s.copied)
		err = copy_asked(&s);
	if (!err)
		err = put(s.to, fd);
	free(s.copied);
	btf__free(s.to);
	return err;
}
