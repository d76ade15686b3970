// SPDX-License-Identifier: GPL-2.0
/*
 * libdw reads DWARF; its libdwfl is not used: that one loads libraries at run
 * time, which a static binary cannot. What it would do for modules is done
 * here: sections get addresses, and debug sections are relocated.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/debugfile.h"

#include "base/lto.h"

struct debuginfo {
	int fd;
	Elf *elf;
	Dwarf *dwarf;
	GElf_Ehdr ehdr;
	uint64_t *base;		/* of each section of a file that is not linked yet; NULL for one that is */
	size_t nr_sections;
	Elf_Data *syms;
	size_t nr_syms, strings;
};

/* ---- what kind of file it is ---- */

static const char *name_of(const struct debuginfo *d, const GElf_Shdr *sh)
{
	size_t names;
	const char *name;

	if (elf_getshdrstrndx(d->elf, &names))
		return "";
	name = elf_strptr(d->elf, names, sh->sh_name);
	return name ? name : "";
}

static Elf_Scn *section(const struct debuginfo *d, const char *name, GElf_Shdr *sh)
{
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(d->elf, scn)); ) {
		if (gelf_getshdr(scn, sh) && !strcmp(name_of(d, sh), name))
			return scn;
	}
	return NULL;
}

static void read_build_id(const struct debuginfo *d, struct debugfile *f)
{
	GElf_Shdr sh;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(d->elf, scn)); ) {
		Elf_Data *data = gelf_getshdr(scn, &sh) && sh.sh_type == SHT_NOTE ? elf_getdata(scn, NULL) : NULL;
		size_t at = 0, next, name, desc;
		GElf_Nhdr n;

		for (; data && data->d_buf && (next = gelf_getnote(data, at, &n, &name, &desc)); at = next) {
			const char *bytes = data->d_buf;

			if (n.n_type != NT_GNU_BUILD_ID || n.n_namesz != 4 || memcmp(bytes + name, "GNU", 4) || n.n_descsz * 2 >= sizeof(f->build_id))
				continue;
			for (size_t i = 0; i < n.n_descsz; i++)
				sprintf(f->build_id + 2 * i, "%02x", (unsigned char)bytes[desc + i]);
			return;
		}
	}
}

/* KEY=VALUE of .modinfo, up to a blank. */
static bool modinfo(const Elf_Data *data, const char *key, char *buf, size_t size)
{
	const char *at = data->d_buf, *end = at + data->d_size;
	size_t len = strlen(key);

	while (at < end) {
		size_t left = (size_t)(end - at), n = strnlen(at, left);

		if (n > len && !memcmp(at, key, len) && at[len] == '=') {
			n = n - len - 1 < size - 1 ? n - len - 1 : size - 1;
			memcpy(buf, at + len + 1, n);
			buf[n] = 0;
			buf[strcspn(buf, " ")] = 0;
			return true;
		}
		at += n + 1;
	}
	return false;
}

/* By the name of the file, where that is all that is left: debug information that was split off. */
static void name_module(struct debugfile *f)
{
	const char *base = strrchr(f->path, '/');
	size_t len;

	base = base ? base + 1 : f->path;
	len = strcspn(base, ".");
	if (!strstr(base, ".ko"))
		return;
	snprintf(f->module, sizeof(f->module), "%.*s", (int)len, base);
	for (char *c = f->module; *c; c++)
		*c = *c == '-' ? '_' : *c;
}

static void read_module(const struct debuginfo *d, struct debugfile *f)
{
	GElf_Shdr sh;
	Elf_Scn *scn = section(d, ".modinfo", &sh);
	Elf_Data *data = scn && sh.sh_type == SHT_PROGBITS ? elf_getdata(scn, NULL) : NULL;

	/* A vmlinux has one, too: of what is built in, with names like "vfio.name". */
	if (data && data->d_buf && d->ehdr.e_type == ET_REL) {
		modinfo(data, "vermagic", f->release, sizeof(f->release));
		if (modinfo(data, "name", f->module, sizeof(f->module)))
			return;
	}
	if (d->ehdr.e_type == ET_REL)
		name_module(f);
}

/* ---- a module: what the loader and the linker would do ---- */

/* Each section that is loaded gets a place of its own. */
static int place(struct debuginfo *d)
{
	uint64_t next = 0x100000;
	GElf_Shdr sh;

	if (d->ehdr.e_type != ET_REL)
		return 0;
	if (elf_getshdrnum(d->elf, &d->nr_sections))
		return -EINVAL;
	d->base = calloc(d->nr_sections, sizeof(*d->base));
	if (!d->base)
		return -ENOMEM;
	for (size_t i = 1; i < d->nr_sections; i++) {
		if (!gelf_getshdr(elf_getscn(d->elf, i), &sh))
			return -EINVAL;
		if (!(sh.sh_flags & SHF_ALLOC))
			continue;
		if (next + sh.sh_size < next)
			return -EINVAL;
		d->base[i] = next;
		next = (next + sh.sh_size + 0xfff) & ~0xfffull;
	}
	return 0;
}

static uint64_t address(const struct debuginfo *d, const GElf_Sym *sym)
{
	return sym->st_value + (d->base && sym->st_shndx < d->nr_sections ? d->base[sym->st_shndx] : 0);
}

/* Bytes that a relocation writes; 0: nothing to write; -1: not known. */
static int width(unsigned int machine, unsigned int type)
{
	if (machine == EM_X86_64)
		return type == R_X86_64_64 ? 8 : type == R_X86_64_32 || type == R_X86_64_32S ? 4 : type == R_X86_64_NONE ? 0 : -1;
	if (machine == EM_AARCH64)
		return type == R_AARCH64_ABS64 ? 8 : type == R_AARCH64_ABS32 ? 4 : type == R_AARCH64_NONE ? 0 : -1;
	return -1;
}

static int relocate_one(const struct debuginfo *d, const GElf_Rela *r, Elf_Data *to)
{
	int bytes = width(d->ehdr.e_machine, GELF_R_TYPE(r->r_info));
	uint64_t value;
	GElf_Sym sym;

	if (bytes <= 0)
		return bytes ? -ENOTSUP : 0;
	if (!gelf_getsym(d->syms, (int)GELF_R_SYM(r->r_info), &sym) || r->r_offset > to->d_size || to->d_size - r->r_offset < (size_t)bytes)
		return -EINVAL;
	value = address(d, &sym) + (uint64_t)r->r_addend;
	memcpy((char *)to->d_buf + r->r_offset, &value, (size_t)bytes);	/* the file's byte order is ours: checked */
	return 0;
}

static int relocate_section(const struct debuginfo *d, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Scn *target = elf_getscn(d->elf, sh->sh_info);
	Elf_Data *rela, *to;
	GElf_Shdr tsh;
	GElf_Rela r;
	int ret = 0;

	if (!target || !gelf_getshdr(target, &tsh) || strncmp(name_of(d, &tsh), ".debug_", 7))
		return 0;
	if (tsh.sh_flags & SHF_COMPRESSED && elf_compress(target, 0, 0) < 0)
		return -EINVAL;
	rela = elf_getdata(scn, NULL);
	to = elf_getdata(target, NULL);
	if (!rela || !to || !to->d_buf || !sh->sh_entsize)
		return -EINVAL;
	for (size_t i = 0; i < sh->sh_size / sh->sh_entsize && !ret; i++)
		ret = gelf_getrela(rela, (int)i, &r) ? relocate_one(d, &r, to) : -EINVAL;
	return ret;
}

static int relocate(const struct debuginfo *d)
{
	GElf_Shdr sh;
	int ret = 0;

	for (Elf_Scn *scn = NULL; d->base && !ret && (scn = elf_nextscn(d->elf, scn)); ) {
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_RELA)
			ret = relocate_section(d, scn, &sh);
	}
	return ret;
}

static int find_symbols(struct debuginfo *d)
{
	GElf_Shdr sh;

	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(d->elf, scn)); ) {
		if (!gelf_getshdr(scn, &sh) || sh.sh_type != SHT_SYMTAB || !sh.sh_entsize)
			continue;
		d->syms = elf_getdata(scn, NULL);
		d->nr_syms = sh.sh_size / sh.sh_entsize;
		d->strings = sh.sh_link;
		return d->syms ? 0 : -EINVAL;
	}
	return -ENODATA;
}

/* ---- opening ---- */

static bool is_ours(struct debuginfo *d)
{
	const unsigned int one = 1;
	bool little = *(const unsigned char *)&one;

	return elf_kind(d->elf) == ELF_K_ELF && gelf_getehdr(d->elf, &d->ehdr) && d->ehdr.e_ident[EI_DATA] == (little ? ELFDATA2LSB : ELFDATA2MSB);
}

static int open_dwarf(struct debuginfo *d, struct debugfile *f, const char **why)
{
	GElf_Shdr sh;
	int ret;

	*why = "not an ELF file of this machine's byte order";
	if (!d->elf || !is_ours(d))
		return -EINVAL;
	read_build_id(d, f);
	read_module(d, f);
	*why = "it has no debug information (or no symbols): it was built without it, or stripped";
	if ((!section(d, ".debug_info", &sh) && !section(d, ".zdebug_info", &sh)) || find_symbols(d))
		return -ENODATA;
	*why = "its debug information cannot be read";
	ret = place(d);
	if (!ret)
		ret = relocate(d);
	if (ret)
		return ret;
	d->dwarf = dwarf_begin_elf(d->elf, DWARF_C_READ, NULL);
	return d->dwarf ? 0 : -EINVAL;
}

int debugfile__open(const char *path, struct debugfile *f, const char **why)
{
	struct debuginfo *d = calloc(1, sizeof(*d));
	int ret;

	memset(f, 0, sizeof(*f));
	*why = "out of memory";
	f->info = d;
	f->path = strdup(path);
	if (!d || !f->path) {
		free(d);
		free(f->path);
		return -ENOMEM;
	}
	d->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (d->fd < 0) {
		ret = -errno;
		*why = strerror(errno);
	} else {
		elf_version(EV_CURRENT);
		/* Private: relocations are written into what was read. */
		d->elf = elf_begin(d->fd, ELF_C_READ_MMAP_PRIVATE, NULL);
		ret = open_dwarf(d, f, why);
	}
	if (ret)
		debugfile__close(f);
	return ret;
}

void debugfile__close(struct debugfile *f)
{
	struct debuginfo *d = f->info;

	if (d) {
		dwarf_end(d->dwarf);
		elf_end(d->elf);
		if (d->fd >= 0)
			close(d->fd);
		free(d->base);
		free(d);
	}
	free(f->path);
	memset(f, 0, sizeof(*f));
}

/* ---- from an address to a line ---- */

/* The compilation unit. Clang writes no .debug_aranges for the kernel: then all are asked. */
static Dwarf_Die *unit_of(const struct debuginfo *d, uint64_t addr, Dwarf_Die *die)
{
	Dwarf_Off at = 0, next;
	size_t head;

	if (dwarf_addrdie(d->dwarf, addr, die))
		return die;
	for (; !dwarf_nextcu(d->dwarf, at, &next, &head, NULL, NULL, NULL); at = next) {
		if (dwarf_offdie(d->dwarf, at + head, die) && dwarf_haspc(die, addr) > 0)
			return die;
	}
	return NULL;
}

/* The innermost function, inlined or not. */
static char *function_at(Dwarf_Die *unit, uint64_t addr)
{
	Dwarf_Die *scopes = NULL;
	int nr = dwarf_getscopes(unit, addr, &scopes);
	char *name = NULL;

	for (int i = 0; i < nr && !name; i++) {
		int tag = dwarf_tag(&scopes[i]);
		const char *s = tag == DW_TAG_inlined_subroutine || tag == DW_TAG_subprogram ? dwarf_diename(&scopes[i]) : NULL;

		name = s ? strdup(s) : NULL;
	}
	free(scopes);
	return name;
}

/* "a/b/../c" as "a/c", "./a" as "a". In place. */
static void normalise(char *path)
{
	char *to = path, *from = path;

	while (*from) {
		size_t n = strcspn(from, "/");

		if (n == 2 && !strncmp(from, "..", 2) && to > path + 1 && to[-1] == '/') {
			for (to--; to > path && to[-1] != '/'; )
				to--;
		} else if (n && !(n == 1 && *from == '.')) {
			memmove(to, from, n);
			to += n;
			if (from[n])
				*to++ = '/';
		} else if (from == path && *from == '/') {
			*to++ = '/';
		}
		from += n + (from[n] != 0);
	}
	*to = 0;
}

/* Below the directory that it was compiled in: of the tree, wherever that lay. */
static char *file_of(Dwarf_Die *unit, Dwarf_Line *line)
{
	Dwarf_Attribute attr;
	const char *name = dwarf_linesrc(line, NULL, NULL), *dir = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attr));
	size_t len = dir ? strlen(dir) : 0;

	if (!name)
		return NULL;
	if (len && !strncmp(name, dir, len) && name[len] == '/' && strncmp(name + len, "/../", 4))
		name += len + 1;
	return strdup(name);
}

static int line_at(const struct debuginfo *d, uint64_t addr, struct debugline *to)
{
	Dwarf_Die die, *unit = unit_of(d, addr, &die);
	Dwarf_Line *line = unit ? dwarf_getsrc_die(unit, addr) : NULL;
	int nr = 0, column = 0;

	if (!line || dwarf_lineno(line, &nr) || nr <= 0)
		return 0;
	dwarf_linecol(line, &column);
	to->file = file_of(unit, line);
	if (!to->file)
		return -ENOMEM;
	normalise(to->file);
	to->line = (unsigned int)nr;
	to->column = column > 0 ? (unsigned int)column : 0;
	to->function = function_at(unit, addr);
	return 1;
}

/* ---- from a function to an address ---- */

/*
 * A trace names calls, and in a stack what stands behind them. Whether a call
 * begins at OFF of the section, its bytes tell; without bytes it does.
 */
static bool calls(const struct debuginfo *d, size_t index, uint64_t off)
{
	Elf_Scn *scn = elf_getscn(d->elf, index);
	GElf_Shdr sh;
	Elf_Data *data = scn && gelf_getshdr(scn, &sh) && sh.sh_type == SHT_PROGBITS ? elf_getdata(scn, NULL) : NULL;
	const unsigned char *b;

	off -= data && !d->base ? sh.sh_addr : 0;
	if (!data || !data->d_buf || off >= data->d_size || data->d_size - off < 4)
		return true;
	b = (const unsigned char *)data->d_buf + off;
	if (d->ehdr.e_machine == EM_AARCH64)
		return (b[3] & 0x7c) == 0x14 || (b[3] == 0xd6 && (b[2] == 0x3f || b[2] == 0x1f));	/* b, bl, br, blr */
	return *b == 0xe8 || *b == 0xe9 || *b == 0xff || (*b == 0x41 && b[1] == 0xff);	/* call, jmp; by pointer */
}

static bool same_line(const struct debugline *a, const struct debugline *b)
{
	return a->line == b->line && !strcmp(a->file, b->file);
}

static void forget(struct debugline *l)
{
	free(l->file);
	free(l->function);
	memset(l, 0, sizeof(*l));
}

/* A trace has the name of the source. */
static bool fits(const struct debuginfo *d, const GElf_Sym *sym, const char *function, uint64_t off)
{
	size_t len = strlen(function);
	const char *name;

	if (GELF_ST_TYPE(sym->st_info) != STT_FUNC || sym->st_shndx == SHN_UNDEF || (off && off >= sym->st_size))
		return false;
	name = elf_strptr(d->elf, d->strings, sym->st_name);
	return name && lto_name_len(name) == len && !strncmp(name, function, len);
}

/* Static functions may share a name: only what all that are long enough agree on is an answer. */
int debugfile__line(struct debugfile *f, const char *function, uint64_t off, bool at_call, struct debugline *to)
{
	struct debuginfo *d = f->info;
	int found = 0, ret = 0;
	GElf_Sym sym;

	memset(to, 0, sizeof(*to));
	for (size_t i = 0; i < d->nr_syms && ret >= 0; i++) {
		struct debugline one = { 0 };
		uint64_t behind;

		if (!gelf_getsym(d->syms, (int)i, &sym) || !fits(d, &sym, function, off))
			continue;
		behind = at_call && off && !calls(d, sym.st_shndx, sym.st_value + off);
		ret = line_at(d, address(d, &sym) + off - behind, &one);
		if (ret <= 0)
			continue;
		if (found && !same_line(to, &one)) {
			forget(&one);
			forget(to);
			return 0;
		}
		if (found)
			forget(&one);
		else
			*to = one;
		found = 1;
	}
	return ret < 0 && !found ? ret : found;
}
