// SPDX-License-Identifier: GPL-2.0
/*
 * What comes and goes while the recorder attaches: handlers on LUO's list, and a module that is in its init. The kernel's
 * memory is this process's own; what is attached is only noted.
 */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture/arch/arch.h"
#include "capture/domain/domain.h"
#include "capture/kernel/data.h"
#include "capture/kernel/kernel.h"
#include "capture/kernel/phase.h"
#include "capture/object/complaint.h"
#include "capture/object/object.h"

/* ---- the kernel ---- */

struct list {
	struct list *next, *prev;
};

struct ops {
	uint64_t owner, callback;	/* one, which every op is */
};

struct handler {
	struct ops *ops;
	struct list list;
	char compatible[48];
	struct ops its_ops;
};

#define POISON ((struct list *)0xdead000000000100)
#define NR 3

static struct {
	struct list head;
	struct handler h[NR];
	const struct handler *unmapped;		/* its module's memory is gone */
	const struct handler *refused;		/* nothing can be attached to it */
	struct handler *leaves;			/* as the list is read, once */
	void (*while_attaching)(uint64_t handler);
	int coming;				/* how often the module is still in its init */
	int looked, slept, vfio_attached, behind_settle;
	char attached[128];
} sim;

const struct arch arch;
static struct vt_control control;

static void add(struct handler *h, const char *compatible)
{
	snprintf(h->compatible, sizeof(h->compatible), "%s", compatible);
	h->its_ops.callback = (uint64_t)&h->its_ops;
	h->ops = &h->its_ops;
	h->list = (struct list){ &sim.head, sim.head.prev };
	sim.head.prev->next = &h->list;
	sim.head.prev = &h->list;
}

static void leave(struct handler *h)
{
	h->list.next->prev = h->list.prev;
	h->list.prev->next = h->list.next;
	h->list = (struct list){ POISON, POISON };
}

static bool is_within(uint64_t addr, const void *at, size_t size)
{
	return addr >= (uint64_t)at && addr < (uint64_t)at + size;
}

int object__peek(struct object *o, uint64_t addr, void *buf, size_t len)
{
	if (sim.leaves && addr == (uint64_t)&sim.leaves->list) {
		leave(sim.leaves);
		sim.leaves = NULL;
	}
	if (!is_within(addr, &sim, sizeof(sim)) || (sim.unmapped && is_within(addr, sim.unmapped, sizeof(*sim.unmapped))))
		return -EFAULT;
	memcpy(buf, (const void *)addr, len);
	return 0;
}

uint64_t object__peek_u64(struct object *o, uint64_t addr)
{
	uint64_t v = 0;

	return addr && !object__peek(o, addr, &v, sizeof(v)) ? v : 0;
}

int object__reader(void *object, uint64_t addr, void *buf, size_t len)
{
	return object__peek(object, addr, buf, len);
}

struct vt_control *object__control(const struct object *o)
{
	return &control;
}

int kernel__offset(const struct kernel *k, const struct btf *btf, const char *type, const char *member)
{
	if (!strcmp(type, "liveupdate_file_handler"))
		return !strcmp(member, "ops") ? offsetof(struct handler, ops) : !strcmp(member, "list") ? offsetof(struct handler, list) :
		       offsetof(struct handler, compatible);
	if (!strcmp(type, "liveupdate_file_ops"))
		return !strcmp(member, "owner") ? offsetof(struct ops, owner) : offsetof(struct ops, callback);
	return -1;
}

uint64_t data__find(const struct kernel *k, const struct data *what, kernel_read_fn read, void *arg, void *is_arg)
{
	return (uint64_t)&sim.head;
}

struct func_info kernel__func(struct kernel *k, const char *func, const char *module)
{
	return (struct func_info){ .found = !strcmp(func, "callback"), .module = "vmlinux" };
}

const char *kernel__sym_at(const struct kernel *k, uint64_t addr, size_t n, const char **module)
{
	*module = "";
	return n ? NULL : "callback";
}

const char *kernel__sym(const struct kernel *k, uint64_t addr, uint64_t *off, const char **module)
{
	return NULL;
}

uint64_t kernel__addr(const struct kernel *k, const char *name, const char *module)
{
	return 0;
}

bool kernel__global(const struct kernel *k, const char *func, const char *module)
{
	return false;
}

const struct btf *kernel__module_btf(struct kernel *k, const char *module)
{
	return NULL;
}

int kernel__refresh(struct kernel *k)
{
	return 0;
}

bool kernel__has_luo(const struct kernel *k)
{
	return true;
}

bool kernel__is_coming(const char *module)
{
	assert_string_equal(module, "vfio");
	sim.looked++;
	return sim.coming && sim.coming--;
}

int __wrap_usleep(useconds_t us);
int __wrap_usleep(useconds_t us)
{
	sim.slept += us;
	return 0;
}

/* ---- what is not looked at here ---- */

int object__open(struct object **out, struct kernel *k, struct plan *p, const struct object_options *opt)
{
	*out = (struct object *)&sim;
	return 0;
}

void object__free(struct object *o)
{
}

void object__gate(struct object *o, bool open)
{
}

int attach__new(struct attach **out, struct kernel *k, struct object *o, struct plan *p, bool dry)
{
	*out = (struct attach *)p;
	return 0;
}

void attach__free(struct attach *a)
{
}

const struct site *site__get(const struct attach *a, uint32_t number)
{
	return NULL;
}

void phase__begin(const char *what)
{
}

const char *complaint__last(void)
{
	return "";
}

int attach__settle(struct attach *a)
{
	sim.behind_settle = 0;
	return 0;
}

/* A row is attached, or is not and says so. */
int attach__group(struct attach *a, enum plan_group group, uint64_t key)
{
	struct plan *p = (struct plan *)a;
	int nr = 0;

	sim.behind_settle++;
	if (group == PLAN_VFIO)
		return ++sim.vfio_attached;
	if (group != PLAN_HANDLER)
		return 0;
	for (size_t i = 0; i < p->nr; i++) {
		struct plan_row *r = &p->rows[i];

		if (r->group != group || r->key != key)
			continue;
		r->method = PLAN_FENTRY;
		r->attached = key != (uint64_t)sim.refused;
		nr += r->attached;
	}
	if (nr)
		snprintf(sim.attached + strlen(sim.attached), sizeof(sim.attached) - strlen(sim.attached), "%s ", ((struct handler *)key)->compatible);
	if (sim.while_attaching)
		sim.while_attaching(key);
	return nr;
}

static const struct plan_scope functions = { .group = PLAN_VFIO, .module = "vfio", .witness = "vfio_device_fops_release" };
const struct domain domain_vfio = { .functions = &functions };
const struct domain domain_luo, domain_kho, domain_file, domain_inject, domain_iommufd, domain_objects;

/* ---- tests ---- */

static struct domains *d;

static int begin(void **state)
{
	d = NULL;
	memset(&sim, 0, sizeof(sim));
	memset(&control, 0, sizeof(control));
	sim.head = (struct list){ &sim.head, &sim.head };
	add(&sim.h[0], "one");
	add(&sim.h[1], "two");
	add(&sim.h[2], "three");
	return 0;
}

static void open_all(void)
{
	const struct domains_options o = { .module_wait_ns = 100000000 };
	const char *why = "";

	assert_int_equal(domains__open(&d, NULL, &o, &why), 0);
	/* What is loaded beside all else was waited for, behind all that is attached. */
	assert_int_equal(sim.behind_settle, 0);
}

static int end(void **state)
{
	domains__free(d);
	return 0;
}

static void each_handler(void **state)
{
	open_all();
	assert_string_equal(sim.attached, "one two three ");
	assert_string_equal(domains__handlers(d), "one, two, three");
	assert_int_equal(control.handlers_pending, 0);
	/* Once. */
	assert_int_equal(domains__catch_up(d), 0);
	assert_string_equal(sim.attached, "one two three ");
}

static void one_whose_memory_is_gone(void **state)
{
	sim.unmapped = &sim.h[2];
	open_all();
	assert_string_equal(sim.attached, "one two ");
	assert_string_equal(domains__handlers(d), "one, two");
}

static void two_leaves(uint64_t handler)
{
	if (handler == (uint64_t)&sim.h[0]) {
		leave(&sim.h[1]);
		sim.unmapped = &sim.h[1];
	}
}

static void one_that_leaves_while_another_is_attached(void **state)
{
	sim.while_attaching = two_leaves;
	open_all();
	assert_string_equal(sim.attached, "one three ");
}

static void one_leaves(uint64_t handler)
{
	if (handler == (uint64_t)&sim.h[0])
		leave(&sim.h[0]);
}

static void one_that_leaves_while_it_is_attached(void **state)
{
	sim.while_attaching = one_leaves;
	open_all();
	assert_string_equal(sim.attached, "one two three ");
}

static void one_that_leaves_while_the_list_is_read(void **state)
{
	sim.leaves = &sim.h[0];
	open_all();
	assert_string_equal(sim.attached, "two three ");
}

/* The loaders of modules wait for us as long as one is pending: not for ever for one that never gets complete. */
static void one_that_is_never_complete(void **state)
{
	sim.refused = &sim.h[1];
	open_all();
	for (int tries = 1; tries < 4; tries++) {
		assert_int_equal(control.handlers_pending, 1);
		assert_int_equal(domains__catch_up(d), 0);
	}
	assert_int_equal(control.handlers_pending, 0);
	assert_int_equal(domains__catch_up(d), 0);
	assert_int_equal(control.handlers_pending, 0);
	/* It is looked at whenever others come, all the same. */
	sim.refused = NULL;
	assert_true(domains__catch_up(d) > 0);
	assert_string_equal(sim.attached, "one three two ");
}

static void a_module_in_its_init_is_waited_for(void **state)
{
	sim.coming = 3;
	open_all();
	assert_int_equal(sim.vfio_attached, 1);
	assert_int_equal(sim.behind_settle, 0);
	assert_int_equal(sim.looked, 4);
	assert_int_equal(sim.slept, 30000);
}

/* Nothing is tried that the kernel would refuse for good; when it is through, it is. */
static void a_module_that_takes_too_long(void **state)
{
	sim.coming = 1000000;
	open_all();
	assert_int_equal(sim.vfio_attached, 0);
	assert_int_equal(sim.slept, 100000);
	/* The others are not kept from it. */
	assert_string_equal(sim.attached, "one two three ");
	sim.coming = 0;
	assert_int_equal(domains__catch_up(d), 1);
	assert_int_equal(sim.vfio_attached, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_handler),
		T(one_whose_memory_is_gone),
		T(one_that_leaves_while_another_is_attached),
		T(one_that_leaves_while_it_is_attached),
		T(one_that_leaves_while_the_list_is_read),
		T(one_that_is_never_complete),
		T(a_module_in_its_init_is_waited_for),
		T(a_module_that_takes_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
