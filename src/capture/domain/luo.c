/* SPDX-License-Identifier: GPL-2.0 */
/*
 * LUO: its own functions are the core's. Here are the calls that it makes of
 * functions which everybody calls: the pins of handlers' modules and the
 * installing of file descriptors. What they do is seen at the call, in LUO's
 * own text, so that nobody else pays for it.
 */
#include "capture/domain/domain.h"
#include "capture/kernel/calls.h"
#include "capture/kernel/data.h"
#include "capture/kernel/kernel.h"
#include "capture/object/object.h"

/* Functions, with the names that the compiler gives to parts of them. */
static const char *const pinning[] = {
	"luo_preserve_file", "luo_file_unpreserve_files", "luo_file_finish", "luo_file_deserialize", "luo_file_deserialize_one", NULL,
};
/* The module that owns an FLB is pinned while its data are there: from the first file on that depends on it to the last. */
static const char *const flb_pinning[] = {
	"luo_flb_file_preserve", "luo_flb_file_preserve_one", "luo_flb_file_unpreserve", "luo_flb_file_unpreserve_one",
	"luo_flb_retrieve_one", "luo_flb_file_finish", "luo_flb_file_finish_one", "liveupdate_flb_get_incoming",
	"liveupdate_flb_put_incoming", "liveupdate_flb_put_outgoing", NULL,
};
static const char *const handing_out[] = {
	"luo_session_retrieve_fd", "luo_session_ioctl", "luo_ioctl_create_session", "luo_ioctl_retrieve_session", "luo_ioctl", NULL,
};

static const struct part {
	enum calls_of calls;
	const char *const *in;
	struct site_use use;
	const char *callee;
	bool optional;	/* a kernel whose modules cannot be unloaded has none */
} parts[] = {
	{ CALLS_OF_MODULE_GET, pinning, { VT_SITE_MODULE_GET, VT_EV_MODULE_GET, "vmlinux", false, VT_C_NONE }, "try_module_get", true },
	{ CALLS_OF_MODULE_PUT, pinning, { VT_SITE_MODULE_PUT, VT_EV_MODULE_PUT, "vmlinux", false, VT_C_NONE }, "module_put", true },
	{ CALLS_OF_MODULE_GET, flb_pinning, { VT_SITE_FLB_PIN, VT_EV_FLB_PIN, "vmlinux", false, VT_C_NONE }, "try_module_get", true },
	{ CALLS_OF_MODULE_PUT, flb_pinning, { VT_SITE_FLB_UNPIN, VT_EV_FLB_UNPIN, "vmlinux", false, VT_C_NONE }, "module_put", true },
	{ CALLS_OF_FD_INSTALL, handing_out, { VT_SITE_FD_INSTALL, VT_EV_FD_INSTALL, "vmlinux", false, VT_C_NONE }, "fd_install", false },
};

static int nothing_found(struct domains *d, const struct part *p, int err)
{
	if (!err && p->optional && !kernel__addr(d->k, p->callee, NULL))
		return attach__no_call(d->attach, &p->use, p->callee, "this kernel has no such function (or it was inlined)", 0);
	return attach__no_call(d->attach, &p->use, p->callee, err ? "LUO's text could not be searched for calls" : "no call of it found in LUO's text", err);
}

static int attach_call(void *arg, struct call *c, const struct site_use *use)
{
	struct domains *d = arg;

	return attach__call(d->attach, c, use);
}

static int attach_part(struct domains *d, const struct part *p)
{
	struct call *found;
	int nr = calls__in_functions(d->k, p->in, p->calls, object__reader, d->obj, &found);

	if (nr <= 0)
		return nothing_found(d, p, nr);
	return attach__calls(d->attach, found, nr, &p->use, attach_call, d);
}

struct state {
	bool done;
};

static int attach(struct domains *d, void *state)
{
	struct state *s = state;
	int attached = 0;

	if (s->done)
		return 0;
	s->done = true;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int ret = attach_part(d, &parts[i]);

		if (ret < 0)
			return ret;
		attached += ret;
	}
	return attached;
}

static const enum vt_event_type sites[] = { VT_EV_MODULE_GET, VT_EV_MODULE_PUT, VT_EV_FLB_PIN, VT_EV_FLB_UNPIN, VT_EV_FD_INSTALL, 0 };

/* Where the allocation is seen the object has its name already. */
static const struct domain_life births[] = {
	{ VT_EV_LUO_FILE, VT_S_LUO_FILE, LIFE_GUESS },
	{ VT_EV_LUO_PRESERVE, VT_S_LUO_FILE, LIFE_GUESS | LIFE_EXIT | LIFE_IF_OK },
	{ 0 },
};

/* ---- sessions that are there already ---- */

#define SESSIONS_MAX 4096	/* so that a list that changes meanwhile has an end */

static const char *const global_users[] = { "luo_session_retrieve", "luo_session_deserialize", "luo_session_serialize", NULL };

/* A list whose neighbours know it, as no other data of LUO's begin with. Of one that is empty there is nothing to tell. */
static bool is_global(void *domains, uint64_t at)
{
	struct domains *d = domains;
	int list = kernel__offset(d->k, NULL, "luo_session_global", "incoming.list");
	uint64_t next = list < 0 ? 0 : object__peek_u64(d->obj, at + list);

	return next && next != at + list && object__peek_u64(d->obj, next + sizeof(next)) == at + list;
}

static const struct data global = { "luo_session_global", global_users, is_global };

/* What waits to be retrieved was read when /dev/liveupdate was first opened: who comes later does not see that. */
static void begin(struct domains *d)
{
	int off_head = kernel__offset(d->k, NULL, "luo_session_global", "incoming.list");
	int off_list = kernel__offset(d->k, NULL, "luo_session", "list");
	uint64_t at = off_head < 0 || off_list < 0 ? 0 : data__find(d->k, &global, object__reader, d->obj, d);
	uint64_t head = at + off_head;

	at = at ? object__peek_u64(d->obj, head) : 0;
	for (int i = 0; at && at != head && i < SESSIONS_MAX; i++) {
		object__run(d->obj, "session_there", at - off_list);
		at = object__peek_u64(d->obj, at);
	}
}

const struct domain domain_luo = {
	.phase = "attach luo",
	.state = sizeof(struct state),
	.attach = attach,
	.begin = begin,
	.sites = sites,
	.births = births,
};
