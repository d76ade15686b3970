/* SPDX-License-Identifier: GPL-2.0 */
/* vfiotrace probes: the attach plan on this kernel, without attaching anything. */
#include <errno.h>
#include <stdio.h>

#include "capture/domain/list.h"
#include "capture/kernel/kernel.h"
#include "capture/plan/plan.h"
#include "capture/record/privilege.h"
#include "cmd/cmd.h"

static int fail(int err, const char *why)
{
	if (err == -EPERM || err == -EACCES)
		return vt_fail(VT_EXIT_PERMISSION, "no permission to look: %s", why);
	return vt_fail(VT_EXIT_UNSUPPORTED, "cannot trace this kernel: %s", why);
}

static void print(const struct plan *p)
{
	size_t possible = 0;

	printf("%-7s %-24s %-44s %-16s %s\n", "METHOD", "EVENT", "FUNCTION", "MODULE", "REASON");
	for (size_t i = 0; i < p->nr; i++) {
		const struct plan_row *r = &p->rows[i];

		possible += r->possible;
		printf("%-7s %-24s %-44s %-16s %s\n", r->possible || r->method == PLAN_ABSENT ? plan__method_name(r) : "none", vt_event_name(r->event),
		       r->func, r->module, r->possible ? r->compatible : r->reason);
	}
	printf("\n%zu of %zu hooks can be attached\n", possible, p->nr);
}

static int run(int argc, char **argv)
{
	struct domains_options o = { .ring_bytes = 1 << 16, .dry = true };
	struct domains *d = NULL;
	struct kernel *k = NULL;
	const char *why;
	int err = privilege__check(&why), code = VT_EXIT_CLEAN;

	if (err)
		return fail(err, why);
	err = kernel__open(&k, &why);
	if (err)
		return fail(err, why);
	err = domains__open(&d, k, &o, &why);
	if (err) {
		kernel__free(k);
		return fail(err, why);
	}
	printf("kernel %s, build id %s\nLUO: %s\nhandlers: %s\n\n", kernel__release(k),
	       *kernel__build_id(k) ? kernel__build_id(k) : "unknown",
	       !kernel__has_luo(k) ? "no (CONFIG_LIVEUPDATE is off)" : kernel__luo_is_off() ? "off (boot it with liveupdate=on kho=on)" : "yes",
	       *domains__handlers(d) ? domains__handlers(d) : "none");
	print(domains__plan(d));
	if (!kernel__has_luo(k) || kernel__luo_is_off())
		code = VT_EXIT_NOTHING;
	domains__free(d);
	kernel__free(k);
	return code;
}

const struct vt_cmd vt_cmd_probes = {
	.name = "probes",
	.args = "",
	.summary = "What can be attached on this kernel, what cannot, and why; attaches nothing",
	.details = "Programs are loaded, so that the kernel's verifier has its say, but not attached.\n"
		   "Where fentry cannot do it (no BTF, or not in available_filter_functions) a kprobe is planned.\n"
		   "On kernels that can attach one program to many functions (Linux 7.2) record has hooks share\n"
		   "programs, which is faster; here, and for a hook that is refused there, each has its own.\n"
		   "Exit code 4: this kernel has no LUO, or it is off.",
	.max_args = 0,
	.run = run,
};
