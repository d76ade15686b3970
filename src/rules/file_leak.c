// SPDX-License-Identifier: GPL-2.0
/* A struct file that a failing call made and nobody got. */
#include "rules/finding.h"
#include "rules/reach.h"

static void file_leak(struct vt_ctx *c)
{
	VT_EACH_SIDE(c, i) {
		const struct vt_side *s = c->j->side[i];

		for (size_t k = 0; k < s->nr_orphans && !c->cut[i]; k++) {
			const struct vt_file *o = s->orphans[k];
			struct vt_who who = o->who;
			struct vt_finding *f;

			if (!vt_clear(c, i, o->made.ts_ns, UINT64_MAX))
				continue;
			if (!who.bdf)
				who.bdf = o->bdf;
			f = vt_find(c, VT_ERROR, i, &who, "%s|%s", o->name ? o->name : "", vt_event_name(o->failed.type));
			if (!f)
				continue;
			f->func = vt_at_func(&o->failed);
			vt_text(c, &f->title, "a file made by a failing %s is never released", vt_at_func(&o->failed));
			vt_text(c, &f->expected, "the error path puts the file it made");
			vt_text(c, &f->seen[i], "\"%s\" was made, the call failed, and no __fput() of it follows", o->name ? o->name : "?");
			vt_proof(c, f, i, &o->made, "makes the file \"%s\"", o->name ? o->name : "?");
			vt_proof(c, f, i, &o->failed, "fails; nobody has the file");
			vt_text(c, &f->meaning, "A struct file, and what it holds, is lost each time; a vfio file keeps its device open.");
		}
	}
}

const struct vt_rule vt_rule_file_leak = {
	.id = "file-leak", .name = "file of a failed call never released", .severity = VT_ERROR, .subject = VT_ABOUT_LUO,
	.by_call = VT_ALL_CALLS, .lasts = true,
	.judges = { "made file", "made files", .type = { VT_EV_FILE_ANON } },
	.needs = { { VT_EV_FILE_ANON, VT_IN }, { VT_EV_FILE_FPUT, VT_IN } },
	.run = file_leak,
};
