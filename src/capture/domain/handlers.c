/* SPDX-License-Identifier: GPL-2.0 */
/* LUO file handlers, whoever they are: found on LUO's list, attached by the addresses of their ops. */
#include "capture/domain/domain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/kernel/data.h"
#include "capture/kernel/kernel.h"
#include "capture/object/object.h"

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
	bool handed_on;		/* to objects.c */
	bool complete;	/* every op it has is attached; else it is tried again */
	unsigned int tries;
};

struct state {
	int op_offset[NR_OPS];	/* in struct liveupdate_file_ops; -1 = this kernel has no such op */
	struct handler *handlers;
	size_t nr;
	uint64_t list;		/* luo_file_handler_list, 0 = not found yet */
};

_Static_assert(NR_OPS <= CALLBACKS_MAX, "struct callbacks has room for them");

/* Of the I-th callback; they stand together in the table. */
static const struct hook *op_hook(size_t i)
{
	static size_t first;

	while (plan_hooks[first].group != PLAN_HANDLER)
		first++;
	return &plan_hooks[first + i];
}

/* The function at an op's address: among the symbols there, the one of the handler's module that BTF knows. */
static struct func_info find_op(struct domains *d, const struct handler *h, uint64_t addr, char *func, size_t len)
{
	struct func_info fi = { 0 };
	const char *name, *module;

	for (size_t n = 0; !fi.found && (name = kernel__sym_at(d->k, addr, n, &module)); n++) {
		if (*h->module && strcmp(module, h->module))
			continue;
		fi = kernel__func(d->k, name, *module ? module : "vmlinux");
		snprintf(func, len, "%s", name);
	}
	return fi;
}

/* The row of another handler that is attached where R is to be: a new ABI over the same callbacks has that. */
static const struct plan_row *attached_row(const struct domains *d, const struct plan_row *r)
{
	for (size_t i = 0; i < d->plan.nr; i++) {
		const struct plan_row *o = &d->plan.rows[i];

		if (o != r && o->group == PLAN_HANDLER && o->attached && o->addr == r->addr && !strcmp(o->prog, r->prog))
			return o;
	}
	return NULL;
}

/* A call is to be seen once: the program that is there serves R's handler too, which it takes from the arguments. */
static void share(const struct domains *d, struct plan_row *r)
{
	const struct plan_row *o = r->addr ? attached_row(d, r) : NULL;

	if (!o)
		return;
	r->method = o->method;
	r->attach_ns = o->attach_ns;
	r->link_fd = dup(o->link_fd);
	r->aux_fd = o->aux_fd < 0 ? -1 : dup(o->aux_fd);
	r->prog_fd = dup(o->prog_fd);
	r->attached = true;
}

static int add_op_rows(struct domains *d, const struct handler *h, const struct hook *op, uint64_t addr)
{
	char func[96] = "";
	struct func_info fi = { 0 };

	if (addr)
		fi = find_op(d, h, addr, func, sizeof(func));
	/* The end first, as in plan__resolve(). */
	for (int exit = 1; exit >= 0; exit--) {
		struct plan_row *r = plan__add(&d->plan);

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
			r->method = PLAN_ABSENT;
			snprintf(r->reason, sizeof(r->reason), "handler %s has no such op", h->compatible);
		} else if (!fi.found) {
			r->only_kprobe = r->possible = true;
			r->method = PLAN_KPROBE;
			snprintf(r->reason, sizeof(r->reason), "%s", *func ? "the op's function is not in BTF" : "no symbol at the op's address");
		}
		share(d, r);
	}
	return 0;
}

static struct handler *find_handler(const struct state *s, uint64_t addr)
{
	for (size_t i = 0; i < s->nr; i++)
		if (s->handlers[i].addr == addr)
			return &s->handlers[i];
	return NULL;
}

static void read_owner(struct domains *d, struct handler *h, uint64_t ops)
{
	int off_owner = kernel__offset(d->k, NULL, "liveupdate_file_ops", "owner");
	int off_name = kernel__offset(d->k, NULL, "module", "name");
	uint64_t owner = off_owner < 0 ? 0 : object__peek_u64(d->obj, ops + off_owner);

	if (!owner || off_name < 0 || object__peek(d->obj, owner + off_name, h->module, sizeof(h->module) - 8))
		h->module[0] = 0;
}

static bool handler_complete(const struct domains *d, uint64_t addr)
{
	for (size_t i = 0; i < d->plan.nr; i++) {
		const struct plan_row *r = &d->plan.rows[i];

		if (r->group == PLAN_HANDLER && r->key == addr && r->method != PLAN_ABSENT && !r->attached)
			return false;
	}
	return true;
}

/* Where the ops have their I-th callback; 0: nowhere, or this kernel has no such op. */
static uint64_t op_addr(struct domains *d, const struct state *s, uint64_t ops, size_t i)
{
	return s->op_offset[i] < 0 ? 0 : object__peek_u64(d->obj, ops + s->op_offset[i]);
}

static bool is_handed_on(const struct domains *d, uint64_t addr)
{
	for (size_t i = 0; i < d->nr_callbacks; i++)
		for (size_t n = 0; n < d->callbacks[i].nr; n++)
			if (d->callbacks[i].addr[n] == addr)
				return true;
	return false;
}

/* What its callbacks allocate and free is seen in their text, once in each: objects.c looks there. */
static int hand_on(struct domains *d, const struct state *s, struct handler *h, uint64_t ops)
{
	struct callbacks *grown, *cb;

	if (h->handed_on)
		return 0;
	grown = realloc(d->callbacks, (d->nr_callbacks + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	d->callbacks = grown;
	cb = &grown[d->nr_callbacks++];
	*cb = (struct callbacks){ 0 };
	snprintf(cb->module, sizeof(cb->module), "%s", *h->module ? h->module : "vmlinux");
	for (size_t i = 0; i < NR_OPS; i++) {
		uint64_t at = op_addr(d, s, ops, i);

		if (at && !is_handed_on(d, at))
			cb->addr[cb->nr++] = at;
	}
	h->handed_on = true;
	return 0;
}

static void tell_name(struct domains *d, const struct handler *h)
{
	size_t used = strlen(d->handlers);

	snprintf(d->handlers + used, sizeof(d->handlers) - used, "%s%s", used ? ", " : "", h->compatible);
}

static struct handler *new_handler(struct domains *d, struct state *s, uint64_t addr)
{
	struct handler *grown = realloc(s->handlers, (s->nr + 1) * sizeof(*grown)), *h;

	if (!grown)
		return NULL;
	s->handlers = grown;
	h = &grown[s->nr++];
	*h = (struct handler){ .addr = addr };
	return h;
}

/* Its module may have come while others were attached: after the symbols were read. */
static void learn_symbols(struct domains *d, const struct state *s, const struct handler *h, uint64_t ops)
{
	char func[96] = "";

	for (size_t i = 0; i < NR_OPS; i++) {
		uint64_t addr = op_addr(d, s, ops, i);

		if (!addr)
			continue;
		find_op(d, h, addr, func, sizeof(func));
		if (!*func)
			kernel__refresh(d->k);
		return;
	}
}

#define HANDLER_TRIES 4	/* whatever else is missing then stays so */

static int attach_handler(struct domains *d, struct state *s, uint64_t addr)
{
	int off_ops = kernel__offset(d->k, NULL, "liveupdate_file_handler", "ops");
	int off_compat = kernel__offset(d->k, NULL, "liveupdate_file_handler", "compatible");
	struct handler *h = find_handler(s, addr);
	int attached, err;
	uint64_t ops;

	if (h && h->complete)
		return 0;
	if (h) {
		plan__drop_rows(&d->plan, PLAN_HANDLER, addr);
	} else {
		h = new_handler(d, s, addr);
		if (!h)
			return -ENOMEM;
		if (off_ops < 0 || off_compat < 0)
			return -ENOENT;
		/* It is on its way out of the list, as others are loaded and unloaded meanwhile. */
		if (object__peek(d->obj, addr + off_compat, h->compatible, 48)) {
			s->nr--;
			return 0;
		}
		tell_name(d, h);
	}

	ops = object__peek_u64(d->obj, addr + off_ops);
	read_owner(d, h, ops);
	learn_symbols(d, s, h, ops);
	for (size_t i = 0; i < NR_OPS; i++)
		if (add_op_rows(d, h, op_hook(i), op_addr(d, s, ops, i)))
			return -ENOMEM;
	attached = attach__group(d->attach, PLAN_HANDLER, addr);
	err = attached < 0 ? 0 : hand_on(d, s, h, ops);
	h->complete = handler_complete(d, addr);
	/*
	 * A handler that is registered within its module's init is seen before the
	 * kernel lets programs attach there: the end of that init is to tell us again.
	 */
	if (!h->complete && ++h->tries < HANDLER_TRIES)
		object__control(d->obj)->handlers_pending = 1;
	return err ? err : attached;
}

/* ---- LUO's list of registered handlers ---- */

struct search {
	struct domains *d;
	const struct state *s;
};

/* A head that its neighbours know, with a handler behind it whose preserve is a function. Of a list that is empty nothing can be told. */
static bool is_list(void *arg, uint64_t at)
{
	const struct search *f = arg;
	struct object *o = f->d->obj;
	uint64_t next = object__peek_u64(o, at), prev = object__peek_u64(o, at + sizeof(next)), ops, preserve, off;
	int off_ops = kernel__offset(f->d->k, NULL, "liveupdate_file_handler", "ops");
	int off_list = kernel__offset(f->d->k, NULL, "liveupdate_file_handler", "list");

	if (!next || next == at || object__peek_u64(o, next + sizeof(next)) != at || object__peek_u64(o, prev) != at)
		return false;
	ops = object__peek_u64(o, next - off_list + off_ops);
	preserve = ops ? op_addr(f->d, f->s, ops, VT_HOOK_op_preserve - VT_HOOK_op_can_preserve) : 0;
	return preserve && kernel__sym(f->d->k, preserve, &off, NULL) && !off;
}

static const char *const list_users[] = { "liveupdate_register_file_handler", "luo_preserve_file", "luo_file_deserialize", NULL };
static const struct data list = { "luo_file_handler_list", list_users, is_list };

/* Rows without a handler: what they would show is not seen. */
static int not_found(struct domains *d)
{
	for (size_t i = 0; i < NR_OPS; i++) {
		struct plan_row *r = plan__add(&d->plan);

		if (!r)
			return -ENOMEM;
		r->group = PLAN_HANDLER;
		r->event = op_hook(i)->event;
		r->exit = true;
		r->method = PLAN_FENTRY;
		snprintf(r->prog, sizeof(r->prog), "x_%s", op_hook(i)->prog);
		snprintf(r->module, sizeof(r->module), "vmlinux");
		snprintf(r->func, sizeof(r->func), "%s", op_hook(i)->funcs);
		plan__give_up(r, "luo_file_handler_list is not in /proc/kallsyms (CONFIG_KALLSYMS_ALL is off), and no handler was found in LUO's text", 0);
	}
	return 0;
}

#define HANDLERS_MAX 256
#define LIST_TRIES 3

/* In one go, as to attach takes its time: from one that leaves the list meanwhile no way leads on to the others. */
static size_t read_list(const struct domains *d, uint64_t head, uint64_t found[HANDLERS_MAX])
{
	size_t nr = 0;

	for (int i = 0; i < LIST_TRIES; i++) {
		uint64_t at = object__peek_u64(d->obj, head);

		for (nr = 0; at && at != head && nr < HANDLERS_MAX; at = object__peek_u64(d->obj, at))
			found[nr++] = at;
		if (at == head)
			break;
	}
	return nr;
}

static int attach(struct domains *d, void *state)
{
	int off_list = kernel__offset(d->k, NULL, "liveupdate_file_handler", "list");
	uint64_t found[HANDLERS_MAX];
	struct state *s = state;
	int attached = 0;
	size_t nr;

	if (!kernel__has_luo(d->k) || off_list < 0)
		return 0;
	if (!s->list)
		s->list = data__find(d->k, &list, object__reader, d->obj, &(struct search){ d, s });
	plan__drop_rows(&d->plan, PLAN_HANDLER, 0);
	if (!s->list)
		return not_found(d);
	object__control(d->obj)->handlers_pending = 0;
	nr = read_list(d, s->list, found);
	for (size_t i = 0; i < nr; i++) {
		int ret = attach_handler(d, state, found[i] - off_list);

		if (ret < 0)
			return ret;
		attached += ret;
	}
	return attached;
}

static void layout(struct domains *d, void *state)
{
	struct state *s = state;

	for (size_t i = 0; i < NR_OPS; i++)
		s->op_offset[i] = kernel__offset(d->k, NULL, "liveupdate_file_ops", op_hook(i)->funcs);
}

static void close_state(void *state)
{
	struct state *s = state;

	free(s->handlers);
}

const struct domain domain_handlers = {
	.phase = "attach handlers",
	.state = sizeof(struct state),
	.layout = layout,
	.attach = attach,
	.close = close_state,
};
