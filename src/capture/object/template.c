/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/object/template.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/object/private.h"

/* ---- keeping them ---- */

static void *copy_of(const void *p, size_t len)
{
	void *copy = malloc(len + 1);

	if (copy && len)
		memcpy(copy, p, len);
	return copy;
}

int template__keep(struct object *o, const struct bpf_program *prog, const struct bpf_prog_load_opts *opts)
{
	struct template *grown = realloc(o->templates, (o->nr_templates + 1) * sizeof(*grown)), *t;

	if (!grown)
		return -ENOMEM;
	o->templates = grown;
	t = &grown[o->nr_templates];
	memset(t, 0, sizeof(*t));
	t->nr = bpf_program__insn_cnt(prog);
	t->insns = copy_of(bpf_program__insns(prog), t->nr * sizeof(*t->insns));
	o->nr_templates++;
	snprintf(t->prog, sizeof(t->prog), "%s", bpf_program__name(prog));
	t->sleepable = !strcmp(bpf_program__section_name(prog), "fexit.s");
	if (opts) {
		t->func_info_cnt = opts->func_info_cnt;
		t->func_info_rec_size = opts->func_info_rec_size;
		t->func_info = copy_of(opts->func_info, (size_t)t->func_info_cnt * t->func_info_rec_size);
		t->btf_fd = opts->prog_btf_fd;
	}
	return t->insns && (!opts || t->func_info) ? 0 : -ENOMEM;
}

void template__drop_all(struct object *o)
{
	for (size_t i = 0; i < o->nr_templates; i++) {
		free(o->templates[i].insns);
		free(o->templates[i].func_info);
	}
	free(o->templates);
	o->templates = NULL;
	o->nr_templates = 0;
}

static const struct template *find(const struct object *o, const char *prog)
{
	for (size_t i = 0; i < o->nr_templates; i++)
		if (!strcmp(o->templates[i].prog, prog))
			return &o->templates[i];
	return NULL;
}

bool template__exists(const struct object *o, const char *prog)
{
	return find(o, prog) != NULL;
}

/* ---- loading them again ---- */

#define VERIFIER_LOG (4 << 20)

/* What the verifier says of a program that it refuses is for whoever works on the programs. */
static int load_insns(const char *prog, const struct template *t, struct bpf_prog_load_opts *opts)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, prog, "GPL", t->insns, t->nr, opts);
	char *log;

	if (fd >= 0 || !getenv("VFIOTRACE_DEBUG"))
		return fd;
	log = calloc(1, VERIFIER_LOG);
	if (!log)
		return fd;
	opts->log_buf = log;
	opts->log_size = VERIFIER_LOG;
	opts->log_level = 1;
	if (bpf_prog_load(BPF_PROG_TYPE_TRACING, prog, "GPL", t->insns, t->nr, opts) < 0)
		fprintf(stderr, "%s is refused:\n%s\n", prog, log);
	free(log);
	return fd;
}

int template__load(const struct object *o, const char *prog, unsigned int attach_type, uint32_t btf_id, int btf_fd)
{
	const struct template *t = find(o, prog);
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach_type, .attach_btf_id = btf_id, .attach_btf_obj_fd = btf_fd);

	if (!t)
		return -ENOENT;
	opts.prog_btf_fd = t->btf_fd;
	opts.func_info = t->func_info;
	opts.func_info_cnt = t->func_info_cnt;
	opts.func_info_rec_size = t->func_info_rec_size;
	if (t->sleepable)
		opts.prog_flags |= BPF_F_SLEEPABLE;
	return load_insns(prog, t, &opts);
}

/* Places of functions in the program move behind the prologue; the main one begins with it. */
static void *shifted_func_info(const struct template *t, int by)
{
	char *copy = malloc(t->func_info_cnt * t->func_info_rec_size + 1);

	if (!copy)
		return NULL;
	memcpy(copy, t->func_info, t->func_info_cnt * t->func_info_rec_size);
	for (uint32_t i = 1; i < t->func_info_cnt; i++) {
		uint32_t *insn_off = (uint32_t *)(copy + i * t->func_info_rec_size);

		*insn_off += by;
	}
	return copy;
}

int template__load_kprobe(const struct object *o, const char *prog, const struct kprobe_shape *shape)
{
	const struct template *t = find(o, prog);
	struct bpf_insn prologue[PROLOGUE_MAX], *insns;
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	void *info;
	int len, fd;

	if (!t)
		return -ENOENT;
	len = prologue__make(shape, prologue__stack_used(t->insns, t->nr), prologue);
	if (len < 0)
		return len;
	if (t->sleepable)
		return -EOPNOTSUPP;
	insns = malloc((len + t->nr) * sizeof(*insns));
	info = shifted_func_info(t, len);
	if (!insns || !info) {
		free(insns);
		free(info);
		return -ENOMEM;
	}
	memcpy(insns, prologue, len * sizeof(*insns));
	memcpy(insns + len, t->insns, t->nr * sizeof(*insns));
	opts.prog_btf_fd = t->btf_fd;
	opts.func_info = info;
	opts.func_info_cnt = t->func_info_cnt;
	opts.func_info_rec_size = t->func_info_rec_size;
	fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, prog, "GPL", insns, len + t->nr, &opts);
	free(insns);
	free(info);
	return fd;
}
