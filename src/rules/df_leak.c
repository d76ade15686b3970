// SPDX-License-Identifier: GPL-2.0
/* struct vfio_device_file that nobody frees: alloc_mismatch.c tells who has to. */
#include <stdio.h>

#include "rules/finding.h"
#include "rules/reach.h"

static void leak(struct vt_ctx *c)
{
	char in[256], err[32];

	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		for (size_t k = 0; k < s->nr_dfs && !c->cut[i]; k++) {
			const struct vt_df *df = s->dfs[k];
			const struct vt_at *end = df->failed.type ? &df->failed : &df->release;
			struct vt_finding *f;

			if (df->nr_freed || !end->type || !vt_clear(c, i, df->alloc.ts_ns, UINT64_MAX))
				continue;
			f = vt_find(c, VT_ERROR, i, &df->who, "%s|%s", df->failed.type ? "failed" : "released",
				    vt_event_name(df->failed.type ? df->failed.type : df->call.type));
			if (!f)
				continue;
			f->func = vt_at_func(end);
			if (!f->who.bdf)
				f->who.bdf = df->bdf;
			vt_text(c, &f->title, "struct vfio_device_file is never freed after %s %s", vt_at_func(end),
				df->failed.type ? "failed" : "ran for it");
			vt_text(c, &f->expected, "every df is freed once: by the failing open itself, or by vfio_device_fops_release()");
			vt_text(c, &f->seen[i], "allocated at %s for %s, %s%s, no free until the end of the trace", df->site ? df->site : "an unknown place",
				vt_who_str(&df->who, in, sizeof(in)), vt_at_func(end),
				df->failed.type ? (snprintf(err, sizeof(err), " "), vt_errno_str(df->failed.ret, err + 1, sizeof(err) - 1), err) : " returned");
			vt_proof(c, f, i, &df->alloc, "allocates the df");
			vt_proof(c, f, i, end, df->failed.type ? "fails; from here on nobody knows the df" : "is the last to know the df");
			vt_text(c, &f->meaning, "Kernel memory is lost each time this happens; whoever can make the call fail can repeat it.");
		}
	}
}

const struct vt_rule vt_rule_df_leak = {
	.id = "df-leak", .name = "df never freed", .severity = VT_ERROR, .subject = VT_ABOUT_VFIO,
	.by_call = VT_ALL_CALLS, .lasts = true,
	.judges = { "df", "dfs", VT_COUNTED(dfs_allocated) },
	.needs = { { VT_EV_VFIO_DF_ALLOC, VT_ANY }, { VT_EV_MEM_FREE, VT_ANY }, { VT_EV_VFIO_RELEASE, VT_ANY } },
	.run = leak,
};
