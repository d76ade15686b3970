/* SPDX-License-Identifier: GPL-2.0 */
/* Fault injection: the plan rows of bpf/inject.bpf.c. */
#include "capture/domain/domain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/kernel/kernel.h"
#include "capture/object/object.h"

struct state {
	uint32_t nofail;	/* mask of __GFP_NOFAIL */
};

/* fmod_ret may change only what is on the kernel's list, and the list is there only if this function is. */
static bool has_error_injection(const struct domains *d)
{
	return kernel__addr(d->k, "within_error_injection_list", "vmlinux") != 0;
}

static int plan_injector(struct domains *d, const char *prog, const char *func, const char *option)
{
	struct func_info fi = kernel__func(d->k, func, NULL);
	bool injectable = has_error_injection(d);
	struct plan_row *r = plan__add(&d->plan);

	if (!r)
		return -ENOMEM;
	r->group = PLAN_INJECT;
	r->event = VT_EV_INJECT;
	r->method = PLAN_FMOD_RET;
	r->btf_id = fi.btf_id;
	r->possible = fi.found && injectable;
	snprintf(r->prog, sizeof(r->prog), "%s", prog);
	snprintf(r->func, sizeof(r->func), "%s", func);
	snprintf(r->module, sizeof(r->module), "vmlinux");
	if (!r->possible)
		snprintf(r->reason, sizeof(r->reason), "this kernel was built without %s", fi.found ? "CONFIG_FUNCTION_ERROR_INJECTION" : option);
	return r->possible;
}

/* Allocations that must not fail are left alone: what their flag is, the kernel's own enum says. */
static int plan(struct domains *d, void *state, const char **why)
{
	struct state *s = state;
	long bit;
	int slab, page;

	if (!d->opt.fail_section)
		return 0;
	bit = kernel__enum_value(d->k, "___GFP_NOFAIL_BIT");
	slab = plan_injector(d, "fail_slab", "should_failslab", "CONFIG_FAILSLAB");
	page = plan_injector(d, "fail_page", "should_fail_alloc_page", "CONFIG_FAIL_PAGE_ALLOC");
	if (slab < 0 || page < 0)
		return -ENOMEM;
	*why = "no allocation can be made to fail: the kernel needs CONFIG_FUNCTION_ERROR_INJECTION=y, and CONFIG_FAILSLAB=y or CONFIG_FAIL_PAGE_ALLOC=y";
	if (!slab && !page)
		return -EOPNOTSUPP;
	*why = "the kernel's BTF does not tell __GFP_NOFAIL, so faults cannot be injected safely";
	if (bit < 0)
		return -EOPNOTSUPP;
	s->nofail = 1u << bit;
	*why = "out of memory";
	return 0;
}

static void layout(struct domains *d, void *state)
{
	struct vt_control *c = object__control(d->obj);
	const struct state *s = state;

	c->inject_section = d->opt.fail_section;
	c->inject_nth = d->opt.fail_nth;
	c->inject_nofail = s->nofail;
}

static bool present(const struct domains *d)
{
	return d->opt.fail_section != VT_EV_UNKNOWN;
}

static int attach(struct domains *d, void *state)
{
	return attach__group(d->attach, PLAN_INJECT, 0);
}

const struct domain domain_inject = {
	.phase = "attach injectors",
	.state = sizeof(struct state),
	.present = present,
	.plan = plan,
	.layout = layout,
	.attach = attach,
};
