// SPDX-License-Identifier: GPL-2.0
/* Sessions that nobody can have any more, for the rest of the boot. */
#include <inttypes.h>
#include <string.h>

#include "rules/crossing.h"
#include "rules/facts.h"
#include "rules/finding.h"

/*
 * Whether the handler is what was missing: 1, 0, or -1 where that is not known. The new kernel's log names the
 * one that it looked for; else the old kernel held files of it or not.
 */
static int missed(const struct vt_ctx *c, size_t i, const char *compatible)
{
	const char *told = vt_trace__meta(c->j->side[i]->trace, "luo.no_handler");
	const struct vt_side *pre = c->j->side[0];
	bool known = vt_pair_fits(c) && compatible && !c->cut[0] && !c->blind[0].nr && !pre->early && !pre->unseen[VT_OUTGOING].files;
	bool any = false;

	if (told && compatible)
		return !strcmp(told, compatible);
	for (const struct vt_session *v = vt_pair_fits(c) ? pre->sessions : NULL; v; v = v->next) {
		for (const struct vt_life *l = v->lives; l; l = l->next) {
			if (!l->held_at_end)
				continue;
			if (l->compatible && compatible && !strcmp(l->compatible, compatible))
				return 1;
			known &= l->compatible != NULL;
			any = true;
		}
	}
	return known && any ? 0 : -1;
}

static void tell_late(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	int here = missed(c, i, x->who.compatible);
	struct vt_finding *f;

	if (here < 0)
		vt_doubt(c, "%s: %s came after the sessions were read in vain, and whether files of it arrived is not known", c->j->side[i]->label,
			 x->who.compatible ? x->who.compatible : "a handler");
	f = here > 0 ? vt_find(c, VT_ERROR, i, &x->who, "handler-late") : NULL;
	if (!f)
		return;
	f->func = "luo_session_deserialize";
	vt_text(c, &f->title, "a handler is registered after the sessions were read in vain: all of them are lost");
	vt_text(c, &f->expected, "every handler whose files arrive is registered before the first open of /dev/liveupdate");
	vt_text(c, &f->seen[i], "luo_session_deserialize() found no handler for a file, and %s was registered afterwards",
		x->who.compatible ? x->who.compatible : "a handler");
	vt_text(c, &f->meaning, "Every open of /dev/liveupdate fails until the next reboot: no session can be retrieved, and what all their files "
		"stood for is lost. Build the handler in, or load its module before whatever opens the device first (systemd's PID 1 does so before any unit).");
	vt_proof(c, f, i, &x->at[1], "the reading fails");
	vt_proof(c, f, i, &x->at[0], "the handler comes");
}

static void tell_other(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "other");

	if (!f)
		return;
	f->func = "luo_session_retrieve";
	vt_text(c, &f->title, "RETRIEVE_SESSION hands out another session than was asked for");
	vt_text(c, &f->expected, "session %s", vt_name(x->who.session, "?"));
	vt_text(c, &f->seen[i], "the file is that of session %s", vt_name(x->str[0], "?"));
	vt_text(c, &f->meaning, "The agent gets the files, and with them the memory and devices, of somebody else.");
	vt_proof(c, f, i, &x->at[1], "makes a file for session %s", vt_name(x->str[0], "?"));
	vt_proof(c, f, i, &x->at[0], "returns it for session %s", vt_name(x->who.session, "?"));
}

static void tell_unended(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	bool in = x->num[1] == VT_INCOMING;
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "unended|%s", in ? "incoming" : "outgoing");

	if (!f)
		return;
	f->func = "luo_session_release";
	vt_text(c, &f->title, "a session is released and its files are not %s", in ? "finished" : "taken back");
	vt_text(c, &f->expected, in ? "luo_session_release() finishes what was not finished, or fails" : "luo_session_release() unpreserves all files of an outgoing session");
	vt_text(c, &f->seen[i], "%" PRId64 " file%s left, the first one %s", x->num[2], x->num[2] == 1 ? "" : "s", vt_name(x->str[0], "?"));
	vt_text(c, &f->meaning, "Nobody knows the files any more: what they hold, their memory and their devices, is lost until the next reboot.");
	vt_proof(c, f, i, &x->at[1], "%s", in ? "the file arrives" : "the file is preserved");
	vt_proof(c, f, i, &x->at[0], "the session is gone");
}

static void tell_stranded(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "stranded||luo_session_release");

	if (!f)
		return;
	f->func = "luo_session_release";
	vt_text(c, &f->title, "the file of a session is released and the session cannot be finished");
	vt_text(c, &f->expected, "a session is finished before its file is closed, or at the latest by that");
	if (x->at[2].type)
		vt_text(c, &f->seen[i], "luo_session_release() returns an error: the handler of token 0x%" PRIx64 "%s%s refuses to finish, and with it %" PRId64
			" file%s stay%s", (uint64_t)x->num[1], x->str[0] ? ", " : "", x->str[0] ? x->str[0] : "", x->num[0], x->num[0] == 1 ? "" : "s",
			x->num[0] == 1 ? "s" : "");
	else
		vt_text(c, &f->seen[i], "luo_session_release() returns an error: a handler refuses to finish");
	vt_text(c, &f->meaning, "LUO keeps the session and its files until the next reboot, and RETRIEVE_SESSION refuses to give it out again: its devices cannot be "
		"unbound, and their next preserve is refused. %s",
		strcmp(vt_name(x->who.session, ""), VT_SYSTEMD_SESSION) ?
		"An agent that cannot wait until the handler agrees needs a session of its own for such files." :
		"systemd finishes its session before any service starts: such a file does not belong into a fd store as it is. The service needs a "
		"LUO session of its own for it, and stores that, or LUOSession= in its unit.");
	vt_proof(c, f, i, &x->at[2], "says no");
	vt_proof(c, f, i, &x->at[1], "finish was refused");
	vt_proof(c, f, i, &x->at[0], "the release fails");
}

static void tell_dropped(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "dropped");

	if (!f)
		return;
	f->func = "liveupdate_reboot";
	vt_text(c, &f->title, "a live update begins while a session that arrived waits to be retrieved: it is dropped");
	vt_text(c, &f->expected, "what arrived is retrieved and finished before the next live update, or that one is refused");
	vt_text(c, &f->seen[i], "liveupdate_reboot() returns 0 with %" PRId64 " file%s in it that nobody asked for%s%s", x->num[0], x->num[0] == 1 ? "" : "s",
		x->str[0] ? ", the first one of " : "", vt_name(x->str[0], ""));
	vt_text(c, &f->meaning, "luo_session_serialize() hands on outgoing sessions only. Nothing of this one reaches the next kernel: its memory goes back "
		"with all that was in it, and its devices are nobody's. An agent that means that retrieves the session and closes it.");
	vt_proof(c, f, i, &x->at[1], x->at[1].type == VT_EV_SESSION_THERE ? "it is there as the recording begins" : "it arrives");
	vt_proof(c, f, i, &x->at[0], "the next update begins");
}

static void tell_nowhere(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	struct vt_finding *f = vt_find(c, VT_ERROR, i, &x->who, "nowhere");

	if (!f)
		return;
	f->func = "liveupdate_reboot";
	vt_text(c, &f->title, "a live update goes into an image that was loaded without a handover: the session is lost");
	vt_text(c, &f->expected, "an image that kexec_file_load(2) loaded, or liveupdate_reboot() refuses");
	vt_text(c, &f->seen[i], "liveupdate_reboot() returns 0 with %" PRId64 " file%s in the session%s%s; the image's kho.fdt is 0", x->num[0],
		x->num[0] == 1 ? "" : "s", x->str[0] ? ", the first one of " : "", vt_name(x->str[0], ""));
	vt_text(c, &f->meaning, "kexec_load(2), which \"kexec -c\" uses, tells the next kernel nothing of KHO. That kernel boots as if it were the first: the memory that was "
		"preserved is free memory to it, and to a device that was left running it is not. Load the image by kexec_file_load(2): \"kexec -s\".");
	vt_proof(c, f, i, &x->at[1], "a file of the session is preserved");
	vt_proof(c, f, i, &x->at[0], "the jump is let through");
}

static const struct vt_telling session_lost[] = {
	{ .kind = VT_FACT_SESSION_LOST, .func = "luo_session_retrieve",
	  .title = "RETRIEVE_SESSION returns an error after it marked the session retrieved",
	  .expected = "an ioctl that fails leaves the session as it was, to be retrieved again",
	  .seen = "the session is marked retrieved, then the ioctl fails",
	  .meaning = "Nobody has the session, and nobody can ask again. The release of its file finishes it: all its files are dropped, "
		     "with the memory behind them.",
	  .ev = { "fails", "marked retrieved" } },
	{ .kind = VT_FACT_SESSION_STRANDED, .tell = tell_stranded },
	{ .kind = VT_FACT_SESSION_OTHER, .absence = true, .tell = tell_other },
	{ .kind = VT_FACT_SESSION_UNENDED, .absence = true, .tell = tell_unended },
	{ .kind = VT_FACT_SESSION_TWICE, .key = "twice", .func = "luo_session_retrieve",
	  .title = "RETRIEVE_SESSION hands out a session that somebody has already",
	  .expected = "one session, one file: the second RETRIEVE_SESSION fails with -EINVAL",
	  .seen = "it succeeds twice",
	  .meaning = "Two files finish the same session: the second one works on a session that is freed.",
	  .ev = { "succeeds again", "the session is handed out" } },
	{ .kind = VT_FACT_HANDLER_LATE, .tell = tell_late },
	{ .kind = VT_FACT_SESSION_DROPPED, .absence = true, .tell = tell_dropped },
	{ .kind = VT_FACT_SESSION_NOWHERE, .absence = true, .tell = tell_nowhere },
};

const struct vt_rule vt_rule_session_lost = {
	.id = "session-lost", .name = "session lost until reboot", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.judges = { "call on a session", "calls on sessions", .type = { VT_EV_SESSION_DESERIALIZE, VT_EV_SESSION_RETRIEVE, VT_EV_SESSION_RELEASE } },
	.needs = { { VT_EV_SESSION_RETRIEVE, VT_IN }, { VT_EV_LUO_IOCTL, VT_IN }, { VT_EV_SESSION_RELEASE, VT_IN }, { VT_EV_SESSION_DESERIALIZE, VT_IN },
		   { VT_EV_LUO_FINISH, VT_IN }, { VT_EV_OP_FINISH, VT_IN }, { VT_EV_LUO_UNPRESERVE, VT_OUT }, { VT_EV_OP_UNPRESERVE, VT_OUT } },
	.also = { VT_EV_FILE_ANON },
	VT_TELLS(session_lost),
};
