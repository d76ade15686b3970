/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/kernel.h"
#include "capture/nametab.h"
#include "capture/phase.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct sym {
	uint64_t addr;
	uint32_t name;		/* offset into names */
	uint16_t module;	/* index into modules, 0 = vmlinux */
	char type;
};

struct modbtf {
	char name[64];
	struct btf *btf;
};

struct kernel {
	struct sym *syms;	/* by address */
	struct nametab by_name;	/* name to index into syms */
	size_t nr_syms;
	char *names;		/* text of kallsyms, cut into strings */
	char (*modules)[64];
	size_t nr_modules;
	struct btf *btf;
	struct nametab types;	/* functions and structs of vmlinux's BTF */
	struct modbtf *mods;
	size_t nr_mods;
	struct utsname uts;
	char build_id[64];
};

/* ---- symbols ---- */

static char *read_all(const char *path, size_t *len)
{
	size_t cap = 1 << 22, n = 0;
	char *buf = malloc(cap + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (buf && fd >= 0) {
		ssize_t r = read(fd, buf + n, cap - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		n += r;
		if (n == cap) {
			char *bigger = realloc(buf, 2 * cap + 1);

			if (!bigger)
				break;
			buf = bigger;
			cap *= 2;
		}
	}
	if (fd < 0) {
		free(buf);
		return NULL;
	}
	close(fd);
	if (buf)
		buf[n] = 0;
	*len = n;
	return buf;
}

static uint16_t module_index(struct kernel *k, const char *name, size_t len)
{
	char (*grown)[64];

	/* kallsyms lists a module's symbols together: the last one is the likely one. */
	for (size_t i = k->nr_modules; i-- > 0;)
		if (!strncmp(k->modules[i], name, len) && !k->modules[i][len])
			return i;
	grown = realloc(k->modules, (k->nr_modules + 1) * sizeof(*k->modules));
	if (!grown || len >= sizeof(*k->modules))
		return 0;
	k->modules = grown;
	memcpy(k->modules[k->nr_modules], name, len);
	k->modules[k->nr_modules][len] = 0;
	return k->nr_modules++;
}

static int by_addr(const void *a, const void *b)
{
	const struct sym *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* The digits of an address; *END is where they end. By a table, as there are sixteen for each symbol. */
static uint64_t parse_hex(const char *at, const char **end)
{
	static const unsigned char one_more[256] = {
		['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10,
		['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
	};
	uint64_t v = 0;
	unsigned int digit;

	for (; (digit = one_more[(unsigned char)*at]); at++)
		v = v << 4 | (digit - 1);
	*end = at;
	return v;
}

/* "ffffffff81000000 T name\t[module]", from LINE to where END stands, which becomes the end of a string. */
static int parse_line(struct kernel *k, char *line, char *end, struct sym *s)
{
	const char *digits;
	char *name, *mod;

	s->addr = parse_hex(line, &digits);
	if (digits == line || end - digits < 3 || digits[0] != ' ' || digits[2] != ' ')
		return -EINVAL;
	name = line + (digits - line) + 3;
	s->type = digits[1];
	s->name = name - k->names;
	s->module = 0;
	*end = 0;
	mod = memchr(name, '\t', end - name);
	if (!mod)
		return 0;
	*mod++ = 0;
	if (*mod == '[' && end[-1] == ']')
		s->module = module_index(k, mod + 1, end - mod - 2);
	return 0;
}

static void syms_clear(struct kernel *k)
{
	free(k->syms);
	nametab__clear(&k->by_name);
	free(k->names);
	free(k->modules);
	k->syms = NULL;
	k->names = NULL;
	k->modules = NULL;
	k->nr_syms = k->nr_modules = 0;
}

static int parse_symbols(struct kernel *k, size_t len)
{
	char *text = k->names, *stop = text + len, *end;
	size_t cap = 0;

	for (char *line = text; line < stop; line = end + 1) {
		end = memchr(line, '\n', stop - line);
		if (!end)
			end = stop;
		if (k->nr_syms == cap) {
			struct sym *grown;

			cap = cap ? 2 * cap : 1 << 16;
			grown = realloc(k->syms, cap * sizeof(*k->syms));
			if (!grown)
				return -ENOMEM;
			k->syms = grown;
		}
		k->nr_syms += !parse_line(k, line, end, &k->syms[k->nr_syms]);
	}
	return 0;
}

/* Padding before a function has a name too, which nobody asks for. */
static bool is_padding(const char *name)
{
	return *name == '_' && !strncmp(name, "__pfx_", 6);
}

static int index_symbols(struct kernel *k)
{
	int err = nametab__reserve(&k->by_name, k->nr_syms);

	for (size_t i = 0; !err && i < k->nr_syms; i++) {
		const char *name = k->names + k->syms[i].name;

		if (!is_padding(name))
			err = nametab__add(&k->by_name, name, i);
	}
	return err;
}

/* The kernel lists vmlinux in order of address, then, higher up, module by module: these are sorted, or else all. */
static void sort_symbols(struct kernel *k)
{
	size_t done = 1;

	while (done < k->nr_syms && k->syms[done - 1].addr <= k->syms[done].addr)
		done++;
	if (done >= k->nr_syms)
		return;
	qsort(k->syms + done, k->nr_syms - done, sizeof(*k->syms), by_addr);
	if (k->syms[done].addr < k->syms[done - 1].addr)
		qsort(k->syms, k->nr_syms, sizeof(*k->syms), by_addr);
}

int kernel__refresh(struct kernel *k)
{
	size_t len = 0;
	int err;

	syms_clear(k);
	k->names = read_all("/proc/kallsyms", &len);
	if (!k->names)
		return -errno;
	module_index(k, "", 0);
	err = parse_symbols(k, len);
	if (err)
		return err;
	sort_symbols(k);
	err = index_symbols(k);
	if (err)
		return err;
	/* Without CAP_SYSLOG every address reads as zero. */
	if (!k->nr_syms || !k->syms[k->nr_syms - 1].addr)
		return -EPERM;
	return 0;
}

static const char *sym_name(const struct kernel *k, size_t i)
{
	return k->names + k->syms[i].name;
}

static const struct sym *find_sym(const struct kernel *k, const char *name, const char *module)
{
	size_t at = SIZE_MAX;
	uint32_t i;

	while (nametab__next(&k->by_name, name, &at, &i)) {
		const struct sym *s = &k->syms[i];

		if (!module || !strcmp(k->modules[s->module], strcmp(module, "vmlinux") ? module : ""))
			return s;
	}
	return NULL;
}

uint64_t kernel__addr(const struct kernel *k, const char *name, const char *module)
{
	const struct sym *s = find_sym(k, name, module);

	return s ? s->addr : 0;
}

bool kernel__global(const struct kernel *k, const char *func, const char *module)
{
	const struct sym *s = find_sym(k, func, module);

	return s && (s->type == 'T' || s->type == 'W');
}

/* Index of the last symbol at or below ADDR, -1 when there is none. */
static ssize_t sym_at(const struct kernel *k, uint64_t addr)
{
	size_t lo = 0, hi = k->nr_syms;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (k->syms[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (ssize_t)lo - 1;
}

uint64_t kernel__sym_size(const struct kernel *k, uint64_t addr)
{
	ssize_t i = sym_at(k, addr);

	if (i < 0)
		return 0;
	for (size_t j = i + 1; j < k->nr_syms; j++)
		if (k->syms[j].addr > addr)
			return k->syms[j].addr - addr < 1 << 16 ? k->syms[j].addr - addr : 0;
	return 0;
}

/* Behind a module's last symbol lies what is no part of it, BPF trampolines for instance. */
static bool ends_module(const struct kernel *k, size_t i)
{
	return k->syms[i].module && (i + 1 == k->nr_syms || k->syms[i + 1].module != k->syms[i].module);
}

const char *kernel__sym(const struct kernel *k, uint64_t addr, uint64_t *off, const char **module)
{
	ssize_t i = sym_at(k, addr);

	if (i < 0 || !k->syms[i].addr)
		return NULL;
	/* Several names may share an address: the first in kallsyms' order of type is as good as any, but skip markers. */
	while (i > 0 && k->syms[i - 1].addr == k->syms[i].addr && !strncmp(sym_name(k, i), "__pfx_", 6))
		i--;
	if (addr - k->syms[i].addr > (ends_module(k, i) ? 1 << 12 : 1 << 20))
		return NULL;
	if (off)
		*off = addr - k->syms[i].addr;
	if (module)
		*module = k->modules[k->syms[i].module];
	return sym_name(k, i);
}

const char *kernel__sym_at(const struct kernel *k, uint64_t addr, size_t n, const char **module)
{
	ssize_t i = sym_at(k, addr);

	if (i < 0 || (size_t)i < n || k->syms[i - n].addr != addr)
		return NULL;
	*module = k->modules[k->syms[i - n].module];
	return sym_name(k, i - n);
}

void kernel__site(const struct kernel *k, uint64_t addr, char *buf, size_t len)
{
	const char *module;
	uint64_t off;
	const char *name = kernel__sym(k, addr, &off, &module);

	if (!name)
		snprintf(buf, len, "?");
	else
		snprintf(buf, len, "%s+0x%llx%s%s%s", name, (unsigned long long)off,
			 *module ? " [" : "", module, *module ? "]" : "");
}

void kernel__each_text(const struct kernel *k, const char *module,
		       void (*fn)(void *arg, const char *name, uint64_t addr, uint64_t size), void *arg)
{
	for (size_t i = 0; i < k->nr_syms; i++) {
		const struct sym *s = &k->syms[i];

		if ((s->type != 't' && s->type != 'T') || strcmp(k->modules[s->module], module))
			continue;
		fn(arg, sym_name(k, i), s->addr, kernel__sym_size(k, s->addr));
	}
}

/* ---- types ---- */

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

static const struct btf_type *skip_mods(const struct btf *btf, __u32 id)
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
		const struct btf_type *mt = skip_mods(btf, m->type);

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

/* Functions and structs of vmlinux are indexed: libbpf's own search reads every type. */
static int index_types(struct kernel *k)
{
	__u32 nr = btf__type_cnt(k->btf);

	for (__u32 id = 1; id < nr; id++) {
		const struct btf_type *t = btf__type_by_id(k->btf, id);

		if ((btf_is_func(t) || btf_is_struct(t)) && t->name_off &&
		    nametab__add(&k->types, btf__name_by_offset(k->btf, t->name_off), id))
			return -ENOMEM;
	}
	return 0;
}

static __s32 find_vmlinux(const struct kernel *k, const char *name, bool func)
{
	size_t at = SIZE_MAX;
	uint32_t id;

	while (nametab__next(&k->types, name, &at, &id))
		if (btf_is_func(btf__type_by_id(k->btf, id)) == func)
			return id;
	return -ENOENT;
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

/* ---- identity ---- */

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

int kernel__open(struct kernel **out, const char **why)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int err;

	*why = "out of memory";
	if (!k)
		return -ENOMEM;
	uname(&k->uts);
	read_build_id(k);
	if (access("/sys/kernel/btf/vmlinux", F_OK)) {
		kernel__free(k);
		*why = "this kernel has no BTF (/sys/kernel/btf/vmlinux is missing): it needs CONFIG_DEBUG_INFO_BTF=y";
		return -ENOENT;
	}
	phase__begin("types");
	k->btf = btf__parse("/sys/kernel/btf/vmlinux", NULL);
	if (!k->btf) {
		err = -errno;
		kernel__free(k);
		*why = "the kernel's BTF (/sys/kernel/btf/vmlinux) cannot be read";
		return err;
	}
	err = index_types(k);
	phase__begin("symbols");
	if (!err)
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
	syms_clear(k);
	for (size_t i = 0; i < k->nr_mods; i++)
		btf__free(k->mods[i].btf);
	free(k->mods);
	nametab__clear(&k->types);
	btf__free(k->btf);
	free(k);
}
