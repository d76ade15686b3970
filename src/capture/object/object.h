/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The BPF object: opened, relocated, its maps made, its control page mapped.
 *
 * libbpf opens, relocates and loads it once. Programs on kernel functions are
 * templates (template.h): the same relocated instructions loaded again for each
 * function, so that no BTF is parsed twice, and a program that the verifier
 * refuses takes no other with it.
 */
#ifndef VT_CAPTURE_OBJECT_H
#define VT_CAPTURE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfiotrace/wire.h"

struct kernel;
struct object;
struct plan;

struct object_options {
	uint32_t ring_bytes;		/* power of two */
	uint64_t jump_wait_ns;		/* bound on the wait before the jump */
	bool all_blocks;		/* no limit to the runs of blocks that one call tells */
	uint64_t module_wait_ns;	/* bound on the wait after a module's init */
	bool dry;			/* every program is to be loaded, none attached */
};

/* With the programs that P has functions for. 0 or -errno; complaint__last() may say more. */
int object__open(struct object **out, struct kernel *k, struct plan *p, const struct object_options *opt);
/* Links and programs made of it go before. */
void object__free(struct object *o);

struct vt_control *object__control(const struct object *o);
/* While the gate is shut the programs return at once. */
void object__gate(struct object *o, bool open);
/* So many records, and the losses that are told with them, are on stable storage: a jump that waits for that goes on. */
void object__stored(struct object *o, uint64_t records, uint64_t losses);
/* fd, owned by the object; of a program that is no template, which is loaded if it was not yet. */
int object__program_fd(struct object *o, const char *prog);
int object__map_fd(const struct object *o, const char *map);

/* Kernel memory: 0 or -errno. */
int object__peek(struct object *o, uint64_t addr, void *buf, size_t len);
int object__reader(void *object, uint64_t addr, void *buf, size_t len);	/* the same, as a kernel_read_fn */
uint64_t object__peek_u64(struct object *o, uint64_t addr);	/* 0 when unreadable */
uint64_t object__self(struct object *o);			/* our struct task_struct */
/* Runs PROG, a program of its own that is told ADDR. The gate is open. 0 or -errno. */
int object__run(struct object *o, const char *prog, uint64_t addr);
/* Records once more what became of the folios that were held when a call failed. After the gate closed. */
int object__last_look(struct object *o);

/* Loss so far, summed over CPUs, by event type. */
struct object_losses {
	struct vt_wire_loss ring[VT_EV_MAX];	/* no room in the ring */
	struct vt_wire_loss spared[VT_EV_MAX];	/* left out on purpose, VT_SPARE_AFTER */
	struct vt_wire_loss half[VT_EV_MAX];	/* calls of which one end alone was seen */
	struct vt_wire_loss unknown[VT_C_MAX];	/* objects that there was no room to remember */
};
int object__losses(const struct object *o, struct object_losses *out);
/* "0:1234 3:7": the last number of each CPU that gave any, in BUF; "" where they cannot be had, or there is no room for all. */
const char *object__numbers(const struct object *o, char *buf, size_t size);

#endif
