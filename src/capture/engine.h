/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The BPF side as the recorder holds it: objects loaded, programs attached,
 * maps shared between them, the control page mapped.
 *
 * libbpf opens, relocates and loads the object once. Hooks that come later or
 * several times (vfio.ko's functions, the callbacks of each handler) are the
 * same relocated instructions loaded again with another target: no BTF is
 * parsed twice, and a program that the verifier refuses takes no other with it.
 *
 * Torn down in this order: gate closed, links, programs, object with its maps.
 */
#ifndef VT_CAPTURE_ENGINE_H
#define VT_CAPTURE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/plan.h"
#include "vfiotrace/wire.h"

struct engine;

/* One call of a free function, found in module text. */
struct site {
	uint64_t addr;
	char where[112];	/* symbol+0xoff [module] */
	const char *callee, *family;
};

struct engine_options {
	uint32_t ring_bytes;		/* power of two */
	uint64_t jump_wait_ns;		/* bound on the wait before the jump */
	uint64_t module_wait_ns;	/* bound on the wait after a module's init */
	enum vt_event_type fail_section;	/* make allocations fail inside this call; VT_EV_UNKNOWN = no */
	uint32_t fail_nth;		/* which one; 0 = the k-th in the k-th call */
	const char *force_kprobe;	/* functions, "a,b", that are hooked by kprobe although fentry would do; NULL = none */
	bool dry;			/* load but attach nothing: for `probes` */
};

/* Opens, loads and attaches all that is there now; the gate stays closed. *WHY on failure, as kernel__open(). */
int engine__open(struct engine **out, struct kernel *k, const struct engine_options *o, const char **why);
void engine__free(struct engine *e);
/* Looks again: vfio.ko and handlers that appeared since. Returns the number of new rows attached, or -errno. */
int engine__catch_up(struct engine *e);

/* CLOCK_BOOTTIME in ns, the clock of the records (bpf_ktime_get_boot_ns()). */
uint64_t engine__now(void);
struct vt_control *engine__control(struct engine *e);
struct plan *engine__plan(struct engine *e);
int engine__ring_fd(const struct engine *e);
const struct site *engine__site(const struct engine *e, uint32_t index);
/* The allocator that vfio_allocate_device_file() calls, found in its text; NULL when not found. */
const struct site *engine__df_alloc(const struct engine *e);
/* Loss so far, summed over CPUs, by event type. */
struct engine_losses {
	struct vt_wire_loss ring[VT_EV_MAX];	/* no room in the ring */
	struct vt_wire_loss spared[VT_EV_MAX];	/* left out on purpose, VT_SPARE_AFTER */
	struct vt_wire_loss half[VT_EV_MAX];	/* calls of which one end alone was seen */
	struct vt_wire_loss unknown[VT_C_MAX];	/* objects that there was no room to remember */
};
int engine__losses(struct engine *e, struct engine_losses *out);
/* Records once more what became of the folios that were held when a call failed. After the gate closed. */
int engine__last_look(struct engine *e);
bool engine__has_luo(const struct engine *e);
/* Handlers seen: "memfd-v2, vfio-pci-v1". */
const char *engine__handlers(const struct engine *e);

#endif
