/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/record/structfile.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/domain/list.h"
#include "capture/kernel/kernel.h"
#include "capture/record/address.h"

enum member_kind { M_UINT, M_INT, M_PTR, M_PATH, M_OTHER };

struct member {
	char name[64];		/* "file.f_mode" */
	uint32_t off, size;
	enum member_kind kind;
	int field;		/* of the writer, once it was asked for */
	/* What a plain value looked like the last time: of most members every file has the same. */
	uint64_t told;
	char text[40];		/* "" = nothing told yet */
};

/* Of a memory file's inode; the order is that of emit_memory_file(). */
static const char *const of_inode[] = { "file.f_inode.i_size", "file.f_inode.i_mode", "file.f_inode.seals" };
#define NR_OF_INODE (sizeof(of_inode) / sizeof(of_inode[0]))

struct structfile {
	const struct kernel *k;
	int of_inode[NR_OF_INODE];	/* fields of the writer, once they were asked for */
	struct member m[64];
	size_t nr;
};

static const char *type_name(const struct btf *b, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(b, id);

	while (t && btf_is_mod(t))
		t = btf__type_by_id(b, t->type);
	return t ? btf__name_by_offset(b, t->name_off) : "";
}

static void add(struct structfile *sf, const char *name, uint32_t off, uint32_t size, enum member_kind kind)
{
	struct member *m;

	if (sf->nr == sizeof(sf->m) / sizeof(sf->m[0]))
		return;
	m = &sf->m[sf->nr++];
	snprintf(m->name, sizeof(m->name), "file.%s", name);
	m->off = off;
	m->size = size;
	m->kind = kind;
}

static enum member_kind int_kind(const struct btf_type *t)
{
	return btf_is_int(t) && (btf_int_encoding(t) & BTF_INT_SIGNED) ? M_INT : M_UINT;
}

static void add_members(struct structfile *sf, const struct btf *b, const struct btf_type *t, uint32_t base,
			const char *prefix, int depth);

/* A struct of plain integers (file_ref_t) is shown inside; one with pointers or locks only as idle or not. */
static bool only_ints(const struct btf *b, const struct btf_type *t)
{
	const struct btf_member *m = btf_members(t);

	for (int i = 0; i < btf_vlen(t); i++) {
		const struct btf_type *mt = kernel__real_type(b, m[i].type);

		if (!mt || !(btf_is_int(mt) || btf_is_any_enum(mt) || (btf_is_struct(mt) && only_ints(b, mt))))
			return false;
	}
	return btf_vlen(t) > 0;
}

static void add_one(struct structfile *sf, const struct btf *b, const char *name, __u32 type, uint32_t off, int depth)
{
	const struct btf_type *t = kernel__real_type(b, type);
	__s64 size = btf__resolve_size(b, type);

	if (!t || size <= 0)
		return;
	if (btf_is_int(t) || btf_is_any_enum(t))
		add(sf, name, off, size, btf_is_int(t) ? int_kind(t) : M_UINT);
	else if (btf_is_ptr(t))
		add(sf, name, off, size, M_PTR);
	else if (!strcmp(type_name(b, type), "path"))
		add(sf, name, off, size, M_PATH);
	else if (btf_is_struct(t) && depth < 3 && strstr(type_name(b, type), "lock") == NULL && only_ints(b, t))
		add_members(sf, b, t, off, name, depth + 1);
	else
		add(sf, name, off, size, M_OTHER);
}

/* A pointer, or something with one inside. */
static bool has_pointer(const struct btf *b, __u32 type, int depth)
{
	const struct btf_type *t = kernel__real_type(b, type);
	const struct btf_member *m = t ? btf_members(t) : NULL;

	if (!t || depth > 4)
		return true;
	if (btf_is_ptr(t))
		return true;
	if (btf_is_array(t))
		return has_pointer(b, btf_array(t)->type, depth + 1);
	if (!btf_is_struct(t) && !btf_is_union(t))
		return false;
	for (int i = 0; i < btf_vlen(t); i++) {
		if (has_pointer(b, m[i].type, depth + 1))
			return true;
	}
	return false;
}

/*
 * What shares its place with pointers holds them at times, whatever it is called:
 * f_ra is f_task_work once the last fput() is deferred.
 */
static bool may_be_pointer(const struct btf *b, const struct btf_type *of, __u32 speaks)
{
	const struct btf_member *m = btf_members(of);

	if (has_pointer(b, speaks, 0))
		return false;
	for (int i = 0; i < btf_vlen(of); i++) {
		if (has_pointer(b, m[i].type, 0))
			return true;
	}
	return false;
}

/* Of an anonymous union the largest member speaks for all, the first among equals. */
static const struct btf_member *speaker(const struct btf *b, const struct btf_type *t)
{
	const struct btf_member *m = btf_members(t), *best = m;
	__s64 size = -1;

	for (int i = 0; i < btf_vlen(t); i++) {
		__s64 s = btf__resolve_size(b, m[i].type);

		if (s > size) {
			size = s;
			best = &m[i];
		}
	}
	return best;
}

static void add_members(struct structfile *sf, const struct btf *b, const struct btf_type *t, uint32_t base,
			const char *prefix, int depth)
{
	const struct btf_member *m = btf_members(t);

	for (int i = 0; i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(b, m[i].name_off);
		uint32_t off = base + btf_member_bit_offset(t, i) / 8;
		const struct btf_type *mt = kernel__real_type(b, m[i].type);
		char full[64];

		if (!*name && mt && btf_is_union(mt) && btf_vlen(mt)) {
			const struct btf_member *s = speaker(b, mt);

			if (may_be_pointer(b, mt, s->type))
				add(sf, btf__name_by_offset(b, s->name_off), off, btf__resolve_size(b, s->type), M_OTHER);
			else
				add_one(sf, b, btf__name_by_offset(b, s->name_off), s->type, off, depth);
			continue;
		}
		if (!*name && mt && btf_is_struct(mt)) {
			add_members(sf, b, mt, off, prefix, depth);
			continue;
		}
		snprintf(full, sizeof(full), "%s%s%s", prefix, *prefix ? "." : "", name);
		add_one(sf, b, full, m[i].type, off, depth);
	}
}

int structfile__new(struct structfile **out, const struct kernel *k)
{
	const struct btf *b = kernel__btf(k);
	__s32 id = btf__find_by_name_kind(b, "file", BTF_KIND_STRUCT);
	struct structfile *sf;

	if (id <= 0)
		return -ENOENT;
	sf = calloc(1, sizeof(*sf));
	if (!sf)
		return -ENOMEM;
	sf->k = k;
	add_members(sf, b, btf__type_by_id(b, id), 0, "", 0);
	*out = sf;
	return 0;
}

void structfile__free(struct structfile *sf)
{
	free(sf);
}

static uint64_t slot_of(const struct vt_wire_snap *s, enum vt_slot slot)
{
	return s->w.mask & 1ull << slot && !(s->w.fault & 1ull << slot) ? s->w.slot[slot] : 0;
}

static void tell_inode(const struct vt_inode *i, const char *dentry, char *buf, size_t len)
{
	int n;

	if (!i->ptr) {
		snprintf(buf, len, "null");
		return;
	}
	n = snprintf(buf, len, "%s inode %llu", *i->fs ? i->fs : "?", i->ino);
	if (i->rdev && n > 0 && (size_t)n < len)
		n += snprintf(buf + n, len - n, " dev %u:%u", i->rdev >> 20, i->rdev & 0xfffff);
	if (dentry && *dentry && n > 0 && (size_t)n < len)
		snprintf(buf + n, len - n, " \"%s\"", dentry);
}

/* Whose address_space it is: the question that a wrong f_mapping answers wrongly. */
static void tell_mapping(const struct vt_wire_snap *s, char *buf, size_t len)
{
	uint64_t m = slot_of(s, VT_S_MAPPING);

	if (!m)
		snprintf(buf, len, "null");
	else if (m == slot_of(s, VT_S_INODE_MAPPING))
		snprintf(buf, len, "i_mapping of f_inode");
	else
		snprintf(buf, len, "i_mapping of %s inode", *s->host.fs ? s->host.fs : "another");
}

static void tell_pointer(const struct structfile *sf, const struct vt_wire_snap *s, const char *name,
			 uint64_t v, char *buf, size_t len)
{
	const char *module, *sym;
	uint64_t off;

	if (!strcmp(name, "file.f_inode")) {
		tell_inode(&s->inode, s->dentry, buf, len);
		return;
	}
	if (domains__tell(s, name, v, buf, len))
		return;
	if (!strcmp(name, "file.f_mapping")) {
		tell_mapping(s, buf, len);
		return;
	}
	if (!v) {
		snprintf(buf, len, "null");
		return;
	}
	sym = kernel__sym(sf->k, v, &off, &module);
	if (sym && !off)
		snprintf(buf, len, "%s%s%s%s", sym, *module ? " [" : "", module, *module ? "]" : "");
	else
		snprintf(buf, len, "set");
}

static bool is_zero(const unsigned char *p, size_t len)
{
	while (len--)
		if (*p++)
			return false;
	return true;
}

static uint64_t value_of(const struct vt_wire_snap *s, const struct member *m)
{
	uint64_t v = 0;

	if (m->size <= sizeof(v))
		memcpy(&v, s->file + m->off, m->size);
	return v;
}

static void tell(const struct structfile *sf, const struct vt_wire_snap *s, const struct member *m, char *buf, size_t len)
{
	const unsigned char *p = s->file + m->off;
	uint64_t v = value_of(s, m);

	if ((m->kind == M_INT || m->kind == M_UINT) && m->size == sizeof(v) && address__in(v, m->kind == M_INT ? VT_S64 : VT_HEX, false)) {
		snprintf(buf, len, "set");
		return;
	}
	switch (m->kind) {
	case M_PTR:
		tell_pointer(sf, s, m->name, v, buf, len);
		break;
	case M_INT:
		if (m->size == 4)
			v = (int64_t)(int32_t)v;
		snprintf(buf, len, "%lld", (long long)v);
		break;
	case M_UINT:
		snprintf(buf, len, "0x%llx", (unsigned long long)v);
		break;
	case M_PATH:
		snprintf(buf, len, "%s:%s", *s->inode.fs ? s->inode.fs : "?", s->dentry);
		break;
	case M_OTHER:
		snprintf(buf, len, "%s", is_zero(p, m->size) ? "zero" : "set");
		break;
	}
}

/* The text depends on the value alone. */
static bool is_plain(const struct member *m)
{
	return m->kind == M_INT || m->kind == M_UINT;
}

/* Thousands of files may freeze at once with the jump waiting for us: text is made when a value is new. */
static const char *text_of(const struct structfile *sf, const struct vt_wire_snap *s, struct member *m, char *buf, size_t len)
{
	uint64_t v = value_of(s, m);

	if (!is_plain(m)) {
		tell(sf, s, m, buf, len);
		return buf;
	}
	if (!*m->text || m->told != v) {
		tell(sf, s, m, m->text, sizeof(m->text));
		m->told = v;
	}
	return m->text;
}

/* What a memory file is beside its memory: it hangs on the inode, and a new kernel makes a new one. */
static void emit_memory_file(struct structfile *sf, struct vt_writer *w, const struct vt_inode *i)
{
	const unsigned long long value[] = { i->size, i->mode, i->seals };
	char buf[24];

	if (i->seals == VT_NO_SEALS || !S_ISREG(i->mode))
		return;
	for (size_t n = 0; n < NR_OF_INODE; n++) {
		if (!sf->of_inode[n])
			sf->of_inode[n] = vt_writer__dyn_field(w, of_inode[n], VT_STR);
		if (sf->of_inode[n] < 0)
			continue;
		snprintf(buf, sizeof(buf), n ? "0x%llx" : "%llu", value[n]);
		vt_writer__str(w, sf->of_inode[n], buf);
	}
}

void structfile__emit(struct structfile *sf, struct vt_writer *w, const struct vt_wire_snap *s)
{
	char buf[160];

	for (size_t i = 0; i < sf->nr; i++) {
		struct member *m = &sf->m[i];

		if (!m->field)
			m->field = vt_writer__dyn_field(w, m->name, VT_STR);
		if (m->field < 0)
			continue;
		if (m->off + m->size > s->file_size)
			vt_writer__err(w, m->field, s->file_size ? E2BIG : EFAULT);
		else
			vt_writer__str(w, m->field, text_of(sf, s, m, buf, sizeof(buf)));
	}
	emit_memory_file(sf, w, &s->inode);
}
