/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The domains together: what is traced here is planned, loaded and attached.
 *
 * Torn down in this order: gate closed, links and programs, object with its maps.
 */
#ifndef VT_CAPTURE_LIST_H
#define VT_CAPTURE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vfiotrace/vocab.h"

struct attach;
struct domains;
struct kernel;
struct object;
struct plan;
struct site;
struct vt_wire;
struct vt_wire_snap;

struct domains_options {
	uint32_t ring_bytes;		/* power of two */
	uint64_t jump_wait_ns;		/* bound on the wait before the jump */
	bool all_blocks;		/* no limit to the runs of blocks that one call tells */
	uint64_t module_wait_ns;	/* bound on the wait after a module's init */
	enum vt_event_type fail_section;	/* make allocations fail inside this call; VT_EV_UNKNOWN = no */
	uint32_t fail_nth;		/* which one; 0 = the k-th in the k-th call */
	const char *force_kprobe;	/* functions, "a,b", that are hooked by kprobe although fentry would do; NULL = none */
	bool dry;			/* load but attach nothing: for `probes` */
};

/* Opens, loads and attaches all that is there now; the gate stays closed. *WHY on failure, as kernel__open(). */
int domains__open(struct domains **out, struct kernel *k, const struct domains_options *o, const char **why);
void domains__free(struct domains *d);
/* Looks again: modules and handlers that appeared since. Returns the number of new rows attached, or -errno. */
int domains__catch_up(struct domains *d);
/* Records what is there already, once the gate is open. */
void domains__begin(struct domains *d);

struct plan *domains__plan(struct domains *d);
struct object *domains__object(struct domains *d);
struct attach *domains__attach(struct domains *d);
/* Handlers seen: "memfd-v2, vfio-pci-v1". */
const char *domains__handlers(const struct domains *d);

/* Events of this type are seen at call sites. */
bool domains__at_call_site(unsigned int type);
/* The call that the record tells of, NULL when it tells of none. */
const struct site *domains__site(const struct domains *d, const struct vt_wire *w);
/* What a member ("file.private_data") of a snapshot with value V is; false when no domain knows. */
bool domains__tell(const struct vt_wire_snap *s, const char *member, uint64_t v, char *buf, size_t len);

#endif
