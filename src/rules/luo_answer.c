// SPDX-License-Identifier: GPL-2.0
/* LUO's answers, against what it did and what it answered before. */
#include <inttypes.h>

#include "rules/facts.h"
#include "rules/finding.h"

struct text {
	const char *key, *title, *expected, *seen, *meaning, *before;
};

static const struct text texts[] = {
	[VT_ANSWER_SWALLOWED] = { "swallowed", "returns 0 although a call inside of it failed", "an error gets through to whoever asked",
		"something inside fails, the call returns 0", "Whoever asked goes on with a file or a session that is not what it is taken for.", "fails" },
	[VT_ANSWER_EFFECT] = { "effect", "returns an error, and what it was asked for is done", "a call that fails changes nothing",
		"it worked and nothing undoes it, then the call fails",
		"Whoever asked believes that nothing happened: he asks again, or goes on without it.", "works" },
	[VT_ANSWER_FORGOTTEN] = { "forgotten", "answers otherwise than with the error that it had returned before", "a failure is remembered: the same error ever after",
		"another answer to the same question", "What failed is half consumed: whoever goes on with it works on memory that is gone.", "fails" },
	[VT_ANSWER_REFUSED] = { "refused", "refuses a file that was retrieved and is still held", "the same file again, with one more reference",
		"an error, and the callback was not asked", "An agent that was restarted cannot get its file back.", "succeeds" },
	[VT_ANSWER_OTHER_FILE] = { "other-file", "hands out another file than before for the same token", "the same file again, with one more reference",
		"another struct file", "Two owners of one token work on different files.", "hands out the first" },
	[VT_ANSWER_NO_HOLDER] = { "no-holder", "refuses with -EBUSY a file that nobody holds", "a file can be preserved again once it was taken back",
		"-EBUSY, and what held it before has ended", "The file is never forgotten: it cannot be preserved any more in this boot.", "the last hold of the file ends" },
	[VT_ANSWER_NO_REASON] = { "no-reason", "refuses to finish although no handler does", "finish fails only where a can_finish says no",
		"an error, and every can_finish agreed", "The session, and its files with it, stay until the next reboot.", "begins" },
	[VT_ANSWER_DESERIALIZE] = { "deserialize", "returns 0 although a session could not be read", "the first open of /dev/liveupdate fails, and goes on failing",
		"luo_file_deserialize() fails, luo_session_deserialize() returns 0", "Agents find sessions that lack their files, and nothing tells them why.", "fails" },
};

static void tell_answer(struct vt_ctx *c, size_t i, const struct vt_fact *x)
{
	const struct text *t = &texts[x->num[0]];
	const char *func = vt_at_func(&x->at[0]);
	struct vt_finding *f;
	char err[32];

	/* With both traces the rule arrival tells what is missing for it. */
	if (x->num[0] == VT_ANSWER_DESERIALIZE && c->j->nr_sides == 2)
		return;
	f = vt_find(c, VT_ERROR, i, &x->who, "%s|%s|%s", t->key, func, vt_fact_handler(x));
	if (!f)
		return;
	f->func = func;
	vt_text(c, &f->title, "%s %s", func, t->title);
	vt_text(c, &f->expected, "%s", t->expected);
	vt_text(c, &f->seen[i], "%s", t->seen);
	vt_text(c, &f->meaning, "%s", t->meaning);
	vt_proof(c, f, i, &x->at[1], "%s", t->before);
	vt_proof(c, f, i, &x->at[0], "answers %s", vt_errno_str(x->at[0].ret, err, sizeof(err)));
}

/* Of a handler whose callback was hooked late, or not at all, nothing says whether it was asked. */
static bool not_asked(const struct vt_side *s, const struct vt_fact *x)
{
	enum vt_event_type op = x->num[0] == VT_ANSWER_NO_REASON ? VT_EV_OP_CAN_FINISH : VT_EV_OP_RETRIEVE;

	if (x->num[0] != VT_ANSWER_REFUSED && x->num[0] != VT_ANSWER_FORGOTTEN && x->num[0] != VT_ANSWER_NO_REASON)
		return false;
	return x->who.has_token && !vt_side__op_hooked(s, op, x->who.compatible, x->at[0].ts_ns);
}

static const struct vt_telling answers[] = {
	{ .kind = VT_FACT_ANSWER, .absence = true, .moot = not_asked, .tell = tell_answer },
};

const struct vt_rule vt_rule_luo_answer = {
	.id = "luo-answer", .name = "LUO's answer is wrong", .severity = VT_ERROR, .subject = VT_ABOUT_LUO, .by_call = VT_LUO_CALLS,
	.judges = { "answer", "answers", .type = { VT_EV_LUO_PRESERVE, VT_EV_LUO_FREEZE, VT_EV_SERIALIZE, VT_EV_REBOOT, VT_EV_SESSION_DESERIALIZE, VT_EV_LUO_DESERIALIZE, VT_EV_LUO_RETRIEVE, VT_EV_LUO_FINISH, VT_EV_SESSION_RELEASE } },
	.needs = { { VT_EV_LUO_RETRIEVE, VT_IN }, { VT_EV_OP_RETRIEVE, VT_IN }, { VT_EV_LUO_FINISH, VT_IN }, { VT_EV_OP_CAN_FINISH, VT_IN },
		   { VT_EV_OP_FINISH, VT_IN }, { VT_EV_SESSION_DESERIALIZE, VT_IN }, { VT_EV_LUO_DESERIALIZE, VT_IN }, { VT_EV_LUO_PRESERVE, VT_OUT },
		   { VT_EV_OP_PRESERVE, VT_OUT }, { VT_EV_OP_UNPRESERVE, VT_OUT }, { VT_EV_LUO_FREEZE, VT_OUT }, { VT_EV_OP_FREEZE, VT_OUT },
		   { VT_EV_SERIALIZE, VT_OUT }, { VT_EV_REBOOT, VT_OUT }, { VT_EV_LUO_IOCTL, VT_ANY } },
	.also = { VT_EV_OP_CAN_PRESERVE, VT_EV_FILE_SNAP },
	VT_TELLS(answers),
};
