// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU: what each emulated CPU executes between two places, by instructions of its own. The guest's
 * clock cannot tell that: where instructions are the clock, those of a CPU that waits are in it.
 *
 *	-plugin between.so,out=FILE,from=ADDRESS,to=NAME:ADDRESS,...[,pages=NAME]
 *
 * Begins anew each time that a CPU comes to FROM, until one has come to a TO; each TO is told the first time after
 * that, a line `NAME CPU COUNT COUNT...`: who came there, and instructions of CPU 0, 1, ... since. `not-CPU:` before
 * NAME leaves out the CPU that came to FROM. pages=NAME: where they went until NAME, by 64 bytes of text, into
 * FILE.pages: `ADDRESS COUNT...`.
 *
 * QEMU's header is in no package, so what is used of it is declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*tb_trans_cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*exec_cb)(unsigned int cpu, void *arg);
enum { CB_NO_REGS };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_trans_cb cb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, exec_cb cb, int flags, void *arg);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_cb cb, int flags, void *arg);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t at);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

#ifndef PLUGIN_API
#define PLUGIN_API 1		/* QEMU before 9; 2 behind */
#endif
#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = PLUGIN_API;

#define CPUS 8
#define PLACES 16
#define GRAIN_BITS 6
#define PAGES_BITS 20

struct place {
	uint64_t at;
	const char *name;
	bool other;	/* not the CPU that came to FROM */
	bool told;
};

/* A piece of code as it was translated. */
struct block {
	uint64_t insns, *page;	/* PAGE: a count for each CPU */
};

static struct place from, to[PLACES];
static size_t nr_to;
static FILE *out, *pages_out;
static const char *pages;
static uint64_t count[CPUS];
static bool running, reached;
static unsigned int first;

static struct page {
	uint64_t key, count[CPUS];
} *page;

static struct page *page_of(uint64_t at)
{
	uint64_t key = (at >> GRAIN_BITS) + 1;
	size_t i = key * 0x9e3779b97f4a7c15ULL >> (64 - PAGES_BITS);

	while (page[i].key && page[i].key != key)
		i = (i + 1) & ((1 << PAGES_BITS) - 1);
	page[i].key = key;
	return &page[i];
}

static void on_block(unsigned int cpu, void *arg)
{
	const struct block *b = arg;

	if (!running || cpu >= CPUS)
		return;
	count[cpu] += b->insns;
	if (b->page)
		b->page[cpu] += b->insns;
}

static void on_from(unsigned int cpu, void *arg)
{
	if (reached)
		return;
	memset(count, 0, sizeof(count));
	for (size_t i = 0; page && i < 1 << PAGES_BITS; i++)
		memset(page[i].count, 0, sizeof(page[i].count));
	running = true;
	first = cpu;
}

static void write_pages(void)
{
	for (size_t i = 0; i < 1 << PAGES_BITS; i++) {
		uint64_t sum = 0;

		for (int c = 0; c < CPUS; c++)
			sum += page[i].count[c];
		if (!sum)
			continue;
		fprintf(pages_out, "%" PRIx64, (page[i].key - 1) << GRAIN_BITS);
		for (int c = 0; c < CPUS; c++)
			fprintf(pages_out, " %" PRIu64, page[i].count[c]);
		fputc('\n', pages_out);
	}
	fflush(pages_out);
}

static void on_to(unsigned int cpu, void *arg)
{
	struct place *p = arg;

	if (!running || p->told || (p->other && cpu == first))
		return;
	p->told = reached = true;
	fprintf(out, "%s %u", p->name, cpu);
	for (int c = 0; c < CPUS; c++)
		fprintf(out, " %" PRIu64, count[c]);
	fputc('\n', out);
	fflush(out);
	if (pages && !strcmp(pages, p->name))
		write_pages();
}

static void on_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct block *b = calloc(1, sizeof(*b));

	if (!b)
		return;
	b->insns = qemu_plugin_tb_n_insns(tb);
	if (page)
		b->page = page_of(qemu_plugin_tb_vaddr(tb))->count;
	for (size_t i = 0; i < b->insns; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t at = qemu_plugin_insn_vaddr(insn);

		if (at == from.at)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_from, CB_NO_REGS, NULL);
		for (size_t k = 0; k < nr_to; k++)
			if (at == to[k].at)
				qemu_plugin_register_vcpu_insn_exec_cb(insn, on_to, CB_NO_REGS, &to[k]);
	}
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, CB_NO_REGS, b);
}

/* [not-CPU:]NAME:ADDRESS */
static void add_place(char *text)
{
	struct place *p = &to[nr_to++];
	char *colon;

	p->other = !strncmp(text, "not-CPU:", 8);
	if (p->other)
		text += 8;
	colon = strchr(text, ':');
	if (!colon)
		exit(64);
	*colon = 0;
	p->name = strdup(text);
	p->at = strtoull(colon + 1, NULL, 16);
}

static void option(const char *arg)
{
	char name[4096];

	if (!strncmp(arg, "from=", 5)) {
		from.at = strtoull(arg + 5, NULL, 16);
	} else if (!strncmp(arg, "to=", 3) && nr_to < PLACES) {
		add_place(strdup(arg + 3));
	} else if (!strncmp(arg, "pages=", 6)) {
		pages = strdup(arg + 6);
	} else if (!strncmp(arg, "out=", 4)) {
		out = fopen(arg + 4, "w");
		snprintf(name, sizeof(name), "%s.pages", arg + 4);
		pages_out = fopen(name, "w");
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		option(argv[i]);
	if (!out || !pages_out || !from.at || !nr_to)
		return -1;
	if (pages)
		page = calloc(1 << PAGES_BITS, sizeof(*page));
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
	return 0;
}
