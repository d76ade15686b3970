/* SPDX-License-Identifier: GPL-2.0 */
/* struct object, for the files of this room. */
#ifndef VT_CAPTURE_OBJECT_PRIVATE_H
#define VT_CAPTURE_OBJECT_PRIVATE_H

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
	bool taken_over;	/* from libbpf */
	struct vt_control *ctl;
	size_t ctl_len;
	int peek_fd, last_look_fd, cpus_fd;	/* owned by the object */
};

/* ---- control.c ---- */
int control__map(struct object *o, int fd);
void control__unmap(struct object *o);

/* ---- template.c ---- */
/* Takes over what libbpf has relocated. OPTS: with the description of its functions, where the verifier asks for it. */
int template__keep(struct object *o, const struct bpf_program *prog, const struct bpf_prog_load_opts *opts);
void template__drop_all(struct object *o);

#endif
