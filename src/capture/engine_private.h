/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine's inside, shared by its parts: engine.c (the whole), load.c
 * (programs and targets), and one part per kind of thing that is attached:
 * handlers.c, vfio.c, inject.c.
 */
#ifndef VT_CAPTURE_ENGINE_PRIVATE_H
#define VT_CAPTURE_ENGINE_PRIVATE_H

#include "capture/engine.h"
#include "capture/sites.h"

struct bpf_object;
struct bpf_insn;

enum { MAP_RING, MAP_CONTROL, MAP_CPUS, MAP_OBJECTS, MAP_SITES, NR_MAPS };

/* Callbacks of a handler that are traced. */
enum {
	NR_OPS = 0
#define HOOK(...) + 1
#include "vfiotrace/hooks/handler.def"
#undef HOOK
};

struct handler {
	uint64_t addr;
	char compatible[64];
	char module[64];	/* ops->owner; "" = built in */
	bool objects_done;
	bool complete;	/* every op it has is attached; else it is tried again */
	unsigned int tries;
};

struct module_btf {
	char module[64];
	int fd;
};

/* A program as libbpf relocated it, to be loaded once per function it is attached to. */
struct template {
	char prog[48];
	struct bpf_insn *insns;	/* NULL: libbpf loaded it as it is, and has them */
	size_t nr;
	void *func_info;
	unsigned int func_info_cnt, func_info_rec_size;
	int btf_fd;		/* owned by the object */
	bool sleepable;
};

struct engine {
	struct kernel *k;
	struct engine_options opt;
	struct plan plan;
	struct bpf_object *obj;
	struct template *templates;
	size_t nr_templates;
	bool taken_over;	/* from libbpf: load.c */
	struct module_btf *btf_fds;
	size_t nr_btf_fds;
	int map_fd[NR_MAPS];	/* owned by the object */
	struct vt_control *ctl;
	size_t ctl_len;
	int peek_fd, last_look_fd;
	bool vfio_done, luo_done, caught_up;
	int op_offset[NR_OPS];	/* in struct liveupdate_file_ops; -1 = this kernel has no such op */
	struct handler *handlers;
	size_t nr_handlers;
	char handler_list[512];
	struct site *sites;
	size_t nr_sites;
	struct site df_alloc;
	struct tracefs *tracefs;
	bool tracefs_asked;
	int tracefs_err;
	bool far_filled[2];	/* together.c: for enter, for exit */
	int site_fd[VT_SITE_KINDS];	/* callsites.c: programs, 0 = not looked up yet */
	uint32_t nr_kprobes;	/* rows that took the fallback, attached or not */
	uint32_t nofail;	/* mask of __GFP_NOFAIL */
};

/* ---- load.c ---- */
/* Loads the object with the core's programs aimed; maps exist after this. */
int load__object(struct engine *e);
int load__attach_core(struct engine *e);
void load__free_templates(struct engine *e);
const struct template *load__template(const struct engine *e, const char *prog);
/* PROG's template as a program for the function BTF_ID of the module behind BTF_FD, 0: for many functions. Its fd, or -errno. */
int load__again(struct engine *e, const char *prog, unsigned int attach_type, uint32_t btf_id, int btf_fd);
/* The row will not be attached, and why. ERR 0: WHAT says it all. */
void load__give_up(struct plan_row *r, const char *what, int err);
/* Rows of GROUP and KEY are taken out of the plan, detached if need be. */
void load__drop_rows(struct plan *p, enum plan_group group, uint64_t key);
/* fd of a module's BTF object in the kernel, kept; 0 stands for vmlinux. -errno */
int load__btf_fd(struct engine *e, const char *module);
/* What libbpf last complained of, "" when nothing. */
const char *load__complaint(void);

/* ---- crew.c ---- */
/* Loads and attaches the resolved rows of GROUP and KEY; the number attached, or -errno. */
int crew__attach_group(struct engine *e, enum plan_group group, uint64_t key);
/* One row, whose program is loaded: PROG_FD is taken over. */
void crew__attach_row(struct engine *e, struct plan_row *r, int prog_fd);

/* ---- together.c: hooks that share a program ---- */
#define BATCH_MAX 32
#define BATCHES_MAX 16
/* Rows of one family on functions of one module, all of them enter or all exit. */
struct batch {
	const char *module;
	bool exit;
	char prog[24];
	size_t nr;
	struct plan_row *row[BATCH_MAX];
	uint64_t cookie[BATCH_MAX];
};
bool together__is_program(const char *name);
/* Puts the row into one of the *NR batches, or a new one. False: it has to go on its own. */
bool together__take(struct engine *e, struct batch *b, size_t *nr, struct plan_row *r);
/* The batch's program: its fd, or -errno. */
int together__load(struct engine *e, const struct batch *b, int btf_fd);
/* Attaches what it can of the rows. PROG_FD is taken over. */
void together__attach(struct batch *b, int prog_fd);

/* ---- fallback.c ---- */
/* FUNC is to be hooked by a kprobe, because an option says so. */
bool fallback__asked_for(const struct engine *e, const char *func);
/* ftrace lists what it can hook, and the row's function is not there. */
bool fallback__unlisted(struct engine *e, const struct plan_row *r);
/* The row by kprobe (loaded only, when nothing is to be attached); WHY it is not done by fentry. True when attached. */
bool fallback__attach(struct engine *e, struct plan_row *r, const char *why);

/* ---- engine.c: kernel memory, by the peek program ---- */
int engine__peek(struct engine *e, uint64_t addr, void *buf, size_t len);
int engine__reader(void *engine, uint64_t addr, void *buf, size_t len);	/* the same, as a sites_read_fn */
uint64_t engine__peek_u64(struct engine *e, uint64_t addr);	/* 0 when unreadable */

/* ---- callsites.c ---- */
/* What a call site is for. */
struct site_use {
	enum vt_site_kind kind;
	enum vt_event_type event;
	const char *module;
	bool df_only;		/* see struct vt_site */
	enum vt_class cls;	/* the same */
};
/* Puts a kprobe on a call: 1, 0 (the plan says why not), or -errno. */
int callsites__attach(struct engine *e, struct found_site *f, const struct site_use *use);
typedef int (*callsites_fn)(struct engine *e, struct found_site *f, const struct site_use *use);
/* ONE for each of FOUND, which is freed: how many kprobes there are now, or -errno. */
int callsites__attach_all(struct engine *e, struct found_site *found, int nr, const struct site_use *use, callsites_fn one);
/* The plan says that calls of FUNC cannot be seen, and WHY. 0 or -errno. */
int callsites__none(struct engine *e, const struct site_use *use, const char *func, const char *why, int err);

/* ---- objects.c: what LUO and the handlers allocate and free ---- */
int objects__attach_luo(struct engine *e);
/* The callbacks of one handler, at ADDR[]. */
int objects__attach_handler(struct engine *e, const char *module, const uint64_t *addr, size_t nr);

/* ---- the parts; each returns the number of rows attached, or -errno ---- */
int luo__attach(struct engine *e);
int vfio__attach(struct engine *e);
void handlers__prepare(struct engine *e);
int handlers__attach(struct engine *e);
int inject__plan(struct engine *e, const char **why);	/* 0, or -errno and *WHY */

#endif
