/* SPDX-License-Identifier: GPL-2.0 */
/* LUO file handlers, whoever they are: found on LUO's list, attached by the addresses of their ops. */
#include "capture/engine_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/kernel.h"

/* Of the I-th callback; they stand together in the table. */
static const struct hook *op_hook(size_t i)
{
	static size_t first;

	while (plan_hooks[first].group != PLAN_HANDLER)
		first++;
	return &plan_hooks[first + i];
}

/* The function at an op's address: among the symbols there, the one of the handler's module that BTF knows. */
static struct func_info find_op(struct engine *e, const struct handler *h, uint64_t addr, char *func, size_t len)
{
	struct func_info fi = { 0 };
	const char *name, *module;

	for (size_t n = 0; !fi.found && (name = kernel__sym_at(e->k, addr, n, &module)); n++) {
		if (*h->module && strcmp(module, h->module))
			continue;
		fi = kernel__func(e->k, name, *module ? module : "vmlinux");
		snprintf(func, len, "%s", name);
	}
	return fi;
}

static int add_op_rows(struct engine *e, const struct handler *h, const struct hook *op, uint64_t addr)
{
	char func[96] = "";
	struct func_info fi = { 0 };

	if (addr)
		fi = find_op(e, h, addr, func, sizeof(func));
	/* The end first, as in plan__resolve(). */
	for (int exit = 1; exit >= 0; exit--) {
		struct plan_row *r = plan__add(&e->plan);

		if (!r)
			return -ENOMEM;
		r->group = PLAN_HANDLER;
		r->key = h->addr;
		r->event = op->event;
		r->exit = exit;
		r->addr = addr;
		plan__aim(r, op, &fi);
		snprintf(r->prog, sizeof(r->prog), "%c_%s", exit ? 'x' : 'e', op->prog);
		snprintf(r->compatible, sizeof(r->compatible), "%s", h->compatible);
		snprintf(r->module, sizeof(r->module), "%s", fi.found ? fi.module : "vmlinux");
		snprintf(r->func, sizeof(r->func), "%s", *func ? func : op->funcs);
		if (!addr) {
			/* Nothing to see is not a blind spot. */
			r->method = "absent";
			snprintf(r->reason, sizeof(r->reason), "handler %s has no such op", h->compatible);
		} else if (!fi.found) {
			r->only_kprobe = r->possible = true;
			r->method = exit ? "kretprobe" : "kprobe";
			snprintf(r->reason, sizeof(r->reason), "%s", *func ? "the op's function is not in BTF" : "no symbol at the op's address");
		}
	}
	return 0;
}

static struct handler *find_handler(struct engine *e, uint64_t addr)
{
	for (size_t i = 0; i < e->nr_handlers; i++)
		if (e->handlers[i].addr == addr)
			return &e->handlers[i];
	return NULL;
}

static void read_owner(struct engine *e, struct handler *h, uint64_t ops)
{
	int off_owner = kernel__offset(e->k, NULL, "liveupdate_file_ops", "owner");
	int off_name = kernel__offset(e->k, NULL, "module", "name");
	uint64_t owner = off_owner < 0 ? 0 : engine__peek_u64(e, ops + off_owner);

	if (!owner || off_name < 0 || engine__peek(e, owner + off_name, h->module, sizeof(h->module) - 8))
		h->module[0] = 0;
}

static bool handler_complete(const struct engine *e, uint64_t addr)
{
	for (size_t i = 0; i < e->plan.nr; i++) {
		const struct plan_row *r = &e->plan.rows[i];

		if (r->group == PLAN_HANDLER && r->key == addr && strcmp(r->method, "absent") && !r->attached)
			return false;
	}
	return true;
}

/* Where the ops have their I-th callback; 0: nowhere, or this kernel has no such op. */
static uint64_t op_addr(struct engine *e, uint64_t ops, size_t i)
{
	return e->op_offset[i] < 0 ? 0 : engine__peek_u64(e, ops + e->op_offset[i]);
}

/* What its callbacks allocate and free: seen in their text. */
static int attach_objects(struct engine *e, const struct handler *h, uint64_t ops)
{
	uint64_t addr[NR_OPS];
	size_t nr = 0;

	for (size_t i = 0; i < NR_OPS; i++) {
		uint64_t at = op_addr(e, ops, i);

		if (at)
			addr[nr++] = at;
	}
	return objects__attach_handler(e, *h->module ? h->module : "vmlinux", addr, nr);
}

#define HANDLER_TRIES 4	/* whatever else is missing then stays so */

static int attach_handler(struct engine *e, uint64_t addr)
{
	int off_ops = kernel__offset(e->k, NULL, "liveupdate_file_handler", "ops");
	int off_compat = kernel__offset(e->k, NULL, "liveupdate_file_handler", "compatible");
	struct handler *grown, *h;
	uint64_t ops;
	size_t used;
	int attached;

	h = find_handler(e, addr);
	if (h && h->complete)
		return 0;
	if (h) {
		load__drop_rows(&e->plan, PLAN_HANDLER, addr);
	} else {
		grown = realloc(e->handlers, (e->nr_handlers + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		e->handlers = grown;
		h = &grown[e->nr_handlers++];
		memset(h, 0, sizeof(*h));
		h->addr = addr;
		if (off_ops < 0 || off_compat < 0 || engine__peek(e, addr + off_compat, h->compatible, 48))
			return -ENOENT;
		used = strlen(e->handler_list);
		snprintf(e->handler_list + used, sizeof(e->handler_list) - used, "%s%s", used ? ", " : "", h->compatible);
	}

	ops = engine__peek_u64(e, addr + off_ops);
	read_owner(e, h, ops);
	for (size_t i = 0; i < NR_OPS; i++)
		if (add_op_rows(e, h, op_hook(i), op_addr(e, ops, i)))
			return -ENOMEM;
	attached = crew__attach_group(e, PLAN_HANDLER, addr);
	if (attached >= 0 && !h->objects_done) {
		int objects = attach_objects(e, h, ops);

		h->objects_done = true;
		attached = objects < 0 ? objects : attached + objects;
	}
	h->complete = handler_complete(e, addr);
	/*
	 * A handler that is registered within its module's init is seen before the
	 * kernel lets programs attach there: the end of that init is to tell us again.
	 */
	if (!h->complete && ++h->tries < HANDLER_TRIES)
		e->ctl->handlers_pending = 1;
	return attached;
}

/* LUO's list of registered handlers (luo_file_handler_list), from its head. */
int handlers__attach(struct engine *e)
{
	uint64_t head = kernel__addr(e->k, "luo_file_handler_list", NULL);
	int off_list = kernel__offset(e->k, NULL, "liveupdate_file_handler", "list");
	int attached = 0;
	uint64_t at;

	if (!head || off_list < 0)
		return 0;
	e->ctl->handlers_pending = 0;
	at = engine__peek_u64(e, head);
	for (int i = 0; at && at != head && i < 256; i++) {
		int ret = attach_handler(e, at - off_list);

		if (ret < 0)
			return ret;
		attached += ret;
		at = engine__peek_u64(e, at);
	}
	return attached;
}

void handlers__prepare(struct engine *e)
{
	for (size_t i = 0; i < NR_OPS; i++)
		e->op_offset[i] = kernel__offset(e->k, NULL, "liveupdate_file_ops", op_hook(i)->funcs);
}
