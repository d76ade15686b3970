/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest agent: reads one section of a scenario and does what it says, one
 * step per line. This header is what its parts share.
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdbool.h>
#include <stddef.h>

/* More words in a step than anybody needs. */
#define STEP_MAX_WORDS	64

/*
 * One step. Returns 0 or the negative errno of the one system call that the step
 * is about; anything else that goes wrong ends the run through script_error().
 */
struct step {
	const char *name;
	int min_args;
	int max_args;
	int (*run)(int argc, char **argv);
};

/* agent.c */
extern const char *scenario_path;
int step_run(int argc, char **argv);
void script_error(const char *fmt, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void result_write(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Fault injection around the one system call of a step: inject.c */
void inject_begin(void);
void inject_end(void);
bool inject_forgives(void);
void inject_forget(void);

/*
 * Runs CALL, an expression that sets errno, where an injected fault may hit it.
 * Nothing else of a step may be inside.
 */
#define KERNEL_CALL(call)					\
({								\
	inject_begin();						\
	typeof(call) kc_ret = (call);				\
	int kc_errno = errno;					\
	inject_end();						\
	(int)(kc_ret) < 0 ? -kc_errno : (int)(kc_ret);		\
})

/* Named things, mostly file descriptors: vars.c */
int var_fd(const char *name);
bool var_is_set(const char *name);
void var_set(const char *name, int fd);
void var_map(const char *name, void *addr, size_t size);
int var_close(const char *name);

/* Numbers and patterns: text.c */
unsigned long long number(const char *text);
int errno_by_name(const char *name);
const char *errno_name(int err);
void pattern_fill(unsigned char *buf, size_t size, size_t from, const char *pattern);

/* The next kernel by kexec_load(2): kexec.c */
int kexec_load_files(int kernel_fd, int initrd_fd, const char *cmdline);

/* The tables of steps, each closed by an entry without a name */
extern const struct step control_steps[];	/* control.c, inject.c */
extern const struct step inject_steps[];
extern const struct step file_steps[];		/* files.c */
extern const struct step luo_steps[];		/* luo.c */
extern const struct step vfio_steps[];		/* vfio.c */
extern const struct step store_steps[];		/* store.c */

#endif /* AGENT_H */
