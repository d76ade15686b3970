/* SPDX-License-Identifier: GPL-2.0 */
/* Fault injection: the plan rows of bpf/inject.bpf.c. */
#include "capture/attach/method.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "capture/kernel/kernel.h"

/* fmod_ret may change only what is on the kernel's list, and the list is there only if this function is. */
static bool has_error_injection(const struct engine *e)
{
	return kernel__addr(e->k, "within_error_injection_list", "vmlinux") != 0;
}

static int plan_injector(struct engine *e, const char *prog, const char *func, const char *option)
{
	struct func_info fi = kernel__func(e->k, func, NULL);
	bool injectable = has_error_injection(e);
	struct plan_row *r = plan__add(&e->plan);

	if (!r)
		return -ENOMEM;
	r->group = PLAN_INJECT;
	r->event = VT_EV_INJECT;
	r->method = "fmod_ret";
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
int inject__plan(struct engine *e, const char **why)
{
	long bit = kernel__enum_value(e->k, "___GFP_NOFAIL_BIT");
	int slab = plan_injector(e, "fail_slab", "should_failslab", "CONFIG_FAILSLAB");
	int page = plan_injector(e, "fail_page", "should_fail_alloc_page", "CONFIG_FAIL_PAGE_ALLOC");

	if (slab < 0 || page < 0)
		return -ENOMEM;
	*why = "no allocation can be made to fail: the kernel needs CONFIG_FUNCTION_ERROR_INJECTION=y, and CONFIG_FAILSLAB=y or CONFIG_FAIL_PAGE_ALLOC=y";
	if (!slab && !page)
		return -EOPNOTSUPP;
	*why = "the kernel's BTF does not tell __GFP_NOFAIL, so faults cannot be injected safely";
	if (bit < 0)
		return -EOPNOTSUPP;
	e->nofail = 1u << bit;
	return 0;
}
