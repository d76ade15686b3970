/* SPDX-License-Identifier: GPL-2.0 */
/* struct object, for the files of this room. */
#ifndef VT_CAPTURE_OBJECT_PRIVATE_H
#define VT_CAPTURE_OBJECT_PRIVATE_H

#include <pthread.h>
#include <string.h>

#include "capture/object/object.h"

struct bpf_insn;
struct bpf_object;
struct bpf_program;
struct bpf_prog_load_opts;

/* A program as libbpf relocated it, to be loaded once per function it is attached to. */
struct template {
	char prog[48];
	struct bpf_insn *insns;
	size_t nr;
	void *func_info;
	unsigned int func_info_cnt, func_info_rec_size;
	int btf_fd;		/* owned by the object */
	bool sleepable;
};

struct object {
	struct kernel *k;
	struct plan *plan;
	struct object_options opt;
	struct bpf_object *bpf;
	struct template *templates;
	size_t nr_templates;
	pthread_mutex_t lock;	/* of the templates, and of what is behind them */
	struct bpf_object **more;	/* templates that were fetched later are theirs */
	size_t nr_more;
	int (*fetch)(struct object *o, const char *prog);	/* makes a template of PROG, which is none yet: 0 or -errno */
	int types_fd;		/* small BTF, -1 = none */
	uint32_t cast_id;	/* bpf_rdonly_cast() in vmlinux's BTF, 0 = not there */
	bool has_multi;		/* this kernel attaches a program to many functions at a time */
	struct vt_control *ctl;
	size_t ctl_len;
	int peek_fd, cpus_fd;	/* owned by the object */
};

/* ---- control.c ---- */
int control__map(struct object *o, int fd);
void control__unmap(struct object *o);

/* ---- template.c ---- */
/* Takes over what libbpf has relocated, with the description of its functions, for which the verifier asks. */
int template__keep(struct object *o, const struct bpf_program *prog, const struct bpf_prog_load_opts *opts);
bool template__has(const struct object *o, const char *prog);
/* A program that hooks share: bpf/multi.bpf.c. */
static inline bool template__is_multi(const char *prog)
{
	return !strncmp(prog, "all_", 4);
}
/* What is missing in a program of libbpf's own to load. */
int template__complete(struct object *o, struct bpf_program *prog);
void template__drop_all(struct object *o);

#endif
