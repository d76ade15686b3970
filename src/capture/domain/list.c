/* SPDX-License-Identifier: GPL-2.0 */
#include "capture/domain/domain.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "capture/kernel/kernel.h"
#include "capture/kernel/phase.h"
#include "capture/object/complaint.h"
#include "capture/object/object.h"

/* In the order in which they are attached: objects.c looks at what handlers.c has found. */
const struct domain *const domain_list[] = {
	&domain_luo, &domain_kho, &domain_file, &domain_inject, &domain_vfio, &domain_iommufd, &domain_handlers, &domain_objects, NULL,
};
#define NR_DOMAINS (sizeof(domain_list) / sizeof(domain_list[0]) - 1)

/* ---- opening ---- */

/* What is in vmlinux and there from the start: no domain's own. */
static const struct plan_scope core = { .group = PLAN_CORE };

static int make_states(struct domains *d)
{
	d->state = calloc(NR_DOMAINS, sizeof(*d->state));
	for (size_t i = 0; d->state && i < NR_DOMAINS; i++) {
		d->state[i].own = calloc(1, domain_list[i]->state + 1);
		if (!d->state[i].own)
			return -ENOMEM;
	}
	return d->state ? 0 : -ENOMEM;
}

static int make_plan(struct domains *d, const char **why)
{
	int err = plan__resolve(&d->plan, d->k, &core);

	for (size_t i = 0; !err && i < NR_DOMAINS; i++) {
		const struct domain *dom = domain_list[i];

		if (dom->functions)
			err = plan__resolve(&d->plan, d->k, dom->functions);
		if (!err && dom->plan)
			err = dom->plan(d, d->state[i].own, why);
	}
	return err;
}

static int open_object(struct domains *d)
{
	const struct object_options oo = {
		.ring_bytes = d->opt.ring_bytes, .jump_wait_ns = d->opt.jump_wait_ns, .all_blocks = d->opt.all_blocks, .module_wait_ns = d->opt.module_wait_ns, .dry = d->opt.dry,
	};
	int err = object__open(&d->obj, d->k, &d->plan, &oo);

	return err ? err : attach__new(&d->attach, d->k, d->obj, &d->plan, d->opt.dry);
}

static void lay_out(struct domains *d, size_t i)
{
	if (domain_list[i]->layout)
		domain_list[i]->layout(d, d->state[i].own);
}

static int load_core(struct domains *d, const char **why)
{
	int err;

	phase__begin("load");
	err = open_object(d);
	if (!err) {
		phase__begin("layout");
		for (size_t i = 0; i < NR_DOMAINS; i++)
			lay_out(d, i);
		phase__begin("attach core");
		err = attach__group(d->attach, PLAN_CORE, 0);
	}
	if (err >= 0)
		return 0;
	*why = err == -EPERM ? "the kernel refuses BPF tracing programs (missing capability, lockdown, or a sandbox)" :
	       *complaint__last() ? complaint__last() : "the BPF programs could not be loaded";
	return err;
}

static int open_all(struct domains *d, const char **why)
{
	int err;

	phase__begin("plan");
	err = make_states(d);
	if (!err)
		err = make_plan(d, why);
	/* Where nothing would be attached, an older kernel has not what the programs need. */
	if (!err && d->opt.dry && !kernel__has_luo(d->k))
		return 0;
	if (!err)
		err = load_core(d, why);
	if (err)
		return err;
	err = domains__catch_up(d);
	if (err >= 0)
		return 0;
	*why = *complaint__last() ? complaint__last() : "attaching failed";
	return err;
}

int domains__open(struct domains **out, struct kernel *k, const struct domains_options *o, const char **why)
{
	struct domains *d = calloc(1, sizeof(*d));
	int err;

	*why = "out of memory";
	if (!d)
		return -ENOMEM;
	d->k = k;
	d->opt = *o;
	d->plan.force_kprobe = o->force_kprobe;
	err = open_all(d, why);
	if (err) {
		domains__free(d);
		return err;
	}
	*out = d;
	return 0;
}

/* The rows keep the reason. */
static void give_up(struct domains *d, enum plan_group group, const char *why)
{
	for (size_t i = 0; i < d->plan.nr; i++)
		if (d->plan.rows[i].group == group && d->plan.rows[i].possible)
			plan__give_up(&d->plan.rows[i], why, 0);
}

/* Functions of a module that was not there when the plan was made, or that is looked at for the first time. */
static int attach_functions(struct domains *d, size_t i)
{
	const struct plan_scope *f = domain_list[i]->functions;
	const char *why;
	int attached;

	if (!f || d->state[i].functions_attached)
		return 0;
	plan__drop_rows(&d->plan, f->group, 0);
	if (plan__resolve(&d->plan, d->k, f))
		return -ENOMEM;
	lay_out(d, i);
	why = domain_list[i]->blind ? domain_list[i]->blind(d) : NULL;
	if (why)
		give_up(d, f->group, why);
	attached = attach__group(d->attach, f->group, 0);
	d->state[i].functions_attached = attached >= 0;
	return attached;
}

#define LOOK_AGAIN_NS 10000000

/*
 * While a module is in its init the kernel attaches nothing to its functions, and what was refused is not tried again. An
 * init that is under way takes moments; where it takes longer its end brings us back (bpf/reboot.bpf.c).
 */
static bool is_settled(const struct domains *d, const struct domain *dom)
{
	const char *module = dom->functions ? dom->functions->module : NULL;

	for (uint64_t waited = 0; module && kernel__is_coming(module); waited += LOOK_AGAIN_NS) {
		if (waited >= d->opt.module_wait_ns)
			return false;
		usleep(LOOK_AGAIN_NS / 1000);
	}
	return true;
}

static int attach_domain(struct domains *d, size_t i)
{
	const struct domain *dom = domain_list[i];
	int functions, others;

	if ((dom->present && !dom->present(d)) || !is_settled(d, dom))
		return 0;
	if (dom->phase)
		phase__begin(dom->phase);
	functions = attach_functions(d, i);
	if (functions < 0 || !dom->attach)
		return functions;
	others = dom->attach(d, d->state[i].own);
	return others < 0 ? others : functions + others;
}

int domains__catch_up(struct domains *d)
{
	int attached = 0, err;

	if (d->caught_up) {
		/* New modules brought new symbols. */
		err = kernel__refresh(d->k);
		if (err)
			return err;
	}
	d->caught_up = true;
	for (size_t i = 0; i < NR_DOMAINS; i++) {
		int ret = attach_domain(d, i);

		if (ret < 0)
			return ret;
		attached += ret;
	}
	phase__begin("settle");
	err = attach__settle(d->attach);
	return err < 0 ? err : attached + err;
}

void domains__begin(struct domains *d)
{
	for (size_t i = 0; i < NR_DOMAINS; i++)
		if (domain_list[i]->begin)
			domain_list[i]->begin(d);
}

void domains__free(struct domains *d)
{
	if (!d)
		return;
	if (d->obj)
		object__gate(d->obj, false);
	for (size_t i = 0; i < d->plan.nr; i++)
		plan__detach(&d->plan.rows[i]);
	attach__free(d->attach);
	object__free(d->obj);
	for (size_t i = 0; d->state && i < NR_DOMAINS; i++) {
		if (domain_list[i]->close && d->state[i].own)
			domain_list[i]->close(d->state[i].own);
		free(d->state[i].own);
	}
	free(d->state);
	free(d->callbacks);
	plan__clear(&d->plan);
	free(d);
}

/* ---- asking ---- */

struct plan *domains__plan(struct domains *d)
{
	return &d->plan;
}

struct object *domains__object(struct domains *d)
{
	return d->obj;
}

struct attach *domains__attach(struct domains *d)
{
	return d->attach;
}

const char *domains__handlers(const struct domains *d)
{
	return d->handlers;
}

bool domains__at_call_site(unsigned int type)
{
	for (size_t i = 0; i < NR_DOMAINS; i++)
		for (const enum vt_event_type *t = domain_list[i]->sites; t && *t; t++)
			if (*t == type)
				return true;
	return false;
}

const struct site *domains__site(const struct domains *d, const struct vt_wire *w)
{
	if (domains__at_call_site(w->type))
		return site__get(d->attach, w->site);
	for (size_t i = 0; i < NR_DOMAINS; i++) {
		const struct site *s = domain_list[i]->site ? domain_list[i]->site(d->state[i].own, w) : NULL;

		if (s)
			return s;
	}
	return NULL;
}

bool domains__tell(const struct vt_wire_snap *s, const char *member, uint64_t v, char *buf, size_t len)
{
	for (size_t i = 0; i < NR_DOMAINS; i++)
		if (domain_list[i]->tell && domain_list[i]->tell(s, member, v, buf, len))
			return true;
	return false;
}
