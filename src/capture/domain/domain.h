/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A domain is what is traced: LUO, KHO, a subsystem that hands its devices
 * over. One file and one struct each, one line in list.c. None calls another;
 * what one finds for another to use is left in struct domains.
 */
#ifndef VT_CAPTURE_DOMAIN_H
#define VT_CAPTURE_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/attach/attach.h"
#include "capture/domain/list.h"
#include "capture/plan/plan.h"
#include "vfiotrace/wire.h"

#define CALLBACKS_MAX 8

/* Functions of one module that are called back: what they allocate and free is looked at. */
struct callbacks {
	char module[64];
	uint64_t addr[CALLBACKS_MAX];
	size_t nr;
};

struct domain_state {
	void *own;	/* zero at first, see struct domain */
	bool functions_attached;
};

/* What all domains have in common. */
struct domains {
	struct kernel *k;
	struct domains_options opt;
	struct plan plan;
	struct object *obj;	/* NULL until the plan is made */
	struct attach *attach;
	struct domain_state *state;	/* of each domain */
	bool caught_up;		/* once */
	/* handlers.c says what there is, */
	char handlers[512];	/* "memfd-v2, vfio-pci-v1" */
	struct callbacks *callbacks;	/* and objects.c looks at it */
	size_t nr_callbacks;
};

enum {
	LIFE_ENTER = 1 << 0,	/* only on entry */
	LIFE_EXIT = 1 << 1,	/* only on exit */
	LIFE_IF_OK = 1 << 2,	/* only where the call returned 0, or nothing */
	LIFE_GUESS = 1 << 3,	/* counts only where no other event tells the births of that class */
};

/* An event that shows an object for the first time in its life, or for the last. Lists end with type 0. */
struct domain_life {
	enum vt_event_type type;
	enum vt_slot slot;	/* the object; its class is the slot's */
	unsigned int flags;
};

/* Events that may come after their objects' death: whatever was at the address last is meant. */
struct domain_parting {
	enum vt_event_type type;
	enum vt_point point;	/* of a snapshot */
};

/* What of an object is seen only because it was remembered: where it ends, and that may be any time after. */
struct domain_memory {
	enum vt_class cls;
	enum vt_event_type type;
};

struct domain {
	const char *phase;	/* how arming calls the time that it takes */
	const struct plan_scope *functions;	/* of its module; those of vmlinux are the core's */
	size_t state;		/* bytes of its own: STATE below */
	/* Whether there is anything to attach to. NULL = what is missing is told. */
	bool (*present)(const struct domains *d);
	/* Other rows of the plan, before the object is opened: 0, or -errno and *WHY. */
	int (*plan)(struct domains *d, void *state, const char **why);
	/* Tells the programs, by the control page, where the kernel has what; before anything is attached, and when its module came. */
	void (*layout)(struct domains *d, void *state);
	/* Why its functions say nothing here although they are there; NULL = they do. After layout(). */
	const char *(*blind)(const struct domains *d);
	/* Attaches what else is there and was not before: the number of rows, or -errno. Again when modules came. */
	int (*attach)(struct domains *d, void *state);
	/* Records what is there already; the gate has just opened. */
	void (*begin)(struct domains *d);
	void (*close)(void *state);

	/* Its events; lists end with 0, NULL = none. */
	const enum vt_event_type *sites;	/* that are seen at call sites */
	const struct domain_life *births, *deaths;
	const struct domain_parting *parting;
	const struct domain_memory *remembered;
	/* The call that an event tells of, which is not the place where it was seen; NULL when it is not known. */
	const struct site *(*site)(const void *state, const struct vt_wire *w);
	/* What a member ("file.private_data") of a snapshot with value V is, if it is this domain's. */
	bool (*tell)(const struct vt_wire_snap *s, const char *member, uint64_t v, char *buf, size_t len);
};

/* Ends with NULL. */
extern const struct domain *const domain_list[];

extern const struct domain domain_luo, domain_kho, domain_file, domain_inject, domain_vfio, domain_iommufd, domain_handlers, domain_objects;

#endif
