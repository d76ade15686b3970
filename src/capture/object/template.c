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

/* What stands for a call of bpf_rdonly_cast() becomes one (bpf/lib/load.bpf.h). */
static int put_casts(const struct object *o, struct bpf_insn *insns, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (insns[i].code != (BPF_JMP | BPF_CALL) || insns[i].src_reg || insns[i].imm != VT_RDONLY_CAST)
			continue;
		if (!o->cast_id)
			return -EOPNOTSUPP;
		insns[i].src_reg = BPF_PSEUDO_KFUNC_CALL;
		insns[i].imm = o->cast_id;
	}
	return 0;
}

int template__complete(struct object *o, struct bpf_program *prog)
{
	size_t nr = bpf_program__insn_cnt(prog);
	struct bpf_insn *insns = copy_of(bpf_program__insns(prog), nr * sizeof(*insns));
	int err = insns ? put_casts(o, insns, nr) : -ENOMEM;

	if (!err)
		err = bpf_program__set_insns(prog, insns, nr);
	free(insns);
	return err;
}

/* bpf_loop() takes the address of a function. */
static bool has_callback(const struct template *t)
{
	for (size_t i = 0; i < t->nr; i++)
		if (t->insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) && t->insns[i].src_reg == BPF_PSEUDO_FUNC)
			return true;
	return false;
}

/* Without a description a global function counts as a static one, which is fine for one program, and dear for one of many parts. */
static bool needs_func_info(const struct template *t)
{
	return has_callback(t) || template__is_multi(t->prog);
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
	if (!t->insns)
		return -ENOMEM;
	if (needs_func_info(t)) {
		t->func_info_cnt = opts->func_info_cnt;
		t->func_info_rec_size = opts->func_info_rec_size;
		t->func_info = copy_of(opts->func_info, (size_t)t->func_info_cnt * t->func_info_rec_size);
		t->btf_fd = opts->prog_btf_fd;
		if (!t->func_info)
			return -ENOMEM;
	}
	return put_casts(o, t->insns, t->nr);
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

static bool find(const struct object *o, const char *prog, struct template *out)
{
	for (size_t i = 0; i < o->nr_templates; i++)
		if (!strcmp(o->templates[i].prog, prog)) {
			*out = o->templates[i];
			return true;
		}
	return false;
}

bool template__has(const struct object *o, const char *prog)
{
	struct template t;

	return find(o, prog, &t);
}

/* What it points to stays; the table may be another when more are kept. */
static int get(struct object *o, const char *prog, struct template *out)
{
	int err = 0;

	pthread_mutex_lock(&o->lock);
	if (!find(o, prog, out)) {
		err = o->fetch(o, prog);
		if (!err && !find(o, prog, out))
			err = -ENOENT;
	}
	pthread_mutex_unlock(&o->lock);
	return err;
}

bool template__exists(struct object *o, const char *prog)
{
	bool found;

	pthread_mutex_lock(&o->lock);
	found = template__has(o, prog);
	pthread_mutex_unlock(&o->lock);
	return found;
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

int template__load(struct object *o, const char *prog, unsigned int attach_type, uint32_t btf_id, int btf_fd)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach_type, .attach_btf_id = btf_id, .attach_btf_obj_fd = btf_fd);
	struct template t;
	int err = get(o, prog, &t);

	if (err)
		return err;
	opts.prog_btf_fd = t.btf_fd;
	opts.func_info = t.func_info;
	opts.func_info_cnt = t.func_info_cnt;
	opts.func_info_rec_size = t.func_info_rec_size;
	if (t.sleepable)
		opts.prog_flags |= BPF_F_SLEEPABLE;
	return load_insns(prog, &t, &opts);
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

int template__load_kprobe(struct object *o, const char *prog, const struct kprobe_shape *shape)
{
	struct template kept, *t = &kept;
	struct bpf_insn prologue[PROLOGUE_MAX], *insns;
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	void *info;
	int len, fd;

	fd = get(o, prog, t);
	if (fd)
		return fd;
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
